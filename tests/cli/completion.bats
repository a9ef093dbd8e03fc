# Completion: what Tab offers for every option of every command, in the three
# shells; completion.py has the table.
load helper

# Asks the programs themselves, or a shell, for the whole table.
offers() { # WAY
	mkdir "$SCRATCH/$1"
	run python3 "$ROOT/tests/cli/completion.py" "$1" "$SCRATCH/$1"
	assert_success
}

# The records that a program answers with, a line each.
answer() { # SHELL LINE [BREAKS [WORDS]]
	local shell=$1

	shift
	shmlog "--complete=$shell" "$@" | tr '\0' '\n'
}

@test "completion prints the script of a shell, the one that is installed" {
	local shell

	for shell in bash zsh fish; do
		shmlog completion "$shell" | cmp - "$ROOT/cli/cmd/completion/shmlog.$shell"
	done
}

@test "completion of another shell is wrong usage" {
	run_shmlog 2 completion tcsh
	assert_output ''
	assert_stderr --partial "no completion for the shell 'tcsh'; known are bash, zsh and fish"
	run_shmlog 2 completion
	assert_stderr --partial 'missing operand: SHELL'
	run_shmlog 2 completion bash zsh
	assert_stderr --partial "too many operands: 'zsh'"
}

@test "a question that makes no sense is wrong usage" {
	run_shmlog 2 --complete=tcsh 'shmlog '
	assert_stderr --partial '--complete=SHELL takes bash, zsh or fish, and a line'
	run_shmlog 2 --complete=bash
	assert_output ''
	# ... and one that asks nothing has no answer.
	run_shmlog 0 --complete=bash ''
	assert_output ''
	run_shmlog 0 --complete=bash 'shmlog ' '' 0
	assert_output ''
	run_shmlog 0 --complete=bash 'shmlog x ' '' 7
	assert_output ''
}

@test "every option of every command has the right values" {
	need python3
	offers direct
}

@test "bash offers them" {
	need python3
	offers bash
}

@test "bash offers them where the package bash-completion is at work" {
	need python3
	[[ -e /usr/share/bash-completion/bash_completion ||
		-e /usr/local/share/bash-completion/bash_completion ||
		-e /opt/homebrew/share/bash-completion/bash_completion ]] ||
		skip "no bash-completion on this machine"
	offers bash-completion
}

@test "zsh offers them" {
	need python3 zsh
	offers zsh
}

@test "fish offers them" {
	need python3 fish
	offers fish
}

@test "logs below /dev/shm are offered where a path begins" {
	[[ $SCRATCH == /dev/shm/* ]] || skip "the tests do not run in /dev/shm"
	shmlog create "$LOG" -c 4K
	cd "$SCRATCH"
	# A machine with a great many files there ends the search.
	run answer bash 'shmlog dump '
	assert_line --regexp "^(f$LOG|d/dev/shm)\$"
	run answer bash 'shmlog dump /dev/s'
	assert_line --regexp "^(f$LOG|d/dev/shm)\$"
	run answer bash "shmlog dump $LOG"
	assert_output "f$LOG"
}

@test "a folder of many files is not looked through" {
	need strace
	skip_if_sanitized "strace and sanitizers exclude each other"
	local i

	mkdir "$SCRATCH/many"
	for ((i = 0; i < 300; i++)); do : >"$SCRATCH/many/f$i"; done
	answer bash "shmlog dump $SCRATCH/many/" >"$SCRATCH/out"
	[ "$(wc -l <"$SCRATCH/out")" -eq 300 ]
	strace -f -e trace=openat -o "$SCRATCH/trace" \
		shmlog --complete=bash "shmlog dump $SCRATCH/many/" >"$SCRATCH/out"
	run grep -c '"f[0-9]' "$SCRATCH/trace"
	assert_output 0
	# Of fewer that begin so, each is: none is a log, and so all are offered.
	strace -f -e trace=openat -o "$SCRATCH/trace" \
		shmlog --complete=bash "shmlog dump $SCRATCH/many/f2" >"$SCRATCH/out"
	run grep -c '"f2' "$SCRATCH/trace"
	assert_output 111
	[ "$(tr '\0' '\n' <"$SCRATCH/out" | wc -l)" -eq 111 ]
}

@test "nothing but a log or definitions is read, and nothing is waited for" {
	mkfifo "$SCRATCH/fifo.shm" "$SCRATCH/types.json"
	cd "$SCRATCH"
	run limited 5 shmlog --complete=bash 'shmlog dump ./f'
	assert_success
	run limited 5 shmlog --complete=bash 'shmlog dump --schema types.json --type '
	assert_success
	assert_output ''
	# Definitions that are wrong offer nothing, without a word.
	echo '[{' >broken.json
	run_shmlog 0 --complete=bash 'shmlog dump --schema broken.json --type '
	assert_output ''
	[ -z "$stderr" ]
}

@test "what a shell does by itself is left to it" {
	# What stands before a break (bash), before a slash or "=" (zsh).
	mkdir -p "$SCRATCH/a:b"
	: >"$SCRATCH/a:b/c"
	cd "$SCRATCH"
	run answer bash 'shmlog append x a:b/' ':='
	assert_output 'fb/c'
	run answer bash 'shmlog append x a\:b/' ':='
	assert_output 'fa:b/c'
	run answer bash 'shmlog append x "a:b/' ':='
	assert_output 'fa:b/c'
	run answer zsh 'shmlog append x a:b/'
	assert_output $'fc'
	run answer zsh 'shmlog append --overflow=a:b/'
	assert_output $'fc'
	run answer fish 'shmlog append --overflow=a:b/'
	assert_output $'f--overflow=a:b/c'
	# What a variable leads to.
	run answer bash 'shmlog append x $HOME/'
	assert_line 'n'
}

@test "commands before it, redirections and descriptors are no words of the command" {
	cd "$SCRATCH"
	: >input
	for line in 'x; shmlog ta' 'x | shmlog ta' 'x && shmlog ta' '(shmlog ta' \
		'shmlog 2>&1 ta' 'shmlog >out ta' 'shmlog < in ta'; do
		run answer bash "$line"
		assert_output 'wtail'
	done
	run answer bash 'shmlog append x <in'
	assert_output 'n'
}

@test "names are escaped on a terminal" {
	need script
	mkdir "$SCRATCH/folder"
	: >"$SCRATCH/folder/"$'a\e[31m\n'
	script -qec "shmlog --complete=bash 'shmlog append x $SCRATCH/folder/'" /dev/null \
		>"$SCRATCH/out" </dev/null
	run tr -d '\r' <"$SCRATCH/out"
	assert_output "f$SCRATCH/folder/a\x1b[31m\n"
}

@test "a program that is not there has no answer" {
	cp "$BUILD/shmlog" "$SCRATCH"
	PATH=/usr/bin:/bin run --separate-stderr "$SCRATCH/shmlog" --complete=bash 'shmlog relay '
	assert_equal "$status" 4
	assert_output ''
	# What is found in PATH is not run to be asked.
	printf '#!/bin/sh\ntouch %s/ran\n' "$SCRATCH" >"$SCRATCH/shmlog-other"
	chmod +x "$SCRATCH/shmlog-other"
	PATH=$SCRATCH:$PATH run shmlog --complete=bash 'shmlog other '
	assert_success
	assert_not_exists "$SCRATCH/ran"
}
