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

@test "--tally prints no number for logs that were not read whole" {
	local args

	seq 100 | shmlog append --create 1K "$LOG"
	seq 100 | shmlog append --create 1K "$LOG.2"
	printf '\377\377' | dd of="$LOG.2" bs=1 seek=324 conv=notrunc status=none
	for args in "$LOG.2" "-r $LOG.2" "$LOG $LOG.2" "$LOG.2 $LOG" "--merge .t $LOG $LOG.2"; do
		run_shmlog 1 dump --grep 1 --tally $args
		assert_output ''
	done
	run_shmlog 4 dump --grep 1 --tally "$LOG" "$LOG.none"
	assert_output ''
	run_shmlog 5 dump --grep 1 --tally /etc/passwd
	assert_output ''
	run_shmlog 1 tail -n +0 --grep 1 --tally "$LOG.2"
	assert_output ''
	expect 0 20 '' tail -n +0 --grep 1 --tally "$LOG"
	# Nor are frames without a number taken for done.
	run_shmlog 1 tail -n +1 --cursor-file "$SCRATCH/c" --grep 1 --tally "$LOG.2"
	assert_equal "$(jq .cursor "$SCRATCH/c")" 0
}

# A second processor judges the second half of such a log.
@test "--tally of a large log is that of its frames" {
	local range

	seq 1100000 | shmlog append --create 16M "$LOG"
	for range in '' '--from frame:1000' '--to frame:1000000' '-n 100000' -r; do
		run_shmlog 0 dump --where '. > 299999' --tally $range "$LOG"
		assert_output "$(shmlog dump --where '. > 299999' $range "$LOG" | wc -l)"
	done
	expect 0 1600002 '' dump --where '. > 299999' --tally "$LOG" "$LOG"
	# Wherever the damage is.
	for range in 100000 900000; do
		range=$(shmlog seek "$LOG" "frame:$range")
		printf '\377\377' | dd of="$LOG" bs=1 seek=$((range + 24)) conv=notrunc status=none
		run_shmlog 1 dump --where '. > 299999' --tally "$LOG"
		assert_output ''
		printf '\12\0' | dd of="$LOG" bs=1 seek=$((range + 24)) conv=notrunc status=none
	done
	run_shmlog 0 verify "$LOG"
}

