# The bench in its smallest size: every part runs, and a regression is seen.
# What it measures so is worth nothing.
load ../cli/helper

setup_file() {
	export SIZE=small ROUNDS=2 SHMLOG_BUILD=$BUILD BENCH_RESULTS=$BATS_FILE_TMPDIR/results
	export BASELINE=$BATS_FILE_TMPDIR/baseline.json
	export REPORT=$BENCH_RESULTS/small.json
	"$ROOT/tests/bench/bench.sh" >"$BATS_FILE_TMPDIR/table" 2>"$BATS_FILE_TMPDIR/said"
}

# The baseline that would make the row what it is: its ratio times a factor.
doctor() { # ROW FACTOR
	jq --arg id "$1" --argjson factor "$2" '{(.size): {machine: .machine, rows: {($id):
		(.rows[] | select(.id == $id) |
			{ratio, low, high} | map_values(. * $factor))}}}' "$REPORT" >"$BASELINE"
}

again() { # PART
	ONLY=$1 run --separate-stderr "$ROOT/tests/bench/bench.sh"
}

moved() { # ROW
	jq -r --arg id "$1" '.rows[] | select(.id == $id).moved' "${REPORT%.json}.part.json"
}

@test "the table has the machine, each part's rows, goals and what was not run" {
	run cat "$BATS_FILE_TMPDIR/table"
	assert_line --index 0 --partial "$(uname -r)"
	assert_output --partial '| append < file '
	assert_output --partial '| verify '
	assert_output --partial '| append, tail -f: p99'
	assert_output --partial 'idle'
	assert_output --partial '<= 16 MiB'
	assert_output --partial '| readers beside a writer '
	assert_output --regexp 'library write 64 B.* the Node package'
	assert_output --partial 'no baseline for this size'
}

@test "what it does is said while it does it" {
	run cat "$BATS_FILE_TMPDIR/said"
	assert_line --regexp '^\[ *[0-9]+ s\] append < file against cat file > x: 2 rounds$'
}

@test "the JSON has every row with medians, ratio and range" {
	jq -e '.rows | length > 25 and all(.[]; .low <= .ratio and .ratio <= .high and
		(.of == "value" or .of == "rate" or (.low > 0 and .ours > 0 and .theirs > 0)))' "$REPORT"
	jq -e '[.scaling[].part] | unique == ["followers", "frame", "logs", "readers", "size", "writers"]' "$REPORT"
	jq -e '.rows | map(.id) | length == (unique | length)' "$REPORT"
}

@test "what got slower than the baseline is flagged, and is the exit status" {
	doctor verify 1000
	again bulk
	assert_equal "$status" 1
	assert_equal "$(moved verify)" worse
	assert_output --partial 'WORSE, was'
	assert_output --partial '1 worse, 0 better'
}

@test "what got faster than the baseline is said as well" {
	doctor verify 0.001
	again bulk
	assert_equal "$status" 0
	assert_equal "$(moved verify)" better
}

@test "another machine's baseline fails nothing" {
	doctor verify 1000
	jq '.small.machine.cpu = "another"' "$BASELINE" >"$SCRATCH/other"
	mv "$SCRATCH/other" "$BASELINE"
	again bulk
	assert_equal "$status" 0
	assert_output --partial 'of another machine (another'
}

@test "-o json prints the report" {
	ONLY=memory run --separate-stderr "$ROOT/tests/bench/bench.sh" -o json
	assert_equal "$(jq -r .size <<<"$output")" small
}

@test "renewing makes the results the baseline and puts them into the README" {
	export README=$SCRATCH/README.md BASELINE=$SCRATCH/baseline.json
	jq '.size = "full"' "$REPORT" >"$BENCH_RESULTS/full.json"
	printf '%s\n' before '<!-- tables by make bench-renew -->' stale \
		'<!-- end of the tables -->' after >"$README"
	run "$ROOT/tests/bench/renew.sh"
	assert_success
	assert_equal "$(jq -c '.full.rows.verify | keys' "$BASELINE")" '["high","low","ratio"]'
	assert_equal "$(jq '.full.rows | length' "$BASELINE")" "$(jq '.rows | length' "$REPORT")"
	run cat "$README"
	assert_line --index 0 before
	assert_line --partial '| append < file '
	refute_output --partial stale
	assert_output --regexp 'after$'
}

@test "an interrupted bench leaves nothing behind" {
	BENCH_DIR=$SCRATCH timeout --signal=INT 0.7 \
		"$ROOT/tests/bench/bench.sh" >/dev/null 2>&1 3>&- || true
	run ls "$SCRATCH"
	assert_output ''
}
