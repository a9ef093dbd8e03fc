# rotate: what gets which name, who holds what, what is kept and archived.
load helper

setup() {
	scratch_make
	mkdir "$SCRATCH/room"
	LOG=$SCRATCH/room/log
}

teardown() {
	[[ -z ${HOLDER:-} ]] || kill -9 "$HOLDER" 2>/dev/null || true
	scratch_remove
}

# The names in the log's folder, sorted, the time of a rotation as TIME, with the
# number behind it that logs of the same second have.
names() {
	(cd "$SCRATCH/room" && printf '%s\n' *) |
		sed -E 's/[0-9]{8}T[0-9]{6}Z(\.[0-9]+)?/TIME/' | LC_ALL=C sort
}

# Fills a log with one frame and rotates it; prints the old one's name.
rotate_frame() { # TEXT OPTION...
	shmlog append "$LOG" -m "$1"
	shmlog rotate "${@:2}" "$LOG"
}

# Stays with a file open until it is killed.
hold() { # FILE
	exec {held}<"$1"
	sleep 1000 3>&- &
	exec {held}<&-
	HOLDER=$!
}

needs_zstd() {
	shmlog create "$LOG" -c 64
	run --separate-stderr shmlog rotate --compress "$LOG"
	[[ $stderr != *'lacks zstd'* ]] || skip 'built without zstd'
	rm -f "$LOG"*
}

# Whether the system says who has a file open.
needs_leases() {
	skip_if_portable 'nobody can tell who holds a file'
}

# What stands behind the time in the name of the first log of a second, for a
# regular expression: a number where names cannot be exchanged, as the new log
# had the name without one.
first_number() {
	[[ $BUILD != */portable ]] || printf '\\.1'
}

@test "rotate prints the name of the old log, and leaves an empty one" {
	printf 'one\ntwo\n' | shmlog append --create 5000 "$LOG"
	chmod 640 "$LOG"
	run_shmlog 0 rotate "$LOG"
	assert_output --regexp "^$LOG\.20[0-9]{6}T[0-9]{6}Z$(first_number)\$"
	assert_stderr ''
	assert_equal "$(shmlog dump "$output")" $'one\ntwo'
	assert_equal "$(shmlog dump "$LOG")" ''
	assert_equal "$(stat -c '%s %a' "$LOG")" '5000 640'
	assert_equal "$(names)" $'log\nlog.TIME'
}

@test "rotate -o json says what it did" {
	need jq
	printf 'one\ntwo\n' | shmlog append --create 5000 "$LOG"
	cd "$SCRATCH/room"
	run_shmlog 0 rotate -o json log
	assert_stderr ''
	assert_equal "$(jq -c '[.log, (.rotated | ltrimstr($log) | length), .cursor,
		.removed, .archived]' --arg log "$LOG" <<<"$output")" \
		"[\"log\",$((17 + $(first_number | tr -d '\\' | wc -c))),14,[],[]]"
}

@test "rotations of one second have numbers" {
	local i

	shmlog create "$LOG" -c 64
	for i in 1 2 3 4; do
		rotate_frame "$i"
	done >"$SCRATCH/printed"
	sort -V "$SCRATCH/printed" | cmp - "$SCRATCH/printed"
	while read -r i; do
		shmlog dump "$i"
	done <"$SCRATCH/printed" >"$SCRATCH/read"
	assert_equal "$(<"$SCRATCH/read")" $'1\n2\n3\n4'
}

@test "rotate goes through a symbolic link" {
	shmlog append --create 64 "$LOG" -m x
	ln -s "$LOG" "$SCRATCH/link"
	run_shmlog 0 rotate "$SCRATCH/link"
	assert_output --regexp "^$LOG\.2"
	assert [ -L "$SCRATCH/link" ]
	assert_equal "$(frames_of "$SCRATCH/link")" 0
}

@test "rotate refuses what is no log, and a log that is not there" {
	run_shmlog 4 rotate "$LOG"
	assert_stderr "shmlog rotate: $LOG: cannot open: No such file or directory"
	head -c 100 /dev/zero >"$LOG"
	run_shmlog 5 rotate "$LOG"
	assert_stderr --partial 'not a log'
	run_shmlog 2 rotate --keep x "$LOG"
	run_shmlog 2 rotate --keep -1 "$LOG"
	run_shmlog 2 rotate -o yaml "$LOG"
	assert_equal "$(names)" log
}

@test "rotate refuses beside a writer without the lock, and says what to do" {
	needs_leases
	shmlog append --create 4K "$LOG" -m one
	exec 9<>"$LOG"
	sleep 1000 &
	HOLDER=$!
	exec 9>&-
	run_shmlog 7 rotate "$LOG"
	assert_output ''
	assert_stderr --regexp "^shmlog rotate: $LOG: cannot rotate: another writer has the log open: pid $HOLDER .*; nothing was changed; a Node process would go on in the renamed file: let it close the log before a rotation, and open it again behind that\$"
	assert_equal "$(names)" log
	run_shmlog 0 rotate --force "$LOG"
	assert_equal "$(names)" $'log\nlog.TIME'
}

