# What reaches a terminal: nothing that could act on it.
load helper

setup() {
	scratch_make
}

# Runs a shell command with stdout and stderr on a terminal; what it printed,
# with the terminal's line ends undone, is in $SCRATCH/seen.
on_terminal() { # COMMAND
	need script
	script -qec true /dev/null </dev/null >/dev/null 2>&1 3>&- ||
		skip 'no script(1) of util-linux on this machine'
	# Colour is for tests of its own.
	TERM=dumb script -qec "$1" /dev/null </dev/null 3>&- | tr -d '\r' >"$SCRATCH/seen"
}

seen() {
	cat "$SCRATCH/seen"
}

# Fails if a file holds a control byte other than a newline, or a character that
# is invisible or turns the line about.
assert_harmless() { # FILE
	refute env LC_ALL=C grep -naP '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f\xad]|\xe2\x80[\x8b-\x8f\xa8-\xae]|\xe2\x81[\xa0-\xaf]|\xef\xbb\xbf|\xf3\xa0' "$1"
}

HOSTILE=$'esc\e[31m del\x7f csi\xc2\x9b31m rlo\u202e zwsp\u200b bom\ufeff shy\u00ad lsep\u2028 iso\u2066 tag\U000e0041 bad\xff\xc3 nl\ntab\tcr\rend\\n é漢😀'
ESCAPED='esc\x1b[31m del\x7f csi\u{9b}31m rlo\u{202e} zwsp\u{200b} bom\u{feff} shy\u{ad} lsep\u{2028} iso\u{2066} tag\u{e0041} bad\xff\xc3 nl\ntab\tcr\rend\n é漢😀'

make_log() {
	printf %s "$HOSTILE" | shmlog append -i whole --create 4K "$LOG"
}

@test "text on a terminal is escaped" {
	make_log
	on_terminal "shmlog dump '$LOG'"
	assert_equal "$(seen)" "$ESCAPED"
	assert_harmless "$SCRATCH/seen"
	on_terminal "shmlog tail -o text '$LOG'"
	assert_equal "$(seen)" "$ESCAPED"
	on_terminal "shmlog seek -o text '$LOG' start"
	assert_equal "$(seen)" "$ESCAPED"
	on_terminal "shmlog tail -f --idle 0 '$LOG'"
	assert_equal "$(seen)" "$ESCAPED"
}

@test "text in a pipe or a file is verbatim" {
	make_log
	printf '%s\n' "$HOSTILE" >"$SCRATCH/wanted"
	shmlog dump "$LOG" | cmp - "$SCRATCH/wanted"
	shmlog tail "$LOG" >"$SCRATCH/file"
	cmp "$SCRATCH/file" "$SCRATCH/wanted"
	on_terminal "shmlog dump '$LOG' | cat >'$SCRATCH/file'"
	cmp "$SCRATCH/file" "$SCRATCH/wanted"
}

@test "a payload in a template is escaped on a terminal, and only there" {
	make_log
	on_terminal "shmlog dump -t '<%p>\n' '$LOG'"
	assert_equal "$(seen)" "<$ESCAPED>"
	shmlog dump -t '<%p>\n' "$LOG" | cmp - <(printf '<%s>\n' "$HOSTILE")
}

@test "json and hex are harmless as they are" {
	make_log
	on_terminal "shmlog dump -o json '$LOG'; shmlog dump -o hex '$LOG'
		shmlog dump -t '%j %b\n' '$LOG'"
	assert_harmless "$SCRATCH/seen"
	assert [ "$(wc -l <"$SCRATCH/seen")" -gt 5 ]
}

@test "a large hostile payload is escaped whole" {
	head -c 65531 /dev/zero | tr '\0' '\33' |
		shmlog append -i whole --create 1M "$LOG"
	on_terminal "shmlog dump '$LOG'"
	assert_equal "$(wc -c <"$SCRATCH/seen")" $((65531 * 4 + 1))
	assert_equal "$(head -c 8 "$SCRATCH/seen")" '\x1b\x1b'
}

# --------------------------------------------------------------- file names

NAME=$'evil\e]0;x\a\nname \u202e\xc2\x9b\xff'
SHOWN='evil\x1b]0;x\x07\nname \u{202e}\u{9b}\xff'

