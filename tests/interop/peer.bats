# A writer that stores to memory, takes no lock and wakes nobody, as Node
# processes do, beside the commands.  It needs no Node.
load ../cli/helper

setup_file() {
	export PEER_WRITER=$BATS_FILE_TMPDIR/peer_writer

	"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -Wall -Wextra \
		-o "$PEER_WRITER" "$BATS_TEST_DIRNAME/peer_writer.c"
}

teardown() {
	[[ -z ${HOLDER:-} ]] || kill -9 "$HOLDER" 2>/dev/null || true
	scratch_remove
}

skip_if_portable() {
	[[ $BUILD != */portable* ]] || skip 'no build for such a system can see that'
}

# Starts a peer that says "ready" when it has done what it should, and then
# goes on with what it reads; $HOLDER is its pid.
start_peer() { # WORD...
	mkfifo "$SCRATCH/input"
	"$PEER_WRITER" "$LOG" "$@" <"$SCRATCH/input" >"$SCRATCH/output" 3>&- &
	HOLDER=$!
	exec 9>"$SCRATCH/input"
	wait_for 10 grep -q ready "$SCRATCH/output"
}

peer_ends() { # STATUS
	local result=0

	exec 9>&-
	wait "$HOLDER" || result=$?
	HOLDER=
	assert_equal "$result" "$1"
}

now_ms() {
	echo $(($(date +%s%N) / 1000000))
}

@test "what the peer writes is sound, byte for byte" {
	"$PEER_WRITER" "$LOG" capacity 4096 text first write 3 10 0 batch 2 5
	shmlog create -c 4096 "$SCRATCH/ours"
	printf '%s\n' first 0xxxxxxxxx 1xxxxxxxxx 2xxxxxxxxx 3xxxx 4xxxx |
		shmlog append "$SCRATCH/ours"
	cmp "$LOG" "$SCRATCH/ours"
}

@test "frames that the peer never committed are leftovers" {
	"$PEER_WRITER" "$LOG" capacity 4096 text seen leave 10 leave 10
	expect 0 seen '' dump "$LOG"
	run_shmlog 0 append -m next "$LOG"
	expect 0 $'seen\nnext' '' dump "$LOG"
}

@test "one that has mapped the log is named before one that has it open alone" {
	skip_if_portable
	local pid=$BASHPID

	shmlog create -c 4096 "$LOG"
	exec 8<>"$LOG"
	start_peer say ready wait
	run_shmlog 7 append "$LOG" -m x
	assert_stderr --regexp "^shmlog append: $LOG: cannot append: another writer has the log open: pid $HOLDER \('.*peer_writer.*'\); 0 frames committed$"
	run_shmlog 0 stat --procs -o json "$LOG"
	assert_equal "$(jq -c ".processes[] | select(.pid == $HOLDER) |
		[.role, .mapped, .maps_writable]" <<<"$output")" '["writer",true,true]'
	assert_equal "$(jq -c ".processes[] | select(.pid == $pid) |
		[.role, .mapped, .maps_writable]" <<<"$output")" '["writer",false,false]'
	peer_ends 0
	exec 8>&-
}

@test "append refuses at once beside a peer, names it, and works after its death" {
	skip_if_portable
	start_peer capacity 65536 text theirs say ready hold
	remember "$LOG"

	local before
	before=$(now_ms)
	run_shmlog 7 append -m ours "$LOG"
	assert_output ''
	assert_stderr --partial "$LOG"
	assert_stderr --partial "$HOLDER"
	assert_stderr --partial peer_writer
	# It waits for nothing: a lease is broken after 45 s.
	(($(now_ms) - before < 300 * SLACK))
	assert_unchanged "$LOG"
	kill -9 "$HOLDER"
	peer_ends 137
	run_shmlog 0 append -m ours "$LOG"
	expect 0 $'theirs\nours' '' dump "$LOG"
}

@test "append --force goes on behind what the peer has committed" {
	start_peer capacity 65536 text theirs say ready wait text over
	run_shmlog 0 append --force -m ours "$LOG"
	expect 0 $'theirs\nours' '' dump "$LOG"
	# The peer's cursor is its own: that is what the refusal is for.
	peer_ends 0
	expect 0 $'theirs\nover' '' dump "$LOG"
}

@test "append never writes over what a peer commits while it runs" {
	start_peer capacity 65536 text theirs say ready wait text 'theirs again' say moved wait
	# Two commits, between which the peer moves size.
	mkfifo "$SCRATCH/lines"
	shmlog append --force --ack "$LOG" <"$SCRATCH/lines" \
		>"$SCRATCH/acks" 2>"$SCRATCH/err" 3>&- 9>&- &
	local appender=$! result=0

	exec 8>"$SCRATCH/lines"
	echo ours >&8
	wait_for 10 test -s "$SCRATCH/acks"
	echo >&9
	wait_for 10 grep -q moved "$SCRATCH/output"
	echo again >&8
	exec 8>&-
	wait "$appender" || result=$?
	# The peer has written over it, as peers do; it goes on behind that.
	run shmlog dump "$LOG"
	assert_line --index 0 theirs
	assert_line --index 1 'theirs again'
	[[ $result -eq 0 || $result -eq 7 ]] || fail "append ended with $result"
	run_shmlog 0 verify "$LOG"
	peer_ends 0
}

@test "tail -f sees what a peer only stores" {
	start_peer capacity 65536 text first say ready wait write 50 20 2000
	shmlog tail -n +1 -f --count 51 --timeout "$((20 * SLACK))s" "$LOG" \
		>"$SCRATCH/seen" 3>&- 9>&- &
	local follower=$!

	wait_for 10 grep -q first "$SCRATCH/seen"
	echo >&9
	wait "$follower"
	assert_equal "$(wc -l <"$SCRATCH/seen")" 51
	assert_equal "$(tail -n 1 "$SCRATCH/seen")" 49xxxxxxxxxxxxxxxxxx
	peer_ends 0
}

@test "tail -f says that size went back" {
	start_peer capacity 65536 write 5 10 0 say ready wait size 38 say moved wait
	shmlog tail -n +1 -f --timeout "$((20 * SLACK))s" "$LOG" \
		>"$SCRATCH/seen" 2>"$SCRATCH/err" 3>&- 9>&- &
	local follower=$! result=0

	wait_for 10 grep -q 4xxxxxxxxx "$SCRATCH/seen"
	echo >&9
	wait "$follower" || result=$?
	[[ $result -eq 5 || $result -eq 7 ]] || fail "tail ended with $result"
	[[ -s $SCRATCH/err ]] || fail 'it said nothing'
	peer_ends 0
}

@test "verify raises no false alarm beside a peer that writes" {
	start_peer capacity 16777216 say ready wait write 20000 100 20
	echo >&9
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		run_shmlog 0 verify "$LOG"
	done
	kill -9 "$HOLDER"
	peer_ends 137
	run_shmlog 0 verify "$LOG"
}

@test "a payload that wrapped round is suspected" {
	"$PEER_WRITER" "$LOG" capacity 262144 text good batch 1 70000 text behind
	run_shmlog 1 verify "$LOG"
	assert_output --partial 70000
	run_shmlog 1 dump "$LOG"
	assert_output good
	assert_stderr --partial 70000
}

@test "a full log of the peer's is full for append" {
	run "$PEER_WRITER" "$LOG" capacity 124 write 100 6 0
	assert_failure 1
	run_shmlog 6 append -m more "$LOG"
	assert_stderr --partial full
	assert_equal "$(frames_of "$LOG")" 10
}
