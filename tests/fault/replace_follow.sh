#!/usr/bin/env bash
# tail -F --cursor-file, killed and restarted while its log is written to and
# replaced: every frame is printed at least once, none is skipped, none comes
# twice unless the follower was killed with SIGKILL.  N: kills; a quarter as
# many replacements.
. "$(dirname "$0")/common.bash"

sizes 20 200
need replace_follow
run replace_follow "$shmlog" "$scratch" "$N" "$(((N + 3) / 4))"