@test "rotate waits for the lock as long as it may" {
	need flock
	shmlog create "$LOG" -c 64
	flock "$LOG" sleep 1000 &
	HOLDER=$!
	wait_for 5 bash -c "! flock -n '$LOG' true"
	run_shmlog 7 rotate --lock-timeout 20ms "$LOG"
	assert_stderr --partial 'nothing was changed'
	# What flock has started holds the lock, too.
	kill -9 "$(pgrep -P "$HOLDER")"
	run_shmlog 0 rotate "$LOG"
}

@test "rotate makes room for a log that is damaged" {
	shmlog append --create 64 "$LOG" -m x
	put_bytes "$LOG" 24 ffff
	run_shmlog 5 append "$LOG" -m y
	run_shmlog 0 rotate "$LOG"
	run_shmlog 0 append "$LOG" -m y
}

# ----------------------------------------------------------------------- keep

@test "--keep removes the oldest, and nothing that is no rotated log" {
	local name

	needs_leases
	shmlog create "$LOG" -c 64
	rotate_frame 1
	rotate_frame 2
	cd "$SCRATCH/room"
	# Near misses: another log, other forms, no log, a folder, a link.
	for name in log2.20200101T000000Z log.20200101T000000Zx log.20200101 \
		log.20200101T000000Z.x log.20200101T000000Z.01 log.20200101T000000Z. \
		xlog.20200101T000000Z log.20200101T000000 log.20201301T000000Z \
		log.20200132T000000Z log.20200101T240000Z log.20200101T006000Z; do
		cp log "$name"
	done
	echo 'this is no log' >log.20200102T000000Z
	echo 'nor is this' >log.20200102T000000Z.zst
	mkdir log.20200103T000000Z
	ln -s log log.20200104T000000Z
	ls -A >"$SCRATCH/before"
	run_shmlog 0 rotate --keep 2 "$LOG"
	ls -A >"$SCRATCH/after"
	run diff "$SCRATCH/before" "$SCRATCH/after"
	assert_equal "$(grep -c '^<' <<<"$output")" 1
	assert_equal "$(grep -c '^>' <<<"$output")" 1
	assert_line --regexp '^< log.20[0-9]{6}T[0-9]{6}Z$'
	# What is left of this year has the second frame, and no other.
	assert_equal "$(find . -type f -regex './log\.20[0-9]*T[0-9]*Z\(\.[0-9]+\)?' \
		! -name 'log.2020*' -exec shmlog dump -q {} +)" 2
}

@test "--keep 0 leaves no rotated log" {
	needs_leases
	shmlog create "$LOG" -c 64
	rotate_frame 1
	rotate_frame 2 --keep 0
	assert_equal "$(names)" log
}

@test "--keep leaves what a process holds, and removes what is behind it" {
	local first

	needs_leases
	shmlog create "$LOG" -c 64
	first=$(rotate_frame 1)
	hold "$first"
	rotate_frame 2
	rotate_frame 3 --keep 0
	assert_equal "$(names)" $'log\nlog.TIME'
	assert_equal "$(shmlog dump "$LOG".2*)" 1
	kill -9 "$HOLDER"
	wait "$HOLDER" || true
	rotate_frame 4 --keep 0
	assert_equal "$(names)" log
}

@test "--keep leaves all that a follower has still to read" {
	needs_leases
	shmlog create "$LOG" -c 64
	shmlog tail -F -n 0 "$LOG" >"$SCRATCH/out" 2>"$SCRATCH/err" &
	HOLDER=$!
	wait_until_asleep $HOLDER
	kill -STOP $HOLDER
	rotate_frame 1 --keep 0
	rotate_frame 2 --keep 0
	rotate_frame 3 --keep 0
	shmlog append "$LOG" -m 4
	assert_equal "$(names | wc -l)" 4
	kill -CONT $HOLDER
	wait_for 10 grep -q 4 "$SCRATCH/out"
	assert_equal "$(<"$SCRATCH/out")" $'1\n2\n3\n4'
	shmlog rotate --keep 0 "$LOG"
	# It may hold the last one for a moment more.
	wait_for 10 bash -c 'shmlog rotate --keep 0 "$0" >/dev/null && [ ! -e "$0".2* ]' "$LOG"
}

# ------------------------------------------------------------------- archives

@test "--compress archives the log cut to its committed size" {
	local old

	needs_leases
	needs_zstd
	need zstd
	seq 2000 | shmlog append --create 1M "$LOG"
	chmod 600 "$LOG"
	cp "$LOG" "$SCRATCH/copy"
	old=$(shmlog rotate --compress "$LOG")
	assert_equal "$(names)" $'log\nlog.TIME.zst'
	assert_equal "$(stat -c %a "$old.zst")" 600
	zstd -q -d "$old.zst"
	cmp "$old" <(head -c "$(u64_at "$SCRATCH/copy" 16)" "$SCRATCH/copy")
	run_shmlog 0 verify "$old"
	assert_equal "$(shmlog dump "$old" | sha256sum)" "$(seq 2000 | sha256sum)"
}

