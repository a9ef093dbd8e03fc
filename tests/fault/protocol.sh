#!/usr/bin/env bash
# Checks tests/fault/protocol.pml and changes.pml exhaustively with Spin, as they
# are and with each seeded fault, which Spin must find.  Skips visibly without
# Spin.
set -u
models=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

if ! command -v spin >/dev/null 2>&1; then
	echo "model: SKIP: spin is not installed"
	exit 77
fi
cd "$work" || exit 1

# Little is searched, so a quick compiler beats quick code: without any
# optimization half the time.
# check MODEL FLAG...: prints "errors states" of an exhaustive search.
check() {
	model=$models/$1.pml
	shift
	rm -f pan* # so that what fails to build has no result, not the last one's
	spin "$@" -a "$model" >spin.out 2>&1 &&
		${CC:-cc} -w -O0 -DSAFETY -DMEMLIM=2048 -o pan pan.c &&
		./pan -m1000000 >pan.out 2>&1
	sed -n 's/.*errors: \([0-9]*\).*/\1/p' pan.out
	sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' pan.out
}

total=0
# The protocol among its own writers, and beside a foreign one; then that of
# what is done to a log as a whole.
for side in 'protocol -DOWN' 'protocol -DFOREIGN' 'protocol -DFOREIGN -DWATCHED' \
	'changes -DEXCHANGE' 'changes -DLINK' 'changes -DRECORD'; do
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
for fault in protocol\ -D{PUBLISH_FIRST,NO_LOCK,KEEP_LOCK,STALE_SIZE} \
	'protocol -DNO_LOCK -DPLAIN_STORE' \
	protocol\ -DFOREIGN\ -D{NO_SECOND_LOOK,NO_COMPARE} \
	protocol\ -DFOREIGN\ -DWATCHED\ -D{NO_SECOND_LOOK,WATCH_LATE} \
	changes\ -D{NO_NAME_CHECK,CHECK_BEFORE_LOCK,ROTATE_UNLOCKED} \
	changes\ -D{LEAVE_EARLY,GROW_LATE} \
	changes\ -DRECORD\ -D{NO_EXPECT,RECORD_LATE,RECORD_SAME}; do
	# shellcheck disable=SC2086,SC2046
	set -- $(check $fault)
	if [ "${1:-0}" = 0 ]; then
		echo "model: FAIL: the seeded fault $fault was not found"
		cat spin.out
		exit 1
	fi
	found=$((found + 1))
done
echo "model: PASS: ${total#0 + } states, no error; $found seeded faults found"
