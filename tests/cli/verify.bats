# verify: what it finds, what it must not find, and what it salvages.
load helper

HINT="Try 'shmlog verify --help'."

# A log of small frames, made of printf escapes: dataOffset 24, end at once.
log_of() { # FRAME-BYTES [CAPACITY]
	local body

	printf '%b' "$1" >"$SCRATCH/body"
	body=$(stat -c %s "$SCRATCH/body")
	{
		head -c 24 /dev/zero
		cat "$SCRATCH/body"
	} >"$LOG"
	truncate -s "${2:-$((24 + body))}" "$LOG"
	put_u64 "$LOG" 0 24
	put_u64 "$LOG" 8 24
	put_u64 "$LOG" 16 "$((24 + body))"
}

# Text frames from `from` to `to`, each "frame NNNN" (10 bytes, 14 as a frame).
numbered() { # FROM TO
	seq -f 'frame %04.0f' "$1" "$2"
}

# ---------------------------------------------------------------- sound logs

@test "every sound golden log is sound, and is not changed" {
	local file frames bytes

	for file in empty json binary full odd-capacity bendec; do
		cp "$FIXTURES/$file.shm" "$LOG"
		remember "$LOG"
		frames=$(manifest "$file.shm" .frameCount)
		bytes=$(manifest "$file.shm" '[.frames[].payloadBytes] | add // 0')
		run_shmlog 0 verify "$LOG"
		assert_output --regexp "^$LOG: framing is sound: $frames frames?, $bytes payload bytes?$"
		assert_stderr ''
		assert_unchanged "$LOG"
	done
}

@test "frames beyond the commit are a note and no damage" {
	run_shmlog 0 verify "$FIXTURES/uncommitted.shm"
	assert_line --index 0 --regexp "uncommitted.shm: note: 3 .*frames.* beyond the commit"
	assert_line --index 1 --regexp 'uncommitted.shm: framing is sound: 5 frames, 55 payload bytes$'
	assert_equal "${#lines[@]}" 2
	assert_stderr ''
	run_shmlog 0 verify -o json "$FIXTURES/uncommitted.shm"
	assert_equal "$(jq -c '[.sound, .frames, .leftover_frames, .leftover_bytes]' <<<"$output")" \
		'[true,5,3,true]'
}

@test "the smallest log, one with metadata and one with an odd dataOffset are sound" {
	shmlog create "$LOG" -c 24
	expect 0 "$LOG: framing is sound: 0 frames, 0 payload bytes" '' verify "$LOG"
	printf '\x20\0\0\0\0\0\0\0\x21\0\0\0\0\0\0\0\x2a\0\0\0\0\0\0\0METADATA?\5\0x\5\0\4\0\4\0' >"$LOG"
	run_shmlog 0 verify "$LOG"
	assert_output --partial 'framing is sound: 2 frames'
	assert_stderr ''
}

@test "verify changes neither the bytes nor the times of a log, and takes no lock" {
	local before

	need flock
	cp "$FIXTURES/json.shm" "$LOG"
	before=$(stat -c '%i %y %z %b %s' "$LOG")
	exec 8<"$LOG"
	flock 8
	run_shmlog 0 verify -q "$LOG" 8<&-
	exec 8<&-
	assert_equal "$(stat -c '%i %y %z %b %s' "$LOG")" "$before"
	cmp "$LOG" "$FIXTURES/json.shm"
}

@test "verify allocates no pages in the holes of a log" {
	shmlog create --sparse "$LOG" -c 64M
	shmlog append "$LOG" -m x
	local before
	before=$(stat -c %b "$LOG")
	run_shmlog 0 verify -q "$LOG"
	assert_equal "$(stat -c %b "$LOG")" "$before"
}

@test "a log that is being written raises no alarm" {
	local writer i

	shmlog create "$LOG" -c 16M
	(while echo 'a line that comes again and again'; do :; done 2>/dev/null |
		head -c 8M | shmlog append --commit-every 7 "$LOG") 3>&- &
	writer=$!
	for i in {1..20}; do
		run_shmlog 0 verify -q "$LOG"
		assert_output ''
		assert_stderr ''
	done
	kill "$writer" 2>/dev/null || true
	wait "$writer" || true
}