@test "--compress archives older logs as well, and --keep counts archives" {
	needs_leases
	needs_zstd
	shmlog create "$LOG" -c 64
	rotate_frame 1
	rotate_frame 2
	rotate_frame 3 --compress -o json >"$SCRATCH/report"
	assert_equal "$(names)" $'log\nlog.TIME.zst\nlog.TIME.zst\nlog.TIME.zst'
	if command -v jq >/dev/null; then
		assert_equal "$(jq '.archived | length' "$SCRATCH/report")" 3
	fi
	rotate_frame 4 --keep 2 --compress
	assert_equal "$(names | wc -l)" 3
}

@test "--compress leaves what a process holds" {
	local first

	needs_leases
	needs_zstd
	shmlog create "$LOG" -c 64
	first=$(rotate_frame 1)
	hold "$first"
	rotate_frame 2 --compress
	assert_equal "$(names)" $'log\nlog.TIME\nlog.TIME.zst'
	cmp "$first" "$first"
}

@test "--compress finishes what was killed before the log was removed" {
	local first

	needs_leases
	needs_zstd
	shmlog create "$LOG" -c 64
	first=$(rotate_frame 1)
	cp "$first" "$SCRATCH/first"
	rotate_frame 2 --compress
	# As it was before the removal, and a draft besides.
	cp "$SCRATCH/first" "$first"
	echo rubbish >"$first.zst.tmp"
	rotate_frame 3 --compress
	assert_not_exist "$first"
	assert_equal "$(names)" $'log\nlog.TIME.zst\nlog.TIME.zst\nlog.TIME.zst'
	cp "$SCRATCH/first" "$first"
	echo rubbish >"$first.zst.tmp"
	shmlog rotate --keep 0 "$LOG"
	assert_equal "$(names)" log
}

@test "--compress never writes over the archive of another log" {
	local first

	needs_leases
	needs_zstd
	shmlog create "$LOG" -c 64
	first=$(rotate_frame 1)
	shmlog rotate --compress "$LOG"
	remember "$first.zst"
	cp "$LOG" "$first"
	run_shmlog 4 rotate --compress "$LOG"
	assert_stderr "shmlog rotate: $first: cannot archive: File exists; left as it is"
	assert_unchanged "$first.zst"
	assert_exist "$first"
}

@test "--compress takes the same memory for a large log" {
	needs_leases
	needs_zstd
	skip_if_sanitized 'a sanitizer takes memory of its own'
	head -c 64M /dev/zero | tr '\0' '\n' | head -c 33000000 |
		sed 's/$/abcdefg/' | head -c 48000000 | shmlog append --create 100M "$LOG"
	(
		ulimit -v 40000
		shmlog rotate --compress "$LOG"
	)
	assert_equal "$(names)" $'log\nlog.TIME.zst'
}

@test "a build without zstd says which package brings it" {
	needs_leases
	shmlog create "$LOG" -c 64
	run --separate-stderr shmlog rotate --compress "$LOG"
	if [[ $status -ne 0 ]]; then
		assert_equal "$status" 4
		assert_stderr --partial 'libzstd-dev'
		assert_equal "$(names)" log
	fi
}

@test "rotate says what it did where standard output does not take it" {
	[[ -w /dev/full ]] || skip 'no /dev/full'
	shmlog create -c 4K "$LOG"
	run bash -c 'shmlog rotate "$1" 2>&1 >/dev/full' - "$LOG"
	assert_failure 4
	assert_line --index 0 --regexp "^shmlog rotate: $LOG: was rotated, and is '$LOG\.[0-9TZ.]*' now$"
	assert_line --index 1 'shmlog rotate: cannot write standard output: No space left on device'
	run bash -c 'shmlog rotate -o json "$1" 2>&1 >/dev/full' - "$LOG"
	assert_failure 4
	assert_line --index 0 --partial 'was rotated, and is'
}

@test "the new name is as it is in a pipe, and escaped on a terminal" {
	need script
	local name=$SCRATCH/$'x\e[1m'

	shmlog create -c 4K "$name"
	assert_equal "$(shmlog rotate "$name" | cut -c "1-${#name}")" "$name"
	run script -qec "shmlog rotate '$name'" /dev/null
	assert_success
	assert_output --partial "$SCRATCH/x\\x1b[1m."
}

@test "what another process works on is left for a later rotation" {
	need strace
	needs_leases
	skip_if_sanitized 'strace and sanitizers exclude each other'
	shmlog create "$LOG" -c 4K
	rotate_frame one
	# The lock is there for the rotation, and then never again.
	run --separate-stderr strace -f -o /dev/null -e trace=flock \
		-e inject=flock:error=EAGAIN:when=2+ shmlog rotate --keep 0 "$LOG"
	assert_success
	assert_stderr ''
	assert_equal "$(names)" $'log\nlog.TIME\nlog.TIME'
	shmlog rotate --keep 0 "$LOG"
	assert_equal "$(names)" log
}
