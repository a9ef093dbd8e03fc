# Typed frames: values by --schema and --type, out of a log and into it.
load helper

TYPES=$FIXTURES/schema.json

# Definitions with one of each.
make_types() {
	ALL=$SCRATCH/all.json
	cat >"$ALL" <<-'END'
		[ {"name": "E", "underlying": "u8", "variants": [["One", 1], ["Two", 2]]},
		  {"name": "A", "fields": [{"name": "e", "type": "E"},
		                           {"name": "n", "type": "u64"}]},
		  {"name": "B", "fields": [{"name": "e", "type": "E"}]},
		  {"name": "One", "fields": [{"name": "kind", "type": "E"},
		    {"name": "b", "type": "B"}, {"name": "s", "type": "char", "length": 6}]},
		  {"name": "Two", "fields": [{"name": "kind", "type": "E"},
		    {"name": "a", "type": "A"}]},
		  {"name": "U", "discriminator": ["kind"], "members": ["One", "Two"]} ]
	END
}

# A log of U whose frames are: one, too long, too short, unknown, empty, two.
make_misfits() {
	make_types
	printf '\x01\x02abc\0\0\0' >"$SCRATCH/1"
	printf '\x01\x02abc\0\0\0more' >"$SCRATCH/2"
	printf '\x02\x01\x05\0\0' >"$SCRATCH/3"
	printf '\x07\0\0\0\0\0\0\0' >"$SCRATCH/4"
	: >"$SCRATCH/5"
	printf '\x02\x02\xff\xff\xff\xff\xff\xff\xff\xff' >"$SCRATCH/6"
	shmlog append -i whole --create 4K "$LOG" "$SCRATCH"/[1-6]
}

# ------------------------------------------------------------- the golden log

@test "bendec.shm decodes to the values that Bendec was given" {
	shmlog dump --schema "$TYPES" --type Event --enum-numbers \
		"$FIXTURES/bendec.shm" >"$SCRATCH/values"
	cmp "$SCRATCH/values" "$FIXTURES/bendec.jsonl"
	shmlog tail -n +1 --schema "$TYPES" --enum-numbers "$FIXTURES/bendec.shm" |
		cmp - "$FIXTURES/bendec.jsonl"
	shmlog dump -o json --schema "$TYPES" --enum-numbers "$FIXTURES/bendec.shm" |
		jq -c .value >"$SCRATCH/jq"
	jq -c . "$FIXTURES/bendec.jsonl" | cmp - "$SCRATCH/jq"
}

@test "numbers and names encode to the bytes that Bendec wrote" {
	shmlog append --schema "$TYPES" --create 64K "$LOG" <"$FIXTURES/bendec.jsonl"
	cmp "$LOG" "$FIXTURES/bendec.shm"
	shmlog dump --schema "$TYPES" "$FIXTURES/bendec.shm" >"$SCRATCH/names"
	grep -q '"flags":\["Urgent","Test"\]' "$SCRATCH/names"
	grep -q '"kind":"Heartbeat"' "$SCRATCH/names"
	shmlog append --schema "$TYPES" --create 64K "$SCRATCH/2" <"$SCRATCH/names"
	cmp "$SCRATCH/2" "$FIXTURES/bendec.shm"
}

@test "every format that prints values is read back to the same bytes" {
	local format input

	for format in text:lines text:json nul:nul json:envelope; do
		input=${format#*:}
		rm -f "$LOG"
		shmlog dump -o "${format%:*}" --schema "$TYPES" "$FIXTURES/bendec.shm" |
			shmlog append -i "$input" --schema "$TYPES" --create 64K "$LOG"
		cmp "$LOG" "$FIXTURES/bendec.shm"
	done
}

# ------------------------------------------------------------------- printing

@test "an envelope has the type and the value of its frame" {
	run_shmlog 0 dump -o json -n 1 --schema "$TYPES" "$FIXTURES/bendec.shm"
	assert_equal "$(jq -c 'keys_unsorted, [.cursor, .next, .index, .size, .type,
		.value.header.kind]' <<<"$output")" \
		'["cursor","next","index","size","encoding","payload","type","value"]
[0,63,0,59,"LogEvent","LogEvent"]'
}

