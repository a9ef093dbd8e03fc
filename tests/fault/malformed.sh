#!/usr/bin/env bash
# Random and mutated files through every command, the sanitized binary as
# well: a status of the table, no signal, under a second of CPU and 64 MiB, and
# the file unchanged byte for byte.  N: files.
. "$(dirname "$0")/common.bash"

sizes 300 100000
need malformed
need_sanitized shmlog
run malformed "$shmlog" "$asan/shmlog" 'tests/fixtures/*.shm' "$scratch" "$N"
