# The output formats of dump, tail and seek, byte for byte.
load helper

# Payloads as files p000, p001, …, in the order of their frames.
add_payload() { # BYTES, as printf %b takes them
	printf '%b' "$1" >"$SCRATCH/$(printf 'p%03d' "$PAYLOADS")"
	PAYLOADS=$((PAYLOADS + 1))
}

add_file() { # COMMAND...
	"$@" >"$SCRATCH/$(printf 'p%03d' "$PAYLOADS")"
	PAYLOADS=$((PAYLOADS + 1))
}

setup() {
	scratch_make
	PAYLOADS=0
}

append_payloads() {
	shmlog append -i whole --create 2M "$LOG" "$SCRATCH"/p[0-9][0-9][0-9]
}

# Text of every kind that UTF-8 allows.
add_texts() {
	local text

	for text in '' plain '"quoted" \\\\back\\\\ /slash/' 'tab\tnewline\nreturn\r' \
		'\x01\x02\x1b[31mred\x1b[0m\x07\x7f' 'é 漢字 \xf0\x9f\x98\x80' \
		'\xc2\x80\xc2\x9b31m\xc2\x9f' '\xe2\x80\xae bidi \xe2\x81\xa6' \
		'\xe2\x80\x8b zero \xef\xbb\xbf width \xc2\xad' \
		'\xe2\x80\xa8\xe2\x80\xa9' '\xef\xbf\xbf \xef\xb7\x90' \
		'\xf4\x8f\xbf\xbf' '\xf3\xa0\x80\x81 tag' '\xef\xbf\xbd' \
		'{"json":1}' ' ' '\n' 'ends in a backslash \\\\'; do
		add_payload "$text"
	done
}

# What is not valid UTF-8, or holds a NUL.
add_binaries() {
	local bytes

	for bytes in '\0' 'a\0b' '\xff' 'abcdefg\xff' '\xc3' '\xc3(' '\x80' \
		'\xc0\xaf' '\xe0\x80\xaf' '\xed\xa0\x80' '\xed\xbf\xbf' \
		'\xf4\x90\x80\x80' '\xf8\x88\x80\x80\x80' '\xfe' '\xe2\x80' \
		'text, then \xf0\x9f\x98' '12345678\0' '\xef\xbb\xbf\xff'; do
		add_payload "$bytes"
	done
}

# ---------------------------------------------------------------------- json

@test "json gives valid text as it is, and only that as utf8" {
	local texts

	add_texts
	texts=$PAYLOADS
	add_binaries
	append_payloads
	shmlog dump -o json "$LOG" >"$SCRATCH/json"
	assert_equal "$(wc -l <"$SCRATCH/json")" "$PAYLOADS"
	assert_equal "$(head -n "$texts" "$SCRATCH/json" | jq -r .encoding | sort -u)" utf8
	assert_equal "$(tail -n +$((texts + 1)) "$SCRATCH/json" | jq -r .encoding |
		sort -u)" base64
}

@test "json keeps every byte of every payload" {
	local i file

	add_texts
	add_binaries
	for i in {0..40}; do
		add_file head -c $((i * i)) /dev/urandom
	done
	add_file head -c 65531 /dev/urandom
	add_file head -c 65531 /dev/zero
	add_file eval 'yes "\"\\" | head -c 65531'
	append_payloads
	shmlog dump -o json "$LOG" | jq -r 'if .encoding == "base64"
		then .payload else .payload | @base64 end' >"$SCRATCH/decoded"
	for file in "$SCRATCH"/p[0-9][0-9][0-9]; do
		base64 -w 0 "$file"
		echo
	done | cmp - "$SCRATCH/decoded"
	shmlog dump -o json "$LOG" | jq -r .size | cmp - <(
		stat -c %s "$SCRATCH"/p[0-9][0-9][0-9])
}

