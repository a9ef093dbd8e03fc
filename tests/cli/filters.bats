# Filters: --grep, --not-grep, --where, what is printed around the frames that
# pass, and what ends a search.
load helper

needs_patterns() {
	shmlog dump --grep x "$FIXTURES/empty.shm" >/dev/null 2>&1 || [[ $? -ne 4 ]] ||
		skip 'built without PCRE2'
}

# Ten frames of words, and of JSON.
make_words() {
	printf '%s\n' one two three four five six seven eight nine ten |
		shmlog append --create 4K "$LOG"
}

make_json() {
	shmlog append --create 4K -i json "$LOG" <<'END'
{"level":"info","n":1,"tags":["a","b"]}
{"level":"error","n":2,"tags":[]}
{"level":"err\u006fr","n":9007199254740993,"o":{"k":null}}
[1,2,3]
"error"
END
	shmlog append -m 'plain error' "$LOG"
}

@test "--grep prints the frames that match one of its patterns" {
	needs_patterns
	make_words
	expect 0 $'three\nseven\nten' '' dump --grep 'en$' --grep '^th' "$LOG"
	expect 0 $'three\nseven' '' dump --grep 'en$' --grep '^th' -n 2 "$LOG"
	expect 0 $'seven\nten' '' dump --grep EN -i "$LOG"
	expect 10 '' '' dump --grep EN "$LOG"
	expect 0 $'one\ntwo\nfour' '' dump --not-grep 'i|e{2}|s' --not-grep '..n' "$LOG"
	expect 0 $'three\neight' '' dump --grep 'h' --not-grep 'zz' "$LOG"
	expect 0 eight '' dump --grep h --not-grep thr "$LOG"
	expect 0 $'ten\nseven' '' dump -r --grep en -n 2 "$LOG"
	expect 0 $'one' '' dump --grep n --to frame:5 "$LOG"
	expect 10 '' '' dump --grep n -n 0 "$LOG"
}

@test "filters go with every format and show the frames' own places" {
	needs_patterns
	make_words
	expect 0 '7 1' '' dump --grep two -t '%c %i\n' "$LOG"
	run_shmlog 0 dump --grep eight -o json "$LOG"
	assert_output "$(shmlog dump -o json "$LOG" | sed -n 8p)"
	run_shmlog 0 dump --grep eight -o hex "$LOG"
	assert_output --partial '|eight|'
	shmlog dump --grep e -o frames "$LOG" |
		shmlog append -i frames --create 4K "$LOG.2"
	assert_equal "$(shmlog dump "$LOG.2")" "$(shmlog dump --grep e "$LOG")"
}

@test "patterns see bytes, and code points where one needs that" {
	needs_patterns
	printf 'caf\303\251\n\377raw\n\303\251\nline one\n' |
		shmlog append --create 4K "$LOG"
	expect 0 1 '' dump --grep '^..$' --tally "$LOG"
	expect 0 1 '' dump --grep '^é$' --tally "$LOG"
	expect 0 2 '' dump --grep 'É' -i --tally "$LOG"
	expect 0 1 '' dump --grep 'raw' --grep 'ü' --tally "$LOG"
	expect 0 1 '' dump --grep '(*UTF)^.{4}$' --tally "$LOG"
	printf 'a\0b\nc\0' | shmlog append -i whole --create 4K "$LOG.2"
	expect 0 1 '' dump --grep '^a.b\n' --tally "$LOG.2"
	expect 0 1 '' dump --grep '\x00b' --tally "$LOG.2"
}

@test "--where prints the frames that jq would keep" {
	make_json
	expect 0 $'{"level":"error","n":2,"tags":[]}\n{"level":"err\\u006fr","n":9007199254740993,"o":{"k":null}}' '' \
		dump --where '.level == "error"' "$LOG"
	expect 0 '{"level":"err\u006fr","n":9007199254740993,"o":{"k":null}}' '' \
		dump --where '.n == 9007199254740993' "$LOG"
	expect 10 '' '' dump --where '.n == 9007199254740992' "$LOG"
	expect 0 '[1,2,3]' '' dump --where 'length == 3 and type == "array"' "$LOG"
	expect 0 '{"level":"info","n":1,"tags":["a","b"]}' '' \
		dump --where 'any(.tags[]; . == "b")' "$LOG"
	expect 0 '{"level":"err\u006fr","n":9007199254740993,"o":{"k":null}}' '' \
		dump --where '.o | has("k")' "$LOG"
	# What is no JSON never passes, whatever the expression.
	expect 0 5 '' dump --where 'true' --tally "$LOG"
	expect 10 0 '' dump --where 'null' --tally "$LOG"
}

