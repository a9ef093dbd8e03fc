# stat: what is expected of a log, what is awaited, and metrics.
load helper

setup() {
	scratch_make
	cd "$SCRATCH" || return
	printf '%s\n' '' a bb cccc | shmlog append --create 4K one
	shmlog create -c 1K two
}

# ------------------------------------------------------------------ --expect

@test "--expect is 0 or 1, prints nothing, and says what is false" {
	expect 0 '' '' stat --expect '.used_percent < 50' one two
	expect 1 '' "shmlog stat: two: --expect '.frames > 0' is false" \
		stat --expect '.state == "sound"' --expect '.frames > 0' one two
	run_shmlog 1 stat --expect .no --expect false one
	assert_stderr $'shmlog stat: one: --expect \'.no\' is false\nshmlog stat: one: --expect \'false\' is false'
	# An error is no yes.
	run_shmlog 1 stat --expect '.state.x == 1' one
	run_shmlog 0 stat --expect '.payload.max == 4 and (.path | endswith("e"))' one
	# Whole numbers are exact.
	run_shmlog 0 stat --expect '.capacity == 4096 and .capacity != 4096.5' one
}

@test "--expect prints what -o asks for as well" {
	run_shmlog 0 stat -o json --expect '.frames == 4' one
	assert_equal "$(jq -c '[.path, .frames]' <<<"$output")" '["one",4]'
	assert_equal "${#lines[@]}" 1
	run_shmlog 1 stat -o text --expect '.frames == 5' one
	assert_line --partial 'sound'
}

@test "--expect sees what -o json prints, with --procs and --histogram too" {
	run_shmlog 0 stat --expect 'has("processes") | not' one
	run_shmlog 0 stat --histogram --expect '.histogram[0].count == 1' one
	[[ $BUILD != */portable ]] || return 0 # there is no list of processes
	exec 9<>one
	run_shmlog 0 stat --procs --expect 'any(.processes[]; .role == "writer")' one
	exec 9>&-
	run_shmlog 0 stat --procs --expect 'any(.processes[]?; .role == "writer") | not' one
}

@test "--expect decides about a damaged log, and a log that cannot be read is 4 or 5" {
	put_bytes one 28 ffff
	run_shmlog 0 stat --expect '.damaged_ranges == 1' one
	expect 1 '' "shmlog stat: one: --expect '.state == \"sound\"' is false" \
		stat --expect '.state == "sound"' one
	expect 4 '' 'shmlog stat: none: cannot read: No such file or directory' \
		stat --expect true none
	seq 100 >text
	run_shmlog 5 stat --expect true text two
}

@test "--expect refuses what is no expression, with its column" {
	run_shmlog 2 stat --expect '.frames >' one
	assert_regex "${stderr_lines[0]}" '^shmlog stat: --expect: column 10: '
	run_shmlog 2 stat --expect 'map(.x)' one
	assert_regex "${stderr_lines[0]}" 'jq does it: shmlog stat -o json LOG [|] jq -e '
	run_shmlog 2 stat --watch --expect true one
	run_shmlog 2 stat -o prometheus --watch one
	run_shmlog 2 stat -o yaml one
	assert_equal "${stderr_lines[0]}" \
		"shmlog stat: unknown output format 'yaml'; known are text, json and prometheus"
}

# ------------------------------------------------------------- --until

@test "--watch ends when what --until awaits holds" {
	run_shmlog 0 stat --watch=20ms --until '.used_percent > 0' --timeout 1h one
	assert_equal "${#lines[@]}" 1
	shmlog stat --watch=20ms --until '.free_bytes < 500' one >out 3>&- &
	local watcher=$!
	wait_for 20 test -s out
	head -c 600 /dev/zero | tr '\0' x | shmlog append -i whole one
	seq 1000 | shmlog append --overflow rest one || true
	wait "$watcher"
	assert_equal "$(tail -n 1 out | jq '.free_bytes < 500')" true
	assert_equal "$(head -n 1 out | jq '.free_bytes < 500')" false
}

@test "--watch ends with 124 when the time is out, after a last look" {
	run_shmlog 124 stat --watch=10ms --until '.used_percent > 50' --timeout 50ms one
	# However long the interval is.
	run_shmlog 124 stat --watch=1h --until '.used_percent > 50' --timeout 50ms one
	assert_equal "${#lines[@]}" 1
	run_shmlog 0 stat --watch=1h --until '.used_percent > 0' --timeout 50ms one
	run_shmlog 124 stat --watch=10ms --timeout 50ms -o text one
	run_shmlog 124 stat --watch=10ms --timeout 0 one
}

@test "--until and --timeout go with --watch" {
	for option in '--until true' '--timeout 1s'; do
		# shellcheck disable=SC2086
		run_shmlog 2 stat $option one
		assert_equal "${stderr_lines[0]}" 'shmlog stat: --until and --timeout go with --watch'
	done
	run_shmlog 2 stat --watch --until '.x[' one
	assert_regex "${stderr_lines[0]}" '^shmlog stat: --until: column 4'
	run_shmlog 2 stat --watch --timeout x one
}

