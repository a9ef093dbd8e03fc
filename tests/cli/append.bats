# append: where input comes from, commits, a full log, other writers.
load helper

HINT="Try 'shmlog append --help'."

# The payloads of the log, as JSON strings, one a line.
payloads() {
	shmlog dump -t '%j\n' "$LOG"
}

assert_empty() { # FOLDER
	assert_equal "$(ls -A "$1")" ''
}

# A log with room for so many bytes of frames.
room() { # BYTES
	rm -f "$LOG"
	shmlog create "$LOG" -c "$((24 + $1))"
}

# -------------------------------------------------------- where it comes from

@test "append takes standard input where no FILE is given" {
	room 100
	printf 'one\ntwo\n' >"$SCRATCH/in"
	expect 0 '' '' append "$LOG" <"$SCRATCH/in"
	assert_equal "$(payloads)" $'"one"\n"two"'
	{
		printf '\x18\0\0\0\0\0\0\0\x18\0\0\0\0\0\0\0\x26\0\0\0\0\0\0\0'
		printf '\x07\0one\x07\0\x07\0two\x07\0'
		head -c 86 /dev/zero
	} | cmp - "$LOG"
}

@test "append takes each FILE in turn, standard input where one is -" {
	room 100
	printf 'a\nb' >"$SCRATCH/first"
	printf 'd\n' >"$SCRATCH/third"
	expect 0 '' '' append "$LOG" "$SCRATCH/first" - "$SCRATCH/third" < <(printf c)
	assert_equal "$(payloads | xargs)" 'a b c d'
}

@test "append takes a FIFO and a file without a name as FILE" {
	room 100
	mkfifo "$SCRATCH/fifo"
	printf 'a\nb\n' >"$SCRATCH/fifo" 3>&- &
	expect 0 '' '' append "$LOG" "$SCRATCH/fifo" <(echo c)
	assert_equal "$(payloads | xargs)" 'a b c'
}

@test "append of nothing appends nothing" {
	room 100
	remember "$LOG"
	: >"$SCRATCH/empty"
	expect 0 '' '' append --ack "$LOG" </dev/null
	expect 0 '' '' append --ack --atomic "$LOG" "$SCRATCH/empty" - </dev/null
	assert_unchanged "$LOG"
}

@test "append reads no FILE that is missing, and then nothing at all" {
	room 100
	remember "$LOG"
	echo a >"$SCRATCH/a"
	expect 4 '' "shmlog append: $SCRATCH/missing: cannot read: No such file or directory; nothing was appended" \
		append "$LOG" "$SCRATCH/a" "$SCRATCH/missing"
	expect 4 '' "shmlog append: $SCRATCH: cannot read: Is a directory; nothing was appended" \
		append "$LOG" "$SCRATCH/a" "$SCRATCH"
	expect 2 '' "shmlog append: $LOG: is the log itself; nothing was appended" \
		append "$LOG" "$SCRATCH/a" "$LOG"
	assert_unchanged "$LOG"
}

@test "an input that cannot be read is status 4" {
	room 100
	remember "$LOG"
	expect 4 '' "shmlog append: $LOG: cannot read standard input: Is a directory; 0 frames committed" \
		append "$LOG" <"$SCRATCH"
	run --separate-stderr bash -c 'shmlog append "$1" <&-' - "$LOG"
	assert_equal "$status" 4
	assert_output ''
	assert_stderr "shmlog append: $LOG: cannot read standard input: Bad file descriptor; 0 frames committed"
	assert_unchanged "$LOG"
}

@test "append -m appends each text as one frame" {
	room 100
	expect 0 '' '' append "$LOG" -m one --message two --message=three -mfour
	assert_equal "$(payloads | xargs)" 'one two three four'
}

@test "append -m takes any text: empty, with newlines, with any bytes" {
	room 100
	expect 0 '{"frames":4,"cursor":29}' '' append "$LOG" --ack -m '' -m $'a\nb\n' \
		-m $'\xff\x1b' -m $'-m\u202e\r\t'
	shmlog dump -o frames "$LOG" | cmp - <(
		printf '\4\0\4\0\x08\0a\nb\n\x08\0\6\0\xff\x1b\6\0'
		printf '\x0b\0-m\xe2\x80\xae\r\t\x0b\0'
	)
}

@test "append -m takes 65,531 bytes and refuses one more" {
	room 70000
	printf -v big '%65531s' ''
	expect 0 '{"frames":1,"cursor":65535}' '' append "$LOG" --ack -m "$big"
	remember "$LOG"
	expect 9 '' "shmlog append: $LOG: bad input: message 1: 65532 bytes are more than the 65531 that a frame holds; 0 frames committed before it" \
		append "$LOG" -m "$big "
	assert_unchanged "$LOG"
}

@test "append -m beside a FILE or with frames is wrong usage" {
	room 100
	remember "$LOG"
	expect 2 '' "shmlog append: --message and FILE exclude each other
$HINT" append "$LOG" -m a "$SCRATCH/file"
	expect 2 '' "shmlog append: --message cannot hold frames
$HINT" append "$LOG" -m a -i frames
	assert_unchanged "$LOG"
}

# ------------------------------------------------------------------ arguments

@test "append refuses options that it does not know, have no value or one too many" {
	local text

	room 100
	remember "$LOG"
	expect 2 '' "shmlog append: missing operand: LOG
$HINT" append
	expect 2 '' "shmlog append: unknown option '--inp'; did you mean '--input'?
$HINT" append "$LOG" --inp nul
	expect 2 '' "shmlog append: unknown option '--lock'; did you mean '--lock-timeout'?
$HINT" append "$LOG" --lock 1s
	expect 2 '' "shmlog append: unknown option '--rate'
$HINT" append "$LOG" --rate 1
	expect 2 '' "shmlog append: option '-m' needs a value: TEXT
$HINT" append "$LOG" -m
	expect 2 '' "shmlog append: option '--atomic' takes no value
$HINT" append "$LOG" --atomic=1
	expect 2 '' "shmlog append: unknown input format 'line': lines, nul, json, envelope, frames or whole
$HINT" append "$LOG" -i line
	for text in -1 x 1.5 '' 1K; do
		expect 2 '' "shmlog append: --commit-every '$text' is not a number of frames
$HINT" append "$LOG" "--commit-every=$text" -m x
	done
	expect 2 '' "shmlog append: --commit-every '00' is too small: a commit has at least 1 frame
$HINT" append "$LOG" --commit-every=00 -m x
	for text in 18446744073709551616 99999999999999999999999; do
		expect 2 '' "shmlog append: --commit-every '$text' is too large: at most 18446744073709551615
$HINT" append "$LOG" "--commit-every=$text" -m x
	done
	for text in -1s s '' 1x '1 s' .s 1S 1. 99999999999999999999x; do
		expect 2 '' "shmlog append: --lock-timeout '$text' is not a DURATION such as 250us, 10ms, 1.5s, 2m or 30, which is in seconds
$HINT" append "$LOG" "--lock-timeout=$text" -m x
	done
	for text in 10000000000s 9223372037 99999999999999999999 2562048h; do
		expect 2 '' "shmlog append: --writer-timeout '$text' is too large: a DURATION is at most 9223372036 seconds, which are 292 years
$HINT" append "$LOG" "--writer-timeout=$text" -m x
	done
	expect 2 '' "shmlog append: --atomic and --commit-every exclude each other
$HINT" append "$LOG" --atomic --commit-every 2 -m x
	expect 2 '' "shmlog append: --atomic and --overflow exclude each other: there is no rest
$HINT" append "$LOG" --atomic --overflow "$SCRATCH/rest" -m x
	expect 2 '' "shmlog append: --ack and --overflow - would mix on standard output
$HINT" append "$LOG" --ack --overflow - -m x
	assert_unchanged "$LOG"
	assert_not_exist "$SCRATCH/rest"
}

