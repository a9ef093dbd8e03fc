# Each row of the table of exit statuses in shmlog(1).
load helper

@test "0: every command that did its work" {
	seq 3 >"$SCRATCH/in"
	run_shmlog 0 create "$LOG" -c 4K
	run_shmlog 0 append "$LOG" "$SCRATCH/in"
	run_shmlog 0 dump "$LOG"
	run_shmlog 0 tail "$LOG"
	run_shmlog 0 seek "$LOG" start
	run_shmlog 0 verify "$LOG"
	run_shmlog 0 stat "$LOG"
	run_shmlog 0 help
	run_shmlog 0 --help
	run_shmlog 0 --version
	assert_line --index 0 --regexp '^shmlog [0-9]+\.[0-9]+\.[0-9]+$'
	assert_stderr ''
}

@test "1: damage, after the good frames before it" {
	expect 1 good "shmlog dump: $FIXTURES/oversize-wrap.shm: damaged frame at cursor 8: its size word says 4468, the one behind it says 16705; looks like a payload of 70000 bytes whose size wrapped" \
		dump "$FIXTURES/oversize-wrap.shm"
	run_shmlog 1 tail -n +1 "$FIXTURES/oversize-wrap.shm"
	assert_output good
	refute_stderr ''
	run_shmlog 1 verify "$FIXTURES/oversize-wrap.shm"
	assert_output --partial 'damaged'
	assert_stderr ''
	run_shmlog 1 stat "$FIXTURES/oversize-wrap.shm"
	run_shmlog 1 seek "$FIXTURES/oversize-wrap.shm" frame:2
	assert_output ''
	refute_stderr ''
}

@test "1: no such frame" {
	local command

	run_shmlog 1 seek "$FIXTURES/odd-capacity.shm" 1
	assert_output ''
	assert_stderr --regexp "^shmlog seek: .*\b0\b.*\b12\b"
	for command in dump tail; do
		run_shmlog 1 "$command" --from 1 "$FIXTURES/odd-capacity.shm"
		assert_output ''
		refute_stderr ''
	done
	run_shmlog 1 seek "$FIXTURES/odd-capacity.shm" frame:9
	assert_output ''
	refute_stderr ''
}

@test "2: wrong usage, with a hint" {
	local command

	run_shmlog 2
	assert_output ''
	assert_stderr --partial 'Usage: shmlog COMMAND'
	expect 2 '' "shmlog: unknown command 'creat'; did you mean 'create'?
Try 'shmlog --help'." creat
	for command in create append tail dump seek verify; do
		run_shmlog 2 "$command"
		assert_output ''
		assert_stderr --regexp "^shmlog $command: .*
Try 'shmlog $command --help'.$"
		run_shmlog 2 "$command" --no-such-option "$LOG"
		assert_output ''
		assert_stderr --regexp "^shmlog $command: unknown option '--no-such-option'.*
Try 'shmlog $command --help'.$"
	done
}

@test "3: a line was skipped" {
	expect 3 '' "shmlog append: $LOG: skipped line 1: not JSON: expected a value, found 'x' at byte 1" \
		append --create 4K --skip-invalid -i json "$LOG" < <(printf 'x\n1\n')
	assert_equal "$(shmlog dump "$LOG")" 1
}

@test "3: salvage lost bytes" {
	expect 3 '' '' verify -q --salvage "$LOG" "$FIXTURES/oversize-wrap.shm"
	assert_equal "$(shmlog dump "$LOG")" good
}

@test "4: no such log" {
	local command

	for command in append dump tail verify stat; do
		run_shmlog 4 "$command" "$LOG" </dev/null
		assert_output ''
		assert_stderr --regexp "^shmlog $command: $LOG: cannot (open|read): No such file or directory(; --create SIZE makes it|; -F waits for it)?$"
	done
	run_shmlog 4 seek "$LOG" start
	assert_stderr "shmlog seek: $LOG: cannot open: No such file or directory"
	assert_not_exist "$LOG"
}

@test "4: exists already, no space, no such input" {
	shmlog create "$LOG" -c 4K
	expect 4 '' "shmlog create: $LOG: cannot create: File exists; left as it is" create "$LOG" -c 4K
	run_shmlog 4 create "$LOG.2" -c 8388607T
	assert_stderr --regexp 'No space left on device|File too large'
	run_shmlog 4 append "$LOG" "$SCRATCH/missing"
	assert_output ''
	assert_stderr --partial "$SCRATCH/missing: cannot read"
	run_shmlog 4 verify --salvage "$LOG" "$FIXTURES/json.shm"
	assert_stderr --partial 'File exists'
}

