# append --overflow: whatever keeps input out of the log, it is kept; and the
# message says from where on.
load helper

# A log with room for so many bytes of frames.
room() { # BYTES
	rm -f "$LOG"
	shmlog create "$LOG" -c "$((24 + $1))"
}

# Starts an append fed through descriptor 5; sets `append`.
begin() { # ARGUMENT...
	rm -f "$SCRATCH/fifo" "$SCRATCH/rest"
	mkfifo "$SCRATCH/fifo"
	shmlog append --overflow "$SCRATCH/rest" "$LOG" "$@" <"$SCRATCH/fifo" \
		>"$SCRATCH/out" 2>"$SCRATCH/stderr" 3>&- &
	append=$!
	exec 5>"$SCRATCH/fifo"
}

# Ends the input; what the append ended with, said and kept.
ends() { # STATUS MESSAGE REST
	local ended=0

	exec 5>&-
	wait "$append" || ended=$?
	assert_equal "$ended" "$1"
	run cat "$SCRATCH/stderr"
	assert_output --regexp "^shmlog append: $LOG: $2\$"
	run cat "$SCRATCH/rest"
	assert_output "$3"
}

committed() { # FRAMES
	wait_for 10 has_frames "$1"
}

has_frames() { # FRAMES
	[[ $(frames_of "$LOG") == "$1" ]]
}

REST="goes to '.*/rest'"

# ------------------------------------------------------------------- refusals

@test "--overflow keeps the rest when the log is deleted" {
	room 1000
	begin
	echo one >&5
	committed 1
	rm "$LOG"
	printf 'two\nthree\n' >&5
	ends 4 "cannot append: No such file or directory; 1 frames committed before; the input from line 2 on $REST" $'two\nthree'
}

@test "--overflow keeps the rest when the log is replaced" {
	room 1000
	begin
	echo one >&5
	committed 1
	shmlog create "$SCRATCH/new" -c 4K
	mv "$SCRATCH/new" "$LOG"
	printf 'two\nthree\n' >&5
	ends 5 "cannot append: the name leads to another file now; 1 frames committed before; the input from line 2 on $REST" $'two\nthree'
}

@test "--overflow keeps the rest when the log shrinks or is damaged" {
	room 1000
	begin
	printf 'one\nuno\n' >&5
	committed 2
	truncate -s 30 "$LOG"
	printf 'two\nthree\n' >&5
	ends 5 "cannot append: the log shrank below its committed data; 2 frames committed before; the input from line 3 on $REST" $'two\nthree'
	room 1000
	begin
	echo one >&5
	committed 1
	put_bytes "$LOG" 29 ffff
	printf 'two\nthree\n' >&5
	ends 5 "cannot append: the committed data ends inside a frame; 1 frames committed before; the input from line 2 on $REST" $'two\nthree'
}

@test "--overflow keeps the rest when the lock is not to be had" {
	need flock
	room 1000
	begin --lock-timeout 50ms
	echo one >&5
	committed 1
	exec 9<"$LOG"
	flock 9
	printf 'two\nthree\n' >&5
	ends 7 "cannot append: another process holds the lock.*; 1 frames committed before; the input from line 2 on $REST" $'two\nthree'
	exec 9<&-
}

@test "--overflow keeps the rest when another writer comes" {
	skip_if_portable "no lease shows a live writer"
	room 1000
	begin
	echo one >&5
	committed 1
	exec 9<>"$LOG"
	printf 'two\nthree\n' >&5
	ends 7 "cannot append: another writer has the log open.*; 1 frames committed before; the input from line 2 on $REST" $'two\nthree'
	exec 9>&-
}