@test "append takes options behind operands, and none behind --" {
	room 100
	echo file >"$SCRATCH/-m"
	cd "$SCRATCH"
	expect 0 '' '' append "$LOG" -m 1
	POSIXLY_CORRECT=1 expect 0 '' '' append "$LOG" -m 2 --lock-timeout 0
	expect 0 '' '' append -m 3 -- "$LOG"
	expect 0 '' '' append -- "$LOG" -m
	assert_equal "$(payloads | xargs)" '1 2 3 file'
}

# --------------------------------------------------------------------- commits

@test "each read is one commit, visible while the writer is still alive" {
	room 1000
	mkfifo "$SCRATCH/fifo"
	shmlog append --ack "$LOG" <"$SCRATCH/fifo" >"$SCRATCH/acks" 3>&- &
	exec 5>"$SCRATCH/fifo"
	at_once 'one\ntwo\npart' >&5
	wait_for 5 test -s "$SCRATCH/acks"
	assert_equal "$(payloads | xargs)" 'one two'
	printf 'ly\n' >&5
	wait_for 5 eval '[[ $(wc -l <"$SCRATCH/acks") == 2 ]]'
	assert_equal "$(payloads | xargs)" 'one two partly'
	printf 'last' >&5
	exec 5>&-
	wait $!
	assert_equal "$(payloads | xargs)" 'one two partly last'
	assert_equal "$(<"$SCRATCH/acks")" '{"frames":2,"cursor":14}
{"frames":1,"cursor":24}
{"frames":1,"cursor":32}'
}

@test "without --ack append prints nothing" {
	room 1000
	seq 9 >"$SCRATCH/in"
	expect 0 '' '' append "$LOG" --commit-every 2 <"$SCRATCH/in"
}

@test "--commit-every N commits N frames at a time, and the rest at the end" {
	room 1000
	seq 7 >"$SCRATCH/in"
	expect 0 '{"frames":3,"cursor":15}
{"frames":3,"cursor":30}
{"frames":1,"cursor":35}' '' append --ack --commit-every 3 "$LOG" "$SCRATCH/in"
	expect 0 '{"frames":1,"cursor":40}
{"frames":1,"cursor":45}' '' append --ack --commit-every 1 "$LOG" -m a -m b
	expect 0 '{"frames":7,"cursor":80}' '' \
		append --ack --commit-every 18446744073709551615 "$LOG" "$SCRATCH/in"
}

@test "frames that wait for --commit-every are not seen before" {
	room 1000
	mkfifo "$SCRATCH/fifo"
	shmlog append --ack --commit-every 3 "$LOG" <"$SCRATCH/fifo" >"$SCRATCH/acks" 3>&- &
	exec 5>"$SCRATCH/fifo"
	at_once '1\n2\n3\n4\n' >&5
	wait_for 5 test -s "$SCRATCH/acks"
	assert_equal "$(payloads | xargs)" '1 2 3'
	exec 5>&-
	wait $!
	assert_equal "$(payloads | xargs)" '1 2 3 4'
	assert_equal "$(<"$SCRATCH/acks")" '{"frames":3,"cursor":15}
{"frames":1,"cursor":20}'
}

@test "acknowledgements that cannot be written are status 4, and the frames stay" {
	room 100
	run --separate-stderr bash -c 'shmlog append --ack "$1" -m x >/dev/full' - "$LOG"
	assert_equal "$status" 4
	assert_stderr --partial 'No space left on device'
	assert_equal "$(payloads)" '"x"'
}

@test "append finds its place behind what others append meanwhile" {
	room 1000
	mkfifo "$SCRATCH/fifo"
	shmlog append --ack "$LOG" <"$SCRATCH/fifo" >"$SCRATCH/acks" 3>&- &
	exec 5>"$SCRATCH/fifo"
	echo first >&5
	wait_for 5 test -s "$SCRATCH/acks"
	expect 0 '{"frames":1,"cursor":19}' '' append --ack "$LOG" -m second
	echo third >&5
	exec 5>&-
	wait $!
	assert_equal "$(payloads | xargs)" 'first second third'
	assert_equal "$(<"$SCRATCH/acks")" '{"frames":1,"cursor":9}
{"frames":1,"cursor":28}'
}

@test "several appends at once lose nothing and keep each writer's order" {
	local writer

	room 100000
	for writer in a b c; do
		seq -f "$writer %04g" 300 |
			shmlog append --commit-every 50 "$LOG" 2>>"$SCRATCH/stderr" 3>&- &
	done
	wait
	assert_equal "$(<"$SCRATCH/stderr")" ''
	assert_equal "$(frames_of "$LOG")" 900
	for writer in a b c; do
		shmlog dump "$LOG" | grep "^$writer" | cmp - <(seq -f "$writer %04g" 300)
	done
	run_shmlog 0 verify -q "$LOG"
}

# -------------------------------------------------------------------- --create

@test "--create makes a log that is missing and leaves one that is there" {
	expect 0 '{"frames":1,"cursor":5}' '' append --ack --create 4K "$LOG" -m a
	assert_equal "$(stat -c %s "$LOG")" 4096
	expect 0 '{"frames":1,"cursor":10}' '' append --ack --create 64K "$LOG" -m b
	assert_equal "$(stat -c %s "$LOG")" 4096
	assert_equal "$(payloads | xargs)" 'a b'
}

@test "--create gives the log the mode that create gives" {
	(
		umask 0027
		expect 0 '' '' append --create 4K "$LOG" -m a
	)
	assert_equal "$(stat -c %a "$LOG")" 640
}

@test "--create makes a log that can be appended to, whatever the umask" {
	local user=()

	((EUID != 0)) || { need setpriv; user=(setpriv --reuid 65534 --regid 65534 --clear-groups); }
	chmod 777 "$SCRATCH"
	for mask in 777 700 077; do
		rm -f "$LOG"
		for _ in 1 2; do
			# shellcheck disable=SC2016
			run --separate-stderr bash -c 'umask "$1"; exec "${@:2}"' - "$mask" \
				"${user[@]}" "$BUILD/shmlog" append --create 4K "$LOG" -m x
			assert_success
			assert_stderr ''
		done
		[[ $(stat -c %a "$LOG") == 600 ]] ||
			{ [[ $mask == 700 ]] && [[ $(stat -c %a "$LOG") == 664 ]]; }
		assert_equal "$(frames_of "$LOG")" 2
	done
}

@test "--create refuses a SIZE that is none and creates nothing" {
	local size

	for size in '' 1.5M -1 0x18 64KB; do
		expect 2 '' "shmlog append: --create '$size' is not a SIZE such as 4096, 64K, 16M or 2GiB, in powers of 1024
$HINT" append "--create=$size" "$LOG" -m a
	done
	for size in 0 23; do
		expect 2 '' "shmlog append: --create '$size' is too small: the header alone takes 24 bytes
$HINT" append "--create=$size" "$LOG" -m a
	done
	for size in 9223372036854775808 16777216T 99999999999999999999999G; do
		expect 2 '' "shmlog append: --create '$size' is too large: no file is longer than 9223372036854775807 bytes
$HINT" append "--create=$size" "$LOG" -m a
	done
	assert_empty "$SCRATCH"
	# Also where the log is there already.
	room 100
	remember "$LOG"
	run_shmlog 2 append --create 23 "$LOG" -m a
	assert_unchanged "$LOG"
}

@test "--create where nothing can be created is status 4" {
	expect 4 '' "shmlog append: $SCRATCH/missing/log: cannot create: No such file or directory" \
		append --create 4K "$SCRATCH/missing/log" -m a
	run_shmlog 4 append --create 8388607T "$LOG" -m a
	assert_output ''
	assert_stderr --regexp "^shmlog append: $LOG: cannot create: (No space left on device|File too large)$"
	assert_empty "$SCRATCH"
}

# -------------------------------------------------------------------- --atomic

