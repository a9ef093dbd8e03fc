# ls: the logs under a path, and who holds them.
load helper

HOLDER=

teardown() {
	[[ -z $HOLDER ]] || kill -9 "$HOLDER" 2>/dev/null || true
	scratch_remove
}

# A process that has a file open, and mapped with `map`, until it is killed; its
# number is in $HOLDER.
hold() { # r|w FILE
	case $1 in
	r) sleep 600 8<"$2" & ;;
	w) sleep 600 8<>"$2" & ;;
	esac
	HOLDER=$!
	wait_for 10 test "/proc/$HOLDER/fd/8" -ef "$2"
}

let_go() {
	kill -9 "$HOLDER"
	wait "$HOLDER" 2>/dev/null || true
	HOLDER=
}

# The values of a member, one a line, in the order of the list.
listed() { # FILTER ARGUMENT...
	shmlog ls -o json "${@:2}" | jq -r "$1"
}

make_log() { # NAME
	seq 5 | shmlog append --create 4K "$SCRATCH/$1"
}

@test "ls shows each golden log with its words" {
	local file path

	cp "$FIXTURES"/*.shm "$SCRATCH"
	run_shmlog 0 ls -o json "$SCRATCH"
	assert_stderr ''
	assert_equal "${#lines[@]}" "$(find "$FIXTURES" -name '*.shm' | wc -l)"
	for file in "$FIXTURES"/*.shm; do
		path=$SCRATCH/${file##*/}
		assert_equal "$(jq -c --arg path "$path" 'select(.path == $path) |
			[.data_offset, .size, .capacity, .committed_bytes]' <<<"$output")" \
			"$(manifest "${file##*/}" '[.dataOffset, .committedSize, .capacity,
				.committedSize - .dataOffset] | tojson')"
	done
	assert_equal "$(jq -r 'select(.state != "sound").path' <<<"$output")" \
		"$SCRATCH/oversize-wrap.shm"
	assert_equal "$(jq -r 'select(.deleted).path' <<<"$output")" ''
}

@test "ls prints an aligned table, sorted by name" {
	make_log b
	make_log a
	shmlog create "$SCRATCH/longer-name" -c 3M
	run_shmlog 0 ls "$SCRATCH"
	assert_stderr ''
	assert_equal "${#lines[@]}" 4
	assert_regex "${lines[0]}" '^NAME +USED +CAPACITY +FILL +WRITERS +READERS +OWNER +STATE$'
	assert_regex "${lines[1]}" "^$SCRATCH/a +25 B +4.0 KiB +0.61 % +[0?]\+? +[0?]\+? +[^ ]+ +sound$"
	assert_regex "${lines[2]}" "^$SCRATCH/b "
	assert_regex "${lines[3]}" "^$SCRATCH/longer-name +0 B +3.0 MiB +0.00 % "
	# The titles of what is aligned to the right end where the values do.
	assert_equal "${lines[0]%%CAPACITY*}CAPACITY" "$(printf '%-*s' \
		$((${#SCRATCH} + 12)) NAME)  USED  CAPACITY"
}

@test "ls of a folder without logs prints nothing" {
	expect 0 '' '' ls "$SCRATCH"
	expect 0 '' '' ls -o json "$SCRATCH"
}

@test "ls passes over what is no log" {
	seq 1000 >"$SCRATCH/text"
	: >"$SCRATCH/empty"
	head -c 4096 /dev/zero >"$SCRATCH/zeros"
	head -c 4096 /dev/zero | tr '\0' '\377' >"$SCRATCH/ones"
	mkfifo "$SCRATCH/fifo"
	ln -s /dev/zero "$SCRATCH/device"
	ln -s nowhere "$SCRATCH/dangling"
	# Words that are possible, behind which no frame is whole.
	make_log frameless
	put_bytes "$SCRATCH/frameless" 24 ffff
	put_bytes "$SCRATCH/frameless" 47 ffff
	# headerSize beyond dataOffset, size beyond the file, a cut file.
	make_log header
	put_u64 "$SCRATCH/header" 0 100
	make_log size
	put_u64 "$SCRATCH/size" 16 4097
	make_log cut
	truncate -s 40 "$SCRATCH/cut"
	expect 0 '' '' ls "$SCRATCH"
}

