# dump, tail and seek -o csv: a record for each frame, by paths into its JSON.
load helper

setup() {
	scratch_make
}

append_json() { # LINE...
	printf '%s\n' "$@" | shmlog append --create 256K "$LOG"
}

@test "csv has a record for each frame below the names of its columns" {
	append_json '{"id":1,"a":{"b":"x"},"l":[1,{"k":2}],"t":true}' \
		'{"id":9007199254740993,"a":{"b":-0.50e2}}' '[1]' '7' '{"id":{"a":1}}'
	run_shmlog 0 dump -o csv --columns '.id,.a.b,.l[1].k,.l,.t' "$LOG"
	assert_output 'id,a.b,l[1].k,l,t
1,x,2,"[1,{""k"":2}]",true
9007199254740993,-0.50e2,,,
,,,,
,,,,
"{""a"":1}",,,,'
	assert_stderr ''
	run_shmlog 0 dump -o csv --columns '.' "$LOG"
	assert_line --index 0 .
	assert_line --index 4 7
}

@test "csv quotes a string where it has to, and only there" {
	append_json '{"s":"plain words"}' '{"s":"a,b"}' '{"s":"say \"hi\""}' \
		'{"s":"two\nlines"}' '{"s":"cr\r"}' '{"s":""}' '{"s":null}' '{}' \
		'{"s":"\u00e9 \ud83d\ude00"}' '{"s":" x "}' '{"s":"=1"}'
	shmlog dump -o csv --columns '.s,.s' "$LOG" | cmp - <(
		printf '%s\n' s,s 'plain words,plain words' '"a,b","a,b"' \
			'"say ""hi""","say ""hi"""' $'"two\nlines","two\nlines"' \
			$'"cr\r","cr\r"' '"",""' , , 'é 😀,é 😀' ' x , x ' =1,=1
	)
}

@test "csv takes every path of --where, with commas and blanks in it" {
	append_json '{"a,b":[1,2],"c d":{"e":3},"f":"g"}'
	run_shmlog 0 dump -o csv --columns '.["a,b"][-1] , ."c d".e,.["c d"]["e"],.f.x?,.f?' "$LOG"
	assert_output '".[""a,b""][-1]",".""c d"".e",".[""c d""][""e""]",f.x?,f?
2,3,3,,g'
	assert_stderr ''
}

@test "one column that has nothing is still a record" {
	append_json '{"a":1}' '{}' '{"a":2}'
	shmlog dump -o csv --columns .a "$LOG" | cmp - <(printf 'a\n1\n""\n2\n')
}

@test "the names of the columns come once, with no frame and for several logs too" {
	append_json '{"a":1}'
	shmlog create -c 4K "$SCRATCH/empty"
	run_shmlog 0 dump -o csv --columns .a "$SCRATCH/empty"
	assert_output a
	run_shmlog 0 dump -o csv --columns .a "$LOG" "$SCRATCH/empty" "$LOG"
	assert_output $'a\n1\n1'
	run_shmlog 10 dump -o csv --columns .a --where '.a > 1' "$LOG"
	assert_output a
	run_shmlog 0 dump -o csv --columns .a --tally --where .a "$LOG"
	assert_output 1
	run_shmlog 0 dump -o csv --columns .a -C 1 --where .a "$LOG"
	assert_output $'a\n1'
	run_shmlog 0 tail -n 1 -o csv --columns .a "$LOG"
	assert_output $'a\n1'
	run_shmlog 0 seek -o csv --columns .a "$LOG" start
	assert_output $'a\n1'
}

@test "a gap between frames has no line in csv" {
	append_json '{"a":1}' '{"a":2}' '{"a":3}' '{"a":1}'
	run_shmlog 0 dump -o csv --columns .a -A 0 --where '.a == 1' "$LOG"
	assert_output $'a\n1\n1'
}