# -------------------------------------------------------------------- options

@test "verify refuses wrong usage" {
	shmlog create "$LOG" -c 24
	expect 2 '' "shmlog verify: missing operand: LOG
$HINT" verify
	expect 2 '' "shmlog verify: unknown output format 'xml'; known are text and json
$HINT" verify -o xml "$LOG"
	expect 2 '' "shmlog verify: unknown option '--sal'; did you mean '--salvage'?
$HINT" verify --sal x "$LOG"
	expect 2 '' "shmlog verify: --salvage takes one LOG at a time
$HINT" verify --salvage "$SCRATCH/saved" "$LOG" "$LOG"
	assert_not_exist "$SCRATCH/saved"
}

@test "verify takes options behind the log, and none behind --" {
	shmlog create "$SCRATCH/-q" -c 24
	cd "$SCRATCH"
	expect 0 '-q: framing is sound: 0 frames, 0 payload bytes' '' verify -- -q
	expect 0 '' '' verify ./-q -q
	POSIXLY_CORRECT=1 expect 0 '' '' verify ./-q --quiet
}

@test "-q prints nothing about sound and damaged logs" {
	expect 0 '' '' verify -q "$FIXTURES/json.shm"
	expect 1 '' '' verify -q "$FIXTURES/oversize-wrap.shm"
	expect 1 '' '' verify --quiet -o json "$FIXTURES/oversize-wrap.shm"
	run_shmlog 5 verify -q /dev/null
	assert_output ''
	assert_stderr 'shmlog verify: /dev/null: not a log: it is no regular file'
}

@test "-o json tells it all with fixed keys, an object a log" {
	run_shmlog 1 verify -o json "$FIXTURES/json.shm" "$FIXTURES/oversize-wrap.shm"
	assert_equal "${#lines[@]}" 2
	assert_stderr ''
	assert_equal "$(jq -c 'del(.path)' <<<"${lines[0]}")" \
		'{"damage":[],"sound":true,"capacity":65536,"header_size":24,"data_offset":24,"size":36063,"frames":200,"payload_bytes":35239,"damaged_ranges":0,"damaged_bytes":0,"frames_after_damage":0,"torn":false,"frames_in_gap":0,"leftover_frames":0,"leftover_bytes":false}'
	assert_equal "$(jq -r .path <<<"${lines[1]}")" "$FIXTURES/oversize-wrap.shm"
	assert_equal "$(jq -c '[.sound, .frames, .damaged_ranges, .damaged_bytes, .frames_after_damage]' <<<"${lines[1]}")" \
		'[false,1,1,70004,0]'
	assert_equal "$(jq -c '.damage[0] | [.cursor, .end, .bytes, .good_before, .error]' <<<"${lines[1]}")" \
		'[8,70012,70004,1,"ERR_SHM_FRAME_CORRUPT"]'
}

@test "of several logs all are looked at, and the first status that is not 0 counts" {
	printf 'no log at all, none indeed\n' >"$SCRATCH/text"
	run_shmlog 4 verify "$SCRATCH/missing" "$FIXTURES/json.shm" "$SCRATCH/text" "$FIXTURES/oversize-wrap.shm"
	assert_line --index 0 "$FIXTURES/json.shm: framing is sound: 200 frames, 35239 payload bytes"
	assert_output --partial "oversize-wrap.shm: damaged"
	assert_stderr --regexp "^shmlog verify: $SCRATCH/missing: cannot open: No such file or directory
shmlog verify: $SCRATCH/text: not a log: headerSize [0-9]+ is not from 24 to the file's 27 bytes$"
	run_shmlog 5 verify -q "$FIXTURES/json.shm" "$SCRATCH/text" "$SCRATCH/missing"
	run_shmlog 1 verify -q "$FIXTURES/oversize-wrap.shm" "$SCRATCH/missing"
	run_shmlog 4 verify -o json "$SCRATCH/missing" "$FIXTURES/json.shm"
	assert_equal "$(jq -c .sound <<<"$output" | xargs)" 'false true'
}

