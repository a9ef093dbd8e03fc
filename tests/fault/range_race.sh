#!/usr/bin/env bash
# Ranges of a log while writers add to it, one frame at a time and a thousand at
# once: what is counted from the end is exactly as many frames, each begins where
# the one before it ended, backwards they are the same, and all positions of one
# seek are places of one log.  N: how many of each.
. "$(dirname "$0")/common.bash"

sizes 20 2000
need
log=$scratch/log

# Two that append until they are killed, and with them what they read from.
start() {
	"$shmlog" create --sparse -c 2G "$log"
	while seq 1000; do sleep 0.002; done 2>/dev/null | "$shmlog" append "$log" 2>/dev/null &
	writers+=($!)
	while seq 20000; do sleep 0.002; done 2>/dev/null | "$shmlog" append --commit-every 1 "$log" 2>/dev/null &
	writers+=($!)
	# What is asked for has to be there.
	until [ "$("$shmlog" dump -n 100 "$log" | wc -l)" -eq 100 ]; do sleep 0.01; done
}

stop() {
	kill "${writers[@]}" 2>/dev/null
	wait "${writers[@]}" 2>/dev/null
	rm -rf "$scratch"
}
writers=()
trap stop EXIT

fail() { # WHAT
	echo "range_race: FAIL: $1, at round $round:"
	head -c 2000 "$scratch/out"
	cat "$scratch/err"
	exit 1
}

# So many frames, without a gap, forwards or, with -1, backwards.
frames() { # COUNT ORDER ARGUMENT...
	"$shmlog" "${@:3}" -t '%c %x\n' "$log" >"$scratch/out" 2>"$scratch/err" ||
		fail "status $? of ${*:3}"
	awk -v count="$1" -v order="$2" '
		NR > 1 && order > 0 && $1 != next_ { exit 1 }
		NR > 1 && order < 0 && $2 != first { exit 1 }
		{ first = $1; next_ = $2 }
		END { if (count >= 0 && NR != count) exit 1 }' "$scratch/out" ||
		fail "not $1 frames without a gap: ${*:3}"
}

# The last positions of the log, as frames and as cursors.
places() {
	local end last nearby

	"$shmlog" seek "$log" -- end -1 frame:-1 end -2 >"$scratch/out" \
		2>"$scratch/err" || fail "status $? of seek"
	{ read -r end && read -r last && read -r nearby; } <"$scratch/out"
	[ "$(<"$scratch/out")" = "$(printf '%s\n' "$end" "$last" "$last" "$end" \
		"$(tail -n 1 "$scratch/out")")" ] && [ "$nearby" = "$last" ] &&
		[ "$last" -lt "$end" ] || fail 'seek found places of two logs'
	# An end was that of a frame, however long ago.
	"$shmlog" dump --from "$last" --to "$end" -t '%c %x\n' "$log" \
		>"$scratch/out" 2>"$scratch/err"
	[ "$(<"$scratch/out")" = "$last $end" ] ||
		fail "between $last and $end is not one frame"
}

# A range between two cursors is the same in both directions and at any time.
both_ways() {
	local from to

	{ read -r from && read -r to; } < <("$shmlog" seek "$log" -- -40 -10)
	frames 30 1 dump --from "$from" --to "$to"
	tac "$scratch/out" >"$scratch/backwards"
	frames 30 -1 dump -r --from "$from" --to "$to"
	cmp -s "$scratch/out" "$scratch/backwards" || fail 'not the same backwards'
}

start
for ((round = 1; round <= N; round++)); do
	frames 10 1 dump --from -10
	frames 10 -1 dump -r --from -10
	frames 10 1 tail -n 10
	frames 10 1 tail --from -10
	frames 5 1 dump --from -10 --to -5
	frames 5 -1 dump -r --from -10 --to frame:-5
	places
	both_ways
	# Back to the start it takes its time, and only the first rounds have it.
	((round > 3)) || frames -1 -1 dump -r
done
echo "range_race: PASS: $N rounds of ranges in a log of $("$shmlog" seek "$log" end) bytes"
