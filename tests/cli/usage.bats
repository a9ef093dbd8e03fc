# Wrong usage: status 2, a message that names what is wrong, nothing done.
load helper

setup() {
	scratch_make
	printf '%s\n' one two three | shmlog append --create 4K "$LOG"
}

# Refused, with both lines on stderr: what is wrong, and how to get help.
refused() { # PATTERN ARGUMENT...
	local pattern=$1

	shift
	run_shmlog 2 "$@"
	assert_output ''
	assert_equal "${#stderr_lines[@]}" 2
	assert_regex "${stderr_lines[0]}" "$pattern"
	assert_regex "${stderr_lines[1]}" '^Try '\''shmlog ([a-z]+ )*--help'\''\.$'
}

@test "an unknown command is named, and the nearest one" {
	refused "unknown command 'frobnicate'$" frobnicate
	refused "unknown command 'tial'; did you mean 'tail'" tial "$LOG"
	refused "unknown command ''" ''
	refused "unknown option '-f'" -f tail "$LOG"
	refused "unknown option '--'" -- dump "$LOG"
	refused "unknown option '--versio'.*'--version'" --versio
}

# All rows of the table are tried in tests/unit/test_cli_hints.c.
@test "a habit from another tool gets a hint" {
	refused "unknown command 'cat'; use 'shmlog dump LOG'$" cat "$LOG"
	refused "unknown command 'follow'; use 'shmlog tail -f LOG'$" follow "$LOG"
	refused "unknown option '--bytes'; a log has frames, not bytes" tail --bytes=5 "$LOG"
	refused "unknown option '-v' in '-iv'; --not-grep RE" dump -iv "$LOG"
	refused "unknown option '-u'; a log has no units" tail -u nginx
	refused "unknown option '--json'; -i json" append --json "$LOG"
	run_shmlog 4 dump "$SCRATCH/missing"
	assert_stderr "shmlog dump: $SCRATCH/missing: cannot open: No such file or directory"
}

@test "a program of its own gives hints, too" {
	if [[ -x $BUILD/shmlog-relay ]]; then
		for command in push pull status; do
			refused "unknown option '--server'; the server is an operand" relay "$command" --server x
			refused "unknown option '--password'; --password-file" relay "$command" --password x
			refused "unknown option '--token'; --token-file" relay "$command" --token x
			refused "unknown option '--json'; -o json" relay "$command" --json
		done
		refused "unknown option '-F'; -f goes on" relay pull -F
	fi
	if [[ -x $BUILD/shmlog-dispatch ]]; then
		refused "unknown option '-j'; --concurrency N" dispatch -j 4
		refused "unknown option '--api-key'; --key-fd N" dispatch --api-key x
		refused "unknown option '--timeout'; --call-timeout" dispatch --timeout 1
		refused "unknown option '-m'; --model ID" dispatch -m x
		refused "unknown option '--temperature'; --param" dispatch --temperature 1
		refused "unknown option '--json'; -o json" dispatch --json
	fi
}

@test "no prefix of a command is the command" {
	local prefix

	for prefix in c cr a ap append1 t ta d du s se st v ver h hel; do
		refused "unknown command '$prefix'" "$prefix" "$LOG"
	done
	refused "unknown command 'DUMP'" DUMP "$LOG"
}

@test "no prefix of a long option is the option" {
	refused "'--capacit'.*'--capacity'" create --capacit 4K "$SCRATCH/new"
	assert_not_exist "$SCRATCH/new"
	refused "'--fro'.*'--from'" dump --fro start "$LOG"
	refused "'--fro'" dump --fro=start "$LOG"
	refused "'--rev'.*'--reverse'" dump --rev "$LOG"
	refused "'--cursor'.*'--cursor-file'" tail --cursor "$SCRATCH/c" "$LOG"
	assert_not_exist "$SCRATCH/c"
	refused "'--near'" seek --near "$LOG" 0
	refused "'--hist'" stat --hist "$LOG"
	refused "'--salv'" verify --salv "$SCRATCH/s" "$LOG"
	refused "'--hel'" dump --hel "$LOG"
	refused "'--atom'" append --atom "$LOG" -m x
	assert_equal "$(frames_of "$LOG")" 3
}

@test "an unknown option is named" {
	local command

	for command in create append tail dump seek verify stat; do
		refused "^shmlog $command: unknown option '--bogus'" "$command" --bogus "$LOG"
		refused "^shmlog $command: unknown option '--bogus'" "$command" "$LOG" --bogus=1
		refused "^shmlog $command: unknown option '-Z'" "$command" -Z "$LOG"
	done
	refused "unknown option '-Z' in '-rZ'" dump -rZ "$LOG"
	refused "'-reverse'.*'--reverse'" dump -reverse "$LOG"
	refused "'---from'" dump ---from start "$LOG"
}

@test "an option without its value is named" {
	refused "'-n' needs a value" dump "$LOG" -n
	refused "'--from' needs a value: POS" dump "$LOG" --from
	refused "'-o' needs a value: FORMAT" tail "$LOG" -o
	refused "'--cursor-file' needs a value: FILE" tail "$LOG" --cursor-file
	refused "'-c' needs a value: SIZE" create "$SCRATCH/new" -c
	refused "'-m' needs a value: TEXT" append "$LOG" -m
	refused "'--salvage' needs a value: FILE" verify "$LOG" --salvage
	refused "'-n' needs a value" dump "$LOG" -rn
}

