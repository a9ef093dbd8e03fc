# How cost grows: with the log, with its frames, with readers beside a writer,
# with writers, with followers of a log, and with the logs that one follows.
# shellcheck shell=bash source-path=SCRIPTDIR

SCALE_LINE_BYTES=116

# Turns each side of a race into a point: side N belongs to the Nth word.
points() { # PART WORK X...
	local part=$1 work=$2

	shift 2
	jq -c --arg part "$part" --arg work "$work" '[.sides, $ARGS.positional] | transpose[] |
		{part: $part, work: $work, x: (.[1] | tonumber), seconds: .[0].seconds,
		peak_mib: (.[0].peak_kib | max / 1024)}' --args "$@" >>"$scaling" ||
		give_up "no points for $work"
}

# Runs one command on each of the files $scratch/KIND.X, by turns.
scale() { # PART WORK KIND X... -- COMMAND..., with FILE for the file
	local part=$1 work=$2 kind=$3 xs=() sides=() x word

	shift 3
	while [ "$1" != -- ]; do
		xs+=("$1")
		shift
	done
	shift
	say "scaling: $work, $part ${xs[*]}"
	for x in "${xs[@]}"; do
		[ ${#sides[@]} -eq 0 ] || sides+=(--)
		for word; do
			sides+=("${word/#FILE/$scratch/$kind.$x}")
		done
	done
	race "${fresh[@]}" "${sides[@]}" | points "$part" "$work" "${xs[@]}"
}

# A text of COUNT lines, appended to a log that is kept.
make_pair() { # X CAPACITY COUNT LINE_BYTES
	"$(program lines)" "$3" "$4" >"$scratch/text.$1" &&
		"$shmlog" create -c "$2" "$scratch/log.$1" &&
		"$shmlog" append "$scratch/log.$1" <"$scratch/text.$1" ||
		give_up "no log $1"
}

# Seeks in the logs of X bytes: to a frame by its number and by its number from
# the end, three quarters of the log away, and by its cursor, in the middle, which
# is the farthest from both ends.
scale_seeks() { # X...
	local x frames numbers=() ends=() cursors=()

	say "scaling: seek, size $*"
	for x; do
		frames=$((x / (SCALE_LINE_BYTES + 4)))
		numbers+=(-- "$shmlog" seek "$scratch/log.$x" frame:$((frames / 4 * 3)))
		ends+=(-- "$shmlog" seek "$scratch/log.$x" frame:-$((frames / 4 * 3)))
		cursors+=(-- "$shmlog" seek "$scratch/log.$x"
			$((frames / 2 * (SCALE_LINE_BYTES + 4))))
	done
	race "${numbers[@]:1}" | points size "seek frame:N" "$@"
	race "${ends[@]:1}" | points size "seek frame:-N" "$@"
	race "${cursors[@]:1}" | points size "seek CURSOR" "$@"
}

# Logs and texts named by X are there: appends, then reads.
scale_commands() { # PART CAPACITY X...
	local part=$1 capacity=$2 log=$scratch/scale.shm

	shift 2
	local fresh=(--log "$log" "$capacity")
	scale "$part" append text "$@" -- "$shmlog" append "$log" '<' FILE
	rm -f "$scratch"/text.*
	fresh=()
	scale "$part" dump log "$@" -- "$shmlog" dump FILE '>' /dev/null
	scale "$part" verify log "$@" -- "$shmlog" verify FILE
	scale "$part" "tail -n 10" log "$@" -- "$shmlog" tail -n 10 FILE
	if [ "$part" = size ]; then
		scale "$part" stat log "$@" -- "$shmlog" stat FILE
		scale "$part" "dump --grep" log "$@" -- \
			"$shmlog" dump --grep 'no such text' FILE
		scale_seeks "$@"
	fi
	rm -f "$scratch"/log.*
}

scale_sizes() {
	local mib xs=() largest=0

	for mib in $size_mib; do
		# Text, log and the log that is appended to.
		[ "$(fit "$mib" 4)" = "$mib" ] || continue
		make_pair $((mib << 20)) $(((mib << 20) + 4096)) \
			$(((mib << 20) / (SCALE_LINE_BYTES + 4))) $SCALE_LINE_BYTES
		xs+=($((mib << 20)))
		largest=$mib
	done
	scale_commands size $(((largest << 20) + 4096)) "${xs[@]}"
}

scale_frames() {
	local bytes xs=(0 16 64 256 1024 4096 16384 65531) total=$((frame_mib << 20))

	for bytes in "${xs[@]}"; do
		make_pair "$bytes" $((total + 4096)) $((total / (bytes + 4))) "$bytes"
	done
	scale_commands frame $((total + 4096)) "${xs[@]}"
}

scale_readers() {
	local log=$scratch/readers.shm n sides=() xs=(0 1 2 4 8)

	say "scaling: a writer beside ${xs[*]} readers"
	for n in "${xs[@]}"; do
		[ ${#sides[@]} -eq 0 ] || sides+=(--)
		sides+=("$(program readers)" "$log" "$readers_events" 64 "$n")
	done
	race --self --touched "$log" $((readers_events * 68 + 4096)) "${sides[@]}" |
		points readers write "${xs[@]}"
}

# The lines of one text, appended by ever more processes at the same time: all
# to one log, or each to a log of its own.
scale_writers() {
	local n i xs=(1 2 4 8) one=() own=() fresh=()
	local text=$scratch/writers.text log=$scratch/writers.log
	local bytes=$((writer_lines * (SCALE_LINE_BYTES + 4) + 4096))

	for n in "${xs[@]}"; do
		"$(program lines)" $((writer_lines / n)) $SCALE_LINE_BYTES >"$text.$n" ||
			give_up "no text for $n writers"
	done
	for i in 1 2 3 4 5 6 7 8; do
		fresh+=(--log "$log.$i" "$bytes")
	done
	# shellcheck disable=SC2016 # the shell that is started expands these
	for n in "${xs[@]}"; do
		one+=(-- bash -c 'for ((i = 0; i < $3; i++)); do
			"$0" append "$1.1" <"$2.$3" & done; wait' "$shmlog" "$log" "$text" "$n")
		own+=(-- bash -c 'for ((i = 1; i <= $3; i++)); do
			"$0" append "$1.$i" <"$2.$3" & done; wait' "$shmlog" "$log" "$text" "$n")
	done
	say "scaling: ${xs[*]} writers of one log, and of one each"
	race "${fresh[@]}" "${one[@]:1}" | points writers "one log" "${xs[@]}"
	race "${fresh[@]}" "${own[@]:1}" | points writers "a log each" "${xs[@]}"
	rm -f "$text".*
}

# Turns what crowd printed into points: "append" is the time of an append,
# "line" until all have printed it, "idle" processor seconds a second.
crowd_points() { # PART X
	jq -c --arg part "$1" --argjson x "$2" '. as $all | ("append", "line", "start", "idle") |
		{part: $part, work: ., x: $x, seconds: ($all[.] | if type == "array" then . else [.] end),
		peak_mib: ($all.pss_kib / 1024)}' >>"$scaling" || give_up "no points for $1"
}

# Followers of one log, then one follower of many logs, as many as there may be.
scale_crowds() {
	local n folder=$scratch/crowd most

	# Two descriptors for each log.
	ulimit -Sn "$(ulimit -Hn)"
	most=$(ulimit -n)
	[ "$most" != unlimited ] || most=1000000
	for n in $crowd_followers; do
		say "scaling: $n followers of a log"
		mkdir "$folder"
		"$(program crowd)" "$shmlog" "$folder" 1 "$n" "$crowd_events" $crowd_ms |
			crowd_points followers "$n"
		rm -rf "$folder"
	done
	for n in $crowd_logs; do
		if [ $((n + 100)) -gt "$most" ]; then
			say "only $most descriptors: not $n logs"
			continue
		fi
		say "scaling: a follower of $n logs"
		mkdir "$folder"
		"$(program crowd)" "$shmlog" "$folder" "$n" 1 "$crowd_events" $crowd_ms |
			crowd_points logs "$n"
		rm -rf "$folder"
	done
}

# Rows that hold the growth: time a byte and memory of the largest log against
# the one before.
growth_rows() {
	local work

	for work in append dump verify "seek frame:N" "seek CURSOR"; do
		jq -s --arg work "$work" 'map(select(.part == "size" and .work == $work))' \
			"$scaling" |
			row "growth-${work/ /-}" "$work, largest log: time a byte" \
				"the log before it" time ns 1.25 \
				'{ours: (.[-1] | .x as $x | .seconds | map(. / $x * 1e9)),
				theirs: (.[-2] | .x as $x | .seconds | map(. / $x * 1e9))}'
	done
	jq -s 'map(select(.part == "size"))' "$scaling" |
		row growth-memory "any command, largest log: peak memory" "" value MiB 16 \
			'{ours: (max_by(.x).x as $x | map(select(.x == $x).peak_mib))}'
	jq -s 'map(select(.part == "readers"))' "$scaling" |
		row growth-readers "writer beside 8 readers: its processor time" \
			"the writer alone" time s null \
			'{ours: .[-1].seconds, theirs: .[0].seconds}'
	jq -s 'map(select(.part == "logs"))' "$scaling" |
		row growth-logs "a line of one of the most logs, tail -f" \
			"of the fewest" time s null \
			'map(select(.work == "line")) | {ours: .[-1].seconds, theirs: .[0].seconds}'
	jq -s 'map(select(.part == "logs" and .work == "idle"))' "$scaling" |
		row growth-idle "tail -f of the most logs, idle" "" value "of a core" null \
			'{ours: .[-1].seconds}'
}

part_scaling() {
	local rounds=$((rounds < 5 ? rounds : 5))

	scale_sizes
	scale_frames
	scale_readers
	scale_writers
	scale_crowds
	growth_rows
}
