# POS: one grammar in seek, dump and tail, and what it refuses.
load helper

# Five frames at 0, 7, 14, 23 and 31; the end is 38.
setup() {
	scratch_make
	printf '%s\n' one two three four six | shmlog append --create 4K "$LOG"
}

# A position leads to a cursor in each command that takes one.
leads_to() { # POS CURSOR
	run_shmlog 0 seek "$LOG" -- "$1"
	assert_output "$2"
	assert_stderr ''
	# Where there is a frame, the others begin with it.
	local first=$2

	[[ $2 != 38 ]] || first=
	run_shmlog 0 dump --from "$1" -n 1 -t '%c' "$LOG"
	assert_output "$first"
	assert_stderr ''
	run_shmlog 0 tail "--from=$1" --count 1 -t '%c' "$LOG"
	assert_output "$first"
	assert_stderr ''
	# And as the end of a range it is left out.
	run_shmlog 0 dump --to "$1" -r -n 1 -t '%x' "$LOG"
	[[ $2 == 0 ]] && assert_output '' || assert_output "$2"
}

# No frame is there: status 1, nothing printed, and the message has a pattern.
leads_nowhere() { # POS REGEXP
	local arguments

	for arguments in "seek $LOG -- $1" "dump --from $1 --to $1 $LOG" \
		"dump -r --to $1 $LOG" "tail --from $1 $LOG"; do
		run_shmlog 1 $arguments
		assert_output ''
		assert_stderr --regexp "$2"
		assert_stderr --partial "$LOG: "
		assert_equal "${#stderr_lines[@]}" 1
	done
}

# Not a position at all: wrong usage.
is_refused() { # POS
	run_shmlog 2 seek "$LOG" -- "$1"
	assert_output ''
	assert_stderr --partial "'$1'"
	assert_stderr --partial 'position'
}

# The same in every place that a position can stand.
is_refused_everywhere() { # POS
	is_refused "$1"
	for option in "dump --from" "dump --to" "tail --from"; do
		run_shmlog 2 $option "$1" "$LOG"
		assert_output ''
		assert_stderr --partial "'$1'"
	done
}

@test "start and end" {
	leads_to start 0
	leads_to end 38
}

@test "N is a cursor" {
	leads_to 0 0
	leads_to 14 14
	leads_to 31 31
	leads_to 38 38
	leads_to 0014 14
}

@test "-N counts frames from the end, and -0 is the end" {
	leads_to -1 31
	leads_to -2 23
	leads_to -5 0
	leads_to -0 38
}

@test "frame:N counts from 0, frame:-N from the end" {
	leads_to frame:0 0
	leads_to frame:3 23
	leads_to frame:4 31
	leads_to frame:-1 31
	leads_to frame:-5 0
}

@test "offset:N counts bytes of the file, also in hexadecimal" {
	leads_to offset:24 0
	leads_to offset:31 7
	leads_to offset:62 38
	leads_to offset:0x18 0
	leads_to offset:0x1f 7
	leads_to offset:0x1F 7
	leads_to offset:0x0000000000000000001f 7
}

@test "a cursor inside a frame names the two nearest frame starts" {
	leads_nowhere 1 'cursor 1; .*\b0 and 7\b'
	leads_nowhere 6 'cursor 6; .*\b0 and 7\b'
	leads_nowhere 15 'cursor 15; .*\b14 and 23\b'
	leads_nowhere 37 'cursor 37; .*\b31 and 38\b.*end'
}

@test "a cursor beyond the end names the last frame and the end" {
	leads_nowhere 39 'cursor 39\b.*\b31 and 38\b.*end'
	leads_nowhere 4072 'cursor 4072\b.*\b31 and 38\b'
	leads_nowhere 9223372036854775808 '9223372036854775808.*\b31 and 38\b'
	leads_nowhere 18446744073709551615 '18446744073709551615.*\b31 and 38\b'
}

@test "an offset inside a frame, in the header or beyond the end is no place" {
	leads_nowhere offset:0x19 'offset 25.*\b0 and 7\b'
	leads_nowhere offset:0 'offset 0\b.*\b0 and 7\b'
	leads_nowhere offset:23 'offset 23.*\b0 and 7\b'
	leads_nowhere offset:63 'offset 63.*\b31 and 38\b'
	leads_nowhere offset:18446744073709551615 '18446744073709551615.*\b31 and 38\b'
	leads_nowhere offset:0xffffffffffffffff '18446744073709551615.*\b31 and 38\b'
}

@test "a frame that the log does not have is no place" {
	leads_nowhere -6 '-6: the log has 5 frames'
	leads_nowhere -18446744073709551615 'the log has 5 frames'
	leads_nowhere frame:5 'frame:5: the log has 5 frames'
	leads_nowhere frame:18446744073709551615 'the log has 5 frames'
	leads_nowhere frame:-6 'frame:-6: the log has 5 frames'
}