@test "--where goes with patterns" {
	needs_patterns
	make_json
	expect 0 '{"level":"error","n":2,"tags":[]}' '' \
		dump --where '.level == "error"' --grep tags "$LOG"
	expect 0 $'{"level":"error","n":2,"tags":[]}' '' \
		dump --where '.level? == "error"' --not-grep '\\u' "$LOG"
	expect 0 2 '' dump --where '.level | test("^ERR"; "i")' --tally "$LOG"
}

@test "what --where does not take is refused with column and pipeline" {
	make_json
	expect 2 '' "shmlog dump: --where: column 4: arithmetic is no part of --where; jq does it: shmlog dump LOG | jq -c 'select((.n + 1 > 2)?)'
Try 'shmlog dump --help'." dump --where '.n + 1 > 2' "$LOG"
	expect 2 '' "shmlog dump: --where: column 7: this string has no end
Try 'shmlog dump --help'." dump --where '.n == "' "$LOG"
	expect 2 '' "shmlog dump: --where: column 1: an expression is expected here
Try 'shmlog dump --help'." dump --where '' "$LOG"
	# A quote in the pipeline is one for a shell.
	run_shmlog 2 dump --where '.a == "it'"'"'s" | ascii' "$LOG"
	assert_stderr --partial "jq -c 'select((.a == \"it'\\''s\" | ascii)?)'"
}

@test "the pipeline that a refusal names does what was asked" {
	need jq
	local pipeline

	make_json
	run_shmlog 2 dump --where '(.n? // 0) > 1' "$LOG"
	pipeline=$(sed -n 's/.*jq does it: //p' <<<"$stderr")
	run bash -c "${pipeline/LOG/-n 2 $LOG}"
	assert_output '{"level":"error","n":2,"tags":[]}'
}

@test "a bad pattern is refused with its column" {
	needs_patterns
	make_words
	expect 2 '' "shmlog dump: --grep 'é(': column 3: missing closing parenthesis
Try 'shmlog dump --help'." dump --grep 'é(' "$LOG"
	run_shmlog 2 dump --grep fine --not-grep '*a' "$LOG"
	assert_stderr --partial "--not-grep '*a': column 1: "
}

@test "options that need a filter say so" {
	make_words
	local option

	for option in '-A 1' '-B 1' '-C 1' --tally; do
		# shellcheck disable=SC2086
		run_shmlog 2 dump $option "$LOG"
		assert_stderr --partial 'need --grep, --not-grep or --where'
	done
	run_shmlog 2 dump -i "$LOG"
	assert_stderr --partial '--ignore-case needs --grep or --not-grep'
	run_shmlog 2 dump --where . --tally -A 1 "$LOG"
	assert_stderr --partial '--tally prints no frames'
	run_shmlog 2 dump --where . -A x "$LOG"
	assert_stderr --partial "context 'x' is no number of frames"
	run_shmlog 2 dump --where . -A 100001 "$LOG"
}

# As grep prints it, in both orders.
@test "context is what grep prints" {
	needs_patterns
	local options pattern

	seq 1 60 | shmlog append --create 4K "$LOG"
	for pattern in '^7' '3' '^(1|60)$' '^2[0-9]' 'x'; do
		for options in '-A 1' '-B 2' '-C 3' '-A 2 -B 1' '-C 1 -A 0' '-B 100' \
			'-C 2 -n 1' '-A 3 -n 4' '-B 2 -n 2' '-C 0'; do
			# grep calls the number of lines -m.
			# shellcheck disable=SC2086
			seq 1 60 | grep -E ${options/-n/-m} "$pattern" >"$SCRATCH/wanted" ||
				true
			# shellcheck disable=SC2086
			shmlog dump $options --grep "$pattern" "$LOG" >"$SCRATCH/kept" ||
				[[ $? -eq 10 ]]
			diff "$SCRATCH/wanted" "$SCRATCH/kept" || fail "$options $pattern"
			# shellcheck disable=SC2086
			seq 60 -1 1 | grep -E ${options/-n/-m} "$pattern" \
				>"$SCRATCH/wanted" || true
			# shellcheck disable=SC2086
			shmlog dump -r $options --grep "$pattern" "$LOG" >"$SCRATCH/kept" ||
				[[ $? -eq 10 ]]
			diff "$SCRATCH/wanted" "$SCRATCH/kept" || fail "-r $options $pattern"
		done
	done
}