@test "--atomic makes all of several inputs one commit" {
	room 1000
	seq 3 >"$SCRATCH/a"
	seq 4 6 >"$SCRATCH/b"
	expect 0 '{"frames":7,"cursor":35}' '' append --atomic --ack "$LOG" \
		"$SCRATCH/a" - "$SCRATCH/b" < <(printf x)
	assert_equal "$(payloads | xargs)" '1 2 3 x 4 5 6'
}

@test "--atomic shows nothing before the end of the input" {
	room 1000
	mkfifo "$SCRATCH/fifo"
	shmlog append --atomic "$LOG" <"$SCRATCH/fifo" 3>&- &
	exec 5>"$SCRATCH/fifo"
	echo one >&5
	wait_until_asleep $!
	assert_equal "$(payloads)" ''
	exec 5>&-
	wait $!
	assert_equal "$(payloads)" '"one"'
}

@test "--atomic appends nothing of an input with a bad last line" {
	room 1000
	remember "$LOG"
	printf '1\n2\n{"a":\n' >"$SCRATCH/in"
	run_shmlog 9 append --atomic --ack -i json "$LOG" <"$SCRATCH/in"
	assert_output ''
	assert_stderr --regexp "^shmlog append: $LOG: bad input: line 3: not JSON: [^;]+; 0 frames committed$"
	assert_unchanged "$LOG"
}

@test "--atomic appends nothing of an input that does not fit" {
	room 20
	remember "$LOG"
	seq 5 >"$SCRATCH/in"
	expect 6 '' "shmlog append: $LOG: full: 0 frames committed, the input does not fit in 20 free bytes as one commit" \
		append --atomic --ack "$LOG" <"$SCRATCH/in"
	assert_unchanged "$LOG"
	seq 4 >"$SCRATCH/in"
	expect 0 '{"frames":4,"cursor":20}' '' append --atomic --ack "$LOG" "$SCRATCH/in"
}

@test "--atomic with --skip-invalid leaves the bad lines out of the one commit" {
	room 1000
	printf '1\nx\n2\n' >"$SCRATCH/in"
	expect 3 '{"frames":2,"cursor":10}' \
		"shmlog append: $LOG: skipped line 2 of '$SCRATCH/in': not JSON: expected a value, found 'x' at byte 1" \
		append --atomic --ack --skip-invalid -i json "$LOG" "$SCRATCH/in"
}

@test "--atomic takes more than memory should hold, as one commit" {
	shmlog create "$LOG" -c 8M
	seq -f 'line %.0f of an input of more than five mebibytes' 120000 >"$SCRATCH/in"
	(($(stat -c %s "$SCRATCH/in") > 5 * 1024 * 1024))
	mkdir "$SCRATCH/spool"
	TMPDIR=$SCRATCH/spool run_shmlog 0 append --atomic --ack "$LOG" "$SCRATCH/in"
	assert_output "{\"frames\":120000,\"cursor\":$(($(stat -c %s "$SCRATCH/in") + 3 * 120000))}"
	assert_stderr ''
	shmlog dump "$LOG" | cmp - "$SCRATCH/in"
	assert_empty "$SCRATCH/spool"
}

@test "--atomic that does not fit appends nothing of a large input either" {
	shmlog create "$LOG" -c 4M
	remember "$LOG"
	seq -f 'line %.0f of an input of more than five mebibytes' 120000 >"$SCRATCH/in"
	mkdir "$SCRATCH/spool"
	TMPDIR=$SCRATCH/spool expect 6 '' "shmlog append: $LOG: full: 0 frames committed, the input does not fit in $((4 * 1024 * 1024 - 24)) free bytes as one commit" \
		append --atomic --ack "$LOG" "$SCRATCH/in"
	assert_unchanged "$LOG"
	assert_empty "$SCRATCH/spool"
}

@test "--atomic without a place to spool appends nothing and says so" {
	shmlog create "$LOG" -c 8M
	remember "$LOG"
	head -c 3M /dev/zero | tr '\0' '\n' >"$SCRATCH/in"
	TMPDIR=$SCRATCH/missing run_shmlog 4 append --atomic "$LOG" "$SCRATCH/in"
	assert_output ''
	assert_stderr "shmlog append: $LOG: cannot hold the input back for one commit: No such file or directory; 0 frames committed"
	assert_unchanged "$LOG"
	# An input that memory holds needs none.
	TMPDIR=$SCRATCH/missing expect 0 '' '' append --atomic "$LOG" -m x
}

# ------------------------------------------------------------------- full logs

@test "a log takes frames up to its last byte" {
	room 16
	expect 0 '{"frames":1,"cursor":16}' '' append --ack "$LOG" -m 123456789012
	expect 0 '' '' append --ack "$LOG" </dev/null
	expect 6 '' "shmlog append: $LOG: full: 0 frames committed, message 1 (0 bytes) does not fit in 0 free bytes (a frame takes 4 more than its payload)" \
		append "$LOG" -m ''
	room 0
	expect 6 '' "shmlog append: $LOG: full: 0 frames committed, message 1 (0 bytes) does not fit in 0 free bytes (a frame takes 4 more than its payload)" \
		append "$LOG" -m ''
	room 4
	expect 0 '{"frames":1,"cursor":4}' '' append --ack "$LOG" -m ''
}

@test "everything before the frame that does not fit is committed" {
	room 25
	printf 'abc\ndef\n0123456789\nx\n' >"$SCRATCH/in"
	expect 6 '{"frames":2,"cursor":14}' \
		"shmlog append: $LOG: full: 2 frames committed, line 3 (10 bytes) does not fit in 11 free bytes (a frame takes 4 more than its payload)" \
		append --ack "$LOG" "-" <"$SCRATCH/in"
	assert_equal "$(payloads | xargs)" 'abc def'
	shmlog verify -q "$LOG"
}

@test "the message of a full log names the frame, its file, its size and the room" {
	room 15
	printf '1\n2\n' >"$SCRATCH/a"
	printf '3\n4444444\n5\n' >"$SCRATCH/b"
	expect 6 '' "shmlog append: $LOG: full: 3 frames committed, line 2 of '$SCRATCH/b' (7 bytes) does not fit in 0 free bytes" \
		append "$LOG" "$SCRATCH/a" "$SCRATCH/b"
	room 15
	expect 6 '' "shmlog append: $LOG: full: 3 frames committed, record 4 (7 bytes) does not fit in 0 free bytes" \
		append -i nul --commit-every 2 "$LOG" < <(printf '%s\0' 1 2 3 4444444 5)
	room 15
	expect 6 '' "shmlog append: $LOG: full: 0 frames committed, '$SCRATCH/b' (12 bytes) does not fit in 15 free bytes (a frame takes 4 more than its payload)" \
		append -i whole "$LOG" "$SCRATCH/b"
	room 15
	expect 6 '' "shmlog append: $LOG: full: 2 frames committed, frame 3 (9 bytes) does not fit in 5 free bytes" \
		append -i frames "$LOG" < <(printf '\5\0x\5\0\5\0y\5\0\x0d\0abcdefghi\x0d\0')
}

@test "a full log of the Node package is left as it is" {
	cp "$FIXTURES/full.shm" "$LOG"
	expect 6 '' "shmlog append: $LOG: full: 0 frames committed, message 1 (1 bytes) does not fit in 0 free bytes" \
		append "$LOG" -m x
	cmp "$LOG" "$FIXTURES/full.shm"
}

# ------------------------------------------------------------------ --overflow

# What is in the log and in the overflow together, as lines.
everything() {
	shmlog dump "$LOG"
	cat "$SCRATCH/rest"
}

@test "--overflow receives the rest of the input, also what was not read yet" {
	local count

	for count in 5 100000; do
		room 22
		rm -f "$SCRATCH/rest"
		seq "$count" >"$SCRATCH/in"
		expect 6 '{"frames":4,"cursor":20}' "shmlog append: $LOG: full: 4 frames committed, line 5 (1 bytes) does not fit in 2 free bytes (a frame takes 4 more than its payload); the input from there on goes to '$SCRATCH/rest'" \
			append --ack --overflow "$SCRATCH/rest" "$LOG" <"$SCRATCH/in"
		everything | cmp - "$SCRATCH/in"
	done
}

