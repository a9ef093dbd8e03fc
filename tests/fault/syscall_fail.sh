#!/usr/bin/env bash
# Every call of the C library that can fail is made to, once and for good, with
# ENOSPC, EINTR, EMFILE, ENOMEM, EIO, EAGAIN and short counts, in every command:
# the status is as without the failure, and then the work was done, or says
# that the system refused; no signal, committed data intact, no other file
# changed, no debris.  N: one in N of them.  ONLY: the name of one command.
. "$(dirname "$0")/common.bash"

sizes 12 1
need syscall_fail
if ! "${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -fPIC -shared -o "$scratch/shim.so" \
	tests/fault/shim/fail_calls.c -ldl 2>"$scratch/err" ||
	! LD_PRELOAD=$scratch/shim.so "$shmlog" --version >/dev/null 2>&1; then
	echo "syscall_fail: SKIPPED: calls cannot be replaced on this system"
	exit 77
fi
run syscall_fail "$shmlog" "$scratch/shim.so" "$scratch" "$N"
