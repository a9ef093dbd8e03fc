# What the campaigns share: sizes, a scratch folder, the programs they run.
# shellcheck shell=bash disable=SC2034 # used by those that read this file
set -u

campaign=$(basename "$0" .sh)
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
SIZE=${SIZE:-small}

# Where the logs lie.  Memory by default: that is where logs live, and the
# campaigns are about processes that die, not about disks.
slack=${SHMLOG_TEST_PATIENCE:-10} # the factor for limits of time
scratch=$(mktemp -d "${FAULT_DIR:-${SHMLOG_TEST_MEMORY:-/dev/shm}}/shmlog-$campaign.XXXXXX") || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM HUP
export TMPDIR=$scratch

absolute() { # PATH
	case $1 in
	/*) echo "$1" ;;
	*) echo "$PWD/$1" ;;
	esac
}

build=$(absolute "${SHMLOG_BUILD:-build}")
asan=$PWD/build/asan
shmlog=$build/shmlog
eager=$build/tests/fault/eager

# N is how often; the caller's own wins.
sizes() { # SMALL FULL
	case $SIZE in
	full) N=${N:-$2} ;;
	*) N=${N:-$1} ;;
	esac
}

make_quietly() { # ARGUMENT...
	"${MAKE:-make}" --no-print-directory "$@" >"$scratch/make.out" 2>&1 && return
	cat "$scratch/make.out"
	echo "$campaign: FAIL: does not build: make $*"
	exit 1
}

# Makes sure that the binary and a program of this folder are there.  Those in
# eager/ keep the lock from their first commit on.
need() { # PROGRAM...
	local folder=${SHMLOG_BUILD:-build} program flags=()

	# Without its flags a variant would become a plain build.
	case $folder in
	*/portable) flags=(PORTABLE=1 WERROR=1) ;;
	*/asan) flags=("SANITIZE=address,undefined" WERROR=1) ;;
	esac
	for program; do
		if [ ! -x "$shmlog" ] || [ ! -x "$build/tests/fault/$program" ]; then
			make_quietly BUILD="$folder" ${flags[@]+"${flags[@]}"} \
				"$folder/shmlog" "$folder/tests/fault/$program"
		fi
	done
}

# Whether a file of the sanitized build is there and no older than its sources.
is_sanitized() { # FILE
	[ -x "$asan/$1" ] &&
		[ -z "$(find src cli tests/fault/*.c -name "*.[ch]" \
			-newer "$asan/$1" -print -quit)" ]
}

# Builds it if need be, one campaign at a time; what is there is left alone,
# as other tests may be running it.
need_sanitized() { # FILE
	mkdir -p build
	{
		! command -v flock >/dev/null || flock 9
		is_sanitized "$1" || make_quietly SANITIZE=address,undefined WERROR=1 \
			"build/asan/$1"
	} 9>build/.fault-lock
	export ASAN_OPTIONS=exitcode=86:detect_leaks=1:detect_stack_use_after_return=1
	export UBSAN_OPTIONS=exitcode=86:print_stacktrace=1
}

# Runs a program of this folder; it prints the verdict.
run() { # PROGRAM ARGUMENT...
	local program=$1

	shift
	"$build/tests/fault/$program" "$@"
}
