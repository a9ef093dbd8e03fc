#!/usr/bin/env bash
# The kills and the plain writer once more, with an append that keeps the lock
# and its access from its first commit on, as one does that lives for longer
# than these do.  N: kills of each kind; a tenth as many starts of the writer.
. "$(dirname "$0")/common.bash"

sizes 30 10000
need kill_append live_writer peer eager/shmlog

part() { # NAME PROGRAM ARGUMENT...
	mkdir "$scratch/$1" && run "$2" "$eager/shmlog" "${@:3}"
}

part one kill_append "$scratch/one" 1 ack "$N" "$campaign: one" &&
	part four kill_append "$scratch/four" 4 turns "$N" "$campaign: four" &&
	part plain live_writer "$build/tests/fault/peer" "$scratch/plain" \
		$((N < 10 ? 1 : N / 10))
