# stat: what a log holds, in text and in JSON.
load helper

# A row of the text, without its label.
row() { # LABEL
	sed -n "s/^  $1  *//p" <<<"$output"
}

member() { # FILTER
	jq -c "$1" <<<"$output"
}

make_log() {
	printf '%s\n' '' a bb cccc dddddddd | shmlog append --create 4K "$LOG"
}

# stat of a sound golden file agrees with the manifest, in both forms.
check_golden() { # FILE
	local path=$FIXTURES/$1 size capacity frames total

	run_shmlog 0 stat -o json "$path"
	assert_stderr ''
	assert_equal "${#lines[@]}" 1
	# The members that are not as the manifest says; the mean has two decimals,
	# rounded either way.
	assert_equal "$(manifest "$1" ". as \$wanted | $output | (. + .payload) as \$told |
		[\$wanted.frames[].payloadBytes] | sort as \$s | length as \$n |
		(add // 0) as \$total | {
			path: \"$path\", state: \"sound\", status: 0, error: null,
			header_size: \$wanted.headerSize, data_offset: \$wanted.dataOffset,
			size: \$wanted.committedSize, capacity: \$wanted.capacity,
			committed_bytes: (\$wanted.committedSize - \$wanted.dataOffset),
			free_bytes: (\$wanted.capacity - \$wanted.committedSize +
				\$wanted.dataOffset - 24),
			frames: \$n, total: \$total, min: \$s[0], max: \$s[-1],
			median: (if \$n == 0 then null else
				(\$s[(\$n - 1) / 2 | floor] + \$s[\$n / 2 | floor]) / 2 end),
			tail: \"clean\", damaged_ranges: 0, damaged_bytes: 0, damage: []
		} | [to_entries[] | select(.value != \$told[.key]).key] + if \$n > 0 and
			((\$told.mean - \$total / \$n) * 1000 | round | fabs) > 5
			then [\"mean\"] else [] end | tojson")" '[]'

	read -r size capacity frames total <<<"$(manifest "$1" '"\(.committedSize) \(.capacity) \(
		.frameCount) \([.frames[].payloadBytes] | add // 0)"')"
	run_shmlog 0 stat "$path"
	assert_stderr ''
	assert_line --index 0 "$path"
	assert_equal "$(row state)" sound
	assert_equal "$(row 'header size')" '24 bytes'
	assert_equal "$(row 'data offset')" 24
	assert_equal "$(row size)" "$size"
	assert_regex "$(row capacity)" "^$capacity bytes"
	assert_regex "$(row used)" "^$((size - 24)) bytes"
	assert_equal "$(row frames)" "$frames"
	assert_regex "$(row 'payload total')" "^$total bytes?"
	assert_equal "$(row tail)" clean
	assert_regex "$(row fill)" '^\[#*\.*\] [0-9.]+ %$'
}

@test "stat of empty.shm" {
	check_golden empty.shm
	assert_equal "$(row fill)" "[$(printf '.%.0s' {1..30})] 0.00 %"
	run_shmlog 0 stat --histogram "$FIXTURES/empty.shm"
	assert_stderr ''
}

@test "stat of json.shm" {
	check_golden json.shm
}

@test "stat of binary.shm" {
	check_golden binary.shm
}

@test "stat of full.shm" {
	check_golden full.shm
	assert_equal "$(row free)" '0 bytes'
	assert_equal "$(row fill)" "[$(printf '#%.0s' {1..30})] 100.00 %"
}

@test "stat of odd-capacity.shm" {
	check_golden odd-capacity.shm
}

@test "stat of bendec.shm" {
	check_golden bendec.shm
}

@test "stat of uncommitted.shm shows what is left behind the commit" {
	check_golden uncommitted.shm
	assert_equal "$(row 'leftover frames')" 3
	assert_equal "$(row 'leftover bytes')" yes
	run_shmlog 0 stat -o json "$FIXTURES/uncommitted.shm"
	assert_equal "$(member '[.leftover_frames, .leftover_bytes]')" '[3,true]'
	run_shmlog 0 stat -o json "$FIXTURES/json.shm"
	assert_equal "$(member '[.leftover_frames, .leftover_bytes]')" '[0,false]'
}

@test "stat of a damaged log says so, and shows what it can, status 1" {
	local path=$FIXTURES/oversize-wrap.shm

	run_shmlog 1 stat "$path"
	assert_equal "$(row state)" damaged
	assert_equal "$(row size)" 70036
	assert_equal "$(row 'damaged ranges')" 1
	assert_regex "$(row damage)" 'cursor 8: .*payload of 70000 bytes'
	run_shmlog 1 stat -o json "$path"
	assert_equal "$(member '[.state, .status, .size, .damaged_ranges, .damage[0].cursor]')" \
		'["damaged",1,70036,1,8]'
	assert_equal "$(sha256_of "$path")" "$(manifest oversize-wrap.shm .sha256)"
}

@test "stat counts the good frames on both sides of damage" {
	make_log
	put_bytes "$LOG" $((24 + 9)) 0000
	run_shmlog 1 stat -o json "$LOG"
	assert_equal "$(member '[.frames, .damaged_ranges, .damaged_bytes, .tail]')" \
		'[4,1,6,"clean"]'
	assert_equal "$(member '.damage[0] | [.cursor, .end, .error]')" \
		'[9,15,"ERR_SHM_CURSOR"]'
	run_shmlog 1 stat "$LOG"
	assert_regex "$(row damage)" 'cursor 9: .* from cursor 15'
}

@test "stat names a torn tail" {
	make_log
	put_u64 "$LOG" 16 $(($(u64_at "$LOG" 16) - 1))
	run_shmlog 1 stat "$LOG"
	assert_equal "$(row tail)" torn
	assert_equal "$(row frames)" 4
	run_shmlog 1 stat -o json "$LOG"
	assert_equal "$(member '[.state, .tail, .damaged_bytes]')" '["damaged","torn",11]'
}

@test "stat of an impossible header shows its words, status 5" {
	make_log
	put_u64 "$LOG" 16 5000
	remember "$LOG"
	run_shmlog 5 stat "$LOG"
	assert_stderr --partial "$LOG: not a log: size 5000 lies beyond"
	assert_equal "$(row size)" 5000
	assert_regex "$(row capacity)" '^4096 bytes'
	run_shmlog 5 stat -o json "$LOG"
	assert_equal "$(member '[.state, .status, .size, .capacity, .frames, .payload.total]')" \
		'["no log",5,5000,4096,null,null]'
	assert_equal "$(member '.error | contains("5000")')" true
	assert_unchanged "$LOG"

	head -c 10 /dev/zero >"$SCRATCH/short"
	run_shmlog 5 stat -o json "$SCRATCH/short"
	assert_equal "$(member '[.status, .capacity, .size]')" '[5,10,null]'
	run_shmlog 5 stat "$SCRATCH"
	assert_stderr --partial 'no regular file'
}

@test "stat of a missing log is status 4" {
	run_shmlog 4 stat "$SCRATCH/missing"
	assert_output ''
	assert_stderr --partial "$SCRATCH/missing: "
	assert_stderr --partial 'No such file or directory'
	run_shmlog 4 stat -o json "$SCRATCH/missing"
	assert_equal "$(member '[.status, .capacity]')" '[4,null]'
}

@test "stat of several logs shows all, and ends with the first bad status" {
	make_log
	run_shmlog 0 stat "$LOG" "$FIXTURES/json.shm"
	assert_line --index 0 "$LOG"
	assert_line "$FIXTURES/json.shm"
	run_shmlog 1 stat -o json "$FIXTURES/oversize-wrap.shm" "$SCRATCH/missing" "$LOG"
	assert_equal "$(jq -c .status <<<"$output")" $'1\n4\n0'
	run_shmlog 4 stat -o json "$SCRATCH/missing" "$FIXTURES/oversize-wrap.shm"
	assert_equal "$(jq -c .status <<<"$output")" $'4\n1'
}

@test "--histogram counts every payload once" {
	local path=$FIXTURES/binary.shm

	run_shmlog 0 stat -o json --histogram "$path"
	assert_equal "$(member '[.histogram[].count] | add')" 50
	# Each bucket holds as many payloads as lie in it, and none is left out.
	assert_equal "$(member '[.histogram[] | [.min, .max, .count]] | tojson' | jq -r .)" \
		"$(jq -c --argjson sizes "$(manifest binary.shm '[.frames[].payloadBytes] | tojson')" \
			'[.histogram[] | . as $b | [.min, .max, ([$sizes[] |
			select(. >= $b.min and . <= $b.max)] | length)]]' <<<"$output")"
	COLUMNS=60 run_shmlog 0 stat --histogram "$path"
	assert_output --partial '#'
	assert [ "$(awk '{ if (length($0) > n) n = length($0) } END { print n }' \
		<<<"$(grep -v ^/ <<<"$output")")" -le 60 ]
	run_shmlog 5 stat -o json --histogram "$SCRATCH"
	assert_equal "$(member .histogram)" null
}

