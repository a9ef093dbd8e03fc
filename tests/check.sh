#!/usr/bin/env bash
# Builds what the checks need and runs them: check.sh [--list] [CHECK...], where
# a check is test, deep or a part of these, test by default.  One run of prove
# at the end, so that its closing lines count everything and list what failed.
# With --list it builds and runs nothing, and says what it would run.
set -u

cd "$(dirname "$0")/.." || exit 1
cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
# Passes the caller's make variables on, but not its job server.
MAKEFLAGS=$(sed -E 's/(^| )(-j[0-9]*|--jobserver-[a-z]+=[^ ]*)//g' <<<"${MAKEFLAGS-}")
export MAKEFLAGS
shopt -s nullglob

list=
if [ "${1-}" = --list ]; then
	list=yes
	shift
fi
tests=()

# Builds a variant.  A build that fails is one failed test; tests whose programs
# were built nevertheless still run, and the others are named at the end.
build() { # VARIANT MAKE-ARGUMENT...
	local variant=$1 folder=build

	[ -z "$list" ] || return 0
	[[ " $built " != *" $variant "* ]] || return 0
	built+=" $variant"
	[ "$variant" = plain ] || folder=build/$variant
	shift
	echo "== build $folder: make $*"
	"${MAKE:-make}" --no-print-directory -k -j"$cores" BUILD="$folder" "$@" && return
	broken+=" $variant"
	broken_flags[$variant]=$*
	tests+=("$variant:builds")
}
built=
broken=
declare -A broken_flags
unable=()
# The variant whose units do less of what they do in quantity.
sparing=

# Whether the programs that a test file runs are up to date: an earlier build may
# have left old ones.
is_able() { # VARIANT FILE
	local variant=${1/valgrind/plain} folder=build target=all word flags=()

	[[ " $broken " == *" $variant "* ]] || return 0
	[ "$variant" = plain ] || folder=build/$variant
	[[ $2 != *.c ]] || target=$folder/${2%.c}
	for word in ${broken_flags[$variant]}; do
		[[ $word != *=* ]] || flags+=("$word")
	done
	"${MAKE:-make}" --no-print-directory BUILD="$folder" "${flags[@]}" "$target" \
		>/dev/null 2>&1
}

add() { # VARIANT FILE...
	local variant=$1 file

	shift
	for file; do
		[[ -e $file && " ${tests[*]-} ${unable[*]-} " != *" $variant:$file "* ]] || continue
		if is_able "$variant" "$file"; then
			tests+=("$variant:$file")
		else
			unable+=("$variant:$file")
		fi
	done
}

# Adds the files that are in none of the lists; lists are given as names of
# arrays.
add_but() { # VARIANT LIST FILE...
	local variant=$1 list="$2[*]" file

	shift 2
	for file; do
		[[ " ${!list} " == *" $file "* ]] || add "$variant" "$file"
	done
}

build_plain() { build plain all programs; }
build_asan() { build asan SANITIZE=address,undefined WERROR=1 all programs; }
# What `make test` runs with sanitizers: the units, and the programs that its
# campaigns need (need_sanitized).
build_asan_units() {
	build asan SANITIZE=address,undefined WERROR=1 units \
		build/asan/tests/fault/double_fetch
}
build_tsan() {
	build tsan SANITIZE=thread WERROR=1 build/tsan/tests/unit/test_concurrent
}
build_portable() {
	build portable PORTABLE=1 WERROR=1 all programs
}

check_unit() {
	build_plain
	add plain tests/unit/test_*.c
}

