# Exchange with Node, live and in both directions: through a peer in plain
# JavaScript that behaves as the package shmio does, and through the package
# itself where `node` can resolve it.
load ../cli/helper

PEER=$BATS_TEST_DIRNAME/peer.js
PATIENCE=$((20 * SLACK))s

setup() {
	need node base64
	scratch_make
	unset PEER_PACKAGE
}

teardown() {
	[[ -z ${HOLDER:-} ]] || kill -9 "$HOLDER" 2>/dev/null || true
	scratch_remove
}

# From here on the peer is the package itself.
use_package() {
	node -e 'require.resolve("shmio")' 2>/dev/null ||
		skip 'node cannot resolve shmio'
	export PEER_PACKAGE=shmio
}

peer() {
	node "$PEER" "$@"
}

# Payloads in base64, a line each: both ends of every range that a size word
# has, and bytes that text is not made of.  None is empty: the package cannot
# write that.
hard_payloads() {
	local size

	printf '%s' $'\n' | base64
	printf '\0' | base64
	printf '\xff\xfe\xc3\x28\xed\xa0\x80' | base64
	printf '\xc2\x9b31m \xe2\x80\xae rtl' | base64
	printf '"quoted\\" and \t tabbed' | base64
	for size in 1 2 3 127 128 251 252 253 255 256 4095 4096 65530 65531; do
		head -c "$size" </dev/zero | tr '\0' $'\xa5' | base64 -w 0
		echo
	done
}

# The frames of a log as peer.js prints them, by shmlog.
shmlog_read() { # LOG
	shmlog dump -t '%c %x %s %b\n' "$1"
	echo "end $(end_of "$1")"
}

both_read_the_same() { # LOG
	shmlog_read "$1" >"$SCRATCH/by-shmlog"
	peer read "$1" >"$SCRATCH/by-peer"
	cmp "$SCRATCH/by-shmlog" "$SCRATCH/by-peer" || fail 'they read different frames'
}

# Payload lines in base64 to an envelope each.
as_envelopes() {
	sed 's/.*/{"encoding":"base64","payload":"&"}/'
}

# ------------------------------------------------------------------ exchange

shmlog_reads_what_node_wrote() {
	peer create "$LOG" 1048576
	hard_payloads | peer append "$LOG" 7
	run shmlog verify "$LOG"
	assert_success
	shmlog dump -t '%b\n' "$LOG" | cmp - <(hard_payloads)
	both_read_the_same "$LOG"
}

node_reads_what_shmlog_wrote() {
	hard_payloads | as_envelopes | shmlog append -i envelope --create 1M "$LOG"
	peer read "$LOG" | sed '/^end /d' | cut -d' ' -f4 | cmp - <(hard_payloads)
	both_read_the_same "$LOG"
}

both_write_the_same_bytes() {
	peer create "$SCRATCH/node" 300000
	hard_payloads | peer append "$SCRATCH/node" 5
	shmlog create -c 300000 "$LOG"
	hard_payloads | as_envelopes | shmlog append -i envelope "$LOG"
	cmp "$SCRATCH/node" "$LOG"
}

they_take_turns() {
	local round

	shmlog create -c 64K "$LOG"
	for round in 1 2 3 4 5; do
		echo "from shmlog $round" | shmlog append "$LOG"
		printf 'from node %s' "$round" | base64 | peer append "$LOG"
	done
	run shmlog dump "$LOG"
	assert_success
	assert_output "$(for round in 1 2 3 4 5; do
		printf 'from shmlog %s\nfrom node %s\n' "$round" "$round"
	done)"
	both_read_the_same "$LOG"
}

@test "shmlog reads what a Node peer wrote" {
	shmlog_reads_what_node_wrote
}

@test "shmlog reads what the package wrote" {
	use_package
	shmlog_reads_what_node_wrote
}

@test "a Node peer reads what shmlog wrote" {
	node_reads_what_shmlog_wrote
}

@test "the package reads what shmlog wrote" {
	use_package
	node_reads_what_shmlog_wrote
}

@test "a Node peer and shmlog write the same bytes" {
	both_write_the_same_bytes
}

@test "the package and shmlog write the same bytes" {
	use_package
	both_write_the_same_bytes
}

@test "a Node peer and shmlog take turns on one log" {
	they_take_turns
}

@test "the package and shmlog take turns on one log" {
	use_package
	they_take_turns
}

empty_payloads_are_read() {
	printf '\n\n' | shmlog append --create 4K "$LOG"
	both_read_the_same "$LOG"
	assert_equal "$(peer read "$LOG" | wc -l)" 3
}

@test "a Node peer reads empty payloads" {
	empty_payloads_are_read
}

@test "the package reads empty payloads" {
	use_package
	empty_payloads_are_read
}

# ---------------------------------------------------------------------- live

numbered() { # COUNT PAUSE
	local i

	for ((i = 1; i <= $1; i++)); do
		echo "live $i"
		sleep "$2"
	done
}

