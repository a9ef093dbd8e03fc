# dump: ranges, order, bounds, damage.
load helper

# Twelve frames whose sizes differ, so that no two places can be mixed up.
make_log() {
	local i

	for ((i = 0; i < 12; i++)); do
		printf 'frame-%02d:%.*s\n' "$i" "$((i * 7 % 11))" abcdefghijk
	done | shmlog append --create 8K "$LOG"
	shmlog dump -t '%c %x\n' "$LOG" >"$SCRATCH/places"
}

# The cursor of a POS, found without shmlog.
place() { # POS
	awk -v pos="$1" '
	{ start[NR - 1] = $1; end = $2 }
	END {
		start[NR] = end
		if (pos == "start") print 0
		else if (pos == "end") print end
		else if (pos ~ /^frame:-/) print start[NR - substr(pos, 8)]
		else if (pos ~ /^frame:/) print start[substr(pos, 7)]
		else if (pos ~ /^offset:/) print substr(pos, 8) - 24
		else if (pos ~ /^-/) print start[NR + pos]
		else print pos
	}' "$SCRATCH/places"
}

# The cursors that dump has to print.
model() { # FROM TO COUNT REVERSE
	{ [[ -n $4 ]] && tac "$SCRATCH/places" || cat "$SCRATCH/places"; } |
		awk -v from="$(place "$1")" -v to="$(place "$2")" '
		$1 >= from + 0 && $1 < to + 0 { print $1 }' |
		head -n "${3:--0}"
}

@test "dump prints every payload in order" {
	make_log
	run_shmlog 0 dump "$LOG"
	assert_equal "${#lines[@]}" 12
	assert_line --index 0 'frame-00:'
	assert_line --index 11 'frame-11:'
	assert_stderr ''
}

@test "every combination of range, count and order agrees with a model" {
	local from to count reverse wanted got arguments checked=0

	make_log
	for from in start frame:3 -4 end; do
		for to in end "$(place frame:7)" -2 "offset:$(($(place 2) + 24))" start; do
			# "2" is no frame start: the model's places only.
			[[ $to != offset:26 ]] || to=offset:$(($(place frame:2) + 24))
			for count in '' 0 3; do
				for reverse in '' -r; do
					arguments=(--from "$from" --to "$to" $reverse)
					[[ -z $count ]] || arguments+=(-n "$count")
					wanted=$(model "$from" "$to" "$count" "$reverse")
					got=$(shmlog dump "${arguments[@]}" -t '%c\n' "$LOG" 2>&1) ||
						fail "status $? of dump ${arguments[*]}"
					[[ $got == "$wanted" ]] ||
						fail "dump ${arguments[*]}: $got, not $wanted"
					checked=$((checked + 1))
				done
			done
		done
	done
	assert_equal "$checked" 120
}

@test "a range is half-open" {
	local second third

	make_log
	second=$(place frame:1)
	third=$(place frame:2)
	run_shmlog 0 dump --from "$second" --to "$third" -t '%c %i\n' "$LOG"
	assert_output "$second 1"
	assert_stderr ''
	run_shmlog 0 dump --from "$second" --to "$second" "$LOG"
	assert_output ''
	assert_stderr ''
	run_shmlog 0 dump --from end "$LOG"
	assert_output ''
	run_shmlog 0 dump --to start -r "$LOG"
	assert_output ''
	assert_stderr ''
}

@test "a range whose end lies before its start is empty" {
	make_log
	for order in '' -r; do
		run_shmlog 0 dump $order --from -2 --to frame:3 "$LOG"
		assert_output ''
		assert_stderr ''
	done
}

@test "-n and --count bound the frames, --reverse is -r, the last one counts" {
	make_log
	run_shmlog 0 dump -n 2 -t '%i\n' "$LOG"
	assert_output $'0\n1'
	run_shmlog 0 dump --count=1 --reverse -o json "$LOG"
	assert_equal "$(jq -r .payload <<<"$output" | cut -c1-8)" frame-11
	run_shmlog 0 dump -n 5 -n 1 -t '%i\n' "$LOG"
	assert_output 0
	run_shmlog 0 dump -n 99999999999 -t '%i\n' "$LOG"
	assert_equal "${#lines[@]}" 12
}

@test "the index is a number where it is counted, null where it is not" {
	make_log
	run_shmlog 0 dump --from frame:4 -n 1 -o json "$LOG"
	assert_equal "$(jq -c .index <<<"$output")" 4
	run_shmlog 0 dump --from -1 -o json "$LOG"
	assert_equal "$(jq '.index == null or .index == 11' <<<"$output")" true
	# Down to the start every index is known again.
	run_shmlog 0 dump -r -o json "$LOG"
	assert_equal "$(jq -c .index <<<"${lines[11]}")" 0
}