@test "a flag with a value is named" {
	refused "'--reverse' takes no value" dump --reverse=yes "$LOG"
	refused "'--retry' takes no value" tail --retry=name "$LOG"
	refused "'--help' takes no value" dump --help=x "$LOG"
	refused "'--nearest' takes no value" seek --nearest= "$LOG" 0
	refused "'--atomic' takes no value" append --atomic=1 "$LOG"
}

@test "missing and surplus operands are named" {
	local command

	for command in create append tail dump seek verify; do
		refused "^shmlog $command: .*(LOG|required)" "$command"
	done
	refused "'extra'" create -c 4K "$SCRATCH/new" extra
	assert_not_exist "$SCRATCH/new"
	refused "POS" seek "$LOG"
}

@test "numbers are read strictly" {
	local text

	for text in '' x 1x -1 +1 ' 1' '1 ' 0x1 1.5 1e3 ١ 18446744073709551616; do
		refused "'$(sed 's/[.+]/\\&/g' <<<"$text")'" dump -n "$text" "$LOG"
		refused "'$(sed 's/[.+]/\\&/g' <<<"$text")'" tail --count "$text" "$LOG"
	done
}

@test "options may stand before, between and behind operands" {
	local wanted

	wanted=$(shmlog dump -n 2 -r "$LOG")
	run_shmlog 0 dump "$LOG" -n 2 -r
	assert_output "$wanted"
	run_shmlog 0 dump -n 2 "$LOG" -r
	assert_output "$wanted"
	run_shmlog 0 dump -rn2 "$LOG"
	assert_output "$wanted"
	run_shmlog 0 dump --count=2 "$LOG" --reverse
	assert_output "$wanted"
	run_shmlog 0 seek "$LOG" 0 --nearest end
	assert_output $'0\n23'
}

@test "POSIXLY_CORRECT changes nothing" {
	local wanted

	wanted=$(shmlog dump -n 2 -r "$LOG")
	export POSIXLY_CORRECT=1
	run_shmlog 0 dump "$LOG" -n 2 -r
	assert_output "$wanted"
	run_shmlog 0 seek "$LOG" 7 --nearest 8
	assert_output $'7\n7'
	run_shmlog 0 seek --nearest -- "$LOG" -1
	assert_output 14
	run_shmlog 0 dump -- "$LOG"
	assert_output $'one\ntwo\nthree'
	run_shmlog 0 tail "$LOG" -n 1
	assert_output three
	run_shmlog 0 stat "$LOG" -o json
	refused "unknown option '--bogus'" dump "$LOG" --bogus
}

@test "-- ends the options" {
	cp "$LOG" "$SCRATCH/-r"
	cd "$SCRATCH"
	run_shmlog 0 dump -n 1 -- -r
	assert_output one
	run_shmlog 0 dump -- "$LOG"
	assert_output $'one\ntwo\nthree'
	run_shmlog 4 dump -- --from
	assert_stderr --partial ' --from: '
	refused 'LOG' dump --
	refused "'--'" create -c 4K -- "$LOG" --
	refused "'-r'" create -c 4K -- "$LOG" -r
	# As a value it is just a text.
	refused "'--'" dump --from -- "$LOG"
}

@test "of an option given twice the last one counts" {
	run_shmlog 0 dump -n 1 --count 2 "$LOG"
	assert_output $'one\ntwo'
	run_shmlog 0 dump -o json -o text -n 1 "$LOG"
	assert_output one
	run_shmlog 0 dump -r -r "$LOG"
	assert_output $'three\ntwo\none'
	run_shmlog 0 tail -n 1 --lines=2 "$LOG"
	assert_output $'two\nthree'
}

@test "a value may begin with a dash or be empty" {
	run_shmlog 0 dump --from -1 "$LOG"
	assert_output three
	run_shmlog 0 dump --from=-1 "$LOG"
	assert_output three
	run_shmlog 0 append -m -r -m '' "$LOG"
	run_shmlog 0 tail -n -2 -t '<%p>' "$LOG"
	assert_output '<-r><>'
	refused "''" dump --from= "$LOG"
	refused "''" dump -o '' "$LOG"
}

@test "options that exclude each other are refused" {
	refused '--from' tail -n 1 --from start "$LOG"
	refused '-t' dump -o json -t x "$LOG"
	refused '-t' tail -o json -t x "$LOG"
	refused '-t' seek -o json -t x "$LOG" 0
}

@test "wrong usage changes nothing and makes nothing" {
	remember "$LOG"
	refused "'--bogus'" append "$LOG" -m four --bogus
	refused "'x'" append "$LOG" -m four --lock-timeout x
	refused "'--bogus'" tail --cursor-file "$SCRATCH/c" "$LOG" --bogus
	refused "'--bogus'" create "$SCRATCH/new" -c 4K --bogus
	assert_unchanged "$LOG"
	assert_not_exist "$SCRATCH/c"
	assert_not_exist "$SCRATCH/new"
}

@test "a message that nobody can read changes no status" {
	run bash -c 'shmlog dump "$1" 2>&-' - "$SCRATCH/missing"
	assert_failure 4
	run bash -c 'shmlog bogus 2>&-'
	assert_failure 2
	if [[ -w /dev/full ]]; then
		run bash -c 'shmlog dump "$1" 2>/dev/full' - "$SCRATCH/missing"
		assert_failure 4
	fi
	# A closed standard descriptor is not taken by the log.
	remember "$LOG"
	run bash -c 'shmlog dump "$1" <&- >/dev/null 2>&-' - "$LOG"
	assert_success
	run bash -c 'shmlog dump --from 1 "$1" >&- 2>&-' - "$LOG"
	assert_failure
	assert_unchanged "$LOG"
}
