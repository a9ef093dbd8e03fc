# tail without -f: where it begins, and what it makes of damage.
load helper

make_log() { # FRAMES
	seq -f 'frame-%02g' 0 "$(($1 - 1))" | shmlog append --create 16K "$LOG"
}

# Runs tail, and compares what it prints with frames FIRST to LAST (none if
# FIRST is beyond LAST).
check_tail() { # FIRST LAST ARGUMENT...
	local first=$1 last=$2

	shift 2
	run_shmlog 0 tail "$@" "$LOG"
	assert_stderr ''
	assert_output "$(seq -f 'frame-%02g' "$first" "$last")"
}

@test "tail prints the last ten frames" {
	make_log 25
	check_tail 15 24
}

@test "tail prints all frames where there are fewer than ten" {
	make_log 3
	check_tail 0 2
}

@test "tail -n N prints the last N, however it is written" {
	make_log 25
	check_tail 22 24 -n 3
	check_tail 22 24 -n3
	check_tail 22 24 -n -3
	check_tail 22 24 --lines 3
	check_tail 22 24 --lines=3
	check_tail 24 24 -n 3 -n 1
	check_tail 0 24 -n 25
	check_tail 0 24 -n 26
	check_tail 0 24 -n 18446744073709551615
	check_tail 1 0 -n 0
	check_tail 1 0 -n -0
}

@test "tail -n +N begins with the Nth frame, as GNU tail does" {
	make_log 25
	check_tail 0 24 -n +1
	check_tail 0 24 -n +0
	check_tail 2 24 -n +3
	check_tail 24 24 -n +25
	check_tail 1 0 -n +26
	check_tail 1 0 -n +18446744073709551615
}

@test "GNU's ways to write N: -Nf, and the letters of a size" {
	make_log 3
	run_shmlog 0 tail -2q "$LOG"
	assert_output "$(shmlog tail -n 2 "$LOG")"
	limited 5 shmlog tail -2f --idle 10ms "$LOG" >"$SCRATCH/said"
	assert_equal "$(<"$SCRATCH/said")" "$output"
	seq 3000 | shmlog append --create 64K "$SCRATCH/many"
	run_shmlog 0 tail -n 1K -t '%p ' "$SCRATCH/many"
	assert_equal "$(wc -w <<<"$output") ${output%% *}" '1024 1977'
	assert_equal "$(shmlog tail -n +2k --count 1KiB -t '%p ' "$SCRATCH/many" | wc -w)" 953
	assert_equal "$(shmlog dump -n 2K "$SCRATCH/many" | wc -l)" 2048
}

@test "an N that is none is wrong usage" {
	local text

	make_log 3
	for text in '' x + - 1x 5KB 5b ' 5' 0x5 +-5 ++5 --5 1.5; do
		run_shmlog 2 tail -n "$text" "$LOG"
		assert_output ''
		assert_stderr --partial "'$text'"
		assert_stderr --partial '--lines'
	done
	for text in 18446744073709551616 +99999999999999999999; do
		run_shmlog 2 tail -n "$text" "$LOG"
		assert_stderr --partial "--lines '$text' is too large: at most 18446744073709551615"
	done
	run_shmlog 2 tail --count 18446744073709551616 "$LOG"
	assert_stderr --partial "--count '18446744073709551616' is too large: at most 18446744073709551615"
}

@test "tail of an empty log prints nothing" {
	shmlog create -c 64 "$LOG"
	check_tail 1 0
	check_tail 1 0 -n +5
	check_tail 1 0 --from start
}

@test "tail --from begins at any position" {
	local start

	make_log 25
	start=$(shmlog seek "$LOG" frame:20)
	check_tail 20 24 --from frame:20
	check_tail 20 24 --from "$start"
	check_tail 20 24 --from "offset:$((start + 24))"
	check_tail 23 24 --from -2
	check_tail 23 24 --from=frame:-2
	check_tail 0 24 --from start
	check_tail 1 0 --from end
	run_shmlog 1 tail --from $((start + 1)) "$LOG"
	assert_output ''
	assert_stderr --partial "$start and $((start + 12))"
	run_shmlog 2 tail --from nowhere "$LOG"
	assert_stderr --partial "'nowhere'"
	run_shmlog 2 tail --from start -n 3 "$LOG"
	assert_output ''
	assert_stderr --partial '--from'
}

@test "--count ends after so many frames" {
	make_log 25
	check_tail 15 17 --count 3
	check_tail 0 1 -n +1 --count 2
	check_tail 1 0 --count 0
	run_shmlog 2 tail --count -1 "$LOG"
	assert_stderr --partial "'-1'"
}

@test "a time limit never cuts output short in silence" {
	seq 2000 | shmlog append --create 64K "$LOG"
	run --separate-stderr shmlog tail -n +1 --timeout 0 "$LOG"
	assert [ "$status" -eq 124 -o "${#lines[@]}" -eq 2000 ]
}

@test "tail prints in every format" {
	make_log 3
	run_shmlog 0 tail -n 1 -o json "$LOG"
	assert_equal "$(jq -c '[.cursor, .next, .size, .encoding, .payload]' \
		<<<"$output")" '[24,36,8,"utf8","frame-02"]'
	# Its index is not known without a walk from the start.
	assert_equal "$(jq -c '.index == null or .index == 2' <<<"$output")" true
	run_shmlog 0 tail -n +3 -o json "$LOG"
	assert_equal "$(jq -c .index <<<"$output")" 2
	run_shmlog 0 tail -n 2 -t '%c-%x %s %p;' "$LOG"
	assert_output '12-24 8 frame-01;24-36 8 frame-02;'
	shmlog tail -o nul "$LOG" | cmp - <(printf 'frame-%02d\0' 0 1 2)
	shmlog tail -o raw "$LOG" | cmp - <(printf 'frame-%02d' 0 1 2)
	shmlog tail -o frames "$LOG" | cmp - <(tail -c +25 "$LOG" | head -c 36)
	run_shmlog 0 tail -n 1 -o hex "$LOG"
	assert_line --index 0 'cursor 24 size 8'
	assert_equal "$(tail -n +2 <<<"$output")" "$(printf frame-02 | hexdump -C)"
}

