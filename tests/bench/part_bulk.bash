# A whole file through each command, against what copies or counts it, and
# against a bare program that does the same work.
# shellcheck shell=bash source-path=SCRIPTDIR

append_rows() {
	local log=$scratch/append.shm copy=$scratch/copy
	local fresh=(--log "$log" "$log_bytes" --remove "$copy")
	local sparse=(--sparse "$log" "$log_bytes" --remove "$copy")
	local append=("$shmlog" append "$log")
	local bare=("$(program bare_append)" "$log")

	race_row append-file "append < file" "cat file > x" speed 0.95 \
		"${fresh[@]}" "${append[@]}" '<' "$input" -- cat "$input" '>' "$copy" -- \
		"${bare[@]}" '<' "$input"
	race_row append-file-sparse "append < file, sparse log" "cat file > x" speed 0.85 \
		"${sparse[@]}" "${append[@]}" '<' "$input" -- cat "$input" '>' "$copy" -- \
		"${bare[@]}" '<' "$input"
	race_row append-pipe "cat file | append" "cat file | cat > x" speed 0.9 \
		"${fresh[@]}" cat "$input" '|' "${append[@]}" -- \
		cat "$input" '|' cat '>' "$copy" -- cat "$input" '|' "${bare[@]}"
	race_row append-pipe-sparse "cat file | append, sparse log" "cat file | cat > x" \
		speed 0.85 "${sparse[@]}" cat "$input" '|' "${append[@]}" -- \
		cat "$input" '|' cat '>' "$copy" -- cat "$input" '|' "${bare[@]}"
	rounds=$slow_rounds race_row append-json "append -i json" \
		"jq -c . < file > x" speed 8 "${fresh[@]}" \
		"${append[@]}" -i json '<' "$input" -- jq -c . '<' "$input" '>' "$copy"
	race_row append-json-lines "append -i json" "append" speed 0.55 "${fresh[@]}" \
		"${append[@]}" -i json '<' "$input" -- "${append[@]}" '<' "$input"
}

dump_rows() {
	local log=$scratch/bulk.shm copy=$scratch/copy dumped=$scratch/dumped bared=$scratch/bared
	local bare=("$(program bare_dump)" "$log")
	local walk=("$(program bare_walk)" "$log")

	"$shmlog" create -c "$log_bytes" "$log" &&
		"$shmlog" append "$log" <"$input" || give_up "no log"
	race_row dump-null "dump > /dev/null" "cat file > /dev/null" speed 0.6 \
		"$shmlog" dump "$log" '>' /dev/null -- cat "$input" '>' /dev/null -- \
		"${bare[@]}" '>' /dev/null
	race_row dump-file "dump > x" "cat file > x" speed 0.7 \
		--remove "$copy" --remove "$dumped" --remove "$bared" \
		"$shmlog" dump "$log" '>' "$dumped" -- cat "$input" '>' "$copy" -- \
		"${bare[@]}" '>' "$bared"
	race_row dump-pipe "dump | cat > /dev/null" "cat file | cat > /dev/null" speed 1.1 \
		"$shmlog" dump "$log" '|' cat '>' /dev/null -- \
		cat "$input" '|' cat '>' /dev/null -- "${bare[@]}" '|' cat '>' /dev/null
	race_row dump-json "dump -o json > /dev/null" "dump > /dev/null" speed 0.45 \
		"$shmlog" dump -o json "$log" '>' /dev/null -- "$shmlog" dump "$log" '>' /dev/null
	race_row dump-template "dump -t '%c %p' > /dev/null" "dump > /dev/null" speed 0.6 \
		"$shmlog" dump -t '%c %p\n' "$log" '>' /dev/null -- \
		"$shmlog" dump "$log" '>' /dev/null
	race_row verify "verify" "wc -l file" speed 1 \
		"$shmlog" verify "$log" -- wc -l "$input" -- "${walk[@]}"
	race_row stat "stat" "wc -l file" speed 1 \
		"$shmlog" stat "$log" -- wc -l "$input" -- "${walk[@]}"
	rm -f "$log"
}

part_bulk() {
	make_input
	append_rows
	dump_rows
}
