# seek: the cursors, or the frames, at several positions.
load helper

# Five frames at 0, 7, 14, 23 and 31; the end is 38.
setup() {
	scratch_make
	printf '%s\n' one two three four six | shmlog append --create 4K "$LOG"
}

@test "seek prints a cursor a line, in the order of the operands" {
	run_shmlog 0 seek "$LOG" end start frame:1 31 frame:-3 offset:47 start
	assert_output $'38\n0\n7\n31\n14\n23\n0'
	assert_stderr ''
}

@test "negative positions stand after --" {
	run_shmlog 0 seek "$LOG" -- -1 -2 -0
	assert_output $'31\n23\n38'
	run_shmlog 0 seek -- "$LOG" -5
	assert_output 0
	run_shmlog 0 seek "$LOG" end -- -5
	assert_output $'38\n0'
	run_shmlog 2 seek "$LOG" -1
	assert_output ''
	assert_stderr --partial "'-1'"
	assert_stderr --partial "'--'"
}

@test "-o json prints the envelope of the frame" {
	run_shmlog 0 seek -o json "$LOG" frame:2 0
	assert_equal "${#lines[@]}" 2
	assert_line --index 0 \
		'{"cursor":14,"next":23,"index":2,"size":5,"encoding":"utf8","payload":"three"}'
	assert_line --index 1 \
		'{"cursor":0,"next":7,"index":0,"size":3,"encoding":"utf8","payload":"one"}'
	run_shmlog 0 seek "$LOG" -o json -- -1
	assert_equal "$(jq -c '[.cursor, .payload]' <<<"$output")" '[31,"six"]'
}

@test "the other formats print the frame, too" {
	run_shmlog 0 seek -o text "$LOG" 7
	assert_output two
	run_shmlog 0 seek -t '%c:%p,' "$LOG" 7 14
	assert_output '7:two,14:three,'
	shmlog seek -o raw "$LOG" 7 14 | cmp - <(printf twothree)
	shmlog seek -o nul "$LOG" 7 | cmp - <(printf 'two\0')
	shmlog seek -o frames "$LOG" 7 | cmp - <(printf '\7\0two\7\0')
	run_shmlog 0 seek -o hex "$LOG" 7
	assert_line --index 0 'cursor 7 size 3'
}

@test "the end has a cursor, but no frame to print" {
	run_shmlog 0 seek "$LOG" end
	assert_output 38
	for position in end 38 offset:62; do
		run_shmlog 1 seek -o json "$LOG" "$position"
		assert_output ''
		assert_stderr --partial "$LOG: no frame at $position"
	done
}

@test "--nearest takes a place inside a frame for that frame" {
	local cursor

	for cursor in {7..13}; do
		run_shmlog 0 seek --nearest "$LOG" "$cursor"
		assert_output 7
		assert_stderr ''
	done
	run_shmlog 0 seek --nearest -o json "$LOG" offset:61
	assert_equal "$(jq -c .cursor <<<"$output")" 31
	run_shmlog 0 seek --nearest "$LOG" offset:61 38 37 0
	assert_output $'31\n38\n31\n0'
	# It does not invent places that lie in no frame.
	run_shmlog 1 seek --nearest "$LOG" 39
	assert_output ''
	assert_stderr --partial '31 and 38'
	run_shmlog 1 seek --nearest "$LOG" offset:3
	assert_output ''
	run_shmlog 1 seek --nearest "$LOG" frame:5
	assert_output ''
}

@test "positions that are not there do not keep the others from being found" {
	run_shmlog 1 seek "$LOG" 0 8 14 frame:9 end
	assert_output $'0\n14\n38'
	assert_equal "${#stderr_lines[@]}" 2
	assert_equal "${stderr_lines[0]}" \
		"shmlog seek: $LOG: no frame starts at cursor 8; the nearest are 7 and 14"
	assert_regex "${stderr_lines[1]}" 'frame:9.*5 frames'
}

@test "a position that is none is refused before any is looked up" {
	run_shmlog 2 seek "$LOG" 0 14 nowhere
	assert_output ''
	assert_stderr --partial "'nowhere'"
}