# A file of 5 MiB and more is read ahead, on a thread.
large_input() {
	seq 300000
	head -c 3000000 /dev/zero | tr '\0' x
	echo
	seq 300001 500000
	printf end
}

# Appends the large input with ARGUMENTS, and stores what came of it.
append_large() { # NAME ARGUMENT... (input from stdin)
	local name=$1 status=0

	rm -f "$LOG"
	shmlog create -c 16M "$LOG"
	shmlog append --ack "${@:2}" "$LOG" >"$SCRATCH/$name.out" 2>"$SCRATCH/$name.err" || status=$?
	echo "status $status" >>"$SCRATCH/$name.err"
	shmlog dump -o frames "$LOG" >"$SCRATCH/$name.frames"
}

@test "a large file is taken as a pipe's bytes are" {
	local arguments

	large_input >"$SCRATCH/in"
	for arguments in --skip-invalid '--commit-every 1000' --atomic '--atomic --skip-invalid' \
		'-i json --skip-invalid --atomic'; do
		# shellcheck disable=SC2086
		append_large file $arguments <"$SCRATCH/in"
		# shellcheck disable=SC2086
		append_large pipe $arguments < <(cat "$SCRATCH/in")
		# But for where it committed on the way, and how much of a line it
		# had seen then.
		tail -n 1 "$SCRATCH/file.out" | cmp - <(tail -n 1 "$SCRATCH/pipe.out")
		sed -i 's/at least [0-9]* bytes/at least … bytes/' "$SCRATCH"/{file,pipe}.err
		cmp "$SCRATCH/file.err" "$SCRATCH/pipe.err"
		cmp "$SCRATCH/file.frames" "$SCRATCH/pipe.frames"
	done
}

@test "--overflow receives the rest of a large file, and what is behind it" {
	room 2000000
	seq 800000 >"$SCRATCH/in"
	echo more >"$SCRATCH/more"
	run_shmlog 6 append --overflow "$SCRATCH/rest" "$LOG" "$SCRATCH/in" "$SCRATCH/more"
	everything | cmp - <(cat "$SCRATCH/in" "$SCRATCH/more")
	# The same from standard input, where a part was read by another.
	room 2000000
	rm "$SCRATCH/rest"
	{
		read -r _
		run_shmlog 6 append --overflow "$SCRATCH/rest" "$LOG"
	} <"$SCRATCH/in"
	everything | cmp - <(tail -n +2 "$SCRATCH/in")
}

@test "--overflow receives what a slow pipe still brings" {
	room 10
	expect 6 '' "shmlog append: $LOG: full: 2 frames committed, line 3 (1 bytes) does not fit in 0 free bytes; the input from there on goes to '$SCRATCH/rest'" \
		append --overflow "$SCRATCH/rest" "$LOG" < <(
		seq 2
		sleep 0.05
		seq 3 4
		sleep 0.05
		printf 'no newline'
	)
	assert_equal "$(xargs <"$SCRATCH/rest")" '3 4 no newline'
	everything | cmp - <(printf '1\n2\n3\n4\nno newline')
}

@test "--overflow receives the FILE operands that follow, too" {
	room 10
	seq 3 >"$SCRATCH/a"
	printf '5\n6' >"$SCRATCH/c"
	seq 7 8 >"$SCRATCH/d"
	run_shmlog 6 append --overflow "$SCRATCH/rest" "$LOG" "$SCRATCH/a" - \
		"$SCRATCH/c" "$SCRATCH/d" < <(echo 4)
	assert_output ''
	assert_stderr --partial "full: 2 frames committed, line 3 of '$SCRATCH/a' (1 bytes) does not fit in 0 free bytes"
	assert_equal "$(everything)" "$(seq 8)"
}

@test "--overflow receives what does not fit behind a standard input that waited" {
	room 30
	printf 'a1\na2\na3\n' >"$SCRATCH/a"
	printf 'b1\nb2\nb3\n' >"$SCRATCH/b"
	run_shmlog 6 append --commit-every 100 --overflow "$SCRATCH/rest" "$LOG" - \
		"$SCRATCH/b" <"$SCRATCH/a"
	assert_stderr --partial "5 frames committed, line 3 of '$SCRATCH/b' (2 bytes) does not fit"
	assert_equal "$(cat "$SCRATCH/rest")" b3
}

@test "--overflow - writes to standard output" {
	room 10
	expect 6 $'3\n4' "shmlog append: $LOG: full: 2 frames committed, line 3 (1 bytes) does not fit in 0 free bytes; the input from there on goes to '-'" \
		append --overflow - "$LOG" < <(seq 4)
	assert_not_exist -
}

@test "--overflow - chains logs" {
	room 10
	run --separate-stderr bash -o pipefail -c 'seq 20 |
		shmlog append --overflow - "$1" 2>/dev/null | shmlog append --create 4K "$2"' - \
		"$LOG" "$SCRATCH/second"
	assert_equal "$status" 6
	assert_output ''
	assert_stderr ''
	assert_equal "$(shmlog dump "$LOG" && shmlog dump "$SCRATCH/second")" "$(seq 20)"
}

@test "--overflow appends to a file that is there" {
	room 5
	echo before >"$SCRATCH/rest"
	run_shmlog 6 append --overflow "$SCRATCH/rest" "$LOG" < <(seq 3)
	assert_equal "$(xargs <"$SCRATCH/rest")" 'before 2 3'
}

@test "--overflow ends the last record of a file that is there" {
	# FORMAT:WHAT IS THERE:INPUT:WHAT IS THERE THEN
	local row format there input after

	for row in 'lines:one:2\n3:one\n2\n3' 'lines:one\n:2:one\n2' 'nul:n1:n2\0n3:n1\0n2\0n3' \
		'json:{"a"\072 1}:{"b"\072 2}:{"a"\072 1}\n{"b"\072 2}'; do
		IFS=: read -r format there input after <<<"$row"
		room 0
		printf "$there" >"$SCRATCH/rest"
		run_shmlog 6 append -i "$format" --overflow "$SCRATCH/rest" "$LOG" < <(printf "$input")
		cmp "$SCRATCH/rest" <(printf "$after")
	done
	printf before >"$SCRATCH/rest"
	run_shmlog 6 append -i nul --overflow "$SCRATCH/rest" "$LOG" -m text
	cmp "$SCRATCH/rest" <(printf 'before\ntext\n')
	# What is at the place of a FIFO, or before standard output, is not ours.
	run bash -c 'printf before; exec shmlog append --overflow - "$1" -m text 2>/dev/null' - "$LOG"
	assert_output beforetext
	# And a payload that is a whole input has no end but the file's.
	printf before >"$SCRATCH/rest"
	expect 2 '' "shmlog append: $SCRATCH/rest: has something in it, which would become one payload with what overflows; nothing was appended" \
		append -i whole --overflow "$SCRATCH/rest" "$LOG" < <(printf text)
	cmp "$SCRATCH/rest" <(printf before)
	run_shmlog 6 append -i whole --overflow "$SCRATCH/rest" "$LOG" -m text
	cmp "$SCRATCH/rest" <(printf 'before\ntext\n')
}

@test "--overflow leaves no file where nothing overflows" {
	room 100
	expect 0 '' '' append --overflow "$SCRATCH/rest" "$LOG" -m x
	assert_not_exist "$SCRATCH/rest"
	# But one that was there stays.
	: >"$SCRATCH/rest"
	expect 0 '' '' append --overflow "$SCRATCH/rest" "$LOG" -m x
	assert_exist "$SCRATCH/rest"
}

