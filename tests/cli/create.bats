# create: sizes, modes, names that are taken, and no debris.
load helper

HINT="Try 'shmlog create --help'."
NO_SIZE='is not a SIZE such as 4096, 64K, 16M or 2GiB, in powers of 1024'

# What is said of a log that Node cannot open before version 22.
note_about() { # LOG
	echo "shmlog create: $1: created, but over 4 GiB (4294967296 bytes): Node before version 22 cannot open it (ERR_BUFFER_TOO_LARGE)"
}

# Everything in the scratch folder: kind, size, inode, link, name.
listing() {
	find "$SCRATCH" -mindepth 1 -printf '%y %s %i %l %p\n' | sort
}

# A refusal after which the folder is as it was.
refuse() { # STATUS STDERR ARGUMENT...
	local before

	before=$(listing)
	expect "$1" '' "$2" create "${@:3}"
	assert_equal "$(listing)" "$before"
}

@test "create makes a file of the capacity with a header and nothing else" {
	expect 0 '' '' create "$LOG" -c 64K
	{
		printf '\x18\0\0\0\0\0\0\0%.0s' 1 2 3
		head -c $((65536 - 24)) /dev/zero
	} | cmp - "$LOG"
	assert_equal "$(listing | wc -l)" 1
	assert_equal "$(stat -c %h "$LOG")" 1
}

@test "create makes the same file as the Node package" {
	expect 0 '' '' create "$LOG" -c 65536
	cmp "$LOG" "$FIXTURES/empty.shm"
}

@test "create takes every SIZE and makes the file just as long" {
	local size bytes note

	while read -r size bytes; do
		rm -f "$LOG"
		note=
		((bytes <= 4294967296)) || note=$(note_about "$LOG")
		expect 0 '' "$note" create --sparse "$LOG" -c "$size"
		assert_equal "$(stat -c %s "$LOG")" "$bytes"
		assert_equal "$(u64_at "$LOG" 16)" 24
	done <<-EOF2
		24 24
		25 25
		024 24
		24K 24576
		24k 24576
		24KiB 24576
		24kib 24576
		3m 3145728
		3MIB 3145728
		1gib 1073741824
		1TiB 1099511627776
		1000 1000
		3M 3145728
		2G 2147483648
		4G 4294967296
		4294967297 4294967297
		1T 1099511627776
		8388607T 9223370937343148032
		9223372036854775807 9223372036854775807
	EOF2
}

@test "create refuses a capacity that is no SIZE" {
	local size

	for size in '' -1 +24 0x10 1.5M 64KB 64kb 64Ki 64B 64iB K KiB '24 ' ' 24' 1e3 \
		24KK 24KiBB 1P 99999999999999999999999x; do
		refuse 2 "shmlog create: --capacity '$size' $NO_SIZE
$HINT" "$LOG" -c "$size"
	done
}

@test "create refuses a capacity below a header" {
	local size

	for size in 0 1 23 0K; do
		refuse 2 "shmlog create: --capacity '$size' is too small: the header alone takes 24 bytes
$HINT" "$LOG" -c "$size"
	done
}

@test "create refuses a capacity that no file can have" {
	local size

	for size in 9223372036854775808 18446744073709551615 8388608T \
		18446744073709551616 16777216T 99999999999999999999999KiB; do
		refuse 2 "shmlog create: --capacity '$size' is too large: no file is longer than 9223372036854775807 bytes
$HINT" "$LOG" -c "$size"
	done
}

@test "create without a capacity or a name is wrong usage" {
	refuse 2 "shmlog create: option '--capacity SIZE' is required
$HINT" "$LOG"
	refuse 2 "shmlog create: missing operand: LOG
$HINT" -c 24
	refuse 2 "shmlog create: too many operands: 'b'
$HINT" "$LOG" b -c 24
	refuse 2 "shmlog create: option '-c' needs a value: SIZE
$HINT" "$LOG" -c
}

@test "create takes exact option names only" {
	refuse 2 "shmlog create: unknown option '--cap'; did you mean '--capacity'?
$HINT" "$LOG" --cap 24
	refuse 2 "shmlog create: unknown option '--if'; did you mean '--if-missing'?
$HINT" "$LOG" -c 24 --if
	refuse 2 "shmlog create: option '--sparse' takes no value
$HINT" "$LOG" -c 24 --sparse=yes
}