@test "messages and cursors come in order" {
	run bash -c 'shmlog seek "$1" 0 8 14 2>&1' - "$LOG"
	assert_line --index 0 0
	assert_line --index 1 --partial 'cursor 8'
	assert_line --index 2 14
}

@test "a damaged frame has a cursor, but cannot be printed" {
	put_bytes "$LOG" $((24 + 14)) 0000
	run_shmlog 1 seek -o json "$LOG" 7 14
	assert_equal "$(jq -c '[.event, .cursor]' <<<"${lines[1]}")" '["damage",14]'
	assert_equal "$(jq -r .payload <<<"${lines[0]}")" two
	assert_stderr --partial 'damaged frame at cursor 14: '
	run_shmlog 1 seek "$LOG" 15 0
	assert_output 0
	assert_stderr --partial 'cursor 14: '
	run_shmlog 1 seek --nearest "$LOG" 16
	assert_output ''
}

@test "places behind damage are found from the end, wherever they lie" {
	local cursor

	seq -f 'frame %g' 100 199 | shmlog append "$LOG"
	put_bytes "$LOG" $((24 + 7)) 0000
	# In both halves of the log: frames of 13 bytes stand behind the five.
	for cursor in 14 23 $((38 + 13)) $((38 + 80 * 13)); do
		run_shmlog 0 seek "$LOG" "$cursor"
		assert_output "$cursor"
		run_shmlog 0 seek --nearest "$LOG" $((cursor + 3))
		assert_output "$cursor"
	done
}

@test "what is missing or no log is refused" {
	run_shmlog 2 seek
	assert_stderr --partial 'missing operand: LOG'
	run_shmlog 2 seek "$LOG"
	assert_output ''
	assert_stderr --partial 'missing operand: POS'
	run_shmlog 4 seek "$SCRATCH/missing" 0
	assert_stderr "shmlog seek: $SCRATCH/missing: cannot open: No such file or directory"
	head -c 24 /dev/zero >"$SCRATCH/zeros"
	run_shmlog 5 seek "$SCRATCH/zeros" 0
	assert_output ''
	assert_stderr --partial "$SCRATCH/zeros: not a log: "
}

@test "a write that fails is status 4" {
	[[ -w /dev/full ]] || skip 'no /dev/full on this machine'
	run --separate-stderr bash -c 'shmlog seek "$1" 0 >/dev/full' - "$LOG"
	assert_equal "$status" 4
	assert_stderr --partial 'standard output'
}

@test "positions by number are found in any order, each from the one before" {
	local i number numbers=(0 5 5 6 999 3 2 500 499 1 0 999 400 600 200 100 50 51)
	local positions=() cursors='' many=$SCRATCH/many

	seq 1000 1999 | shmlog append --create 64K "$many"
	for number in "${numbers[@]}"; do
		positions+=("frame:$number")
		cursors+=$((number * 8))$'\n'
	done
	expect 0 "${cursors%$'\n'}" '' seek "$many" "${positions[@]}"
	# Places of other kinds are between them, and some that are not there.
	for i in 16 frame:-3 end 17 frame:1000 frame:2000; do
		run shmlog seek "$many" frame:7 "$i" frame:900 "$i" frame:8
		assert_line 56
		assert_line 7200
		assert_equal "${lines[-1]}" 64
	done
	expect 0 $'1007\n1008\n1009\n1002' '' seek -o text "$many" \
		frame:7 frame:8 frame:9 frame:2
}

@test "many positions by number take one walk" {
	skip_if_sanitized 'a sanitizer makes calls of its own'
	need strace
	local reads many=$SCRATCH/many

	seq 100000 199999 | shmlog append --create 2M "$many"
	# shellcheck disable=SC2046 # words
	strace -qq -o "$SCRATCH/calls" -e trace=pread64 \
		shmlog seek "$many" $(seq -f 'frame:%.0f' 0 1000 99999) >/dev/null
	reads=$(grep -c pread64 "$SCRATCH/calls")
	((reads < 300)) || fail "$reads reads"
}