@test "4: standard output takes no more" {
	local arguments

	for arguments in 'dump json.shm' 'dump -o json json.shm' 'dump -o frames binary.shm' \
		'tail json.shm' 'seek json.shm start' 'verify json.shm' 'stat json.shm' \
		help '--version' 'dump --help'; do
		# shellcheck disable=SC2086
		run --separate-stderr bash -c 'cd "$1" && shift && shmlog "$@" >/dev/full' - \
			"$FIXTURES" $arguments
		assert_equal "$arguments: $status" "$arguments: 4"
		assert_output ''
		assert_stderr --regexp '^shmlog( [a-z]+)?: cannot write standard output: No space left on device$'
	done
}

@test "4: standard output is closed from the start" {
	run --separate-stderr bash -c 'shmlog dump "$1" >&-' - "$FIXTURES/json.shm"
	assert_equal "$status" 4
	assert_stderr --partial 'cannot write standard output: Bad file descriptor'
}

@test "5: not a log" {
	local command changed

	echo 'a text that is no log at all' >"$LOG"
	remember "$LOG"
	for command in append dump tail verify stat seek; do
		[[ $command == seek ]] && set -- start || set --
		# Who only reads has nothing to say of changes.
		[[ $command == append ]] && changed='; nothing was changed' || changed=
		run_shmlog 5 "$command" "$LOG" "$@" </dev/null
		assert_stderr --regexp "^shmlog $command: $LOG: not a log: headerSize [0-9]+ is not from 24 to the file's 29 bytes$changed$"
		assert_unchanged "$LOG"
	done
	run_shmlog 5 create --if-missing "$LOG" -c 4K
	assert_unchanged "$LOG"
	run_shmlog 5 dump /dev/null
	run_shmlog 5 dump "$SCRATCH"
}

@test "5: cut below its committed data" {
	local command changed

	head -c 5000 "$FIXTURES/json.shm" >"$LOG"
	for command in append dump tail verify stat; do
		[[ $command == append ]] && changed='; nothing was changed' || changed=
		run_shmlog 5 "$command" "$LOG" </dev/null
		assert_stderr "shmlog $command: $LOG: not a log: size 36063 lies beyond the file's 5000 bytes$changed"
	done
}

@test "5: torn, for append" {
	cp "$FIXTURES/odd-capacity.shm" "$LOG"
	put_u64 "$LOG" 16 130
	remember "$LOG"
	expect 5 '' "shmlog append: $LOG: cannot append: the committed data ends inside a frame: torn frame at cursor 96: its size word says 12, but there are only 10 bytes to the end of the committed data; 0 frames committed" \
		append "$LOG" -m x
	assert_unchanged "$LOG"
}

@test "6: the log is full" {
	shmlog create "$LOG" -c 40
	expect 6 '' "shmlog append: $LOG: full: 2 frames committed, message 3 (1 bytes) does not fit in 4 free bytes (a frame takes 4 more than its payload)" \
		append "$LOG" -m a -m bcd -m c
	assert_equal "$(shmlog dump "$LOG" | xargs)" 'a bcd'
}

@test "7: another writer is active" {
	skip_if_portable "no lease shows a live writer"
	shmlog create "$LOG" -c 4K
	exec 9<>"$LOG"
	run_shmlog 7 append "$LOG" -m x
	exec 9>&-
	assert_output ''
	assert_stderr --partial 'another writer has the log open'
	assert_equal "$(end_of "$LOG")" 0
}

@test "7: another append holds the lock for too long" {
	need flock
	shmlog create "$LOG" -c 4K
	exec 8<"$LOG"
	flock 8
	run_shmlog 7 append --lock-timeout 20ms "$LOG" -m x
	exec 8<&-
	assert_output ''
	assert_stderr --partial 'another process holds the lock'
}

