#!/usr/bin/env bash
# Several relays push one log to one stream at once, and two pull it into one log
# at once: each frame is there once, in order.  N: turns.
. "$(dirname "$0")/relay.bash"

sizes 2 50

# Waits for all of these; each must end well.
wait_for_all() { # PID...
	local pid

	for pid; do
		wait "$pid" || fail_campaign "a relay ends with $?"
	done
}

turn() { # NUMBER
	local log=$scratch/from copy=$scratch/to pids=() i

	rm -f "$log" "$copy"
	"$shmlog" create "$log" -c 64M --sparse
	fill "$log" 20000
	for i in 1 2 3; do
		start relay push "$log" "$url" --create-stream --stream "many$1"
		pids+=("$started_pid")
	done
	for i in 1 2; do
		start relay pull -f --idle 2s "$copy" "$url" --create 64M --stream "many$1"
		pids+=("$started_pid")
	done
	wait_for_all "${pids[@]}"
	same_logs "$log" "$copy" || fail_campaign "the copy differs"
	[ "$(messages_of "$log" "many$1")" -eq 20000 ] ||
		fail_campaign "not one message a frame"
}

start_nats "$scratch/nats" || exit 1
for ((n = 0; n < N; n++)); do
	turn "$n"
done
verdict "$N turns of three pushes and two pulls at once; identical copies"