@test "verify of names with control bytes prints none" {
	cp "$FIXTURES/json.shm" "$SCRATCH/"$'\e[1m\n'
	run_shmlog 0 verify "$SCRATCH/"$'\e[1m\n'
	assert_output "$SCRATCH/"'\x1b[1m\n: framing is sound: 200 frames, 35239 payload bytes'
	run_shmlog 0 verify -o json "$SCRATCH/"$'\e[1m\n'
	jq -e --arg path "$SCRATCH/"$'\e[1m\n' '.path == $path' <<<"$output"
	refute_output --partial $'\e'
}

# ---------------------------------------------------------------- what is no log

@test "what is no log is status 5, and left as it is" {
	local name why

	mkdir "$SCRATCH/folder"
	mkfifo "$SCRATCH/fifo"
	: >"$SCRATCH/empty"
	head -c 64 /dev/zero >"$SCRATCH/zero"
	head -c 23 "$FIXTURES/json.shm" >"$SCRATCH/short"
	while IFS='|' read -r name why; do
		run --separate-stderr limited 10 shmlog verify "$SCRATCH/$name"
		assert_equal "$status" 5
		assert_output ''
		assert_stderr "shmlog verify: $SCRATCH/$name: not a log: $why"
	done <<-EOF2
		folder|it is no regular file
		fifo|it is no regular file
		empty|it has 0 bytes, and a header alone takes 24
		short|it has 23 bytes, and a header alone takes 24
		zero|its header is all zeros: it was never initialised, or is just being created
	EOF2
	expect 4 '' "shmlog verify: $LOG: cannot open: No such file or directory" verify "$LOG"
}

@test "an impossible header is status 5 and names the word" {
	local offset value why

	while IFS='|' read -r offset value why; do
		cp "$FIXTURES/odd-capacity.shm" "$LOG"
		put_u64 "$LOG" "$offset" "$value"
		remember "$LOG"
		expect 5 '' "shmlog verify: $LOG: not a log: $why" verify "$LOG"
		assert_unchanged "$LOG"
	done <<-'EOF2'
		0|23|headerSize 23 is not from 24 to the file's 1000 bytes
		0|1001|headerSize 1001 is not from 24 to the file's 1000 bytes
		8|23|dataOffset 23 is not from 24 to the file's 1000 bytes
		8|1001|dataOffset 1001 is not from 24 to the file's 1000 bytes
		16|23|size 23 lies below dataOffset 24
		16|1001|size 1001 lies beyond the file's 1000 bytes
	EOF2
}

# -------------------------------------------------------------------- damage

# A folder $SCRATCH/flips with a copy of $LOG for each bit of the bytes named.
flip_all() { # OFFSET...
	local bytes=() byte offset bit

	mkdir "$SCRATCH/flips"
	for byte in $(od -An -v -t x1 "$LOG"); do
		bytes+=("\\x$byte")
	done
	for offset; do
		byte=${bytes[offset]}
		for bit in 0 1 2 3 4 5 6 7; do
			printf -v "bytes[offset]" '\\x%02x' "$((0x${byte:2} ^ 1 << bit))"
			printf '%b' "${bytes[@]}" >"$SCRATCH/flips/$offset.$bit"
		done
		bytes[offset]=$byte
	done
}

