# Followers: how soon a line comes through, and what waiting costs.
# shellcheck shell=bash source-path=SCRIPTDIR

# Percentile P of each of `rounds` stretches of a side's lines.
PERCENTILES='def stretches($n): . as $all | (length / $n | floor) as $step |
	[range($n) as $i | $all[$i * $step:($i + 1) * $step] | sort];
def percentiles($p): stretches($rounds) | map(.[length * $p | floor]);'

latency_row() { # ID WORK RIVAL GOAL P OURS THEIRS
	row "$1" "$2" "$3" time us "$4" "$5 as \$p | $rounds as \$rounds | $PERCENTILES
		{ours: (.sides[$6].us | percentiles(\$p)),
		theirs: (.sides[$7].us | percentiles(\$p))}" <"$scratch/latency.json"
}

# Lines take turns: ours, theirs, ours, theirs.  Never more than two pipelines
# at once, as each finds its programs the warmer in the caches the shorter it is
# since they ran, and GNU tail in a third one would run for both.
take_turns() { # PAUSE_US SAMPLES SIDE -- SIDE
	local pause_us=$1 count=$2 warmup=50

	# append keeps its access to the log once it is a quarter of a second old.
	[[ $SIZE == small ]] || warmup=$((50 + 500000 / (pause_us + 100)))
	shift 2
	rm -f "$log"
	"$shmlog" create -c 16M "$log" || give_up "no log"
	: >"$text"
	latency --samples "$count" --warmup "$warmup" --pause-us "$pause_us" "$@" \
		>"$scratch/latency.json" || give_up "no latency"
}

latency_rows() { # PAUSE_US SAMPLES
	local log=$scratch/follow.shm text=$scratch/follow pause="$(($1 / 1000)) ms pauses"
	local gnu="cat >> file, GNU tail -f" goal=null goal_library=null
	local ours theirs

	say "latency of tail -f: $2 lines a side, $pause"
	ours=("$shmlog" append "$log" '=>' "$shmlog" tail -n +1 -f "$log")
	theirs=(tail -n +1 -f "$text")
	if [ "$1" = 1000 ]; then
		goal=0.8 goal_library=0.3
	fi
	take_turns "$1" "$2" "${ours[@]}" -- cat '>>' "$text" '=>' "${theirs[@]}"
	latency_row "follow-p50-$1" "append, tail -f: p50, $pause" "$gnu" $goal 0.5 0 1
	latency_row "follow-p99-$1" "append, tail -f: p99, $pause" "$gnu" null 0.99 0 1
	take_turns "$1" "$2" "${ours[@]}" -- '>>' "$text" '=>' "${theirs[@]}"
	latency_row "follow-direct-p50-$1" "append, tail -f: p50, $pause" \
		"write(2), GNU tail -f" null 0.5 0 1
	take_turns "$1" "$2" library "$log" -- cat '>>' "$text" '=>' "${theirs[@]}"
	latency_row "wait-p50-$1" "library wait: p50, $pause" "$gnu" $goal_library 0.5 0 1
	latency_row "wait-p99-$1" "library wait: p99, $pause" "$gnu" null 0.99 0 1
}

# Followers of a log on which nothing happens, for a while and for a moment:
# what the while took more is what idling costs, without start and end.
idle_row() {
	local log=$scratch/idle.shm i

	say "tail -f of an idle log: $idle"
	"$shmlog" create -c 1M "$log" && "$shmlog" append -m line "$log" || give_up "no log"
	for i in 1 2 3 4 5; do
		"$(program race)" --rounds 1 --warmup 0 \
			"$shmlog" tail -f --idle "$idle" "$log" -- \
			"$shmlog" tail -f --idle 100ms "$log" >"$scratch/idle.$i" &
	done
	wait
	cat "$scratch"/idle.? | jq -s . |
		row idle "tail -f, idle: processor time" "one core" value % 0.1 \
			'{ours: map(.sides | 100 * (.[0].cpu[0] - .[1].cpu[0]) /
				(.[0].seconds[0] - .[1].seconds[0]))}'
}

