# rm: logs that nobody holds.
load helper

HOLDER=

teardown() {
	[[ -z $HOLDER ]] || kill -9 "$HOLDER" 2>/dev/null || true
	scratch_remove
}

setup() {
	scratch_make
	make_log log.shm
}

# A process that has a file open until it is killed, in $HOLDER.
hold() { # r|w FILE
	case $1 in
	r) sleep 600 8<"$2" & ;;
	w) sleep 600 8<>"$2" & ;;
	esac
	HOLDER=$!
	wait_for 10 test "/proc/$HOLDER/fd/8" -ef "$2"
}

let_go() {
	kill -9 "$HOLDER"
	wait "$HOLDER" 2>/dev/null || true
	HOLDER=
}

make_log() { # NAME
	seq 5 | shmlog append --create 4K "$SCRATCH/$1"
}

# Without leases and without all of /proc nothing can be removed.
need_leases() {
	skip_if_portable "there are no leases"
}

@test "rm removes a log that nobody holds, and says nothing" {
	need_leases
	expect 0 '' '' rm "$LOG"
	assert_not_exist "$LOG"
	# Nothing is left beside it.
	assert_equal "$(find "$SCRATCH" -mindepth 1)" ''
}

@test "rm of several logs goes on behind one that it leaves" {
	need_leases
	make_log b
	make_log c
	hold w "$LOG"
	run_shmlog 7 rm "$SCRATCH/b" "$LOG" "$SCRATCH/missing" "$SCRATCH/c"
	assert_output ''
	assert_equal "${#stderr_lines[@]}" 2
	assert_equal "$(find "$SCRATCH" -mindepth 1)" "$LOG"
	let_go
}

@test "rm refuses while a process has the log open for writing, status 7" {
	need_leases
	hold w "$LOG"
	remember "$LOG"
	run_shmlog 7 rm "$LOG"
	assert_stderr "shmlog rm: $LOG: cannot remove: another writer has the log open: pid $HOLDER ('sleep 600'); left as it is"
	assert_unchanged "$LOG"
	let_go
	run_shmlog 0 rm "$LOG"
}

@test "rm refuses while an appender waits for input, status 7" {
	need_leases
	mkfifo "$SCRATCH/in"
	shmlog append "$LOG" <"$SCRATCH/in" &
	HOLDER=$!
	exec 7>"$SCRATCH/in"
	echo x >&7
	wait_for 20 bash -c "shmlog dump '$LOG' | grep -qx x"
	wait_until_asleep "$HOLDER"
	run_shmlog 7 rm "$LOG"
	assert_stderr --partial "pid $HOLDER ('"
	run_shmlog 0 rm --unattended "$SCRATCH"
	assert_output ''
	echo y >&7
	exec 7>&-
	wait "$HOLDER"
	HOLDER=
	assert_equal "$(shmlog tail -n 2 "$LOG")" $'x\ny'
}

@test "rm leaves a log that is read only with --readers, status 7" {
	need_leases
	hold r "$LOG"
	run_shmlog 7 rm --readers "$LOG"
	assert_stderr "shmlog rm: $LOG: cannot remove: another process reads the log: pid $HOLDER ('sleep 600'); left as it is"
	assert_exist "$LOG"
	expect 0 '' '' rm "$LOG"
	assert_not_exist "$LOG"
	let_go
}

@test "rm --readers refuses while a follower follows" {
	need_leases
	shmlog tail -f "$LOG" >"$SCRATCH/out" &
	HOLDER=$!
	wait_until_asleep "$HOLDER"
	run_shmlog 7 rm --readers "$LOG"
	assert_stderr --partial 'another process reads the log: pid'
	let_go
	run_shmlog 0 rm --readers "$LOG"
}

@test "rm --readers refuses while a process has the log only mapped" {
	need_leases
	need python3
	python3 -c 'import mmap, sys, time
file = open(sys.argv[1], "rb")
map = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
file.close()
open(sys.argv[2], "w").close()
time.sleep(600)' "$LOG" "$SCRATCH/ready" &
	HOLDER=$!
	wait_for 20 test -e "$SCRATCH/ready"
	run_shmlog 7 rm --readers "$LOG"
	assert_exist "$LOG"
	run_shmlog 0 rm --unattended "$SCRATCH"
	assert_exist "$LOG"
	let_go
}

