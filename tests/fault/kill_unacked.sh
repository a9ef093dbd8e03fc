#!/usr/bin/env bash
# Four appends without --ack share a log and are killed (-9) at random moments:
# each writer's frames are a prefix of what it was sent, in order and whole.  N: kills.
. "$(dirname "$0")/common.bash"

sizes 300 100000
need kill_append
run kill_append "$shmlog" "$scratch" 4 quiet "$N" "$campaign"
