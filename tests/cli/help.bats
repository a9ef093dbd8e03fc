# help, --help and --version.
load helper

COMMANDS='create append tail dump seek verify stat rotate help'

@test "help lists every command on stdout" {
	local command

	run_shmlog 0 help
	assert_stderr ''
	assert_line --regexp '^Usage: shmlog COMMAND'
	for command in $COMMANDS; do
		assert_line --regexp "^  $command +[a-z]"
	done
	local listed=$output
	run_shmlog 0 --help
	assert_output "$listed"
	assert_stderr ''
}

@test "no arguments is wrong usage, with the list on stderr" {
	run_shmlog 2
	assert_output ''
	assert_stderr --partial 'Usage: shmlog COMMAND'
	assert_stderr --partial 'append'
}

@test "help CMD is what CMD --help prints, on stdout" {
	local command option text

	for command in create append tail dump seek verify stat rotate; do
		run_shmlog 0 help "$command"
		assert_stderr ''
		assert_line --index 0 --regexp "^Usage: shmlog $command .*LOG"
		text=$output
		for option in --help -h; do
			run_shmlog 0 "$command" "$option"
			assert_output "$text"
			assert_stderr ''
		done
		# It fits into a terminal.
		assert [ "$(wc -L <<<"$text")" -le 80 ]
	done
}

@test "every option of the contract is in its command's help" {
	has() { # COMMAND OPTION...
		local command=$1 option

		run_shmlog 0 help "$command"
		shift
		for option; do
			assert_output --regexp "(^|[ ,])$option([ =,[]|\$)"
		done
	}
	has create -c --mode --sparse --if-missing
	has append -i -m --create --atomic --commit-every --ack --skip-invalid \
		--overflow --force --lock-timeout --rotate --keep --compress --no-follow
	has tail -n -f -F -o -t --from --cursor-file --count --timeout --idle \
		--pid --poll
	has dump --from --to -n --count -r --reverse -o -t
	has seek -o --nearest
	has verify -q -o --salvage
	has rotate --keep --compress --force --lock-timeout -o
	has stat -o --procs --histogram --watch
}

@test "--help counts wherever it stands, and nothing else is done" {
	local wanted

	wanted=$(shmlog help create)
	run_shmlog 0 create "$LOG" -c nonsense --help --bogus
	assert_output "$wanted"
	assert_stderr ''
	assert_not_exist "$LOG"
	run_shmlog 0 tail --help
	run_shmlog 0 tail -fh "$LOG"
	assert_output "$(shmlog help tail)"
	# But not behind --, nor as a value.
	run_shmlog 4 dump -- --help
	assert_stderr --partial '--help: '
	run_shmlog 2 dump -n --help "$LOG"
	assert_output ''
}

@test "help of no command is wrong usage" {
	run_shmlog 2 help nonsense
	assert_output ''
	assert_stderr --partial "'nonsense'"
	run_shmlog 2 help dum
	assert_stderr --partial "did you mean 'dump'"
	run_shmlog 2 help dump tail
	assert_output ''
	assert_stderr --partial "'tail'"
	run_shmlog 0 help help
	assert_output --partial 'Commands:'
}

@test "--version prints name and version" {
	run_shmlog 0 --version
	assert_line --index 0 --regexp '^shmlog [0-9]+\.[0-9]+\.[0-9]+$'
	assert_stderr ''
	assert_equal "${lines[0]}" "shmlog $(sed -n \
		's/^#define SHMLOG_VERSION "\(.*\)"$/\1/p' "$ROOT/src/include/shmlog.h")"
}

# The libraries that the compiler found, and none that it did not.
@test "--version tells of each library, with or without" {
	local program library

	for program in shmlog shmlog-relay shmlog-dispatch; do
		[[ -x $BUILD/$program ]] || continue
		separately "$program" --version
		assert_equal "$status $stderr" '0 '
		assert_line --index 0 --regexp "^$program [0-9.]+\$"
		assert_line --index 1 --regexp '^Built with .*argtable2( [0-9.]+)?, cJSON[^,]*(,.*)?\.$'
		for library in PCRE2 zstd ncursesw; do
			assert_equal "$(grep -cE "^Built with(out)? (.*, )?${library}[ .,]" <<<"$output")" 1
		done
		[[ $program != *-relay ]] || assert_line --partial 'with libnats '
		[[ $program != *-dispatch ]] || assert_line --partial 'with libcurl '
	done
	run_shmlog 0 --version
	if shmlog create "$LOG" -c 4K && shmlog dump --grep x "$LOG"; [[ $? -eq 10 ]]; then
		assert_line --regexp '^Built with .*PCRE2'
	else
		assert_line --regexp '^Built without .*PCRE2'
	fi
}

@test "help WORD prints the commands and options that mention it" {
	local listed

	run_shmlog 0 help cursor
	assert_stderr ''
	listed=$output
	assert_line --regexp '^tail +print the last frames'
	assert_line --regexp '^ +--cursor-file FILE +begin at the cursor in FILE'
	refute_output --partial '--count'
	run_shmlog 0 help CURSORS
	assert_output "$listed"
	# In a name, in a summary, and in the line of a program of its own.
	run_shmlog 0 help speed
	assert_line --regexp '^ +--speed N '
	run_shmlog 0 help pager
	assert_output "$(shmlog help | sed -n 's/^  \(view .*\)/\1/p')"
	run_shmlog 0 help jetstream
	assert_line --regexp '^relay +carry a log to and from NATS JetStream$'
	# A part of a word is no mention.
	run_shmlog 2 help curso
	assert_output ''
	run_shmlog 2 help cat
	assert_stderr --partial "use 'shmlog dump LOG'"
	assert [ "$(shmlog help frame | wc -L)" -le 80 ]
}

@test "help that cannot be written is status 4, a closed pipe is quiet" {
	local arguments

	for arguments in help --help --version 'help dump' 'dump --help'; do
		run --separate-stderr bash -c "shmlog $arguments >&-"
		assert_equal "$status" 4
		assert_stderr --partial 'standard output'
		[[ -w /dev/full ]] || continue
		run --separate-stderr bash -c "shmlog $arguments >/dev/full"
		assert_equal "$status" 4
		assert_stderr --partial 'standard output: No space left on device'
	done
	run --separate-stderr bash -c 'shmlog help | true'
	assert_stderr ''
}
