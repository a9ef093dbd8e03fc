# Peak of resident memory of each command on a big log.
# shellcheck shell=bash source-path=SCRIPTDIR

memory_row() { # WORK RACE-ARGUMENT...
	local work=$1

	shift
	say "peak memory: $work"
	rounds=2 race --warmup 0 "$@" |
		row "memory-$(tr -d " " <<<"${work%%,*}")" "$work: peak memory" "" value MiB 16 \
			'{ours: .sides[0].peak_kib | map(. / 1024)}' ||
		give_up "no result for $work"
}

part_memory() {
	make_input
	make_big_log
	local copy=$scratch/append.shm of=", $big_mib MiB"
	local fresh=(--log "$copy" "$log_bytes")

	memory_row "append, $((input_bytes / 1048576)) MiB" "${fresh[@]}" \
		"$shmlog" append "$copy" '<' "$input"
	memory_row "append -i json, $((input_bytes / 1048576)) MiB" "${fresh[@]}" \
		"$shmlog" append -i json "$copy" '<' "$input"
	memory_row "dump$of" "$shmlog" dump "$big_log"
	memory_row "dump -r$of" "$shmlog" dump -r "$big_log"
	memory_row "dump -o json$of" "$shmlog" dump -o json "$big_log"
	memory_row "tail -n 10$of" "$shmlog" tail -n 10 "$big_log"
	memory_row "tail -n 1 --where$of" "$shmlog" tail -n 1 --where '. == "none"' "$big_log"
	memory_row "seek frame:-1$of" "$shmlog" seek "$big_log" frame:-1
	memory_row "verify$of" "$shmlog" verify "$big_log"
	memory_row "stat --histogram$of" "$shmlog" stat --histogram "$big_log"
}