@test "seek prints the value of the frame at a position" {
	expect 0 '{"header":{"kind":"Heartbeat","timestamp":1700000000500},"seq":1284845102}' '' \
		seek --schema "$TYPES" "$FIXTURES/bendec.shm" frame:2
	run_shmlog 0 seek -o json --enum-numbers --schema "$TYPES" \
		"$FIXTURES/bendec.shm" frame:2
	assert_output --partial '"value":{"header":{"kind":4099,'
}

@test "tail follows values" {
	make_types
	shmlog create "$LOG" -c 4K
	shmlog tail -f --idle "$((5 * SLACK))s" --count 2 --schema "$ALL" --type U "$LOG" >"$SCRATCH/out" 3>&- &
	shmlog append --schema "$ALL" --type U "$LOG" <<-'END'
		{"kind":"One","s":"hi"}
		{"kind":2,"a":{"n":7}}
	END
	wait $!
	assert_equal "$(<"$SCRATCH/out")" '{"kind":"One","b":{"e":0},"s":"hi"}
{"kind":"Two","a":{"e":0,"n":7}}'
}

@test "frames that do not fit print their envelope, a message, and status 1 in the end" {
	make_misfits
	run_shmlog 1 dump --schema "$ALL" --type U "$LOG"
	assert_equal "${#lines[@]}" 6
	assert_line --index 0 '{"kind":"One","b":{"e":"Two"},"s":"abc"}'
	assert_line --index 1 '{"kind":"One","b":{"e":"Two"},"s":"abc","extra":"bW9yZQ=="}'
	assert_line --index 5 '{"kind":"Two","a":{"e":"Two","n":18446744073709551615}}'
	assert_equal "$(jq -c '[.cursor, .size, .payload, .error]' <<<"${lines[2]}")" \
		'[28,5,"AgEFAAA=","5 bytes are too few for Two, which has 10"]'
	assert_equal "$(jq -r .error <<<"${lines[3]}")" \
		'the discriminator kind is 7, and no member of U has that value'
	assert_equal "$(jq -r .error <<<"${lines[4]}")" \
		'0 bytes end before the discriminator kind of U, which takes bytes 0 to 0'
	# shellcheck disable=SC2154 # run sets it
	assert_equal "$stderr" "shmlog dump: $LOG: the frame at cursor 28 does not fit its type: 5 bytes are too few for Two, which has 10
shmlog dump: $LOG: the frame at cursor 37 does not fit its type: the discriminator kind is 7, and no member of U has that value
shmlog dump: $LOG: the frame at cursor 49 does not fit its type: 0 bytes end before the discriminator kind of U, which takes bytes 0 to 0"
}

@test "every reader ends with status 1 where a frame does not fit" {
	make_misfits
	run_shmlog 1 tail -n +1 -o json --schema "$ALL" --type U "$LOG"
	assert_equal "$(jq -c '[.type, .extra, .error != null]' <<<"$output" | tr -d '\n')" \
		'["One",null,false]["One","bW9yZQ==",false][null,null,true][null,null,true][null,null,true]["Two",null,false]'
	run_shmlog 1 seek --schema "$ALL" --type U "$LOG" frame:0 frame:2 frame:5
	assert_equal "${#lines[@]}" 3
	run_shmlog 1 dump -r -o nul --schema "$ALL" --type U "$LOG"
	run_shmlog 0 dump -n 2 --schema "$ALL" --type U "$LOG"
}

@test "what is longer than its type comes back whole" {
	local format

	make_misfits
	shmlog dump -o frames -n 2 "$LOG" >"$SCRATCH/frames"
	for format in text:lines json:envelope nul:nul; do
		rm -f "$SCRATCH/2"
		shmlog dump -n 2 -o "${format%:*}" --schema "$ALL" --type U "$LOG" |
			shmlog append -i "${format#*:}" --create 4K --schema "$ALL" \
				--type U "$SCRATCH/2"
		shmlog dump -o frames "$SCRATCH/2" | cmp - "$SCRATCH/frames"
	done
}