# The logs of that folder that verify takes for sound, one a line.
taken_for_sound() {
	shmlog verify -o json "$SCRATCH"/flips/* 2>/dev/null |
		jq -r 'select(.sound) | .path'
}

@test "every flipped bit of the header is found" {
	# Frames fill the log, and no flip of `size` leads to where one starts.
	numbered 1 5 | shmlog append --create $((24 + 5 * 14)) "$LOG"
	run_shmlog 0 verify -q "$LOG"
	flip_all {0..23}
	assert_equal "$(ls "$SCRATCH/flips" | wc -l)" 192
	assert_equal "$(taken_for_sound)" ''
	# An impossible word is no log; one that is only wrong is damage.
	run_shmlog 5 verify -q "$SCRATCH/flips/0.7"
	run_shmlog 1 verify -q "$SCRATCH/flips/0.0"
	run_shmlog 5 verify -q "$SCRATCH/flips/8.7"
	run_shmlog 1 verify -q "$SCRATCH/flips/16.1"
	run_shmlog 5 verify -q "$SCRATCH/flips/23.7"
}

@test "every flipped bit of a length word is found" {
	local offsets=() i

	numbered 1 4 | shmlog append --create 200 "$LOG"
	for i in 0 1 2 3; do
		offsets+=($((24 + 14 * i)) $((25 + 14 * i)) $((36 + 14 * i)) $((37 + 14 * i)))
	done
	flip_all "${offsets[@]}"
	assert_equal "$(ls "$SCRATCH/flips" | wc -l)" 128
	assert_equal "$(taken_for_sound)" ''
	# It is damage, not a bad header, and is found in its own frame.
	run_shmlog 1 verify -o json "$SCRATCH"/flips/*
	assert_stderr ''
	assert_equal "$(jq -r '"\(.path | split("/")[-1] | split(".")[0] | tonumber) \(.damage[0].cursor)"' <<<"$output" |
		awk '{ print ($2 == int(($1 - 24) / 14) * 14) }' | sort | uniq -c | xargs)" '128 1'
}

@test "no flipped bit of a payload is found, and the page says so" {
	numbered 1 2 | shmlog append --create 200 "$LOG"
	flip_all {26..35} {40..49}
	assert_equal "$(taken_for_sound | wc -l)" 160
	run_shmlog 0 verify -q "$SCRATCH"/flips/*
	tr '\n' ' ' <"$ROOT/man/shmlog-verify.1" | grep -q 'bytes of a payload cannot be checked'
	run_shmlog 0 verify --help
	assert_output --partial 'Payload bytes carry no checksum and cannot be checked.'
}

@test "every cut of the file inside the committed data is status 5" {
	local length cut

	numbered 1 5 | shmlog append --create 200 "$LOG"
	for length in {0..93}; do
		cut=$SCRATCH/cut.$length
		head -c "$length" "$LOG" >"$cut"
		if ((length >= 24)); then
			echo "shmlog verify: $cut: not a log: size 94 lies beyond the file's $length bytes"
		else
			echo "shmlog verify: $cut: not a log: it has $length bytes, and a header alone takes 24"
		fi
	done >"$SCRATCH/wanted"
	run_shmlog 5 verify "$SCRATCH"/cut.{0..93}
	assert_output ''
	assert_equal "$stderr" "$(<"$SCRATCH/wanted")"
	for length in {0..93}; do
		head -c "$length" "$LOG" | cmp - "$SCRATCH/cut.$length"
	done
	# What lies behind the commit may go.
	truncate -s 94 "$LOG"
	run_shmlog 0 verify -q "$LOG"
	truncate -s 93 "$LOG"
	run_shmlog 5 verify -q "$LOG"
}

@test "every commit that ends inside a frame is damage at the cursor of that frame" {
	local end ends=()

	numbered 1 3 | shmlog append --create 200 "$LOG"
	for end in {24..66}; do
		(((end - 24) % 14 != 0)) || continue
		cp "$LOG" "$SCRATCH/end.$end"
		put_bytes "$SCRATCH/end.$end" 16 "$(printf %02x "$end")"
		ends+=("$end")
		echo "[true,$(((end - 24) / 14)),$(((end - 24) / 14 * 14)),\"SHMLOG_ERR_TORN\"]"
	done >"$SCRATCH/wanted"
	run_shmlog 1 verify -o json "${ends[@]/#/$SCRATCH/end.}"
	assert_stderr ''
	assert_equal "$(jq -c '[.torn, .frames, .damage[0].cursor, .damage[0].error]' <<<"$output")" \
		"$(<"$SCRATCH/wanted")"
	# At the end of a frame it is none.
	for end in 24 38 52 66; do
		put_u64 "$LOG" 16 "$end"
		run_shmlog 0 verify -q "$LOG"
	done
}

@test "damage is told with its place, what was expected and what was found" {
	numbered 1 4 | shmlog append --create 200 "$LOG"
	# The last word of the second frame, at cursor 14.
	put_bytes "$LOG" $((24 + 26)) 0f00
	run_shmlog 1 verify "$LOG"
	assert_line --index 0 --regexp "^$LOG: damaged frame at cursor 14: its size word says 14, the one behind it says 15; damaged range: cursor 14 to 28 \(14 bytes\)$"
	assert_line --index 1 --regexp "^$LOG: damaged: 1 ranges? with 14 bytes; 3 good frames?, 2 of them behind the first damage$"
	assert_equal "${#lines[@]}" 2
	assert_stderr ''
	# An impossible first word.
	put_bytes "$LOG" $((24 + 14)) 0300
	run_shmlog 1 verify "$LOG"
	assert_line --index 0 --regexp "^$LOG: damaged frame at cursor 14: its size word says 3, but no frame has fewer than 4 bytes; damaged range: cursor 14 to 28 "
	# A frame that ends behind the commit.
	put_bytes "$LOG" $((24 + 14)) ffff
	run_shmlog 1 verify "$LOG"
	assert_line --index 0 --regexp "^$LOG: (damaged|torn) frame at cursor 14: its size word says 65535, but there are only 42 bytes to the end of the committed data; damaged range: cursor 14 to 28 "
	assert_line --index 1 --regexp "3 good frames?, 2 of them behind the first damage$"
}

@test "a wrapped size is suspected where the Node package wrote one" {
	run_shmlog 1 verify "$FIXTURES/oversize-wrap.shm"
	assert_line --index 0 --partial 'damaged frame at cursor 8: its size word says 4468, the one behind it says 16705; looks like a payload of 70000 bytes whose size wrapped; damaged range: cursor 8 to 70012 (70004 bytes)'
	assert_stderr ''
}

@test "a dataOffset that skips whole frames is told" {
	numbered 1 4 | shmlog append --create 200 "$LOG"
	put_u64 "$LOG" 8 $((24 + 28))
	run_shmlog 1 verify -o json "$LOG"
	assert_equal "$(jq -c '[.sound, .frames, .frames_in_gap]' <<<"$output")" '[false,2,2]'
	run_shmlog 1 verify "$LOG"
	assert_output --partial "dataOffset 52"
	assert_stderr ''
}

@test "a headerSize beyond dataOffset is told" {
	numbered 1 4 | shmlog append --create 200 "$LOG"
	put_u64 "$LOG" 0 56
	run_shmlog 1 verify "$LOG"
	assert_output --partial "headerSize 56 lies beyond dataOffset 24"
	assert_stderr ''
}

# ------------------------------------------------------------------- salvage

# Salvages $LOG with a status and compares the frames with those wanted.
salvage() { # STATUS FRAMES LOST-RANGES LOST-BYTES <WANTED-LINES
	cat >"$SCRATCH/wanted"
	rm -f "$SCRATCH/saved"
	remember "$LOG"
	run_shmlog "$1" verify --salvage "$SCRATCH/saved" "$LOG"
	assert_stderr ''
	assert_output --regexp "$LOG: salvaged $2 frames? with [0-9]+ payload bytes? to '$SCRATCH/saved', verified; lost $3 ranges? with $4 bytes?$"
	assert_unchanged "$LOG"
	shmlog dump "$SCRATCH/saved" | cmp - "$SCRATCH/wanted"
	assert_equal "$(stat -c %s "$SCRATCH/saved")" "$(stat -c %s "$LOG")"
	run_shmlog 0 verify -q "$SCRATCH/saved"
}

@test "--salvage of a sound log copies it, with status 0" {
	numbered 1 4 | shmlog append --create 999 "$LOG"
	salvage 0 4 0 0 < <(numbered 1 4)
	cmp "$LOG" "$SCRATCH/saved"
}

@test "--salvage loses one frame to a bad word, though its like stands far away" {
	seq -f 'frame %022.0f' 1 9000 | shmlog append --create 400K "$LOG"
	put_bytes "$LOG" $((24 + 101 * 32 - 2)) 24
	put_bytes "$LOG" $((24 + 8001 * 32)) 60
	salvage 3 8998 2 64 < <(seq -f 'frame %022.0f' 1 9000 | sed '101d;8002d')
}

@test "--salvage leaves out what a writer did not commit" {
	cp "$FIXTURES/uncommitted.shm" "$LOG"
	salvage 0 5 0 0 < <(shmlog dump "$LOG")
}

@test "--salvage copies to a dataOffset of 24" {
	printf '\x18\0\0\0\0\0\0\0\x1f\0\0\0\0\0\0\0\x24\0\0\0\0\0\0\0PRIVATE\5\0x\5\0' >"$LOG"
	truncate -s 47 "$LOG"
	salvage 0 1 0 0 <<<x
}

@test "--salvage keeps the good frames on both sides of several damaged ranges" {
	numbered 1 50 | shmlog append --create 4K "$LOG"
	# One word of the 5th frame, of the 20th and of the 50th.
	put_bytes "$LOG" $((24 + 14 * 4)) 0000
	put_bytes "$LOG" $((24 + 14 * 19 + 12)) ffff
	put_bytes "$LOG" $((24 + 14 * 49)) 0d00
	salvage 3 47 3 42 < <(numbered 1 50 | sed '5d; 20d; 50d')
}

@test "--salvage finds the frames behind one whose two words are gone" {
	numbered 1 50 | shmlog append --create 4K "$LOG"
	put_bytes "$LOG" $((24 + 14 * 9)) eeee
	put_bytes "$LOG" $((24 + 14 * 9 + 12)) eeee
	salvage 3 49 1 14 < <(numbered 1 50 | sed 10d)
}

@test "--salvage finds the frames behind a block of zeros" {
	numbered 1 2000 | shmlog append --create 64K "$LOG"
	# Bytes 8192 to 12287: frames 584 (from 8186) to 876 (to 12288).
	dd if=/dev/zero of="$LOG" bs=4096 seek=2 count=1 conv=notrunc status=none
	run_shmlog 3 verify -o json --salvage "$SCRATCH/saved" "$LOG"
	assert_equal "$(jq -c '[.damaged_ranges, .damage[0].cursor, .salvage.frames]' <<<"$output")" \
		"[1,$((583 * 14)),$((2000 - 293))]"
	shmlog dump "$SCRATCH/saved" | cmp - <(numbered 1 2000 | sed 584,876d)
}

@test "--salvage keeps the frames around an oversize payload whose size wrapped" {
	cp "$FIXTURES/oversize-wrap.shm" "$LOG"
	salvage 3 1 1 70004 <<<good
}

@test "--salvage of a log that is damaged throughout gives an empty log" {
	numbered 1 3 | shmlog append --create 100 "$LOG"
	dd if=/dev/zero of="$LOG" bs=1 seek=24 count=42 conv=notrunc status=none
	salvage 3 0 1 42 </dev/null
	assert_equal "$(u64_at "$SCRATCH/saved" 16)" 24
}

@test "--salvage of a torn log loses the torn frame alone" {
	numbered 1 3 | shmlog append --create 100 "$LOG"
	put_u64 "$LOG" 16 60
	salvage 3 2 1 8 < <(numbered 1 2)
	expect 0 '' '' append "$SCRATCH/saved" -m more
}

@test "--salvage tells the counts in JSON, too, and nothing with -q" {
	numbered 1 4 | shmlog append --create 200 "$LOG"
	put_bytes "$LOG" $((24 + 14)) 0300
	run_shmlog 3 verify -o json --salvage "$SCRATCH/saved" "$LOG"
	assert_stderr ''
	assert_equal "$(jq -c .salvage <<<"$output")" \
		"{\"path\":\"$SCRATCH/saved\",\"frames\":3,\"payload_bytes\":30,\"lost_ranges\":1,\"lost_bytes\":14,\"left_out_frames\":0}"
	rm "$SCRATCH/saved"
	expect 3 '' '' verify -q --salvage "$SCRATCH/saved" "$LOG"
	assert_equal "$(frames_of "$SCRATCH/saved")" 3
}

@test "--salvage refuses a name that is taken and leaves it as it is" {
	local name

	numbered 1 4 | shmlog append --create 200 "$LOG"
	echo precious >"$SCRATCH/file"
	mkdir "$SCRATCH/folder"
	ln -s nowhere "$SCRATCH/dangling"
	for name in file folder dangling log.shm; do
		remember "$LOG"
		run_shmlog 4 verify --salvage "$SCRATCH/$name" "$LOG"
		assert_stderr "shmlog verify: $SCRATCH/$name: cannot salvage to it: File exists; left as it is"
		refute_output --partial salvaged
		assert_unchanged "$LOG"
	done
	assert_equal "$(<"$SCRATCH/file")" precious
	assert_not_exist "$SCRATCH/nowhere"
	run_shmlog 4 verify --salvage "$SCRATCH/missing/saved" "$LOG"
	assert_stderr "shmlog verify: $SCRATCH/missing/saved: cannot salvage to it: No such file or directory; nothing was left behind"
}

@test "--salvage gives the copy the permissions of the log" {
	shmlog create -c 1K --mode 0600 "$LOG"
	run_shmlog 0 verify --salvage "$SCRATCH/saved" "$LOG"
	assert_equal "$(stat -c %a "$SCRATCH/saved")" 600
}

@test "--salvage needs a name, not standard output" {
	shmlog create -c 1K "$LOG"
	run_shmlog 2 verify --salvage - "$LOG"
	assert_stderr --partial "--salvage takes the name of a new file"
}

@test "--salvage that loses no frame is status 0, whatever the header says" {
	shmlog append --create 4K -m a -m b "$LOG"
	put_u64 "$LOG" 0 200
	run_shmlog 0 verify --salvage "$SCRATCH/saved" "$LOG"
	assert_output --partial 'salvaged 2 frames'
	assert_output --partial 'lost 0 ranges'
	rm "$SCRATCH/saved"
	put_u64 "$LOG" 0 24
	put_u64 "$LOG" 8 29
	run_shmlog 3 verify --salvage "$SCRATCH/saved" "$LOG"
	assert_output --partial 'salvaged 1 frame '
	assert_output --partial 'lost 0 ranges with 0 bytes, and 1 frame before dataOffset'
}

@test "--salvage to where nothing can be written says nothing against the log" {
	shmlog create -c 1K "$LOG"
	run_shmlog 4 verify -o json --salvage "$SCRATCH/missing/saved" "$LOG"
	assert_equal "$(jq -c '[.sound, .error, .salvage.error]' <<<"$output")" \
		'[null,null,"No such file or directory"]'
}

@test "a signal ends the search behind damage" {
	local ended=0 pid

	shmlog create -c 24 "$LOG"
	truncate -s 256G "$LOG" || skip 'no large files here'
	put_u64 "$LOG" 16 $((1 << 37))
	shmlog verify --salvage "$SCRATCH/saved" "$LOG" 3>&- &
	pid=$!
	wait_until_busy "$pid" 200
	kill -TERM "$pid"
	wait_for 5 eval '! kill -0 "$pid" 2>/dev/null'
	wait "$pid" || ended=$?
	assert_equal "$ended" 143
	assert_equal "$(ls -A "$SCRATCH")" log.shm
}

@test "damages far apart cost only the frames that they hit" {
	local two three late

	awk 'BEGIN { srand(3); for (i = 1; i <= 3000; i++) {
		line = i; while (length(line) < 300) line = line " " int(rand() * 1e9)
		print line } }' >"$SCRATCH/lines"
	shmlog append --create 2M "$LOG" <"$SCRATCH/lines"
	two=$(shmlog seek "$LOG" frame:1)
	three=$(shmlog seek "$LOG" frame:2)
	late=$(shmlog seek "$LOG" frame:2990)
	# Both words of the one, the first one of the other.
	put_bytes "$LOG" $((24 + two)) 0000
	put_bytes "$LOG" $((22 + three)) 0000
	put_bytes "$LOG" $((24 + late)) 0000
	salvage 3 2998 2 "[0-9]+" < <(sed '2d; 2991d' "$SCRATCH/lines")
}

@test "--salvage of what is no log creates nothing" {
	printf 'no log at all, none indeed\n' >"$LOG"
	run_shmlog 5 verify --salvage "$SCRATCH/saved" "$LOG"
	assert_not_exist "$SCRATCH/saved"
	run_shmlog 4 verify --salvage "$SCRATCH/saved" "$SCRATCH/missing"
	assert_not_exist "$SCRATCH/saved"
}

@test "the mode of a salvaged log is cut by the umask" {
	numbered 1 4 | shmlog append --create 200 "$LOG"
	(
		umask 0077
		run_shmlog 0 verify -q --salvage "$SCRATCH/saved" "$LOG"
	)
	assert_equal "$(stat -c %a "$SCRATCH/saved")" 600
}

# --------------------------------------------------------------- payloads

@test "--payload json names each payload that is none, apart from the framing" {
	printf '%s\n' '{"a":1}' nope '[1,2' ' 7 ' | shmlog append --create 4K "$LOG"
	printf '' | shmlog append -i whole "$LOG"
	expect 0 "$LOG: framing is sound: 5 frames, 18 payload bytes" '' verify "$LOG"
	expect 1 "$LOG: payload of the frame at cursor 11 is not JSON: expected the word 'null' at byte 1
$LOG: payload of the frame at cursor 19 is not JSON: expected ',' or ']' after an element, found the end of the text at byte 5
$LOG: payload of the frame at cursor 34 is not JSON: expected a value, found the end of the text at byte 1
$LOG: framing is sound: 5 frames, 18 payload bytes
$LOG: payloads: 3 of 5 frames fail the check" '' \
		verify --payload json "$LOG"
	expect 1 '' '' verify -q --payload json "$LOG"
}

@test "--payload utf8 takes what is UTF-8" {
	printf 'caf\303\251\nx\n' | shmlog append --create 256K "$LOG"
	expect 0 "$LOG: framing is sound: 2 frames, 6 payload bytes
$LOG: each payload is utf8" '' verify --payload utf8 "$LOG"
	printf 'ab\377' | shmlog append -i whole "$LOG"
	# A large payload is read as well.
	{ head -c 60000 /dev/zero | tr '\0' y && printf '\355\240\200'; } |
		shmlog append -i whole "$LOG"
	expect 1 "$LOG: payload of the frame at cursor 14 is not UTF-8: 0xff at byte 3
$LOG: payload of the frame at cursor 21 is not UTF-8: 0xed at byte 60001
$LOG: framing is sound: 4 frames, 60012 payload bytes
$LOG: payloads: 2 of 4 frames fail the check" '' \
		verify --payload utf8 "$LOG"
}

@test "verify --schema proves that each frame fits its type" {
	cat >"$SCRATCH/types.json" <<'END'
[{"name":"Pair","fields":[{"name":"a","type":"u8"},{"name":"b","type":"u8"}]},
 {"name":"Other","fields":[{"name":"p","type":"Pair"}]}]
END
	printf '12' | shmlog append -i whole --create 4K "$LOG"
	expect 0 "$LOG: framing is sound: 1 frame, 2 payload bytes
$LOG: each payload is 'Pair'" '' \
		verify --schema "$SCRATCH/types.json" --type Pair "$LOG"
	printf '1' | shmlog append -i whole "$LOG"
	run_shmlog 1 verify --schema "$SCRATCH/types.json" --type Pair "$LOG"
	assert_line --partial 'payload of the frame at cursor 6 is not of type Pair: '
	assert_line "$LOG: payloads: 1 of 2 frames fail the check"
	run_shmlog 2 verify --schema "$SCRATCH/types.json" --payload json "$LOG"
	assert_stderr --partial '--payload and --schema exclude each other'
	run_shmlog 2 verify --schema "$SCRATCH/types.json" --type Nope "$LOG"
	run_shmlog 2 verify --type Pair "$LOG"
	assert_stderr --partial '--type needs --schema'
	run_shmlog 2 verify --payload xml "$LOG"
	assert_stderr --partial "unknown kind of payload 'xml'"
	run_shmlog 2 verify --payload json --salvage "$LOG.2" "$LOG"
	assert_not_exist "$LOG.2"
}

@test "faults of payloads stand in JSON, and beside damage" {
	need jq
	printf 'x\n1\n' | shmlog append --create 4K "$LOG"
	run_shmlog 1 verify --payload json -o json "$LOG"
	assert_equal "$(jq -c '[.sound, .frames, .payload_kind, .payload_faults, .payload_fault]' <<<"$output")" \
		'[true,2,"json",1,[{"cursor":0,"reason":"not JSON: expected a value, found '"'x'"' at byte 1"}]]'
	run_shmlog 0 verify -o json "$LOG"
	assert_equal "$(jq -c 'has("payload_faults")' <<<"$output")" false
	# The good frames beside damage are looked at; two logs are two counts.
	run_shmlog 1 verify --payload json -o json "$FIXTURES/oversize-wrap.shm" "$LOG"
	assert_equal "$(jq -c '[.sound, .frames, .payload_faults]' <<<"$output")" \
		'[false,1,1]
[true,2,1]'
}
