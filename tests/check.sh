#!/usr/bin/env bash
# Builds what the checks need and runs them: check.sh [CHECK...], all of them
# by default.  One run of prove at the end, so that its closing lines count
# everything and list what failed.
set -u

cd "$(dirname "$0")/.." || exit 1
cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
# The caller's variables hold here as well, but not its jobs.
MAKEFLAGS=$(sed -E 's/(^| )(-j[0-9]*|--jobserver-[a-z]+=[^ ]*)//g' <<<"${MAKEFLAGS-}")
export MAKEFLAGS
shopt -s nullglob

tests=()

# Builds a variant.  One that does not build is one failed test, and has none
# of its others run: they might find what an earlier build left.
build() { # VARIANT MAKE-ARGUMENT...
	local variant=$1 folder=build

	[[ " $built " != *" $variant "* ]] || return 0
	built+=" $variant"
	[ "$variant" = plain ] || folder=build/$variant
	shift
	echo "== build $folder: make $*"
	"${MAKE:-make}" --no-print-directory -k -j"$cores" BUILD="$folder" "$@" && return
	broken+=" $variant"
	tests+=("$variant:builds")
}
built=
broken=

add() { # VARIANT FILE...
	local variant=$1

	[[ " $broken " != *" ${variant/valgrind/plain} "* ]] || return 0
	shift
	for file; do
		[ ! -e "$file" ] || tests+=("$variant:$file")
	done
}

build_plain() { build plain all programs; }
build_asan() { build asan SANITIZE=address,undefined WERROR=1 all programs; }
build_tsan() {
	build tsan SANITIZE=thread WERROR=1 build/tsan/tests/unit/test_concurrent
}
build_portable() {
	build portable PORTABLE=1 WERROR=1 all \
		build/portable/tests/unit/test_{append,keep,mapping,wait,writer}
}

check_unit() {
	build_plain
	add plain tests/unit/test_*.c
}

check_cli() {
	build_plain
	add plain tests/cli/*.bats
}

check_sanitize() {
	build_asan
	add asan tests/unit/test_*.c tests/cli/*.bats
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
	add plain tests/structure/*.bats
}

check_tsan() {
	build_tsan
	add tsan tests/unit/test_concurrent*.c
}

check_valgrind() {
	build_plain
	# Not those that have signals on purpose or children of their own.
	add valgrind tests/unit/test_{format,golden,verify}.c tests/unit/test_cli_*.c
	add plain tests/valgrind/*.bats
}

# The rooms and commands that ask the system for something.
check_portable() {
	build_portable
	add portable tests/unit/test_{append,keep,mapping,wait,writer}.c \
		tests/cli/{create,tail_follow}.bats
}

check_fault() {
	build_plain
	add plain tests/fault/*.sh tests/fuzz/*.sh
}

check_bench() {
	build_plain
	add plain tests/bench/*.bats
}

check_lint() {
	add plain tests/lint.sh
}

# Units and commands run sanitized here; portably only where the system is
# asked for something.  SIZE=small is what tests/fault and tests/fuzz do.
check_all() {
	check_sanitize
	check_interop
	check_install
	check_structure
	check_tsan
	check_valgrind
	check_portable
	check_fault
	check_bench
	check_lint
}

for check in "${@:-all}"; do
	"check_$check"
done

if [ ${#tests[@]} -eq 0 ]; then
	echo "no tests for: $*"
	exit 1
fi
# What takes long goes first, so that no core is left with a long file at the
# end while the others have nothing to do.
long=(plain:tests/lint.sh plain:tests/structure/compilers.bats
	plain:tests/fuzz/fuzz.sh plain:tests/fault/malformed.sh
	plain:tests/valgrind/commands.bats asan:tests/cli/append.bats)
first=() rest=()
for test in "${tests[@]}"; do
	if [[ " ${long[*]} " == *" $test "* ]]; then
		first+=("$test")
	else
		rest+=("$test")
	fi
done

echo "== test: ${#tests[@]} files"
# One more than there are cores: some tests wait for most of their time.
SIZE=small prove -j"$((cores + 1))" --timer --exec tests/run-test.sh "${first[@]}" "${rest[@]}"
