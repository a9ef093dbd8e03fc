# Commits that last beyond a power cut, against a bare loop of writes and syncs.
# shellcheck shell=bash source-path=SCRIPTDIR

# Lines that append commits at a time, as it reads 512 KiB.
LINES_A_READ=4100

sync_row() { # ID WORK GOAL LINES APPEND-OPTION...
	local id=$1 work=$2 goal=$3 at_once=$4 log=$disk/log bare=$disk/bare

	shift 4
	race_row "$id" "$work" "pwrite, fdatasync, same input" speed "$goal" \
		--log "$log" "$log_bytes" --log "$bare" "$log_bytes" \
		"$shmlog" append --sync --ack "$@" "$log" '<' "$input" '>' "$disk/acks" -- \
		"$(program synced)" "$bare" "$at_once" '<' "$input" '>' "$disk/acks"
}

part_disk() {
	local disk

	disk=$(mktemp -d "${BENCH_DISK:-${TMPDIR:-/tmp}}/shmlog-bench.XXXXXX") || give_up "no folder on a disk"
	on_exit "$disk"
	case $(stat -f -c %T "$disk" 2>/dev/null) in
	tmpfs | ramfs)
		skip_row "append --sync --ack" "pwrite, fdatasync" \
			"$disk is in memory; BENCH_DISK names a folder on a disk"
		return
		;;
	esac
	make_input
	sync_row sync "append --sync --ack < file" 0.9 $LINES_A_READ
	sync_row sync-100 "append --sync --ack --commit-every 100" null 100 --commit-every 100
	rm -rf "$disk"
}
