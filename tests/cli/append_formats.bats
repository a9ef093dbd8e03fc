# append -i: what each input format takes and refuses.
load helper

setup() {
	scratch_make
	shmlog create "$LOG" -c 1M
}

# The payloads in hex, one a line; `.` for an empty one.
payloads() {
	shmlog dump -t '%b\n' "$LOG" | while read -r line; do
		[[ -n $line ]] || printf .
		base64 -d <<<"$line" | od -An -v -t x1 | tr -d ' \n'
		echo
	done
}

# The payloads as JSON strings.
strings() {
	shmlog dump -t '%j\n' "$LOG"
}

# What is bad in an input, and how many frames come before it; nothing may
# come behind it.
reject() { # FORMAT NOUN REASON FRAMES <INPUT
	cat >"$SCRATCH/in"
	rm -f "$LOG"
	shmlog create "$LOG" -c 1M
	expect 9 '' "shmlog append: $LOG: bad input: $2: $3; $4 frames committed before it" \
		append -i "$1" "$LOG" <"$SCRATCH/in"
	assert_equal "$(frames_of "$LOG")" "$4"
}

fill() { # BYTES [CHARACTER]
	head -c "$1" /dev/zero | tr '\0' "${2:-x}"
}

# ----------------------------------------------------------------------- lines

@test "lines: every line is a payload, blank ones too, the last without a newline" {
	printf 'one\n\n\ntwo\r\n \nlast' >"$SCRATCH/in"
	expect 0 '{"frames":6,"cursor":36}' '' append --ack --atomic "$LOG" "$SCRATCH/in"
	assert_equal "$(strings)" '"one"
""
""
"two\r"
" "
"last"'
}

@test "lines: a newline at the end begins no further line" {
	expect 0 '' '' append "$LOG" < <(printf '\n')
	assert_equal "$(strings)" '""'
	expect 0 '' '' append -i lines "$LOG" < <(printf 'x')
	assert_equal "$(strings)" $'""\n"x"'
}

@test "lines: NUL, invalid UTF-8 and control bytes are kept" {
	expect 0 '' '' append "$LOG" < <(printf 'a\0b\n\xff\xfe\n\x1b[31m\xc2\x9b\n')
	assert_equal "$(payloads)" '610062
fffe
1b5b33316dc29b'
}

@test "lines: 65,531 bytes are taken, 65,532 refused, whatever stands around" {
	{
		echo before
		fill 65531
		echo
	} >"$SCRATCH/in"
	expect 0 '{"frames":2,"cursor":65545}' '' append --ack "$LOG" "$SCRATCH/in"
	{
		echo before
		fill 65532
		echo
		echo behind
	} | reject lines 'line 2' '65532 bytes are more than the 65531 that a frame holds' 1
	{
		echo before
		fill 65532
	} >"$SCRATCH/in"
	run_shmlog 9 append "$LOG" "$SCRATCH/in"
	assert_output ''
	assert_stderr --regexp "^shmlog append: $LOG: bad input: line 2 of '$SCRATCH/in': (at least )?65532 bytes are more than the 65531 that a frame holds; 1 frames committed before it$"
}

@test "lines: a line without an end is refused as soon as it is too long" {
	fill 2000000 >"$SCRATCH/in"
	remember "$LOG"
	run_shmlog 9 append "$LOG" "$SCRATCH/in"
	assert_output ''
	assert_stderr --regexp "^shmlog append: $LOG: bad input: line 1 of '$SCRATCH/in': at least [0-9]+ bytes are more than the 65531 that a frame holds; 0 frames committed before it$"
	assert_unchanged "$LOG"
}

@test "lines: --skip-invalid passes over lines that are too long and goes on" {
	{
		echo one
		fill 65532
		echo
		echo two
		fill 1000000 y
		echo
		echo three
		fill 300000 z
	} >"$SCRATCH/in"
	run_shmlog 3 append --skip-invalid --atomic --ack "$LOG" "$SCRATCH/in"
	assert_output '{"frames":3,"cursor":23}'
	assert_stderr --regexp "^shmlog append: $LOG: skipped line 2 of '[^']*': 65532 bytes are more than the 65531 that a frame holds
shmlog append: $LOG: skipped line 4 of '[^']*': (at least )?[0-9]+ bytes are more than the 65531 that a frame holds
shmlog append: $LOG: skipped line 6 of '[^']*': (at least )?[0-9]+ bytes are more than the 65531 that a frame holds$"
	assert_equal "$(shmlog dump "$LOG" | xargs)" 'one two three'
}