# ------------------------------------------------------------------ processes

@test "--procs tells readers and writers from each other" {
	skip_if_portable "there is no /proc to look into"
	[[ -d /proc/self/fd ]] || skip 'no /proc on this machine'
	local pid=$BASHPID

	make_log
	exec 9<"$LOG"
	run_shmlog 0 stat --procs -o json "$LOG"
	assert_equal "$(member ".processes[] | select(.pid == $pid) |
		[.role, .mapped, .uid]")" "[\"reader\",false,$(id -u)]"
	exec 9<>"$LOG"
	run_shmlog 0 stat --procs -o json "$LOG"
	assert_equal "$(member ".processes[] | select(.pid == $pid) | .role")" '"writer"'
	assert_equal "$(member '.processes_unseen | type')" '"number"'
	run_shmlog 0 stat --procs "$LOG"
	assert_output --regexp "process +$pid +writer, open +$(id -un) .*bash"
	exec 9>&-
	run_shmlog 0 stat --procs -o json "$LOG"
	assert_equal "$(member ".processes")" '[]'
	run_shmlog 0 stat --procs "$LOG"
	assert_output --partial 'none seen'
}

@test "--procs says so where /proc does not show all processes" {
	skip_if_portable "there is no /proc to look into"
	unshare -pf --mount-proc true 2>/dev/null || skip 'no PID namespaces here'
	make_log
	exec 9<>"$LOG"
	separately unshare -pf --mount-proc shmlog stat --procs "$LOG"
	exec 9>&-
	assert_output --partial 'none seen'
	assert_output --partial 'those that /proc does not show here: there may be more'
	separately unshare -pf --mount-proc shmlog stat --procs -o json "$LOG"
	assert_equal "$(member .processes_hidden)" true
}

