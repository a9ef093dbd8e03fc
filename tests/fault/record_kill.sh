#!/usr/bin/env bash
# Processes that append on condition, with a record in the metadata, are killed
# at any moment: a whole record always says where the log ends, and no frame is
# there twice.  Once more with an appender that keeps the lock from its first
# commit on.  N: kills.
. "$(dirname "$0")/common.bash"

sizes 150 20000
need record_kill eager/record_kill

run record_kill "$scratch/plain" "$N" &&
	"$eager/record_kill" "$scratch/eager" "$N"