@test "lines: numbers count from 1 in each FILE" {
	seq 3 >"$SCRATCH/a"
	{
		echo 4
		fill 65532
		echo
	} >"$SCRATCH/b"
	expect 9 '' "shmlog append: $LOG: bad input: line 2 of '$SCRATCH/b': 65532 bytes are more than the 65531 that a frame holds; 4 frames committed before it" \
		append "$LOG" "$SCRATCH/a" "$SCRATCH/b"
}

@test "a name with control bytes is escaped where a message names a line" {
	printf x >"$SCRATCH/"$'\e]0;\n'
	run_shmlog 9 append -i json "$LOG" "$SCRATCH/"$'\e]0;\n'
	assert_stderr --partial "line 1 of '$SCRATCH/"'\x1b]0;\n'"'"
}

# ------------------------------------------------------------------------- nul

@test "nul: every record ends in a NUL, the last one need not" {
	expect 0 '{"frames":4,"cursor":27}' '' append --ack --atomic -i nul "$LOG" \
		< <(printf 'a\nb\0\0\xff\r\n\0last\n')
	assert_equal "$(payloads)" '610a62
.
ff0d0a
6c6173740a'
}

@test "nul: a record that is too long is refused or skipped" {
	{
		printf 'a\0'
		fill 65532
		printf '\0b\0'
	} >"$SCRATCH/in"
	expect 9 '' "shmlog append: $LOG: bad input: record 2: 65532 bytes are more than the 65531 that a frame holds; 1 frames committed before it" \
		append -i nul "$LOG" <"$SCRATCH/in"
	expect 3 '{"frames":2,"cursor":15}' "shmlog append: $LOG: skipped record 2: 65532 bytes are more than the 65531 that a frame holds" \
		append -i nul --skip-invalid --atomic --ack "$LOG" <"$SCRATCH/in"
}

# ------------------------------------------------------------------------ json

@test "json: values of every kind are stored as they stand" {
	cat >"$SCRATCH/in" <<'EOF2'
{"a":1,"b":[true,false,null]}
[]
"text \u0000 \ud800 \n"
0
-0
-1.5e+300
123456789012345678901234567890.000
  {"blanks" :  1 }	
null
"é\\\/"
{"a":1,"a":2}
1E400
EOF2
	expect 0 '' '' append -i json "$LOG" "$SCRATCH/in"
	shmlog dump "$LOG" | cmp - "$SCRATCH/in"
}

@test "json: blank lines are skipped but counted, CRLF is kept" {
	printf '1\r\n\n \t\r\n\r\n2' >"$SCRATCH/in"
	expect 0 '{"frames":2,"cursor":11}' '' append --ack --atomic -i json "$LOG" "$SCRATCH/in"
	assert_equal "$(strings)" $'"1\\r"\n"2"'
	printf '1\n\n\n}\n' | reject json 'line 4' "not JSON: expected a value, found '}' at byte 1" 1
}

@test "json: what JSON.parse refuses is refused, with the place and the reason" {
	local line

	while IFS= read -r line; do
		printf '1\n%b\n2\n' "$line" >"$SCRATCH/in"
		run_shmlog 9 append -i json "$LOG" <"$SCRATCH/in"
		assert_output ''
		assert_stderr --regexp "^shmlog append: $LOG: bad input: line 2: not JSON: [ -~]+ at byte [0-9]+; 1 frames committed before it$"
	done <<'EOF2'
{
}
[1,]
[1 2]
{"a":1,}
{"a"}
{a:1}
{'a':1}
'a'
01
+1
1.
.5
1e
-
- 1
0x10
NaN
Infinity
undefined
nul
nulll
True
1 2
"a
"a\\x"
"a\\u12g4"
"a\\u12"
"tab\there"
"\x01"
"\x7f\xff"
"\xc0\x80"
"\xed\xa0\x80"
"\xf4\x90\x80\x80"
\xef\xbb\xbf1
// a
/**/1
1\x00
\xc2\xa01
{"a":1}}
[[]
EOF2
	# Only the good lines before are there.
	assert_equal "$(shmlog dump "$LOG" | sort -u)" 1
}

@test "json: nesting is bounded by the line alone" {
	local depth=30000

	{
		fill "$depth" '['
		fill "$depth" ']'
	} >"$SCRATCH/in"
	expect 0 '' '' append -i json "$LOG" "$SCRATCH/in"
	fill "$depth" '[' >"$SCRATCH/in"
	run_shmlog 9 append -i json "$LOG" "$SCRATCH/in"
	assert_stderr --partial 'not JSON'
}