@test "--overflow keeps all the input of a log that takes nothing from the start" {
	skip_if_portable "no lease shows a live writer"
	local message='cannot append: another writer has the log open.*; 0 frames committed; the input goes to'

	room 1000
	exec 9<>"$LOG"
	printf '1\n2' >"$SCRATCH/a"
	printf '3\n' >"$SCRATCH/b"
	run_shmlog 7 append --overflow "$SCRATCH/rest" "$LOG" "$SCRATCH/a" - "$SCRATCH/b" <<<x
	assert_output ''
	assert_stderr --regexp "$message"
	run cat "$SCRATCH/rest"
	assert_output $'1\n2\nx\n3'
	rm "$SCRATCH/rest"
	run_shmlog 7 append --overflow "$SCRATCH/rest" "$LOG" -m one -m two
	assert_stderr --regexp "$message"
	run cat "$SCRATCH/rest"
	assert_output $'one\ntwo'
	rm "$SCRATCH/rest"
	run_shmlog 7 append --overflow "$SCRATCH/rest" "$LOG" < <(echo piped; sleep 0.1; echo later)
	run cat "$SCRATCH/rest"
	assert_output $'piped\nlater'
	exec 9>&-
}

@test "--overflow keeps what waits for --commit-every, from its first record on" {
	need flock
	room 1000
	begin --lock-timeout 50ms --commit-every 3 -i json
	printf '1\n\n2\n3\n\n4\n' >&5
	committed 3
	exec 9<"$LOG"
	flock 9
	printf '\n5\n6\n7\n' >&5
	ends 7 "cannot append: .*; 3 frames committed before; the input from line 6 on $REST" $'4\n\n5\n6\n7'
	exec 9<&-
}

@test "--overflow keeps the rest when the file system of the log is full" {
	local mounted

	((EUID == 0)) || skip "mounting needs root"
	need unshare
	# shellcheck disable=SC2016
	mounted='mount -t tmpfs -o size=64k none "$1/small" || exit 77
		cd "$1/small" && shmlog create --sparse log -c 1M || exit 78
		shmlog append --overflow ../rest log <../in; echo "status $?"
		shmlog dump log >../committed'
	mkdir "$SCRATCH/small"
	seq 100000 >"$SCRATCH/in"
	run --separate-stderr unshare -m bash -c "$mounted" - "$SCRATCH"
	[[ $status -ne 77 && $status -ne 1 ]] || skip "mounting is not allowed"
	assert_output 'status 4'
	assert_stderr --regexp "^shmlog append: log: cannot append: No space left on device; [0-9]+ frames committed.*; the input from line [0-9]+ on goes to '../rest'$"
	cat "$SCRATCH/committed" "$SCRATCH/rest" | cmp - "$SCRATCH/in"
}

# ------------------------------------------------------------------ the input

@test "--overflow keeps a bad record and what follows it" {
	room 1000
	run_shmlog 9 append -i json --overflow "$SCRATCH/rest" "$LOG" < <(printf '1\n{\n2\n'; sleep 0.1; echo 3)
	assert_stderr --regexp "bad input: line 2: not JSON: .*; 1 frames committed before it; the input from there on $REST"
	run cat "$SCRATCH/rest"
	assert_output $'{\n2\n3'
	rm "$SCRATCH/rest"
	{ printf 'a\n'; head -c 70000 /dev/zero | tr '\0' x; printf '\nb\n'; } >"$SCRATCH/in"
	run_shmlog 9 append --overflow "$SCRATCH/rest" "$LOG" <"$SCRATCH/in"
	cmp "$SCRATCH/rest" <(tail -n +2 "$SCRATCH/in")
	rm "$SCRATCH/rest"
	printf '\5\0a\5\0\5\0bX\0rest' >"$SCRATCH/in"
	run_shmlog 9 append -i frames --overflow "$SCRATCH/rest" "$LOG" "$SCRATCH/in"
	cmp "$SCRATCH/rest" <(printf '\5\0bX\0rest')
}