@test "a frame that holds no JSON is named, and has an empty record" {
	append_json '{"a":1}' 'no, it does not' '{"a":2}'
	run_shmlog 1 dump -o csv --columns .a,.b "$LOG"
	assert_output $'a,b\n1,\n,\n2,'
	assert_stderr --regexp '^shmlog dump: .*: the frame at cursor 11 holds no JSON: .* at byte 1$'
	run_shmlog 1 tail -n 2 -o csv --columns .a,.b "$LOG"
	assert_output $'a,b\n,\n2,'
}

@test "with --schema the columns are all fields, or those that are asked for" {
	shmlog dump -o csv --schema "$FIXTURES/schema.json" "$FIXTURES/bendec.shm" >"$SCRATCH/all"
	assert_equal "$(head -n 1 "$SCRATCH/all")" \
		header.kind,header.timestamp,level,message,symbol,price,qty,flags,live,path,codes,seq
	# What jq makes of the values, in its own way of quoting.
	shmlog dump -o json --schema "$FIXTURES/schema.json" "$FIXTURES/bendec.shm" |
		jq -r '.value | [.symbol, .qty, .seq, .header.kind] |
			map(. // "" | tostring) | join(",")' |
		cmp - <(shmlog dump -o csv --schema "$FIXTURES/schema.json" \
			--columns .symbol,.qty,.seq,.header.kind "$FIXTURES/bendec.shm" | tail -n +2)
	assert_equal "$(wc -l <"$SCRATCH/all")" \
		$((1 + $(shmlog dump -t '.\n' "$FIXTURES/bendec.shm" | wc -l)))
	shmlog append "$LOG" --create 4K -m short
	run_shmlog 1 dump -o csv --schema "$FIXTURES/schema.json" --columns .seq,.qty "$LOG"
	assert_output $'seq,qty\n,'
	assert_stderr --partial 'does not fit its type'
}

@test "csv does nothing to a terminal, whatever payloads and names hold" {
	need script
	append_json '{"s":"\u001b[31m,\u009b\""}' '{"s":"plain"}'
	script -qec "$BUILD/shmlog dump -o csv --columns '.s,.[\"\\u001b\"]' '$LOG'" \
		/dev/null </dev/null >"$SCRATCH/seen"
	refute grep -q $'\x1b' "$SCRATCH/seen"
	refute env LC_ALL=C grep -qP '\xc2\x9b' "$SCRATCH/seen"
	grep -qF '"\x1b[31m,\u{9b}""",' "$SCRATCH/seen"
	# In a pipe, what the string stands for.
	shmlog dump -o csv --columns .s -n 1 "$LOG" |
		cmp - <(printf 's\n"\x1b[31m,\xc2\x9b"""\n')
}

@test "columns that are none are refused with the place" {
	append_json '{}'
	run_shmlog 2 dump -o csv "$LOG"
	assert_stderr --partial 'shmlog dump: -o csv needs --columns, or --schema'
	run_shmlog 2 tail -o csv "$LOG"
	run_shmlog 2 seek -o csv "$LOG" end
	run_shmlog 2 dump --columns .a "$LOG"
	assert_stderr --partial -- '--columns goes with -o csv'
	run_shmlog 2 dump -t '%p' --columns .a "$LOG"
	run_shmlog 2 dump -o csv --columns '.a,b' "$LOG"
	assert_stderr --partial "--columns '.a,b': column 4: a path begins with a point"
	run_shmlog 2 dump -o csv --columns '.a;.b' "$LOG"
	assert_output ''
	run_shmlog 2 dump -o csv --columns '.é, .a[]' "$LOG"
	assert_stderr --partial 'column 2:'
	run_shmlog 2 dump -o csv --columns '.a,.b[]' "$LOG"
	assert_stderr --partial 'column 6: several results ([])'
	run_shmlog 2 dump -o csv --columns '.a,' "$LOG"
	assert_stderr --partial 'column 4:'
	run_shmlog 2 dump -o csv --columns '' "$LOG"
	run_shmlog 2 dump -o csv --columns .a --prefix "$LOG"
	assert_stderr --partial -- '--prefix goes with'
}
