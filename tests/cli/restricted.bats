# Where the system lacks something: shared mappings.
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
