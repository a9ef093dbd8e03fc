# Loaded by every bats file: `load helper` here, `load ../cli/helper` elsewhere.
#
# Puts the built `shmlog` on PATH and gives each test
#   $ROOT      the top of the source tree
#   $BUILD     what was built, the variant in SHMLOG_BUILD (build)
#   $FIXTURES  logs that the Node package wrote, with manifest.json
#   $SCRATCH   an empty folder of its own, in memory where there is /dev/shm
#   $LOG       a name in it for a log
#   $SLACK     how many times longer than on an idle machine a step may take
#
# A file with a setup() or teardown() of its own calls scratch_make and
# scratch_remove there.

bats_require_minimum_version 1.5.0

# shellcheck source=tests/runner/forks.bash
source "${BASH_SOURCE[0]%/*}/../runner/forks.bash"

BATS_LIB_PATH=${BATS_LIB_PATH:+$BATS_LIB_PATH:}/usr/lib/bats:/usr/lib:/usr/local/lib:/usr/share/bats:/opt/homebrew/lib

# Does what bats_load_library does, but names each file of a library: the
# library's own load.bash starts two processes per file before every single test,
# which adds half of the time that bats otherwise takes for a test.
load_library() { # NAME
	local folder file

	while read -r -d : folder; do
		[[ -d $folder/$1/src ]] || continue
		for file in "$folder/$1"/src/*.bash; do
			# shellcheck disable=SC1090
			source "$file"
		done
		return
	done <<<"$BATS_LIB_PATH:"
	bats_load_library "$1"
}
load_library bats-support
load_library bats-assert
load_library bats-file

ROOT=${BATS_TEST_DIRNAME%/*/*}
BUILD=${SHMLOG_BUILD:-build}
[[ $BUILD == /* ]] || BUILD=$ROOT/$BUILD
FIXTURES=$ROOT/tests/fixtures
# The factor for time limits, which only end tests that hang.
SLACK=${SHMLOG_TEST_PATIENCE:-10}
PATH=$BUILD:$PATH
# Tests do not depend on the environment of the user who runs them.
unset POSIXLY_CORRECT
export LC_ALL=C.UTF-8 PATH ROOT BUILD FIXTURES SLACK

setup() {
	scratch_make
}

teardown() {
	scratch_remove
}

scratch_make() {
	local parent=${SHMLOG_TEST_MEMORY:-/dev/shm}

	[[ -d $parent && -w $parent ]] || parent=$BATS_TEST_TMPDIR
	# A name of its own, which mktemp takes a process to make.
	SCRATCH=$parent/shmlog-test.$BASHPID
	mkdir -m 700 "$SCRATCH" 2>/dev/null || SCRATCH=$(mktemp -d "$parent/shmlog-test.XXXXXX")
	# shellcheck disable=SC2034 # for the tests
	LOG=$SCRATCH/log.shm
}

scratch_remove() {
	local pid

	# Where nothing has been started in the background, there is nothing to ask.
	[[ -z ${!-} ]] || for pid in $(jobs -p); do
		kill -9 "$pid" 2>/dev/null || true
	done
	[[ -z $SCRATCH ]] || rm -rf "$SCRATCH"
}

# ------------------------------------------------------------ about a log

# Prints how many frames a log has.
frames_of() {
	shmlog dump -o json "$1" | wc -l | tr -d ' '
}

# Prints the cursor behind the last frame of a log.
end_of() {
	shmlog seek "$1" end
}

# Prints the unsigned 64-bit little-endian word at an offset of a file.
u64_at() { # FILE OFFSET
	od -An -v -t u8 -j "$2" -N 8 "$1" | tr -d ' '
}

# Stores bytes, given as hex digits, at an offset of a file.
put_bytes() { # FILE OFFSET HEX
	local i

	for ((i = 0; i < ${#3}; i += 2)); do
		printf '%b' "\\x${3:i:2}"
	done | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# Stores a 64-bit little-endian word at an offset of a file.
put_u64() { # FILE OFFSET VALUE
	local big little='' i

	printf -v big '%016x' "$3"
	for ((i = 14; i >= 0; i -= 2)); do
		little+=${big:i:2}
	done
	put_bytes "$1" "$2" "$little"
}

sha256_of() {
	sha256sum "$1" | cut -d' ' -f1
}

# Prints a golden file's entry in the manifest, through a jq filter.
manifest() { # FILE FILTER
	jq -r --arg file "$1" ".[] | select(.file == \$file) | $2" \
		"$FIXTURES/manifest.json"
}

# ------------------------------------------------------------- what is seen

# As `run --separate-stderr`, with fewer processes.
separately() { # COMMAND...
	local flags=$- file=$BATS_TEST_TMPDIR/stderr

	set +eET
	output=$("$@" 2>"$file") && status=0 || status=$?
	read -d '' -r stderr <"$file"
	IFS=$'\n' read -d '' -r -a lines <<<"$output"
	IFS=$'\n' read -d '' -r -a stderr_lines <<<"$stderr"
	set "-$flags"
}

# Runs shmlog, with its stderr in $stderr, and asserts its exit status, which is
# the first argument.
run_shmlog() { # STATUS ARGUMENT...
	local wanted=$1

	shift
	separately shmlog "$@"
	[[ $status -eq $wanted ]] || batslib_print_kv_multi \
		command "shmlog $*" wanted "$wanted" status "$status" \
		stdout "$output" stderr "$stderr" |
		batslib_decorate "wrong exit status" | fail
}

# Runs shmlog and compares status, stdout and stderr exactly.
expect() { # STATUS STDOUT STDERR ARGUMENT...
	run_shmlog "$1" "${@:4}"
	assert_output "$2"
	assert_stderr "$3"
}

# As assert_output and refute_output, for $stderr (after --separate-stderr).
assert_stderr() {
	local output=$stderr

	assert_output "$@"
}

refute_stderr() {
	local output=$stderr

	refute_output "$@"
}

# `remember FILE`, and later `assert_unchanged FILE`.
remember() {
	cp -p "$1" "$SCRATCH/remembered.${1##*/}"
}

