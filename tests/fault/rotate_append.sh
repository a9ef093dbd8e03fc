#!/usr/bin/env bash
# Four append --rotate and four tail -F of one log, killed and stopped at any
# moment: what was acknowledged arrives at every follower that lives, once and
# in order, through all logs.  N: rotations.
. "$(dirname "$0")/common.bash"

sizes 150 10000
need rotate_append

run rotate_append "$shmlog" "$scratch/room" "$N"
