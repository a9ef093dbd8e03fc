# top: its output for scripts, and its screen on a real terminal, that of tmux.
load helper

setup() {
	scratch_make
	TMUX_SOCKET=$SCRATCH/tmux
	mkdir "$SCRATCH/logs"
	LOGS=$SCRATCH/logs
}

teardown() {
	[[ ! -S $TMUX_SOCKET ]] || tmux -S "$TMUX_SOCKET" kill-server || true
	scratch_remove
}

# --------------------------------------------------------------- the terminal

terminal() {
	tmux -S "$TMUX_SOCKET" -f /dev/null "$@" 3>&-
}

# Skips where there is no tmux, or no screen to be had from this build.
need_screen() {
	need tmux
	separately shmlog top </dev/null
	[[ $status -eq 2 ]] || skip 'built without ncursesw'
}

# Starts a shell command in a terminal, and prints its status behind it.
start() { # COLUMNS ROWS COMMAND
	terminal new-session -d -x "$1" -y "$2" \
		"printf 'before\n'; $3; printf 'status %s\n' \$?
		echo modes \$(stty -a | tr ' ' '\n' | grep -xE 'isig|icanon|echo'); sleep 1000"
}

# The server may take a moment to end, and would take the next one's socket with
# it.
close_terminal() {
	terminal kill-server
	TMUX_SOCKET+=x
}

screen() {
	terminal capture-pane -p
}

sees() { # PATTERN
	screen | grep -qE -- "$1"
}

misses() { # PATTERN
	! sees "$1"
}

wait_to_see() { # PATTERN
	wait_for 10 sees "$1" || {
		screen
		return 1
	}
}

press() { # KEY...
	terminal send-keys "$@"
}

top_pid() {
	local pid

	for pid in $(terminal list-panes -F '#{pane_pid}'); do
		ps -o pid=,comm= --ppid "$pid" | awk '$2 == "shmlog" { print $1 }'
	done
}

# The text from before is back, and the terminal echoes and has its lines.
assert_restored() { # STATUS
	wait_to_see "^status $1\$"
	wait_to_see '^modes isig icanon echo'
	sees '^before$'
}

make_logs() {
	shmlog create -c 1M "$LOGS/events.shm"
	shmlog create -c 4K "$LOGS/audit.shm"
	head -c 3000 /dev/zero | tr '\0' x | shmlog append -i whole "$LOGS/audit.shm"
}

# ----------------------------------------------------------------- for scripts

@test "without a terminal the command to use instead is named" {
	run_shmlog 2 top "$LOGS"
	[[ $stderr != *'built without ncursesw'* ]] || skip 'built without ncursesw'
	assert_output ''
	assert_stderr --partial "shmlog top: standard output is no terminal: use 'shmlog top -b'"
}

@test "top -b prints a table each interval" {
	make_logs
	run_shmlog 0 top -b -n 2 -d 50ms "$LOGS"
	assert_stderr ''
	assert_equal "${#lines[@]}" 6
	assert_equal "$(grep -c '^$' <<<"$output")" 1
	assert_line --index 0 \
		'  USED CAPACITY  FILL  FRAMES/S  BYTES/S  FULL-IN WRITERS READERS     LAG NAME'
	assert_line --index 1 --regexp "^  2.9K     4.0K   73%         0       0B        - +(0[+?]?|\\?) +(0[+?]?|\\?) +- $LOGS/audit.shm\$"
	assert_line --index 2 --regexp "^    0B     1.0M    0% .* $LOGS/events.shm\$"
}

# Runs top for one interval, in which a command runs.
top_while() { # DURATION COMMAND...
	local pid

	shmlog top -b -n 1 -d "$1" -o json "$LOGS" >"$SCRATCH/out" 3>&- &
	pid=$!
	wait_until_asleep "$pid"
	"${@:2}"
	wait "$pid"
}

append_lines() { # COUNT
	seq "$1" | shmlog append "$LOGS/events.shm"
}