shmlog_follows_node() {
	peer create "$LOG" 65536
	numbered 40 0.01 | while IFS= read -r line; do
		printf '%s' "$line" | base64
	done | peer append "$LOG" &
	run shmlog tail -n +1 -f --count 40 --timeout "$PATIENCE" "$LOG"
	assert_success
	assert_output "$(numbered 40 0)"
	wait
}

node_follows_shmlog() {
	shmlog create -c 64K "$LOG"
	numbered 40 0.01 | shmlog append "$LOG" 3>&- &
	timeout "$PATIENCE" node "$PEER" follow "$LOG" 40 | cut -d' ' -f4 |
		while IFS= read -r line; do
			base64 -d <<<"$line"
			echo
		done >"$SCRATCH/followed"
	numbered 40 0 | cmp - "$SCRATCH/followed"
	wait
}

@test "tail -f follows a Node peer" {
	shmlog_follows_node
}

@test "tail -f follows the package" {
	use_package
	shmlog_follows_node
}

@test "a Node peer follows shmlog append" {
	node_follows_shmlog
}

@test "the package follows shmlog append" {
	use_package
	node_follows_shmlog
}

# ----------------------------------------------------------- who else writes

# Starts a Node process that keeps the log open; $HOLDER is its pid.
hold() { # hold|watch
	mkfifo "$SCRATCH/input"
	node "$PEER" "$1" "$LOG" <"$SCRATCH/input" >"$SCRATCH/output" 3>&- &
	HOLDER=$!
	exec 9>"$SCRATCH/input"
	wait_for 10 grep -q ready "$SCRATCH/output"
}

append_refuses_beside_node() {
	[[ $BUILD != */portable* ]] || skip 'no build for such a system can see that'
	shmlog create -c 64K "$LOG"
	hold hold
	remember "$LOG"
	run --separate-stderr shmlog append -m ours "$LOG"
	[ "$status" -eq 7 ]
	assert_output ''
	assert_stderr --partial "$LOG"
	assert_stderr --partial "$HOLDER"
	assert_stderr --partial node
	assert_unchanged "$LOG"
	base64 <<<theirs >&9
	wait_for 10 node_has_written
	kill -9 "$HOLDER"
	wait "$HOLDER" || true
	run shmlog append -m ours "$LOG"
	assert_success
	run shmlog dump -t '%p' "$LOG"
	assert_output $'theirs\nours'
}

node_has_written() {
	[[ $(end_of "$LOG") == 11 ]]
}

append_works_beside_a_reader() {
	shmlog create -c 64K "$LOG"
	hold watch
	run shmlog append -m ours "$LOG"
	assert_success
	kill -0 "$HOLDER"
	exec 9>&-
	wait "$HOLDER"
}

@test "append refuses beside a Node peer that writes, until its death" {
	append_refuses_beside_node
}

@test "append refuses beside a process of the package, until its death" {
	use_package
	append_refuses_beside_node
}

@test "append works beside a Node peer that reads" {
	append_works_beside_a_reader
}

@test "append works beside a process of the package that reads" {
	use_package
	append_works_beside_a_reader
}

@test "a log that Node is about to create is awaited by tail -F" {
	shmlog tail -F -n +1 --count 1 --timeout "$PATIENCE" "$LOG" \
		>"$SCRATCH/out" 2>"$SCRATCH/err" 3>&- &
	local follower=$!

	# As the package creates: the file, its length, and then the header.
	: >"$LOG"
	sleep 0.1
	truncate -s 4096 "$LOG"
	sleep 0.1
	peer create "$LOG" 4096
	printf 'first' | base64 | peer append "$LOG"
	wait "$follower"
	assert_equal "$(<"$SCRATCH/out")" first
}

# ------------------------------------------------------- growing and rotating

# A peer that does what the lines say that it is told; $SCRATCH/output has its
# answers.
obeys() { # read|write
	mkfifo "$SCRATCH/orders"
	node "$PEER" obey "$LOG" "$1" <"$SCRATCH/orders" >"$SCRATCH/output" 3>&- &
	HOLDER=$!
	exec 9>"$SCRATCH/orders"
	wait_for 10 has_answers 1
}

has_answers() { # COUNT
	(($(grep -vcE '^[0-9]' "$SCRATCH/output") >= $1))
}

# Tells the peer to do something, and what the answer has to be.
told() { # ORDER ANSWER
	local before

	before=$(grep -vcE '^[0-9]' "$SCRATCH/output")
	echo "$1" >&9
	wait_for 10 has_answers $((before + 1))
	assert_equal "$(grep -vE '^[0-9]' "$SCRATCH/output" | tail -n 1)" "$2"
}

told_to_append() { # TEXT ANSWER
	told "append $(printf '%s' "$1" | base64)" "$2"
}

# The payloads of all frames that the peer has read.
has_read() {
	local payload

	grep -E '^[0-9]' "$SCRATCH/output" | while read -r _ _ _ payload; do
		base64 -d <<<"$payload"
		echo
	done
}

