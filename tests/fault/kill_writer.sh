#!/usr/bin/env bash
# One append --ack, fed from a pipe, is killed (-9) at random moments: nothing
# that it acknowledged is lost, no bad frame, no lock left behind.  N: kills.
. "$(dirname "$0")/common.bash"

sizes 300 10000
need kill_append
run kill_append "$shmlog" "$scratch" 1 ack "$N" "$campaign"
