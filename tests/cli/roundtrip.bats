# What one command prints and another reads again is the same, byte for byte.
load helper

SOUND='empty json binary full odd-capacity bendec'

# Copies a log through two formats into a new one of the same capacity.
copy() { # LOG NEW-LOG OUTPUT-FORMAT INPUT-FORMAT
	rm -f "$2"
	shmlog create "$2" -c "$(stat -c %s "$1")" 2>"$SCRATCH/stderr"
	shmlog dump -o "$3" "$1" 2>>"$SCRATCH/stderr" >"$SCRATCH/stream"
	shmlog append -i "$4" "$2" <"$SCRATCH/stream" >"$SCRATCH/stdout" 2>>"$SCRATCH/stderr"
	assert_equal "$(<"$SCRATCH/stdout")$(<"$SCRATCH/stderr")" ''
}

# ---------------------------------------------------------------- golden logs

@test "golden logs go through frames to the same file" {
	local file

	for file in $SOUND; do
		copy "$FIXTURES/$file.shm" "$LOG" frames frames
		cmp "$LOG" "$FIXTURES/$file.shm"
		assert_equal "$(sha256_of "$LOG")" "$(manifest "$file.shm" .sha256)"
	done
}

@test "golden logs go through envelopes to the same file" {
	local file

	for file in $SOUND; do
		copy "$FIXTURES/$file.shm" "$LOG" json envelope
		cmp "$LOG" "$FIXTURES/$file.shm"
	done
}

@test "golden logs go through pipes to the same file" {
	local file

	for file in $SOUND; do
		rm -f "$LOG"
		shmlog create "$LOG" -c "$(manifest "$file.shm" .capacity)"
		shmlog dump -o frames "$FIXTURES/$file.shm" | shmlog append -i frames "$LOG"
		cmp "$LOG" "$FIXTURES/$file.shm"
		rm -f "$LOG"
		shmlog create "$LOG" -c "$(manifest "$file.shm" .capacity)"
		shmlog tail -n +1 -o json "$FIXTURES/$file.shm" | shmlog append --atomic -i envelope "$LOG"
		cmp "$LOG" "$FIXTURES/$file.shm"
	done
}

@test "of a log with leftovers the committed data is copied, and nothing else" {
	local format

	for format in 'frames frames' 'json envelope'; do
		# shellcheck disable=SC2086
		copy "$FIXTURES/uncommitted.shm" "$LOG" $format
		cmp <(head -c 99 "$LOG") <(head -c 99 "$FIXTURES/uncommitted.shm")
		cmp <(tail -c +100 "$LOG") <(head -c $((8192 - 99)) /dev/zero)
	done
}

@test "a golden log of JSON goes through json, text and nul to the same file" {
	copy "$FIXTURES/json.shm" "$LOG" text json
	cmp "$LOG" "$FIXTURES/json.shm"
	copy "$FIXTURES/json.shm" "$LOG" text lines
	cmp "$LOG" "$FIXTURES/json.shm"
	copy "$FIXTURES/json.shm" "$LOG" nul nul
	cmp "$LOG" "$FIXTURES/json.shm"
}

# -------------------------------------------------------------- hard payloads

fill() { # BYTES CHARACTER
	head -c "$1" /dev/zero | tr '\0' "$2"
}

# 300 payloads as files of $BATS_FILE_TMPDIR/payloads, in order, once.
setup_file() {
	local atoms=(
		'\x00' '\n' '\r' '\r\n' '\t' '"' '\\\\' '/' "'" '%' ' ' 'a' 'plain text'
		'\xff' '\xfe' '\x80' '\xbf' '\xc0\x80' '\xc3' '\xe2\x80' '\xf0\x9f\x98'
		'\xed\xa0\x80' '\xed\xaf\xbf' '\xed\xb0\x80' '\xed\xbf\xbf' '\\\\ud800' '\\\\udcff'
		'\xc2\x80' '\xc2\x9b' '\x1b[31m' '\x7f' '\x01' '\x08' '\xe2\x80\xae'
		'\xe2\x81\xa6' '\xe2\x80\x8b' '\xef\xbb\xbf' '\xe2\x80\xa8' '\xe2\x80\xa9'
		'\xef\xbf\xbe' '\xef\xbf\xbf' '\xef\xbf\xbd' '\xf4\x8f\xbf\xbf'
		'\xf4\x90\x80\x80' '\xf0\x9f\x98\x80' '\xc3\xa9' 'e\xcc\x81'
		'\x05\x00x\x05\x00' '{"event":"damage"}' '{"payload":"x"}' '\xe0\x80\x80'
		'\xf8\x88\x80\x80\x80' '\xc1\xbf' '\x18\x00\x00\x00\x00\x00\x00\x00'
	)
	local count=0 random=1 i text

	mkdir "$BATS_FILE_TMPDIR/payloads"
	cd "$BATS_FILE_TMPDIR/payloads" || return
	next() {
		printf -v name 'p%03d' "$count"
		count=$((count + 1))
	}
	next && : >"$name"
	for text in "${atoms[@]}"; do
		next && printf '%b' "$text" >"$name"
	done
	for i in 1 2 3 254 255 256 4095 4096 65529 65530; do
		next && fill "$i" x >"$name"
	done
	for text in '\0' '\n' '"' '\\' '\377' '\1' '\177' x; do
		next && fill 65531 "$text" >"$name"
	done
	next && for ((i = 0; i < 256; i++)); do
		printf -v text '\\x%02x' "$i"
		printf '%b' "$text"
	done >"$name"
	while ((count < 300)); do
		text=
		for ((i = 0; i <= random % 9; i++)); do
			random=$(((random * 1103515245 + 12345) % 2147483648))
			text+=${atoms[random / 65536 % ${#atoms[@]}]}
		done
		random=$(((random * 1103515245 + 12345) % 2147483648))
		next && printf '%b' "$text" >"$name"
	done
}

# The log of the payloads whose files are named.
log_payloads() { # FILE...
	rm -f "$LOG"
	shmlog create "$LOG" -c 2M
	shmlog append -i whole "$LOG" "$@"
}

# Names of the payloads that Perl finds a condition true for.
payloads_where() { # CONDITION
	perl -e 'my $where = shift;
		for my $file (@ARGV) {
			open my $in, "<:raw", $file or die;
			local $/;
			$_ = <$in> // "";
			print "$file\n" if eval $where;
		}' "$1" "$BATS_FILE_TMPDIR"/payloads/*
}

# Well-formed by RFC 3629: no overlong form, no surrogate, nothing too high.
UTF8='/\A(?:[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]
	|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]
	|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}
	|\xf4[\x80-\x8f][\x80-\xbf]{2})*+\z/x'

