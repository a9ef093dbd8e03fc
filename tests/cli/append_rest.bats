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
	at_once 'two\nthree\n' >&5
	ends 4 "cannot append: No such file or directory; 1 frames committed before; the input from line 2 on $REST" $'two\nthree'
}

@test "--overflow keeps the rest when the log is replaced" {
	room 1000
	begin --no-follow
	echo one >&5
	committed 1
	shmlog create "$SCRATCH/new" -c 4K
	mv "$SCRATCH/new" "$LOG"
	at_once 'two\nthree\n' >&5
	ends 5 "cannot append: the name leads to another file now; 1 frames committed before; the input from line 2 on $REST" $'two\nthree'
}

@test "--overflow keeps the rest when the log shrinks or is damaged" {
	room 1000
	begin
	at_once 'one\nuno\n' >&5
	committed 2
	truncate -s 30 "$LOG"
	at_once 'two\nthree\n' >&5
	ends 5 "cannot append: the log shrank below its committed data; 2 frames committed before; the input from line 3 on $REST" $'two\nthree'
	room 1000
	begin
	echo one >&5
	committed 1
	put_bytes "$LOG" 29 ffff
	at_once 'two\nthree\n' >&5
	ends 5 "cannot append: the committed data is damaged, and no reader gets past that: damaged frame at cursor 0: its size word says 7, the one behind it says 65535; 1 frames committed before; the input from line 2 on $REST" $'two\nthree'
}

@test "--overflow keeps the rest when the lock is not to be had" {
	need flock
	room 1000
	begin --lock-timeout 50ms
	echo one >&5
	committed 1
	exec 9<"$LOG"
	flock 9
	at_once 'two\nthree\n' >&5
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
	at_once 'two\nthree\n' >&5
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
	at_once '1\n\n2\n3\n\n4\n' >&5
	committed 3
	exec 9<"$LOG"
	flock 9
	at_once '\n5\n6\n7\n' >&5
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
	assert_stderr --regexp "cannot read standard input: Is a directory; 1 frames committed; what was read from line 1 of standard input on $REST"
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
	assert_output --regexp "cannot acknowledge: Broken pipe; [0-9]+ frames committed up to cursor [0-9]+, the last 1 of them not acknowledged; the input from line [0-9]+ of '.*/in' on $REST\$"
	{
		shmlog dump "$LOG"
		cat "$SCRATCH/rest"
	} | cmp - "$SCRATCH/in"
	room 100000
	rm "$SCRATCH/rest"
	separately bash -c 'shmlog append --ack --commit-every 1 --overflow "$1/rest" "$2" "$1/in" >/dev/full' - "$SCRATCH" "$LOG"
	assert_equal "$status" 4
	assert_stderr --regexp "^shmlog append: $LOG: cannot acknowledge: No space left on device; 1 frames committed up to cursor 5 but not acknowledged; the input from line 2 of '.*/in' on $REST\$"
	cmp "$SCRATCH/rest" <(tail -n +2 "$SCRATCH/in")
}

@test "an acknowledgement that cannot be written says what became of the data" {
	local message='cannot acknowledge: No space left on device'

	[[ -w /dev/full ]] || skip "no /dev/full"
	room 1000
	separately bash -c 'shmlog append --ack "$1" -m one -m two >/dev/full' - "$LOG"
	assert_equal "$status" 4
	assert_stderr "shmlog append: $LOG: $message; 2 frames committed up to cursor 14 but not acknowledged"
	separately bash -c 'shmlog append --ack --atomic "$1" -m three >/dev/full' - "$LOG"
	assert_equal "$status" 4
	assert_stderr "shmlog append: $LOG: $message; 1 frames committed up to cursor 23 but not acknowledged"
	separately bash -c 'printf "a\nb\n" | shmlog append --ack --commit-every 1 "$1" >/dev/full' - "$LOG"
	assert_equal "$status" 4
	assert_stderr "shmlog append: $LOG: $message; 1 frames committed up to cursor 28 but not acknowledged; the input from line 2 on was not appended"
	echo c >"$SCRATCH/c"
	separately bash -c 'echo b | shmlog append --ack "$1" - "$2" >/dev/full' - "$LOG" "$SCRATCH/c"
	assert_equal "$status" 4
	assert_stderr "shmlog append: $LOG: $message; 1 frames committed up to cursor 33 but not acknowledged; the input from line 2 of standard input on was not appended"
	# With --overflow, of which there is nothing to keep.
	separately bash -c 'shmlog append --ack --overflow "$2" "$1" "$3" >/dev/full' - "$LOG" "$SCRATCH/rest" "$SCRATCH/c"
	assert_equal "$status" 4
	assert_not_exist "$SCRATCH/rest"
}

