#!/bin/sh
# Checks tests/fault/protocol.pml exhaustively with Spin, as it is and with
# each seeded fault, which Spin must find.  Skips visibly without Spin.
set -u
model=$(cd "$(dirname "$0")" && pwd)/protocol.pml
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

if ! command -v spin >/dev/null 2>&1; then
	echo "model: SKIP: spin is not installed"
	exit 77
fi
cd "$work" || exit 1

# Little is searched, so a quick compiler beats quick code.
# check FLAG...: prints "errors states" of an exhaustive search.
check() {
	rm -f pan* # so that what fails to build has no result, not the last one's
	spin "$@" -a "$model" >spin.out 2>&1 &&
		${CC:-cc} -w -O1 -DSAFETY -DMEMLIM=2048 -o pan pan.c &&
		./pan -m1000000 >pan.out 2>&1
	sed -n 's/.*errors: \([0-9]*\).*/\1/p' pan.out
	sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' pan.out
}

total=0
# The protocol among its own writers, and beside a foreign one.
for side in -DOWN -DFOREIGN '-DFOREIGN -DWATCHED'; do
	# shellcheck disable=SC2086,SC2046 # words are wanted, two of the answer
	set -- $(check $side)
	errors=${1:-none} states=${2:-0}
	if [ "$errors" != 0 ] ||
		grep -q 'max search depth too small\|out of memory' pan.out; then
		echo "model: FAIL: the protocol ($side) has errors: $errors"
		sed -n 1,20p pan.out spin.out
		exit 1
	fi
	total="$total + $states"
done
found=0
for fault in PUBLISH_FIRST NO_LOCK 'NO_LOCK -DPLAIN_STORE' KEEP_LOCK STALE_SIZE \
	'FOREIGN -DNO_SECOND_LOOK' 'FOREIGN -DNO_COMPARE' \
	'FOREIGN -DWATCHED -DNO_SECOND_LOOK' 'FOREIGN -DWATCHED -DWATCH_LATE'; do
	# shellcheck disable=SC2086,SC2046
	set -- $(check -D$fault)
	if [ "${1:-0}" = 0 ]; then
		echo "model: FAIL: the seeded fault $fault was not found"
		cat spin.out
		exit 1
	fi
	found=$((found + 1))
done
echo "model: PASS: ${total#0 + } states, no error; $found seeded faults found"