@test "rm --unattended removes what nobody holds, and names it" {
	need_leases
	mkdir "$SCRATCH/deep"
	make_log deep/a
	make_log read
	make_log written
	seq 1000 >"$SCRATCH/text"
	cp "$FIXTURES/oversize-wrap.shm" "$SCRATCH/damaged"
	: >"$SCRATCH/empty"
	ln -s deep/a "$SCRATCH/link"
	hold r "$SCRATCH/read"
	local reader=$HOLDER
	hold w "$SCRATCH/written"
	run_shmlog 0 rm --unattended -n "$SCRATCH"
	assert_stderr ''
	assert_equal "$(sort <<<"$output")" "$SCRATCH/deep/a
$LOG"
	assert_exist "$LOG"
	run_shmlog 0 rm --unattended -o json "$SCRATCH"
	assert_stderr ''
	assert_equal "$(jq -c '[.path, .removed]' <<<"$output" | sort)" \
		"[\"$SCRATCH/deep/a\",true]
[\"$LOG\",true]"
	assert_equal "$(cd "$SCRATCH" && find . -mindepth 1 | sort)" "./damaged
./deep
./empty
./link
./read
./text
./written"
	let_go
	HOLDER=$reader
	let_go
	run_shmlog 0 rm --unattended "$SCRATCH"
	assert_equal "$(sort <<<"$output")" "$SCRATCH/read
$SCRATCH/written"
	expect 0 '' '' rm --unattended "$SCRATCH"
}

@test "rm -n says what would be removed, and why not" {
	need_leases
	expect 0 "$LOG" '' rm -n "$LOG"
	run_shmlog 0 rm --dry-run -o json "$LOG"
	assert_equal "$(jq -c '[.path, .removed]' <<<"$output")" "[\"$LOG\",false]"
	hold w "$LOG"
	run_shmlog 7 rm -n "$LOG"
	assert_output ''
	let_go
	assert_exist "$LOG"
}

@test "rm -o json prints a line for each log that it removes" {
	need_leases
	run_shmlog 0 rm -o json "$LOG"
	assert_output "{\"path\":\"$LOG\",\"removed\":true}"
}

@test "rm removes a log that is damaged if it is named" {
	need_leases
	put_bytes "$LOG" 24 0000
	run_shmlog 0 rm "$LOG"
	assert_not_exist "$LOG"
}

@test "rm never removes what is no log, status 5" {
	local file

	seq 1000 >"$SCRATCH/text"
	: >"$SCRATCH/empty"
	head -c 4096 /dev/zero >"$SCRATCH/zeros"
	mkdir "$SCRATCH/folder"
	mkfifo "$SCRATCH/fifo"
	ln -s log.shm "$SCRATCH/link"
	ln -s nowhere "$SCRATCH/dangling"
	make_log frameless
	put_bytes "$SCRATCH/frameless" 24 ffff
	put_bytes "$SCRATCH/frameless" 47 ffff
	make_log header
	put_u64 "$SCRATCH/header" 0 100
	find "$SCRATCH" | sort >"$BATS_TEST_TMPDIR/before"
	for file in text empty zeros folder fifo link dangling frameless header; do
		run_shmlog 5 rm "$SCRATCH/$file"
		assert_output ''
		assert_stderr --regexp "^shmlog rm: $SCRATCH/$file: .*(left as it is|nothing was changed)$"
	done
	run_shmlog 5 rm /dev/null
	find "$SCRATCH" | sort | cmp - "$BATS_TEST_TMPDIR/before"
	rm "$LOG"
	expect 0 '' '' rm --unattended "$SCRATCH"
	run_shmlog 5 rm --unattended "$SCRATCH/text"
	# A link is told of if it is named; a folder is searched through one.
	mkdir "$SCRATCH/aside"
	make_log aside/log
	ln -s aside/log "$SCRATCH/named"
	ln -s aside "$SCRATCH/folded"
	expect 5 '' "shmlog rm: $SCRATCH/named: not a log: it is a symbolic link, and what it leads to has another name; left as it is" \
		rm --unattended "$SCRATCH/named"
	[[ $BUILD == */portable ]] || expect 0 "$SCRATCH/folded/log" '' rm --unattended -n "$SCRATCH/folded"
	run_shmlog 4 rm --unattended "$SCRATCH/dangling"
	assert_exist "$SCRATCH/aside/log"
}

@test "rm of a missing log is status 4" {
	expect 4 '' "shmlog rm: $SCRATCH/missing: cannot open: No such file or directory" \
		rm "$SCRATCH/missing"
	run_shmlog 4 rm --unattended "$SCRATCH/missing"
	run_shmlog 2 rm
}

@test "rm in a folder that may not be changed is status 4, with the log as it was" {
	need_leases
	need setpriv
	[[ $(id -u) -eq 0 ]] || skip "needs root, to become somebody else"
	chown 65534 "$LOG"
	chmod 755 "$SCRATCH"
	remember "$LOG"
	run --separate-stderr setpriv --reuid=65534 --clear-groups "$BUILD/shmlog" rm "$LOG"
	assert_equal "$status" 4
	assert_stderr "shmlog rm: $LOG: cannot remove: Permission denied; left as it is"
	assert_unchanged "$LOG"
	assert_equal "$(find "$SCRATCH" -name '.*')" ''
}

@test "rm of another user's log, which the system says nothing of, is status 4" {
	need_leases
	need setpriv
	[[ $(id -u) -eq 0 ]] || skip "needs root, to become somebody else"
	chmod 777 "$SCRATCH"
	chmod 666 "$LOG"
	run --separate-stderr setpriv --reuid=65534 --clear-groups "$BUILD/shmlog" rm "$LOG"
	assert_equal "$status" 4
	assert_stderr "shmlog rm: $LOG: cannot remove: the system does not tell whether a process holds it; left as it is"
	assert_exist "$LOG"
}

@test "rm without leases and /proc removes nothing, status 4" {
	[[ $BUILD == */portable ]] || skip "there are leases"
	expect 4 '' "shmlog rm: $LOG: cannot remove: the system does not tell whether a process holds it; left as it is" \
		rm "$LOG"
	assert_exist "$LOG"
	run_shmlog 4 rm --unattended "$SCRATCH"
	assert_exist "$LOG"
}

@test "rm removes one of two names" {
	need_leases
	ln "$LOG" "$SCRATCH/second"
	run_shmlog 0 rm "$LOG"
	assert_not_exist "$LOG"
	assert_equal "$(shmlog dump "$SCRATCH/second" | wc -l)" 5
}

@test "rm escapes hostile names" {
	need_leases
	local name=$'a\e[31m\nb'

	make_log "$name"
	export NAME=$SCRATCH/$name
	need script
	run script -qec "shmlog rm -n \"\$NAME\"" /dev/null
	assert_output --partial "$SCRATCH/a\\x1b[31m\\nb"
	run_shmlog 0 rm -o json "$SCRATCH/$name"
	assert_equal "$(jq -r .path <<<"$output")" "$SCRATCH/$name"
	assert_not_exist "$SCRATCH/$name"
}

@test "names are as they are in a pipe; what was done is said where nobody takes them" {
	need_leases
	local name=$SCRATCH/$'x\e[1m'

	shmlog create -c 4K "$name"
	shmlog create -c 4K "$SCRATCH/y"
	assert_equal "$(shmlog rm --unattended "$name")" "$name"
	[[ -w /dev/full ]] || return 0
	run bash -c 'shmlog rm --unattended "$1" 2>&1 >/dev/full' - "$SCRATCH/y"
	assert_failure 4
	assert_line --index 0 'shmlog rm: logs removed by then: 1'
	assert_line --index 1 'shmlog rm: cannot write standard output: No space left on device'
}