@test "a gap is marked in text alone" {
	seq 5 | shmlog append --create 4K "$LOG"
	expect 0 $'1\n2\n--\n4\n5' '' dump --where '. == 1 or . == 5' -C 1 "$LOG"
	run_shmlog 0 dump --where '. == 1 or . == 5' -C 1 -o json "$LOG"
	assert_equal "${#lines[@]}" 4
	run_shmlog 0 dump --where '. == 1 or . == 5' -C 1 -t '%p,' "$LOG"
	assert_output 1,2,4,5,
}

@test "--tally prints the number of frames alone" {
	make_words
	seq 600 | shmlog append --create 64K "$LOG.2"
	expect 0 300 '' dump --where '. > 300' --tally "$LOG.2"
	expect 0 7 '' dump --where '. > 300' --tally -n 7 "$LOG.2"
	expect 0 5 '' dump --where '. > 300' --tally -r -n 5 "$LOG.2"
	expect 0 20 '' dump --where '. > 300' --tally --to frame:320 "$LOG.2"
	expect 10 0 '' dump --where '. > 300' --tally "$LOG"
	# Whatever the format.
	expect 0 300 '' dump --where '. > 300' --tally -o frames "$LOG.2"
}

@test "a pattern over its limit ends with 9 and the cursor, behind what passed" {
	needs_patterns
	printf '%s\n' aaab ccc aaaa "$(printf 'a%.0s' {1..60})b" aab |
		shmlog append --create 4K "$LOG"
	run_shmlog 9 dump --grep '^(a|aa)+$' "$LOG"
	assert_output aaaa
	assert_stderr "shmlog dump: $LOG: the frame at cursor 23 cannot be judged: --grep is over its match limit"
	run_shmlog 9 dump --not-grep '^(a|aa)+$' "$LOG"
	assert_output $'aaab\nccc'
	assert_stderr --partial '--not-grep is over'
}

@test "filters see the values of typed frames" {
	needs_patterns
	need jq
	local schema=$FIXTURES/schema.json

	run_shmlog 0 dump --schema "$schema" "$FIXTURES/bendec.shm"
	local all=$output pattern=${lines[0]}
	run_shmlog 0 dump --schema "$schema" --grep "\\Q$pattern\\E" "$FIXTURES/bendec.shm"
	assert_output "$(grep -F -- "$pattern" <<<"$all")"
	run_shmlog 0 dump --schema "$schema" --not-grep "\\Q$pattern\\E" "$FIXTURES/bendec.shm"
	assert_output "$(grep -vF -- "$pattern" <<<"$all")"
	run_shmlog 0 dump --schema "$schema" --where 'length > 1' "$FIXTURES/bendec.shm"
	assert_equal "${#lines[@]}" "$(jq -c 'select((length > 1)?)' <<<"$all" | wc -l)"
}

@test "a frame that does not fit its type matches nothing" {
	needs_patterns
	cat >"$SCRATCH/types.json" <<'END'
[{"name":"Pair","fields":[{"name":"a","type":"u8"},{"name":"b","type":"u8"}]}]
END
	printf '12' | shmlog append -i whole --create 4K "$LOG"
	printf '1' | shmlog append -i whole "$LOG"
	expect 0 '{"a":49,"b":50}' '' \
		dump --schema "$SCRATCH/types.json" --where '.a == 49' "$LOG"
	expect 10 '' '' dump --schema "$SCRATCH/types.json" --grep x "$LOG"
	expect 0 1 '' dump --schema "$SCRATCH/types.json" --grep . --tally "$LOG"
	expect 0 2 '' dump --schema "$SCRATCH/types.json" --not-grep x --tally "$LOG"
}

@test "patterns are interpreted where the system refuses machine code" {
	needs_patterns
	preload no_machine_code
	make_words
	local wanted

	wanted=$(shmlog dump --grep '(e|i).*n|^t' "$LOG")
	assert_equal "$(LD_PRELOAD=$shim shmlog dump --grep '(e|i).*n|^t' "$LOG")" "$wanted"
	printf '%s\n' "$(printf 'a%.0s' {1..60})b" | shmlog append "$LOG"
	run env LD_PRELOAD="$shim" shmlog dump --grep '^(a|aa)+$' "$LOG"
	assert_equal "$status" 9
}
