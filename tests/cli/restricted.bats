# Where the system lacks something, or another program is in the way: shared
# mappings, descriptors, leases.
load helper

teardown() {
	[[ -z ${FOLLOWER:-} ]] || kill -9 "$FOLLOWER" 2>/dev/null || true
	scratch_remove
}

out_is() {
	[[ $(<"$SCRATCH/out") == "$1" ]]
}

sees() { # LINES
	wait_for 10 out_is "$1" || fail "seen: $(cat "$SCRATCH/out" "$SCRATCH/err")"
}

# ---------------------------------------------------------- shared mappings

# Everything from here on runs where no file can be mapped by several
# processes.
without_shared_mappings() {
	[[ $(uname) == Linux ]] || skip 'the shim is for Linux'
	skip_if_sanitized 'a sanitizer must be loaded first'
	"${CC:-cc}" -std=c11 -D_GNU_SOURCE -fPIC -shared -o "$BATS_TEST_TMPDIR/shim.so" \
		"$ROOT/tests/fault/shim/no_shared_mapping.c" || skip 'no compiler'
	export LD_PRELOAD=$BATS_TEST_TMPDIR/shim.so
}

@test "append and its readers work where nothing can be mapped by several" {
	without_shared_mappings
	seq 5 | shmlog append --create 64K --commit-every 2 --ack "$LOG" >"$SCRATCH/acks"
	assert_equal "$(jq -c .cursor "$SCRATCH/acks" | tail -n 1)" "$(end_of "$LOG")"
	seq 6 9 | shmlog append --atomic "$LOG"
	expect 0 "$(seq 9)" '' dump "$LOG"
	expect 0 $'8\n9' '' tail -n 2 "$LOG"
	run_shmlog 0 verify "$LOG"
	run_shmlog 0 stat -o json "$LOG"
	assert_equal "$(jq .frames <<<"$output")" 9
	unset LD_PRELOAD
	run_shmlog 0 verify "$LOG"
	expect 0 "$(seq 9)" '' dump "$LOG"
}

@test "a follow polls where nothing can be mapped by several" {
	without_shared_mappings
	shmlog append --create 64K -m one "$LOG"
	: >"$SCRATCH/out"
	shmlog tail -F "$LOG" >"$SCRATCH/out" 2>"$SCRATCH/err" 3>&- &
	FOLLOWER=$!
	sees one
	seq 3 | shmlog append --commit-every 1 "$LOG"
	sees $'one\n1\n2\n3'
	shmlog append --create 64K -m new "$SCRATCH/new"
	mv "$SCRATCH/new" "$LOG"
	sees $'one\n1\n2\n3\nnew'
	shmlog append -m two "$LOG"
	sees $'one\n1\n2\n3\nnew\ntwo'
}

@test "appenders without a mapping overwrite nothing of each other" {
	local i pids=()

	without_shared_mappings
	shmlog create -c 256K "$LOG"
	for i in 1 2 3 4; do
		seq -f "$i-%g" 200 | shmlog append --commit-every 3 "$LOG" 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	run_shmlog 0 verify "$LOG"
	shmlog dump "$LOG" | sort | cmp - <(for i in 1 2 3 4; do
		seq -f "$i-%g" 200
	done | sort)
}

# -------------------------------------------------------------- descriptors

# Becomes a command that may have so many descriptors, the standard ones counted.
become_with_descriptors() { # NUMBER COMMAND...
	local fd

	for fd in /proc/self/fd/*; do
		fd=${fd##*/}
		((fd <= 2)) || eval "exec $fd>&-"
	done
	ulimit -n "$1"
	exec "${@:2}"
}

# The same in a process of its own.
with_descriptors() { # NUMBER COMMAND...
	(become_with_descriptors "$@")
}

need_few_descriptors() {
	[[ -d /proc/self/fd ]] || skip 'no /proc on this machine'
	skip_if_sanitized 'a sanitizer opens files of its own'
}

@test "append works with four descriptors, unless it prints" {
	need_few_descriptors
	shmlog create -c 4K "$LOG"
	with_descriptors 4 shmlog append -m one "$LOG"
	echo two | with_descriptors 4 shmlog append "$LOG"
	echo three | with_descriptors 4 shmlog append --create 4K "$LOG"
	run with_descriptors 4 shmlog append --ack -m four "$LOG"
	assert_failure 4
	assert_output --partial 'Too many open files'
	run with_descriptors 5 shmlog append --ack -m four "$LOG"
	assert_output '{"frames":1,"cursor":'"$(end_of "$LOG")"'}'
	expect 0 $'one\ntwo\nthree\nfour' '' dump "$LOG"
}

@test "tail -F works with four descriptors" {
	need_few_descriptors
	: >"$SCRATCH/out"
	become_with_descriptors 4 shmlog tail -F "$LOG" >"$SCRATCH/out" 2>"$SCRATCH/err" &
	FOLLOWER=$!
	wait_for 10 grep -q waiting "$SCRATCH/err"
	shmlog append --create 4K -m one "$LOG"
	sees one
	shmlog append -m two "$LOG"
	shmlog append --create 4K -m new "$SCRATCH/new"
	mv "$SCRATCH/new" "$LOG"
	sees $'one\ntwo\nnew'
	rm "$LOG"
	wait_for 10 grep -q gone "$SCRATCH/err"
	mkdir "$LOG"
	rmdir "$LOG"
	shmlog append --create 4K -m third "$LOG"
	sees $'one\ntwo\nnew\nthird'
	assert_equal "$(grep -c replaced "$SCRATCH/err")" 2
}

