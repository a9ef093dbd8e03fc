# Frames that are looked for, against the pipelines that look for lines.
# shellcheck shell=bash source-path=SCRIPTDIR

# One pattern through each of the three.  They write to a file: a grep that
# writes to /dev/null ends at the first line that it finds.
pattern_rows() { # ID NAME PATTERN
	local files=(--remove "$scratch/ours" --remove "$scratch/theirs")
	local dump=("$shmlog" dump "$log") grep=("$shmlog" dump "$log" --grep "$3")

	if command -v rg >/dev/null; then
		race_row "grep-$1-rg" "dump --grep, $2" "dump | rg" speed 1.5 \
			"${files[@]}" "${grep[@]}" '>' "$scratch/ours" -- \
			"${dump[@]}" '|' rg -e "$3" '>' "$scratch/theirs"
	else
		skip_row "dump --grep, $2" "dump | rg" "no rg on this machine"
	fi
	if echo a | grep -qP a 2>/dev/null; then
		race_row "grep-$1-grep" "dump --grep, $2" "dump | grep -P" speed 1.5 \
			"${files[@]}" "${grep[@]}" '>' "$scratch/ours" -- \
			"${dump[@]}" '|' grep -aP -e "$3" '>' "$scratch/theirs"
	else
		skip_row "dump --grep, $2" "dump | grep -P" "this grep has no -P"
	fi
}

where_row() { # ID NAME EXPRESSION
	rounds=$slow_rounds race_row "where-$1" "dump --where, $2" \
		"dump | jq -c select" speed 10 \
		"$shmlog" dump "$log" --where "$3" '>' /dev/null -- \
		"$shmlog" dump "$log" '|' jq -c "select(($3)?)" '>' /dev/null
}

part_find() {
	local log=$scratch/find.shm

	make_input
	"$shmlog" create -c "$log_bytes" "$log" &&
		"$shmlog" append "$log" <"$input" || give_up "no log"
	pattern_rows rare "rare literal" '"id":1234,'
	pattern_rows common "common literal" heartbeat
	pattern_rows class "class" '[a-f]{3}[0-9]{3}|h[12][0-9]7"'
	pattern_rows alternatives "alternatives" 'filled in part|h77"|na.ve'
	where_row string "a string" '.kind == "quote"'
	where_row number "a number" '.price > 89000'
	rm -f "$log"
}
