#!/usr/bin/env bash
# A writer flips length words under a mapped reader, a buffered one and
# verify: nothing is read or handed out beyond the committed data, with ASan
# and UBSan, and unreadable pages around the mapping.  N: frames.
. "$(dirname "$0")/common.bash"

sizes 1000000 100000000
need_sanitized tests/fault/double_fetch
"$asan/tests/fault/double_fetch" "$scratch" "$N" || {
	# A crash has no verdict of its own.
	status=$?
	[ $status -eq 1 ] || echo "double_fetch: FAIL: ended with status $status"
	exit 1
}
