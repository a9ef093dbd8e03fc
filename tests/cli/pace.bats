# dump --pace: frames come as far apart as a field of theirs says.
load helper

setup() {
	scratch_make
}

append_json() { # LINE...
	printf '%s\n' "$@" | shmlog append --create 256K "$LOG"
}

# Sets `took` to the milliseconds of a command.
time_of() { # COMMAND...
	local start

	start=$(date +%s%N)
	"$@"
	took=$((($(date +%s%N) - start) / 1000000))
}

@test "the pause between frames is that between their times, in every unit" {
	local line

	for line in '1700000000 1700000001.25' '1700000000000 1700000001250' \
		'1700000000000000 1700000001250000' \
		'1700000000000000000 1700000001250000000' \
		'1.7e9 1.70000000125e9' '"1700000000" "1700000001.250"' \
		'"2023-11-14T22:13:20Z" "2023-11-14T23:13:21,250+01:00"' \
		'"2023-11-14T22:13:20" "2023-11-14T20:13:21.25-0200"'; do
		rm -f "$LOG"
		append_json "{\"t\":{\"at\":${line% *}}}" "{\"t\":{\"at\":${line#* }}}"
		time_of shmlog dump --pace .t.at --speed 5 "$LOG" >"$SCRATCH/out"
		((took >= 250)) || fail "$line: $took ms"
		cmp "$SCRATCH/out" <(shmlog dump "$LOG")
	done
}

@test "a time that goes back, and a frame without one, do not wait" {
	append_json '{"t":1700000000}' '{"t":1600000000}' 'no JSON' '{}' \
		'{"t":"yesterday"}' '{"t":null}' '{"t":[1900000000]}' '{"t":1600000000.2}'
	# A wait for one of these would take years.
	time_of shmlog dump --pace .t "$LOG" >"$SCRATCH/out"
	((took >= 200))
	cmp "$SCRATCH/out" <(shmlog dump "$LOG")
	run_shmlog 0 dump -r --pace .t -n 7 "$LOG"
	assert_stderr ''
}

@test "what comes before a pause is out when it begins, and a signal ends it" {
	local pid ended

	append_json '{"t":1700000000}' '{"t":1700000000}' '{"t":1800000000}'
	shmlog dump --pace .t "$LOG" >"$SCRATCH/out" 3>&- &
	pid=$!
	wait_for 20 test -s "$SCRATCH/out"
	wait_until_asleep "$pid"
	kill -TERM "$pid"
	ended=0
	wait "$pid" || ended=$?
	assert_equal "$ended" 143
	cmp "$SCRATCH/out" <(shmlog dump -n 2 "$LOG")
}

@test "a reader that has gone ends the pause" {
	append_json '{"t":1700000000}' '{"t":1800000000}'
	shmlog dump --pace .t "$LOG" | head -n 1 | grep -q 17
}

@test "--pace goes with counts, filters and values" {
	append_json '{"t":1700000000,"a":1}' '{"t":1800000000,"a":2}' \
		'{"t":1700000000.1,"a":1}' '{"t":1800000000,"a":1}'
	run_shmlog 0 dump --pace .t --where '.a == 1' -n 2 -t '%c\n' "$LOG"
	assert_output $'0\n52'
	run_shmlog 0 dump --pace .header.timestamp --speed 1000000 -o json \
		--schema "$FIXTURES/schema.json" "$FIXTURES/bendec.shm"
	assert_equal "$output" "$(shmlog dump -o json --schema "$FIXTURES/schema.json" "$FIXTURES/bendec.shm")"
}

@test "what is no path or no speed is refused" {
	local speed

	append_json '{}'
	run_shmlog 2 dump --pace t "$LOG"
	assert_stderr --partial "--pace 't': column 1: a path begins with a point"
	run_shmlog 2 dump --pace '.t == 1' "$LOG"
	run_shmlog 2 dump --pace '.t[]' "$LOG"
	assert_stderr --partial 'column 3'
	run_shmlog 2 dump --speed 2 "$LOG"
	assert_stderr --partial -- '--speed needs --pace'
	for speed in '' 0 -1 x 1x 1e3 .. inf nan 0x10 10000000000; do
		run_shmlog 2 dump --pace .t --speed="$speed" "$LOG"
		assert_output ''
	done
	run_shmlog 2 dump --pace .t --tally --where . "$LOG"
}