@test "envelopes bring everything back, whether it fits or not" {
	make_misfits
	run shmlog dump -o json --schema "$ALL" --type U "$LOG"
	grep '^{' <<<"$output" | shmlog append -i envelope --create 4K \
		--schema "$ALL" --type U "$SCRATCH/copy"
	cmp "$LOG" "$SCRATCH/copy"
}

@test "an envelope's value counts, and its payload where there is none" {
	make_types
	shmlog append -i envelope --create 4K --schema "$ALL" --type B "$LOG" <<-'END'
		{"payload":"\u0001","value":{"e":2},"extra":"/w=="}
		{"payload":"xyz"}
		{"event":"shrunk","value":{}}
	END
	run_shmlog 0 dump -t '%b\n' "$LOG"
	assert_output 'Av8=
eHl6'
}

# ------------------------------------------------------------------ appending

@test "values come from lines, -m, and whole inputs; blank ones are skipped" {
	make_types
	printf '\n{"e":1}\n  \n{"e":"Two"}' |
		shmlog append --create 4K --schema "$ALL" --type B "$LOG"
	shmlog append --schema "$ALL" --type B "$LOG" -m '{"e":1}' -m '{}'
	printf '{\n  "e": "Two"\n}\n' |
		shmlog append -i whole --schema "$ALL" --type B "$LOG"
	: | shmlog append -i whole --schema "$ALL" --type B "$LOG"
	run_shmlog 0 dump --enum-numbers --schema "$ALL" --type B "$LOG"
	assert_equal "$(tr -d '\n' <<<"$output")" '{"e":1}{"e":2}{"e":1}{"e":0}{"e":2}'
}

@test "what is no value is status 9, and says where" {
	make_types
	shmlog create "$LOG" -c 4K
	run --separate-stderr shmlog append --schema "$ALL" --type U "$LOG" <<-'END'
		{"kind":"One"}
		{"kind":"Two","a":{"n":18446744073709551616}}
	END
	assert_equal "$status" 9
	assert_equal "$stderr" "shmlog append: $LOG: bad input: line 2: a.n: 18446744073709551616 does not fit u64, 0 to 18446744073709551615; 1 frames committed before it"

	# TEXT|the message
	while IFS='|' read -r text message; do
		run --separate-stderr shmlog append --schema "$ALL" --type U "$LOG" <<<"$text"
		assert_equal "$status" 9
		assert_equal "$stderr" "shmlog append: $LOG: bad input: line 1: $message; 0 frames committed before it"
	done <<-'END'
		{"kind":1,"b":{"f":1}}|b.f: B has no such field
		{"kind":1,"s":"abcdefg"}|s: 7 bytes are more than the 6 there is room for
		{"kind":"Three"}|kind: E has no variant 'Three'
		{"kind":3}|kind: 3 stands for no member of U, which are One or Two
		{"b":{}}|kind: is missing, and says whether this is One or Two
		[]|expected an object, as U is, found an array
		{"kind":1|not JSON: expected ',' or '}' after a member, found the end of the text at byte 10
	END
	run_shmlog 0 stat -o json "$LOG"
	assert_equal "$(jq .frames <<<"$output")" 1
}

@test "--skip-invalid, --atomic and --overflow hold for values, too" {
	make_types
	printf '{"e":1}\n{"e":9}\n{"e":"x"}\n{"e":2}\n' >"$SCRATCH/in"
	run_shmlog 3 append --skip-invalid --create 4K --schema "$ALL" --type B "$LOG" "$SCRATCH/in"
	assert_equal "$(frames_of "$LOG")" 3
	run_shmlog 9 append --atomic --schema "$ALL" --type B "$LOG" "$SCRATCH/in"
	assert_equal "$(frames_of "$LOG")" 3
	printf '{"e":1}\n{"e":2}\n{"e":1}\n' >"$SCRATCH/in"
	run_shmlog 6 append --overflow "$SCRATCH/rest" --create 34 --schema "$ALL" \
		--type B "$SCRATCH/small" "$SCRATCH/in"
	assert_equal "$(<"$SCRATCH/rest")" '{"e":1}'
}

@test "a value may be longer than any frame" {
	make_types
	echo '[{"name":"Big","fields":[{"name":"a_long_name_of_bytes","type":"i8","length":60000}]}]' \
		>"$SCRATCH/big.json"
	awk 'BEGIN { printf "{\"a_long_name_of_bytes\":["; for (i = 0; i < 60000; i++)
		printf "%s%d", i ? "  ,  " : "", i % 256 - 128; print "]}" }' >"$SCRATCH/in"
	shmlog append --create 1M --schema "$SCRATCH/big.json" "$LOG" "$SCRATCH/in"
	shmlog dump --schema "$SCRATCH/big.json" "$LOG" >"$SCRATCH/out"
	cmp <(tr -d ' ' <"$SCRATCH/in") "$SCRATCH/out"
}