@test "--overflow keeps a record of every format as it was" {
	local format

	printf '"a"\n\n"b"\n  "c" \r\n' >"$SCRATCH/json"
	printf '{"payload":"a"}\n{"event":"x"}\n{"payload":"Yg==","encoding":"base64"}\n{"size":1,"payload":"c"}\n' >"$SCRATCH/envelope"
	printf 'a\0b\0\0c\0' >"$SCRATCH/nul"
	printf '\5\0a\5\0\5\0b\5\0\4\0\4\0' >"$SCRATCH/frames"
	for format in json envelope nul frames; do
		room 7
		rm -f "$SCRATCH/rest"
		run_shmlog 6 append -i "$format" --overflow "$SCRATCH/rest" "$LOG" "$SCRATCH/$format"
		shmlog dump "$LOG" | cmp - <([[ $format == json ]] && echo '"a"' || echo a)
		# The tail of the input, byte for byte.
		tail -c "$(stat -c %s "$SCRATCH/rest")" "$SCRATCH/$format" | cmp - "$SCRATCH/rest"
		room 1000
		shmlog append -i "$format" "$LOG" "$SCRATCH/$format"
		local all
		all=$(payloads)
		room 1000
		shmlog append -i "$format" "$LOG" "$SCRATCH/rest"
		assert_equal "$(payloads)" "$(sed 1d <<<"$all")"
	done
}

@test "--overflow of messages can be appended as lines" {
	room 10
	run_shmlog 6 append --overflow "$SCRATCH/rest" "$LOG" -m 1 -m 2 -m 3 -m ''
	assert_stderr "shmlog append: $LOG: full: 2 frames committed, message 3 (1 bytes) does not fit in 0 free bytes; the input from there on goes to '$SCRATCH/rest'"
	cmp "$SCRATCH/rest" <(printf '3\n\n')
}

@test "--overflow that cannot be opened appends nothing" {
	room 100
	remember "$LOG"
	expect 4 '' "shmlog append: $SCRATCH/missing/rest: cannot open for what overflows: No such file or directory" \
		append --overflow "$SCRATCH/missing/rest" "$LOG" -m x
	expect 4 '' "shmlog append: $SCRATCH: cannot open for what overflows: Is a directory" \
		append --overflow "$SCRATCH" "$LOG" -m x
	assert_unchanged "$LOG"
}

@test "--overflow that cannot be written is status 4 and says what is lost" {
	room 5
	run_shmlog 4 append --overflow /dev/full "$LOG" < <(seq 3)
	assert_output ''
	assert_stderr "shmlog append: $LOG: full: 1 frames committed, line 2 (1 bytes) does not fit in 0 free bytes; the input from there on goes to '/dev/full'
shmlog append: /dev/full: cannot write what overflows: No space left on device; 0 bytes were kept, and nothing from byte 3 of standard input on"
}

@test "--overflow into the log itself is wrong usage" {
	local force

	ulimit -f 1024
	room 20
	remember "$LOG"
	seq 100 >"$SCRATCH/in"
	ln "$LOG" "$SCRATCH/link"
	for force in '' --force; do
		run_shmlog 2 append --overflow "$SCRATCH/link" "$LOG" "$SCRATCH/in" $force
		assert_output ''
		assert_stderr --partial 'is the log itself'
		assert_unchanged "$LOG"
	done
}

@test "--overflow into what is read is wrong usage" {
	# A file that feeds itself would fill the file system.
	ulimit -f 1024
	room 20
	remember "$LOG"
	seq 100 >"$SCRATCH/in"
	remember "$SCRATCH/in"
	run_shmlog 2 append --overflow "$SCRATCH/in" "$LOG" "$SCRATCH/in"
	assert_output ''
	refute_stderr ''
	run_shmlog 2 append --overflow "$SCRATCH/in" "$LOG" <"$SCRATCH/in"
	assert_output ''
	refute_stderr ''
	assert_unchanged "$LOG"
	assert_unchanged "$SCRATCH/in"
}

# --------------------------------------------------------------- other writers

@test "a writer that takes no lock is refused at once, and named" {
	skip_if_portable "no lease shows a live writer"
	local started ended

	room 100
	remember "$LOG"
	exec 9<>"$LOG"
	started=$(date +%s%N)
	run --separate-stderr shmlog append "$LOG" -m x
	ended=$(date +%s%N)
	assert_equal "$status" 7
	assert_output ''
	assert_stderr --regexp "^shmlog append: $LOG: cannot append: another writer has the log open: pid [0-9]+ \('.*bash.*'\), which has not mapped it: it may merely have inherited the descriptor of a writer; 0 frames committed$"
	assert_unchanged "$LOG"
	# It waits for nothing: a lease is broken after 45 s.
	((ended - started < 200000000 * SLACK))
	exec 9>&-
	expect 0 '' '' append "$LOG" -m x
	assert_equal "$(payloads)" '"x"'
}

@test "--force appends beside another writer" {
	skip_if_portable "no lease shows a live writer"
	room 100
	exec 9<>"$LOG"
	expect 0 '{"frames":1,"cursor":5}' '' append --force --ack "$LOG" -m x
	exec 9>&-
	assert_equal "$(payloads)" '"x"'
}

@test "a writer that comes later is refused at the next commit" {
	skip_if_portable "no lease shows a live writer"
	room 1000
	mkfifo "$SCRATCH/fifo"
	shmlog append --ack "$LOG" <"$SCRATCH/fifo" >"$SCRATCH/acks" 2>"$SCRATCH/stderr" 3>&- &
	local append=$!
	exec 5>"$SCRATCH/fifo"
	echo one >&5
	wait_for 5 test -s "$SCRATCH/acks"
	exec 9<>"$LOG"
	echo two >&5
	status=0
	wait "$append" || status=$?
	assert_equal "$status" 7
	exec 9>&- 5>&-
	assert_equal "$(payloads)" '"one"'
	run cat "$SCRATCH/stderr"
	assert_output --regexp "^shmlog append: $LOG: cannot append: another writer has the log open: pid [0-9]+ \(.*\), which has not mapped it: .*; 1 frames committed before$"
}

# Runs shmlog as a user who may write the log without owning it.
as_stranger() { # ARGUMENT...
	separately setpriv --reuid 65534 --regid 65534 --clear-groups \
		shmlog "$@"
}

@test "append says once that it cannot look for a writer that takes no lock" {
	skip_if_portable "no lease shows a live writer"
	need setpriv
	[[ $(id -u) == 0 ]] || skip 'takes a second user'
	chmod 755 "$SCRATCH"
	(umask 0 && shmlog create --mode 0666 -c 4K "$LOG")
	exec 9<>"$LOG"
	as_stranger append --commit-every 1 "$LOG" < <(seq 3)
	exec 9>&-
	assert_equal "$status" 0
	assert_equal "${#stderr_lines[@]}" 1
	assert_stderr --regexp "^shmlog append: $LOG: cannot tell whether another writer has the log open: ([0-9]+ process(es)? may not be looked into|/proc does not show all processes here); one that takes no lock, such as a Node process, may overwrite what is appended$"
	# Whoever is told to append in any case does not look.
	as_stranger append --force "$LOG" -m four
	assert_stderr ''
	# For its owner the system itself knows.
	expect 0 '' '' append "$LOG" -m five
	assert_equal "$(payloads | wc -l)" 5
}

@test "append says that it has no descriptors to look for a writer with" {
	skip_if_portable "no lease shows a live writer"
	skip_if_sanitized "a sanitizer has descriptors of its own"
	need setpriv
	[[ $(id -u) == 0 ]] || skip 'takes a second user'
	chmod 755 "$SCRATCH"
	(umask 0 && shmlog create --mode 0666 -c 4K "$LOG")
	# setpriv can run a shmlog in a folder that the stranger may not enter, a
	# shell of his could not.
	separately bash -c "exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
		ulimit -n 5; exec setpriv --reuid 65534 --regid 65534 \
			--clear-groups shmlog append '$LOG' -m x"
	assert_equal "$status" 0
	assert_stderr "shmlog append: $LOG: cannot tell whether another writer has the log open: cannot look into /proc: Too many open files; one that takes no lock, such as a Node process, may overwrite what is appended"
}

