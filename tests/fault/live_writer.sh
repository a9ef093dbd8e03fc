#!/usr/bin/env bash
# A writer that takes no lock, as the Node package's, comes and goes: append
# refuses (7, in 100 ms, naming it) while it lives and works once it is dead;
# readers never make it refuse; no frame of either is lost; a move of size
# under a commit is noticed.  N: starts and stops.
. "$(dirname "$0")/common.bash"

sizes 30 1000
need live_writer peer
run live_writer "$shmlog" "$build/tests/fault/peer" "$scratch" "$N"
