# A log that comes from standard input, or in a zstd archive.
load helper

setup() {
	scratch_make
	ARCHIVE=$SCRATCH/archive
	export TMPDIR=$SCRATCH/spool
	mkdir "$TMPDIR"
}

teardown() {
	# What was spooled has no name, and leaves nothing.
	[ ! -d "$SCRATCH/spool" ] || assert_equal "$(ls -A "$SCRATCH/spool")" ''
	scratch_remove
}

make_log() {
	seq 1000 | shmlog append --create 1M "$LOG"
}

need_zstd() {
	need zstd
	grep -qa 'its zstd archive %s, after' "$BUILD/shmlog" ||
		skip "built without zstd"
}

pack() { # FILE...
	zstd -qc "$@" >"$ARCHIVE"
}

@test "standard input is read as the log that it holds" {
	make_log
	cmp <(shmlog dump - <"$LOG") <(seq 1000)
	cmp <(cat "$LOG" | shmlog dump -o frames -) <(shmlog dump -o frames "$LOG")
	cmp <(cat "$LOG" | shmlog tail -n 3 -) <(seq 998 1000)
	run_shmlog 0 seek - frame:999 end <"$LOG"
	assert_output "$(shmlog seek "$LOG" frame:999 end)"
	run_shmlog 0 verify - <"$LOG"
	assert_output '-: framing is sound: 1000 frames, 2893 payload bytes'
	assert_equal "$(cat "$LOG" | shmlog stat -o json - | jq -c 'del(.path)')" \
		"$(shmlog stat -o json "$LOG" | jq -c 'del(.path)')"
	# Slowly, and cut behind the committed bytes.
	head -c $((24 + $(end_of "$LOG"))) "$LOG" >"$SCRATCH/cut"
	cmp <(split -n 7 --filter='cat; sleep 0.05' "$SCRATCH/cut" | shmlog dump -) <(seq 1000)
	# With others, each under its name.
	run_shmlog 0 dump -n 1 --prefix "$LOG" - <"$LOG"
	assert_output "$LOG: 1
-: 1"
}

@test "an archive is read as the log in it, whatever its name" {
	need_zstd
	make_log
	pack "$LOG"
	cmp <(shmlog dump "$ARCHIVE") <(seq 1000)
	cmp <(shmlog dump - <"$ARCHIVE") <(seq 1000)
	cmp <(cat "$ARCHIVE" | shmlog tail -n 2 -) <(seq 999 1000)
	run_shmlog 0 seek "$ARCHIVE" frame:3
	assert_output "$(shmlog seek "$LOG" frame:3)"
	run_shmlog 0 verify "$ARCHIVE" "$LOG"
	run_shmlog 0 verify --salvage "$SCRATCH/salvaged" "$ARCHIVE"
	cmp <(shmlog dump "$SCRATCH/salvaged") <(seq 1000)
	assert_equal "$(shmlog stat -o json "$ARCHIVE" | jq -c 'del(.path)')" \
		"$(shmlog stat -o json "$LOG" | jq -c 'del(.path)')"
	run_shmlog 0 dump --where '. > 998' --from frame:990 "$ARCHIVE"
	assert_output $'999\n1000'
	# The committed bytes alone, in several parts, are an archive of a log.
	head -c $((24 + $(end_of "$LOG"))) "$LOG" >"$SCRATCH/cut"
	split -n 3 --filter='zstd -qc' "$SCRATCH/cut" >"$ARCHIVE"
	cmp <(shmlog dump "$ARCHIVE") <(seq 1000)
	zstd -qdc "$ARCHIVE" >"$SCRATCH/again"
	cmp <(shmlog dump "$SCRATCH/again") <(seq 1000)
}