# ---------------------------------------------------------------- prometheus

# Reads the text format strictly: prints "NAME LABELS VALUE" of each sample, and
# fails where a line is none, has no type, stands apart from the others of its
# metric, or comes twice.
samples() {
	awk '
		function bad(why) { print why ": " $0 >"/dev/stderr"; failed = 1; exit 1 }
		/^# HELP [a-z_]+ [^ ].*\.$/ {
			if ($3 in helped) bad("two helps"); helped[$3] = 1; now = $3; next }
		/^# TYPE [a-z_]+ (gauge|counter|histogram)$/ {
			if ($3 != now) bad("a type of another"); type[$3] = $4; next }
		!/^[a-z_]+\{path="([^"\\]|\\[\\n"])*"(,[a-z]+="[^"\\]*")*\} [0-9]+$/ { bad("no sample") }
		{
			name = $0; sub(/\{.*/, "", name); family = name
			if (type[now] == "histogram") sub(/_(bucket|sum|count)$/, "", family)
			if (family != now) bad("out of place")
			if ((type[now] == "counter") != (name ~ /_total$/)) bad("a counter ends in _total")
			key = $0; sub(/ [0-9]+$/, "", key)
			if (key in seen) bad("twice"); seen[key] = 1
			print
		}
		END { if (failed) exit 1 }'
}

value() { # SAMPLE
	sed -n "s/^$1 //p" <<<"$output"
}

@test "-o prometheus prints the facts of all logs, those of a metric together" {
	run_shmlog 0 stat -o prometheus one two
	samples <<<"$output" >out
	assert_equal "$(wc -l <out)" 18
	assert_equal "$(value 'shmlog_status{path="one"}')" 0
	assert_equal "$(value 'shmlog_capacity_bytes{path="two"}')" 1024
	assert_equal "$(value 'shmlog_frames_total{path="one"}')" 4
	assert_equal "$(value 'shmlog_payload_bytes_total{path="one"}')" 7
	assert_equal "$(value 'shmlog_used_bytes{path="one"}')" 23
	assert_equal "$(value 'shmlog_free_bytes{path="one"}')" $((4096 - 24 - 23))
	assert_equal "$(value 'shmlog_damaged_ranges{path="one"}')" 0
	# Once, however often it is named.
	run_shmlog 0 stat -o prometheus one one
	assert_equal "$(samples <<<"$output" | wc -l)" 9
}

@test "-o prometheus without a LOG is about all logs of ls" {
	[[ $SCRATCH == /dev/shm/* ]] || skip 'the scratch folder is elsewhere'
	mkdir folder
	cp one folder/three
	echo text >folder/text
	# Logs of others, which come and go, may be there as well.
	run --separate-stderr shmlog stat -o prometheus
	samples <<<"$output" | grep -F "path=\"$SCRATCH/" >out
	assert_equal "$(grep -o '^shmlog_status.*' out)" \
		"shmlog_status{path=\"$SCRATCH/folder/three\"} 0
shmlog_status{path=\"$SCRATCH/one\"} 0
shmlog_status{path=\"$SCRATCH/two\"} 0"
	grep -qxF "shmlog_frames_total{path=\"$SCRATCH/folder/three\"} 4" out
	run shmlog stat -o prometheus --to m.prom
	samples <m.prom | grep -F "path=\"$SCRATCH/" | cmp - out
	# A log is never replaced by them.
	run_shmlog 2 stat -o prometheus --to one
	assert_stderr 'shmlog stat: one: is a log, which is not replaced by another file; left as it is'
	assert_equal "$(shmlog stat -o json one | jq .frames)" 4
	run_shmlog 2 stat -o prometheus --expect '.frames > 0'
	assert_stderr --partial '--expect takes a LOG'
}

@test "-o prometheus counts processes and sizes where these are asked for" {
	skip_if_portable 'there is no list of processes'
	exec 9<>one
	run_shmlog 0 stat -o prometheus --procs --histogram one two
	exec 9>&-
	samples <<<"$output" >out
	(($(value 'shmlog_processes{path="one",role="writer"}') >= 1))
	assert_equal "$(value 'shmlog_processes{path="two",role="writer"}')" 0
	assert_equal "$(value 'shmlog_payload_size_bytes_bucket{path="one",le="0"}')" 1
	assert_equal "$(value 'shmlog_payload_size_bytes_bucket{path="one",le="1"}')" 2
	assert_equal "$(value 'shmlog_payload_size_bytes_bucket{path="one",le="3"}')" 3
	assert_equal "$(value 'shmlog_payload_size_bytes_bucket{path="one",le="7"}')" 4
	assert_equal "$(value 'shmlog_payload_size_bytes_bucket{path="one",le="65535"}')" 4
	assert_equal "$(value 'shmlog_payload_size_bytes_bucket{path="one",le="+Inf"}')" 4
	assert_equal "$(value 'shmlog_payload_size_bytes_bucket{path="two",le="+Inf"}')" 0
	assert_equal "$(value 'shmlog_payload_size_bytes_sum{path="one"}')" 7
	assert_equal "$(value 'shmlog_payload_size_bytes_count{path="one"}')" 4
}

@test "-o prometheus tells of logs that are damaged or not there by their status" {
	put_bytes one 28 ffff
	seq 100 >text
	run_shmlog 1 stat -o prometheus one two none text
	samples <<<"$output" >out
	assert_equal "$(grep -o '^shmlog_status.*' out)" 'shmlog_status{path="one"} 1
shmlog_status{path="two"} 0
shmlog_status{path="none"} 4
shmlog_status{path="text"} 5'
	assert_equal "$(value 'shmlog_damaged_ranges{path="one"}')" 1
	refute grep -q 'frames.*none' out
}

@test "-o prometheus escapes names, and replaces what is no UTF-8" {
	cp one $'a"b\\c\nd\xff\xc3\xa9'
	run_shmlog 0 stat -o prometheus $'a"b\\c\nd\xff\xc3\xa9'
	assert_line $'shmlog_status{path="a\\"b\\\\c\\nd\xef\xbf\xbd\xc3\xa9"} 0'
	samples <<<"$output"
}

@test "--to replaces a file as a whole, and keeps its mode" {
	echo old >m.prom
	chmod 640 m.prom
	expect 0 '' '' stat -o prometheus --to m.prom one two
	samples <m.prom >out
	assert_equal "$(wc -l <out)" 18
	assert_equal "$(stat -c %a m.prom)" 640
	umask 022
	run_shmlog 0 stat -o prometheus --to new.prom one
	assert_equal "$(stat -c %a new.prom)" 644
	# A log that is not there is told of, too.
	run_shmlog 4 stat -o prometheus --to m.prom one none
	assert grep -qxF 'shmlog_status{path="none"} 4' m.prom
	# Nothing else is left behind.
	run bash -c 'ls -A | tr "\n" " "'
	assert_output 'm.prom new.prom one out two '
	# A link is followed.
	ln -s m.prom link.prom
	run_shmlog 0 stat -o prometheus --to link.prom two
	assert [ -L link.prom ]
	refute grep -q 'path="one"' m.prom
}

@test "--to leaves the old file where the new one cannot be written" {
	echo old >m.prom
	remember m.prom
	trap '' XFSZ
	# Standard error is a pipe, which has no such limit.
	run bash -c 'ulimit -f 0; exec shmlog stat -o prometheus --to m.prom one'
	trap - XFSZ
	assert_failure 4
	assert_output 'shmlog stat: m.prom: cannot be replaced: File too large'
	assert_unchanged m.prom
	assert_equal "$(echo m.prom*)" m.prom
	run_shmlog 4 stat -o prometheus --to none/m.prom one
	assert_stderr 'shmlog stat: none/m.prom: cannot be replaced: No such file or directory'
}

@test "--to replaces no device, pipe or directory" {
	shmlog create -c 4K "$LOG"
	mkfifo "$SCRATCH/fifo"
	mkdir "$SCRATCH/folder"
	ln -s fifo "$SCRATCH/link"
	for file in fifo folder link; do
		run_shmlog 4 stat -o prometheus --to "$SCRATCH/$file" "$LOG"
		assert_stderr "shmlog stat: $SCRATCH/$file: cannot be replaced: it is no regular file; left as it is"
	done
	assert [ -p "$SCRATCH/fifo" ]
	assert [ -d "$SCRATCH/folder" ]
	assert [ -L "$SCRATCH/link" ]
}

@test "--to goes with -o prometheus, and never replaces a log" {
	remember one
	run_shmlog 2 stat --to m.prom one
	assert_equal "${stderr_lines[0]}" 'shmlog stat: --to goes with -o prometheus'
	run_shmlog 2 stat -o prometheus --to - one
	ln one other
	run_shmlog 2 stat -o prometheus --to other two one
	assert_stderr 'shmlog stat: other: is the log itself; nothing was changed'
	run_shmlog 2 stat -o prometheus --to other two
	assert_stderr 'shmlog stat: other: is a log, which is not replaced by another file; left as it is'
	assert_unchanged one
	# Nor is what standard output goes to.
	run --separate-stderr bash -c '{ echo before; shmlog stat -o prometheus --to /dev/stdout one; } >out' -
	assert_equal "$status" 2
	assert_stderr 'shmlog stat: /dev/stdout: is the file that standard output goes to; left as it is'
	assert_equal "$(cat out)" before
}
