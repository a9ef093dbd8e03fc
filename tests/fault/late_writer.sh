#!/usr/bin/env bash
# A writer that takes no lock, as the Node package's, opens the log at every
# moment of an append, and stores, commits and closes at every later one, with
# frames of the same size and of others: nothing that was acknowledged is lost,
# what was not overflows, and with --writer-timeout nothing is lost or repeated.
# N: races.
. "$(dirname "$0")/common.bash"

sizes 2000 100000
need late_writer
if ! "${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -fPIC -shared -o "$scratch/shim.so" \
	tests/fault/shim/step_calls.c -ldl 2>"$scratch/err" ||
	! LD_PRELOAD=$scratch/shim.so "$shmlog" --version >/dev/null 2>&1; then
	echo "late_writer: SKIPPED: calls cannot be replaced on this system"
	exit 77
fi
make_quietly BUILD=build/eager CPPFLAGS="${CPPFLAGS-} -DSHMLOG_EAGER_KEEPER" WERROR=1 \
	build/eager/shmlog
run late_writer "$shmlog" "$PWD/build/eager/shmlog" "$scratch/shim.so" "$scratch" "$N"
