# Progress: who sees it, what it leaves behind, and the signal that asks for it.
load helper

setup() {
	scratch_make
	ERASE=$'\r\e[K'
	ERASED=$'\r\e\\[K'
	# A line has room for a short name.
	cd "$SCRATCH" || return
	LOG=log.shm
}

need_terminal() {
	need script
	script -qec true /dev/null </dev/null >/dev/null 2>&1 3>&- ||
		skip 'no script(1) of util-linux on this machine'
}

# Runs a shell command with stdout and stderr on a terminal of a kind; what was
# sent to the terminal is in $SCRATCH/seen.
on_terminal() { # TERM COMMAND
	need_terminal
	NO_COLOR=1 COLUMNS=80 TERM=$1 script -qec "$2" /dev/null </dev/null 3>&- >"$SCRATCH/seen"
}

# Two lines with a pause between them: work of which a second has passed when
# its end comes, on a machine of any speed.
slowly() {
	echo one
	sleep 1.1
	echo two
}

# A log whose dump with --pace .t takes over two seconds, each frame by itself.
make_paced() {
	local i

	for ((i = 0; i < 48; i++)); do
		echo "{\"t\":$((1700000000000 + i * 50))}"
	done | shmlog append --create 64K "$LOG"
}

@test "work on a terminal shows a line that is erased in the end" {
	make_paced
	on_terminal xterm "shmlog dump --pace .t '$LOG' >'$SCRATCH/out'"
	run cat "$SCRATCH/seen"
	assert_output --regexp "^$ERASED$LOG: [0-9]+ %, [0-9.]+ [KM]?i?B of 1.[0-9] KiB, [0-9.]+ B/s, .* (left|so far)"
	# Nothing but the line, over and over, and then nothing.
	assert_equal "$(tail -c 4 "$SCRATCH/seen")" "$ERASE"
	refute_output --partial $'\n'
	cmp "$SCRATCH/out" <(shmlog dump "$LOG")
}

@test "short work, a pipe and a dumb terminal show none" {
	make_paced
	on_terminal xterm "shmlog verify -q '$LOG'; shmlog dump '$LOG' >'$SCRATCH/out'"
	assert_equal "$(<"$SCRATCH/seen")" ''
	on_terminal xterm "shmlog dump --pace .t '$LOG' | cat >'$SCRATCH/out'"
	assert_equal "$(<"$SCRATCH/seen")" ''
	on_terminal dumb "shmlog dump --pace .t '$LOG' >'$SCRATCH/out'"
	assert_equal "$(<"$SCRATCH/seen")" ''
	on_terminal xterm "shmlog dump --progress never --pace .t '$LOG' >'$SCRATCH/out'"
	assert_equal "$(<"$SCRATCH/seen")" ''
	run_shmlog 0 dump --pace .t "$LOG"
	assert_stderr ''
	slowly | shmlog append "$LOG" 2>"$SCRATCH/err"
	assert_equal "$(<"$SCRATCH/err")" ''
}

@test "frames on a terminal are their own progress, matches are not" {
	make_paced
	on_terminal xterm "shmlog dump --pace .t --color never '$LOG'"
	refute grep -q '%,' "$SCRATCH/seen"
	on_terminal xterm "shmlog dump --pace .t --color never --grep '...50}' '$LOG'"
	assert grep -q '%,' "$SCRATCH/seen"
	# What is printed takes the place of the line.
	tr '\n' '@' <"$SCRATCH/seen" >"$SCRATCH/one"
	assert grep -q $'\r\e\\[K{"t":1700000001050}' "$SCRATCH/one"
}

@test "an input without an end shows none, unless it is asked for" {
	on_terminal xterm "sh -c 'echo one; sleep 1.1; echo two' | shmlog append --create 4K '$LOG'"
	assert_equal "$(<"$SCRATCH/seen")" ''
	on_terminal xterm "sh -c 'echo one; sleep 1.1; echo two' |
		shmlog append --progress always '$LOG'"
	run cat "$SCRATCH/seen"
	assert_output --regexp "^${ERASED}8 B, [0-9.]+ B/s, 1 s so far"
}