@test "--tally prints no number that a signal has cut" {
	local command many pid result

	seq 100000 | shmlog append --create 16M "$LOG"
	many=("$LOG"{,,,,,,,,,}) many=("${many[@]}"{,,,,,,,,,}) many=("${many[@]}"{,,,,,,,,,})
	for command in dump 'tail -n +1'; do
		result=0
		shmlog $command --where '. == 1' --tally "${many[@]}" >"$SCRATCH/out" 3>&- &
		pid=$!
		wait_until_busy "$pid" 50
		kill -TERM "$pid"
		wait "$pid" || result=$?
		assert_equal "$result" 143
		assert_equal "$(<"$SCRATCH/out")" ''
	done
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
	# What the log has, of frames whose values were looked into.
	expect 0 "$(shmlog dump -n 1 -t '%c %s' "$LOG")" '' \
		dump --schema "$SCRATCH/types.json" --where '.a == 49' -t '%c %s' "$LOG"
	assert_equal "$(shmlog dump --schema "$SCRATCH/types.json" --where true -o frames "$LOG" | od -c)" \
		"$(shmlog dump -o frames -n 1 "$LOG" | od -c)"
	run_shmlog 2 dump --schema "$SCRATCH/types.json" -o frames "$LOG"
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

# -------------------------------------------------------------------- tail

@test "tail -n counts frames that pass, from either side" {
	needs_patterns
	seq 1000 | shmlog append --create 64K "$LOG"
	expect 0 $'897\n997' '' tail -n 2 --grep '97$' "$LOG"
	expect 0 $'97\n197' '' tail -n +1 --count 2 --grep '97$' "$LOG"
	expect 0 "$(seq 897 100 997)" '' tail -n +9 --grep '97$' "$LOG"
	expect 0 "$(seq 97 100 997)" '' tail --grep '97$' "$LOG"
	expect 0 3 '' tail -n 3 --tally --where '. > 10' "$LOG"
	expect 10 '' '' tail -n 3 --where '. > 1000' "$LOG"
	expect 10 0 '' tail -n 3 --where '. > 1000' --tally "$LOG"
	expect 2 '' "shmlog tail: --grep '(': column 2: missing closing parenthesis
Try 'shmlog tail --help'." tail --grep '(' "$LOG"
}

@test "tail prints context before the first of its frames" {
	needs_patterns
	seq 100 | shmlog append --create 64K "$LOG"
	expect 0 $'79\n80\n--\n89\n90' '' tail -n 2 -B 1 --grep '[89]0$' "$LOG"
	expect 0 $'90\n91\n92' '' tail -n 1 -A 2 --grep '[89]0$' "$LOG"
	# Another frame that passes is none of the last two, but their context.
	expect 0 "$(seq 93 99)" '' tail -n 2 -B 5 --grep '9[0-9]' "$LOG"
	expect 0 $'90\n91\n92' '' tail -n +1 --count 1 -A 2 --grep '90' "$LOG"
}

@test "tail -n counts the good frames that pass before damage" {
	needs_patterns
	seq 10 29 | shmlog append --create 4K "$LOG"
	put_bytes "$LOG" $((24 + 15 * 6)) 0700
	# Those behind it are enough, or not.
	expect 0 $'26\n28' '' tail -n 2 --grep '[02468]$' "$LOG"
	run_shmlog 1 tail -n 3 --grep '[02468]$' "$LOG"
	assert_output $'20\n22\n24'
	assert_stderr --partial 'damaged frame at cursor 90'
	run_shmlog 1 tail -n 2 --grep x "$LOG"
	assert_output ''
}

@test "a follow prints what passes, and ends after so many of these" {
	needs_patterns
	shmlog create -c 64K "$LOG"
	shmlog tail -F -n +1 --grep '^READY' --count 2 --timeout "$((10 * SLACK))s" \
		-t '%i %p\n' "$LOG" >"$SCRATCH/out" &
	local follower=$!

	for word in booting READY one 'not READY' READY; do
		shmlog append -m "$word" "$LOG"
	done
	wait "$follower"
	assert_equal "$(cat "$SCRATCH/out")" $'1 READY\n4 READY'
	expect 124 '' '' tail -F -n 0 --grep x --timeout 50ms "$LOG"
	expect 10 '' '' tail -F -n 0 --grep x --idle 50ms "$LOG"
	expect 10 0 '' tail -F -n 0 --grep x --idle 50ms --tally "$LOG"
}

@test "a cursor file passes over what does not pass, and over nothing else" {
	needs_patterns
	seq 20 | shmlog append --create 64K "$LOG"
	expect 0 3 '' tail --cursor-file "$SCRATCH/c" --grep 3 --count 1 "$LOG"
	assert_equal "$(jq .cursor "$SCRATCH/c")" "$(shmlog seek "$LOG" frame:3)"
	expect 0 13 '' tail --cursor-file "$SCRATCH/c" --grep 3 "$LOG"
	assert_equal "$(jq .cursor "$SCRATCH/c")" "$(end_of "$LOG")"
	expect 10 '' '' tail --cursor-file "$SCRATCH/c" --grep 3 "$LOG"
	# Nor where nothing passes at all.
	rm "$SCRATCH/c"
	expect 10 '' '' tail --cursor-file "$SCRATCH/c" --grep x "$LOG"
	assert_equal "$(jq .cursor "$SCRATCH/c")" "$(end_of "$LOG")"
}

@test "a tail ends at a pattern over its limit with the cursor before the frame" {
	needs_patterns
	printf '%s\n' aaa "$(printf 'a%.0s' {1..60})b" aaa |
		shmlog append --create 4K "$LOG"
	run_shmlog 9 tail -n +1 --cursor-file "$SCRATCH/c" --grep '^(a|aa)+$' "$LOG"
	assert_output aaa
	assert_equal "$(jq .cursor "$SCRATCH/c")" 7
	run_shmlog 9 tail -n 2 --grep '^(a|aa)+$' "$LOG"
	assert_stderr --partial 'the frame at cursor 7 cannot be judged'
}

# As dump prints it, and of that the last ones.
@test "tail finds what dump finds, and of that the last" {
	local options where n

	seq 1 3000 | shmlog append --create 64K "$LOG"
	for where in '. == 3000' '. < 3' '. > 1490 and . < 1510' \
		'. == 1 or . == 1700 or . == 1702 or . == 2990' '. > 5000'; do
		for options in '' '-A 1' '-B 2' '-C 3' '-C 300' '-A 2 -B 1' '-C 0'; do
			# shellcheck disable=SC2086
			shmlog dump $options --where "$where" "$LOG" >"$SCRATCH/wanted" ||
				[[ $? -eq 10 ]]
			# shellcheck disable=SC2086
			shmlog tail -n +1 $options --where "$where" "$LOG" \
				>"$SCRATCH/found" || [[ $? -eq 10 ]]
			diff "$SCRATCH/wanted" "$SCRATCH/found" || fail "$options $where"
			# shellcheck disable=SC2086
			shmlog tail -n 5000 $options --where "$where" "$LOG" \
				>"$SCRATCH/found" || [[ $? -eq 10 ]]
			diff "$SCRATCH/wanted" "$SCRATCH/found" || fail "$options $where"
		done
		shmlog dump --where "$where" -t '%c %p\n' "$LOG" >"$SCRATCH/wanted" ||
			true
		for n in 0 1 2 3 20; do
			shmlog tail -n "$n" --where "$where" -t '%c %p\n' "$LOG" \
				>"$SCRATCH/found" || [[ $? -eq 10 ]]
			diff <(tail -n "$n" "$SCRATCH/wanted") "$SCRATCH/found" ||
				fail "-n $n $where"
		done
	done
}

@test "context goes on where an earlier run with a cursor file ended" {
	local options=() frame

	shmlog create -c 64K "$LOG"
	for options in '-C 1' '-A 3' '-B 3' '-A 1 -B 4' '-A 4 -B 1' '-C 0'; do
		rm -f "$SCRATCH/c" "$LOG"
		shmlog create -c 64K "$LOG"
		: >"$SCRATCH/found"
		# Runs end behind each frame, or behind a few.
		for frame in {1..12} '13 14 15' '16 17' 18 '19 20 21 22 23 24' 25; do
			# shellcheck disable=SC2086
			printf '%s\n' $frame | shmlog append "$LOG"
			# shellcheck disable=SC2086
			shmlog tail --cursor-file "$SCRATCH/c" $options \
				--where '. == 3 or . == 5 or . == 12 or . == 20 or . == 25' \
				"$LOG" >>"$SCRATCH/found" || [[ $? -eq 10 ]]
		done
		# shellcheck disable=SC2086
		shmlog dump $options "$LOG" \
			--where '. == 3 or . == 5 or . == 12 or . == 20 or . == 25' \
			>"$SCRATCH/wanted"
		diff <(grep -v -e -- "$SCRATCH/wanted") \
			<(grep -v -e -- "$SCRATCH/found") || fail "$options"
	done
}

@test "a follow goes on with the context that a killed one has begun" {
	cd "$SCRATCH" || return
	local follower

	seq 10 | shmlog append --create 4K "$LOG"
	shmlog tail -f --cursor-file c -A 2 -B 2 --where '. == 10 or . == 14' "$LOG" >out 3>&- &
	follower=$!
	wait_for 20 grep -qx 10 out
	# The file follows within a tenth of a second.
	wait_for 20 bash -c "[[ \$(jq .cursor c) == $(end_of "$LOG") ]]"
	kill -9 "$follower"
	seq 11 13 | shmlog append "$LOG"
	# These stand behind one that has passed before; none of them does.
	expect 10 $'11\n12' '' tail --cursor-file c -A 2 -B 2 --where '. == 10 or . == 14' "$LOG"
	seq 14 20 | shmlog append "$LOG"
	expect 0 $'13\n14\n15\n16' '' \
		tail --cursor-file c -A 2 -B 2 --where '. == 10 or . == 14' "$LOG"
	assert_equal "$(cat out)" $'8\n9\n10'
}

@test "the cursor of a tally is kept only once the tally is printed" {
	cd "$SCRATCH" || return
	local follower

	seq 10 | shmlog append --create 4K "$LOG"
	shmlog tail -f --cursor-file c --tally --where '. > 7' "$LOG" >out 3>&- &
	follower=$!
	wait_until_asleep "$follower"
	seq 10 | shmlog append "$LOG"
	sleep 0.3
	wait_until_asleep "$follower"
	kill -9 "$follower"
	wait "$follower" || true
	assert_equal "$(jq .cursor c)" 0
	expect 0 6 '' tail --cursor-file c --tally --where '. > 7' "$LOG"
	assert_equal "$(jq .cursor c)" "$(end_of "$LOG")"
}

@test "enough frames that pass are the answer, whatever is still missing" {
	needs_patterns
	local bad

	bad=$(printf 'a%.0s' {1..60})b
	printf '%s\n' "$bad" aaa aa "$bad" b | shmlog append --create 4K "$LOG"
	# A frame behind enough of them is none to judge, nor one in front.
	expect 9 '' "shmlog dump: $LOG: the frame at cursor 0 cannot be judged: --grep is over its match limit" \
		dump --grep '^(a|aa)+$' "$LOG"
	expect 0 $'aaa\naa' '' dump --grep '^(a|aa)+$' --from frame:1 -n 2 "$LOG"
	expect 0 $'aaa\naa\n'"$bad"$'\nb' '' \
		dump --grep '^(a|aa)+$' --from frame:1 -n 2 -A 2 "$LOG"
	printf 'aaaa\na\n' | shmlog append "$LOG"
	expect 0 $'aaaa\na' '' tail -n 2 --grep '^(a|aa)+$' "$LOG"
	expect 0 $'aa\n'"$bad"$'\nb\naaaa\na' '' tail -n 2 -B 3 --grep '^(a|aa)+$' "$LOG"
	run_shmlog 9 tail -n 3 --grep '^(a|aa)+$' "$LOG"
	assert_output ''
	assert_stderr --partial "the frame at cursor $(shmlog seek "$LOG" frame:3) cannot be judged"
	# Nor is context behind the last one waited for without an end.
	expect 0 a '' tail -f -n 1 --count 1 -A 3 --grep '^a+$' --timeout 50ms "$LOG"
}

@test "a follow is idle when no frame comes, not when none passes" {
	cd "$SCRATCH" || return
	local follower

	shmlog create -c 64K "$LOG"
	shmlog tail -f --where false --idle 1500ms "$LOG" 3>&- &
	follower=$!
	wait_until_asleep "$follower"
	for _ in {1..10}; do
		local before=${EPOCHREALTIME/./}

		shmlog append -m 1 "$LOG"
		sleep 0.25
		# Where the machine keeps this loop from appending in time, the log
		# was idle indeed.
		((${EPOCHREALTIME/./} - before < 700000)) || skip "the machine is too busy"
		kill -0 "$follower"
	done
	wait "$follower" && status=0 || status=$?
	assert_equal "$status" 10
}

@test "that nothing passed is no answer where the output cannot be written" {
	[[ -e /dev/full ]] || skip "there is no /dev/full"
	make_words
	run_shmlog 10 dump --where 'false' --tally "$LOG"
	run bash -c 'shmlog dump --where false --tally "$1" >/dev/full' - "$LOG"
	assert_equal "$status" 4
	run bash -c 'shmlog tail --where false --tally "$1" >/dev/full' - "$LOG"
	assert_equal "$status" 4
}

@test "a refusal of tail names a pipeline of tail" {
	make_json
	run_shmlog 2 tail --where '.n + 1 > 2' "$LOG"
	assert_stderr --partial "jq does it: shmlog tail -n +1 LOG | jq -c 'select((.n + 1 > 2)?)'"
}

@test "a walk back through a log keeps no part of it" {
	[[ -e /proc/self/smaps_rollup ]] || skip "the system does not tell"
	local follower

	# 64 MiB, of which the first frame alone passes.
	{
		echo '"first"'
		yes "$(printf '%01000d' 1)" | head -n 65000
	} | shmlog append --create 70M "$LOG"
	shmlog tail -f -n 1 --where '. == "first"' "$LOG" >"$SCRATCH/out" 3>&- &
	follower=$!
	wait_for 20 grep -q first "$SCRATCH/out"
	# What is no page of the log.
	assert [ "$(awk '$1 == "Anonymous:" { print $2 }' \
		"/proc/$follower/smaps_rollup")" -lt 16384 ]
	kill "$follower"
}

# ------------------------------------------------------------ several logs

make_several() { # two logs: 1 to 20, 21 to 40
	cd "$SCRATCH" || return
	seq 1 20 | shmlog append --create 4K low
	seq 21 40 | shmlog append --create 4K high
}

@test "tail filters several logs, each for itself, and counts over all" {
	make_several
	expect 0 $'==> low <==\n20\n\n==> high <==\n39\n40' '' \
		tail -n 2 --where '. > 19 and . < 21 or . > 30' low high
	# A log of which no frame passes has no header.
	expect 0 $'==> high <==\n40' '' tail --where '. == 40' low high
	expect 10 '' '' tail --where '. > 40' low high
	expect 0 11 '' tail -n +1 --where '. > 9 and . < 21' --tally low high
	expect 10 0 '' tail --where '. > 40' --tally low high
	expect 0 $'19\n20\n21' '' tail -q -n +1 --count 3 --where '. > 18' low high
	expect 0 $'19\n20\n21' '' tail -q -n +1 --count 3 --where '. > 18' --glob low --glob high
	run_shmlog 4 tail --where '. > 40' low missing high
	run_shmlog 2 tail --where . --tally -A 1 low high
}

@test "context is of one log" {
	make_several
	expect 0 $'low: 19\nlow: 20\nhigh: 21\nhigh: 22' '' \
		tail --prefix -n +1 -C 1 --where '. == 20 or . == 21' low high
	# Nothing behind the last frame of a log is waited for in another one.
	expect 0 20 '' tail -q -n +1 --count 1 -A 3 --where '. == 20' low high
	expect 0 $'==> low <==\n9\n10\n--\n19\n20\n\n==> high <==\n29\n30' '' \
		tail -n 2 -B 1 --where '. == 10 or . == 20 or . == 30' low high
}

@test "one cursor file passes over what does not pass in each log" {
	make_several
	expect 0 $'3\n21' '' tail -q --cursor-file c --where '. == 3 or . == 21' low high
	assert_equal "$(jq -c '[.log, .cursor]' c)" \
		"[\"low\",$(end_of low)]"$'\n'"[\"high\",$(end_of high)]"
	expect 10 '' '' tail -q --cursor-file c --where true low high
}

@test "a follow filters several logs, and ends when enough have passed" {
	make_several
	shmlog tail -F --prefix -n 0 -A 1 --count 2 --where '. == 100' \
		--timeout "$((10 * SLACK))s" low high >out 3>&- &
	local follower=$!

	wait_until_asleep "$follower"
	for number in 99 100 101 102; do
		shmlog append -m "$number" high
	done
	wait_for 20 grep -qx 'high: 101' out
	for number in 99 100 101 102; do
		shmlog append -m "$number" low
	done
	wait "$follower"
	assert_equal "$(cat out)" $'high: 100\nhigh: 101\nlow: 100\nlow: 101'
	run_shmlog 124 tail -F -n 0 --where '. == 7' --count 1 --timeout 50ms low high
	assert_output ''
	expect 10 '' '' tail -f -n 0 --where . --idle 50ms low high
}

@test "a gap stands below the name of the log that it is in" {
	make_several
	shmlog tail -f -n +1 -C 0 --count 3 --where '. == 2 or . == 40 or . == 100' \
		--timeout "$((10 * SLACK))s" low high >out 3>&- &
	local follower=$!

	wait_for 20 grep -qx 40 out
	printf '99\n100\n' | shmlog append low
	wait "$follower"
	assert_equal "$(cat out)" \
		$'==> low <==\n2\n\n==> high <==\n40\n\n==> low <==\n--\n100'
}

@test "a log that cannot be read further is not waited for" {
	cd "$SCRATCH" || return
	seq 10 29 | shmlog append --create 4K broken
	seq 3 | shmlog append --create 4K good
	put_bytes broken $((24 + 15 * 6)) 0700
	run limited 10 shmlog tail -f -q -n +0 --count 1 -A 5 --where '. == 24' broken good
	assert_equal "$status" 1
	assert_line 24
}

@test "a count goes on over a log that was dropped or replaced" {
	cd "$SCRATCH" || return
	local follower

	seq 10 | shmlog append --create 4K app1
	shmlog tail -F -q -n +0 --count 3 -C 1 --where '. == 10 or . == 1' \
		--timeout "$((10 * SLACK))s" --glob 'app*' >out 3>&- &
	follower=$!
	wait_for 20 grep -qx 10 out
	rm app1
	# The frames of the log before are no context of this one.
	printf '2\n1\n3\n4\n' | shmlog append --create 4K new
	mv new app1
	wait "$follower"
	assert_equal "$(cat out)" $'1\n2\n--\n9\n10\n2\n1\n3'
	# Nor does another log of the name bring what should have followed.
	shmlog tail -F -n +0 --count 1 -A 9 --where '. == 4' app1 >out 3>&- &
	follower=$!
	wait_for 20 grep -qx 4 out
	shmlog create -c 4K new
	mv new app1
	wait_for 20 has_ended "$follower"
	assert_equal "$(cat out)" 4
}

@test "a character by its number is a byte, unless it is beyond one" {
	printf '\303A' | shmlog append -i whole --create 4K "$SCRATCH/bytes"
	for pattern in '^.A' '^.\x41' '^.\x{41}' '^.[\x{0041}]' '^.\o{101}' '^\x{c3}A' '^\N{2}$' '^.(A|\\p)' '^.(A|\\x{999})'; do
		run_shmlog 0 dump --tally --grep "$pattern" "$SCRATCH/bytes"
		assert_output 1
	done
	for pattern in '^.A|\x{100}' '^.A|\o{400}' '^.A|\N{U+41}{9}' '^.A|\p{Lu}{9}'; do
		run_shmlog 10 dump --tally --grep "$pattern" "$SCRATCH/bytes"
	done
}

@test "tail -n N -B: frames before the first are its context, those that pass too" {
	seq 1 10 | shmlog append --create 4K "$SCRATCH/ten"
	expect 0 $'1\n2\n3\n4\n5' '' tail --grep '3|5' -n 1 -B 4 "$SCRATCH/ten"
	expect 0 $'4\n5' '' tail --grep '3|5' -n 1 -B 1 "$SCRATCH/ten"
	expect 0 1 '' tail --grep '3|5' -n 1 --tally "$SCRATCH/ten"
	expect 0 $'1\n2\n3\n4\n5' '' tail --grep '3|5' -n 1 -B 9 --count 1 "$SCRATCH/ten"
	expect 0 $'5\n6\n7\n8\n9\n10' '' tail --grep '[5-9]|10' -n 4 -B 2 "$SCRATCH/ten"
	expect 0 $'2\n3\n4\n5\n6' '' tail --grep '3|5' -n 9 -C 1 "$SCRATCH/ten"
}