# ----------------------------------------------------------------- damage

@test "damage in the middle does not matter to the frames behind it" {
	make_log 20
	put_bytes "$LOG" $((24 + 5 * 12)) 0000
	check_tail 17 19 -n 3
	check_tail 6 19 -n 14
}

@test "tail that meets damage gives the good frames before it, and status 1" {
	make_log 20
	put_bytes "$LOG" $((24 + 5 * 12)) 0000
	run_shmlog 1 tail -n 15 "$LOG"
	assert_output "$(seq -f 'frame-%02g' 0 4)"
	assert_stderr --partial 'damaged frame at cursor 60: '
	assert_equal "${#stderr_lines[@]}" 1
	run_shmlog 1 tail -n +4 -o json "$LOG"
	assert_equal "$(jq -c 'if .event then [.event, .cursor] else .payload end' \
		<<<"$output")" '"frame-03"
"frame-04"
["damage",60]'
	run_shmlog 1 tail -n +10 "$LOG"
	assert_output ''
	assert_stderr --partial 'cursor 60'
}

@test "damage in the last frame comes after the last N good ones" {
	make_log 20
	put_bytes "$LOG" $((24 + 19 * 12)) ff00
	remember "$LOG"
	run_shmlog 1 tail -n 3 "$LOG"
	assert_output "$(seq -f 'frame-%02g' 16 18)"
	assert_stderr --partial 'cursor 228: '
	run_shmlog 1 tail "$LOG"
	assert_output "$(seq -f 'frame-%02g' 9 18)"
	assert_unchanged "$LOG"
}

@test "a torn tail comes after the last N good frames" {
	make_log 20
	put_u64 "$LOG" 16 $((24 + 19 * 12 + 1))
	run_shmlog 1 tail -n 2 "$LOG"
	assert_output $'frame-17\nframe-18'
	assert_stderr --partial 'torn frame at cursor 228: '
	put_u64 "$LOG" 16 $((24 + 19 * 12 + 7))
	run_shmlog 1 tail -n 2 -o json "$LOG"
	assert_equal "$(jq -r '.event // .payload' <<<"$output")" \
		$'frame-17\nframe-18\ndamage'
	assert_stderr --partial '7 bytes'
}

@test "tail of an impossible header is status 5, of a missing log status 4" {
	make_log 3
	put_u64 "$LOG" 16 99999999
	run_shmlog 5 tail "$LOG"
	assert_output ''
	assert_stderr --partial 'size 99999999 lies beyond'
	head -c 100 /dev/zero >"$SCRATCH/zeros"
	run_shmlog 5 tail "$SCRATCH/zeros"
	assert_stderr --partial 'zeros'
	run_shmlog 4 tail "$SCRATCH/missing"
	assert_output ''
	assert_stderr "shmlog tail: $SCRATCH/missing: cannot open: No such file or directory; -F waits for it"
	run_shmlog 5 tail "$SCRATCH"
	assert_stderr --partial 'no regular file'
}

# ------------------------------------------------------------------ effort

@test "the last ten of a large log are found without reading it" {
	need strace
	skip_if_sanitized 'a sanitizer does not like to be traced'
	local bytes

	head -c 3840 /dev/zero | tr '\0' x | fold -w 60 | shmlog append --create 64K "$LOG"
	shmlog dump -o frames "$LOG" >"$SCRATCH/frames"
	for _ in {1..9}; do
		cat "$SCRATCH/frames" "$SCRATCH/frames" >"$SCRATCH/twice"
		mv "$SCRATCH/twice" "$SCRATCH/frames"
	done
	rm "$LOG"
	shmlog append -i frames --create 32M "$LOG" <"$SCRATCH/frames"
	for _ in {1..12}; do
		shmlog append -i frames "$LOG" <"$SCRATCH/frames"
	done
	assert [ "$(u64_at "$LOG" 16)" -gt 20000000 ]

	strace -f -o "$SCRATCH/trace" -e trace=read,pread64,readv,preadv,mmap \
		"$BUILD/shmlog" tail "$LOG" >"$SCRATCH/out"
	assert_equal "$(wc -l <"$SCRATCH/out")" 10
	# All that was read of any file, its own program included.
	bytes=$(sed -n 's/^[0-9]* *p\?read[v64]*(.* = \([0-9]*\)$/\1/p' \
		"$SCRATCH/trace" | awk '{ sum += $1 } END { print sum + 0 }')
	assert [ "$bytes" -lt 600000 ]
}

@test "a write that fails is status 4, a closed pipe ends tail quietly" {
	make_log 12
	if [[ -w /dev/full ]]; then
		run --separate-stderr bash -c 'shmlog tail "$1" >/dev/full' - "$LOG"
		assert_equal "$status" 4
		assert_stderr --partial 'standard output: No space left on device'
	fi
	run --separate-stderr bash -c 'shmlog tail "$1" >&-' - "$LOG"
	assert_equal "$status" 4
	assert_stderr --partial 'standard output'
	run --separate-stderr bash -c '{ shmlog tail "$1"; echo $? >"$2"; } | true
		while [[ ! -s $2 ]]; do :; done' - "$LOG" "$SCRATCH/status"
	assert_stderr ''
	# It may have been through before the pipe was closed.
	assert grep -qx '0\|141' "$SCRATCH/status"
}