@test "a line of json holds no byte that acts on a terminal" {
	add_texts
	add_binaries
	append_payloads
	shmlog dump -o json "$LOG" >"$SCRATCH/json"
	shmlog dump -t '%j\n' "$LOG" >>"$SCRATCH/json"
	# C0, DEL, C1, bidi, zero width, separators, tags; invalid UTF-8.
	tr -d '\n' <"$SCRATCH/json" >"$SCRATCH/line"
	refute env LC_ALL=C grep -aqP '[\x00-\x1f\x7f]|\xc2[\x80-\x9f\xad]|\xe2\x80[\x8b-\x8f\xa8-\xae]|\xe2\x81[\xa0-\xaf]|\xef\xbb\xbf|\xf3\xa0' "$SCRATCH/line"
	iconv -f UTF-8 -t UTF-8 "$SCRATCH/json" | cmp - "$SCRATCH/json"
}

@test "the envelope has the members of the manual, in that order" {
	add_payload 'x'
	append_payloads
	run_shmlog 0 dump -o json "$LOG"
	assert_output '{"cursor":0,"next":5,"index":0,"size":1,"encoding":"utf8","payload":"x"}'
	assert_stderr ''
}

# ----------------------------------------------------------------------- hex

@test "hex is what hexdump -C prints, under a line with cursor and size" {
	need hexdump
	local size file cursor=0

	for size in 0 1 7 8 9 15 16 17 31 32 33 48 49 100; do
		add_file head -c "$size" /dev/urandom
		add_file head -c "$size" /dev/zero
	done
	# Rows that repeat: at the start, in the middle, at the end, cut short.
	add_file eval 'head -c 64 /dev/zero; printf x; head -c 200 /dev/zero'
	add_file eval 'printf %064d 0; printf %032d 1; printf %064d 0'
	add_file eval 'printf %048d 0; printf 000'
	add_file eval 'printf 0123456789abcdef%.0s {1..9}; printf 0123456789abcde'
	add_file head -c 65531 /dev/zero
	add_file head -c 65531 /dev/urandom
	add_texts
	add_binaries
	append_payloads
	for file in "$SCRATCH"/p[0-9][0-9][0-9]; do
		size=$(stat -c %s "$file")
		echo "cursor $cursor size $size"
		hexdump -C "$file"
		cursor=$((cursor + size + 4))
	done >"$SCRATCH/wanted"
	shmlog dump -o hex "$LOG" | cmp - "$SCRATCH/wanted"
}

# ------------------------------------------------- text, nul, raw and frames

@test "text, nul, raw and frames touch no byte in a pipe" {
	local file

	add_texts
	add_binaries
	add_file head -c 65531 /dev/urandom
	append_payloads
	for file in "$SCRATCH"/p[0-9][0-9][0-9]; do
		cat "$file"
		printf '\n'
	done | cmp - <(shmlog dump "$LOG")
	cmp <(shmlog dump "$LOG") <(shmlog dump -o text "$LOG")
	for file in "$SCRATCH"/p[0-9][0-9][0-9]; do
		cat "$file"
		printf '\0'
	done | cmp - <(shmlog dump -o nul "$LOG")
	cat "$SCRATCH"/p[0-9][0-9][0-9] | cmp - <(shmlog dump -o raw "$LOG")
	tail -c +25 "$LOG" | head -c "$(end_of "$LOG")" |
		cmp - <(shmlog dump -o frames "$LOG")
}

@test "tail and seek print as dump does" {
	local -a cursors
	local format

	add_texts
	add_binaries
	append_payloads
	mapfile -t cursors < <(shmlog dump -t '%c\n' "$LOG")
	for format in text nul hex frames raw; do
		shmlog dump -o "$format" "$LOG" >"$SCRATCH/dumped"
		shmlog tail -n 1000 -o "$format" "$LOG" | cmp - "$SCRATCH/dumped"
		shmlog seek -o "$format" "$LOG" "${cursors[@]}" |
			cmp - "$SCRATCH/dumped"
	done
	shmlog dump -o json "$LOG" >"$SCRATCH/dumped"
	shmlog tail -n +1 -o json "$LOG" | cmp - "$SCRATCH/dumped"
}

# ----------------------------------------------------------------- templates

