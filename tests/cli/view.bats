# The pager on real terminals; what its keys do is tested without one, by
# tests/unit/view/.
load helper

setup() {
	scratch_make
	need tmux
	WRITER=
	TERMINALS=0
	export LC_ALL=C.UTF-8
	unset NO_COLOR COLUMNS
}

teardown() {
	[[ -z $WRITER ]] || kill "$WRITER" 2>/dev/null || true
	local SOCKET

	for SOCKET in "$SCRATCH"/tmux.*; do
		tmux -S "$SOCKET" kill-server 2>/dev/null || true
	done
	scratch_remove
}

# Runs a command in a terminal, under a shell with job control that stays.  A
# server that was ended may still be there, so the next one has another name.
terminal() { # COLUMNS ROWS COMMAND
	SOCKET=$SCRATCH/tmux.$((++TERMINALS))
	(
		exec 3>&-
		tmux -S "$SOCKET" -f /dev/null new-session -d -x "$1" -y "$2" \
			"env PS1='ready> ' PATH='$PATH' bash --norc --noprofile -i"
	)
	wait_for 10 screen_has 'ready>'
	keys "$3" Enter
}

keys() {
	tmux -S "$SOCKET" send-keys "$@"
}

screen() {
	tmux -S "$SOCKET" capture-pane -p "$@"
}

screen_has() { # TEXT
	screen | grep -qF -- "$1"
}

shows() { # TEXT
	wait_for 10 screen_has "$1" || {
		screen
		fail "the screen never showed '$1'"
	}
}

pager_pid() {
	pgrep -f "view $LOG" | head -n 1
}

pager_is_there() {
	[[ -n $(pager_pid) ]]
}

# What the terminal is set to; the shell's own line editing changes it.
settings() {
	# What is typed shows the words before they are done.
	keys "stty -a >'$SCRATCH/stty' && mv '$SCRATCH/stty' '$SCRATCH/stty.$1'; echo set $1" Enter
	wait_for 10 test -e "$SCRATCH/stty.$1"
	shows "set $1"
}

make_log() {
	seq -f 'frame number %g' 0 499 | shmlog append --create 4M "$LOG"
}

@test "view shows a log, and leaves the terminal as it was" {
	make_log
	terminal 80 24 "echo before"
	settings before
	keys "shmlog view '$LOG'; echo status \$?" Enter
	shows 'frame 0, cursor 0, 14 bytes'
	shows '500 frames'
	keys G
	shows 'frame 499'
	keys q
	shows 'status 0'
	screen_has 'echo before'
	settings after
	cmp "$SCRATCH/stty.before" "$SCRATCH/stty.after"
}

@test "view follows the size of its window" {
	make_log
	terminal 80 24 "shmlog view '$LOG'"
	shows 'frame 0, cursor 0'
	tmux -S "$SOCKET" resize-window -x 120 -y 40
	shows 'frame number 18'
	tmux -S "$SOCKET" resize-window -x 39 -y 10
	shows 'too small'
	tmux -S "$SOCKET" resize-window -x 40 -y 10
	shows 'frame 0, cursor 0'
	keys q
	shows 'ready>'
}

@test "wide, combining and right-to-left characters keep their columns" {
	printf '漢字 e\xcc\x81 שלום \xe2\x80\xae \x1b[31m|' | shmlog append -i whole --create 4K "$LOG"
	terminal 80 24 "shmlog view '$LOG'"
	shows $'漢字 e\xcc\x81 שלום \\u{202e} \\x1b[31m|'
	# Nothing of it was a command to the terminal.
	refute screen_has $'\xe2\x80\xae'
	run bash -c "tmux -S '$SOCKET' capture-pane -p -e | grep -c $'\033\\[31m|'"
	assert_output 0
	keys q
}

@test "colours are those that the terminal has, and --color and NO_COLOR count" {
	local term

	printf '{"a":1}' | shmlog append -i whole --create 4K "$LOG"
	for term in screen-256color screen; do
		terminal 80 24 "TERM=$term shmlog view '$LOG'"
		shows 'cursor 0, 7 bytes'
		screen -e | grep -q $'\033\\[[0-9;]*36m1'
		tmux -S "$SOCKET" kill-server
	done
	for term in 'NO_COLOR=1 shmlog view' 'shmlog view --color never'; do
		terminal 80 24 "$term '$LOG'"
		shows 'cursor 0, 7 bytes'
		refute grep -q $'\033\\[[0-9;]*3[0-7]m' <(screen -e)
		tmux -S "$SOCKET" kill-server
	done
}

@test "the states in the title are whole, however long the path is" {
	local folder=$SCRATCH/services/漢字漢字漢字漢字漢字漢字/worker-with-a-long-name

	mkdir -p "$folder"
	LOG=$folder/orders
	make_log
	terminal 80 24 "shmlog view -f --grep '7\$' '$LOG'"
	shows 'orders  500 frames  filtered  following'
	tmux -S "$SOCKET" resize-window -x 40 -y 10
	shows '500 frames  filtered  following'
	screen | head -n 1 | grep '%$'
	keys q
}

