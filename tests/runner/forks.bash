# Loaded by tests/cli/helper.bash, first of all: what makes a test cost less.
#
# bats starts a new bash for each test, which reads bats, its libraries, the
# helper and the whole test file again: 50 ms of processor time for a test that
# does nothing.  Here a test is a fork of the process that has read them, and
# runs bats's own code from there on.  And before each single command bats calls
# several functions to note where it is, which takes 0.4 ms; here a command that
# fails tells from where it was called.
#
# What is replaced are parts that another version of bats may not have: one that
# is not Debian 12's stays as it is.
[[ $BATS_VERSION == 1.8.* && $BATS_TRACE_LEVEL -eq 0 ]] || return 0

# As bats's loop over the tests of one file, in the process that has read the
# file and has done its setup_file().
run_forks() {
	local test_name test_number_in_file=0 status
	local test_number_in_suite=$BATS_FILE_FIRST_TEST_NUMBER_IN_SUITE

	bats_exec_file_status=0
	trap - ERR
	# A subshell that is part of a condition would not end where a command of
	# the test fails.
	set +e
	for test_name in "${tests_to_run[@]}"; do
		if [[ ${BATS_INTERRUPTED-NOTSET} != NOTSET ]]; then
			bats_exec_file_status=130
			break
		fi
		[[ $test_name ]] || continue
		((++test_number_in_suite, ++test_number_in_file))
		(run_fork "${flags[@]}" "$filename" "$test_name" \
			"$test_number_in_suite" "$test_number_in_file" 1)
		status=$?
		[[ $status -eq 0 ]] || bats_exec_file_status=$status
	done
	set -e
	bats_setup_tracing
}

# What bats-exec-test does, without what has been read and made already.
run_fork() { # ARGUMENT...
	unset -v flags filename tests_to_run num_jobs extended_syntax status
	source() {
		[[ $1 == "$BATS_ROOT"/lib/bats-core/* ]] || builtin source "$@"
	}
	mkdir() {
		[[ $1 == -p && -d $2 ]] || command mkdir "$@"
	}
	# What it calls last before the test.
	bats_evaluate_preprocessed_source() {
		unset -f source mkdir
		# Only `bats --timing` looks at the time.
		[[ $BATS_ENABLE_TIMING ]] || get_mills_since_epoch() { :; }
	}
	builtin source "$BATS_LIBEXEC/bats-exec-test" "$@"
}

[[ ! $(declare -F bats_run_tests) || $num_jobs -ne 1 || ${BATS_TEST_TIMEOUT-} ||
	$BATS_TEST_RETRIES -ne 0 ]] || {
	eval "all_of_$(declare -f bats_run_tests)"
	bats_run_tests() {
		# A fork would take the jobs of setup_file() for its own.
		if declare -F setup_file >/dev/null; then
			all_of_bats_run_tests
		else
			run_forks
		fi
	}
}

# Before a command of the test file its line is noted, for failures where no command
# fails: one of a list does, or one exits.
note_line='[[ $BASH_SOURCE != "${BATS_TEST_SOURCE-}" ]] ||'
note_line+=' BATS_DEBUG_LASTLAST_STACK_TRACE=$BATS_DEBUG_LAST_STACK_TRACE'
note_line+=' BATS_DEBUG_LAST_STACK_TRACE="$LINENO ${FUNCNAME-} $BASH_SOURCE"'

eval "all_of_$(declare -f bats_setup_tracing)"
bats_setup_tracing() {
	all_of_bats_setup_tracing
	# shellcheck disable=SC2064 # it is the text that is wanted now
	trap "$note_line" DEBUG
}
# What it sets for a moment.
bats_debug_trap() { :; }

bats_error_trap() {
	bats_check_status_from_trap
	# `run` lets commands fail and goes on.
	[[ $- == *e* ]] || return 0
	# Not where the test itself has returned.
	[[ $BATS_DEBUG_LAST_STACK_TRACE_IS_VALID ||
		" ${FUNCNAME[*]} " != *" ${BATS_TEST_NAME:-bats_run_setup_file} "* ]] ||
		bats_capture_stack_trace
	BATS_DEBUG_LAST_STACK_TRACE_IS_VALID=1
}

# While the test file is read, here or in a test.
trap - DEBUG
