# A log to a stream and back, through a server on this machine.
# shellcheck shell=bash source-path=SCRIPTDIR
. "$bench/../fault/nats.bash"

RELAY_BYTES=100

# The npm client: NATS_JS names it, or node finds it.
find_client() {
	client=${NATS_JS:-nats}
	[ ! -e "$client" ] || client=$(absolute "$client")
	command -v node >/dev/null && node "$bench/nats.js" "$client" 2>/dev/null
}

# A log of so many frames.
relay_log() { # LOG FRAMES
	"$shmlog" create -c $(($2 * (RELAY_BYTES + 4) + 4096)) "$1" &&
		"$(program lines)" "$2" $RELAY_BYTES | "$shmlog" append "$1" ||
		give_up "no log"
}

# One run of the relay, from its start to its end; its seconds and peak of memory
# are kept by NAME.
relay_run() { # NAME ARGUMENT...
	local name=$1

	shift
	rounds=1 race --warmup 0 "$shmlog" relay "$@" >>"$scratch/relay.$name" ||
		give_up "relay $1 failed"
}

# All works take turns, each round in streams of its own.
relay_round() { # ROUND
	local copy=$scratch/relay.copy

	relay_run push push "$plain" "$url" --create-stream --stream "plain$1"
	relay_run pull pull "$copy" "$url" --stream "plain$1" \
		--create $((relay_messages * (RELAY_BYTES + 4) + 4096))
	rm -f "$copy"
	relay_run push-packed push "$packed" "$url" --create-stream --stream "packed$1" --pack 64K
	relay_run pull-packed pull "$copy" "$url" --stream "packed$1" \
		--create $((relay_frames * (RELAY_BYTES + 4) + 4096))
	rm -f "$copy"
	"$(program bare_pull)" "${url##*:}" "plain$1" "$relay_messages" \
		>>"$scratch/relay.bare-pull" || give_up "the bare reader failed"
	[ -n "$client" ] || return 0
	for work in push pull; do
		node "$bench/nats.js" "$client" $work "$url" "npm$1" "$relay_npm" $RELAY_BYTES \
			>>"$scratch/relay.npm-$work" || give_up "the npm client failed"
	done
}

rate_row() { # NAME WORK COUNT UNIT GOAL
	jq -s . "$scratch/relay.$1" | row "relay-$1" "relay $2" "" rate "$4" "$5" \
		"map($3 / .sides[0].seconds[0]) | {ours: .}"
}

# Microseconds a message; ours has the start and the connection in it, theirs not.
beside_row() { # NAME KIND RIVAL MESSAGES GOAL
	jq -s . "$scratch/relay.$1" "$scratch/relay.$2-$1" |
		row "relay-$1-$2" "relay $1, 100 B messages" "$3" speed us "$5" \
			"{ours: .[:length / 2] | map(.sides[0].seconds[0] * 1e6 / $relay_messages),
			theirs: .[length / 2:] | map(. / 1000 / $4)}"
}

memory_of_relay() { # NAME
	jq -s . "$scratch/relay.$1" | row "memory-relay-$1" "relay $1: peak memory" "" value MiB 32 \
		'{ours: map(.sides[0].peak_kib[0] / 1024)}'
}

speed_rows() {
	local plain=$scratch/plain.shm packed=$scratch/packed.shm n

	relay_log "$plain" "$relay_messages"
	relay_log "$packed" "$relay_frames"
	say "relay push and pull: $relay_messages messages, $relay_frames frames, 3 rounds"
	for ((n = 0; n < 3; n++)); do
		relay_round $n
	done
	rm -f "$plain" "$packed"
	for n in push pull; do
		rate_row $n "$n, 100 B messages" "$relay_messages" messages/s 100000
		rate_row $n-packed "$n --pack 64K, 100 B frames" "$relay_frames" frames/s 1000000
		[ -z "$client" ] || beside_row $n npm "the npm package nats" "$relay_npm" \
			"$([ $n = push ] && echo 10 || echo null)"
		memory_of_relay $n
		memory_of_relay $n-packed
	done
	beside_row pull bare "a reader that throws all away" "$relay_messages" null
}

# A line to a far reader, by turns with one to a reader of the log itself: what it
# takes more.
far_row() {
	local here=$scratch/here.shm there=$scratch/there.shm near=$scratch/near.shm

	say "latency of a relay: $samples lines a side"
	"$shmlog" create -c 16M "$here" && "$shmlog" create -c 16M "$near" || give_up "no log"
	run_beside "$shmlog" relay push -f "$here" "$url" --create-stream --stream far
	run_beside "$shmlog" relay pull -f "$there" "$url" --stream far --create 16M
	for ((n = 0; n < 500; n++)); do
		[ ! -e "$there" ] || break
		sleep 0.01
	done
	latency --samples "$samples" --pause-us 1000 \
		"$shmlog" append "$here" '=>' "$shmlog" tail -n +1 -f "$there" -- \
		"$shmlog" append "$near" '=>' "$shmlog" tail -n +1 -f "$near" \
		>"$scratch/latency.json" || give_up "no latency"
	row relay-far-p50 "append, relay, tail -f: p50 beyond that of a local tail -f" "" \
		value us 300 "3 as \$rounds | $PERCENTILES
		{ours: [(.sides[0].us | percentiles(0.5)), (.sides[1].us | percentiles(0.5))] |
			transpose | map(.[0] - .[1])}" <"$scratch/latency.json"
}

part_relay() {
	local url server_pid n

	if [ ! -x "$build/shmlog-relay" ] || ! command -v nats-server >/dev/null; then
		skip_row relay "a stream" "no nats-server, or a build without shmlog-relay"
		return
	fi
	find_client || client=
	[ -n "$client" ] ||
		skip_row relay "the npm package nats" "node does not find it, and NATS_JS does not name it"
	start_nats "$scratch/nats" || give_up "no server"
	beside+=("$server_pid")
	speed_rows
	far_row
	end_beside
}