@test "the acknowledgements that were written are told from those that were not" {
	local limit

	room 100000
	seq 1000 >"$SCRATCH/in"
	# The file may have a block of 1 KiB: 1,024 bytes of acknowledgements.
	# shellcheck disable=SC2016
	limit='ulimit -f 1; trap "" XFSZ; shmlog append --ack --commit-every 1 "$1" "$2" >"$3"'
	separately bash -c "$limit" - "$LOG" "$SCRATCH/in" "$SCRATCH/acks"
	assert_equal "$status" 4
	assert_stderr --regexp "^shmlog append: $LOG: cannot acknowledge: File too large; [0-9]+ frames committed up to cursor [0-9]+, the last 1 of them not acknowledged; the input from line [0-9]+ of '.*/in' on was not appended\$"
	[[ $stderr =~ \;\ ([0-9]+)\ frames.*cursor\ ([0-9]+),.*line\ ([0-9]+) ]]
	assert_equal "$(frames_of "$LOG")" "${BASH_REMATCH[1]}"
	assert_equal "$(end_of "$LOG")" "${BASH_REMATCH[2]}"
	assert_equal "$((BASH_REMATCH[1] + 1))" "${BASH_REMATCH[3]}"
	# Whole lines of them are in the file, and part of the last one.
	assert_equal "$(wc -l <"$SCRATCH/acks")" "$((BASH_REMATCH[1] - 1))"
}

@test "of several inputs, the messages name standard input where the rest begins there" {
	printf '1\n2\n' >"$SCRATCH/a"
	printf '5\n' >"$SCRATCH/b"
	room 17
	run_shmlog 6 append --overflow "$SCRATCH/rest" "$LOG" "$SCRATCH/a" - "$SCRATCH/b" < <(printf '3\n4\n')
	assert_stderr --regexp "full: 3 frames committed, line 2 of standard input \(1 bytes\) does not fit in 2 free bytes.*; the input from there on $REST"
	run cat "$SCRATCH/rest"
	assert_output $'4\n5'
	room 100
	run_shmlog 9 append -i json "$LOG" "$SCRATCH/a" - < <(echo x)
	assert_stderr --partial "bad input: line 1 of standard input: "
	run_shmlog 9 append -i json "$LOG" - < <(echo x)
	assert_stderr --partial "bad input: line 1: "
}

@test "a size word that points beyond the file is said to be damaged" {
	local size

	for size in ffffffffffffffff 0000000000000080 0100010000000000; do
		rm -f "$SCRATCH/rest"
		room 1000
		begin
		echo one >&5
		committed 1
		put_bytes "$LOG" 16 "$size"
		printf 'two\n' >&5
		ends 5 "cannot append: the size word of the log is damaged: it says $(u64_at "$LOG" 16), and the file has 1024 bytes; 1 frames committed before; the input from line 2 on $REST" two
	done
}

# -------------------------------------------------------------------- signals