@test "--overflow keeps the FILEs behind one that cannot be read" {
	room 1000
	printf 'a\n' >"$SCRATCH/a"
	printf 'c\n' >"$SCRATCH/c"
	run --separate-stderr bash -c 'shmlog append --overflow "$1/rest" "$2" "$1/a" - "$1/c" <"$1"' - \
		"$SCRATCH" "$LOG"
	assert_equal "$status" 4
	assert_stderr --regexp "cannot read standard input: Is a directory; 1 frames committed; what was read from line 1 on $REST"
	run cat "$SCRATCH/rest"
	assert_output c
}

@test "--overflow keeps what nobody acknowledged" {
	room 100000
	seq 2000 >"$SCRATCH/in"
	status=0
	shmlog append --ack --commit-every 1 --overflow "$SCRATCH/rest" "$LOG" "$SCRATCH/in" \
		2>"$SCRATCH/stderr" > >(head -n 1 >/dev/null) || status=$?
	assert_equal "$status" 141
	run cat "$SCRATCH/stderr"
	assert_output --regexp "cannot acknowledge: Broken pipe; [0-9]+ frames committed; the input from line [0-9]+ of '.*/in' on $REST\$"
	{
		shmlog dump "$LOG"
		cat "$SCRATCH/rest"
	} | cmp - "$SCRATCH/in"
	room 100000
	rm "$SCRATCH/rest"
	separately bash -c 'shmlog append --ack --commit-every 1 --overflow "$1/rest" "$2" "$1/in" >/dev/full' - "$SCRATCH" "$LOG"
	assert_equal "$status" 4
	assert_stderr --regexp "cannot acknowledge: No space left on device; 1 frames committed; the input from line 2 of '.*/in' on $REST"
	cmp "$SCRATCH/rest" <(tail -n +2 "$SCRATCH/in")
}

# -------------------------------------------------------------------- signals

@test "--overflow keeps what was read when a signal comes" {
	room 1000
	begin
	# One write, so one read: printf of the shell writes line by line.
	printf 'one\ntwo\nthr' >"$SCRATCH/piece"
	dd if="$SCRATCH/piece" bs=64 status=none >&5
	committed 2
	wait_until_asleep "$append"
	kill "$append"
	ends 143 "ended by a signal; 2 frames committed; the input from line 3 on $REST" thr
}

@test "--overflow keeps what a pipe holds and a file to its end when a signal comes" {
	need flock
	room 1000000
	seq 3 200000 >"$SCRATCH/c"
	exec 9<"$LOG"
	begin - "$SCRATCH/c"
	wait_until_asleep "$append"
	flock 9
	printf 'one\n' >&5
	wait_until_asleep "$append"
	sleep 0.1
	printf 'two\n' >&5
	kill "$append"
	ends 143 "ended by a signal while another process held the lock; 0 frames committed; the input from line 1 on $REST" \
		"$(printf 'one\ntwo\n'; seq 3 200000)"
	exec 9<&-
}

@test "--overflow of a signal that finds nothing to keep says nothing" {
	room 1000
	begin
	printf 'one\n' >&5
	committed 1
	wait_until_asleep "$append"
	kill "$append"
	exec 5>&-
	status=0
	wait "$append" || status=$?
	assert_equal "$status" 143
	run cat "$SCRATCH/stderr"
	assert_output ''
	assert_not_exist "$SCRATCH/rest"
}

@test "a signal ends the wait for the other end of a FIFO, with no word" {
	room 1000
	mkfifo "$SCRATCH/other"
	echo a >"$SCRATCH/a"
	shmlog append --overflow "$SCRATCH/rest" "$LOG" "$SCRATCH/a" "$SCRATCH/other" 2>"$SCRATCH/stderr" 3>&- &
	committed 1
	wait_until_asleep $!
	kill $!
	status=0
	wait $! || status=$?
	assert_equal "$status" 143
	run cat "$SCRATCH/stderr"
	assert_output ''
}

