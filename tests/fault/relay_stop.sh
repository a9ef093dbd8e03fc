#!/usr/bin/env bash
# The bytes of a relay that was killed are still in the socket of a server that
# is stopped: they arrive while the next relay sends the same frames.  Nothing is
# in the stream twice.  With a relay that leaves out what each message says about
# its place there are duplicates, so the campaign can see them.  N: turns.
. "$(dirname "$0")/relay.bash"

sizes 2 100
unchained=$build/tests/fault/relay_unchained
[ -x "$unchained" ] || make_quietly BUILD="${SHMLOG_BUILD:-build}" "$unchained"

# One turn: sends until the server is stopped, dies, and another one begins.
turn() { # RELAY LOG STREAM
	"$1" push -f "$2" "$url" --create-stream --stream "$3" </dev/null 2>>"$scratch/said" &
	local pid=$!

	started+=("$pid")
	random_sleep 40
	kill -STOP "$server_pid"
	random_sleep 100
	kill_now "$pid"
	"$1" push -f "$2" "$url" --create-stream --stream "$3" </dev/null 2>>"$scratch/said" &
	pid=$!
	started+=("$pid")
	sleep 0.05
	kill -CONT "$server_pid"
	random_sleep 100
	kill_now "$pid"
}

turns() { # RELAY LOG STREAM
	local i

	for ((i = 0; i < N; i++)); do
		seq -f "%.0f in turn $i" 20000 | "$shmlog" append "$2"
		turn "$@"
	done
	timeout $((30 * slack)) "$1" push "$2" "$url" --stream "$3" 2>>"$scratch/said"
}

# Messages of a stream beyond one a frame.
surplus() { # LOG STREAM
	echo $(($(messages_of "$1" "$2") - $("$shmlog" dump "$1" | wc -l)))
}

start_nats "$scratch/nats" || exit 1
log=$scratch/from
"$shmlog" create "$log" -c 256M --sparse
turns "$build/shmlog-relay" "$log" chained || fail_campaign "push ends with $?"
"$shmlog" relay pull "$scratch/to" "$url" --create 256M --stream chained ||
	fail_campaign "pull ends with $?"
same_logs "$log" "$scratch/to" || fail_campaign "the copy differs"
[ "$(surplus "$log" chained)" -eq 0 ] || fail_campaign "not one message a frame"

# Few turns may all miss the moment.
rm -f "$log"
"$shmlog" create "$log" -c 256M --sparse
for ((tries = 0; tries < 20; tries++)); do
	turns "$unchained" "$log" unchained
	duplicates=$(surplus "$log" unchained)
	[ "$duplicates" -le 0 ] || break
done
[ "$duplicates" -gt 0 ] ||
	fail_campaign "no duplicate without the chain: the campaign proves nothing"
verdict "$N turns, no duplicate; without the chain $duplicates"
