# Every command under valgrind: no bad access, no leak, nothing uninitialised.
load ../cli/helper

checked() { # STATUS ARGUMENT...
	local wanted=$1

	shift
	need valgrind
	run under_valgrind "$@"
	[[ $status -eq $wanted && $output != *==*==* ]] || fail "$output"
}

# What a command prints may hold any byte, so only stderr is looked at.
under_valgrind() {
	# shellcheck disable=SC2069
	valgrind --quiet --error-exitcode=86 --leak-check=full \
		--errors-for-leak-kinds=all --show-leak-kinds=all \
		"$BUILD/shmlog" "$@" 2>&1 >/dev/null
}

@test "create" {
	checked 0 create "$LOG" -c 64K
	checked 4 create "$LOG" -c 64K
	checked 2 create "$LOG" -c nonsense
}

@test "append, every input format" {
	shmlog create "$LOG" -c 64K
	printf 'one\ntwo\nthree' >"$SCRATCH/lines"
	printf '{"a":[1,2.5e3,"\\u00e9"]}\nnull\n' >"$SCRATCH/json"
	printf '{"payload":"AAE=","encoding":"base64"}\n' >"$SCRATCH/envelope"
	checked 0 append "$LOG" "$SCRATCH/lines"
	checked 0 append "$LOG" -i nul "$SCRATCH/lines"
	checked 0 append "$LOG" -i whole "$SCRATCH/lines"
	checked 0 append "$LOG" -i json "$SCRATCH/json"
	checked 0 append "$LOG" -i envelope "$SCRATCH/envelope"
	checked 0 append "$LOG" --atomic -m message -m ""
	checked 9 append "$LOG" -i json "$SCRATCH/lines"
	checked 9 append "$LOG" -i frames "$SCRATCH/lines"
}

@test "dump, every output format" {
	local format

	for format in text nul json hex frames raw; do
		checked 0 dump -o "$format" "$FIXTURES/binary.shm"
	done
	checked 0 dump -o csv --columns '.,.a[0].b' "$FIXTURES/json.shm"
	checked 0 dump -r -n 3 -t '%c %x %i %s %p %b %j\n' "$FIXTURES/json.shm"
	checked 1 dump "$FIXTURES/oversize-wrap.shm"
}

@test "tail" {
	checked 0 tail -n 3 "$FIXTURES/json.shm"
	checked 0 tail -n +198 -o json "$FIXTURES/json.shm"
	checked 124 tail -f --timeout 100ms "$FIXTURES/empty.shm"
}

@test "seek" {
	checked 0 seek "$FIXTURES/json.shm" start end frame:7 offset:24
	checked 1 seek "$FIXTURES/json.shm" 1
	checked 0 seek --nearest "$FIXTURES/json.shm" 1
}

@test "verify" {
	checked 0 verify "$FIXTURES/json.shm" "$FIXTURES/binary.shm"
	checked 1 verify -o json "$FIXTURES/oversize-wrap.shm"
	checked 5 verify "$FIXTURES/manifest.json"
}

@test "stat" {
	checked 0 stat "$FIXTURES/json.shm"
	checked 0 stat -o json --histogram "$FIXTURES/full.shm"
}

@test "bench" {
	checked 0 bench -n 3 --rounds 1 --size 16
	checked 0 bench -n 3 --rounds 1 --size 16 -o json
	checked 4 bench --dir "$SCRATCH/none"
}

@test "help and wrong usage" {
	checked 0 help
	checked 0 append --help
	checked 2 dump --no-such-option "$FIXTURES/json.shm"
	checked 2 no-such-command
}
