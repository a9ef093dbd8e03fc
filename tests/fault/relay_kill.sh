#!/usr/bin/env bash
# Relays and their server are killed (-9) at random moments, while a log grows
# and when it does not: the log that is pulled is the log that was pushed, frame
# by frame, at the same cursors.  Plain and packed.  N: kills of each kind.
. "$(dirname "$0")/relay.bash"

sizes 6 200

# Kills a push again and again until it has sent everything.
kill_pushes() { # LOG STREAM OPTION...
	local log=$1 stream=$2 i

	shift 2
	for ((i = 0; i < N; i++)); do
		start relay push -f "$log" "$url" --create-stream --stream "$stream" "$@"
		random_sleep 60
		kill_now "$started_pid"
	done
	"$shmlog" relay push "$log" "$url" --create-stream --stream "$stream" "$@" ||
		fail_campaign "push ends with $?"
}

kill_pulls() { # LOG STREAM
	local i

	for ((i = 0; i < N; i++)); do
		start relay pull -f "$1" "$url" --create 256M --stream "$2"
		random_sleep 60
		kill_now "$started_pid"
	done
	"$shmlog" relay pull "$1" "$url" --create 256M --stream "$2" ||
		fail_campaign "pull ends with $?"
}

relays() { # NAME OPTION...
	local name=$1 log=$scratch/$1.from copy=$scratch/$1.to

	shift
	"$shmlog" create "$log" -c 256M --sparse
	fill "$log" 20000
	kill_pushes "$log" "$name" "$@"
	kill_pulls "$copy" "$name"
	same_logs "$log" "$copy" || fail_campaign "$name: the copy differs"
	rm -f "$log" "$copy"
}

# Both follow a log that grows while the server is killed.
servers() {
	local log=$scratch/server.from copy=$scratch/server.to i writer

	"$shmlog" create "$log" -c 256M --sparse
	start relay push -f "$log" "$url" --create-stream --stream server
	start relay pull -f "$copy" "$url" --create 256M --stream server
	fill_slowly "$log"
	writer=$started_pid
	for ((i = 0; i < N; i++)); do
		random_sleep 300
		kill_nats KILL
		random_sleep 100
		start_nats "$scratch/nats" || fail_campaign "no server"
	done
	kill_now "$writer"
	# On a busy machine the other push may not have met a server yet.
	"$shmlog" relay push "$log" "$url" --create-stream --stream server ||
		fail_campaign "push ends with $?"
	wait_for_copy "$log" "$copy"
	same_logs "$log" "$copy" || fail_campaign "servers: the copy differs"
}

wait_for_copy() { # LOG COPY
	local i

	for ((i = 0; i < 100 * slack; i++)); do
		[ "$("$shmlog" seek "$1" end)" != "$("$shmlog" seek "$2" end 2>/dev/null)" ] ||
			return
		sleep 0.05
	done
	fail_campaign "the copy does not come to the end of the log"
}

start_nats "$scratch/nats" || exit 1
relays plain
relays packed --pack 4K
servers
verdict "$N kills each of push and pull, plain and packed, and of the server; identical copies"
