# What a command prints, keeps or reads is not the log itself, by whatever name.
load helper

setup() {
	scratch_make
	shmlog create "$LOG" -c 64K
	shmlog append "$LOG" -m one -m two
	ln "$LOG" "$SCRATCH/hard"
	ln -s log.shm "$SCRATCH/soft"
	remember "$LOG"
}

OUT='standard output leads into it; nothing was written'

# Runs a shell line in the scratch folder; the log is as it was.
refuses() { # LINE COMMAND MESSAGE
	run --separate-stderr bash -c "cd \"\$1\" && { $1; }" - "$SCRATCH"
	assert_equal "$status" 2
	assert_output ''
	assert_stderr "${2:+shmlog $2: $3}"
	assert_unchanged "$LOG"
}

@test "no command prints into the log that it is about" {
	local name

	for name in log.shm hard soft; do
		refuses "shmlog dump log.shm >>$name" dump "log.shm: $OUT"
		refuses "shmlog dump $name >>log.shm" dump "$name: $OUT"
		refuses "shmlog tail log.shm >>$name" tail "log.shm: $OUT"
		refuses "shmlog tail -f log.shm 1<>$name" tail "log.shm: $OUT"
		refuses "shmlog tail -F log.shm 1<>$name" tail "log.shm: $OUT"
		refuses "shmlog seek log.shm 0 >>$name" seek "log.shm: $OUT"
		refuses "shmlog stat log.shm >>$name" stat "log.shm: $OUT"
		refuses "shmlog stat --watch log.shm >>$name" stat "log.shm: $OUT"
		refuses "shmlog verify log.shm >>$name" verify "log.shm: $OUT"
		refuses "shmlog append log.shm -m x >>$name" append "log.shm: $OUT"
		refuses "shmlog append log.shm --ack -m x 1<>$name" append "log.shm: $OUT"
		refuses "shmlog append log.shm --overflow - -m x 1<>$name" append "log.shm: $OUT"
		refuses "shmlog append --create 4K log.shm --ack -m x >>$name" append "log.shm: $OUT"
	done
}

@test "of several logs, the last is not printed into either" {
	cp "$LOG" "$SCRATCH/first"
	refuses "shmlog stat first log.shm >>log.shm" stat "log.shm: $OUT"
	refuses "shmlog verify first log.shm >>log.shm" verify "log.shm: $OUT"
}

@test "no message goes into the log" {
	refuses 'shmlog dump log.shm 2>>log.shm' '' ''
	refuses 'shmlog append log.shm -m x 2>>soft' '' ''
	refuses 'shmlog tail -F log.shm 2>>log.shm' '' ''
	refuses 'shmlog stat log.shm &>>log.shm' '' ''
}

@test "a damaged log is not printed into" {
	put_bytes "$LOG" 24 ffff
	remember "$LOG"
	refuses "shmlog stat log.shm >>log.shm" stat "log.shm: $OUT"
	refuses "shmlog verify -o json log.shm >>log.shm" verify "log.shm: $OUT"
	put_u64 "$LOG" 16 99999999
	remember "$LOG"
	refuses "shmlog stat log.shm >>log.shm" stat "log.shm: $OUT"
	refuses "shmlog verify -o json log.shm >>log.shm" verify "log.shm: $OUT"
}

@test "the log is no input of its own" {
	local itself='is the log itself; nothing was appended'

	refuses 'shmlog append log.shm <log.shm' append "standard input: $itself"
	refuses 'shmlog append log.shm - <hard' append "standard input: $itself"
	refuses 'shmlog append log.shm soft' append "soft: $itself"
	refuses 'shmlog append soft -i whole hard' append "hard: $itself"
	refuses 'shmlog append log.shm /proc/self/fd/7 7<log.shm' append "/proc/self/fd/7: $itself"
	refuses 'shmlog append --atomic --create 1M soft log.shm' append "log.shm: $itself"
}

@test "the log is no file for what overflows" {
	local itself='is the log itself; nothing was appended'

	refuses 'seq 9 | shmlog append --overflow hard log.shm' append "hard: $itself"
	refuses 'seq 9 | shmlog append --overflow /proc/self/fd/7 log.shm 7>>soft' append "/proc/self/fd/7: $itself"
	refuses 'seq 9 | shmlog append --create 4K --overflow new new' append "new: $itself"
	refuses 'seq 9 | shmlog append --create 4K --overflow ./new new' append "./new: $itself"
	refuses 'ln -s . here; seq 9 | shmlog append --create 4K --overflow here/new new' append "here/new: $itself"
	assert_not_exist "$SCRATCH/new"
	# What leads there only once it is made.
	ln -s new "$SCRATCH/later"
	run_shmlog 4 append --create 4K --overflow "$SCRATCH/later" "$SCRATCH/new" -m x
	assert_not_exist "$SCRATCH/new"
	run_shmlog 2 append --create 4K --overflow "$SCRATCH/new" "$SCRATCH/later" -m x
	assert_stderr "shmlog append: $SCRATCH/new: is the log itself; nothing was appended"
	assert_not_exist "$SCRATCH/new"
}

