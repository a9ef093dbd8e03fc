# Colour: when there is any, what has it, and that the text is the same without.
load helper

need_color() { # what ends in a sequence
	need script
	script -qec true /dev/null </dev/null >/dev/null 2>&1 3>&- ||
		skip 'no script(1) of util-linux on this machine'
}

# Runs a shell command on a terminal of a kind; what it printed is in
# $SCRATCH/seen.
on_terminal() { # TERM COMMAND
	need_color
	TERM=$1 script -qec "$2" /dev/null </dev/null 3>&- | tr -d '\r' >"$SCRATCH/seen"
}

strip() {
	LC_ALL=C sed 's/\x1b\[[0-9;]*m//g'
}

needs_patterns() {
	shmlog dump --grep x "$FIXTURES/empty.shm" >/dev/null 2>&1 || [[ $? -ne 4 ]] ||
		skip 'built without PCRE2'
}

HOSTILE=$'esc\e[31m del\x7f csi\xc2\x9b31m rlo\u202e zwsp\u200b bad\xff\xc3 \xe6\xbc nl\ntab\tcr\rend\\n é漢😀'

@test "without the sequences, output with colour is the same" {
	local log options

	printf %s "$HOSTILE" | shmlog append -i whole --create 4K "$SCRATCH/hostile.shm"
	cp "$FIXTURES"/*.shm "$SCRATCH"
	for log in "$SCRATCH"/*.shm; do
		for options in '' '-o json' '-o hex' '-o nul' '-o raw' '-o frames' \
			'--prefix' '-o nul --prefix' "$log" "-o json $log" '-t %c|%x|%p|%j\n'; do
			# shellcheck disable=SC2086
			shmlog dump --color never $options "$log" >"$SCRATCH/plain" 2>&1 ||
				true
			# shellcheck disable=SC2086
			shmlog dump --color always $options "$log" >"$SCRATCH/color" 2>&1 ||
				true
			cmp <(strip <"$SCRATCH/plain") <(strip <"$SCRATCH/color") ||
				fail "$log $options"
			# shellcheck disable=SC2086
			shmlog dump $options "$log" 2>&1 | cmp - "$SCRATCH/plain" ||
				fail "auto: $log $options"
		done
	done
	shmlog dump -o json --color always "$FIXTURES/json.shm" | strip | jq -e .cursor
}

@test "formats for programs have no colour" {
	local format

	printf '{"a":1}\n' | shmlog append --create 4K "$LOG"
	for format in nul raw frames; do
		shmlog dump --color always -o "$format" "$LOG" |
			cmp - <(shmlog dump -o "$format" "$LOG")
	done
}

@test "JSON has colours for its parts, and so have cursors" {
	printf '{"a":[-1.5e3,"x\\"y",null]}\n' | shmlog append --create 4K "$LOG"
	local key=$'\e[1;34m' string=$'\e[32m' number=$'\e[36m' word=$'\e[35m'
	local cursor=$'\e[33m' end=$'\e[0m'

	expect 0 "{$key\"a\"$end:[$number-1.5e3$end,$string\"x\\\"y\"$end,${word}null$end]}" '' \
		dump --color always "$LOG"
	run_shmlog 0 dump --color always -o json "$LOG"
	assert_output --partial "{$key\"cursor\"$end:${cursor}0$end,$key\"next\"$end:${cursor}30$end,$key\"index\"$end:${number}0$end,"
	expect 0 "${cursor}0$end"$'\t'"${cursor}30$end" '' dump --color always -t '%c\t%x' "$LOG"
	expect 0 "${cursor}30$end" '' seek --color always "$LOG" end
	run_shmlog 0 dump --color always -o hex "$LOG"
	assert_line --index 0 "cursor ${cursor}0$end size 26"
	# What is no JSON has none, whatever it looks like.
	shmlog append -m '{"a":1' "$LOG"
	expect 0 '{"a":1' '' tail -n 1 --color always "$LOG"
}

@test "an event has the colours of JSON" {
	printf 'one\ntwo\n' | shmlog append --create 4K "$LOG"
	put_bytes "$LOG" $((24 + 7)) 0900
	run_shmlog 1 dump --color always -o json "$LOG"
	assert_line --index 1 --partial $'{\e[1;34m"event"\e[0m:\e[32m"damage"\e[0m,\e[1;34m"cursor"\e[0m:\e[33m7\e[0m,'
	strip <<<"${lines[1]}" | jq -e .reason
}

@test "matches have a colour in text" {
	needs_patterns
	printf '%s\n' 'an error, Error!' '{"msg":"error"}' é | shmlog append --create 4K "$LOG"
	local match=$'\e[1;31m' end=$'\e[0m'

	expect 0 "an ${match}error,$end ${match}Error$end!" '' \
		tail -n 1 --color always --grep 'error,' --grep error -i --not-grep msg "$LOG"
	run_shmlog 0 dump --color always --grep 'error' --not-grep an "$LOG"
	assert_output $'{\e[1;34m"msg"\e[0m:\e[32m"\e[0m'"$match"error"$end"$'\e[32m"\e[0m}'
	# A character is not split, whatever the pattern, and an empty match has none.
	expect 0 "${match}é$end" '' dump --color always --grep '\xa9' "$LOG"
	expect 0 é '' dump --color always --grep '^' -r -n 1 "$LOG"
	# JSON shows its own parts alone.
	shmlog dump -o json --color always --grep error "$LOG" | strip |
		cmp - <(shmlog dump -o json --grep error "$LOG")
	run_shmlog 0 dump --color always --grep 'an|é' -C 0 "$LOG"
	assert_line --index 1 $'\e[36m--\e[0m'
}

@test "each log has a colour, and headers have one" {
	local name

	cd "$SCRATCH"
	for name in a b c d e f g; do
		shmlog append --create 4K -m "$name" "$name.shm"
	done
	run_shmlog 0 dump --color always --prefix {a,b,c,d,e,f,g}.shm
	assert_equal "$(cut -dm -f1 <<<"$output" | head -n 6 | sort -u | wc -l)" 6
	assert_line --index 0 $'\e[1;36ma.shm\e[0m: a'
	run_shmlog 0 tail --color always a.shm b.shm
	assert_line --index 0 $'\e[1m==> a.shm <==\e[0m'
}

@test "colour is for a terminal that can show it" {
	printf '{"a":1}\n' | shmlog append --create 4K "$LOG"
	local colored=$'{\e[1;34m"a"\e[0m:\e[36m1\e[0m}'

	on_terminal xterm "shmlog dump '$LOG'"
	assert_equal "$(cat "$SCRATCH/seen")" "$colored"
	on_terminal xterm "shmlog tail -f --idle 0 '$LOG'"
	assert_equal "$(cat "$SCRATCH/seen")" "$colored"
	on_terminal xterm "NO_COLOR= shmlog dump --color auto '$LOG'"
	assert_equal "$(cat "$SCRATCH/seen")" "$colored"
	on_terminal dumb "NO_COLOR=1 shmlog dump --color always '$LOG'"
	assert_equal "$(cat "$SCRATCH/seen")" "$colored"
	local command
	for command in "shmlog dump --color never '$LOG'" "NO_COLOR=1 shmlog dump '$LOG'" \
		"TERM=dumb shmlog tail '$LOG'" "env -u TERM shmlog dump '$LOG'" \
		"shmlog dump '$LOG' | cat"; do
		on_terminal xterm "$command"
		assert_equal "$(cat "$SCRATCH/seen")" '{"a":1}'
	done
	run_shmlog 2 dump --color sometimes "$LOG"
	assert_stderr --partial "--color 'sometimes' is neither auto, always nor never"
}

@test "with colour a terminal gets no sequences but those of the colours" {
	needs_patterns
	local pattern log

	printf %s "$HOSTILE" | shmlog append -i whole --create 4K "$LOG"
	printf '["%s"]' $'rlo\u202e csi\u009b é' | shmlog append -i whole "$LOG"
	for log in "$LOG" "$FIXTURES/binary.shm"; do
		for pattern in . '' '\x9b' '\xe2' '[\x80-\xbf]+' 'x*' '\xff\xc3' '(?s).*'; do
			on_terminal xterm "shmlog dump --color never --grep '$pattern' '$log'"
			cp "$SCRATCH/seen" "$SCRATCH/plain"
			on_terminal xterm "shmlog dump --grep '$pattern' '$log'"
			strip <"$SCRATCH/seen" | cmp - "$SCRATCH/plain" ||
				fail "$pattern $log"
			refute env LC_ALL=C grep -naP '\x1b(?!\[([0-9];)?[0-9]{1,2}m)|[\x00-\x09\x0b-\x1a\x1c-\x1f\x7f]' "$SCRATCH/seen"
		done
	done
	# The name of a log, too.
	cp "$LOG" "$SCRATCH/"$'e\e[31m'
	on_terminal xterm "cd '$SCRATCH'; shmlog dump --prefix -n 1 e*"
	refute grep -qF $'e\e[31m' "$SCRATCH/seen"
}

@test "stat has colour for its titles, damage, fill and pictures, and the same text" {
	local sound=$SCRATCH/sound.shm bold=$'\e\\[1m' red=$'\e\\[1;31m' end=$'\e\\[0m'

	shmlog append --create 100 -m one -m two "$LOG"
	cp "$LOG" "$sound"
	put_bytes "$LOG" 24 ffff
	shmlog stat --histogram "$LOG" "$sound" >"$SCRATCH/plain" || true
	shmlog stat --histogram --color always "$LOG" "$sound" >"$SCRATCH/color" || true
	strip <"$SCRATCH/color" | cmp - "$SCRATCH/plain"
	assert grep -qx "$bold$LOG$end" "$SCRATCH/color"
	assert grep -qx "  state  *${red}damaged$end" "$SCRATCH/color"
	assert grep -qx '  state  *sound' "$SCRATCH/color"
	assert grep -q $'^  fill  *\e\\[32m\\[#' "$SCRATCH/color"
	assert grep -q $' 2  \e\\[36m##*\e\\[0m$' "$SCRATCH/color"
	on_terminal xterm "LC_ALL=C COLUMNS=80 shmlog stat --histogram '$LOG' '$sound'"
	cmp "$SCRATCH/seen" "$SCRATCH/color"
	on_terminal dumb "COLUMNS=80 shmlog stat --histogram '$LOG' '$sound'"
	cmp "$SCRATCH/seen" "$SCRATCH/plain"
	shmlog stat -o json --color always "$sound" | cmp - <(shmlog stat -o json "$sound")
	on_terminal xterm "COLUMNS=120 shmlog stat --watch=10ms --timeout 30ms '$sound'"
	assert grep -q $'\e\\[32m\\[#[#.]*\e\\[0m\\]' "$SCRATCH/seen"
	run_shmlog 2 stat --color sometimes "$LOG"
}

@test "messages have colour for what speaks and what it is about" {
	local command colored plain="shmlog rm: $LOG: cannot open: No such file or directory"

	colored=$'\e[1mshmlog rm:\e[0m \e[36m'"$LOG"$'\e[0m: cannot open: No such file or directory'
	on_terminal xterm "shmlog rm '$LOG'"
	assert_equal "$(cat "$SCRATCH/seen")" "$colored"
	for command in "NO_COLOR=1 shmlog rm" 'env -u TERM shmlog rm' "TERM=dumb shmlog rm"; do
		on_terminal xterm "$command '$LOG'"
		assert_equal "$(cat "$SCRATCH/seen")" "$plain"
	done
	expect 4 '' "$plain" rm "$LOG"
	# --color counts for them, too.
	on_terminal xterm "shmlog stat --color never '$LOG'"
	refute grep -q $'\e' "$SCRATCH/seen"
	run_shmlog 4 stat --color always "$LOG"
	assert_stderr --partial $'\e[36m'"$LOG"$'\e[0m: cannot'
	# A name that is hostile brings no sequence of its own.
	on_terminal xterm "shmlog rm '$SCRATCH/"$'e\e[31m\''
	assert grep -qF $'e\\x1b[31m\e[0m: ' "$SCRATCH/seen"
}

@test "ls has colour for its titles and for damage, and the same text" {
	local log=$SCRATCH/logs/damaged.shm

	mkdir "$SCRATCH/logs"
	shmlog append --create 4K -m one -m two "$log"
	shmlog create -c 4K "$SCRATCH/logs/sound.shm"
	put_bytes "$log" 24 ffff
	shmlog ls "$SCRATCH/logs" >"$SCRATCH/plain"
	shmlog ls --color never "$SCRATCH/logs" | cmp - "$SCRATCH/plain"
	shmlog ls --color always "$SCRATCH/logs" >"$SCRATCH/color"
	strip <"$SCRATCH/color" | cmp - "$SCRATCH/plain"
	assert grep -q $'^\e\\[1mNAME\e\\[0m' "$SCRATCH/color"
	assert grep -q $'\e\\[1;31mdamaged\e\\[0m$' "$SCRATCH/color"
	assert grep -q ' sound$' "$SCRATCH/color"
	on_terminal xterm "shmlog ls '$SCRATCH/logs'"
	cmp "$SCRATCH/seen" "$SCRATCH/color"
	on_terminal dumb "shmlog ls '$SCRATCH/logs'"
	cmp "$SCRATCH/seen" "$SCRATCH/plain"
	run_shmlog 2 ls --color sometimes "$SCRATCH/logs"
}