@test "json: --skip-invalid appends the rest and ends with 3" {
	printf '1\nx\n{"a":}\n\n2\n[\n3' >"$SCRATCH/in"
	run_shmlog 3 append --skip-invalid --ack --atomic -i json "$LOG" <"$SCRATCH/in"
	assert_output '{"frames":3,"cursor":15}'
	assert_stderr --regexp "^shmlog append: $LOG: skipped line 2: not JSON: [ -~]+
shmlog append: $LOG: skipped line 3: not JSON: [ -~]+
shmlog append: $LOG: skipped line 6: not JSON: [ -~]+$"
	assert_equal "$(shmlog dump "$LOG" | xargs)" '1 2 3'
	# Nothing skipped is no loss.
	expect 0 '' '' append --skip-invalid -i json "$LOG" -m 4
}

@test "json: messages are checked, too" {
	expect 9 '{"frames":1,"cursor":11}' "shmlog append: $LOG: bad input: message 2: not JSON: expected a value, found 'x' at byte 1; 1 frames committed before it" \
		append --ack -i json "$LOG" -m '{"a":1}' -m x
}

# -------------------------------------------------------------------- envelope

@test "envelope: payloads are decoded" {
	cat >"$SCRATCH/in" <<'EOF2'
{"cursor":96,"next":117,"index":4,"size":5,"encoding":"utf8","payload":"a\nb\u0001c"}
{"payload":""}
{"encoding":"base64","payload":"AP8K"}
{"payload":"AP8K"}
{"payload":"","encoding":"base64","size":0}
{"payload":"\ud83d\ude00é\u00e9"}
  {"more":{"x":[1,2,{"payload":"no"}]},"payload":"yes","index":null}  
{"payload":"crlf"}
EOF2
	sed -i '$s/$/\r/' "$SCRATCH/in"
	expect 0 '' '' append -i envelope "$LOG" "$SCRATCH/in"
	assert_equal "$(payloads)" '610a620163
.
00ff0a
4150384b
.
f09f9880c3a9c3a9
796573
63726c66'
}

@test "envelope: blank lines and events are passed over" {
	printf '\n{"event":"reopened"}\n{"payload":"x"}\n \n{"event":"damage","cursor":3}\n' >"$SCRATCH/in"
	expect 0 '{"frames":1,"cursor":5}' '' append --ack -i envelope "$LOG" "$SCRATCH/in"
}

@test "envelope: what is none is refused with the reason" {
	local line

	while IFS= read -r line; do
		printf '{"payload":"good"}\n\n%b\n{"payload":"behind"}\n' "$line" >"$SCRATCH/in"
		run_shmlog 9 append -i envelope "$LOG" <"$SCRATCH/in"
		assert_output ''
		assert_stderr --regexp "^shmlog append: $LOG: bad input: line 3: no envelope: [ -~]+ at byte [0-9]+; 1 frames committed before it$"
	done <<'EOF2'
{}
[]
"x"
x
{"payload":1}
{"payload":null}
{"payload":["x"]}
{"cursor":0}
{"payload":"x","encoding":"latin1"}
{"payload":"x","encoding":1}
{"payload":"x","encoding":null}
{"payload":"eA=","encoding":"base64"}
{"payload":"eA","encoding":"base64"}
{"payload":"eB==","encoding":"base64"}
{"payload":"e A==","encoding":"base64"}
{"payload":"_w==","encoding":"base64"}
{"payload":"x","size":2}
{"payload":"eA==","encoding":"base64","size":4}
{"payload":"x","size":"1"}
{"payload":"x","size":1.0}
{"payload":"x","size":-1}
{"payload":"\\ud800"}
{"payload":"\\udc00\\ud800"}
{"payload":"\xff"}
{"payload":"x"}x
{"payload":"x",}
EOF2
	assert_equal "$(shmlog dump "$LOG" | sort -u)" good
}

@test "envelope: the longest payload fits in every spelling, one byte more in none" {
	local spelling

	for spelling in 'x' '\u0001' 'base64'; do
		rm -f "$LOG"
		shmlog create "$LOG" -c 1M
		for bytes in 65531 65532; do
			{
				if [[ $spelling == base64 ]]; then
					printf '{"encoding":"base64","payload":"%s"}\n' \
						"$(fill "$bytes" | base64 -w 0)"
				else
					printf '{"payload":"'
					fill "$bytes" | sed 's/x/'"${spelling//\\/\\\\}"'/g'
					printf '"}\n'
				fi
			} >"$SCRATCH/$bytes"
		done
		expect 0 '{"frames":1,"cursor":65535}' '' append --ack -i envelope "$LOG" "$SCRATCH/65531"
		expect 9 '' "shmlog append: $LOG: bad input: line 1: 65532 bytes are more than the 65531 that a frame holds; 0 frames committed before it" \
			append -i envelope "$LOG" <"$SCRATCH/65532"
		assert_equal "$(end_of "$LOG")" 65535
	done
}

