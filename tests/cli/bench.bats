# bench: what logs cost on this machine.
load helper

# Little enough for any build, and nowhere but in $SCRATCH.
bench() { # STATUS ARGUMENT...
	local wanted=$1

	shift
	run_shmlog "$wanted" bench -n 20 --rounds 1 --dir "$SCRATCH" "$@"
}

assert_nothing_left() {
	assert_equal "$(ls -A "$SCRATCH")" "$1"
}

# Waits for the processes that were started with $SCRATCH to end.
none_runs() {
	! pgrep -f "bench.*$SCRATCH" >/dev/null
}

@test "each measurement has a row, under the machine's name" {
	local name

	bench 0
	assert_stderr ''
	assert_line --index 0 --regexp "^shmlog [0-9.]+ on .+, [0-9]+ cores?, $(uname -m), $(uname -sr)$"
	assert_line --index 1 --regexp "^[a-z0-9]+ in $SCRATCH, 1 round each: "
	assert_line --index 2 --regexp '^measurement +log +bytes +events/s +MB/s +us/event +ns/event +min\.\.max$'
	for name in write write-batch read read-batch; do
		for log in fresh touched; do
			for size in 16 64 256 1024; do
				assert_line --regexp "^$name +$log +$size +[0-9]+ +[0-9.]+ +[0-9.]+ +[0-9.]+ +[0-9.]+\.\.[0-9.]+$"
			done
		done
	done
	assert_line --regexp '^measurement +bytes +events +min us +p50 us +p99 us +max us$'
	assert_line --regexp '^wake +64 +20( +[0-9]+\.[0-9]{2}){4}$'
	assert_equal "${#lines[@]}" 37
	assert_nothing_left ''
}

@test "names choose what is measured" {
	bench 0 -o json read wake
	assert_equal "$(jq -c '[([.measurements[].name] | unique), (.wake | type)]' <<<"$output")" \
		'[["read"],"object"]'
	bench 0 -o json write-batch
	assert_equal "$(jq -c '[([.measurements[].name] | unique), .wake]' <<<"$output")" \
		'[["write-batch"],null]'
	bench 0 wake
	refute_output --partial 'events/s'
	assert_equal "${#lines[@]}" 4
	bench 0 write write
	refute_output --partial 'wake'
	assert_equal "${#lines[@]}" 11
}

@test "the document is one line with exact numbers and units in its names" {
	bench 0 -o json --size 0 --size 1K
	assert_equal "${#lines[@]}" 1
	assert_stderr ''
	assert_equal "$(jq -c keys_unsorted <<<"$output")" \
		'["version","machine","dir","file_system","rounds","measurements","wake"]'
	assert_equal "$(jq -c '.machine | keys_unsorted' <<<"$output")" \
		'["cpu","cores","architecture","kernel"]'
	assert_equal "$(jq -c '[.version, .machine.kernel, .machine.architecture, .dir, .rounds] | join("|")' <<<"$output")" \
		"\"$(shmlog --version | sed 's/.* //; q')|$(uname -sr)|$(uname -m)|$SCRATCH|1\""
	assert_equal "$(jq -c '[.measurements[] | keys_unsorted] | unique' <<<"$output")" \
		'[["name","log","payload_bytes","batch_frames","events","duration_ns","duration_min_ns","duration_max_ns","events_per_second","bytes_per_second","mb_per_second","us_per_event","ns_per_event","ns_per_event_min","ns_per_event_max"]]'
	assert_equal "$(jq -c '[.measurements[] | [.name, .log, .payload_bytes, .batch_frames, .events]]' <<<"$output")" \
		"$(jq -nc '[["write",1],["write-batch",64],["read",1],["read-batch",10000] |
			. as [$name, $batch] | ("fresh","touched") as $log | (0, 1024) as $size |
			[$name, $log, $size, $batch, 20]]')"
	# Each number is what the others make it.
	assert_equal "$(jq -c '[.measurements[] |
		.duration_min_ns <= .duration_ns and .duration_ns <= .duration_max_ns and
		(.duration_ns | . > 0 and . == floor) and
		(.ns_per_event - .duration_ns / 20 | fabs) < 0.001 and
		(.us_per_event - .duration_ns / 20000 | fabs) < 0.000001 and
		(.ns_per_event_min - .duration_min_ns / 20 | fabs) < 0.001 and
		(.ns_per_event_max - .duration_max_ns / 20 | fabs) < 0.001 and
		(.events_per_second - 20 * 1e9 / .duration_ns | fabs) <= 1 and
		(.bytes_per_second - .payload_bytes * 20 * 1e9 / .duration_ns | fabs) <= 1 and
		(.mb_per_second - .bytes_per_second / 1048576 | fabs) < 0.01] | unique' <<<"$output")" '[true]'
}