@test "create takes options before and behind the name, and both spellings" {
	expect 0 '' '' create -c 24 "$SCRATCH/a"
	expect 0 '' '' create -c24 "$SCRATCH/b"
	expect 0 '' '' create "$SCRATCH/c" --capacity 24
	expect 0 '' '' create --capacity=24 "$SCRATCH/d"
	POSIXLY_CORRECT=1 expect 0 '' '' create "$SCRATCH/e" -c 24
	cd "$SCRATCH"
	expect 0 '' '' create -c 24 -- -c
	assert_equal "$(find . -type f -size 24c | sort | xargs)" './-c ./a ./b ./c ./d ./e'
}

@test "of several capacities the last one counts" {
	expect 0 '' '' create "$LOG" -c 24 -c 48
	assert_equal "$(stat -c %s "$LOG")" 48
}

@test "create --help is printed to stdout and creates nothing" {
	run_shmlog 0 create --help "$LOG"
	assert_line --index 0 --partial 'Usage: shmlog create'
	assert_output --partial '--if-missing'
	assert_stderr ''
	assert_not_exist "$LOG"
}

@test "a mode is cut by the umask" {
	local wanted mask mode

	while read -r mask mode wanted; do
		rm -f "$LOG"
		(
			umask "$mask"
			[[ $mode == - ]] && set -- || set -- "$mode"
			expect 0 '' '' create "$LOG" -c 24 "$@"
		)
		assert_equal "$mask $mode $(stat -c %a "$LOG")" "$mask $mode $wanted"
	done <<-EOF2
		0000 - 664
		0022 - 644
		0077 - 600
		0022 --mode=0600 600
		0022 --mode=666 644
		0000 --mode=0777 777
		0777 --mode=0777 0
		0000 --mode=0 0
	EOF2
}

@test "create refuses a mode that is not octal" {
	local mode

	for mode in '' 8 0o644 u+r 888 10000 -1; do
		refuse 2 "shmlog create: mode '$mode' is not an octal number from 0 to 7777
$HINT" "$LOG" -c 24 "--mode=$mode"
	done
}

@test "create reserves the space, and with --sparse does not" {
	expect 0 '' '' create "$LOG" -c 4M
	assert_equal "$(du -k "$LOG" | cut -f1)" 4096
	expect 0 '' '' create "$SCRATCH/sparse" -c 4M --sparse
	(($(du -k "$SCRATCH/sparse" | cut -f1) <= 4))
	cmp "$LOG" "$SCRATCH/sparse"
}

@test "a log that is larger than its file system is refused and leaves nothing" {
	[[ $SCRATCH == /dev/shm/* ]] || skip "the scratch folder is on a disk"
	local bytes=$(($(df -B1 --output=size /dev/shm | tail -n 1) * 4))

	refuse 4 "shmlog create: $LOG: cannot create a log of $bytes bytes: No space left on device; nothing was created" \
		"$LOG" -c "$bytes"
	refuse 4 "shmlog create: $LOG: cannot create a log of 9223372036854775807 bytes: No space left on device; nothing was created" \
		"$LOG" -c 9223372036854775807
}

@test "a limit on the size of files is an error and no signal" {
	local before

	before=$(listing)
	(
		ulimit -f 64
		expect 4 '' "shmlog create: $LOG: cannot create a log of 1048576 bytes: File too large; nothing was created" \
			create "$LOG" -c 1M
	)
	assert_equal "$(listing)" "$before"
}

@test "whatever has the name already is left as it is" {
	local name

	shmlog create "$SCRATCH/log" -c 4K
	echo precious >"$SCRATCH/file"
	: >"$SCRATCH/empty"
	mkdir "$SCRATCH/folder"
	mkfifo "$SCRATCH/fifo"
	ln -s file "$SCRATCH/link"
	ln -s nowhere "$SCRATCH/dangling"
	ln -s loop "$SCRATCH/loop"
	for name in log file empty folder fifo link dangling loop; do
		refuse 4 "shmlog create: $SCRATCH/$name: cannot create: File exists; left as it is" \
			"$SCRATCH/$name" -c 64K
	done
	assert_equal "$(<"$SCRATCH/file")" precious
	assert_equal "$(stat -c %s "$SCRATCH/log")" 4096
}

@test "a place where nothing can be created is refused" {
	local before path why too_long='File name too long' no_entry

	# As musl has it.
	[[ $BUILD != */musl ]] || too_long='Filename too long'
	# Root may create files everywhere, but /proc has none to be created.
	no_entry='Permission denied'
	((EUID != 0)) || no_entry='No such file or directory'
	before=$(listing)
	echo precious >"$SCRATCH/file"
	while IFS='|' read -r path why; do
		expect 4 '' "shmlog create: $path: cannot create a log of 4096 bytes: $why; nothing was created" \
			create "$path" -c 4K
	done <<-EOF2
		$SCRATCH/missing/log|No such file or directory
		$SCRATCH/file/log|Not a directory
		$SCRATCH/log/|No such file or directory
		$SCRATCH/$(printf 'x%.0s' {1..256})|$too_long
		/proc/shmlog-test|$no_entry
	EOF2
	# Any user's own folder, so that it is the name that is refused.
	cd "$SCRATCH"
	expect 4 '' "shmlog create: '': cannot create a log of 24 bytes: No such file or directory; nothing was created" \
		create '' -c 24
	rm "$SCRATCH/file"
	assert_equal "$(listing)" "$before"
}