@test "a writer that cannot be seen is refused all the same" {
	skip_if_portable "no lease shows a live writer"
	unshare -pf --mount-proc true 2>/dev/null || skip 'no PID namespaces here'
	room 100
	exec 9<>"$LOG"
	separately unshare -pf --mount-proc bash -c \
		"exec 9>&-; exec shmlog append '$LOG' -m x"
	exec 9>&-
	assert_equal "$status" 7
	assert_stderr "shmlog append: $LOG: cannot append: another writer has the log open, a process that has closed it since or that cannot be seen from here; 0 frames committed"
}

# Whether a process sleeps in write(2), on systems that tell.
is_writing() { # PID
	[[ $(cat "/proc/$1/syscall" 2>/dev/null) == 1\ * ]]
}

# Starts an append that has streamed for long enough to keep its access, fed
# through descriptor 5; sets `stream`.
stream_begin() {
	local i

	room 65536
	mkfifo "$SCRATCH/fifo"
	shmlog append "$LOG" <"$SCRATCH/fifo" >"$SCRATCH/out" 2>"$SCRATCH/stderr" 3>&- &
	stream=$!
	exec 5>"$SCRATCH/fifo"
	for i in {1..40}; do
		echo "stream $i" >&5
		sleep 0.01
	done
}

@test "a signal ends an append that is committing, with all that it has read" {
	local ended=0

	room 4000000
	seq 20000 >"$SCRATCH/lines"
	mkfifo "$SCRATCH/fifo"
	exec 5<>"$SCRATCH/fifo"
	# There for one read; the input stays open.
	head -c 32766 "$SCRATCH/lines" >&5
	shmlog append --commit-every 1 --ack "$LOG" <"$SCRATCH/fifo" 5>&- \
		>"$SCRATCH/acks" 2>"$SCRATCH/stderr" 3>&- &
	wait_for 10 test -s "$SCRATCH/acks"
	kill -TERM $!
	wait $! || ended=$?
	exec 5>&-
	assert_equal "$ended" 143
	head -c 32766 "$SCRATCH/lines" | head -n -1 >"$SCRATCH/whole"
	shmlog dump "$LOG" | cmp - "$SCRATCH/whole"
	run cat "$SCRATCH/stderr"
	assert_output ''
}

@test "a signal ends an append whose input overflows" {
	local ended=0

	room 24
	yes | shmlog append --overflow "$SCRATCH/rest" "$LOG" 2>"$SCRATCH/stderr" 3>&- &
	wait_for 10 test -s "$SCRATCH/rest"
	kill -TERM $!
	wait $! || ended=$?
	assert_equal "$ended" 143
	# Lines of one letter, to the last one: there may be a gigabyte of them.
	assert_equal "$(tr -d 'y\n' <"$SCRATCH/rest" | wc -c)" 0
	assert_equal "$(tail -c 4 "$SCRATCH/rest")" $'y\ny'
}

@test "a signal that ends the wait for the lock says so" {
	need flock
	local ended=0

	room 100
	exec 9<"$LOG"
	flock 9
	shmlog append "$LOG" -m x 2>"$SCRATCH/stderr" 9<&- 3>&- &
	wait_until_asleep $!
	kill -TERM $!
	wait $! || ended=$?
	exec 9<&-
	assert_equal "$ended" 143
	run cat "$SCRATCH/stderr"
	assert_output "shmlog append: $LOG: ended by a signal while another process held the lock; 0 frames committed"
}

@test "what overflows behind a record that was too long is not what was committed" {
	room 10
	{ head -c 70000 /dev/zero | tr '\0' x; sleep 0.3; printf 'xxx\na\nb\nc\n'; } |
		separately shmlog append --skip-invalid --overflow "$SCRATCH/rest" "$LOG" ||
		true
	run shmlog dump "$LOG"
	assert_output $'a\nb'
	run cat "$SCRATCH/rest"
	assert_output c
}

@test "input and overflow that are not in blocking mode are waited for" {
	need perl
	room 64
	run perl -MFcntl -e '
		my $lines = join "", map { "$_\n" } 100000 .. 599999;
		pipe my $inner, my $into;
		pipe my $out, my $outer;
		fcntl $_, F_SETFL, O_NONBLOCK | fcntl $_, F_GETFL, 0 for $inner, $outer;
		unless (my $append = fork) {
			open STDIN, "<&", $inner;
			open STDOUT, ">&", $outer;
			open STDERR, ">", "/dev/null";
			close $_ for $inner, $into, $out, $outer;
			exec "shmlog", "append", "--overflow", "-", $ARGV[0];
		}
		close $inner;
		close $outer;
		unless (fork) {
			close $out;
			select undef, undef, undef, 0.2;
			print $into $lines;
			close $into;
			exit;
		}
		close $into;
		select undef, undef, undef, 0.4;
		my $rest = do { local $/; <$out> };
		wait;
		my $gone = length($lines) - length $rest;
		print $gone, " ", substr($lines, $gone) eq $rest ? "the rest" : "not all";
	' "$LOG"
	assert_output '42 the rest'
}

@test "an append that streams makes no other wait" {
	stream_begin
	# Within the 100 ms for which it may keep the log, and after them.  On a
	# busy machine it may be late to give it away, but not always.
	local more=0
	until
		((++more))
		echo "more $more" >&5
		separately shmlog append --lock-timeout 50ms "$LOG" -m two
		((status != 7 || more >= 2 * SLACK))
	do
		wait_until_asleep "$stream"
	done
	assert_equal "$status" 0
	sleep 0.2
	expect 0 '' '' append --lock-timeout 50ms "$LOG" -m three
	echo last >&5
	exec 5>&-
	wait "$stream"
	assert_equal "$(shmlog dump "$LOG" | grep -v '^two$')" "$(
		seq -f 'stream %g' 40
		seq -f 'more %g' "$more"
		printf 'three\nlast'
	)"
	assert_equal "$(shmlog dump "$LOG" | grep -c '^two$')" 1
}

@test "a plain writer that comes to a stream is noticed at the next commit" {
	skip_if_portable "no lease shows a live writer"
	stream_begin
	# No look at the log here: that would end what is kept.
	wait_until_asleep "$stream"
	exec 9<>"$LOG"
	echo lost >&5
	status=0
	wait "$stream" || status=$?
	assert_equal "$status" 7
	exec 9>&- 5>&-
	run cat "$SCRATCH/stderr"
	assert_output --partial "another writer has the log open: pid"
	assert_output --partial "40 frames committed before"
}

@test "a stream that is stopped with ^Z keeps nobody waiting" {
	stream_begin
	for _ in {1..20}; do
		kill -TSTP "$stream"
		expect 0 '' '' append --lock-timeout "${SLACK}s" "$LOG" -m x
		kill -CONT "$stream"
		echo more >&5
	done
	exec 5>&-
	wait "$stream"
	assert_equal "$(frames_of "$LOG")" 80
}

@test "a stream whose acknowledgements nobody takes keeps nobody waiting" {
	skip_if_portable # nothing is kept there
	[[ $(cat /proc/$$/syscall 2>/dev/null) && $(uname -m) == x86_64 ]] ||
		skip "nothing tells where a process sleeps"
	room 1000000
	mkfifo "$SCRATCH/fifo" "$SCRATCH/acks"
	shmlog append --ack --commit-every 1 "$LOG" <"$SCRATCH/fifo" >"$SCRATCH/acks" 3>&- &
	local append=$!
	exec 5>"$SCRATCH/fifo" 6<"$SCRATCH/acks"
	{ for _ in {1..40}; do echo x; sleep 0.01; done; seq 100000; } >&5 &
	wait_for 10 is_writing "$append"
	expect 0 '' '' append --lock-timeout "$((50 * SLACK))ms" "$LOG" -m other
	kill -9 "$append"
	exec 5>&- 6<&-
}