@test "--overflow drops the end of a record that was skipped before a signal" {
	room 1000
	begin --skip-invalid
	{ head -c 70000 /dev/zero | tr '\0' x; } >&5
	wait_for 10 test -s "$SCRATCH/stderr"
	wait_until_asleep "$append"
	kill -STOP "$append"
	printf 'xxx\npart' >&5
	kill "$append"
	kill -CONT "$append"
	exec 5>&-
	status=0
	wait "$append" || status=$?
	assert_equal "$status" 143
	run cat "$SCRATCH/rest"
	assert_output part
}

# ------------------------------------------------------- what cannot be kept

@test "--overflow says precisely what neither the log nor its file has" {
	local limit

	room 22
	seq 100000 >"$SCRATCH/in"
	# The file may have 128 blocks of 1 KiB.
	limit='ulimit -f 128; trap "" XFSZ; shmlog append --overflow "$1/rest" "$2" "$1/in"'
	run --separate-stderr bash -c "$limit" - "$SCRATCH" "$LOG"
	assert_equal "$status" 4
	assert_stderr --partial "$SCRATCH/rest: cannot write what overflows: File too large; 131072 bytes were kept, and nothing from byte $((8 + 131072 + 1)) of '$SCRATCH/in' on"
	{ seq 4; cat "$SCRATCH/rest"; } | cmp - <(head -c $((8 + 131072)) "$SCRATCH/in")
}

@test "of several inputs, the byte from which on nothing is kept is one of the right one" {
	room 7
	printf '1\n2\n' >"$SCRATCH/a"
	seq 100000 >"$SCRATCH/b"
	# shellcheck disable=SC2016
	run --separate-stderr bash -c 'ulimit -f 128; trap "" XFSZ; shmlog append --overflow "$1/rest" "$2" "$1/a" "$1/b"' - \
		"$SCRATCH" "$LOG"
	assert_equal "$status" 4
	assert_stderr --partial "131072 bytes were kept, and nothing from byte $((131072 - 2 + 1)) of '$SCRATCH/b' on"
}

# ------------------------------------------------------------------- origins

# Formats whose frames come from records of other lengths, between records that
# come to nothing: whichever frame does not fit, the rest begins at its record.
@test "the rest begins at the record of the first frame that did not fit" {
	local format frames i

	for i in {1..40}; do
		printf '{"payload":"%*s","extra":[%d]}\n' "$((i % 7))" '' "$i"
		((i % 3)) || printf '{"event":"reopened"}\n\n'
	done >"$SCRATCH/envelope"
	for i in {1..40}; do
		printf '%*s[%d]\n' "$((i % 5))" '' "$i"
		((i % 4)) || printf ' \n'
	done >"$SCRATCH/json"
	seq 40 >"$SCRATCH/lines"
	seq 40 | tr '\n' '\0' >"$SCRATCH/nul"
	room 1000
	shmlog append "$LOG" "$SCRATCH/lines"
	shmlog dump -o frames "$LOG" >"$SCRATCH/frames"
	for format in envelope json lines nul frames; do
		room 4000
		shmlog append -i "$format" "$LOG" "$SCRATCH/$format"
		shmlog dump -o frames "$LOG" >"$SCRATCH/all"
		for frames in 0 1 2 3 4 5 11 12 23 38 39; do
			room "$(shmlog seek "$LOG" "frame:$frames")"
			rm -f "$SCRATCH/rest"
			run_shmlog 6 append -i "$format" --overflow "$SCRATCH/rest" "$LOG" "$SCRATCH/$format"
			assert_stderr --partial "full: $frames frames committed"
			# Taken behind what was committed, it makes the whole.
			shmlog create "$SCRATCH/second" -c 8K
			shmlog dump -o frames "$LOG" | shmlog append -i frames "$SCRATCH/second"
			shmlog append -i "$format" "$SCRATCH/second" "$SCRATCH/rest"
			shmlog dump -o frames "$SCRATCH/second" | cmp - "$SCRATCH/all"
			rm "$SCRATCH/second"
			room 4000
			shmlog append -i "$format" "$LOG" "$SCRATCH/$format"
		done
	done
}
