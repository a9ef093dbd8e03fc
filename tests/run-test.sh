#!/usr/bin/env bash
# Runs one test for prove, as TAP on stdout: run-test.sh VARIANT:FILE.
#
# VARIANT (plain, asan, tsan, portable, valgrind) says which build; FILE is a
# unit test's source, a bats file, or a script.  What failed, and why, is said
# on stderr as well.
#
# SHMLOG_TEST_PATIENCE: the factor for every limit of time of a test, 10 on an
# idle machine that is as fast as the one the limits were made on.
# SHMLOG_TEST_SPARING: the variant whose units do a tenth of what they do in
# quantity, as valgrind's do.
set -u -o pipefail

variant=${1%%:*}
file=${1#*:}
cd "$(dirname "$0")/.." || exit 1

case $variant in
plain | valgrind) export SHMLOG_BUILD=build ;;
*) export SHMLOG_BUILD=build/$variant ;;
esac

# A report of a sanitizer is not to be taken for one of our exit statuses.
export ASAN_OPTIONS=exitcode=86:detect_leaks=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS=exitcode=86:print_stacktrace=1
export TSAN_OPTIONS=exitcode=86:halt_on_error=1
export LSAN_OPTIONS=exitcode=86

export SHMLOG_TEST_PATIENCE=${SHMLOG_TEST_PATIENCE:-10}
seconds=${SHMLOG_TEST_SECONDS:-$((30 * SHMLOG_TEST_PATIENCE))}

supervisor=build/tests/runner/supervise
[ -x "$supervisor" ] || "${MAKE:-make}" --no-print-directory BUILD=build \
	SANITIZE= PORTABLE= "$supervisor" >&2 || exit 1

{
	"$supervisor" "$seconds" "$PPID" tests/runner/run-file.sh "$variant" "$file" </dev/null
	echo "#!status $?"
} | awk -v test="$1" -v skips="${SHMLOG_TEST_SKIPS-}" -f tests/runner/tidy.awk
