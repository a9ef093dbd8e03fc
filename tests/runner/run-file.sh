#!/usr/bin/env bash
# Runs one test file, as TAP on stdout: run-file.sh VARIANT FILE.
#
# FILE is a unit test's source, a bats file, or a script.  Lines "begin NUMBER
# NAME" tell which test runs.
set -u

variant=$1
file=$2

# A script's exit status as the result, 77 for a skip, and what it says as
# remarks before that.
script() {
	local status last

	last=$("$1" 2>&1 | tee >(sed -u 's/^/# /' >&2) | tail -n 1
		exit "${PIPESTATUS[0]}")
	status=$?
	echo 1..1
	case $status in
	0) echo "ok 1 - $1" ;;
	77) echo "ok 1 - $1 # SKIP $last" ;;
	*) echo "not ok 1 - $1 ended with status $status" ;;
	esac
}

case $file in
builds) printf '1..1\nnot ok 1 - %s builds\n' "$SHMLOG_BUILD" ;;
# The formatter that leaves out nothing, "begin" lines included.
*.bats) exec bats --formatter cat "$file" ;;
*/lint.sh) exec "$file" ;;
*.sh) script "$file" ;;
*.c)
	export CMOCKA_MESSAGE_OUTPUT=TAP
	case $variant in
	# What is done in quantity is done in full elsewhere.
	valgrind | "${SHMLOG_TEST_SPARING-}") export SHMLOG_TEST_DEAR=1 ;;
	esac
	if [ "$variant" = valgrind ]; then
		# Leaks are the sanitizer's: here a forked child would have its own.
		exec valgrind --quiet --error-exitcode=86 --leak-check=no \
			--vgdb=no "$SHMLOG_BUILD/${file%.c}"
	fi
	exec "$SHMLOG_BUILD/${file%.c}"
	;;
esac
