# append beside others: waiting for a writer that takes no lock, saying whom it
# waits for, and what it says of a log that such a writer spoilt.
load helper

setup() {
	scratch_make
	LOG=$SCRATCH/log
	shmlog create "$LOG" -c 4K
	WRITER='' APPEND=''
}

teardown() {
	local pid

	exec 5>&- 9>&-
	for pid in $WRITER $APPEND; do
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	scratch_remove
}

# Has the log open for writing until it is killed.
writer_begin() {
	sleep 600 8<>"$LOG" 3>&- 5>&- &
	WRITER=$!
	wait_for 30 test "/proc/$WRITER/fd/8" -ef "$LOG"
}

writer_end() {
	kill -KILL "$WRITER"
	wait "$WRITER" 2>/dev/null || true
	WRITER=''
}

# An append in the background whose input is descriptor 5.
append_begin() { # ARGUMENT...
	mkfifo "$SCRATCH/fifo"
	shmlog append --ack "$@" "$LOG" <"$SCRATCH/fifo" >"$SCRATCH/acks" \
		2>"$SCRATCH/stderr" 3>&- 9>&- &
	APPEND=$!
	exec 5>"$SCRATCH/fifo"
}

append_end() {
	exec 5>&-
	status=0
	wait "$APPEND" || status=$?
	APPEND=''
	output=$(cat "$SCRATCH/stderr")
}

acknowledged() { # COMMITS
	[[ $(wc -l <"$SCRATCH/acks") == "$1" ]]
}

says() { # TEXT
	grep -qF -- "$1" "$SCRATCH/stderr"
}

@test "--writer-timeout waits for a writer without the lock, and says for whom" {
	skip_if_portable "no lease shows a live writer"
	writer_begin
	append_begin --writer-timeout 60s
	echo one >&5
	wait_for 30 says "waiting for another writer to close the log: pid $WRITER ("
	acknowledged 0
	writer_end
	wait_for 30 acknowledged 1
	append_end
	assert_equal "$status" 0
	assert_equal "$(shmlog dump "$LOG")" one
}

@test "--writer-timeout waits for a writer that comes later, every time" {
	skip_if_portable "no lease shows a live writer"
	local turn

	append_begin --writer-timeout 60s
	for turn in 1 2 3; do
		echo "turn $turn" >&5
		wait_for 30 acknowledged $((2 * turn - 1))
		writer_begin
		echo "wait $turn" >&5
		sleep 0.1
		acknowledged $((2 * turn - 1))
		writer_end
		wait_for 30 acknowledged $((2 * turn))
	done
	append_end
	assert_equal "$status" 0
	assert_equal "$(shmlog dump "$LOG" | xargs)" \
		'turn 1 wait 1 turn 2 wait 2 turn 3 wait 3'
}

@test "--writer-timeout runs out with status 7, and what was not appended overflows" {
	skip_if_portable "no lease shows a live writer"
	writer_begin
	for timeout in 0 1ms 50ms; do
		rm -f "$SCRATCH/rest"
		run --separate-stderr shmlog append "$LOG" --writer-timeout $timeout \
			--overflow "$SCRATCH/rest" < <(printf 'a\nb\n')
		assert_equal "$status" 7
		assert_stderr --partial "another writer has the log open: pid $WRITER ("
		assert_equal "$(cat "$SCRATCH/rest")" $'a\nb'
	done
	writer_end
	assert_equal "$(shmlog dump "$LOG")" ''
}

@test "a signal ends the wait for a writer" {
	skip_if_portable "no lease shows a live writer"
	append_begin --writer-timeout 600s
	echo one >&5
	wait_for 30 acknowledged 1
	writer_begin
	echo two >&5
	wait_for 30 says 'waiting for another writer'
	kill -TERM "$APPEND"
	append_end
	assert_equal "$status" 143
	assert_output --partial "another writer has the log open: pid $WRITER ("
	assert_output --partial '1 frames committed before'
	assert_equal "$(shmlog dump "$LOG")" one
}

@test "--writer-timeout takes a DURATION, and not --force" {
	run --separate-stderr shmlog append "$LOG" --writer-timeout soon -m x
	assert_equal "$status" 2
	assert_stderr --partial "--writer-timeout 'soon' is not a DURATION"
	run --separate-stderr shmlog append "$LOG" --writer-timeout 1s --force -m x
	assert_equal "$status" 2
	assert_stderr --partial '--force and --writer-timeout exclude each other'
}

