#!/usr/bin/env bash
# A writer that takes no lock, as the Node package's, opens the log at every
# moment of an append, and stores, commits and closes at every later one, with
# frames of the same size and of others: nothing that was acknowledged is lost,
# what was not overflows, and with --writer-timeout nothing is lost or repeated.
# N: races.
. "$(dirname "$0")/common.bash"

sizes 500 100000
need late_writer eager/shmlog
if ! "${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -fPIC -shared -o "$scratch/shim.so" \
	tests/fault/shim/step_calls.c -ldl 2>"$scratch/err" ||
	! LD_PRELOAD=$scratch/shim.so "$shmlog" --version >/dev/null 2>&1; then
	echo "late_writer: SKIPPED: calls cannot be replaced on this system"
	exit 77
fi
run late_writer "$shmlog" "$eager/shmlog" "$scratch/shim.so" "$scratch" "$N" ||
	exit 1

# Scripts and Node processes take turns: append has time, and a process of Node
# opens the log, commits, and ends, again and again.
take_turns() { # NAME TURNS
	local log=$scratch/turns i status

	rm -f "$log" "$scratch/go"
	"$shmlog" create "$log" -c 16M && mkfifo "$scratch/go" || exit 1
	"$shmlog" append "$log" --ack --commit-every 1 --writer-timeout 60s \
		<"$scratch/go" >"$scratch/acks" 2>"$scratch/err" &
	(
		# Lines come as long as there are turns, some at each moment of one.
		exec >"$scratch/go"
		for ((i = 0; i < $2 * 300; i++)); do
			echo "ours $i"
			((i % 20)) || sleep 0.01
		done
	) &
	for ((i = 0; i < $2; i++)); do
		echo "theirs $i" | base64 | node tests/interop/peer.js append "$log" >/dev/null ||
			break
	done
	wait %1
	status=$?
	wait
	"$shmlog" dump "$log" >"$scratch/frames" 2>>"$scratch/err"
	grep ours "$scratch/frames" | sort >"$scratch/ours"
	head -n "$(wc -l <"$scratch/acks")" <(for ((i = 0; i < $2 * 300; i++)); do
		echo "ours $i"
	done) | sort >"$scratch/acked"
	# Nothing that was acknowledged is lost; with status 0 nothing at all,
	# and nothing is there twice.
	if [ -n "$(comm -13 "$scratch/ours" "$scratch/acked")" ] ||
		{ [ $status = 0 ] && ! cmp -s "$scratch/ours" "$scratch/acked"; } ||
		[ -n "$(uniq -d "$scratch/ours")" ] ||
		{ [ $status != 0 ] && [ $status != 5 ] && [ $status != 7 ]; }; then
		echo "$campaign: FAIL: $1: status $status: $(tail -n 3 "$scratch/err" | tr '\n' ' ')"
		exit 1
	fi
	echo "$campaign: $1 took $2 turns: $(wc -l <"$scratch/acked") frames, each once; $(
		grep -c theirs "$scratch/frames") of theirs; status $status"
}

turns=$((N / 200 < 500 ? N / 200 + 1 : 500))
if ! command -v node >/dev/null; then
	echo "$campaign: turns with Node skipped: no node"
else
	take_turns "a process of Node" $turns
	if node -e 'require.resolve("shmio")' 2>/dev/null; then
		PEER_PACKAGE=shmio take_turns "the package" $turns
	else
		echo "$campaign: turns with the package skipped: node cannot resolve shmio"
	fi
fi