assert_unchanged() {
	cmp "$1" "$SCRATCH/remembered.${1##*/}" || fail "$1 was changed"
}

# Waits until a command succeeds, at most so many seconds times SLACK.
wait_for() { # SECONDS COMMAND...
	local end=$((SECONDS + $1 * SLACK))

	shift
	until "$@"; do
		((SECONDS < end)) || {
			fail "waited in vain for: $*"
			return 1
		}
		sleep 0.02
	done
}

# Prints with one write(2), so that a reader at the other end of a pipe gets all
# of it at once.  The printf of bash writes each line by itself.
at_once() { # FORMAT ARGUMENT...
	env printf "$@"
}

# Runs a command that would hang if it were wrong; the status is 124 if it does.
# Its duration is not asserted: a busy machine may take SLACK times as long as
# an idle one.
limited() { # SECONDS COMMAND...
	timeout "$(($1 * SLACK))" "${@:2}"
}

# Prints how long a process has run on a processor, and how long it has waited
# for one, in nanoseconds; nothing where the system does not tell.  The first is
# the cost of a process whatever the load; where a time must be short, the second
# tells whether the machine was to blame.
processor_ns() { # PID
	cut -d' ' -f1 "/proc/$1/schedstat" 2>/dev/null
}

held_up_ns() { # PID
	cut -d' ' -f2 "/proc/$1/schedstat" 2>/dev/null
}

# Waits until a process has used so many milliseconds of processor time.
wait_until_busy() { # PID MILLISECONDS
	if [[ -e /proc/$1/schedstat ]]; then
		wait_for 20 has_worked "$1" "$2"
	else
		sleep 0.5
	fi
}

has_worked() { # PID MILLISECONDS
	(($(processor_ns "$1") >= $2 * 1000000))
}

# Waits until a shmlog in the background sleeps: it has started, has read its
# input so far, and waits for more, or for a lock.
wait_until_asleep() { # PID
	if [[ -e /proc/$1/stat ]]; then
		wait_for 20 is_asleep "$1"
	else
		sleep 0.3
	fi
}

# What the system says of a process; nothing once that is gone.  $(<FILE) would
# end the test where there is no FILE, whatever it is asked for.
process_state() { # PID
	cat "/proc/$1/stat" 2>/dev/null
}

is_asleep() { # PID
	[[ $(process_state "$1") == *"(shmlog) S "* ]]
}

# Whether a process has ended, waited for or not.
has_ended() { # PID
	! kill -0 "$1" 2>/dev/null || [[ $(process_state "$1") == *') Z '* ]]
}

# Builds a shim of tests/fault/shim, once per test file; sets `shim` to the
# library that a command is to preload.
preload() { # NAME
	shim=$BATS_FILE_TMPDIR/$1.so
	skip_if_sanitized "a sanitizer is to be loaded first"
	[[ -e $shim ]] || "${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -fPIC -shared \
		-o "$shim" "$ROOT/tests/fault/shim/$1.c" -ldl ||
		skip "no shared objects on this system"
	LD_PRELOAD=$shim shmlog --version >/dev/null 2>&1 ||
		skip "calls cannot be replaced on this system"
}

# ------------------------------------------------------------------- skips

need() { # COMMAND...
	local tool

	for tool in "$@"; do
		command -v "$tool" >/dev/null || skip "no $tool on this machine"
	done
}

# Skips a test that a sanitizer makes impossible (limits on memory, timing).
skip_if_sanitized() { # REASON
	! is_sanitized || skip "$1"
}

# Skips a test that needs the parts that only Linux has.
skip_if_portable() { # REASON
	[[ $BUILD != */portable ]] || skip "$1"
}

is_sanitized() {
	[[ $BUILD == */asan* || $BUILD == */tsan* ]]
}