@test "ls says what is wrong with a file that is given by its name, status 5" {
	seq 1000 >"$SCRATCH/text"
	make_log good
	run_shmlog 5 ls -o json "$SCRATCH/text" "$SCRATCH/good"
	assert_stderr --regexp "^shmlog ls: $SCRATCH/text: not a log: headerSize [0-9]+ is not from 24"
	assert_equal "$(jq -r .path <<<"$output")" "$SCRATCH/good"
	make_log header
	put_u64 "$SCRATCH/header" 0 100
	expect 5 '' "shmlog ls: $SCRATCH/header: not a log: headerSize 100 lies beyond dataOffset 24" \
		ls "$SCRATCH/header"
	run_shmlog 5 ls /dev/null
	assert_stderr 'shmlog ls: /dev/null: not a log: it is no regular file'
}

@test "ls shows a log that is damaged at one end" {
	make_log first
	put_bytes "$SCRATCH/first" 24 0000
	make_log last
	put_bytes "$SCRATCH/last" 47 ffff
	make_log torn
	put_u64 "$SCRATCH/torn" 16 48
	make_log whole
	assert_equal "$(listed '"\(.state) \(.path)"' "$SCRATCH")" \
		"damaged $SCRATCH/first
damaged $SCRATCH/last
damaged $SCRATCH/torn
sound $SCRATCH/whole"
}

@test "ls looks below folders, follows no link in them, and takes one as PATH" {
	mkdir -p "$SCRATCH/top/deep/er" "$SCRATCH/aside"
	make_log top/deep/er/a
	make_log top/b
	make_log aside/c
	ln -s ../aside "$SCRATCH/top/link"
	ln -s ../aside/c "$SCRATCH/top/file"
	assert_equal "$(listed .path "$SCRATCH/top")" \
		"$SCRATCH/top/b
$SCRATCH/top/deep/er/a"
	assert_equal "$(listed .path "$SCRATCH/top/link" "$SCRATCH/top/file")" \
		"$SCRATCH/top/file
$SCRATCH/top/link/c"
	# A folder that ends in a slash.
	assert_equal "$(listed .path "$SCRATCH/top/deep/")" "$SCRATCH/top/deep/er/a"
}

@test "ls looks below a thousand folders with few descriptors" {
	local path=$SCRATCH i

	for ((i = 0; i < 200; i++)); do
		path+=/d
		mkdir "$path"
	done
	cp "$FIXTURES/json.shm" "$path/log"
	run bash -c "ulimit -n 12 && exec shmlog ls -o json '$SCRATCH'"
	assert_success
	assert_equal "$(jq -r .path <<<"$output")" "$path/log"
}

@test "ls escapes hostile names" {
	local name=$'a\e[31m\nb'

	make_log "$name"
	run_shmlog 0 ls "$SCRATCH"
	assert_equal "${#lines[@]}" 2
	assert_line --partial "$SCRATCH/a\\x1b[31m\\nb "
	assert_equal "$(listed .path "$SCRATCH")" "$SCRATCH/$name"
}

@test "ls of a missing path is status 4, and the others are listed" {
	make_log a
	run_shmlog 4 ls -o json "$SCRATCH/missing" "$SCRATCH"
	assert_stderr "shmlog ls: $SCRATCH/missing: cannot open: No such file or directory"
	assert_equal "$(jq -r .path <<<"$output")" "$SCRATCH/a"
}

@test "ls names what may not be read, status 4" {
	need setpriv
	[[ $(id -u) -eq 0 ]] || skip "needs root, to become somebody else"
	chmod 755 "$SCRATCH"
	make_log a
	make_log b
	chmod 600 "$SCRATCH/b"
	mkdir -m 700 "$SCRATCH/closed"
	run --separate-stderr setpriv --reuid=65534 --clear-groups \
		"$BUILD/shmlog" ls -o json "$SCRATCH"
	assert_equal "$status" 4
	assert_equal "$(jq -r .path <<<"$output")" "$SCRATCH/a"
	assert_equal "$(sort <<<"$stderr")" "shmlog ls: $SCRATCH/b: cannot look at it: Permission denied; it may be a log
shmlog ls: $SCRATCH/closed: cannot read the folder: Permission denied"
}

