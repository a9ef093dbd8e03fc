# Every test file is run by `make test` or by `make check-deep`, and a test that
# fails has failed.
load ../cli/helper

listed() { # CHECK...
	"$ROOT/tests/check.sh" --list "$@"
}

# Prints the test files of a tree that neither of the two runs.
unlisted() { # TREE
	(
		cd "$1" || exit
		comm -23 <(find tests -path tests/fixtures -prune -o \( -name '*.bats' \
			-o -path 'tests/unit/test_*.c' -o -path 'tests/fault/*.sh' \
			-o -path 'tests/fuzz/*.sh' -o -path 'tests/musl/*.sh' \
			-o -name lint.sh \) -print | sort) \
			<(tests/check.sh --list test deep | cut -d: -f2 | sort -u)
	)
}

@test "every test file is in a list" {
	run unlisted "$ROOT"
	assert_success
	assert_output ''
}

@test "a test file that is in none is noticed" {
	mkdir -p "$SCRATCH/tests/"{unit,cli,odd}
	cp "$ROOT/tests/check.sh" "$SCRATCH/tests"
	touch "$SCRATCH/tests/"{unit/test_a.c,cli/b.bats,odd/c.bats}
	run unlisted "$SCRATCH"
	assert_output tests/odd/c.bats
}

@test "make test has every unit plain and sanitized, and every command" {
	local file

	cd "$ROOT"
	listed test >"$SCRATCH/list"
	for file in tests/unit/test_*.c; do
		grep -qx "plain:$file" "$SCRATCH/list" || fail "not plain: $file"
		grep -qx "asan:$file" "$SCRATCH/list" || fail "not sanitized: $file"
	done
	for file in tests/{cli,interop,install}/*.bats; do
		grep -qx "plain:$file" "$SCRATCH/list" || fail "not run: $file"
	done
}

@test "make check-deep has all of it again" {
	local file

	cd "$ROOT"
	listed deep >"$SCRATCH/list"
	for file in tests/unit/test_*.c tests/cli/*.bats; do
		grep -qx "asan:$file" "$SCRATCH/list" || fail "not sanitized: $file"
		grep -qx "portable:$file" "$SCRATCH/list" || fail "not portable: $file"
	done
	for file in tests/fault/*.sh tests/fuzz/*.sh; do
		grep -qx "plain:$file" "$SCRATCH/list" || fail "not run: $file"
	done
}

# Each test of the planted file fails at the line that ends in "# here".
@test "whatever fails in a test fails the test, by its line" {
	local line text failed=0

	sed 's/^TEST /@test /' >"$SCRATCH/planted.bats" <<-END
		load $ROOT/tests/cli/helper
		fails() {
			false
			true
		}
		TEST "command" {
			false # here
			true
		}
		TEST "condition" {
			[[ a == b ]] # here
			true
		}
		TEST "sum" {
			((0)) # here
			true
		}
		TEST "pipe" {
			true | false # here
			true
		}
		TEST "substitution" {
			output=\$(false) # here
			true
		}
		TEST "subshell" {
			(false; true) # here or above
			true
		}
		TEST "function" {
			fails # here
			true
		}
		TEST "assertion" {
			run true
			assert_output x # here
			true
		}
		TEST "status" {
			run_shmlog 1 --version # here
			true
		}
		TEST "last of a list" {
			true
			[[ a == b ]] && true # here
		}
		TEST "exit" {
			exit 3 # here
		}
		TEST "passes" {
			fails || true
			run ! false
		}
	END
	run bats --formatter cat "$SCRATCH/planted.bats"
	assert_failure
	assert_output --partial 'ok 12 passes'
	refute_output --partial 'not ok 12'
	while IFS=: read -r line text; do
		# bats 1.11 names the test's first line for a subshell.
		[[ $text != *'or above' ]] || line="($line|$((line - 1)))"
		assert_output --partial "not ok $((++failed)) "
		assert_output --regexp "in test file $SCRATCH/planted.bats, line $line\)"
	done < <(grep -n '# here' "$SCRATCH/planted.bats")
	assert_equal "$failed" 11
}