check_cli() {
	build_plain
	add plain tests/cli/*.bats
}

check_sanitize_unit() {
	build_asan_units
	add asan tests/unit/test_*.c
}

check_sanitize() {
	build_asan # before those of the units, which are a part of it
	check_sanitize_unit
	add asan tests/cli/*.bats
}

check_interop() {
	build_plain
	add plain tests/interop/*.bats
}

check_install() {
	build_plain
	add plain tests/install/*.bats
}

check_structure() {
	build_plain
	add_but plain compilers tests/structure/*.bats
}

# What runs the tests.
check_runner() {
	build_plain
	add plain tests/runner/*.bats
}

# These build the whole tree again.
compilers=(tests/structure/compilers.bats)
check_compilers() {
	add plain "${compilers[@]}"
}

# What programs were linked with, against the library as it is.
check_abi() {
	add plain tests/abi/*.bats
}

check_tsan() {
	build_tsan
	add tsan tests/unit/test_concurrent*.c
}

# A compiled pattern looks at whole vectors of bytes, and leaves out what is behind
# the payload only then: in a reader's window, bytes that nobody has written.
vectors=(tests/unit/test_cli_view_steps.c)
check_valgrind() {
	build_plain
	# Not those that have signals on purpose or children of their own.
	add valgrind tests/unit/test_{format,golden,verify}.c
	add_but valgrind vectors tests/unit/test_cli_*.c
	add plain tests/valgrind/*.bats
}

check_portable() {
	build_portable
	add portable tests/unit/test_*.c tests/cli/*.bats
}

# SIZE=small is what tests/fault and tests/fuzz do here.  The model of the
# protocol is of the design, and does not change with the code.
slow=(tests/fault/malformed.sh tests/fault/keep_at_once.sh tests/fault/protocol.sh)
check_campaigns() {
	build_plain
	add_but plain slow tests/fault/*.sh
}

check_fault() {
	build_plain
	add plain tests/fault/*.sh
}

check_fuzz() {
	add plain tests/fuzz/*.sh
}

check_bench() {
	build_plain
	add plain tests/bench/*.bats
}

check_lint() {
	add plain tests/lint.sh
}

# Builds and runs the library and the command with another libc.
check_musl() {
	add plain tests/musl/*.sh tests/musl/*.bats
}

# Tests every behaviour once, and runs the unit tests with sanitizers.
check_test() {
	# The plain units do all of it, and check-deep does it with sanitizers.
	sparing=asan
	check_unit
	check_sanitize_unit
	check_cli
	check_interop
	check_install
	check_structure
	check_campaigns
}

# Tests everything again in all other ways.
check_deep() {
	sparing=
	check_sanitize
	check_tsan
	check_valgrind
	check_portable
	check_compilers
	check_abi
	check_runner
	check_fault
	check_fuzz
	check_bench
	check_lint
	check_musl
}

for check in "${@:-test}"; do
	run=check_${check//-/_}
	declare -F "$run" >/dev/null || {
		echo "check.sh: there is no check '$check'" >&2
		exit 2
	}
	"$run"
done

if [ -n "$list" ]; then
	printf '%s\n' ${tests[@]+"${tests[@]}"}
	exit
fi
if [ ${#tests[@]} -eq 0 ]; then
	echo "no tests for: $*"
	exit 1
fi
# The longest test files go first, so that no core is left with a long one at the
# end while the others are idle.
long=(plain:tests/lint.sh plain:tests/structure/compilers.bats
	asan:tests/unit/test_verify.c plain:tests/runner/runner.bats
	plain:tests/fuzz/fuzz.sh plain:tests/fault/malformed.sh
	plain:tests/valgrind/commands.bats {asan,portable,plain}:tests/cli/append.bats
	plain:tests/fault/{late_writer,protocol}.sh plain:tests/structure/house.bats
	{asan,portable,plain}:tests/cli/{dispatch,relay,completion,tail_follow}.bats
	{asan,portable,plain}:tests/cli/{several,progress,top,view}.bats
	plain:tests/fault/relay_cluster.sh)
first=() rest=()
for test in "${tests[@]}"; do
	if [[ " ${long[*]} " == *" $test "* ]]; then
		first+=("$test")
	else
		rest+=("$test")
	fi
done

# A loop that takes one second on the machine for which the time limits in tests
# were chosen.
work() {
	local i

	for ((i = 0; i < 250; i++)); do
		"$(type -P true)"
	done
	for ((i = 0; i < 100000; i++)); do
		:
	done
}

# The factor for those limits: 10, or more where this machine is slower, up to
# 40.  The loop is measured in processor time, as the load of the machine may
# change at any moment.
patience() {
	local spent TIMEFORMAT='%U %S'

	spent=$({ time work; } 2>&1)
	awk -v spent="$spent" 'BEGIN {
		split(spent, part)
		factor = int(10 * (part[1] + part[2]))
		print (factor < 10 ? 10 : factor > 40 ? 40 : factor)
	}'
}
SHMLOG_TEST_PATIENCE=${SHMLOG_TEST_PATIENCE:-$(patience)}
SHMLOG_TEST_SKIPS=$PWD/build/.skips
SHMLOG_TEST_SPARING=$sparing
export SHMLOG_TEST_PATIENCE SHMLOG_TEST_SKIPS SHMLOG_TEST_SPARING
: >"$SHMLOG_TEST_SKIPS"

# Passes on the output of prove without delay, and lists the skipped tests before
# its closing lines.
with_skips() {
	local line said=

	while IFS= read -r line; do
		case $said$line in
		'All tests successful'* | 'Test Summary Report'* | Files=*)
			said=yes
			[ ! -s "$SHMLOG_TEST_SKIPS" ] ||
				{ echo "== skipped" && sed 's/^/  /' "$SHMLOG_TEST_SKIPS"; }
			;;
		esac
		printf '%s\n' "$line"
	done
}

echo "== test: ${#tests[@]} files, limits times $SHMLOG_TEST_PATIENCE"
set -o pipefail
# Runs prove with unbuffered output.
prove_aloud() { # ARGUMENT...
	# shellcheck disable=SC2016 # perl's own variables
	perl -MApp::Prove -e '$| = 1; my $prove = App::Prove->new;
		$prove->process_args(@ARGV); exit($prove->run ? 0 : 1)' -- "$@"
}

# Two more than there are cores: some tests wait for most of their time.
status=0
SIZE=small prove_aloud -j"$((cores + 2))" --timer --exec tests/run-test.sh \
	"${first[@]}" "${rest[@]}" | with_skips || status=$?
[ ${#unable[@]} -eq 0 ] || printf 'not run, as it does not build: %s\n' "${unable[@]}"
exit "$status"