@test "a message takes the place of the line" {
	make_paced
	# The last frame loses its second size word.
	put_bytes "$LOG" $(($(u64_at "$LOG" 16) - 2)) 0000
	on_terminal xterm "shmlog dump --pace .t '$LOG' >'$SCRATCH/out'; true"
	run cat "$SCRATCH/seen"
	assert_output --regexp "${ERASED}$LOG: [0-9]+ %, [^"$'\r'"]*${ERASED}shmlog dump: $LOG: damaged frame"
	assert_output --regexp "${ERASED}shmlog dump: $LOG: damaged frame [^"$'\r'"]*"$'\r?$'
}

@test "with always a pipe gets a whole line a second" {
	slowly | shmlog append --progress always --create 4K "$LOG" 2>"$SCRATCH/err"
	run cat "$SCRATCH/err"
	assert_equal "${#lines[@]}" 1
	assert_output --regexp '^shmlog append: 8 B, [0-9.]+ B/s, 1 s so far$'
}

@test "with json a program gets an object a second, and one at the end" {
	make_paced
	shmlog dump --progress json --pace .t "$LOG" 2>"$SCRATCH/err" >"$SCRATCH/out"
	assert [ "$(wc -l <"$SCRATCH/err")" -ge 2 ]
	jq -se --arg log "$LOG" 'all(.[]; .event == "progress" and .path == $log)
		and (last | .finished and .done_bytes == .total_bytes and .share == 1)
		and (first | (.finished | not) and .share < 1 and .bytes_per_second > 0
			and .seconds >= 1 and .seconds_left > 0)' "$SCRATCH/err"
	# Short work has its end.
	run_shmlog 0 verify --progress json "$LOG"
	jq -e '.finished and .done_bytes == .total_bytes' <<<"$stderr"
}

@test "each command that may take long has progress" {
	local command

	make_paced
	run_shmlog 0 stat --progress json "$LOG"
	jq -e .finished <<<"$stderr"
	run_shmlog 0 verify --salvage "$SCRATCH/copy" --progress json "$LOG"
	jq -e .finished <<<"$stderr"
	echo x >"$SCRATCH/file"
	run_shmlog 0 append --progress json "$LOG" "$SCRATCH/file"
	jq -e '.finished and .done_bytes == 2 and .total_bytes == 2' <<<"$stderr"
	run_shmlog 0 append --progress json "$LOG" <"$SCRATCH/file"
	jq -e '.finished and .path == null and .total_bytes == 2' <<<"$stderr"
	for command in append dump rotate stat verify; do
		run_shmlog 2 "$command" --progress sometimes "$LOG"
		assert_stderr --partial \
			"shmlog $command: --progress 'sometimes' is neither auto, always, never nor json"
	done
}