@test "a log that was overwritten between two commits is said to be so" {
	append_begin
	at_once 'one\ntwo\n' >&5
	wait_for 30 test -s "$SCRATCH/acks"
	put_bytes "$LOG" 16 1f00000000000000
	echo three >&5
	append_end
	assert_equal "$status" 7
	assert_output --partial 'the log was overwritten: the end of the committed data went back; 2 frames committed before'
}

@test "nothing is appended behind a chain that broke between two commits" {
	append_begin
	echo one >&5
	wait_for 30 acknowledged 1
	shmlog append "$LOG" -m two -m three
	put_bytes "$LOG" 31 0a
	echo four >&5
	append_end
	assert_equal "$status" 5
	assert_output --partial 'the committed data is damaged'
	assert_equal "$(end_of "$LOG")" 23
}

@test "a wait for the lock of a second says who has it" {
	need flock
	mkfifo "$SCRATCH/hold"
	flock "$LOG" cat "$SCRATCH/hold" 3>&- &
	WRITER=$!
	exec 9>"$SCRATCH/hold"
	append_begin
	echo one >&5
	wait_for 30 says "waiting for the lock, which another process holds"
	[[ ! -r /proc/locks || $BUILD == */portable ]] || says ": pid $WRITER ("
	exec 9>&-
	wait "$WRITER"
	WRITER=''
	wait_for 30 acknowledged 1
	append_end
	assert_equal "$status" 0
	# Once is enough.
	assert_equal "$(wc -l <"$SCRATCH/stderr")" 1
	assert_equal "$(shmlog dump "$LOG")" one
}

# As what the Node package stores and commits, by a process that opens the log
# for writing and closes it at once.
commit_plainly() { # OFFSET HEX SIZE
	put_bytes "$LOG" "$1" "$2"
	put_u64 "$LOG" 16 "$3"
}

has_lock() {
	! flock --nonblock "$LOG" true
}

@test "what another writer committed in the same place at the same moment is told" {
	skip_if_portable
	skip_if_sanitized 'a sanitizer makes calls of its own'
	need strace flock
	local options append

	for options in '' '--writer-timeout 60s'; do
		rm -f "$LOG"
		shmlog append --create 4K -m first "$LOG"
		# Its write comes long after its look for a writer.
		# shellcheck disable=SC2086 # two words
		strace -qq -o /dev/null -e trace=pwrite64 \
			-e inject=pwrite64:delay_enter=$((300000 * SLACK)):when=1 \
			shmlog append --ack $options -m mine "$LOG" \
			>"$SCRATCH/out" 2>"$SCRATCH/err" 3>&- &
		append=$!
		wait_for 20 has_lock
		commit_plainly 33 08006e6f64650800 41
		status=0
		wait "$append" || status=$?
		assert_equal "$status" 7
		assert_equal "$(<"$SCRATCH/out")" '{"frames":1,"cursor":17}'
		assert_equal "$(<"$SCRATCH/err")" "shmlog append: $LOG: another writer committed frames at the same moment, which are lost: cursor 9 to 17 has the 1 frames of this append"
		expect 0 $'first\nmine' '' dump "$LOG"
	done
}

@test "a crowd of followers is woken once the lock is released" {
	skip_if_portable
	skip_if_sanitized 'a sanitizer makes calls of its own'
	need strace
	local i followers=()

	for ((i = 0; i < 40; i++)); do
		shmlog tail -f -q -n 0 "$LOG" >"$SCRATCH/out.$i" 3>&- &
		followers+=($!)
	done
	for i in "${followers[@]}"; do
		wait_until_asleep "$i"
	done
	strace -qq -o "$SCRATCH/calls" -e trace=flock,futex \
		shmlog append -m first "$LOG"
	for ((i = 0; i < 40; i++)); do
		wait_for 20 test -s "$SCRATCH/out.$i"
	done
	kill "${followers[@]}"
	wait "${followers[@]}" || true
	run -0 sed -nE '/FUTEX_WAKE/,$s/.*(FUTEX_WAKE, [0-9]+|LOCK_UN).*/\1/p' \
		"$SCRATCH/calls"
	assert_output $'FUTEX_WAKE, 32\nLOCK_UN\nFUTEX_WAKE, 2147483647'
}