@test "envelope: --skip-invalid skips bad envelopes" {
	printf '{"payload":"1"}\n{"payload":2}\n{"payload":"3"}\n' >"$SCRATCH/in"
	run_shmlog 3 append --ack --skip-invalid -i envelope "$LOG" <"$SCRATCH/in"
	assert_output '{"frames":2,"cursor":10}'
	assert_stderr --regexp "^shmlog append: $LOG: skipped line 2: no envelope: .payload. must be a string at byte [0-9]+$"
}

# ---------------------------------------------------------------------- frames

@test "frames: the log's own bytes are taken" {
	expect 0 '{"frames":3,"cursor":16}' '' append --ack -i frames "$LOG" \
		< <(printf '\5\0x\5\0\4\0\4\0\7\0\0\xff\n\7\0')
	assert_equal "$(payloads)" $'78\n.\n00ff0a'
}

@test "frames: frames that arrive in pieces are put together" {
	expect 0 '' '' append -i frames "$LOG" < <(
		for piece in '\5' '\0' 'x\5' '\0\6\0y' 'z' '\6' '\0'; do
			printf '%b' "${piece/\\0/\\x00}"
			sleep 0.01
		done
	)
	assert_equal "$(strings)" $'"x"\n"yz"'
}

@test "frames: a broken frame is refused, with its number, also with --skip-invalid" {
	local skip

	for skip in '' --skip-invalid; do
		while IFS='|' read -r bytes why; do
			rm -f "$LOG"
			shmlog create "$LOG" -c 4K
			printf '%b' "\\x05\\x00a\\x05\\x00$bytes" >"$SCRATCH/in"
			expect 9 '' "shmlog append: $LOG: bad input: frame 2: $why; 1 frames committed before it" \
				append -i frames "$LOG" $skip <"$SCRATCH/in"
			assert_equal "$(end_of "$LOG")" 5
		done <<'EOF2'
\x05\x00a\x06\x00\x04\x00\x04\x00|its two size words make no frame
\x03\x00\x03\x00|its two size words make no frame
\x00\x00\x00\x00|its two size words make no frame
\x05\x00a\x05|the input ends inside this frame
\x05\x00a|the input ends inside this frame
\x05|the input ends inside this frame
\xff\xffabc|the input ends inside this frame
EOF2
	done
}

@test "frames: the largest frame is taken" {
	{
		printf '\xff\xff'
		fill 65531
		printf '\xff\xff'
	} >"$SCRATCH/in"
	expect 0 '{"frames":2,"cursor":131070}' '' append --ack --atomic -i frames "$LOG" "$SCRATCH/in" - <"$SCRATCH/in"
}

# ----------------------------------------------------------------------- whole

@test "whole: each FILE and all of standard input is one payload" {
	printf 'a\0\nb\n' >"$SCRATCH/a"
	: >"$SCRATCH/empty"
	expect 0 '{"frames":3,"cursor":23}' '' append --ack --atomic -i whole "$LOG" \
		"$SCRATCH/a" "$SCRATCH/empty" - < <(
		printf 'in '
		sleep 0.05
		printf 'two'
	)
	assert_equal "$(payloads)" $'61000a620a\n.\n696e2074776f'
}

@test "whole: an empty standard input is one empty payload" {
	expect 0 '{"frames":1,"cursor":4}' '' append --ack -i whole "$LOG" </dev/null
}

@test "whole: 65,531 bytes are taken and 65,532 refused" {
	fill 65531 >"$SCRATCH/a"
	expect 0 '{"frames":1,"cursor":65535}' '' append --ack -i whole "$LOG" "$SCRATCH/a"
	fill 65532 >"$SCRATCH/b"
	remember "$LOG"
	run_shmlog 9 append -i whole "$LOG" "$SCRATCH/b"
	assert_output ''
	assert_stderr --regexp "^shmlog append: $LOG: bad input: '$SCRATCH/b': (at least )?65532 bytes are more than the 65531 that a frame holds; 0 frames committed before it$"
	run_shmlog 9 append -i whole "$LOG" <"$SCRATCH/b"
	assert_stderr --regexp "^shmlog append: $LOG: bad input: standard input: (at least )?65532 bytes are more than the 65531 that a frame holds; 0 frames committed before it$"
	assert_unchanged "$LOG"
}

@test "whole: --skip-invalid skips a FILE that is too long" {
	fill 400000 >"$SCRATCH/b"
	echo -n c >"$SCRATCH/c"
	run_shmlog 3 append --ack --skip-invalid -i whole "$LOG" "$SCRATCH/b" "$SCRATCH/c"
	assert_output '{"frames":1,"cursor":5}'
	assert_stderr --regexp "^shmlog append: $LOG: skipped '$SCRATCH/b': at least [0-9]+ bytes are more than the 65531 that a frame holds$"
}
