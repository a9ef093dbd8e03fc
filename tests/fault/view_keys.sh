#!/usr/bin/env bash
# shmlog view on a large log through a pseudo-terminal: each key shows what it
# has to, in time, also while 500,000 frames a second are appended, and within
# its memory.  MIB: the size of the log, 4096 with SIZE=full.
. "$(dirname "$0")/common.bash"

sizes 64 4096
need view_keys
run view_keys "$shmlog" "$scratch/log.shm" "$((${MIB:-$N} << 20))" "$slack"