@test "300 hard payloads stand in a log as they are" {
	assert_equal "$(ls "$BATS_FILE_TMPDIR/payloads" | wc -l)" 300
	log_payloads "$BATS_FILE_TMPDIR"/payloads/*
	shmlog dump -t '%s\n' "$LOG" | cmp - <(stat -c %s "$BATS_FILE_TMPDIR"/payloads/*)
	shmlog dump -o raw "$LOG" | cmp - <(cat "$BATS_FILE_TMPDIR"/payloads/*)
	run_shmlog 0 verify -q "$LOG"
}

@test "300 hard payloads go through frames and through envelopes" {
	log_payloads "$BATS_FILE_TMPDIR"/payloads/*
	copy "$LOG" "$SCRATCH/copy" frames frames
	cmp "$LOG" "$SCRATCH/copy"
	cmp "$SCRATCH/stream" <(tail -c +25 "$LOG" | head -c "$(end_of "$LOG")")
	copy "$LOG" "$SCRATCH/copy" json envelope
	cmp "$LOG" "$SCRATCH/copy"
}

@test "300 hard payloads in envelopes are those that jq sees, and harmless" {
	log_payloads "$BATS_FILE_TMPDIR"/payloads/*
	shmlog dump -o json "$LOG" >"$SCRATCH/envelopes"
	# As base64, which is how jq can print bytes.
	jq -r 'if .encoding == "base64" then .payload else .payload | @base64 end' \
		"$SCRATCH/envelopes" >"$SCRATCH/seen"
	shmlog dump -t '%b\n' "$LOG" | cmp - "$SCRATCH/seen"
	# Neither controls nor bidi characters reach a terminal.
	run env LC_ALL=C grep -nP '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]|\xef\xbb\xbf' \
		"$SCRATCH/envelopes"
	assert_output ''
	# base64 is for what is no UTF-8 or holds a NUL, and for nothing else.
	jq -r 'select(.encoding == "base64") | .index' "$SCRATCH/envelopes" >"$SCRATCH/base64"
	payloads_where "!($UTF8) || /\\x00/" | sed 's/.*p0*\([0-9]\)/\1/' | cmp - "$SCRATCH/base64"
	(($(wc -l <"$SCRATCH/base64") > 50))
}

@test "payloads without a NUL go through nul" {
	local files=()

	mapfile -t files < <(payloads_where '!/\x00/')
	((${#files[@]} > 150 && ${#files[@]} < 300))
	log_payloads "${files[@]}"
	copy "$LOG" "$SCRATCH/copy" nul nul
	cmp "$LOG" "$SCRATCH/copy"
}

@test "payloads without a newline go through text and lines" {
	local files=()

	mapfile -t files < <(payloads_where '!/\n/')
	((${#files[@]} > 150 && ${#files[@]} < 300))
	log_payloads "${files[@]}"
	copy "$LOG" "$SCRATCH/copy" text lines
	cmp "$LOG" "$SCRATCH/copy"
}

@test "a payload of 65,532 bytes is refused in every format and changes nothing" {
	local format

	shmlog create "$LOG" -c 1M
	shmlog append "$LOG" -m before
	remember "$LOG"
	fill 65532 1 >"$SCRATCH/lines"
	cp "$SCRATCH/lines" "$SCRATCH/nul"
	cp "$SCRATCH/lines" "$SCRATCH/whole"
	cp "$SCRATCH/lines" "$SCRATCH/json"
	printf '{"payload":"%s"}' "$(<"$SCRATCH/lines")" >"$SCRATCH/envelope"
	for format in lines nul whole json envelope; do
		run_shmlog 9 append -i "$format" "$LOG" "$SCRATCH/$format"
		assert_output ''
		assert_stderr --regexp "^shmlog append: $LOG: bad input: .*65532 bytes are more than the 65531 that a frame holds; 0 frames committed before it$"
		run_shmlog 9 append --atomic -i "$format" "$LOG" "$SCRATCH/$format"
		assert_unchanged "$LOG"
	done
	# In frames such a size cannot even be written down: it wraps.
	{
		printf '\0\0'
		cat "$SCRATCH/lines"
		printf '\0\0'
	} >"$SCRATCH/frames"
	run_shmlog 9 append -i frames "$LOG" "$SCRATCH/frames"
	assert_output ''
	assert_unchanged "$LOG"
}