@test "dump of a damaged frame gives the good ones before it, and status 1" {
	local fifth

	make_log
	fifth=$(place frame:5)
	put_bytes "$LOG" $((24 + fifth)) 0300
	remember "$LOG"
	run_shmlog 1 dump -t '%i\n' "$LOG"
	assert_output $'0\n1\n2\n3\n4'
	assert_stderr --partial "damaged frame at cursor $fifth: "
	assert_stderr --partial 'says 3'
	assert_equal "${#stderr_lines[@]}" 1

	run_shmlog 1 dump -o json "$LOG"
	assert_equal "${#lines[@]}" 6
	assert_equal "$(jq -c '[.event, .cursor, .backwards, .error]' \
		<<<"${lines[5]}")" "[\"damage\",$fifth,false,\"ERR_SHM_CURSOR\"]"

	# Enough good frames, or a range before the damage: nothing is wrong.
	run_shmlog 0 dump -n 5 -t '%i\n' "$LOG"
	assert_stderr ''
	run_shmlog 0 dump --to "$fifth" -t '%i\n' "$LOG"
	assert_output $'0\n1\n2\n3\n4'
	assert_stderr ''
	assert_unchanged "$LOG"
}

@test "dump -r of a damaged frame gives the good ones behind it, and status 1" {
	local fifth sixth

	make_log
	fifth=$(place frame:5)
	sixth=$(place frame:6)
	put_bytes "$LOG" $((24 + sixth - 2)) ff00
	run_shmlog 1 dump -r -o json "$LOG"
	assert_equal "${#lines[@]}" 7
	assert_equal "$(jq -r .payload <<<"${lines[5]}" | cut -c1-8)" frame-06
	assert_equal "$(jq -c '[.event, .cursor, .backwards]' <<<"${lines[6]}")" \
		"[\"damage\",$sixth,true]"
	assert_stderr --partial "ends at cursor $sixth"

	run_shmlog 0 dump -r -n 6 "$LOG"
	assert_stderr ''
	run_shmlog 0 dump -r --to "$fifth" -t '%i\n' "$LOG"
	assert_output $'4\n3\n2\n1\n0'
}

@test "the frames on both sides of damage can be reached" {
	local place

	make_log
	put_bytes "$LOG" $((24 + $(place frame:2))) 0000
	# In both halves of the log: no place is nearer to fault than to use.
	for index in 3 4 6 9 11; do
		place=$(place "frame:$index")
		run_shmlog 0 dump --from "$place" -n 1 -t '%c\n' "$LOG"
		assert_output "$place"
		assert_stderr ''
	done
	run_shmlog 0 dump --from -3 -t '%c\n' "$LOG"
	assert_equal "${#lines[@]}" 3
}

@test "a torn tail is damage behind the good frames" {
	local last

	make_log
	last=$(place frame:11)
	put_u64 "$LOG" 16 $((24 + last + 5))
	run_shmlog 1 dump -t '%i\n' "$LOG"
	assert_equal "${#lines[@]}" 11
	assert_stderr --partial "torn frame at cursor $last: "
	assert_stderr --partial '5 bytes'
	run_shmlog 1 dump -r "$LOG"
	assert_output ''
	run_shmlog 1 dump -o json "$LOG"
	assert_equal "$(tail -n 1 <<<"$output" | jq -c '[.event, .cursor]')" \
		"[\"damage\",$last]"
}

@test "nothing behind the committed data is shown" {
	make_log
	put_u64 "$LOG" 16 $((24 + $(place frame:3)))
	run_shmlog 0 dump -t '%i\n' "$LOG"
	assert_output $'0\n1\n2'
	assert_stderr ''
}

@test "a data offset above 24 is where cursor 0 is" {
	make_log
	{
		head -c 24 "$LOG"
		printf 'metadata!'
		tail -c +25 "$LOG"
	} >"$SCRATCH/moved"
	put_u64 "$SCRATCH/moved" 0 33
	put_u64 "$SCRATCH/moved" 8 33
	put_u64 "$SCRATCH/moved" 16 $(($(u64_at "$LOG" 16) + 9))
	shmlog dump -o json "$LOG" >"$SCRATCH/json"
	run_shmlog 0 dump -o json "$SCRATCH/moved"
	assert_output "$(<"$SCRATCH/json")"
	run_shmlog 0 dump --from offset:33 -n 1 -t '%c\n' "$SCRATCH/moved"
	assert_output 0
	run_shmlog 1 dump --from offset:24 "$SCRATCH/moved"
	assert_output ''
	assert_stderr --partial 'offset 24'
}

@test "dump of a log that is being written ends" {
	shmlog create -c 1M "$LOG"
	seq 100 | shmlog append "$LOG"
	yes more 3>&- | shmlog append --commit-every 1 "$LOG" 2>/dev/null 3>&- &
	local writer=$! round

	for round in 1 2 3; do
		limited 10 shmlog dump -o json "$LOG" >"$SCRATCH/json"
		assert [ "$(wc -l <"$SCRATCH/json")" -ge 100 ]
		# Every line is a frame, and each begins where the last one ended.
		jq -es 'all(.[]; has("payload")) and
			([.[].cursor] == [0] + ([.[].next] | .[:-1]))' \
			"$SCRATCH/json" >/dev/null
	done
	# The writer ends when the log is full.
	wait "$writer" || true
}

