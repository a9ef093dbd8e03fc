#!/usr/bin/env bash
# Every parser of untrusted bytes and every output format meets what libFuzzer
# thinks of, from the corpora on, with ASan and UBSan.
# N: seconds for each fuzzer.  RUNS: executions for each, instead.  ONLY: names
# of fuzzers.  FUZZ_NEW: a folder that keeps what was found worth keeping.
#
# What fails is left in build/fuzz/crashes/NAME-….
. "$(dirname "$0")/../fault/common.bash"

sizes 1 600
crashes=$PWD/build/fuzz/crashes
# Without a report of every comparison: those take half the time, and what they
# teach beyond the dictionaries is not worth half the runs.
fuzz_make=(CC=clang BUILD=build/fuzz WERROR=1
	"SANITIZE=fuzzer-no-link,address,undefined"
	"CFLAGS=-O1 -g -fno-sanitize-coverage=trace-cmp")

skip() { # WHY
	echo "fuzz: SKIP: $1"
	exit 77
}

command -v clang >/dev/null || skip "no clang on this machine"
echo 'int LLVMFuzzerTestOneInput(void); int LLVMFuzzerTestOneInput(void) { return 0; }' |
	clang -fsanitize=fuzzer,address,undefined -x c -o "$scratch/probe" - 2>/dev/null ||
	skip "clang has no fuzzer runtime here"

names=()
for source in tests/fuzz/fuzz_*.c; do
	name=$(basename "$source" .c)
	name=${name#fuzz_}
	if [ -z "${ONLY:-}" ] || [[ " $ONLY " == *" $name "* ]]; then
		names+=("$name")
	fi
done
if [ ${#names[@]} -eq 0 ]; then
	echo "fuzz: FAIL: no fuzzer named $ONLY"
	exit 1
fi

mkdir -p build "$crashes"
{
	! command -v flock >/dev/null || flock 9
	make_quietly -j2 "${fuzz_make[@]}" "${names[@]/#/build/fuzz/tests/fuzz/fuzz_}"
} 9>build/.fuzz-lock

# One fuzzer; it begins with all of its corpus.
fuzz() { # NAME
	local name=$1 corpus=tests/fuzz/corpus/$1 fuzzer=build/fuzz/tests/fuzz/fuzz_$1
	local found=${FUZZ_NEW:-$scratch}/$1 options

	# Inputs that take long have their turn more seldom: four times the runs.
	options=(-artifact_prefix="$crashes/$name-" -timeout="$((10 * slack))"
		-rss_limit_mb=1024 -print_final_stats=1
		-entropic_scale_per_exec_time=1)
	[ ! -f "tests/fuzz/$name.dict" ] || options+=("-dict=tests/fuzz/$name.dict")
	mkdir -p "$found" "$scratch/empty"
	[ -d "$corpus" ] || corpus=$scratch/empty
	if [ -n "${RUNS:-}" ]; then
		options+=("-runs=$RUNS")
	else
		options+=("-max_total_time=$N")
	fi
	"$fuzzer" "${options[@]}" -max_len=4096 "$found" "$corpus" \
		>"$scratch/$name.out" 2>&1
}

runs_of() { # NAME
	sed -n 's/^stat::number_of_executed_units: *//p' "$scratch/$1.out"
}

# Two at a time.
failed=() done_runs=() total=0
for ((i = 0; i < ${#names[@]}; i += 2)); do
	pair=("${names[@]:i:2}") pids=()
	for name in "${pair[@]}"; do
		fuzz "$name" &
		pids+=($!)
	done
	for j in "${!pair[@]}"; do
		name=${pair[j]}
		wait "${pids[j]}" || {
			failed+=("$name")
			grep -E 'ERROR|does not hold|runtime error|SUMMARY|Test unit written|^ +#[0-9] ' \
				"$scratch/$name.out" | head -20
		}
		done_runs+=("$name $(runs_of "$name")")
		total=$((total + $(runs_of "$name" || echo 0) + 0))
	done
done

counts=$(printf ', %s' "${done_runs[@]}")
if [ ${#failed[@]} -gt 0 ]; then
	echo "fuzz: FAIL: ${failed[*]}: the inputs are in ${crashes#"$PWD"/} (runs: ${counts#, })"
	exit 1
fi
echo "fuzz: PASS: $total runs, nothing found (${counts#, })"
