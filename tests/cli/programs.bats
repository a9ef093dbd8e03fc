# Commands that are programs of their own.
load helper

setup() {
	scratch_make
	# A copy of the command, so that a program can be put beside it.
	mkdir -p "$SCRATCH/bin" "$SCRATCH/libexec/shmlog" "$SCRATCH/path"
	cp "$BUILD/shmlog" "$SCRATCH/bin/shmlog"
	SHMLOG=$SCRATCH/bin/shmlog
}

# Makes a program that says where it lies and what it was given.
plant() { # FILE
	printf '#!/bin/sh\necho "%s" "$#" "$@"\nexit 23\n' "${1#"$SCRATCH"/}" >"$1"
	chmod +x "$1"
}

@test "shmlog NAME runs shmlog-NAME with the arguments and status as they are" {
	skip_if_portable "without /proc the command does not know where it lies"
	plant "$SCRATCH/bin/shmlog-try"
	run -23 "$SHMLOG" try -x '' 'a b' -- --help
	assert_output "bin/shmlog-try 5 -x  a b -- --help"
	run -23 "$SHMLOG" try
	assert_output "bin/shmlog-try 0"
}

@test "a program is looked for beside the command, in libexec, then in PATH" {
	skip_if_portable "without /proc the command does not know where it lies"
	plant "$SCRATCH/path/shmlog-try"
	PATH=$SCRATCH/path:$PATH run -23 "$SHMLOG" try
	assert_output "path/shmlog-try 0"
	plant "$SCRATCH/libexec/shmlog/shmlog-try"
	PATH=$SCRATCH/path:$PATH run -23 "$SHMLOG" try
	assert_output "libexec/shmlog/shmlog-try 0"
	plant "$SCRATCH/bin/shmlog-try"
	PATH=$SCRATCH/path:$PATH run -23 "$SHMLOG" try
	assert_output "bin/shmlog-try 0"
}

@test "a folder of PATH that is not absolute is passed over" {
	cd "$SCRATCH/path"
	plant "$SCRATCH/path/shmlog-try"
	PATH=.:$PATH run -2 "$SHMLOG" try
	assert_output --partial "unknown command 'try'"
	PATH=:$PATH run -2 "$SHMLOG" try
	PATH=$SCRATCH/path:$PATH run -23 "$SHMLOG" try
}

@test "a built-in command is not replaced by a program" {
	plant "$SCRATCH/bin/shmlog-create"
	run -0 "$SHMLOG" create "$LOG" -c 4K
	assert_exist "$LOG"
}

@test "a name that is a path or an option runs nothing" {
	local name

	plant "$SCRATCH/bin/shmlog-try"
	mkdir "$SCRATCH/bin/shmlog-"
	plant "$SCRATCH/bin/shmlog-/x"
	for name in /x ../try -try TRY 'try ' ''; do
		run -2 "$SHMLOG" "$name"
	done
}

@test "a program that cannot be run is named, with the reason" {
	plant "$SCRATCH/path/shmlog-try"
	chmod -x "$SCRATCH/path/shmlog-try"
	PATH=$SCRATCH/path:$PATH run -4 "$SHMLOG" try
	assert_output "shmlog try: $SCRATCH/path/shmlog-try: cannot run: Permission denied"
}

@test "a program that is not installed: status 4 and the package that brings it" {
	local name

	for name in relay dispatch; do
		PATH=/nowhere run -4 "$SHMLOG" "$name" x
		assert_output "shmlog $name: not installed: the package shmlog-$name brings the program shmlog-$name"
		PATH=/nowhere run -4 "$SHMLOG" help "$name"
	done
	run -2 "$SHMLOG" rela
	assert_line --partial "did you mean 'relay'?"
}

@test "help lists programs, help NAME asks one for its help" {
	plant "$SCRATCH/path/shmlog-try"
	PATH=/nowhere run -0 "$SHMLOG" help
	assert_line "  relay       carry a log to and from NATS JetStream (not installed)"
	refute_output --partial try
	plant "$SCRATCH/path/shmlog-relay"
	PATH=$SCRATCH/path run -0 "$SHMLOG" help
	assert_line "  try         run shmlog-try"
	assert_line "  relay       carry a log to and from NATS JetStream"
	PATH=$SCRATCH/path:$PATH run -23 "$SHMLOG" help try
	assert_output "path/shmlog-try 1 --help"
}

@test "a program is started with the signals that the shell gave" {
	plant "$SCRATCH/path/shmlog-try"
	printf '#!/bin/sh\ngrep SigIgn /proc/self/status\n' >"$SCRATCH/path/shmlog-try"
	[[ -e /proc/self/status ]] || skip "no /proc on this machine"
	PATH=$SCRATCH/path:$PATH run -0 sh -c "trap - XFSZ; exec '$SHMLOG' try"
	# Signal 25 is SIGXFSZ, which the command itself ignores.
	assert_equal $((16#${output##*[[:space:]]} >> 24 & 1)) 0
}