@test "--procs says so where /proc is not mounted" {
	skip_if_portable "there is no /proc to look into"
	unshare -m umount -l /proc 2>/dev/null || skip 'no mounts of its own here'
	make_log
	separately unshare -m sh -c "umount -l /proc && shmlog stat --procs '$LOG'"
	assert_output --regexp 'process +cannot be told from /proc: No such file or directory$'
	refute_output --partial 'none seen'
	separately unshare -m sh -c "umount -l /proc && shmlog stat --procs -o json '$LOG'"
	assert_equal "$(member '[.processes, .processes_unseen, .processes_hidden]')" '[null,null,null]'
}

@test "--procs sees a follower as a reader" {
	skip_if_portable "there is no /proc to look into"
	[[ -d /proc/self/fd ]] || skip 'no /proc on this machine'
	local pid

	make_log
	shmlog tail -f "$LOG" >/dev/null 3>&- &
	pid=$!
	sees_reader() {
		shmlog stat --procs -o json "$LOG" | jq -e \
			".processes[] | select(.pid == $pid and .role == \"reader\")" >/dev/null
	}
	wait_for 5 sees_reader
	run_shmlog 0 stat --procs "$LOG"
	refute_output --partial writer
	kill "$pid"
}

# The role and the share in the lock of a process, as a JSON list.
role_of() { # PID
	shmlog stat --procs -o json "$LOG" |
		jq -c ".processes[] | select(.pid == $1) | [.role, .lock]"
}

has_role() { # PID ROLE
	[[ $(role_of "$1") == "$2" ]]
}

@test "--procs tells appenders, and what they have to do with the lock" {
	skip_if_portable "there is no /proc to look into"
	[[ -d /proc/self/fd ]] || skip 'no /proc on this machine'
	local idle waiting holder

	need flock
	make_log
	mkfifo "$SCRATCH/fifo"
	shmlog append "$LOG" <"$SCRATCH/fifo" 3>&- &
	idle=$!
	exec 5>"$SCRATCH/fifo"
	wait_for 20 has_role "$idle" '["appender",null]'
	flock "$LOG" sleep 600 3>&- 5>&- &
	holder=$!
	wait_for 20 has_role "$holder" '["appender","held"]'
	shmlog append "$LOG" -m x 3>&- 5>&- &
	waiting=$!
	wait_for 20 has_role "$waiting" '["appender","awaited"]'
	run_shmlog 0 stat --procs "$LOG"
	assert_output --regexp "process +$idle +appender, open +"
	assert_output --regexp "process +$holder +appender, open, lock held +"
	assert_output --regexp "process +$waiting +appender, open, lock awaited +"
	refute_output --partial reader
	pkill -P "$holder"
	wait "$waiting"
	exec 5>&-
	wait "$idle"
}