@test "a reader never causes a refusal" {
	room 100
	exec 9<"$LOG"
	shmlog tail -f "$LOG" >"$SCRATCH/out" 3>&- 9<&- &
	local tail=$!
	expect 0 '' '' append "$LOG" -m x
	wait_for 5 test -s "$SCRATCH/out"
	expect 0 '' '' append "$LOG" -m y
	kill "$tail"
	exec 9<&-
	assert_equal "$(payloads | xargs)" 'x y'
}

@test "--lock-timeout ends the wait for a lock with status 7" {
	local started ended

	need flock
	room 100
	remember "$LOG"
	exec 8<"$LOG"
	flock 8
	started=$(date +%s%N)
	run_shmlog 7 append --lock-timeout 150ms "$LOG" -m x
	ended=$(date +%s%N)
	assert_output ''
	assert_stderr --regexp "^shmlog append: $LOG: cannot append: another process holds the lock.*; 0 frames committed$"
	((ended - started >= 150000000 && ended - started < 5000000000 * SLACK))
	run_shmlog 7 append --lock-timeout 0 "$LOG" -m x
	assert_unchanged "$LOG"
	flock -u 8
	expect 0 '' '' append --lock-timeout 0 "$LOG" -m x
	exec 8<&-
}

@test "without --lock-timeout append waits for the lock" {
	need flock
	room 100
	exec 8<"$LOG"
	flock 8
	shmlog append "$LOG" -m x 3>&- 8<&- &
	wait_until_asleep $!
	assert_equal "$(payloads)" ''
	kill -0 $!
	flock -u 8
	wait $!
	exec 8<&-
	assert_equal "$(payloads)" '"x"'
}

# --------------------------------------------------------------------- signals