@test "numbers over 64 bits are wrong usage, never another place" {
	is_refused_everywhere 18446744073709551616
	is_refused -18446744073709551616
	is_refused 99999999999999999999999999999
	is_refused frame:18446744073709551616
	is_refused offset:18446744073709551616
	is_refused offset:0x10000000000000000
	is_refused offset:0x1000000000000000f
}

@test "everything else is wrong usage" {
	local text

	is_refused_everywhere nowhere
	is_refused_everywhere frame:-0
	for text in '' ' ' ' 7' '7 ' +7 7x 0x7 1e1 7.0 - -- -x --7 START Start \
		starts ends frame frame: frame:x frame:+1 frame:-0 frame:--1 \
		frame:0x1 offset: offset:-1 offset:0x offset:0xg offset:x \
		cursor:7 ٧ ７; do
		is_refused "$text"
	done
}

@test "an empty log has one place" {
	rm "$LOG"
	shmlog create -c 4K "$LOG"
	for position in start end 0 -0 offset:24; do
		run_shmlog 0 seek "$LOG" -- "$position"
		assert_output 0
		run_shmlog 0 dump --from "$position" "$LOG"
		assert_output ''
		assert_stderr ''
	done
	for position in 1 -1 frame:0 frame:-1 offset:25; do
		run_shmlog 1 seek "$LOG" -- "$position"
		assert_output ''
		assert_stderr --partial '0, the end'
	done
}

@test "places are those of the committed data only" {
	put_u64 "$LOG" 16 $((24 + 23))
	run_shmlog 0 seek "$LOG" -- end -1 frame:-3
	assert_output $'23\n14\n0'
	leads_nowhere 31 'cursor 31\b.*\b14 and 23\b.*end'
	leads_nowhere frame:3 'the log has 3 frames'
}

@test "damage between is named instead of a place" {
	put_bytes "$LOG" $((24 + 14)) 0000
	local position

	for position in 15 frame:3 -4; do
		run_shmlog 1 seek "$LOG" -- "$position"
		assert_output ''
		assert_stderr --regexp 'cursor (14|23): '
	done
	# What good frames lead to from either end is found.
	run_shmlog 0 seek "$LOG" -- 7 frame:1 14 end -1 -2
	assert_output $'7\n7\n14\n38\n31\n23'
	assert_stderr ''
}

@test "damage elsewhere makes no place of what is none" {
	local at

	# In the first frame, between the others, in the last one.
	for at in 0 14 31; do
		cp "$LOG" "$SCRATCH/sound"
		put_bytes "$LOG" $((24 + at)) 0000
		# Before the data, and beyond the end: no chain has to lead there.
		leads_nowhere offset:0 'no frame starts at offset 0, before the data .*\b(is 0|0 and 7)$'
		leads_nowhere offset:23 'no frame starts at offset 23, before the data'
		leads_nowhere 39 'no frame starts at cursor 39, beyond the end.*\b38, the end'
		leads_nowhere offset:63 'no frame starts at offset 63, cursor 39, beyond'
		cp "$SCRATCH/sound" "$LOG"
	done
}

@test "a range that ends in damage is never a range to the end of the log" {
	# Between the damage at 7 and that at 23 lies 14, which nothing reaches.
	put_bytes "$LOG" $((24 + 7)) 0000
	put_bytes "$LOG" $((24 + 23)) 0000
	local to from

	for to in 14 frame:2 offset:38; do
		run_shmlog 1 dump --from start --to "$to" -t '%c ' "$LOG"
		assert_output '0 '
		assert_stderr --partial 'damaged frame at cursor 7: '
		for from in -1 31 end; do
			run_shmlog 1 dump --from "$from" --to "$to" -t '%c ' "$LOG"
			assert_output ''
			assert_stderr --partial 'damaged frame at cursor 7: '
		done
	done
	run_shmlog 1 dump --from 31 --to 14 -o json "$LOG"
	assert_equal "$(jq -c '[.event, .cursor]' <<<"$output")" '["damage",7]'
	# What is reached is a range, before the damage and behind it.
	run_shmlog 0 dump --from start --to 7 -t '%c ' "$LOG"
	assert_output '0 '
	run_shmlog 0 dump --from -1 -t '%c ' "$LOG"
	assert_output '31 '
}

@test "random bytes as positions never do harm" {
	local i text

	for i in {1..12}; do
		text=$(head -c 12 /dev/urandom | tr -d '\0\n')
		run --separate-stderr shmlog seek "$LOG" -- "$text"
		assert [ "$status" -eq 2 -o "$status" -eq 1 -o "$status" -eq 0 ]
		# Nothing of it reaches a terminal as it stands.
		refute grep -q $'[\x01-\x09\x0b-\x1f\x7f]' <<<"$stderr"
	done
}