exhausted() {
	echo "Shared memory exhausted${PEER_PACKAGE:+ while allocating frame} 0"
}

a_writer_finds_a_grown_log_full_until_it_opens_it_again() {
	shmlog create -c 40 "$LOG"
	obeys write
	told_to_append one ok
	told_to_append two ok
	told_to_append three "$(exhausted)"
	run_shmlog 7 grow "$LOG" 4096
	run_shmlog 0 grow --force "$LOG" 4096
	told_to_append three "$(exhausted)"
	told reopen ready
	told_to_append three ok
	assert_equal "$(shmlog dump "$LOG")" $'one\ntwo\nthree'
	shmlog verify -q "$LOG"
}

@test "a Node peer that writes finds a grown log full until it opens it again" {
	a_writer_finds_a_grown_log_full_until_it_opens_it_again
}

@test "the package's writer finds a grown log full until it opens it again" {
	use_package
	a_writer_finds_a_grown_log_full_until_it_opens_it_again
}

# Frames of 7 bytes in batches of 64: the old end cuts the 101st, and the second
# batch is not delivered at all.
a_reader_loses_nothing_of_a_grown_log() {
	shmlog create -c 730 "$LOG"
	seq 100 198 | shmlog append "$LOG"
	obeys read
	shmlog grow "$LOG" 64K
	seq 199 400 | shmlog append "$LOG"
	told read "ERR_SHM_MAPPING_GONE $((64 * 7))"
	# Nor does it move when it tries again.
	told read "ERR_SHM_MAPPING_GONE $((64 * 7))"
	assert_equal "$(has_read)" "$(seq 100 163)"
	told reopen ready
	told read "end $(end_of "$LOG")"
	assert_equal "$(has_read)" "$(shmlog dump "$LOG")"
}

@test "a Node peer that reads ends at its map, and loses nothing of a grown log" {
	a_reader_loses_nothing_of_a_grown_log
}

@test "the package's reader ends at its map, and loses nothing of a grown log" {
	use_package
	a_reader_loses_nothing_of_a_grown_log
}

a_writer_goes_on_in_the_renamed_log() {
	local old

	shmlog create -c 4096 "$LOG"
	obeys write
	told_to_append one ok
	run_shmlog 7 rotate "$LOG"
	run_shmlog 0 rotate --force "$LOG"
	old=$(echo "$LOG".2*)
	told_to_append two ok
	assert_equal "$(shmlog dump "$old")" $'one\ntwo'
	assert_equal "$(frames_of "$LOG")" 0
	# Once it opens the name again, it writes to the new log.
	told reopen ready
	told_to_append three ok
	assert_equal "$(shmlog dump "$old")" $'one\ntwo'
	assert_equal "$(shmlog dump "$LOG")" three
}

@test "a Node peer that writes goes on in the renamed log after a rotation" {
	a_writer_goes_on_in_the_renamed_log
}

@test "the package's writer goes on in the renamed log after a rotation" {
	use_package
	a_writer_goes_on_in_the_renamed_log
}

a_reader_reads_the_renamed_log() {
	shmlog create -c 4096 "$LOG"
	shmlog append -m one "$LOG"
	obeys read
	run_shmlog 0 rotate "$LOG"
	shmlog append -m new "$LOG"
	told read 'end 7'
	assert_equal "$(has_read)" one
}

@test "a Node peer that reads stays with the renamed log after a rotation" {
	a_reader_reads_the_renamed_log
}

@test "the package's reader stays with the renamed log after a rotation" {
	use_package
	a_reader_reads_the_renamed_log
}

# -------------------------------------------------------------- the peer itself

# What the manifest says that the package's iterator returned.
peer_reads_golden_files_as_the_package_did() {
	local file

	for file in $(jq -r '.[].file' "$FIXTURES/manifest.json"); do
		peer read "$FIXTURES/$file" >"$SCRATCH/frames"
		cut -d' ' -f1-3 "$SCRATCH/frames" | sed '/^end /d' | cmp - <(
			manifest "$file" '.frames[] | "\(.cursor) \(.cursor +
				.payloadBytes + 4) \(.payloadBytes)"'
		)
		assert_equal "$(tail -n 1 "$SCRATCH/frames")" \
			"end $(manifest "$file" .iteratorEndCursor)"
	done
}

@test "the Node peer reads the golden files as the package did" {
	need jq
	peer_reads_golden_files_as_the_package_did
}

@test "the package reads the golden files as it did" {
	need jq
	use_package
	peer_reads_golden_files_as_the_package_did
}

@test "the Node peer's own cursor overwrites frames, as the package's does" {
	shmlog create -c 64K "$LOG"
	hold hold
	shmlog append --force -m 'lost' "$LOG"
	base64 <<<over >&9
	wait_for 10 overwritten
	run shmlog dump "$LOG"
	assert_output over
}

overwritten() {
	[[ $(shmlog dump -t '%p' "$LOG") == over ]]
}