# A follower of 64 logs beside a follower of one; only one of the 64 is written
# to.
many_rows() { # SAMPLES
	local one=$scratch/one.shm folder=$scratch/many i

	say "latency of tail -f of 64 logs: $1 lines a side"
	rm -rf "$folder" "$one"
	mkdir "$folder"
	for ((i = 1; i <= 64; i++)); do
		"$shmlog" create -c 1M "$folder/log$i" || give_up "no log"
	done
	"$shmlog" create -c 16M "$one" || give_up "no log"
	latency --samples "$1" --pause-us 1000 \
		"$shmlog" append "$folder/log64" '=>' \
		"$shmlog" tail -q -n +1 -f --glob "$folder/log*" -- \
		"$shmlog" append "$one" '=>' "$shmlog" tail -n +1 -f "$one" \
		>"$scratch/latency.json" || give_up "no latency"
	latency_row follow-many-p50 "tail -f of 64 logs: p50, 1 ms pauses" \
		"tail -f of one" 1.3 0.5 0 1
	idle_many_row "$folder"
}

idle_many_row() { # FOLDER
	local i

	say "tail -f of 64 idle logs: $idle"
	for i in 1 2 3; do
		"$(program race)" --rounds 1 --warmup 0 \
			"$shmlog" tail -f --idle "$idle" -n 0 --glob "$1/log*" -- \
			"$shmlog" tail -f --idle 100ms -n 0 --glob "$1/log*" \
			>"$scratch/idle.$i"
	done
	cat "$scratch"/idle.[123] | jq -s . |
		row idle-many "tail -f of 64 logs, idle: processor time" "one core" \
			value % 0.2 '{ours: map(.sides | 100 * (.[0].cpu[0] - .[1].cpu[0]) /
				(.[0].seconds[0] - .[1].seconds[0]))}'
}

# What a writer has only stored, as the Node package does: percentiles of
# microseconds, and the follower's processor time, of each round.
stores_row() { # ID WORK RIVAL OF UNIT GOAL JQ-FILTER-OF-A-ROUND
	row "$1" "$2" "$3" "$4" "$5" "$6" \
		"def at(\$p): .us | sort | .[length * \$p | floor];
		{ours: [.sides[0][] | $7]} +
		(if \"$4\" == \"value\" then {} else {theirs: [.sides[1][] | $7]} end)" \
		<"$scratch/stores.json"
}

# A follower of such a writer beside a program that does nothing but look every
# millisecond.
stores_rows() { # PAUSE_MS RHYTHM
	local log=$scratch/stores.shm work="stores, tail -f, $1 ms pauses, $2"

	say "$work: $stores_rounds rounds of $stores_ms ms"
	"$(program stores)" --rounds "$stores_rounds" --ms "$stores_ms" \
		--pause-us $(($1 * 1000)) --rhythm "$2" \
		"$log" "$shmlog" tail -n 0 -f "$log" -- look 1000 \
		>"$scratch/stores.json" || give_up "no latency of stores"
	stores_row "stores-p50-$1-$2" "$work: p50" "" value us 1000 'at(0.5)'
	stores_row "stores-p99-$1-$2" "$work: p99" "" value us 3000 'at(0.99)'
	stores_row "stores-cpu-$1-$2" "$work: processor" "a look each ms" time % null '.cpu * 100'
}

all_stores_rows() {
	local stores_rounds=3 stores_ms=3000

	case $SIZE in
	small) stores_rounds=2 stores_ms=50 ;;
	quick) stores_ms=1000 ;;
	esac
	stores_rows 1 jitter
	stores_rows 50 poisson
	[[ $SIZE == small || $SIZE == quick ]] || {
		stores_rows 50 even
		stores_rows 300 poisson
	}
}

part_follow() {
	latency_rows 1000 "$samples"
	latency_rows 0 "$samples"
	[[ $SIZE == small || $SIZE == quick ]] || latency_rows 10000 $((samples / 10))
	all_stores_rows
	idle_row
	many_rows "$samples"
}