@test "archives have progress, made and read" {
	skip_if_portable 'nobody can tell who holds a file, so it is not archived'
	make_paced
	run_shmlog 0 rotate --compress --progress json "$LOG"
	[[ $stderr != *'lacks zstd'* ]] || skip 'built without zstd'
	jq -e '.finished and (.path | test("Z\\.zst$")) and .done_bytes == .total_bytes' <<<"$stderr"
	run_shmlog 0 verify --progress json "$SCRATCH"/*.zst
	jq -se 'length == 2 and .[0].note == "copying it to an unnamed file" and all(.[]; .finished)' \
		<<<"$stderr"
}

# Sends the signal until it was answered: it may come before the command has
# begun to read.
ask() { # PID
	kill -USR1 "$1"
	sleep 0.02
	grep -q . "$SCRATCH/err"
}

@test "SIGUSR1 is answered once, in a pipe, and the work goes on" {
	local pid

	mkfifo "$SCRATCH/fifo"
	shmlog append --create 4K "$LOG" "$SCRATCH/fifo" 2>"$SCRATCH/err" 3>&- &
	pid=$!
	exec 8>"$SCRATCH/fifo"
	echo one >&8
	wait_for 5 eval '[[ $(shmlog dump "$LOG" 2>&1) == one ]]'
	wait_until_asleep "$pid"
	wait_for 5 ask "$pid"
	run cat "$SCRATCH/err"
	assert_line --index 0 --regexp \
		"^shmlog append: $SCRATCH/fifo: 4 B, [0-9.]+ (Ki|Mi|)B/s, .* so far$"
	echo two >&8
	exec 8>&-
	wait "$pid"
	assert_equal "$(shmlog dump "$LOG")" $'one\ntwo'
}

@test "SIGUSR1 is answered in JSON where that is asked for" {
	local pid

	mkfifo "$SCRATCH/fifo"
	shmlog append --progress json --create 4K "$LOG" "$SCRATCH/fifo" \
		2>"$SCRATCH/err" 3>&- &
	pid=$!
	exec 8>"$SCRATCH/fifo"
	wait_until_asleep "$pid"
	wait_for 5 ask "$pid"
	head -n 1 "$SCRATCH/err" | jq -e '.event == "progress" and (.finished | not)'
	exec 8>&-
	wait "$pid"
}

@test "SIGUSR1 finds a command that waits for a lock, or for a reader" {
	local pid

	need flock
	shmlog create -c 4K "$LOG"
	exec 8<"$LOG"
	flock 8
	shmlog append "$LOG" -m one 2>"$SCRATCH/err" 8<&- 3>&- &
	pid=$!
	wait_until_asleep "$pid"
	# It has begun no file, so there is nothing to tell; it must go on waiting.
	kill -USR1 "$pid"
	sleep 0.05
	kill -USR1 "$pid"
	exec 8<&-
	wait "$pid"
	assert_equal "$(shmlog dump "$LOG")" one
	head -c 3000000 /dev/zero | tr '\0' x | fold -w 1000 |
		shmlog append --create 8M "$SCRATCH/large"
	mkfifo "$SCRATCH/fifo"
	shmlog dump "$SCRATCH/large" >"$SCRATCH/fifo" 2>"$SCRATCH/err" 3>&- &
	pid=$!
	exec 8<"$SCRATCH/fifo"
	wait_until_asleep "$pid"
	wait_for 5 ask "$pid"
	assert grep -q "^shmlog dump: $SCRATCH/large: [0-9]* %, " "$SCRATCH/err"
	cmp <(cat <&8) <(shmlog dump "$SCRATCH/large")
	exec 8<&-
	wait "$pid"
}

@test "a command that is interrupted leaves no line behind" {
	make_paced
	need_terminal
	on_terminal xterm "shmlog dump --pace .t '$LOG' >'$SCRATCH/out' & pid=\$!
		sleep 1.7; kill -TERM \$pid; wait \$pid; echo \$?" || true
	assert_equal "$(tail -c 5 "$SCRATCH/seen" | tr -d '\r\n')" 143
}

@test "work that is broken off is not said to be finished" {
	local pid

	seq 100 >"$SCRATCH/lines"
	run_shmlog 6 append --progress json --create 100 full.shm "$SCRATCH/lines"
	assert_equal "$(grep '^{' <<<"$stderr" | jq -c .finished | tail -n 1)" false
	make_paced
	shmlog dump --pace .t --progress json "$LOG" >"$SCRATCH/out" 2>"$SCRATCH/err" 3>&- &
	pid=$!
	wait_until_asleep "$pid"
	kill "$pid"
	wait "$pid" || true
	assert_equal "$(jq -c .finished "$SCRATCH/err" | tail -n 1)" false
	run_shmlog 0 dump -n 1 --progress json "$LOG"
	assert_equal "$(jq -c .finished <<<"$stderr")" true
}

@test "a signal ends the copying of an archive at once" {
	need zstd
	skip_if_sanitized 'a sanitizer has no time for so much'
	local pid i result=0

	# Zeros, which are fast to make and to unpack, and are not written.
	shmlog create -c 4K "$LOG"
	put_u64 "$LOG" 16 $((8 << 30))
	head -c 16M /dev/zero | zstd -q >part
	{
		head -c 24 "$LOG" | zstd -q
		for ((i = 0; i < 512; i++)); do
			cat part
		done
	} >large.zst
	shmlog stat --progress json large.zst 2>"$SCRATCH/err" 3>&- &
	pid=$!
	wait_until_busy "$pid" 50
	kill "$pid"
	wait "$pid" || result=$?
	assert_equal "$result" 143
	jq -se 'last | (.finished | not) and .done_bytes < .total_bytes' "$SCRATCH/err"
}