@test "top -b -o json tells the rates of the interval" {
	make_logs
	top_while 1 append_lines 5
	assert_equal "$(jq -c '[.path, .interval, .gone, .frames_estimated,
		(.frames_per_second | if . > 0 then "some" else . end)]' "$SCRATCH/out")" \
		"[\"$LOGS/events.shm\",0,false,false,\"some\"]
[\"$LOGS/audit.shm\",0,false,false,0]"
	# Five frames of 5 bytes in a time that is told by both rates.
	jq -se 'first | (.bytes_per_second / .frames_per_second * 1000 | round == 5000) and
		.seconds_to_full > 1000 and .committed_bytes == 25' "$SCRATCH/out"
	# What ls says is said as well.
	diff <(jq -r 'keys[]' "$SCRATCH/out" | sort -u) \
		<({ shmlog ls -o json "$LOGS" | jq -r 'keys[]'
			printf '%s\n' interval gone frames_per_second frames_estimated \
				bytes_per_second seconds_to_full; } | sort -u)
}

@test "many new frames are estimated from the last of them" {
	make_logs
	top_while 2 append_lines 100000
	jq -se 'first | .frames_estimated and
		(.bytes_per_second / .frames_per_second | . > 8 and . < 10)' "$SCRATCH/out"
}

@test "logs appear and go, and are sorted by a column" {
	make_logs
	run_shmlog 0 top -b -n 1 -d 10ms --sort name "$LOGS"
	assert_line --index 1 --partial audit.shm
	run_shmlog 0 top -b -n 1 -d 10ms --sort capacity "$LOGS"
	assert_line --index 1 --partial events.shm
	appear() {
		shmlog create -c 4K "$LOGS/new.shm"
		rm "$LOGS/audit.shm"
	}
	top_while 1 appear
	assert_equal "$(jq -c '[.path, .gone]' "$SCRATCH/out" | sort)" \
		"[\"$LOGS/audit.shm\",true]
[\"$LOGS/events.shm\",false]
[\"$LOGS/new.shm\",false]"
}

@test "holders and the lag of a follower are told" {
	skip_if_portable "there is no /proc to look into"
	local pid writer

	make_logs
	append_lines 3
	shmlog tail -f "$LOGS/events.shm" >"$SCRATCH/tail" 3>&- &
	pid=$!
	wait_for 5 eval '[[ $(wc -l <"$SCRATCH/tail") -eq 3 ]]'
	sleep 1000 9<>"$LOGS/audit.shm" 3>&- &
	writer=$!
	wait_for 5 eval '[[ $(readlink /proc/$writer/fd/9) == *audit.shm ]]'
	run_shmlog 0 top -b -n 1 -d 10ms -s name -o json "$LOGS"
	kill "$writer"
	assert_equal "$(jq -c '[.writers, .readers]' <<<"$output")" $'[1,0]\n[0,1]'
	jq -se '.[1].lag == 0 and .[0].lag == null' <<<"$output"
	kill "$pid"
}

@test "wrong usage of top is status 2" {
	run_shmlog 2 top -b --sort nonsense
	assert_stderr --partial "--sort 'nonsense' is no column"
	run_shmlog 2 top -b -d 1ms
	assert_stderr --partial "--interval '1ms' is too short: at least 10ms"
	run_shmlog 2 top -o json
	assert_stderr --partial '--output goes with --batch'
	run_shmlog 2 top -b -o hex
	run_shmlog 2 top -b -n x
	run_shmlog 2 top --color x
	run_shmlog 4 top -b "$SCRATCH/missing"
	assert_stderr "shmlog top: $SCRATCH/missing: cannot open: No such file or directory"
	# A file that is no log is said at once, as ls says it.
	echo text >"$SCRATCH/text"
	run_shmlog 5 top -b -n 1 "$SCRATCH/text"
	assert_stderr --partial "shmlog top: $SCRATCH/text: not a log: "
	assert_output ''
	# Others are shown nevertheless.
	shmlog create "$LOGS/one" -c 4K
	run_shmlog 5 top -b -n 1 -d 10ms "$LOGS" "$SCRATCH/text"
	assert_equal "${#lines[@]}" 2
	rm "$LOGS/one"
	assert_stderr --partial "shmlog top: $SCRATCH/text: not a log: "
	run_shmlog 0 top -b -n 0 "$LOGS"
	assert_output ''
	run_shmlog 0 top -b -n 1 -d 10ms "$LOGS"
	assert_equal "${#lines[@]}" 1
}

@test "top -b ends by a signal, and quietly when nobody reads" {
	local pid result=0

	make_logs
	shmlog top -b -d 1h "$LOGS" >"$SCRATCH/out" 3>&- &
	pid=$!
	wait_until_asleep "$pid"
	kill "$pid"
	wait "$pid" || result=$?
	assert_equal "$result" 143
	run --separate-stderr limited 10 bash -c 'shmlog top -b -d 10ms "$1" | head -n 1' - "$LOGS"
	assert_equal "$status" 0
	assert_equal "$stderr" ''
}

# ------------------------------------------------------------------ the screen

@test "the screen shows the logs, those that come, and those that go" {
	need_screen
	make_logs
	start 80 30 "shmlog top -d 100ms '$LOGS'"
	wait_to_see '^NAME +FILL FRAMES/S'
	sees '^events\.shm .* 0%'
	sees '^audit\.shm .* 73%'
	sees 'h help  Enter view'
	shmlog create -c 4K "$LOGS/new.shm"
	wait_to_see '^new\.shm .* new '
	rm "$LOGS/new.shm"
	wait_to_see '^new\.shm .* gone '
	wait_for 20 misses '^new\.shm '
	append_lines 10
	wait_to_see '^events\.shm .*(▂|▃|▄|▅|▆|▇|█)'
	press q
	assert_restored 0
}

@test "keys sort, filter, pause and help" {
	need_screen
	make_logs
	start 80 30 "shmlog top -d 100ms '$LOGS'"
	wait_to_see '^by bytes/s$'
	press s
	wait_to_see '^by full$'
	press i
	wait_to_see '^by full, reversed$'
	press p
	wait_to_see 'paused'
	press p f
	wait_to_see 'order frozen$'
	press f / a u d
	wait_to_see '^filter: aud$'
	press Enter
	wait_to_see 'filter aud \(1 of 2\)'
	misses '^events'
	press h
	wait_to_see '^Keys of shmlog top$'
	press h Escape
	wait_to_see '^events'
	press q
	assert_restored 0
}

@test "the screen follows the size of the terminal" {
	need_screen
	make_logs
	start 80 30 "shmlog top -d 100ms '$LOGS'"
	wait_to_see '^audit\.shm'
	misses CAPACITY
	terminal resize-window -x 130 -y 12
	wait_to_see 'CAPACITY'
	wait_for 5 eval '[[ $(screen | wc -l) -eq 12 ]]'
	sees '^audit\.shm'
	terminal resize-window -x 30 -y 12
	wait_to_see '^top needs 40 columns'
	terminal resize-window -x 50 -y 8
	wait_to_see '^audit\.shm .*73%'
	press q
	assert_restored 0
}

@test "a question names who holds the log, and only a yes does it" {
	need_screen
	skip_if_portable "there is no /proc to look into"
	local pid

	make_logs
	shmlog tail -f "$LOGS/events.shm" >/dev/null 3>&- &
	pid=$!
	wait_until_asleep "$pid"
	start 100 30 "shmlog top -d 100ms -s name '$LOGS'"
	wait_to_see '^events\.shm'
	press G r
	wait_to_see '^rotate .*events\.shm'
	# The text goes on in the next row where the first one is full.
	assert grep -q "pid $pid ('shmlog tail -f " <(screen | tr -d '\n')
	press Y
	wait_to_see '^left as it is'
	assert_equal "$(ls "$LOGS" | wc -l)" 2
	press r
	wait_to_see '^rotate '
	press y
	wait_to_see '^rotated; the old log is'
	assert_equal "$(ls "$LOGS" | wc -l)" 3
	kill "$pid"
	press g d
	wait_to_see '^remove .*audit\.shm'
	press y
	wait_to_see '^removed '
	assert_not_exist "$LOGS/audit.shm"
	press q
	assert_restored 0
}

@test "what is refused is said, and nothing is changed" {
	need_screen
	skip_if_portable "there is no /proc to look into"
	make_logs
	exec 9<>"$LOGS/audit.shm"
	start 100 30 "shmlog top -d 100ms -s name '$LOGS'"
	wait_to_see '^audit\.shm'
	press r
	wait_to_see '^rotate .*audit\.shm'
	press y
	wait_to_see '^shmlog rotate: '
	assert grep -q 'cannot rotate: .*; nothing was changed' <(screen | tr -d '\n')
	press d
	wait_to_see '^remove '
	press y
	wait_to_see '^shmlog rm: '
	assert_exist "$LOGS/audit.shm"
	exec 9>&-
	press q
	assert_restored 0
}

@test "view has the terminal and gives it back" {
	need_screen
	shmlog help view >/dev/null 2>&1 || skip 'no view in this build'
	make_logs
	append_lines 3
	start 80 30 "shmlog top -d 100ms -s name '$LOGS'"
	wait_to_see '^events\.shm'
	press G Enter
	wait_for 10 misses '^NAME +FILL FRAMES/S'
	wait_to_see 'events\.shm'
	press q
	wait_to_see '^NAME +FILL FRAMES/S'
	misses 'view ended'
	press q
	assert_restored 0
}

@test "a signal restores the terminal and ends top by that signal" {
	need_screen
	local name

	make_logs
	for name in TERM:143 INT:130 HUP:129 IO:157 BUS:135; do
		start 80 30 "shmlog top -d 100ms '$LOGS'"
		wait_to_see '^audit\.shm'
		kill "-${name%:*}" "$(top_pid)"
		assert_restored "${name#*:}"
		close_terminal
	done
	start 80 30 "shmlog top -d 100ms '$LOGS'"
	wait_to_see '^audit\.shm'
	press C-c
	assert_restored 130
}

@test "^Z gives the terminal back until top goes on" {
	need_screen
	make_logs
	terminal new-session -d -x 80 -y 30 'PS1="ready> " bash --norc --noprofile -i'
	wait_to_see '^ready>'
	press "shmlog top -d 100ms '$LOGS'" Enter
	wait_to_see '^audit\.shm'
	press C-z
	wait_to_see 'Stopped'
	press 'stty -a | grep -o " echo "' Enter
	wait_to_see '^ echo'
	press fg Enter
	wait_to_see '^audit\.shm'
	press q
	wait_for 10 misses '^audit\.shm'
	press 'echo "status $?"' Enter
	wait_to_see '^status 0'
}

@test "a terminal that is closed ends top" {
	need_screen
	local pid

	make_logs
	start 80 30 "shmlog top -d 100ms '$LOGS'"
	wait_to_see '^audit\.shm'
	pid=$(top_pid)
	terminal kill-server
	wait_for 10 has_ended "$pid"
}

@test "a dumb terminal is refused, and colours are few or none" {
	need_screen
	make_logs
	start 80 30 "TERM=dumb shmlog top '$LOGS'"
	wait_to_see "shows no screen: use 'shmlog top -b'"
	wait_to_see '^status 2'
	close_terminal
	# Eight colours, those of every terminal.
	start 80 30 "TERM=ansi shmlog top -d 100ms '$LOGS'"
	wait_to_see '^audit\.shm'
	terminal capture-pane -p -e | grep '^audit' >"$SCRATCH/seen"
	assert grep -q $'\e\\[[0-9;]*3[0-7]m' "$SCRATCH/seen"
	refute grep -q $'\e\\[[0-9;]*[34]8;' "$SCRATCH/seen"
	close_terminal
	start 80 30 "NO_COLOR=1 shmlog top -d 100ms '$LOGS'"
	wait_to_see '^audit\.shm'
	terminal capture-pane -p -e | grep '^audit' >"$SCRATCH/seen"
	refute grep -q $'\e\\[[0-9;]*3[0-7]m' "$SCRATCH/seen"
}

@test "top ends by itself after so many intervals" {
	need_screen
	make_logs
	start 80 30 "shmlog top -n 2 -d 50ms '$LOGS'"
	assert_restored 0
}