@test "a folder without write permission is refused" {
	local as_nobody=()

	# Root may write everywhere.
	if ((EUID == 0)); then
		need setpriv
		as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
		chmod 0755 "$SCRATCH"
		"${as_nobody[@]}" test -x "$BUILD/shmlog" || skip "nobody may not run it"
	fi
	mkdir -m 0555 "$SCRATCH/folder"
	run --separate-stderr "${as_nobody[@]}" "$BUILD/shmlog" create -c 24 "$SCRATCH/folder/log"
	assert_equal "$status" 4
	assert_output ''
	assert_stderr "shmlog create: $SCRATCH/folder/log: cannot create a log of 24 bytes: Permission denied; nothing was created"
	assert_equal "$(ls -A "$SCRATCH/folder")" ''
}

@test "a name with control bytes is escaped in the message" {
	local name=$'a\e[31m\n\xff\u202e'

	expect 0 '' '' create "$SCRATCH/$name" -c 24
	expect 4 '' "shmlog create: $SCRATCH/"'a\x1b[31m\n\xff\u{202e}: cannot create: File exists; left as it is' \
		create "$SCRATCH/$name" -c 24
}

@test "--if-missing creates a log that is missing" {
	expect 0 '' '' create --if-missing "$LOG" -c 4K
	assert_equal "$(stat -c %s "$LOG")" 4096
}

@test "--if-missing leaves a log that is there alone" {
	local before

	cp "$FIXTURES/json.shm" "$LOG"
	ln -s log.shm "$SCRATCH/link"
	remember "$LOG"
	before=$(stat -c '%i %y %s' "$LOG")
	expect 0 '' '' create --if-missing "$LOG" -c 64K
	# A log of another capacity is not what was asked for.
	expect 0 '' "shmlog create: $LOG: exists with a capacity of 65536 bytes, not 4096; left as it is" \
		create --if-missing "$LOG" -c 4K
	expect 0 '' "shmlog create: $SCRATCH/link: exists with a capacity of 65536 bytes, not 1073741824; left as it is" \
		create --if-missing "$SCRATCH/link" -c 1G
	assert_unchanged "$LOG"
	assert_equal "$(stat -c '%i %y %s' "$LOG")" "$before"
	# Wrong usage stays wrong.
	refuse 2 "shmlog create: --capacity '23' is too small: the header alone takes 24 bytes
$HINT" --if-missing "$LOG" -c 23
}

