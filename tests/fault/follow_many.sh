#!/usr/bin/env bash
# One tail -F of 64 logs that are written to and replaced, killed and restarted
# meanwhile: every frame of every log is printed at least once, none is skipped,
# none comes twice unless the follower was killed with SIGKILL.  N: replacements
# of each log.
. "$(dirname "$0")/common.bash"

sizes 2 100
need follow_many
run follow_many "$shmlog" "$scratch" "$N"
