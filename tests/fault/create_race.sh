#!/usr/bin/env bash
# Creators race for one name while others open it: one winner, nobody ever
# sees a log without its header, nothing else is left behind.  N: races.
. "$(dirname "$0")/common.bash"

sizes 500 100000
need create_race
run create_race "$shmlog" "$scratch" "$N"