@test "what is cut, damaged or no log is not a log: status 5" {
	need_zstd
	local bytes command

	make_log
	pack "$LOG"
	bytes=$(wc -c <"$ARCHIVE")
	for command in dump tail verify stat; do
		head -c $((bytes - 1)) "$ARCHIVE" >"$SCRATCH/bad"
		run_shmlog 5 "$command" "$SCRATCH/bad"
		assert_stderr --partial 'not a log: its zstd archive ends too early, after'
	done
	head -c $((bytes / 2)) "$ARCHIVE" >"$SCRATCH/bad"
	run_shmlog 5 dump - <"$SCRATCH/bad"
	assert_output ''
	assert_stderr --regexp '^shmlog dump: standard input: not a log: its zstd archive ends too early'
	head -c 4 "$ARCHIVE" >"$SCRATCH/bad"
	run_shmlog 5 dump - <"$SCRATCH/bad"
	{ cat "$ARCHIVE" && printf 'garbage behind it'; } >"$SCRATCH/bad"
	run_shmlog 5 dump "$SCRATCH/bad"
	assert_stderr --partial 'cannot be unpacked'
	cp "$ARCHIVE" "$SCRATCH/bad"
	printf '\xff\xff\xff' | dd of="$SCRATCH/bad" bs=1 seek=$((bytes - 6)) conv=notrunc status=none
	run_shmlog 5 dump "$SCRATCH/bad"
	seq 100 | zstd -qc >"$SCRATCH/bad"
	run_shmlog 5 dump "$SCRATCH/bad"
	assert_stderr --partial "$SCRATCH/bad: not a log: headerSize"
	run_shmlog 5 dump - </dev/null
	assert_stderr 'shmlog dump: standard input: not a log: it has 0 bytes, and a header alone takes 24'
	head -c 2000 "$LOG" >"$SCRATCH/cut"
	run_shmlog 5 dump - <"$SCRATCH/cut"
	assert_stderr --partial 'lies beyond the file'
	separately bash -c 'shmlog dump - <&-'
	assert_equal "$status" 4
	assert_stderr --partial 'standard input: cannot read'
	run_shmlog 5 verify -o json "$SCRATCH/bad"
	assert_equal "$(jq .sound <<<"$output")" false
}

@test "what has no end is not copied, unless it may be a log" {
	run timeout 60 bash -c 'yes | shmlog dump - 2>"$1"' - "$SCRATCH/said"
	assert_equal "$status" 5
	grep -q 'standard input: not a log: headerSize' "$SCRATCH/said"
	need_zstd
	run timeout 60 bash -c 'yes | zstd -qc | shmlog dump -'
	assert_equal "$status" 5
}

@test "zeros take no space, and what takes too much is refused in words" {
	need_zstd
	shmlog create --sparse -c 1G "$LOG"
	shmlog append "$LOG" -m only
	pack "$LOG"
	run_shmlog 0 dump "$ARCHIVE"
	assert_output only
	# 16 MiB of memory beside the command's own are enough for 1 GiB.
	run bash -c 'ulimit -v 65536; shmlog dump "$1"' - "$ARCHIVE"
	[[ $BUILD == *asan* || $BUILD == *tsan* ]] || assert_output only
	# Where the folder is missing.
	TMPDIR=$SCRATCH/none run_shmlog 4 dump "$ARCHIVE"
	assert_output ''
	assert_stderr --partial 'cannot be copied to an unnamed file in TMPDIR or /tmp'
}

@test "a log that is copied first is not followed, watched or changed" {
	make_log
	run_shmlog 2 tail -f - <"$LOG"
	assert_output ''
	assert_stderr --partial "'-' is standard input: it is read to its end and not followed"
	run_shmlog 2 tail -F - <"$LOG"
	run_shmlog 2 tail --cursor-file "$SCRATCH/cursor" - <"$LOG"
	assert_stderr --partial 'a cursor file cannot tell it in another run'
	run_shmlog 2 stat --watch - <"$LOG"
	run_shmlog 2 append - -m x
	assert_stderr --partial '- is standard input, which is read and not changed'
	run_shmlog 2 append --create 4K - -m x
	run_shmlog 2 create -c 4K -
	assert [ ! -e ./- ]
	need zstd
	pack "$LOG"
	cp "$ARCHIVE" "$SCRATCH/before"
	run_shmlog 2 tail -f "$ARCHIVE"
	assert_stderr --partial 'is a zstd archive'
	run_shmlog 2 stat --watch "$ARCHIVE"
	run_shmlog 5 append "$ARCHIVE" -m x
	assert_stderr --partial 'it is a zstd archive, which is read and not changed; nothing was changed'
	run_shmlog 5 append --create 4K "$ARCHIVE" -m x
	run_shmlog 5 create -c 4K "$ARCHIVE"
	cmp "$ARCHIVE" "$SCRATCH/before"
}

@test "a file whose name is a dash is a log under ./-" {
	make_log
	cd "$SCRATCH"
	cp "$LOG" ./-
	run_shmlog 0 tail -n 1 ./-
	assert_output 1000
}
