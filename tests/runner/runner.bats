# What runs the tests, on test files made for it: limits, and what is left.
load ../cli/helper

# The places where a test's rooms are made, so that nothing else is in them.
setup() {
	scratch_make
	mkdir "$SCRATCH/memory" "$SCRATCH/tmp"
	FILE=$SCRATCH/planted.bats
}

# Takes the planted file, whose tests bats shall not take for some of this one.
plant() {
	sed 's/^TEST /@test /' >"$FILE"
}

# Runs a planted file as prove would; its limit is so many seconds.
run_planted() { # SECONDS
	SHMLOG_TEST_MEMORY=$SCRATCH/memory TMPDIR=$SCRATCH/tmp SHMLOG_TEST_SKIPS='' \
		SHMLOG_TEST_SECONDS=$1 separately "$ROOT/tests/run-test.sh" "plain:$FILE"
}

# What a planted test leaves: a file in each place, and processes that nobody
# waits for, one in a session of its own.
LITTER='touch "$SHMLOG_TEST_MEMORY/file" "$BATS_TEST_TMPDIR/file"
	sleep 4321 3>&- &
	setsid sleep 4322 3>&- &
	disown -a'

assert_nothing_left() {
	no_rooms || fail "left: $(find "$SCRATCH/memory" "$SCRATCH/tmp")"
	wait_for 5 no_sleepers
}

no_rooms() {
	[[ ! $(find "$SCRATCH/memory" "$SCRATCH/tmp" -mindepth 1) ]]
}

# Planted processes carry the name of this test's folder in their environment.
no_sleepers() {
	local file

	for file in /proc/[0-9]*/cmdline; do
		[[ $(tr '\0' ' ' <"$file" 2>/dev/null) != 'sleep 432'* ]] ||
			! grep -qz "$SCRATCH" "${file%cmdline}environ" || return 1
	done
}

@test "what passes, fails and is skipped is one document, with a plan" {
	plant <<-'END'
		TEST "one" { true; }
		TEST "two" { echo why; false; }
		TEST "three" { skip "no such thing"; }
	END
	run_planted 100
	assert_output --partial $'ok 1 one\nnot ok 2 two\n'
	assert_output --partial 'ok 3 three # skip no such thing'
	assert_equal "${lines[-1]}" 1..3
	assert_stderr --partial "failed: plain:$FILE: two"
	assert_stderr --partial '# why'
	assert_stderr --partial "skipped: plain:$FILE: three # skip no such thing"
	assert_nothing_left
}

@test "a test that hangs has timed out, by name, and nothing of it is left" {
	plant <<-END
		TEST "quick" { true; }
		TEST "it hangs" {
			$LITTER
			sleep 4323
		}
		TEST "never run" { true; }
	END
	run_planted 2
	assert_line --index 0 'ok 1 quick'
	assert_output --regexp 'not ok 2 - it hangs: timed out after [0-9]+ s \([0-9]+ s by the clock\)'
	assert_output --partial 'sleep 4323'
	assert_equal "${lines[-1]}" 1..2
	assert_stderr --partial 'it hangs: timed out after'
	assert_nothing_left
}

@test "a unit test that hangs has timed out, by name" {
	cat >"$SCRATCH/test_hang.c" <<-'END'
		#include "support.h"
		#include <unistd.h>
		TEST(test_is_quick) { }
		TEST(test_hangs) { for (;;) pause(); }
		int main(void)
		{
			const struct CMUnitTest tests[] = {
				cmocka_unit_test(test_is_quick),
				cmocka_unit_test(test_hangs)};
			return cmocka_run_group_tests_name("hang", tests, scratch_setup,
				scratch_teardown);
		}
	END
	mkdir -p "$SCRATCH/build/tests/unit"
	# shellcheck disable=SC2046
	"${CC:-cc}" -D_GNU_SOURCE -I"$ROOT/src/include" -I"$ROOT/tests/unit" \
		-o "$SCRATCH/test_hang" "$SCRATCH/test_hang.c" "$ROOT/tests/unit/support.c" \
		"$BUILD/libshmlog.a" $(pkg-config --cflags --libs cmocka 2>/dev/null ||
			echo -lcmocka)
	SHMLOG_TEST_MEMORY=$SCRATCH/memory TMPDIR=$SCRATCH/tmp CMOCKA_MESSAGE_OUTPUT=TAP \
		separately "$BUILD/tests/runner/supervise" 1 $$ "$SCRATCH/test_hang"
	assert_equal "$status" 124
	assert_line 'ok 1 - test_is_quick'
	assert_output --partial 'not ok - test_hangs: timed out after'
	assert_nothing_left
}

