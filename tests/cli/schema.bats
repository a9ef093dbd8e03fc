# schema: what type definitions make of frames.
load helper

setup() {
	scratch_make
	TYPES=$SCRATCH/types.json
	cat >"$TYPES" <<-'END'
		[ {"name": "Kind", "underlying": "u16", "offset": "0x1000",
		   "variants": [["Trade", 1], ["Alarm", "0x2"]]},
		  {"name": "Flags", "underlying": "u8", "bitflags": true,
		   "variants": [["Top", "0b10000000"]]},
		  {"name": "Time", "alias": "u64"},
		  {"name": "Point", "fields": [{"name": "x", "type": "f64"},
		                               {"name": "y", "type": "i16"}]},
		  {"name": "Header", "fields": [{"name": "kind", "type": "Kind"},
		                                {"name": "time", "type": "Time"}]},
		  {"name": "Code", "type": "char", "length": 3},
		  {"name": "Trade", "fields": [{"name": "header", "type": "Header"},
		    {"name": "code", "type": "Code"},
		    {"name": "path", "type": "Point", "length": 2}]},
		  {"name": "Alarm", "fields": [{"name": "header", "type": "Header"},
		    {"name": "flags", "type": "Flags"}]},
		  {"name": "Event", "discriminator": ["header", "kind"],
		   "members": ["Trade", "Alarm"]} ]
	END
}

@test "schema prints a table of a struct with all that is inside it" {
	run_shmlog 0 schema "$TYPES" Trade
	assert_output "$(cat <<-'END'
		Trade: struct, 33 bytes
		  offset    size  field   type
		       0      10  header  Header
		       0       2    kind  Kind
		       2       8    time  Time
		      10       3  code    Code
		      13      20  path    Point[2], 10 bytes each
		      13       8    x     f64
		      21       2    y     i16
	END
	)"
	assert_stderr ''
}

@test "schema prints a union with its members" {
	run_shmlog 0 schema "$TYPES" Event
	assert_line --index 0 'Event: union, up to 33 bytes'
	assert_line --index 1 '  discriminator header.kind, Kind, at offset 0'
	assert_line --index 3 '                  4097      33  Trade'
	assert_line --index 4 '                  4098      11  Alarm'
	assert_line 'Trade: struct, 33 bytes'
	assert_line 'Alarm: struct, 11 bytes'
}

@test "schema prints every type, with direct fields, where none is named" {
	run_shmlog 0 schema "$TYPES"
	for line in 'Kind: enum in u16, 2 bytes' '                  4097  Trade' \
		'Flags: bitflags in u8, 1 byte' 'Time: alias of u64, 8 bytes' \
		'Code: array of 3 char, 3 bytes' 'Trade: struct, 33 bytes' \
		'       0      10  header  Header'; do
		assert_line "$line"
	done
	refute_line --partial '    kind'
}

@test "schema -o json has every size and offset" {
	run_shmlog 0 schema -o json "$TYPES"
	assert_equal "${#lines[@]}" 9
	assert_equal "$(jq -r 'select(.fields) | .name as $type | .fields[] |
		"\($type).\(.name) \(.type) \(.length // 0) \(.offset) \(.size)"' \
		<<<"$output")" "$(cat <<-'END'
			Point.x f64 0 0 8
			Point.y i16 0 8 2
			Header.kind Kind 0 0 2
			Header.time Time 0 2 8
			Trade.header Header 0 0 10
			Trade.code Code 0 10 3
			Trade.path Point 2 13 20
			Alarm.header Header 0 0 10
			Alarm.flags Flags 0 10 1
		END
		)"
	assert_equal "$(jq -r '"\(.name) \(.kind) \(.size)"' <<<"$output" | sort |
		tr '\n' ,)" "Alarm struct 11,Code array 3,Event union 33,Flags enum 1,\
Header struct 10,Kind enum 2,Point struct 10,Time alias 8,Trade struct 33,"
	assert_equal "$(jq -c 'select(.name == "Event") |
		[.discriminator, .offset, .enum, [.members[] | .value]]' <<<"$output")" \
		'[["header","kind"],0,"Kind",[4097,4098]]'
	assert_equal "$(jq -c 'select(.variants) | [.bitflags, .underlying, .variants]' \
		<<<"$output" | head -1)" \
		'[false,"u16",[{"name":"Trade","value":4097},{"name":"Alarm","value":4098}]]'
}

@test "schema reads several files and standard input" {
	echo '{"name":"A","fields":[{"name":"b","type":"B"}]}' >"$SCRATCH/a.json"
	run --separate-stderr shmlog schema "$SCRATCH/a.json" - A \
		<<<'[{"name":"B","size":5}]'
	assert_success
	assert_line --index 0 'A: struct, 5 bytes'
}

@test "the last operand is a type if it is defined, even if there is such a file" {
	cd "$SCRATCH"
	echo '[{"name":"Other","size":1}]' >Event
	run_shmlog 0 schema types.json Event
	assert_line --index 0 'Event: union, up to 33 bytes'
	run_shmlog 0 schema types.json Event Other
	assert_output 'Other: primitive, bytes, 1 byte'
}

