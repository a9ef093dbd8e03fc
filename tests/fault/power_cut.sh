#!/usr/bin/env bash
# What may be on the disk after a power cut in the middle of append --sync: all
# combinations of blocks that the system may have written between two syncs, on
# logs of several shapes.  Once more with an appender that keeps the lock from
# its first commit on, and writes ahead.  N: logs.
FAULT_DIR=${FAULT_DIR:-${TMPDIR:-/tmp}}
. "$(dirname "$0")/common.bash"

sizes 7 700
need power_cut eager/power_cut

[[ $(stat -f -c %T "$scratch" 2>/dev/null) != tmpfs ]] || {
	echo "power_cut: SKIPPED: $scratch is in memory; FAULT_DIR names a folder on a disk"
	exit 0
}
run power_cut "$scratch" "$N" &&
	"$eager/power_cut" "$scratch" "$N"