@test "tail -F with a cursor file works with five" {
	need_few_descriptors
	: >"$SCRATCH/out"
	shmlog append --create 4K -m one "$LOG"
	become_with_descriptors 5 shmlog tail -F --cursor-file "$SCRATCH/cursor" "$LOG" \
		>"$SCRATCH/out" 2>"$SCRATCH/err" &
	FOLLOWER=$!
	sees one
	shmlog append --create 4K -m new "$SCRATCH/new"
	mv "$SCRATCH/new" "$LOG"
	sees $'one\nnew'
	kill "$FOLLOWER"
	wait "$FOLLOWER" || true
	assert_equal "$(jq .cursor "$SCRATCH/cursor")" "$(end_of "$LOG")"
}

# ------------------------------------------------------------------- leases

# Another program that has a lease on the log, and gives it back a moment
# after it is asked to; or never does.
take_lease() { # [never]
	need perl
	[[ $(uname) == Linux ]] || skip 'leases are for Linux'
	perl -e 'my ($log, $ready, $never) = @ARGV;
		my $asked = 0;
		$SIG{IO} = sub { $asked = 1 };
		open my $file, "+<", $log or die;
		fcntl($file, 1024, 1) or exit 77; # F_SETLEASE, F_WRLCK
		open my $note, ">", $ready or die;
		close $note;
		for (1 .. 600) { last if $asked; select undef, undef, undef, 0.05 }
		select undef, undef, undef, $never ? 60 : 0.1;
		fcntl($file, 1024, 2); # F_UNLCK
	' "$LOG" "$SCRATCH/leased" "${1:-}" 3>&- &
	HOLDER=$!
	wait_for 10 eval '[[ -e $SCRATCH/leased ]] || ! kill -0 "$HOLDER" 2>/dev/null'
	[[ -e $SCRATCH/leased ]] || skip 'no lease is granted here'
}

@test "a lease of another program is waited for" {
	shmlog append --create 64K -m one "$LOG"
	for command in dump 'tail -n 1' 'tail -F --count 1' verify stat 'seek -- -1' \
		'append -m two' 'create --if-missing -c 64K'; do
		[[ $command != append* ]] || skip_if_portable 'it takes /proc'
		rm -f "$SCRATCH/leased"
		take_lease
		read -r -a words <<<"$command"
		if [[ $command == seek* ]]; then
			run_shmlog 0 seek "$LOG" -- -1
		else
			run_shmlog 0 "${words[@]}" "$LOG"
		fi
		wait "$HOLDER"
	done
	expect 0 $'one\ntwo' '' dump "$LOG"
}

@test "a lease that is not given back keeps no follow from its end" {
	local result=0

	shmlog append --create 64K -m one "$LOG"
	take_lease never
	run_shmlog 124 tail -F --timeout 200ms "$LOG"
	assert_output ''
	assert_stderr "shmlog tail: $LOG: waiting for the log: another process has a lease on it"
	shmlog dump "$LOG" 2>"$SCRATCH/err" 3>&- &
	FOLLOWER=$!
	sleep 0.2
	kill "$FOLLOWER"
	wait "$FOLLOWER" || result=$?
	assert_equal "$result" 143
	kill -9 "$HOLDER"
}

# Logs by the names that they are given here.
make_logs() { # NAME...
	local name

	shmlog append --create 4K -m '{"n":1}' "$SCRATCH/one"
	for name; do
		cp "$SCRATCH/one" "$SCRATCH/$name.shm"
	done
}

@test "tail of more logs than the soft limit of descriptors raises it" {
	local follow

	skip_if_sanitized 'a sanitizer opens files of its own'
	# shellcheck disable=SC2046 # words
	make_logs $(seq 101 220)
	(
		ulimit -Sn 64 && run -0 shmlog tail -q -n 1 --merge .n \
			"$SCRATCH"/*.shm
		assert_equal "${#lines[@]}" 120
	)
	for follow in -f -F; do
		(
			ulimit -Sn 64 && run -0 --separate-stderr shmlog tail "$follow" -q \
				-n 1 --idle 1ms "$SCRATCH"/*.shm
			assert_equal "$stderr" ''
			assert_equal "${#lines[@]}" 120
		)
		(
			ulimit -Sn 64 && run -0 --separate-stderr shmlog tail "$follow" -q \
				-n 1 --idle 1ms --glob "$SCRATCH/*.shm"
			assert_equal "$stderr" ''
			assert_equal "${#lines[@]}" 120
		)
	done
}

@test "tail of more logs than the hard limit of descriptors says which are left" {
	skip_if_sanitized 'a sanitizer opens files of its own'
	# shellcheck disable=SC2046 # words
	make_logs $(seq 101 220)
	(
		ulimit -n 64 && run -4 --separate-stderr shmlog tail -f -q -n 1 \
			--idle 1ms "$SCRATCH"/*.shm
		((${#lines[@]} > 20 && ${#lines[@]} < 64))
		assert_equal "${#stderr_lines[@]}" $((120 - ${#lines[@]}))
		assert_equal "${stderr_lines[-1]}" \
			"shmlog tail: $SCRATCH/220.shm: cannot open: Too many open files"
	)
}
