#!/usr/bin/env bash
# Eight append --ack share a log and are killed (-9) at random moments: every
# acknowledged frame is there, each writer's order is kept, no lock is left.  N: kills.
. "$(dirname "$0")/common.bash"

sizes 300 100000
need kill_append
run kill_append "$shmlog" "$scratch" 8 ack "$N" "$campaign"