# -------------------------------------------------------------------- options

@test "--type may be left out where there is one choice" {
	make_types
	shmlog create "$LOG" -c 4K
	run_shmlog 0 dump --schema "$ALL" "$LOG"
	echo '[{"name":"In","fields":[]},{"name":"Out","fields":[{"name":"i","type":"In"}]}]' \
		>"$SCRATCH/one"
	run_shmlog 0 dump --schema "$SCRATCH/one" "$LOG"
	echo '[{"name":"P","fields":[]},{"name":"Q","fields":[]}]' >"$SCRATCH/two"
	run_shmlog 2 dump --schema "$SCRATCH/two" "$LOG"
	assert_stderr --partial "--type NAME must say which type frames have: 'P', 'Q'"
}

@test "definitions may come in several files" {
	echo '[{"name":"X","fields":[{"name":"b","type":"ns.B"}]}]' >"$SCRATCH/x"
	echo '[{"name":"ns.B","fields":[{"name":"c","type":"C"}]},{"name":"ns.C","alias":"i8"}]' \
		>"$SCRATCH/b"
	shmlog append --create 4K --schema "$SCRATCH/x" --schema "$SCRATCH/b" --type X \
		"$LOG" -m '{"b":{"c":-1}}'
	expect 0 '{"b":{"c":-1}}' '' dump --schema "$SCRATCH/b" --schema "$SCRATCH/x" "$LOG"
}

@test "wrong uses of the options are status 2, bad definitions 9, no file 4" {
	make_types
	shmlog create "$LOG" -c 4K
	run_shmlog 2 dump --type U "$LOG"
	assert_stderr --partial '--type needs --schema'
	run_shmlog 2 tail --enum-numbers "$LOG"
	assert_stderr --partial '--enum-numbers needs --schema'
	for format in hex frames raw; do
		run_shmlog 2 dump -o "$format" --schema "$ALL" "$LOG"
	done
	run_shmlog 2 seek -t %c --schema "$ALL" "$LOG" start
	run_shmlog 2 append -i frames --schema "$ALL" "$LOG"
	run_shmlog 2 append --schema - --type U "$LOG"
	run_shmlog 2 dump --schema "$ALL" --type V "$LOG"
	run_shmlog 2 dump --schema "$ALL" --type E "$LOG"
	assert_stderr --partial "type 'E' is no struct and no union"
	run_shmlog 4 append --schema "$SCRATCH/none" "$LOG" -m '{}'
	echo '[' >"$SCRATCH/bad"
	for command in "append -m {}" dump tail; do
		# shellcheck disable=SC2086 # words
		run_shmlog 9 $command --schema "$SCRATCH/bad" "$LOG"
		assert_stderr --partial "$SCRATCH/bad: bad definitions: not JSON"
	done
	assert_equal "$(frames_of "$LOG")" 0
}

@test "definitions may come from standard input" {
	make_types
	shmlog create "$LOG" -c 4K
	shmlog append --schema - --type B "$LOG" -m '{"e":2}' <"$ALL"
	assert_equal "$(shmlog dump --schema - --type B "$LOG" <"$ALL")" '{"e":"Two"}'
}