@test "SIGTERM and SIGINT commit the whole lines that were read and end by the signal" {
	local signal number append

	for signal in TERM:143 INT:130 HUP:129; do
		number=${signal#*:}
		room 1000
		rm -f "$SCRATCH"/{fifo,acks}
		mkfifo "$SCRATCH/fifo"
		# Job control gives the job back the SIGINT that bash ignores for it.
		set -m
		shmlog append --ack --commit-every 100 "$LOG" <"$SCRATCH/fifo" \
			>"$SCRATCH/acks" 2>"$SCRATCH/stderr" 3>&- &
		append=$!
		set +m
		exec 5>"$SCRATCH/fifo"
		at_once 'one\ntwo\nthr' >&5
		wait_until_asleep "$append"
		kill -s "${signal%:*}" "$append"
		status=0
		wait "$append" || status=$?
		exec 5>&-
		assert_equal "$status" "$number"
		assert_equal "$(payloads | xargs)" 'one two'
		assert_equal "$(<"$SCRATCH/acks")" '{"frames":2,"cursor":14}'
		assert_equal "$(<"$SCRATCH/stderr")" ''
	done
}

@test "a signal leaves nothing of an --atomic input" {
	local append

	room 1000
	remember "$LOG"
	mkfifo "$SCRATCH/fifo"
	shmlog append --atomic --ack "$LOG" <"$SCRATCH/fifo" >"$SCRATCH/acks" 3>&- &
	append=$!
	exec 5>"$SCRATCH/fifo"
	at_once 'one\ntwo\n' >&5
	wait_until_asleep "$append"
	kill "$append"
	status=0
	wait "$append" || status=$?
	exec 5>&-
	assert_equal "$status" 143
	assert_unchanged "$LOG"
	assert_equal "$(<"$SCRATCH/acks")" ''
}

@test "a killed append leaves no lock" {
	local append

	room 1000
	mkfifo "$SCRATCH/fifo"
	shmlog append --ack "$LOG" <"$SCRATCH/fifo" >"$SCRATCH/acks" 3>&- &
	append=$!
	exec 5>"$SCRATCH/fifo"
	echo one >&5
	wait_for 5 test -s "$SCRATCH/acks"
	kill -9 "$append"
	status=0
	wait "$append" || status=$?
	exec 5>&-
	expect 0 '{"frames":1,"cursor":14}' '' append --ack --lock-timeout 0 "$LOG" -m two
}

# ------------------------------------------------------------- what is no log

@test "append refuses what is no log and leaves it as it is" {
	local name why before word

	mkdir "$SCRATCH/folder"
	mkfifo "$SCRATCH/fifo"
	: >"$SCRATCH/empty"
	echo foreign >"$SCRATCH/short"
	head -c 64 /dev/zero >"$SCRATCH/zero"
	printf 'A text that is longer than a header.\n' >"$SCRATCH/text"
	word=$(u64_at "$SCRATCH/text" 0)
	ln -s text "$SCRATCH/link"
	before=$(cd "$SCRATCH" && stat -c '%n %i %s %y' -- * && sha256sum short zero text)
	while IFS='|' read -r name why; do
		run --separate-stderr limited 10 shmlog append "$SCRATCH/$name" -m x
		assert_equal "$status" 5
		assert_output ''
		assert_stderr "shmlog append: $SCRATCH/$name: not a log: $why; nothing was changed"
		run --separate-stderr limited 10 shmlog append --force --create 4K "$SCRATCH/$name" -m x
		assert_equal "$status" 5
		assert_stderr "shmlog append: $SCRATCH/$name: not a log: $why; nothing was changed"
	done <<-EOF2
		folder|it is no regular file
		fifo|it is no regular file
		empty|it has 0 bytes, and a header alone takes 24
		short|it has 8 bytes, and a header alone takes 24
		zero|its header is all zeros: it was never initialised, or is just being created
		text|headerSize $word is not from 24 to the file's 37 bytes
		link|headerSize $word is not from 24 to the file's 37 bytes
	EOF2
	expect 5 '' 'shmlog append: /dev/null: not a log: it is no regular file; nothing was changed' \
		append /dev/null -m x
	assert_equal "$(cd "$SCRATCH" && stat -c '%n %i %s %y' -- * && sha256sum short zero text)" "$before"
}

@test "append names the word of an impossible header" {
	local offset value why

	cp "$FIXTURES/odd-capacity.shm" "$LOG"
	while IFS='|' read -r offset value why; do
		cp "$FIXTURES/odd-capacity.shm" "$LOG"
		put_u64 "$LOG" "$offset" "$value"
		remember "$LOG"
		expect 5 '' "shmlog append: $LOG: not a log: $why; nothing was changed" \
			append "$LOG" -m x
		assert_unchanged "$LOG"
	done <<-'EOF2'
		0|0|headerSize 0 is not from 24 to the file's 1000 bytes
		0|23|headerSize 23 is not from 24 to the file's 1000 bytes
		0|1001|headerSize 1001 is not from 24 to the file's 1000 bytes
		8|0|dataOffset 0 is not from 24 to the file's 1000 bytes
		8|23|dataOffset 23 is not from 24 to the file's 1000 bytes
		8|1001|dataOffset 1001 is not from 24 to the file's 1000 bytes
		16|23|size 23 lies below dataOffset 24
		16|1001|size 1001 lies beyond the file's 1000 bytes
		16|-1|size 18446744073709551615 lies beyond the file's 1000 bytes
	EOF2
}

@test "append follows a symlink to a log, and refuses one that leads nowhere" {
	room 100
	ln -s log.shm "$SCRATCH/link"
	expect 0 '' '' append "$SCRATCH/link" -m x
	assert_equal "$(payloads)" '"x"'
	ln -s nowhere "$SCRATCH/dangling"
	expect 4 '' "shmlog append: $SCRATCH/dangling: cannot open: No such file or directory" \
		append "$SCRATCH/dangling" -m x
	run_shmlog 4 append --create 4K "$SCRATCH/dangling" -m x
	assert_not_exist "$SCRATCH/nowhere"
}

@test "a log that is missing is status 4" {
	expect 4 '' "shmlog append: $LOG: cannot open: No such file or directory; --create SIZE makes it" append "$LOG" -m x
	assert_not_exist "$LOG"
	# Where --create would not help, nothing is said of it.
	expect 4 '' "shmlog append: $SCRATCH/no/log: cannot open: No such file or directory" \
		append "$SCRATCH/no/log" -m x
}

@test "--sync --create in memory is refused, and leaves nothing" {
	[[ $(stat -f -c %T "$SCRATCH" 2>/dev/null) == tmpfs ]] || skip 'no memory to be seen here'
	skip_if_portable "it cannot tell memory from a disk"
	expect 4 '' "shmlog append: $LOG: cannot create it to --sync: the log would be in memory, of which nothing outlasts a power cut; nothing was created" \
		append --sync --create 4K "$LOG" -m x
	assert_equal "$(ls -A "$SCRATCH")" ''
	room 100
	run_shmlog 4 append --sync --create 4K "$LOG" -m x
	assert_exist "$LOG"
}

@test "a torn log is refused and left as it is" {
	local size at there

	# Frames end at 28 and 33; every other end is inside of one.
	for size in 25 26 27 29 30 31 32; do
		at=$((size < 28 ? 0 : 4)) there=$((size - (size < 28 ? 24 : 28)))
		printf '\x18\0\0\0\0\0\0\0\x18\0\0\0\0\0\0\0%8s\4\0\4\0\5\0x\5\0' '' >"$LOG"
		truncate -s 100 "$LOG"
		put_u64 "$LOG" 16 "$size"
		remember "$LOG"
		run_shmlog 5 append --force "$LOG" -m x
		assert_output ''
		if ((there == 1)); then
			there='1 byte is too few for a size word'
		else
			there="its size word says $((at + (at == 0 ? 4 : 1))), but there are only $there bytes to the end of the committed data"
		fi
		assert_stderr "shmlog append: $LOG: cannot append: the committed data ends inside a frame: torn frame at cursor $at: $there; 0 frames committed"
		assert_unchanged "$LOG"
	done
	put_u64 "$LOG" 16 28
	expect 0 '{"frames":1,"cursor":9}' '' append --ack "$LOG" -m y
	assert_equal "$(payloads)" $'""\n"y"'
}

@test "append honours a dataOffset above 24, also an odd one" {
	# headerSize 24, dataOffset 31, size 36.
	printf '\x18\0\0\0\0\0\0\0\x1f\0\0\0\0\0\0\0\x24\0\0\0\0\0\0\0PRIVATE\5\0x\5\0' >"$LOG"
	truncate -s 47 "$LOG"
	expect 0 '{"frames":1,"cursor":11}' '' append --ack "$LOG" -m yy
	expect 6 '' "shmlog append: $LOG: full: 0 frames committed, message 1 (2 bytes) does not fit in 5 free bytes (a frame takes 4 more than its payload)" \
		append "$LOG" -m zz
	printf '\x18\0\0\0\0\0\0\0\x1f\0\0\0\0\0\0\0\x2a\0\0\0\0\0\0\0PRIVATE\5\0x\5\0\6\0yy\6\0\0\0\0\0\0' |
		cmp - "$LOG"
}

@test "append honours a headerSize above 24" {
	printf '\x20\0\0\0\0\0\0\0\x20\0\0\0\0\0\0\0\x20\0\0\0\0\0\0\0METADATA' >"$LOG"
	truncate -s 64 "$LOG"
	expect 0 '{"frames":1,"cursor":5}' '' append --ack "$LOG" -m x
	assert_equal "$(u64_at "$LOG" 0)" 32
	assert_equal "$(head -c 32 "$LOG" | tail -c 8)" METADATA
}

@test "append writes over leftovers beyond the commit" {
	cp "$FIXTURES/uncommitted.shm" "$LOG"
	expect 0 '{"frames":1,"cursor":80}' '' append --ack "$LOG" -m x
	assert_equal "$(frames_of "$LOG")" 6
	# All but the new frame and the word that publishes it is as it was.
	cmp <(head -c 16 "$LOG") <(head -c 16 "$FIXTURES/uncommitted.shm")
	cmp <(tail -c +25 "$LOG" | head -c 75) <(tail -c +25 "$FIXTURES/uncommitted.shm" | head -c 75)
	cmp <(tail -c +105 "$LOG") <(tail -c +105 "$FIXTURES/uncommitted.shm")
}

@test "append to a sparse log on a full file system is status 4 and no signal" {
	local mounted

	((EUID == 0)) || skip "mounting needs root"
	need unshare
	# shellcheck disable=SC2016
	mounted='mount -t tmpfs -o size=64k none "$1" || exit 77
		cd "$1" && shmlog create --sparse log -c 1M || exit 78
		yes | head -c 300000 | shmlog append log; echo "status $?"
		shmlog verify -q log; echo "verify $?"'
	mkdir "$SCRATCH/small"
	run --separate-stderr unshare -m bash -c "$mounted" - "$SCRATCH/small"
	[[ $status -ne 77 && $status -ne 1 ]] || skip "mounting is not allowed"
	assert_output $'status 4\nverify 0'
	assert_stderr --partial 'No space left on device'
}

# ------------------------------------------------------------- network locks

@test "append works where the lock takes a descriptor open for writing" {
	local shim writer

	preload network_locks
	room 100000
	export LD_PRELOAD=$shim
	run_shmlog 0 append --ack "$LOG" -m x
	assert_output '{"frames":1,"cursor":5}'
	# Without a lease /proc is looked at, which may hide some processes.
	assert_equal "$(grep -v 'cannot tell whether another writer' <<<"$stderr")" ''
	shmlog tail -f "$LOG" >"$SCRATCH/out" 2>&1 3>&- &
	for writer in {1..4}; do
		seq -f "$writer %.0f" 300 |
			shmlog append --commit-every 1 "$LOG" 2>>"$SCRATCH/stderr" 3>&- &
	done
	for _ in {1..4}; do
		run_shmlog 0 append "$LOG" -m more
	done
	wait_for 60 test "$(jobs -rp | wc -l)" -le 5
	wait_for 60 has_frames 1205
	kill %1
	unset LD_PRELOAD
	# On a busy machine one may wait for another longer than without a word.
	run grep -v -e 'cannot tell whether another writer' -e ': waiting for the lock' \
		"$SCRATCH/stderr"
	assert_output ''
	for writer in {1..4}; do
		assert_equal "$(shmlog dump "$LOG" | grep "^$writer ")" \
			"$(seq -f "$writer %.0f" 300)"
	done
	expect 0 '' '' verify -q "$LOG"
}

has_frames() { # FRAMES
	[[ $(frames_of "$LOG") == "$1" ]]
}

@test "a lock that takes a descriptor open for writing keeps others out" {
	local shim

	preload network_locks
	need flock
	room 1000
	LD_PRELOAD=$shim flock --no-fork "$LOG" sleep 60 3>&- &
	sleep 0.3
	LD_PRELOAD=$shim run_shmlog 7 append --lock-timeout 50ms "$LOG" -m x
	assert_stderr --partial "another process holds the lock"
	kill $!
	chmod 444 "$LOG"
	((EUID == 0)) || LD_PRELOAD=$shim run_shmlog 4 append "$LOG" -m x
}

@test "a signal ends an append whose acknowledgements nobody takes" {
	local result=0 pid

	shmlog create -c 4M "$LOG"
	mkfifo "$SCRATCH/pipe"
	exec 8<>"$SCRATCH/pipe"
	seq 20000 | shmlog append --ack --commit-every 1 "$LOG" >&8 \
		2>"$SCRATCH/err" 3>&- &
	pid=$!
	# Some 30 bytes each: the pipe is full long before all is committed.
	wait_until_asleep "$pid"
	kill "$pid"
	wait_for 20 has_ended "$pid"
	wait "$pid" || result=$?
	assert_equal "$result" 143
	run_shmlog 0 verify "$LOG"
	# What was acknowledged is there.
	timeout 1 cat <&8 >"$SCRATCH/acks" || true
	assert [ "$(grep -c '}$' "$SCRATCH/acks")" -le "$(frames_of "$LOG")" ]
}
