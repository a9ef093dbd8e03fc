#!/usr/bin/env bash
# What the linters say of code, scripts and manual, as TAP: a test a linter.
# Each one's choices are in its own file: .clang-format, .clang-tidy.
# shellcheck disable=SC2317 # functions that check() is told the names of
set -u

cd "$(dirname "$0")/.." || exit 1
shopt -s nullglob
cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
number=0
failed=0

code=(src/*.[ch] src/damage/*.[ch] src/include/*.h cli/*.[ch] cli/*/*.[ch] cli/*/*/*.[ch])
wings=(-Icli/{base,bendec,term,log,frame,filter,dispatch,relay})
test_code=(tests/*/*.[ch])

# The layout that clang-format makes differs from one release to the next; this
# is the one that the tree is written for.
LAYOUT_RELEASE=14

# How far the analyzer looks into each function; 225000 is its own choice.  Less
# than half of that takes half the time and finds the same nine things here,
# with every check of it switched on; 75000 loses one.
DEPTH=100000
[ "${SIZE:-small}" != full ] || DEPTH=225000

check() { # NAME TOOL COMMAND...
	local name=$1 tool=$2 said status

	number=$((number + 1))
	shift 2
	if ! command -v "$tool" >/dev/null; then
		echo "ok $number - $name # SKIP no $tool on this machine"
		return
	fi
	if [ "$tool" = clang-format ] && [ "$(release "$tool")" != "$LAYOUT_RELEASE" ]; then
		echo "ok $number - $name # SKIP $tool is not of release $LAYOUT_RELEASE"
		return
	fi
	said=$("$@" 2>&1)
	status=$?
	if [ $status -eq 0 ]; then
		echo "ok $number - $name"
	else
		echo "not ok $number - $name"
		failed=1
		echo "# ${said//$'\n'/$'\n'# }"
	fi
}

release() { # TOOL
	"$1" --version | sed -n 's/.*version \([0-9]*\)\..*/\1/p'
}

layout() {
	clang-format --dry-run -Werror "${code[@]}" "${test_code[@]}"
}

# One file a run: clang-tidy carries what it knows of va_list from one to the
# next.  NullDereference: from 15 on it follows out-parameters past a call that
# failed, as errno might be 0 for all it knows, like core.CallAndMessage.
tidy() { # FLAG... -- FILE...
	local flags=(-Xclang -analyzer-config -Xclang "max-nodes=$DEPTH") checks=()

	(($(release clang-tidy) <= 14)) ||
		checks=(--checks=-clang-analyzer-core.NullDereference)

	while [ "$1" != -- ]; do
		flags+=("$1")
		shift
	done
	shift
	printf '%s\n' "$@" | xargs -P "$cores" -I FILE \
		clang-tidy "${checks[@]}" --quiet FILE -- -std=c11 -D_GNU_SOURCE "${flags[@]}"
}

tidy_all() {
	local status=0

	tidy -Isrc/include -Isrc -Isrc/damage -- src/*.c src/damage/*.c || status=1
	tidy -DSHMLOG_PCRE2 -DSHMLOG_ZSTD -DSHMLOG_NCURSES -Isrc/include "${wings[@]}" -- cli/*.c cli/*/*.c cli/*/*/*.c || status=1
	return "$status"
}

# integerOverflowCond: takes (digit | 0x20) - 'a' for an overflow.  Releases
# from 2.11 on leave branches out, and say so, unless told to look at all.
cppcheck_all() {
	local level=()

	! cppcheck --help | grep -q -e --check-level= ||
		level=(--check-level=exhaustive)
	cppcheck "${level[@]}" --quiet --std=c11 -D_GNU_SOURCE --error-exitcode=1 \
		--enable=warning,performance,portability --inline-suppr \
		--suppress=integerOverflowCond -j "$cores" -Isrc/include -Isrc \
		-Isrc/damage "${wings[@]}" src cli
}

# SC2034, SC2154 (unused, unassigned): what a helper reads and bats assigns,
# and counters of loops.  SC2206: options that are split on purpose.
scripts() {
	shellcheck --external-sources --source-path=SCRIPTDIR \
		--severity=warning --exclude=SC2034,SC2154,SC2206 \
		.ci/* .packaging/*.sh .packaging/debian/tests/{smoke,library,completion} \
		tests/*.sh tests/*/*.sh tests/*/*.bash tests/*/*.bats \
		cli/cmd/completion/*.bash
}

# A page that is not installed is "not found"; all else counts.
manual() {
	! mandoc -Tlint man/*.[0-9] 2>/dev/null |
		grep -v 'referenced manual not found: Xr \(lib\)\{0,1\}shmlog'
}

echo "1..5"
check "the layout is clang-format's" clang-format layout
check "clang-tidy has nothing to say" clang-tidy tidy_all
check "cppcheck has nothing to say" cppcheck cppcheck_all
check "shellcheck has nothing to say" shellcheck scripts
check "mandoc has nothing to say" mandoc manual
exit $failed
