# What the campaigns of the relay share.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"
# That has gone to the top of the tree.
. tests/fault/nats.bash

[ -x "$build/shmlog-relay" ] || make_quietly BUILD="${SHMLOG_BUILD:-build}" all
if ! has_nats "$build"; then
	echo "$campaign: SKIPPED: no nats-server, or a build without shmlog-relay"
	exit 77
fi
trap 'end_all; rm -rf "$scratch"' EXIT

failures=0
started=()
# Nothing ever comes out of it: a read with a limit of time is a sleep without a
# process.
pause=$scratch/pause
mkfifo "$pause"

fail_campaign() {
	echo "$campaign: FAIL: $*"
	failures=$((failures + 1))
}

# Runs shmlog in the background; sets $started_pid.
start() { # ARGUMENT...
	"$shmlog" "$@" </dev/null 2>>"$scratch/said" &
	started_pid=$!
	started+=("$started_pid")
}

end_all() {
	local pid

	for pid in "${started[@]}" ${server_pid:+"$server_pid"} "${cluster[@]:-}"; do
		[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null
	done
	wait 2>/dev/null
}

kill_now() { # PID
	kill -9 "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}

# Some milliseconds, by chance.
random_sleep() { # MOST
	sleep "0.$(printf '%03d' $((RANDOM % $1 + 1)))"
}

# Appends so many frames of all sizes, the smallest and the largest among them.
fill() { # LOG FRAMES
	awk -v n="$2" -v seed="$RANDOM" 'BEGIN { srand(seed)
		for (i = 1; i <= n; i++) {
			size = i % 1000 == 1 ? 65531 : i % 7 == 0 ? 0 : int(rand() * 200)
			if (size == 0) { print ""; continue }
			text = i "-"
			while (length(text) < size) text = text text
			print substr(text, 1, size)
		} }' | "$shmlog" append "$1"
}

# Goes on appending until it is killed: sets $started_pid.
fill_slowly() { # LOG
	while printf '%d of many lines, one after the other\n' {1..50}; do
		read -r -t 0.01 <>"$pause" || :
	done 2>/dev/null | "$shmlog" append "$1" 2>/dev/null &
	started_pid=$!
	started+=("$started_pid")
}

# Whether two logs have the same frames at the same cursors.
same_logs() { # LOG LOG
	[ "$("$shmlog" dump -o frames "$1" | sha256sum)" = \
		"$("$shmlog" dump -o frames "$2" | sha256sum)" ]
}

verdict() { # TEXT
	[ "$failures" -eq 0 ] || exit 1
	echo "$campaign: PASS: $1"
}
