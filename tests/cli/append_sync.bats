# append --sync: the order of writes and syncs, what is acknowledged when, and
# what ends it.
load helper

setup() {
	scratch_make
	# On a disk, if there is one.
	DISK=$(mktemp -d "${TMPDIR:-/tmp}/shmlog-sync.XXXXXX")
	LOG=$DISK/log
	[[ $(stat -f -c %T "$DISK" 2>/dev/null) != tmpfs ]] || skip 'no disk to be seen here'
}

teardown() {
	rm -rf "$DISK"
	scratch_remove
}

# The call that syncs a log, and how many of it come before those of commits: the
# log's own and, where it is the same call, its folder's.
find_sync_call() {
	if [[ $BUILD == */portable ]]; then
		SYNC=fsync BEFORE=2
	else
		SYNC=fdatasync BEFORE=1
	fi
}

# Runs append under strace; the calls that matter go to $SCRATCH/calls.
traced() { # ARGUMENT...
	need strace
	skip_if_sanitized 'strace and sanitizers exclude each other'
	strace -f -o "$SCRATCH/trace" -e trace=pwrite64,pwritev2,fdatasync,fsync,write \
		shmlog append "$@" "$LOG" || return
	grep -oE '(pwrite64|pwritev2|fdatasync|fsync|write)\([0-9]+' "$SCRATCH/trace" |
		sed 's/^write([3-9].*/other/; s/^write(1/ack/; s/^pwritev2(1/ack/; s/pwrite64/data/; s/(.*//' \
			>"$SCRATCH/calls"
}

@test "--sync --ack appends, and acknowledges all of it" {
	shmlog create "$LOG" -c 64K
	seq 10 | shmlog append --sync --ack --commit-every 4 "$LOG" >"$SCRATCH/acks"
	assert_equal "$(<"$SCRATCH/acks")" '{"frames":4,"cursor":20}
{"frames":4,"cursor":40}
{"frames":2,"cursor":51}'
	assert_equal "$(shmlog dump "$LOG")" "$(seq 10)"
}

@test "--sync: data, sync, then the acknowledgement of the commit before; one sync each" {
	shmlog create "$LOG" -c 64K
	seq 12 >"$SCRATCH/in"
	find_sync_call
	traced --sync --ack --commit-every 4 <"$SCRATCH/in"
	# First the log's and its folder's own.
	assert_equal "$(tr '\n' ' ' <"$SCRATCH/calls")" \
		"$SYNC fsync data $SYNC data $SYNC ack data $SYNC ack $SYNC ack "
}

@test "--sync: the last commit before a pause does not wait" {
	mkfifo "$SCRATCH/in"
	shmlog create "$LOG" -c 64K
	shmlog append --sync --ack "$LOG" <"$SCRATCH/in" >"$SCRATCH/acks" &
	exec 5>"$SCRATCH/in"
	echo one >&5
	wait_for 10 grep -q '"cursor":7}' "$SCRATCH/acks"
	exec 5>&-
	wait $!
}

@test "--sync=DURATION gathers frames, and commits them when the time is up" {
	mkfifo "$SCRATCH/in"
	shmlog create "$LOG" -c 64K
	shmlog append --sync=500ms --ack "$LOG" <"$SCRATCH/in" >"$SCRATCH/acks" &
	exec 5>"$SCRATCH/in"
	echo one >&5
	echo two >&5
	wait_for 10 grep -q . "$SCRATCH/acks"
	assert [ "$(frames_of "$LOG")" -ge 1 ]
	echo three >&5
	exec 5>&-
	wait $!
	assert_equal "$(shmlog dump "$LOG")" $'one\ntwo\nthree'
	assert_equal "$(tail -n 1 "$SCRATCH/acks" | grep -o '"cursor":.*')" '"cursor":23}'
}

@test "--sync --atomic and -m last as well" {
	shmlog create "$LOG" -c 64K
	assert_equal "$(seq 9 | shmlog append --sync --atomic --ack "$LOG")" '{"frames":9,"cursor":45}'
	assert_equal "$(shmlog append --sync --ack -m x "$LOG")" '{"frames":1,"cursor":50}'
}

@test "--sync --rotate: the last commit of a log is acknowledged before the next log" {
	shmlog create "$LOG" -c 64
	seq 12 | shmlog append --sync --rotate --ack "$LOG" >"$SCRATCH/acks"
	assert_equal "$(<"$SCRATCH/acks")" '{"frames":8,"cursor":40}
{"event":"reopened"}
{"frames":4,"cursor":23}'
}

@test "--sync of a log in memory is refused" {
	[[ $(stat -f -c %T "$SCRATCH" 2>/dev/null) == tmpfs ]] || skip 'no tmpfs here'
	skip_if_portable 'a tmpfs cannot be told'
	shmlog create "$SCRATCH/log" -c 64
	run_shmlog 4 append --sync -m x "$SCRATCH/log"
	assert_stderr "shmlog append: $SCRATCH/log: cannot sync: the log is in memory, of which nothing outlasts a power cut; 0 frames committed"
	assert_equal "$(frames_of "$SCRATCH/log")" 0
	run_shmlog 2 append --sync=x -m x "$LOG"
}

@test "a sync that fails is final, and what it was about is not acknowledged" {
	need strace
	skip_if_sanitized 'strace and sanitizers exclude each other'
	local n

	find_sync_call
	# That of the first commit, of the second, and the last.
	for n in 1 2 3; do
		rm -f "$LOG"
		shmlog create "$LOG" -c 64K
		seq 8 >"$SCRATCH/in"
		run --separate-stderr strace -f -o /dev/null -e "trace=$SYNC" \
			-e "inject=$SYNC:error=EIO:when=$((BEFORE + n))" \
			shmlog append --sync --ack --commit-every 4 "$LOG" <"$SCRATCH/in"
		assert_equal "$status" 4
		assert_stderr --partial "shmlog append: $LOG: cannot sync: Input/output error"
		case $n in
		1) assert_output '' && assert_stderr --partial '; 0 frames committed' ;;
		2) assert_output '' && assert_stderr --partial 'the last 4 frames committed may not be on the disk; 4 frames committed before' ;;
		3) assert_output '{"frames":4,"cursor":20}' && assert_stderr --partial 'the last 4 frames committed may not be on the disk; 8 frames committed before' ;;
		esac
		shmlog verify -q "$LOG"
	done
}