@test "--procs without descriptors to look with says so, never that there are none" {
	skip_if_portable "there is no /proc to look into"
	skip_if_sanitized "a sanitizer has descriptors of its own"
	[[ -d /proc/self/fd ]] || skip 'no /proc on this machine'
	local pid=$BASHPID most seen=0

	make_log
	exec 9<>"$LOG"
	# All but the first three are closed, so that the limit is shmlog's.
	for most in 4 5 6 7 8; do
		separately bash -c "exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
			ulimit -n $most; exec shmlog stat --procs '$LOG'"
		refute_output --partial 'none seen'
		refute_output --partial 'reader'
		if [[ $output =~ process\ +$pid\ +writer ]]; then
			seen=1
		else
			assert_output --regexp 'cannot be told from /proc.*: (Too many open files|No file descriptors available)'
		fi
		separately bash -c "exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
			ulimit -n $most; exec shmlog stat --procs -o json '$LOG'"
		assert_equal "$(member '.processes_unseen | type' | tr -d '"')" \
			"$([[ $seen == 1 ]] && echo number || echo null)"
	done
	exec 9>&-
	assert_equal "$seen" 1
}

# Runs shmlog on a terminal of a kind; what it printed is in $SCRATCH/seen.
drawn_on() { # TERM LOCALE ARGUMENT...
	need script
	script -qec true /dev/null </dev/null >/dev/null 2>&1 3>&- ||
		skip 'no script(1) of util-linux on this machine'
	NO_COLOR=1 COLUMNS=50 TERM=$1 LC_ALL=$2 script -qec "shmlog ${*:3}" /dev/null </dev/null 3>&- |
		tr -d '\r' >"$SCRATCH/seen"
}

@test "a histogram is drawn in what the terminal has" {
	local i

	for ((i = 0; i < 9; i++)); do
		printf 'x\n'
	done | shmlog append --create 4K "$LOG"
	shmlog append "$LOG" -m xxx -m xxx
	drawn_on xterm C.UTF-8 stat --histogram "'$LOG'"
	assert grep -qx ' *1  9  █\{26\}' "$SCRATCH/seen"
	assert grep -qx ' *2 to 3  2  █████▊' "$SCRATCH/seen"
	drawn_on linux C.UTF-8 stat --histogram "'$LOG'"
	assert grep -qx ' *2 to 3  2  █████▌' "$SCRATCH/seen"
	for kind in 'dumb C.UTF-8' 'xterm C'; do
		# shellcheck disable=SC2086
		drawn_on $kind stat --histogram "'$LOG'"
		assert grep -qx ' *2 to 3  2  #####' "$SCRATCH/seen"
	done
	COLUMNS=50 run_shmlog 0 stat --histogram "$LOG"
	assert_line --regexp '^ *2 to 3  2  #####$'
}

# ---------------------------------------------------------------------- watch

@test "--watch prints a line of JSON per interval until a signal" {
	local pid

	make_log
	shmlog stat --watch=20ms "$LOG" >"$SCRATCH/out" 2>"$SCRATCH/err" 3>&- &
	pid=$!
	wait_for 10 test -s "$SCRATCH/out"
	printf 'six\nseven\n' | shmlog append "$LOG"
	sees_frames() {
		jq -es 'map(.frames) | add == 2' "$SCRATCH/out" >/dev/null 2>&1
	}
	wait_for 10 sees_frames
	kill -TERM "$pid"
	run wait "$pid"
	wait_for 10 eval '! kill -0 "$pid" 2>/dev/null'
	assert_equal "$(<"$SCRATCH/err")" ''
	jq -es 'map(.bytes) | add == 16' "$SCRATCH/out" >/dev/null
	assert_equal "$(tail -n 1 "$SCRATCH/out" | jq -c '[.path, .capacity,
		.committed_bytes, .free_bytes]')" \
		"[\"$LOG\",4096,51,$((4096 - 24 - 51))]"
	jq -es 'map(select(.frames > 0))[0] | .frames_per_second > 0 and
		.bytes_per_second > 0 and .seconds_to_full > 0' "$SCRATCH/out" >/dev/null
}