@test "dump reads its log and changes nothing, not even without permission to" {
	make_log
	chmod 0444 "$LOG"
	remember "$LOG"
	local before

	before=$(stat -c '%y %z %b' "$LOG")
	run_shmlog 0 dump "$LOG"
	assert_equal "${#lines[@]}" 12
	assert_unchanged "$LOG"
	assert_equal "$(stat -c '%y %z %b' "$LOG")" "$before"
}

@test "dump of a sparse log allocates no page of its holes" {
	local before

	shmlog create --sparse -c 16M "$LOG"
	shmlog append -m one "$LOG"
	# A hole inside the committed data is damage, read without a page.
	put_u64 "$LOG" 16 $((8 << 20))
	before=$(stat -c %b "$LOG")
	run_shmlog 1 dump "$LOG"
	assert_output one
	assert_stderr --partial 'cursor 7'
	assert_equal "$(stat -c %b "$LOG")" "$before"
}

@test "what is no log is refused, unchanged" {
	local path

	head -c 4096 /dev/zero >"$SCRATCH/zeros"
	printf 'just a text, and long enough for a header\n' >"$SCRATCH/text"
	: >"$SCRATCH/empty"
	mkdir "$SCRATCH/directory"
	mkfifo "$SCRATCH/fifo"
	for path in zeros text empty; do
		remember "$SCRATCH/$path"
		run_shmlog 5 dump "$SCRATCH/$path"
		assert_output ''
		assert_stderr --partial "$SCRATCH/$path: not a log: "
		assert_unchanged "$SCRATCH/$path"
	done
	for path in directory fifo; do
		run limited 5 shmlog dump "$SCRATCH/$path"
		assert_failure 5
		assert_output --partial 'no regular file'
	done
	run_shmlog 4 dump "$SCRATCH/missing"
	assert_output ''
	assert_stderr "shmlog dump: $SCRATCH/missing: cannot open: No such file or directory"
	run_shmlog 4 dump ''
	assert_stderr --partial "''"
}

@test "a symbolic link to a log is the log" {
	make_log
	ln -s "$LOG" "$SCRATCH/link"
	run_shmlog 0 dump -n 1 "$SCRATCH/link"
	assert_output 'frame-00:'
}

@test "an error of the system while writing is status 4" {
	make_log
	[[ -w /dev/full ]] || skip 'no /dev/full on this machine'
	run --separate-stderr bash -c 'shmlog dump "$1" >/dev/full' - "$LOG"
	assert_equal "$status" 4
	assert_stderr --partial 'standard output: No space left on device'
	run --separate-stderr bash -c 'shmlog dump "$1" >&-' - "$LOG"
	assert_equal "$status" 4
	assert_stderr --partial 'standard output'
}

@test "a closed pipe ends dump quietly, by SIGPIPE" {
	seq 1 200000 | shmlog append --create 4M "$LOG"
	run --separate-stderr bash -c 'shmlog dump "$1" | head -n 1
		exit "${PIPESTATUS[0]}"' - "$LOG"
	assert_equal "$status" 141
	assert_output 1
	assert_stderr ''
}

@test "a dump whose pipe is full ends by the second signal, if not by the first" {
	seq 1 900000 | shmlog append --create 16M "$LOG"
	mkfifo "$SCRATCH/pipe"
	shmlog dump "$LOG" >"$SCRATCH/pipe" 2>"$SCRATCH/stderr" 3>&- &
	local pid=$! result=0

	exec 8<"$SCRATCH/pipe"
	read -r -u 8 first
	assert_equal "$first" 1
	kill -INT "$pid" 2>/dev/null || true
	kill -TERM "$pid"
	cat <&8 >/dev/null
	wait "$pid" || result=$?
	exec 8<&-
	assert [ "$result" -eq 130 -o "$result" -eq 143 ]
	assert_equal "$(<"$SCRATCH/stderr")" ''
}

@test "a signal ends a dump that nobody reads" {
	local pid result=0 arguments

	seq 60000 | shmlog append --create 1M "$LOG"
	mkfifo "$SCRATCH/pipe"
	exec 8<>"$SCRATCH/pipe"
	for arguments in '' -r '-o json'; do
		result=0
		# shellcheck disable=SC2086
		shmlog dump $arguments "$LOG" >&8 2>"$SCRATCH/err" 3>&- &
		pid=$!
		wait_until_asleep "$pid"
		kill "$pid"
		wait_for 10 has_ended "$pid"
		wait "$pid" || result=$?
		assert_equal "$result" 143
		assert_equal "$(<"$SCRATCH/err")" ''
	done
}
