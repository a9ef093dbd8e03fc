# What the parts of the bench share: sizes, a scratch folder, rows of results.
# shellcheck shell=bash disable=SC2034 # used by those that read this file
set -u -o pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
bench=tests/bench
SIZE=${SIZE:-full}

# How much: lines of the input, rounds (slow_rounds: where a rival takes
# seconds), events of the library and of the Node package, lines whose latency
# is taken, the big log, how long a follower idles, the logs and their frames in
# the part on scaling; its writers' lines, its followers and their logs, how many
# lines they get, and for how long they settle and idle (ms); messages and frames of the relay, and of the npm client that
# it is compared with.
case $SIZE in
small)
	lines=2000 rounds=3 slow_rounds=3 events=2000 node_events=500 samples=25
	big_mib=1 idle=200ms size_mib="1 2" frame_mib=1 readers_events=5000
	relay_messages=500 relay_frames=2000 relay_npm=100
	answers=100
	writer_lines=2000 crowd_followers="1 4" crowd_logs="2 150" crowd_events=5
	crowd_ms="10 50"
	;;
quick)
	lines=50000 rounds=5 slow_rounds=3 events=400000 node_events=50000 samples=300
	big_mib=64 idle=2s size_mib="1 8 64" frame_mib=4 readers_events=200000
	relay_messages=50000 relay_frames=500000 relay_npm=5000
	answers=4000
	writer_lines=50000 crowd_followers="1 10 100" crowd_logs="10 100 1000"
	crowd_events=20 crowd_ms="500 500"
	;;
full | huge)
	lines=1000000 rounds=7 slow_rounds=5 events=2000000 node_events=200000 samples=2000
	big_mib=1024 idle=6s size_mib="1 8 64 512" frame_mib=32
	readers_events=1000000 answers=30000
	relay_messages=200000 relay_frames=2000000 relay_npm=20000
	writer_lines=800000 crowd_followers="1 10 100 1000"
	crowd_logs="10 100 1000 10000" crowd_events=100 crowd_ms="3000 5000"
	[ "$SIZE" = full ] || size_mib+=" 4096"
	;;
*)
	echo "bench: SIZE is small, quick, full or huge, not '$SIZE'" >&2
	exit 2
	;;
esac
rounds=${ROUNDS:-$rounds}
slow_rounds=${ROUNDS:-$slow_rounds}

absolute() { # PATH
	case $1 in
	/*) echo "$1" ;;
	*) echo "$PWD/$1" ;;
	esac
}

build=$(absolute "${SHMLOG_BUILD:-build}")
results=$(absolute "${BENCH_RESULTS:-build/bench}")
shmlog=$build/shmlog
mkdir -p "$results" || exit 1

# Where logs and input lie: memory, where there is such a place.
if [ -z "${BENCH_DIR:-}" ]; then
	BENCH_DIR=${TMPDIR:-/tmp}
	[ ! -w "${SHMLOG_TEST_MEMORY:-/dev/shm}" ] ||
		BENCH_DIR=${SHMLOG_TEST_MEMORY:-/dev/shm}
fi
scratch=$(mktemp -d "$BENCH_DIR/shmlog-bench.XXXXXX") || exit 1
leftovers=("$scratch")
trap 'end_beside; rm -rf "${leftovers[@]}"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# What is measured against the usual tools is measured in one locale.
export LC_ALL=C

on_exit() { # FOLDER-TO-REMOVE
	leftovers+=("$1")
}

# Commands that run beside what is measured, until they are ended.
beside=()
run_beside() { # COMMAND...
	"$@" </dev/null >/dev/null 2>&1 3>&- &
	beside+=($!)
}

end_beside() {
	[ ${#beside[@]} -eq 0 ] || {
		kill "${beside[@]}"
		wait "${beside[@]}"
	} 2>/dev/null
	beside=()
}

began=$SECONDS
say() { # TEXT
	printf '[%3d s] %s\n' $((SECONDS - began)) "$*" >&2
}

give_up() { # TEXT
	echo "bench: $*" >&2
	exit 1
}

# Lowers a size in MiB until a few times as much is free.
fit() { # MIB TIMES
	local mib=$1 free

	free=$(df -Pk "$scratch" | awk 'NR == 2 { print int($4 / 1024) }')
	while [ $((mib * $2)) -gt "$free" ] && [ "$mib" -gt 1 ]; do
		mib=$((mib / 2))
	done
	[ "$mib" = "$1" ] || say "only $free MiB free in $BENCH_DIR: $mib MiB in place of $1"
	echo "$mib"
}

# -------------------------------------------------------- what makes numbers

race() { # ARGUMENT...
	"$build/tests/bench/race" --rounds "$rounds" "$@"
}

latency() { # ARGUMENT...
	"$build/tests/bench/latency" "$@"
}

program() { # NAME
	echo "$build/tests/bench/$1"
}

# The input: the same lines for everyone.
input=$scratch/lines
make_input() {
	[ -e "$input" ] && return
	say "making the input: $lines JSON lines"
	"$(program lines)" "$lines" >"$input" || give_up "no input"
	input_bytes=$(wc -c <"$input")
	# Each frame takes 4 bytes where the line has a newline.
	log_bytes=$((input_bytes + 3 * lines + 4096))
}

# ------------------------------------------------------------------- results

rows=$scratch/rows.jsonl
scaling=$scratch/scaling.jsonl
not_run=$scratch/not_run
touch "$rows" "$scaling" "$not_run"

# A row's fields: id, work, rival, what the ratio is of (speed: theirs / ours,
# more is better; time: ours / theirs, less is better; value: no rival, less
# is better; rate: no rival, more is better), unit of the numbers, goal or null.
row() { # ID WORK RIVAL OF UNIT GOAL JQ-FILTER
	jq -c --arg id "$1" --arg work "$2" --arg rival "$3" --arg of "$4" \
		--arg unit "$5" --argjson goal "$6" \
		'{id: $id, work: $work, rival: $rival, of: $of, unit: $unit,
		goal: $goal} + ('"$7"')' >>"$rows" || give_up "no result for $1"
}

# The first side of a race against the second, and against the third, which is
# a bare program that does the same work.
race_row() { # ID WORK RIVAL OF GOAL RACE-ARGUMENT...
	local id=$1 work=$2 rival=$3 of=$4 goal=$5

	shift 5
	say "$work against $rival: $rounds rounds"
	race "$@" | row "$id" "$work" "$rival" "$of" s "$goal" \
		'(.sides | map(.seconds)) as $seconds |
		{ours: $seconds[0], theirs: $seconds[1], bare: $seconds[2]}' ||
		give_up "no result for $id"
}

skip_row() { # WORK RIVAL WHY
	say "not run: $1 against $2: $3"
	echo "$1 against $2: not run: $3" >>"$not_run"
}