@test "a template has each of its sequences" {
	printf 'one\n"two"\n' | shmlog append --create 4K "$LOG"
	run_shmlog 0 dump -t '%c|%x|%i|%s|%p|%b|%j|%%\n' "$LOG"
	assert_output $'0|7|0|3|one|b25l|"one"|%\n7|16|1|5|"two"|InR3byI=|"\\"two\\""|%'
	assert_stderr ''
	shmlog dump -n 1 -t 'a\tb\\c\0d\n%p' "$LOG" |
		cmp - <(printf 'a\tb\\c\0d\none')
	shmlog dump -t '%%c%%' "$LOG" | cmp - <(printf '%%c%%%%c%%')
	shmlog dump -t '\\n' "$LOG" | cmp - <(printf '\\n\\n')
	shmlog dump --template 'é%s;' "$LOG" | cmp - <(printf 'é3;é5;')
	shmlog dump -t '' "$LOG" | cmp - /dev/null
}

@test "a template takes any payload" {
	local file

	add_texts
	add_binaries
	add_file head -c 65531 /dev/urandom
	append_payloads
	shmlog dump -t '%p' "$LOG" | cmp - <(shmlog dump -o raw "$LOG")
	shmlog dump -t '%b\n' "$LOG" | while IFS= read -r line; do
		base64 -d <<<"$line"
	done | cmp - <(shmlog dump -o raw "$LOG")
	shmlog dump -t '%s\n' "$LOG" | cmp - <(stat -c %s "$SCRATCH"/p[0-9][0-9][0-9])
	# A JSON string is JSON, and of text the text.
	shmlog dump -t '%j\n' "$LOG" | jq -s 'length' | grep -qx "$PAYLOADS"
	shmlog dump -o json "$LOG" | jq -r 'select(.encoding == "utf8") | .payload |
		@base64' >"$SCRATCH/texts"
	shmlog dump -n 18 -t '%j\n' "$LOG" | jq -r @base64 |
		cmp - <(head -n 18 "$SCRATCH/texts")
}

@test "an index that is not known is a dash in a template" {
	printf 'one\ntwo\n' | shmlog append --create 4K "$LOG"
	run_shmlog 0 tail -n 1 -t '%i' "$LOG"
	assert_output --regexp '^(-|1)$'
	run_shmlog 0 dump -t '%i,' "$LOG"
	assert_output '0,1,'
}

@test "a sequence that a template does not have is wrong usage" {
	local template

	shmlog create -c 4K "$LOG"
	for template in '%q' '%' '\' 'a%' '\x41' '%5c' '% c' '%C' '\e' '%é'; do
		run_shmlog 2 dump -t "$template" "$LOG"
		assert_output ''
		assert_stderr --partial 'template'
		run_shmlog 2 tail -t "$template" "$LOG"
		run_shmlog 2 seek -t "$template" "$LOG" end
	done
	run_shmlog 2 dump -t '%c' -o json "$LOG"
	assert_output ''
	assert_stderr --partial '-t'
}

@test "a format that there is not is wrong usage" {
	local format

	shmlog create -c 4K "$LOG"
	for format in '' JSON jso jsonl envelope lines whole 'text '; do
		run_shmlog 2 dump -o "$format" "$LOG"
		assert_output ''
		assert_stderr --partial "'$format'"
		assert_stderr --partial 'text, nul, json, hex, frames, raw and csv'
	done
	run_shmlog 2 tail -o xml "$LOG"
	assert_stderr --partial "'xml'"
	run_shmlog 2 seek -o xml "$LOG" end
	assert_stderr --partial "'xml'"
}

@test "numbers beyond 2^53 are printed in full" {
	# A sparse file with its data 2^53 bytes and more from the start is not
	# to be had everywhere: a size word that large is.
	shmlog create -c 4K "$LOG"
	put_u64 "$LOG" 16 9007199254740993
	run_shmlog 5 dump "$LOG"
	assert_stderr --partial 9007199254740993
	run_shmlog 5 stat -o json "$LOG"
	assert_output --partial '"size":9007199254740993,'
	put_u64 "$LOG" 16 -1
	run_shmlog 5 stat -o json "$LOG"
	assert_output --partial '"size":18446744073709551615,'
}