@test "schema refuses a type and a file that are not there" {
	run_shmlog 2 schema "$TYPES" Evnet
	assert_output ''
	assert_stderr --partial "shmlog schema: there is no such file, and no type 'Evnet' is defined; did you mean 'Event'?"
	expect 4 '' "shmlog schema: $SCRATCH/none: cannot open the definitions: No such file or directory" \
		schema "$SCRATCH/none"
	expect 4 '' "shmlog schema: $SCRATCH: cannot read the definitions: Is a directory" \
		schema "$SCRATCH"
	run_shmlog 2 schema -o table "$TYPES"
}

@test "schema refuses definitions that cannot be, naming file, type and field" {
	echo '[{"name":"A","fields":[{"name":"x","type":"u46"}]}]' >"$SCRATCH/bad"
	expect 9 '' "shmlog schema: $SCRATCH/bad: bad definitions: type 'A', field 'x': unknown type 'u46'; did you mean 'u16'?" \
		schema "$TYPES" "$SCRATCH/bad"
	printf '[\n{"name":"A",}]' >"$SCRATCH/bad"
	expect 9 '' "shmlog schema: $SCRATCH/bad: bad definitions: not JSON: expected a member name in double quotes, found '}' at line 2, byte 13" \
		schema "$SCRATCH/bad"
}

@test "definitions that several files share are taken once, if they are the same" {
	run_shmlog 0 schema "$TYPES"
	expect 0 "$output" '' schema "$TYPES" "$TYPES"
	jq '.[0] | .desc = "copied"' "$TYPES" >"$SCRATCH/copy"
	expect 0 "$output" '' schema "$TYPES" "$SCRATCH/copy"
	jq '.[0] | .variants[0][1] += 1' "$TYPES" >"$SCRATCH/other"
	expect 9 '' "shmlog schema: $SCRATCH/other: bad definitions: type 'Kind': is defined in '$TYPES' as well, with another \"variants\"" \
		schema "$TYPES" "$SCRATCH/other"
	expect 9 '' "shmlog schema: $TYPES: bad definitions: type 'Kind': is defined in '$SCRATCH/other' as well, with another \"variants\"" \
		schema "$SCRATCH/other" "$TYPES"
}

@test "definitions are read from whatever can be read" {
	local big wanted

	run_shmlog 0 schema "$TYPES"
	wanted=$output
	mkfifo "$SCRATCH/fifo"
	cat "$TYPES" >"$SCRATCH/fifo" &
	expect 0 "$wanted" '' schema "$SCRATCH/fifo"
	expect 0 "$wanted" '' schema <(cat "$TYPES")
	# More than a pipe holds, and more than one read takes.
	big=$SCRATCH/big
	jq '.[0].desc = "x" * 3000000' "$TYPES" >"$big"
	expect 0 "$wanted" '' schema - < <(cat "$big")
	: >"$SCRATCH/empty"
	expect 9 '' "shmlog schema: $SCRATCH/empty: bad definitions: not JSON: expected a value, found the end of the text at line 1, byte 1" \
		schema "$SCRATCH/empty"
	run_shmlog 9 schema /dev/zero
	assert_stderr 'shmlog schema: /dev/zero: bad definitions: more than 64 MiB'
}

@test "definitions are waited for on a descriptor that does not wait" {
	need perl
	local wanted

	run_shmlog 0 schema "$TYPES"
	wanted=$output
	# shellcheck disable=SC2016 # perl's variables
	separately perl -e '
		use Fcntl;
		pipe(my $from, my $to) or die;
		fcntl $from, F_SETFL, O_NONBLOCK;
		if (!fork) {
			close $from;
			open my $file, "<", $ARGV[0] or die;
			local $/ = \100;
			while (<$file>) { syswrite $to, $_; select undef, undef, undef, 0.005; }
			exit;
		}
		close $to;
		open STDIN, "<&", $from or die;
		exec "shmlog", "schema", "-";' "$TYPES"
	assert_stderr ''
	assert_equal "$status" 0
	assert_output "$wanted"
}

@test "names from a file reach neither the terminal nor JSON as they stand" {
	printf '[{"name":"\\u001b[31m","alias":"\\u009b\\u202e"}]' >"$SCRATCH/bad"
	run_shmlog 9 schema "$SCRATCH/bad"
	assert_stderr --partial "type '\\x1b[31m': unknown type '\\u{9b}\\u{202e}'"
	printf '[{"name":"\\u001b[31m","size":1},
		{"name":"S","fields":[{"name":"\\u202e","type":"\\u001b[31m"}]}]' >"$SCRATCH/odd"
	run_shmlog 0 schema "$SCRATCH/odd"
	assert_line --index 0 '\x1b[31m: primitive, bytes, 1 byte'
	assert_line --partial '\u{202e}'
	run_shmlog 0 schema -o json "$SCRATCH/odd"
	assert_line --index 0 --partial '{"name":"\u001b[31m"'
}

@test "schema stops quietly when nobody reads" {
	run bash -c 'shmlog schema "$1" | head -1; echo "${PIPESTATUS[0]}"' - "$TYPES"
	assert_line --index 0 'Kind: enum in u16, 2 bytes'
	[[ ${lines[1]} == 0 || ${lines[1]} == 141 ]]
}