@test "no input is what is written beside the log" {
	echo line >"$SCRATCH/in"
	refuses 'shmlog append --ack log.shm in >>in' append \
		'in: is the file that standard output goes to; nothing was appended'
	refuses 'shmlog append --overflow - log.shm in >>in' append \
		'in: is the file for what overflows itself; nothing was appended'
	refuses 'shmlog append --overflow in log.shm <in' append \
		'standard input: is the file for what overflows itself; nothing was appended'
	refuses 'shmlog append --overflow rest --ack log.shm -m x >rest' append \
		'rest: is the file that standard output goes to; nothing was appended'
	assert_equal "$(<"$SCRATCH/in")" line
	# Without anything to print there, it is any file.
	run bash -c 'cd "$1" && shmlog append log.shm in >>in' - "$SCRATCH"
	assert_success
	assert_equal "$(frames_of "$LOG")" 3
}

@test "the log is neither its own copy nor its cursor file" {
	run_shmlog 4 verify "$LOG" --salvage "$SCRATCH/hard"
	run_shmlog 4 verify "$LOG" --salvage "$LOG"
	run_shmlog 8 tail "$LOG" --cursor-file "$SCRATCH/hard"
	run_shmlog 2 tail -F --cursor-file "$SCRATCH/new" "$SCRATCH/./new"
	assert_stderr "shmlog tail: $SCRATCH/new: is the log itself; nothing was changed"
	assert_unchanged "$LOG"
}

@test "a log that takes the name of the cursor file keeps it" {
	shmlog tail -F -n +1 --cursor-file "$SCRATCH/cursor" "$SCRATCH/new" \
		>"$SCRATCH/out" 2>"$SCRATCH/stderr" 3>&- &
	local tail=$!

	wait_for 10 test -s "$SCRATCH/stderr"
	ln "$LOG" "$SCRATCH/new"
	wait_for 10 test -s "$SCRATCH/cursor"
	ln -f "$LOG" "$SCRATCH/cursor"
	shmlog append "$LOG" -m three
	remember "$LOG"
	wait_for 10 grep -q 'is the log itself; the cursor was not saved' "$SCRATCH/stderr"
	kill "$tail" 2>/dev/null || true
	wait "$tail" || true
	assert_unchanged "$SCRATCH/log.shm"
	[[ $SCRATCH/cursor -ef $LOG ]]
}

# -------------------------------------------------------------------- feeding

@test "an append that is fed by a tail of its own log is refused" {
	skip_if_portable "no mark shows what a tail fills"
	mkfifo "$SCRATCH/fifo"
	status=0
	timeout 20 shmlog tail -f -n +1 "$LOG" 2>/dev/null |
		shmlog append "$LOG" 2>"$SCRATCH/stderr" || status=$?
	assert_equal "$status" 2
	run cat "$SCRATCH/stderr"
	assert_output "shmlog append: $LOG: standard input comes from a tail that follows this log: what is appended would come back without end; 0 frames committed"
	assert_unchanged "$LOG"
	timeout 20 shmlog tail -F -n +1 "$SCRATCH/hard" >"$SCRATCH/fifo" 2>/dev/null 3>&- &
	run_shmlog 2 append "$LOG" --overflow "$SCRATCH/rest" "$SCRATCH/fifo"
	assert_stderr --partial "'$SCRATCH/fifo' comes from a tail that follows this log"
	assert_unchanged "$LOG"
	assert_not_exist "$SCRATCH/rest"
}

@test "what is fed by a tail of another log, or for a while, is appended" {
	cp "$LOG" "$SCRATCH/other"
	timeout 20 shmlog tail -f -n +1 --count 2 "$SCRATCH/other" | shmlog append "$LOG"
	assert_equal "$(frames_of "$LOG")" 4
	shmlog tail -n 1 "$LOG" | shmlog append "$LOG"
	shmlog dump "$LOG" | shmlog append "$LOG"
	assert_equal "$(frames_of "$LOG")" 10
	timeout 20 shmlog tail -f -n 3 --count 5 "$LOG" | shmlog append --force "$LOG"
	assert_equal "$(frames_of "$LOG")" 15
}

@test "tail refuses to print into its cursor file" {
	local file=$SCRATCH/cursor

	shmlog append "$LOG" -m one
	: >"$file"
	separately bash -c 'exec shmlog tail --cursor-file "$1" "$2" >>"$1"' - "$file" "$LOG"
	assert_equal "$status" 2
	assert_stderr "shmlog tail: $file: standard output leads into it; nothing was written"
	[[ ! -s $file ]]
	expect 0 one "" tail -n 1 --cursor-file "$file" "$LOG"
}