# Runs stat until its output has something, and ends it by a signal.
watch_until() { # PATTERN SIGNAL ARGUMENT...
	local pid

	# With job control, or a job in the background ignores SIGINT.
	set -m
	shmlog stat "${@:3}" >"$SCRATCH/out" 2>"$SCRATCH/err" 3>&- &
	pid=$!
	set +m
	wait_until_asleep "$pid"
	[[ ! $1 ]] || wait_for 10 grep -q "$1" "$SCRATCH/out"
	kill -s "$2" "$pid"
	status=0
	wait "$pid" || status=$?
}

# As `script`, until what is on the terminal has something so many times.
terminal_until() { # PATTERN COUNT ARGUMENT...
	local script

	: >"$SCRATCH/seen"
	script -qec "echo \$\$ >'$SCRATCH/pid'; exec shmlog stat ${*:3}" /dev/null \
		</dev/null >"$SCRATCH/seen" 2>&1 3>&- &
	script=$!
	has_seen() { (($(grep -ao "$1" "$SCRATCH/seen" | wc -l) >= $2)); }
	wait_for 10 has_seen "$1" "$2"
	kill "$(<"$SCRATCH/pid")"
	wait "$script" || true
}

@test "--watch takes the longest interval there is" {
	local pid result=0

	shmlog create -c 4K "$LOG"
	shmlog stat --watch=9223372036854775807ns "$LOG" >"$SCRATCH/out" \
		2>"$SCRATCH/err" 3>&- &
	pid=$!
	wait_until_asleep "$pid"
	kill "$pid"
	wait "$pid" || result=$?
	assert_equal "$result" 143
	assert_equal "$(cat "$SCRATCH/out" "$SCRATCH/err")" ''
}

@test "--watch ends by the signal that ended it, and quietly by a closed pipe" {
	make_log
	watch_until 'frames/s' INT --watch=50ms -o text "$LOG"
	assert_equal "$status" 130
	assert_equal "$(<"$SCRATCH/err")" ''
	watch_until '' TERM --watch "$LOG"
	assert_equal "$status" 143
	assert_equal "$(<"$SCRATCH/err")" ''
	run --separate-stderr limited 10 bash -c 'shmlog stat --watch=10ms "$1" |
		head -n 1; exit "${PIPESTATUS[0]}"' - "$LOG"
	assert_equal "$status" 141
	assert_equal "$(member .path)" "\"$LOG\""
	assert_stderr ''
}

@test "--watch fits a narrow terminal, and ends when nobody reads any more" {
	need script
	make_log
	COLUMNS=20 TERM=xterm terminal_until '\[K' 2 --watch=50ms "'$LOG'"
	run cat "$SCRATCH/seen"
	refute_output --partial 'B/s  ['
	run limited 10 bash -c 'shmlog stat --watch=1h "$1" | sleep 0.1
		echo "${PIPESTATUS[0]}"' - "$LOG"
	assert_output 141
}

@test "--watch of a log that is cut or replaced ends with status 5" {
	local pid result=0

	make_log
	shmlog stat --watch=10ms "$LOG" >"$SCRATCH/out" 2>"$SCRATCH/err" 3>&- &
	pid=$!
	wait_for 10 test -s "$SCRATCH/out"
	truncate -s 30 "$LOG"
	wait "$pid" || result=$?
	assert_equal "$result" 5
	assert_equal "$(wc -l <"$SCRATCH/err")" 1
	run_shmlog 4 stat --watch "$SCRATCH/missing"
	assert_output ''
	run_shmlog 5 stat --watch "$LOG"
	assert_output ''
}

@test "--watch draws the rates of late where a terminal has room" {
	shmlog create -c 4K "$LOG"
	COLUMNS=120 TERM=xterm terminal_until '▁▁▁' 3 --watch=20ms "'$LOG'"
	COLUMNS=120 TERM=dumb terminal_until '___' 3 --watch=20ms "'$LOG'"
	run_shmlog 124 stat --watch=20ms --timeout 90ms -o text "$LOG"
	refute_output --partial __
}

@test "--watch refreshes one line on a terminal" {
	need script
	make_log
	TERM=xterm terminal_until $'\r' 3 --watch=50ms "'$LOG'"
	assert [ "$(grep -c . "$SCRATCH/seen")" -le 2 ]
	grep -q 'frames/s' "$SCRATCH/seen"
}

