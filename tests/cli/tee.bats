# append --tee: what was committed goes on to standard output.
load helper

setup() {
	scratch_make
}

@test "--tee prints the records as they were read, in every format" {
	local input

	printf 'one\n\ntwo words\n\xff\x1b\n' >"$SCRATCH/lines"
	tr '\n' '\0' <"$SCRATCH/lines" >"$SCRATCH/nul"
	printf '{"a": 1}\n[2]\n"x"\n' >"$SCRATCH/json"
	seq 3 | shmlog append --create 4K "$SCRATCH/other"
	shmlog dump -o frames "$SCRATCH/other" >"$SCRATCH/frames"
	head -c 60000 /dev/urandom >"$SCRATCH/whole"
	shmlog create -c 1M "$LOG"
	for input in lines nul json frames whole; do
		shmlog append --tee -i "$input" "$LOG" <"$SCRATCH/$input" >"$SCRATCH/out"
		cmp "$SCRATCH/out" "$SCRATCH/$input"
	done
	run_shmlog 0 append --tee -m one -m 'two words' "$LOG"
	assert_output $'one\ntwo words'
	# A last line without a newline gets one; blank lines of json are none.
	cmp <(printf 'a\nb' | shmlog append --tee "$LOG") <(printf 'a\nb\n')
	cmp <(printf '1\n\n2' | shmlog append --tee -i json "$LOG") <(printf '1\n2\n')
	run_shmlog 0 append --tee "$LOG" </dev/null
	assert_output ''
}

@test "much input goes through --tee, also as one commit" {
	seq 400000 >"$SCRATCH/input"
	shmlog append --tee --create 16M "$LOG" <"$SCRATCH/input" | cmp - "$SCRATCH/input"
	cmp <(shmlog dump "$LOG") "$SCRATCH/input"
	# More than stays in memory.
	shmlog append --tee --atomic --create 16M "$SCRATCH/second" <"$SCRATCH/input" |
		cmp - "$SCRATCH/input"
	shmlog append --tee --commit-every 1000 --create 16M "$SCRATCH/third" \
		<"$SCRATCH/input" | cmp - "$SCRATCH/input"
}

@test "a record is printed as soon as it is committed" {
	shmlog create -c 4K "$LOG"
	mkfifo "$SCRATCH/in"
	shmlog append --tee "$LOG" <"$SCRATCH/in" >"$SCRATCH/out" 3>&- &
	exec 9>"$SCRATCH/in"
	echo first >&9
	wait_for 20 test -s "$SCRATCH/out"
	assert_equal "$(cat "$SCRATCH/out")" first
	assert_equal "$(shmlog dump "$LOG")" first
	exec 9>&-
	wait $!
}

@test "what does not get into the log is not printed" {
	shmlog create -c 64 "$LOG"
	separately bash -c 'seq 100 | shmlog append --tee "$1"' - "$LOG"
	assert_equal "$status" 6
	assert_equal "$output" "$(shmlog dump "$LOG")"
	shmlog create -c 64 "$SCRATCH/second"
	separately bash -c 'seq 100 | shmlog append --tee --atomic "$1"' - "$SCRATCH/second"
	assert_equal "$status" 6
	assert_output ''
	shmlog create -c 4K "$SCRATCH/third"
	separately bash -c 'printf "1\nno\n2\n" | shmlog append --tee -i json --skip-invalid "$1"' - "$SCRATCH/third"
	assert_equal "$status" 3
	assert_output $'1\n2'
}

@test "output that fails loses no frame, and the message says what is committed" {
	[ -e /dev/full ] || skip "no /dev/full"
	shmlog create -c 16M "$LOG"
	separately bash -c 'seq 400000 | shmlog append --tee "$1" >/dev/full' - "$LOG"
	assert_equal "$status" 4
	assert_stderr --regexp "cannot print: .*; [0-9]+ frames committed up to cursor [0-9]+ but not printed; the input from line [0-9]+ on was not appended"
	[[ $stderr =~ ([0-9]+)\ frames\ committed ]]
	assert_equal "$(shmlog dump "$LOG" | wc -l)" "${BASH_REMATCH[1]}"
}

@test "a reader that goes away ends it quietly, one that takes nothing by a signal" {
	local pid ended

	shmlog create -c 16M "$LOG"
	seq 400000 >"$SCRATCH/input"
	separately bash -c 'set -o pipefail; shmlog append --tee "$1" <"$2" | head -n 1' - \
		"$LOG" "$SCRATCH/input"
	assert_equal "$status" 141
	assert_output 1
	assert_stderr ''
	mkfifo "$SCRATCH/fifo"
	exec 9<>"$SCRATCH/fifo"
	shmlog append --tee --force "$LOG" <"$SCRATCH/input" >"$SCRATCH/fifo" 2>"$SCRATCH/said" 3>&- 9>&- &
	pid=$!
	wait_until_asleep "$pid"
	kill -TERM "$pid"
	ended=0
	wait "$pid" || ended=$?
	exec 9>&-
	assert_equal "$ended" 143
}

@test "--tee refuses what it cannot go with" {
	shmlog create -c 4K "$LOG"
	run_shmlog 2 append --tee --ack -m x "$LOG"
	assert_stderr --partial -- '--tee and --ack would mix'
	run_shmlog 2 append --tee --overflow - "$LOG" </dev/null
	run_shmlog 2 append --tee -i envelope "$LOG" </dev/null
	assert_stderr --partial 'what a log keeps'
	run_shmlog 2 append --tee --schema "$FIXTURES/schema.json" "$LOG" </dev/null
	# What is printed would be read again.
	echo x >"$SCRATCH/file"
	separately bash -c 'shmlog append --tee "$1" "$2" >>"$2"' - "$LOG" "$SCRATCH/file"
	assert_equal "$status" 2
	assert_equal "$(shmlog dump "$LOG")" ''
}