@test "one signal ends an append whose --overflow takes nothing" {
	local ended=0

	room 7
	seq 100000 >"$SCRATCH/in"
	mkfifo "$SCRATCH/full"
	# Open for reading as well, so that it opens, and nobody reads.
	exec 7<>"$SCRATCH/full"
	shmlog append --overflow "$SCRATCH/full" "$LOG" "$SCRATCH/in" 2>"$SCRATCH/stderr" 3>&- 7>&- &
	append=$!
	wait_for 10 grep -q full: "$SCRATCH/stderr"
	wait_until_asleep "$append"
	kill "$append"
	wait_for 10 has_ended "$append"
	wait "$append" || ended=$?
	exec 7>&-
	assert_equal "$ended" 143
	run cat "$SCRATCH/stderr"
	assert_line --index 1 --regexp "^shmlog append: .*/full: ended by a signal while nobody took what overflows; [0-9]+ bytes were kept, and nothing from byte [0-9]+ of '.*/in' on\$"
}

@test "a signal leaves a slow reader of --overflow the time to take the rest" {
	local ended=0

	room 7
	seq 100000 >"$SCRATCH/in"
	mkfifo "$SCRATCH/slow"
	exec 7<>"$SCRATCH/slow"
	shmlog append --overflow "$SCRATCH/slow" "$LOG" "$SCRATCH/in" 2>"$SCRATCH/stderr" 3>&- 7>&- &
	append=$!
	wait_for 10 grep -q full: "$SCRATCH/stderr"
	wait_until_asleep "$append"
	# It writes nothing between the reader's start and the signal.
	kill -STOP "$append"
	cat "$SCRATCH/slow" >"$SCRATCH/rest" 7>&- 3>&- &
	kill "$append"
	kill -CONT "$append"
	wait "$append" || ended=$?
	exec 7>&-
	wait %+ || true
	assert_equal "$ended" 143
	cmp "$SCRATCH/rest" <(tail -n +2 "$SCRATCH/in")
}

@test "--overflow to a symbolic link that leads nowhere says so" {
	room 100
	ln -s "$SCRATCH/nowhere" "$SCRATCH/link"
	expect 4 '' "shmlog append: $SCRATCH/link: is a symbolic link to a file that does not exist; nothing was appended" \
		append --overflow "$SCRATCH/link" "$LOG" -m x
	assert_not_exist "$SCRATCH/nowhere"
	expect 4 '' "shmlog append: $SCRATCH/link: is a symbolic link to a file that does not exist; nothing was appended" \
		append --create 4K "$SCRATCH/link" -m x
	assert_equal "$(frames_of "$LOG")" 0
	# One that leads to a file is followed.
	: >"$SCRATCH/nowhere"
	room 5
	run_shmlog 6 append --overflow "$SCRATCH/link" "$LOG" -m x -m y
	run cat "$SCRATCH/nowhere"
	assert_output y
}

@test "the owner can read the file of --overflow, whatever the umask" {
	local mask

	for mask in 0777 0400 0600 0027 0; do
		rm -f "$SCRATCH/rest"
		room 5
		run --separate-stderr bash -c 'umask "$1"; exec "${@:2}"' - "$mask" \
			shmlog append --overflow "$SCRATCH/rest" "$LOG" -m x -m y
		assert_equal "$status" 6
		assert_equal "$(stat -c %a "$SCRATCH/rest")" \
			"$(printf %o "$(((0666 & ~mask) | 0600))")"
		run cat "$SCRATCH/rest"
		assert_output y
	done
	# A file that was there keeps its mode.
	chmod 0200 "$SCRATCH/rest"
	room 5
	run_shmlog 6 append --overflow "$SCRATCH/rest" "$LOG" -m x -m z
	assert_equal "$(stat -c %a "$SCRATCH/rest")" 200
}

@test "--overflow keeps what was read when a signal comes" {
	room 1000
	begin
	# One write, so one read: printf of the shell writes line by line.
	printf 'one\ntwo\nthr' >"$SCRATCH/piece"
	dd if="$SCRATCH/piece" bs=64 status=none >&5
	committed 2
	wait_until_asleep "$append"
	kill "$append"
	# Before the end of the input, which would make a record of "thr".
	wait_for 10 has_ended "$append"
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
	ends 143 "ended by a signal while another process held the lock; 0 frames committed; the input from line 1 of standard input on $REST" \
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
	at_once 'xxx\npart' >&5
	kill "$append"
	kill -CONT "$append"
	wait_for 10 has_ended "$append"
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