@test "wake-ups are in order, in both units" {
	bench 0 -o json --rounds 3 wake
	assert_equal "$(jq -c '.wake | keys_unsorted' <<<"$output")" \
		'["payload_bytes","events","min_ns","min_us","p50_ns","p50_us","p99_ns","p99_us","max_ns","max_us"]'
	assert_equal "$(jq -c '.wake | [.payload_bytes, .events]' <<<"$output")" '[64,60]'
	assert_equal "$(jq -c '.wake | 0 < .min_ns and .min_ns <= .p50_ns and
		.p50_ns <= .p99_ns and .p99_ns <= .max_ns and
		(.p50_us - .p50_ns / 1000 | fabs) < 0.001 and
		(.max_us - .max_ns / 1000 | fabs) < 0.001' <<<"$output")" true
}

@test "a round has 100000 events, or those that fill 32 MiB" {
	skip_if_sanitized 'these are many events'
	run_shmlog 0 bench -o json --rounds 1 --size 16 --size 1024 --dir "$SCRATCH" write-batch
	assert_equal "$(jq -c '[.measurements[].events]' <<<"$output")" '[100000,32640,100000,32640]'
}

@test "the file system is named" {
	need stat
	[[ $(stat -f -c %T "$SCRATCH" 2>/dev/null) == tmpfs ]] || skip 'no tmpfs here'
	bench 0 -o json wake
	assert_equal "$(jq -r .file_system <<<"$output")" tmpfs
}

@test "a folder's name is escaped" {
	mkdir "$SCRATCH/a"$'\e[31m'
	bench 0 --dir "$SCRATCH/a"$'\e[31m' wake
	assert_output --partial "$SCRATCH/a\\x1b[31m, 1 round"
	run_shmlog 4 bench --dir "$SCRATCH/b"$'\e[31m'
	assert_stderr --partial "$SCRATCH/b\\x1b[31m: "
}

@test "nonsense is wrong usage" {
	local text

	bench 2 reed
	assert_stderr --partial "no measurement 'reed'; did you mean 'read'?"
	bench 2 write ''
	assert_stderr --partial "no measurement ''"
	bench 2 -o hex
	assert_stderr --partial "unknown output format 'hex'"
	for text in 0 -1 x 1K 1.5 '' 9223372036854775808; do
		bench 2 --count "$text"
		assert_stderr --partial "count '$text' is not a number from 1 to 9223372036854775807"
	done
	for text in 0 1001 x; do
		bench 2 --rounds "$text"
		assert_stderr --partial "rounds '$text' is not a number from 1 to 1000"
	done
	for text in 65532 64K -1 x; do
		bench 2 --size 1 --size "$text" --size 2
		assert_stderr --partial "payload size '$text' is not a SIZE from 0 to 65531"
	done
	bench 2 --count 9223372036854775807
	assert_stderr --partial 'fit in no file'
	assert_output ''
	assert_nothing_left ''
}

@test "a folder that cannot be measured in is refused" {
	touch "$SCRATCH/file"
	run_shmlog 4 bench --dir "$SCRATCH/none"
	assert_stderr "shmlog bench: $SCRATCH/none: cannot measure there: No such file or directory"
	run_shmlog 4 bench -n 1 --dir "$SCRATCH/file" wake
	assert_stderr "shmlog bench: $SCRATCH/file: cannot make a log to measure on: Not a directory"
	[[ -d /proc/self ]] || return 0
	run_shmlog 4 bench -n 1 --dir /proc wake
	assert_stderr --partial 'shmlog bench: /proc: cannot '
}

