#!/usr/bin/env bash
# Reading a sparse log allocates no page, whatever its header claims; on a
# full file system append ends with status 4, never by SIGBUS, and all that it
# acknowledged is there; reading goes on.  The second part mounts a small
# tmpfs and is skipped where that is not allowed.  N: how often it is filled.
. "$(dirname "$0")/common.bash"

sizes 6 200

fail() { # WHY
	echo "holes: FAIL: $*"
	umount "$scratch/full" 2>/dev/null
	exit 1
}

# Runs shmlog and compares its exit status.
expect() { # STATUS ARGUMENT...
	local wanted=$1 got=0

	shift
	timeout -k 1 "$((20 * slack))" "$shmlog" "$@" >"$scratch/out" 2>"$scratch/err" || got=$?
	[ $got -eq "$wanted" ] ||
		fail "shmlog $*: status $got, not $wanted: $(head -c 500 "$scratch/err")"
}

allocated() { # FILE
	du -k "$1" | cut -f 1
}

# Each command that reads; a log with a hole in it is damaged: status $1.
read_all() { # STATUS LOG [POSITION]
	local before status=$1 log=$2 position=${3:-frame:50}

	before=$(allocated "$log")
	expect "$status" dump "$log"
	expect "$status" dump -o json "$log"
	expect "$status" verify "$log"
	expect "$status" stat "$log"
	expect "$status" tail -n +1 "$log"
	expect "$status" tail "$log"
	expect "$status" dump -r "$log"
	expect "$status" tail -f -n +1 --idle 30ms "$log"
	expect 0 seek "$log" "$position"
	[ "$(allocated "$log")" = "$before" ] ||
		fail "reading allocated pages: $before KiB before, $(allocated "$log") after"
}

little_endian() { # NUMBER
	local i number=$1

	for ((i = 0; i < 8; i++)); do
		printf '%b' "\\x$(printf %02x $((number & 255)))"
		number=$((number >> 8))
	done
}

put_at() { # FILE OFFSET, bytes on standard input
	dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# Frames whose payloads are holes, between length words that are there.
hollow_frames() { # LOG
	local i at=24

	expect 0 create --sparse -c 1M "$1"
	for ((i = 0; i < 12; i++)); do
		printf '\377\377' | put_at "$1" "$at"
		printf '\377\377' | put_at "$1" $((at + 65533))
		at=$((at + 65535))
	done
	little_endian "$at" | put_at "$1" 16
}

sparse_logs() {
	local log=$scratch/sparse hollow=$scratch/hollow

	expect 0 create --sparse -c 64M "$log"
	seq 2000 | "$shmlog" append "$log" || fail "append to a sparse log"
	[ "$(allocated "$log")" -lt 200 ] || fail "a sparse log takes space at once"
	read_all 0 "$log"
	# A header that claims a hole as committed.
	little_endian $((64 << 20)) | put_at "$log" 16
	read_all 1 "$log"
	expect 5 append -m x "$log"
	hollow_frames "$hollow"
	read_all 0 "$hollow" frame:5
	rm "$log" "$hollow"
}

# One log on a file system with little room; inside the mount.
fill_once() { # FOLDER FREE-PAGES LINE-WIDTH APPEND-OPTION...
	local folder=$1 log=$1/log free=$2 width=$3 acknowledged frames status=0

	shift 3
	expect 0 create --sparse -c 8M "$log"
	seq 100 | "$shmlog" append "$log" || fail "append to a sparse log"
	head -c $(((255 - 3 - free) * 4096)) /dev/zero >"$folder/filler"
	seq -f "line %0${width}g" 20000 |
		timeout -k 1 "$((20 * slack))" "$shmlog" append --ack "$@" "$log" >"$scratch/acks" 2>"$scratch/err" ||
		status=$?
	[ $status -eq 4 ] ||
		fail "append on a full file system: status $status, not 4: $(cat "$scratch/err")"
	grep -q 'frames committed' "$scratch/err" ||
		fail "the refusal does not say what became of the data: $(cat "$scratch/err")"
	acknowledged=$(jq -s 'map(.frames) | add // 0' "$scratch/acks")
	frames=$("$shmlog" stat -o json "$log" | jq .frames)
	[ "$frames" -eq $((100 + acknowledged)) ] ||
		fail "$acknowledged frames acknowledged after 100, $frames in the log"
	"$shmlog" dump "$log" | head -n 100 | cmp -s - <(seq 100) ||
		fail "the first frames have changed"
	head -c 4096000 /dev/zero >>"$folder/filler" 2>"$scratch/err"
	read_all 0 "$log"
	expect 4 create -c 64K "$folder/another"
	[ ! -e "$folder/another" ] || fail "a refused create left debris"
	seq 300000 >"$scratch/lines"
	expect 4 append --atomic "$log" "$scratch/lines"
	expect 4 tail --cursor-file "$folder/cursor" "$log"
	[ "$(ls -A "$folder")" = $'filler\nlog' ] || fail "debris: $(ls -A "$folder")"
	rm "$folder/filler"
	expect 0 append -m "room again" "$log"
	expect 0 verify "$log"
}

fill_often() { # FOLDER
	local i folder=$1 options=()

	mkdir -p "$folder"
	for ((i = 0; i < N; i++)); do
		mount -t tmpfs -o size=1m shmlog-holes "$folder" ||
			fail "cannot mount"
		case $((i % 3)) in
		0) options=() ;;
		1) options=(--commit-every 7) ;;
		2) options=(--atomic) ;;
		esac
		fill_once "$folder" $((RANDOM % 40)) $((10 + RANDOM % 200)) \
			"${options[@]}"
		umount "$folder" || fail "cannot unmount"
	done
}

if [ "${1-}" = --inside ]; then
	fill_often "$scratch/full"
	exit
fi

need kill_append
sparse_logs
mkdir "$scratch/full"
# In a mount namespace of its own, so that nothing stays mounted.
if unshare -m mount -t tmpfs -o size=1m shmlog-holes "$scratch/full" 2>"$scratch/err"; then
	N=$N unshare -m "tests/fault/$campaign.sh" --inside || exit 1
	echo "holes: PASS: no page allocated by reading; $N times full: status 4, nothing acknowledged lost"
else
	echo "holes: SKIPPED the full file system: $(cat "$scratch/err")"
	echo "holes: PASS: no page allocated by reading"
fi