@test "8: the cursor file belongs to another log" {
	cp "$FIXTURES/json.shm" "$LOG"
	run_shmlog 0 tail --cursor-file "$SCRATCH/cursor" "$LOG"
	remember "$SCRATCH/cursor"
	run_shmlog 8 tail --cursor-file "$SCRATCH/cursor" "$FIXTURES/full.shm"
	assert_output ''
	assert_stderr --partial "$SCRATCH/cursor"
	assert_unchanged "$SCRATCH/cursor"
}

@test "9: bad input" {
	shmlog create "$LOG" -c 1M
	expect 9 '' "shmlog append: $LOG: bad input: line 1: not JSON: expected a value, found 'x' at byte 1; 0 frames committed before it" \
		append -i json "$LOG" <<<x
	head -c 65532 /dev/zero >"$SCRATCH/large"
	run_shmlog 9 append -i whole "$LOG" "$SCRATCH/large"
	assert_output ''
	assert_stderr --partial '65532 bytes are more than the 65531 that a frame holds'
	assert_equal "$(end_of "$LOG")" 0
}

@test "10: no frame passed the filter" {
	printf 'a\nb\n' | shmlog append --create 4K "$LOG"
	expect 10 '' '' dump --where '. == 1' "$LOG"
	expect 10 0 '' dump --where '. == 1' --tally "$LOG"
	# Damage is no such answer.
	run_shmlog 1 dump --where '. == 1' "$FIXTURES/oversize-wrap.shm"
	assert_output ''
	assert_stderr --partial 'damaged frame'
}

@test "124: the time allowed by --timeout ran out" {
	shmlog append --create 4K "$LOG" -m x
	expect 124 x '' tail -f --timeout 50ms "$LOG"
}

@test "by signal: SIGINT and SIGTERM print what was read, save the cursor and end by the signal" {
	local signal tail

	for signal in TERM:143 INT:130; do
		rm -f "$LOG" "$SCRATCH"/{out,cursor}
		shmlog append --create 4K "$LOG" -m one -m two
		# With job control, or a job in the background ignores SIGINT.
		set -m
		shmlog tail -f -n +1 --cursor-file "$SCRATCH/cursor" "$LOG" \
			>"$SCRATCH/out" 2>"$SCRATCH/stderr" 3>&- &
		tail=$!
		set +m
		wait_for 5 test -s "$SCRATCH/out"
		kill -s "${signal%:*}" "$tail"
		status=0
		wait "$tail" || status=$?
		assert_equal "$status" "${signal#*:}"
		assert_equal "$(<"$SCRATCH/out")" $'one\ntwo'
		assert_equal "$(<"$SCRATCH/stderr")" ''
		# The cursor file stands behind what was printed.
		shmlog append "$LOG" -m three
		expect 0 three '' tail --cursor-file "$SCRATCH/cursor" "$LOG"
	done
}

@test "by signal: a closed output pipe ends every command quietly" {
	local arguments

	shmlog create "$SCRATCH/big" -c 4M
	seq -f 'line %.0f' 200000 | shmlog append "$SCRATCH/big"
	for arguments in 'dump' 'dump -r' 'dump -o json' 'tail -n +1' 'tail -f -n +1' 'tail -n 100000 -o hex'; do
		# shellcheck disable=SC2086
		run --separate-stderr bash -c '"$@" | head -n 1 >/dev/null; echo "${PIPESTATUS[0]}"' - \
			timeout "$((20 * SLACK))" shmlog $arguments "$SCRATCH/big"
		assert_output 141
		assert_stderr ''
	done
}

@test "by signal: append --ack into a closed pipe ends quietly, and what was committed stays" {
	shmlog create "$LOG" -c 1M
	run --separate-stderr bash -c '
		(until [[ -e $1.closed ]]; do sleep 0.02; done; seq 100) |
			shmlog append --ack --commit-every 1 "$1" |
			{ exec <&-; : >"$1.closed"; }
		echo "${PIPESTATUS[1]}"' - "$LOG"
	assert_output 141
	assert_stderr ''
	assert_equal "$(shmlog dump "$LOG" | head -n 1)" 1
	run_shmlog 0 verify -q "$LOG"
}

@test "by signal: append --overflow - into a closed pipe ends quietly" {
	shmlog create "$LOG" -c 40
	run --separate-stderr bash -c 'seq 100000 | shmlog append --overflow - "$1" | true; echo "${PIPESTATUS[1]}"' - "$LOG"
	assert_output 141
	refute_stderr --partial 'Broken pipe'
}