@test "what a test leaves behind is a failure, and is removed" {
	plant <<-END
		TEST "forgetful" {
			$LITTER
		}
	END
	run_planted 100
	assert_line --index 0 'ok 1 forgetful'
	assert_output --regexp 'not ok [0-9] - leaves a process behind: [0-9]+ sleep 4321'
	assert_output --regexp 'not ok [0-9] - leaves a process behind: [0-9]+ sleep 4322'
	assert_output --regexp "not ok [0-9] - leaves a file behind: $SCRATCH/memory/[^/]*/file"
	assert_nothing_left
}

@test "a mount that a test leaves is gone, and what was there before is not" {
	[[ $(id -u) -eq 0 ]] && unshare -m true 2>/dev/null || skip "only root mounts"
	mkdir "$SCRATCH/kept"
	touch "$SCRATCH/kept/file"
	plant <<-END
		TEST "mounts" {
			mkdir "\$SHMLOG_TEST_MEMORY/mounted"
			mount --bind "$SCRATCH/kept" "\$SHMLOG_TEST_MEMORY/mounted"
		}
	END
	run_planted 100
	assert_output --partial 'leaves a file behind'
	assert_nothing_left
	run ! grep -q "$SCRATCH" /proc/self/mountinfo
	[[ -e $SCRATCH/kept/file ]]
}

@test "a file that ends early has failed, not planned badly" {
	cat >"$SCRATCH/early.sh" <<-'END'
		#!/bin/sh
		echo 1..3; echo ok 1 - first; exit 5
	END
	chmod +x "$SCRATCH/early.sh"
	run bash -c '{ "$1"; echo "#!status $?"; } | awk -v test=early -f "$2"' - \
		"$SCRATCH/early.sh" "$ROOT/tests/runner/tidy.awk"
	assert_line 'not ok 2 - ended after 1 of 3 tests'
	assert_line '1..2'
}

@test "whoever ends the runner, nothing is left" {
	local deed

	plant <<-END
		TEST "it hangs" {
			$LITTER
			touch "$SCRATCH/begun"
			sleep 4323
		}
	END
	need pgrep
	for deed in all:INT runner:TERM runner:HUP runner:KILL bats:KILL parent:KILL; do
		rm -f "$SCRATCH/begun"
		# A parent as prove is one, in a process group as a terminal's.
		set -m
		SHMLOG_TEST_MEMORY=$SCRATCH/memory TMPDIR=$SCRATCH/tmp SHMLOG_TEST_SECONDS=100 \
			bash -c '"$1" "plain:$2"; exit' - "$ROOT/tests/run-test.sh" "$FILE" \
			>"$SCRATCH/out" 2>&1 3>&- &
		set +m
		wait_for 20 test -e "$SCRATCH/begun"
		case $deed in
		all:*) kill -s "${deed#*:}" -- -$! ;;
		parent:*) kill -s "${deed#*:}" $! ;;
		runner:*) kill -s "${deed#*:}" "$(pgrep -P $!)" ;;
		bats:*) kill -s KILL "$(pgrep -of "bats --formatter cat $FILE")" ;;
		esac
		wait_for 5 no_rooms || fail "after $deed"
		wait_for 5 no_sleepers || fail "after $deed"
		wait $! || true
	done
}

@test "seconds pass more slowly while others want the processors" {
	[[ -r /proc/loadavg ]] || skip "nothing tells who wants to run"
	local pids=() i line

	for ((i = 0; i < 4 * $(getconf _NPROCESSORS_ONLN); i++)); do
		while :; do :; done 3>&- &
		pids+=($!)
	done
	SHMLOG_TEST_MEMORY=$SCRATCH/memory TMPDIR=$SCRATCH/tmp \
		run "$BUILD/tests/runner/supervise" 1 $$ sleep 4323
	kill -9 "${pids[@]}"
	line=$(grep -o '([0-9]* s by the clock)' <<<"$output")
	# The busy ones are given a moment to start.
	(($(tr -dc 0-9 <<<"$line") >= 3)) || fail "$output"
}

@test "a room whose runner was killed is removed by the next one" {
	mkdir "$SCRATCH/memory/shmlog-room.stale" "$SCRATCH/memory/shmlog-room.used" \
		"$SCRATCH/memory/another"
	touch -d '1 hour ago' "$SCRATCH"/memory/*
	exec 8<"$SCRATCH/memory/shmlog-room.used"
	need flock
	flock 8
	plant <<<'TEST "one" { true; }'
	run_planted 100
	assert_equal "$(ls "$SCRATCH/memory")" $'another\nshmlog-room.used'
	exec 8<&-
}
