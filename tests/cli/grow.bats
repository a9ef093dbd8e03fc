# grow: a longer log, under those who use it.
load helper

HOLDER=

teardown() {
	[[ -z $HOLDER ]] || kill -9 "$HOLDER" 2>/dev/null || true
	scratch_remove
}

setup() {
	scratch_make
	seq 5 | shmlog append --create 4K "$LOG"
}

length_of() {
	wc -c <"$1" | tr -d ' '
}

hold_for_writing() {
	sleep 600 8<>"$LOG" &
	HOLDER=$!
	wait_for 10 test "/proc/$HOLDER/fd/8" -ef "$LOG"
}

@test "grow makes a log longer, and every frame stays" {
	expect 0 '' '' grow "$LOG" 8K
	assert_equal "$(length_of "$LOG")" 8192
	assert_equal "$(shmlog dump "$LOG")" "$(seq 5)"
	run_shmlog 0 verify -q "$LOG"
	expect 0 '' '' grow "$LOG" +1000
	assert_equal "$(length_of "$LOG")" 9192
	expect 0 '' '' grow "$LOG" +0
	expect 0 '' '' grow "$LOG" 9192
	assert_equal "$(length_of "$LOG")" 9192
}

@test "grow reserves the new space" {
	shmlog create --sparse "$SCRATCH/sparse" -c 4K
	run_shmlog 0 grow "$SCRATCH/sparse" 1M
	(($(stat -c %b "$SCRATCH/sparse") * 512 >= 1044480)) || fail "a hole is left"
}

@test "what did not fit does after a growth" {
	shmlog create "$SCRATCH/small" -c 64
	run_shmlog 6 append "$SCRATCH/small" -m "$(printf '%060d' 0)"
	run_shmlog 0 grow "$SCRATCH/small" 128
	run_shmlog 0 append "$SCRATCH/small" -m "$(printf '%060d' 0)"
}

@test "an append and a follower that are there go on in the new room" {
	mkfifo "$SCRATCH/in"
	shmlog create "$SCRATCH/small" -c 64
	shmlog tail -f -n +1 "$SCRATCH/small" >"$SCRATCH/out" &
	HOLDER=$!
	shmlog append --ack "$SCRATCH/small" <"$SCRATCH/in" >"$SCRATCH/acks" &
	local appender=$!
	exec 7>"$SCRATCH/in"
	echo one >&7
	wait_for 20 grep -qx one "$SCRATCH/out"
	run_shmlog 0 grow "$SCRATCH/small" 64K
	printf '%01000d\n' 7 >&7
	exec 7>&-
	wait "$appender"
	wait_for 20 bash -c "(( \$(wc -c <'$SCRATCH/out') == 1005 ))"
	assert_equal "$(wc -l <"$SCRATCH/acks")" 2
}

@test "grow refuses a shorter length, status 2, and changes nothing" {
	remember "$LOG"
	expect 2 '' "shmlog grow: $LOG: cannot grow: it has 4096 bytes, more than 4095, and a log never gets shorter; nothing was changed" \
		grow "$LOG" 4095
	assert_unchanged "$LOG"
}

@test "grow refuses what is no size, status 2" {
	local size

	for size in nonsense 12KB 8388608T + +x ++1 23 ''; do
		run_shmlog 2 grow "$LOG" "$size"
		assert_stderr --partial 'size'
	done
	run_shmlog 2 grow "$LOG" +9223372036854775807
	run_shmlog 2 grow "$LOG"
	run_shmlog 2 grow
	assert_equal "$(length_of "$LOG")" 4096
}

@test "grow beyond the space that there is is status 4, with the log as it was" {
	remember "$LOG"
	run_shmlog 4 grow "$LOG" 8388607T
	assert_stderr --regexp "^shmlog grow: $LOG: cannot grow to [0-9]+ bytes: (No space left on device|File too large); nothing was changed$"
	assert_unchanged "$LOG"
	expect 4 '' "shmlog grow: $SCRATCH/missing: cannot open: No such file or directory" \
		grow "$SCRATCH/missing" 8K
}

@test "grow refuses what is no log, status 5" {
	seq 1000 >"$SCRATCH/text"
	remember "$SCRATCH/text"
	run_shmlog 5 grow "$SCRATCH/text" 8K
	assert_stderr --regexp "not a log: .*; nothing was changed$"
	assert_unchanged "$SCRATCH/text"
}

@test "grow refuses beside a writer without the lock, status 7, unless forced" {
	skip_if_portable "such a writer is not seen"
	hold_for_writing
	run_shmlog 7 grow "$LOG" 8K
	assert_stderr --regexp "^shmlog grow: $LOG: cannot grow to 8192 bytes: another writer has the log open: pid $HOLDER \('sleep 600'\).*; nothing was changed; a Node process takes the old end for the end of the log: let it close the log, and open it again behind the growth$"
	assert_equal "$(length_of "$LOG")" 4096
	run_shmlog 0 grow --force "$LOG" 8K
	assert_stderr --regexp "^shmlog grow: $LOG: grown, though another writer has the log open: pid $HOLDER .*: let it close the log, and open it again"
	assert_equal "$(length_of "$LOG")" 8192
	kill -9 "$HOLDER"
	wait "$HOLDER" 2>/dev/null || true
	HOLDER=
	expect 0 '' '' grow --force "$LOG" 12K
}

@test "grow waits for the lock as long as it may, status 7" {
	need flock
	(flock -x 9 && exec sleep 600) 9<"$LOG" &
	HOLDER=$!
	wait_for 10 bash -c "! flock -n '$LOG' true"
	run_shmlog 7 grow --lock-timeout 50ms "$LOG" 8K
	assert_stderr --partial 'another process holds the lock'
	assert_equal "$(length_of "$LOG")" 4096
	run_shmlog 2 grow --lock-timeout soon "$LOG" 8K
	kill -9 "$HOLDER"
	HOLDER=
}

@test "a growth that waits for the lock ends by a signal" {
	need flock
	(flock -x 9 && exec sleep 600) 9<"$LOG" &
	HOLDER=$!
	wait_for 10 bash -c "! flock -n '$LOG' true"
	shmlog grow "$LOG" 8K 2>/dev/null &
	local pid=$!
	wait_until_asleep "$pid"
	kill -TERM "$pid"
	local status=0
	wait "$pid" || status=$?
	assert_equal "$status" $((128 + 15))
	assert_equal "$(length_of "$LOG")" 4096
	kill -9 "$HOLDER"
	HOLDER=
}

@test "grow warns of what older versions of Node cannot open" {
	(($(df -Pk "$SCRATCH" | awk 'NR == 2 { print $4 }') > 4300000)) ||
		skip "no room for 4 GiB"
	run_shmlog 0 grow "$LOG" 4097M
	assert_stderr "shmlog grow: $LOG: grown, but over 4 GiB (4294967296 bytes): Node before version 22 cannot open it (ERR_BUFFER_TOO_LARGE)"
}
