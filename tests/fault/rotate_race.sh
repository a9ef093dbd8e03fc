#!/usr/bin/env bash
# Appenders, followers, rotations and growths race for one log, and all but the
# followers are killed at any moment: what was acknowledged is in one of the
# logs, once, and a follower that leaves a log has read all of it.  Once more
# with appenders that keep the lock from their first commit on.  N: kills.
. "$(dirname "$0")/common.bash"

sizes 150 20000
need rotate_race eager/rotate_race

run rotate_race "$scratch/plain" "$N" &&
	"$eager/rotate_race" "$scratch/eager" "$N"