@test "options of stat that do not go together are wrong usage" {
	make_log
	for arguments in "--watch $LOG $LOG" "--watch --procs $LOG" \
		"--watch --histogram $LOG" "--watch=0 $LOG" "--watch=0.5ms $LOG" \
		"--watch=1x $LOG" "--watch=9223372037 $LOG" "-o hex $LOG" "-o xml $LOG" \
		"--procs=1 $LOG" "--histogram=2 $LOG"; do
		run_shmlog 2 stat $arguments
		assert_output ''
		assert_equal "${#stderr_lines[@]}" 2
	done
	run_shmlog 2 stat --watch=0.0001 "$LOG"
	assert_stderr --partial "--watch '0.0001' is too short: at least 1ms"
}

@test "a write that fails is status 4, a closed pipe ends stat quietly" {
	make_log
	if [[ -w /dev/full ]]; then
		run --separate-stderr bash -c 'shmlog stat "$1" >/dev/full' - "$LOG"
		assert_equal "$status" 4
		assert_stderr --partial 'standard output: No space left on device'
		run --separate-stderr bash -c 'shmlog stat --watch=10ms "$1" >/dev/full' - "$LOG"
		assert_equal "$status" 4
	fi
	run --separate-stderr bash -c 'shmlog stat -o json "$1" >&-' - "$LOG"
	assert_equal "$status" 4
	assert_stderr --partial 'standard output'
}

# ------------------------------------------------------------------- lag

# The lag of the one process that holds the log, as "MIN MAX".
lag() {
	shmlog stat --procs -o json "$LOG" |
		jq -r '.processes[0] | "\(.lag_min) \(.lag_max)"'
}

make_large_log() {
	seq 200000 999999 | head -n 400000 | shmlog append --create 8M "$LOG"
}

@test "--procs tells how far behind a follower is, to the byte" {
	skip_if_portable "there is no list of processes"
	local pid

	make_log
	shmlog tail -f "$LOG" >/dev/null &
	pid=$!
	wait_until_asleep "$pid"
	wait_for 10 bash -c "[[ \$(shmlog stat --procs '$LOG') == *' lag 0 '* ]]"
	assert_equal "$(lag)" '0 0'
	kill -STOP "$pid"
	shmlog append "$LOG" -m x -m yy
	assert_equal "$(lag)" '11 11'
	run_shmlog 0 stat --procs "$LOG"
	assert_line --regexp " process +$pid  reader, [a-z]+, lag 11  "
	run_shmlog 0 ls -o json "$LOG"
	assert_equal "$(member .lag)" 11
	kill -CONT "$pid"
	wait_for 10 bash -c "[[ \$(shmlog stat --procs '$LOG') == *' lag 0 '* ]]"
	kill -9 "$pid"
}

@test "--procs tells about how far behind a reader is that has the log mapped" {
	skip_if_portable "there is no list of processes"
	need python3
	local size pid touched least most

	make_large_log
	size=$(u64_at "$LOG" 16)
	for touched in 100 1000000 2500000; do
		python3 -c 'import mmap, sys, time
file = open(sys.argv[1], "rb")
map = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
for at in range(0, int(sys.argv[3]), 4096):
	map[at]
open(sys.argv[2], "w").close()
time.sleep(600)' "$LOG" "$SCRATCH/ready" "$touched" &
		pid=$!
		wait_for 20 test -e "$SCRATCH/ready"
		read -r least most < <(lag)
		kill -9 "$pid"
		wait "$pid" 2>/dev/null || true
		rm "$SCRATCH/ready"
		((least <= size - touched && size - touched <= most)) ||
			fail "lag $least to $most, with $touched of $size touched"
		((touched < 65536 || most - least <= 65536 + 65536 + 65536)) ||
			fail "lag $least to $most says little"
	done
}

@test "--procs does not know how far behind a reader is that has the log only open" {
	skip_if_portable "there is no list of processes"
	local pid

	make_log
	sleep 600 8<"$LOG" &
	pid=$!
	wait_for 10 test "/proc/$pid/fd/8" -ef "$LOG"
	assert_equal "$(lag)" 'null null'
	run_shmlog 0 stat --procs "$LOG"
	assert_line --regexp " process +$pid  reader, open, lag not known  "
	kill -9 "$pid"
}

@test "--procs tells no lag of a writer" {
	skip_if_portable "there is no list of processes"
	local pid

	make_log
	sleep 600 8<>"$LOG" &
	pid=$!
	wait_for 10 test "/proc/$pid/fd/8" -ef "$LOG"
	assert_equal "$(lag)" 'null null'
	run_shmlog 0 stat --procs "$LOG"
	refute_output --partial lag
	kill -9 "$pid"
}