@test "what does not fit is refused before anything is made" {
	run_shmlog 4 bench -n 1000000000000000 --size 1000 --dir "$SCRATCH" write
	assert_output ''
	assert_stderr --regexp "^shmlog bench: $SCRATCH: cannot measure there: a log of 1004000000000000024 bytes does not fit in [0-9]+ free bytes; nothing was created$"
	assert_nothing_left ''
	# It is not asked for here.
	run_shmlog 0 bench -n 20 --rounds 1 --size 60000 --dir "$SCRATCH" wake
}

# Starts a long measurement; returns when its log is open.
start_bench() { # ARGUMENT...
	# With job control, or a job in the background ignores SIGINT.
	set -m
	shmlog bench --dir "$SCRATCH" "$@" >"$BATS_TEST_TMPDIR/out" \
		2>"$BATS_TEST_TMPDIR/err" 3>&- &
	BENCH=$!
	set +m
	wait_for 10 has_log_open
}

has_log_open() {
	grep -q 'shmlog-bench.*(deleted)$' "/proc/$BENCH/maps"
}

@test "a signal ends it at once, and nothing is left" {
	local signal what

	[[ -r /proc/self/maps ]] || skip 'no /proc on this machine'
	need pgrep
	for signal in INT:130 TERM:143 HUP:129 KILL:137; do
		for what in '-n 2000000 --rounds 1000 write' '-n 1000 --rounds 1000 wake'; do
			# shellcheck disable=SC2086
			start_bench $what
			assert_nothing_left ''
			kill -s "${signal%:*}" "$BENCH"
			status=0
			wait "$BENCH" || status=$?
			assert_equal "$signal $what: $status" "$signal $what: ${signal#*:}"
			assert_equal "$(<"$BATS_TEST_TMPDIR/err")" ''
			assert_nothing_left ''
			wait_for 5 none_runs
		done
	done
}

@test "rows are out as they are known" {
	[[ -r /proc/self/maps ]] || skip 'no /proc on this machine'
	start_bench -n 1000 --rounds 2 --size 1 write wake
	wait_for 10 grep -q '^write *touched' "$BATS_TEST_TMPDIR/out"
	run ! grep -q '^wake' "$BATS_TEST_TMPDIR/out"
	wait "$BENCH"
	grep -q '^wake' "$BATS_TEST_TMPDIR/out"
}

@test "a closed output ends it quietly, and soon, even while it is silent" {
	local format

	for format in text json; do
		run --separate-stderr limited 20 bash -c \
			'shmlog bench --rounds 1000 -n 100 --dir "$1" -o "$2" wake | true
			echo "${PIPESTATUS[0]}"' - "$SCRATCH" "$format"
		assert_output 141
		assert_stderr ''
		assert_nothing_left ''
	done
}

@test "output that cannot be written is status 4" {
	[[ -w /dev/full ]] || skip 'no /dev/full on this machine'
	local format

	for format in text json; do
		run --separate-stderr bash -c 'shmlog bench -n 1 --rounds 1 --dir "$1" -o "$2" write >/dev/full' \
			- "$SCRATCH" "$format"
		assert_equal "$status" 4
		assert_stderr 'shmlog bench: cannot write standard output: No space left on device'
	done
}

@test "what is under way is said on a terminal alone" {
	need script
	script -qec true /dev/null </dev/null >/dev/null 2>&1 3>&- ||
		skip 'no script(1) of util-linux on this machine'
	script -qec "shmlog bench -n 20 --rounds 2 --size 7 --dir '$SCRATCH' write >'$SCRATCH/out'" \
		/dev/null </dev/null 3>&- >"$SCRATCH/seen"
	grep -qF 'write, 7 bytes: round 2 of 2' "$SCRATCH/seen"
	assert_equal "$(grep -c ' of ' "$SCRATCH/out")" 0
	grep -q '^write *fresh *7 ' "$SCRATCH/out"
}

@test "help names the measurements" {
	run_shmlog 0 help bench
	assert_line --index 0 --regexp '^Usage: shmlog bench .*NAME'
	assert_output --partial 'write, write-batch, read, read-batch or wake'
	assert [ "$(wc -L <<<"$output")" -le 80 ]
	run_shmlog 0 help
	assert_line --regexp '^  bench +[a-z]'
}
