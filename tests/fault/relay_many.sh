#!/usr/bin/env bash
# Several relays push one log to one stream at once, and two pull it into one log
# at once: each frame is there once, in order.  Plain and packed.  N: turns of each.
. "$(dirname "$0")/relay.bash"

sizes 1 50

# Waits for all of these; each must end well.
wait_for_all() { # PID...
	local pid

	for pid; do
		wait "$pid" || fail_campaign "a relay ends with $?: $(tail -n 1 "$scratch/said")"
	done
}

plain_pushes() { # LOG STREAM
	local i

	fill "$1" 20000
	for i in 1 2 3; do
		start relay push "$1" "$url" --create-stream --stream "$2"
		pids+=("$started_pid")
	done
}

# They pack at different places, all the more as the log grows meanwhile.
packed_pushes() { # LOG STREAM
	local size

	for size in 3K 16K 500K; do
		start relay push -f --idle 2s --pack $size "$1" "$url" --create-stream --stream "$2"
		pids+=("$started_pid")
	done
	for size in {1..20}; do
		fill "$1" 1000
		read -r -t 0.01 <>"$pause" || :
	done
}

turn() { # KIND STREAM
	local log=$scratch/from copy=$scratch/to pids=() i

	rm -f "$log" "$copy"
	"$shmlog" create "$log" -c 64M --sparse
	"$1_pushes" "$log" "$2"
	for i in 1 2; do
		start relay pull -f --idle 2s "$copy" "$url" --create 64M --stream "$2"
		pids+=("$started_pid")
	done
	wait_for_all "${pids[@]}"
	# On a busy machine they may have ended for want of a message.
	"$shmlog" relay pull "$copy" "$url" --stream "$2" || fail_campaign "pull ends with $?"
	same_logs "$log" "$copy" || fail_campaign "$1: the copy differs"
	[ "$1" = packed ] || [ "$(messages_of "$log" "$2")" -eq 20000 ] ||
		fail_campaign "not one message a frame"
}

start_nats "$scratch/nats" || exit 1
for ((n = 0; n < N; n++)); do
	turn plain "plain$n"
	turn packed "packed$n"
done
verdict "$N turns each, plain and packed, of three pushes and two pulls at once; identical copies"