@test "messages show a hostile file name escaped, on one line" {
	local path=$SCRATCH/$NAME command

	for command in dump tail verify stat; do
		run_shmlog 4 "$command" "$path"
		printf '%s\n' "$stderr" >"$SCRATCH/stderr"
		assert_harmless "$SCRATCH/stderr"
		assert_equal "$(wc -l <"$SCRATCH/stderr")" 1
		assert_stderr --partial "$SHOWN"
	done
	run_shmlog 4 seek "$path" 0
	assert_stderr --partial "$SHOWN"
	run_shmlog 4 append "$path" -m x
	assert_stderr --partial "$SHOWN"
	printf 'a text that is long enough to be a header' >"$path"
	run_shmlog 5 dump "$path"
	assert_stderr --partial "$SHOWN: not a log"
	shmlog append --create 4K -m one "$LOG"
	run_shmlog 8 tail --cursor-file "$path" "$LOG"
	assert_stderr --partial "$SHOWN: is no cursor file"
	run_shmlog 1 seek "$LOG" 3
	rm "$path"
	mv "$LOG" "$path"
	run_shmlog 1 seek "$path" 3
	assert_stderr --partial "$SHOWN: no frame"
}

@test "stat shows a hostile file name escaped, as text and as json" {
	local path=$SCRATCH/$NAME

	shmlog append --create 4K -m one "$path"
	run_shmlog 0 stat "$path"
	assert_line --index 0 "$SCRATCH/$SHOWN"
	printf '%s\n' "$output" >"$SCRATCH/stdout"
	assert_harmless "$SCRATCH/stdout"
	run_shmlog 0 stat -o json "$path"
	assert_equal "${#lines[@]}" 1
	jq -e '.path | length > 10' <<<"$output" >/dev/null
	printf '%s\n' "$output" >"$SCRATCH/stdout"
	assert_harmless "$SCRATCH/stdout"
}

@test "wrong options and operands are shown escaped" {
	local evil=$'\e[2J\n\u202e'

	shmlog create -c 4K "$LOG"
	for arguments in "$evil" "dump|--$evil" "dump|-$evil" "create|-c|4K|$LOG|$evil" \
		"dump|-o|$evil|$LOG" "dump|-t|%$evil|$LOG" "dump|-n|$evil|$LOG" \
		"dump|--from|$evil|$LOG" "tail|-n|$evil|$LOG" \
		"tail|--pid|$evil|$LOG" "tail|--idle|$evil|$LOG" "help|$evil" \
		"seek|$LOG|$evil" "stat|-o|$evil|$LOG" "stat|--watch=$evil|$LOG"; do
		local -a words
		mapfile -d '|' -t words < <(printf %s "$arguments")
		run_shmlog 2 "${words[@]}"
		assert_output ''
		printf '%s\n' "$stderr" >"$SCRATCH/stderr"
		assert_harmless "$SCRATCH/stderr"
		assert_equal "$(wc -l <"$SCRATCH/stderr")" 2
	done
}

@test "the names of processes are shown escaped" {
	skip_if_portable "there is no /proc to look into"
	[[ -d /proc/self/fd ]] || skip 'no /proc on this machine'
	local pid

	shmlog create -c 4K "$LOG"
	(exec -a $'evil\e[2J\nname' sleep 1000 9<"$LOG" 3>&-) &
	pid=$!
	wait_for 5 eval 'shmlog stat --procs "$LOG" | grep -q "$pid"'
	wait_for 5 eval 'tr "\0" " " <"/proc/$pid/cmdline" | grep -q evil'
	run_shmlog 0 stat --procs "$LOG"
	assert_output --regexp "process +$pid +reader.*evil"
	printf '%s\n' "$output" >"$SCRATCH/stdout"
	assert_harmless "$SCRATCH/stdout"
	run_shmlog 0 stat --procs -o json "$LOG"
	assert_equal "${#lines[@]}" 1
	printf '%s\n' "$output" >"$SCRATCH/stdout"
	assert_harmless "$SCRATCH/stdout"
	kill "$pid"
}

@test "a very long name is cut, not overrun" {
	local long

	long=$(head -c 3500 /dev/zero | tr '\0' x)
	run_shmlog 4 dump "$long"
	assert [ "${#stderr}" -lt 8192 ]
	run_shmlog 2 "$long"
	assert_stderr --partial 'unknown command'
	run_shmlog 2 dump --from "$long" "$LOG"
	assert_stderr --partial 'is no position'
}