@test "without a terminal that can show it, view names the command to use" {
	make_log
	run --separate-stderr shmlog view "$LOG" </dev/null
	assert_equal "$status" 2
	assert_equal "$output" ""
	assert_stderr --partial "standard output is no terminal: use 'shmlog dump'"
	run --separate-stderr shmlog view -f "$LOG" </dev/null
	assert_equal "$status" 2
	assert_stderr --partial "use 'shmlog tail -f'"
	terminal 80 24 "TERM=dumb shmlog view '$LOG'; echo status \$?"
	shows 'shows no screen'
	shows 'status 2'
}

@test "signals end view with the terminal restored" {
	local signal signals=(TERM INT HUP QUIT)

	make_log
	terminal 100 24 "echo begun"
	settings before
	# Signals that nobody expects are no less ways out.
	signals+=(USR2 IO PWR RTMAX)
	# A sanitizer takes a crash for itself.
	is_sanitized || signals+=(SEGV)
	for signal in "${signals[@]}"; do
		keys "clear; shmlog view '$LOG'" Enter
		shows 'frame 0, cursor 0'
		# It asks how far a command is, and ends none.
		kill -USR1 "$(pager_pid)"
		keys j
		shows 'frame 1, cursor 18'
		kill -s "$signal" "$(pager_pid)"
		shows 'ready>'
		keys 'echo ended $?' Enter
		shows "ended $((128 + $(kill -l "$signal")))"
		refute screen_has 'cursor 0,'
		settings "$signal"
		cmp "$SCRATCH/stty.before" "$SCRATCH/stty.$signal"
	done
}

@test "^Z stops view with the terminal restored, and fg goes on" {
	make_log
	terminal 80 24 "shmlog view '$LOG'"
	shows 'frame 0, cursor 0'
	keys j C-z
	shows 'Stopped'
	keys 'echo in between' Enter
	shows 'in between'
	keys fg Enter
	shows 'frame 1, cursor 18'
	keys j
	shows 'frame 2, cursor 36'
	keys q
	shows 'ready>'
}

@test "a terminal that is closed ends view" {
	local pid

	make_log
	terminal 80 24 "shmlog view '$LOG'"
	shows 'frame 0, cursor 0'
	pid=$(pager_pid)
	tmux -S "$SOCKET" kill-server
	wait_for 10 has_ended "$pid"
}

@test "view follows a log that is written all the time, and keeps its place" {
	make_log
	terminal 80 24 "shmlog view -f '$LOG'"
	shows 'following'
	(for i in $(seq 200); do
		echo "new $i"
		sleep 0.02
	done | shmlog append "$LOG") 3>&- &
	WRITER=$!
	shows 'new 5'
	keys 3 k
	sleep 0.3
	screen | sed -n '/^--/p' >"$SCRATCH/place"
	sleep 0.5
	assert_equal "$(screen | sed -n '/^--/p')" "$(cat "$SCRATCH/place")"
	keys G
	shows 'new 200'
	wait "$WRITER"
	WRITER=
	keys q
	shows 'ready>'
}

@test "a log that is cut or replaced under view is told of" {
	make_log
	terminal 100 24 "shmlog view '$LOG'"
	shows 'frame 0, cursor 0'
	mv "$LOG" "$LOG.old"
	shows 'removed or renamed'
	seq 3 | shmlog append --create 4K "$LOG"
	keys R
	shows '3 frames'
	truncate -s 30 "$LOG"
	shows 'cannot be read on'
	keys j q
	shows 'ready>'
}

@test "standard input and archives are looked at, with keys from the terminal" {
	need zstd
	make_log
	zstd -q "$LOG" -o "$LOG.zst"
	terminal 80 24 "cat '$LOG' | shmlog view -"
	shows 'frame 0, cursor 0'
	keys G
	shows 'frame 499'
	keys q
	shows 'ready>'
	keys "shmlog view '$LOG.zst'" Enter
	shows 'frame 0, cursor 0'
	keys F
	shows 'a copy, which grows no more'
	keys q
	expect 2 '' "shmlog view: '$LOG.zst' is a zstd archive: it is read to its end and not followed
Try 'shmlog view --help'." view -f "$LOG.zst"
}

@test "filters, types and positions are those of dump" {
	make_log
	terminal 80 24 "shmlog view --grep '7\$' --from frame:100 '$LOG'"
	shows 'frame 107'
	shows 'filtered'
	keys q
	shows 'ready>'
	keys "shmlog view --schema '$FIXTURES/schema.json' '$FIXTURES/bendec.shm'" Enter
	shows '"kind":"LogEvent"'
	keys q
	expect 2 '' "shmlog view: --follow='x' is neither name nor descriptor
Try 'shmlog view --help'." view --follow=x "$LOG"
}

@test "a key is answered at once in a large log, and memory is bounded" {
	skip_if_sanitized 'a sanitizer takes memory of its own'
	run env SIZE=small SHMLOG_BUILD="$BUILD" "$ROOT/tests/fault/view_keys.sh"
	assert_success
	assert_output --partial 'view_keys: PASS'
}

@test "the screens in the README are what the commands show" {
	skip_if_portable 'nobody can tell who holds a log'
	run env SHMLOG_BUILD="$BUILD" "$ROOT/tests/screens.sh"
	assert_success
}
