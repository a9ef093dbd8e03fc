#!/usr/bin/env bash
# Runs one test for prove, as TAP on stdout: run-test.sh VARIANT:FILE.
#
# VARIANT (plain, asan, tsan, portable, valgrind) says which build; FILE is a
# unit test's source, a bats file, or a script.
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

# One plan for the whole file, at the end, and skips as TAP spells them.  What
# failed and what was skipped is said on stderr.
tidy() {
	awk -v test="$1" '
	/^1\.\.[0-9]+$/ { plan += substr($0, 4); next }
	/^1\.\.0 # / { skipped_all = 1 }
	/^(not )?ok [0-9]* *# SKIP/ {
		sub(/^not /, "")
		sub(/ok [0-9]* *# SKIP */, "")
		$0 = "ok - " $0 " # SKIP"
	}
	/^(not )?ok / {
		why = $0
		sub(/^(not )?ok [0-9]* *-? */, "", why)
		if (failed = /^not /)
			print "failed: " test ": " why >"/dev/stderr"
		else if (/# [Ss][Kk][Ii][Pp]/)
			print "skipped: " test ": " why >"/dev/stderr"
		sub(/ok( [0-9]+)?/, "ok " (++n))
	}
	/^#/ && failed { print "  " $0 >"/dev/stderr" }
	{ print; fflush() }
	END {
		if (skipped_all)
			exit
		if (plan + n == 0)
			print "not ok 1 - runs a test"
		print "1.." (plan + n == 0 ? 1 : plan + 0)
	}'
}

# A test that hangs fails.
limit() {
	if command -v timeout >/dev/null; then
		timeout --kill-after=5 "${SHMLOG_TEST_SECONDS:-240}" "$@"
	else
		"$@"
	fi
}

# A script's exit status as the result, 77 for a skip, and its output as
# remarks on that.
script() {
	local said status

	said=$(limit "$1" 2>&1)
	status=$?
	echo 1..1
	case $status in
	0) echo "ok 1 - $1" ;;
	77) echo "ok 1 - $1 # SKIP ${said##*$'\n'}" ;;
	*) echo "not ok 1 - $1 ended with status $status" ;;
	esac
	echo "# ${said//$'\n'/$'\n'# }"
	return "$((status == 77 ? 0 : status))"
}

case $file in
builds) printf '1..1\nnot ok 1 - %s builds\n' "$SHMLOG_BUILD" ;;
*.bats) limit bats --tap "$file" ;;
*/lint.sh) limit "$file" ;;
*.sh) script "$file" ;;
*.c)
	checker=()
	if [ "$variant" = valgrind ]; then
		# Leaks are the sanitizer's: here a forked child would have its own.
		# What is done in quantity is done in full without it.
		export SHMLOG_TEST_DEAR=1
		checker=(valgrind --quiet --error-exitcode=86 --leak-check=no)
	fi
	export CMOCKA_MESSAGE_OUTPUT=TAP
	limit "${checker[@]}" "$SHMLOG_BUILD/${file%.c}"
	;;
esac </dev/null | tidy "$1"