@test "ls opens no FIFO, so nobody who waits for its reader goes on" {
	mkfifo "$SCRATCH/fifo"
	bash -c "echo x >'$SCRATCH/fifo'" &
	HOLDER=$!
	wait_for 10 test -e "/proc/$HOLDER/fd/0"
	run_shmlog 0 ls "$SCRATCH"
	run_shmlog 5 ls "$SCRATCH/fifo"
	kill -0 "$HOLDER"
	let_go
}

@test "ls counts who writes and who reads" {
	skip_if_portable "there is no list of processes"
	make_log a
	make_log b
	assert_equal "$(listed '[.writers, .readers] | tojson' "$SCRATCH")" $'[0,0]\n[0,0]'
	hold r "$SCRATCH/a"
	assert_equal "$(listed '[.writers, .readers] | tojson' "$SCRATCH")" $'[0,1]\n[0,0]'
	let_go
	hold w "$SCRATCH/b"
	assert_equal "$(listed '[.writers, .readers] | tojson' "$SCRATCH")" $'[0,0]\n[1,0]'
	run_shmlog 0 ls "$SCRATCH/b"
	assert_line --regexp ' % +1\+? +0\+? '
	let_go
}

@test "ls counts a log once under each of its names" {
	skip_if_portable "there is no list of processes"
	make_log a
	ln "$SCRATCH/a" "$SCRATCH/b"
	hold r "$SCRATCH/a"
	assert_equal "$(listed '[.path, .readers] | tojson' "$SCRATCH")" \
		"[\"$SCRATCH/a\",1]
[\"$SCRATCH/b\",1]"
	let_go
}

@test "ls counts an appender that waits for input as a writer" {
	skip_if_portable "there is no list of processes"
	make_log a
	mkfifo "$SCRATCH/in"
	shmlog append "$SCRATCH/a" <"$SCRATCH/in" &
	HOLDER=$!
	exec 7>"$SCRATCH/in"
	echo x >&7
	wait_for 20 bash -c "shmlog dump '$SCRATCH/a' | grep -qx x"
	assert_equal "$(listed '[.writers, .readers] | tojson' "$SCRATCH")" '[1,0]'
	exec 7>&-
	wait "$HOLDER"
	HOLDER=
}

@test "ls -a names a log that shmlog rm has removed as it was named" {
	skip_if_portable "there is no list of processes"
	local name

	for name in a .hidden b.7 "$(printf 'n%.0s' {1..99})"; do
		make_log "$name"
		hold r "$SCRATCH/$name"
		shmlog rm "$SCRATCH/$name"
		run_shmlog 0 ls -a -o json "$SCRATCH"
		assert_equal "$(jq -r 'select(.deleted).former_path' <<<"$output")" "$SCRATCH/$name"
		let_go
	done
	# What another program has removed keeps its name, also one like these.
	make_log .c.1.x
	hold r "$SCRATCH/.c.1.x"
	rm "$SCRATCH/.c.1.x"
	run_shmlog 0 ls -a -o json "$SCRATCH"
	assert_equal "$(jq -r 'select(.deleted).former_path' <<<"$output")" "$SCRATCH/.c.1.x"
	let_go
}

@test "ls -a shows a log that has lost its name, and dump reads it" {
	skip_if_portable "there is no list of processes"
	local path

	make_log a
	make_log b
	hold r "$SCRATCH/a"
	rm "$SCRATCH/a"
	assert_equal "$(listed .path "$SCRATCH")" "$SCRATCH/b"
	path=/proc/$HOLDER/fd/8
	run_shmlog 0 ls -a -o json "$SCRATCH"
	assert_equal "$(jq -c --arg path "$path" 'select(.path == $path) |
		[.deleted, .former_path, .state, .writers, .readers, .size]' <<<"$output")" \
		"[true,\"$SCRATCH/a\",\"sound\",0,1,49]"
	assert_equal "$(jq -r 'select(.deleted | not).path' <<<"$output")" "$SCRATCH/b"
	run_shmlog 0 ls -a "$SCRATCH"
	assert_line --regexp "^$path .* sound, deleted$"
	run_shmlog 0 dump "$path"
	assert_output "$(seq 5)"
	let_go
	run_shmlog 0 ls -a -o json "$SCRATCH"
	refute_output --partial "$path"
}

@test "ls -a shows a log that was replaced, once for all who hold it" {
	skip_if_portable "there is no list of processes"
	local first

	make_log a
	hold w "$SCRATCH/a"
	first=$HOLDER
	hold r "$SCRATCH/a"
	rm "$SCRATCH/a"
	make_log a
	run_shmlog 0 ls -a -o json "$SCRATCH"
	assert_equal "$(jq -c --arg name "$SCRATCH/a" 'select(.deleted and
		.former_path == $name) | [.writers, .readers]' <<<"$output")" '[1,1]'
	let_go
	HOLDER=$first
	let_go
}

