#!/usr/bin/env bash
# Appenders, followers, rotations and growths race for one log, and all but the
# followers are killed at any moment: what was acknowledged is in one of the
# logs, once, and a follower that leaves a log has read all of it.  Once more
# with appenders that keep the lock from their first commit on.  N: kills.
. "$(dirname "$0")/common.bash"

sizes 150 20000
need rotate_race
need_eager
make_quietly BUILD=build/eager WERROR=1 \
	CPPFLAGS="${CPPFLAGS-} -DSHMLOG_TEST_KEEP_AT_ONCE" build/eager/tests/fault/rotate_race

run rotate_race "$scratch/plain" "$N" &&
	build/eager/tests/fault/rotate_race "$scratch/eager" "$N"
