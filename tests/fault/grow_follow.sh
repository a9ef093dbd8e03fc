#!/usr/bin/env bash
# A log grows under four appends and four followers, while appends and growths
# are killed: what was acknowledged arrives at every follower, once, and in
# order.  N: kills.
. "$(dirname "$0")/common.bash"

sizes 150 20000
need grow_follow

run grow_follow "$shmlog" "$scratch" "$N"