@test "--if-missing refuses what is no log and leaves it as it is" {
	local name why

	mkdir "$SCRATCH/folder"
	mkfifo "$SCRATCH/fifo"
	: >"$SCRATCH/empty"
	echo foreign >"$SCRATCH/short"
	head -c 64 /dev/zero >"$SCRATCH/zero"
	ln -s nowhere "$SCRATCH/dangling"
	cp "$FIXTURES/json.shm" "$SCRATCH/low"
	put_u64 "$SCRATCH/low" 8 23
	put_u64 "$SCRATCH/low" 16 100
	cp "$FIXTURES/json.shm" "$SCRATCH/cut"
	truncate -s 1000 "$SCRATCH/cut"
	while IFS='|' read -r name why; do
		refuse 5 "shmlog create: $SCRATCH/$name: exists and is no $why; left as it is" \
			--if-missing "$SCRATCH/$name" -c 4K
	done <<-EOF2
		folder|sound log: it is no regular file
		fifo|sound log: it is no regular file
		empty|sound log: it has 0 bytes, and a header alone takes 24
		short|sound log: it has 8 bytes, and a header alone takes 24
		zero|sound log: its header is all zeros: it was never initialised, or is just being created
		dangling|log: it is a link that leads nowhere
		low|sound log: dataOffset 23 is not from 24 to the file's 65536 bytes
		cut|sound log: size 36063 lies beyond the file's 1000 bytes
	EOF2
	assert_equal "$(<"$SCRATCH/short")" foreign
}

@test "of many that create one log exactly one succeeds, and all see a header" {
	local i

	for i in {1..12}; do
		{
			shmlog create "$LOG" -c "$((i * 4096))" 2>/dev/null &&
				echo "$((i * 4096))" >>"$SCRATCH/winners"
			[[ $(u64_at "$LOG" 16) == 24 ]] || touch "$SCRATCH/bad"
		} 3>&- &
	done
	wait
	assert_equal "$(wc -l <"$SCRATCH/winners")" 1
	assert_equal "$(stat -c %s "$LOG")" "$(<"$SCRATCH/winners")"
	assert_not_exist "$SCRATCH/bad"
	rm "$SCRATCH/winners"
	assert_equal "$(listing | wc -l)" 1
}

@test "of many that create one log with --if-missing all succeed" {
	local i

	for i in {1..12}; do
		shmlog create --if-missing "$LOG" -c 4096 2>>"$SCRATCH/stderr" 3>&- ||
			echo "$?" >>"$SCRATCH/bad" &
	done
	wait
	assert_not_exist "$SCRATCH/bad"
	assert_equal "$(<"$SCRATCH/stderr")" ''
	assert_equal "$(stat -c %s "$LOG")" 4096
}

# ------------------------------------------- where files cannot do without names

@test "a signal during a creation leaves nothing, also where drafts have names" {
	local shim made ended command

	preload named_drafts
	made=$SCRATCH/made
	shmlog append --create 64K "$SCRATCH/source" -m x
	mkdir "$SCRATCH/folder"
	for command in "create $SCRATCH/folder/log -c 64K" \
		"append --create 64K $SCRATCH/folder/log -m x" \
		"verify $SCRATCH/source --salvage $SCRATCH/folder/log"; do
		rm -f "$made"
		# shellcheck disable=SC2086
		SHIM_MARK=$made LD_PRELOAD=$shim shmlog $command >/dev/null 2>"$SCRATCH/stderr" 3>&- &
		wait_for 20 test -e "$made"
		kill $!
		ended=0
		wait $! || ended=$?
		assert_equal "$ended" 143
		assert_equal "$(ls -A "$SCRATCH/folder")" ''
	done
}

@test "a creation where drafts have names leaves the log alone" {
	local shim

	preload named_drafts
	mkdir "$SCRATCH/folder"
	LD_PRELOAD=$shim shmlog create "$SCRATCH/folder/log" -c 64K
	assert_equal "$(ls -A "$SCRATCH/folder")" log
	shmlog append "$SCRATCH/folder/log" -m x
	run_shmlog 4 create "$SCRATCH/folder/log" -c 64K
	LD_PRELOAD=$shim run_shmlog 4 create "$SCRATCH/folder/large" -c 8388607T
	assert_stderr --partial "nothing was created"
	assert_equal "$(ls -A "$SCRATCH/folder")" log
}

@test "space is reserved once more when a signal cuts that" {
	local shim

	preload named_drafts
	export SHIM_CUTS=3
	LD_PRELOAD=$shim shmlog create "$SCRATCH/made" -c 64K
	assert_equal "$(stat -c %s "$SCRATCH/made")" 65536
	LD_PRELOAD=$shim shmlog append --create 64K "$SCRATCH/appended" -m x
	assert_equal "$(frames_of "$SCRATCH/appended")" 1
	LD_PRELOAD=$shim shmlog verify -q "$SCRATCH/appended" --salvage "$SCRATCH/salvaged"
	cmp "$SCRATCH/appended" "$SCRATCH/salvaged"
}