@test "ls -a passes over deleted files that are no logs" {
	skip_if_portable "there is no list of processes"
	seq 1000 >"$SCRATCH/text"
	hold r "$SCRATCH/text"
	rm "$SCRATCH/text"
	run_shmlog 0 ls -a -o json "$SCRATCH"
	refute_output --partial "/proc/$HOLDER/"
	let_go
}

@test "ls -a shows a deleted log that is mapped and not open" {
	skip_if_portable "there is no list of processes"
	need python3
	[[ -r /proc/self/map_files ]] || skip "no /proc/PID/map_files"
	make_log a
	# The module mmap would keep a descriptor of its own.
	python3 -c 'import ctypes, os, sys, time
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
file = os.open(sys.argv[1], os.O_RDWR)
libc.mmap(None, ctypes.c_size_t(4096), 3, 1, file, ctypes.c_long(0))
os.close(file)
open(sys.argv[2], "w").close()
time.sleep(600)' "$SCRATCH/a" "$SCRATCH/ready" &
	HOLDER=$!
	wait_for 20 test -e "$SCRATCH/ready"
	rm "$SCRATCH/a"
	run shmlog ls -a -o json "$SCRATCH"
	if [[ $(id -u) -eq 0 ]]; then
		assert_success
		assert_equal "$(jq -r --arg name "$SCRATCH/a" \
			'select(.former_path == $name) | [.deleted, .writers] | tojson' <<<"$output")" \
			'[true,1]'
	else
		assert_failure 4
	fi
	let_go
}

@test "ls tells no lag where no follower shows its place" {
	make_log a
	assert_equal "$(listed .lag "$SCRATCH")" null
}

@test "ls without a path lists /dev/shm, and stat without a log does the same" {
	[[ $SCRATCH == /dev/shm/* ]] || skip "/dev/shm is not to be written here"
	make_log a
	# Others may have files there that cannot be read, or remove them just now.
	run --separate-stderr shmlog ls -o json
	assert_output --partial "\"path\":\"$SCRATCH/a\""
	run --separate-stderr shmlog stat -o json
	assert_output --partial "\"path\":\"$SCRATCH/a\""
	run --separate-stderr shmlog stat
	assert_line --regexp '^NAME +USED'
	assert_line --regexp "^$SCRATCH/a "
}

@test "what stat tells of one log takes a log" {
	local option

	for option in procs histogram watch; do
		run_shmlog 2 stat "--$option"
		assert_stderr --partial "--$option takes a LOG"
	done
}

@test "ls says that it cannot tell who holds a log where there is no /proc" {
	[[ $BUILD == */portable ]] || skip "there is a list of processes"
	make_log a
	assert_equal "$(listed '[.writers, .readers, .processes_unseen] | tojson' "$SCRATCH")" \
		'[null,null,null]'
	run_shmlog 0 ls "$SCRATCH"
	assert_line --regexp '% +\? +\? '
	run_shmlog 4 ls -a "$SCRATCH"
	assert_stderr --partial 'cannot tell who holds a log'
}

@test "ls refuses an unknown format, status 2" {
	run_shmlog 2 ls -o xml
	assert_stderr --partial "unknown output format 'xml'"
}

@test "a failed write of ls is status 4" {
	[[ -e /dev/full ]] || skip "no /dev/full"
	make_log a
	run bash -c "shmlog ls '$SCRATCH' >/dev/full"
	assert_failure 4
}
