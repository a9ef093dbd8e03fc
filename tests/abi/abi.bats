# A program that was linked with an earlier library runs with this one.
# tests/abi/shmlog.abi and libshmlog.map say what that one was.
load ../cli/helper

DESCRIPTION=$BATS_TEST_DIRNAME

# The library with debugging data that abidiff of any release reads.
setup_file() {
	make -C "$BATS_TEST_DIRNAME/../.." --no-print-directory BUILD=build/abi SANITIZE= \
		PORTABLE= CFLAGS='-O0 -gdwarf-4' build/abi/libshmlog.so >&2
}

compare() { # [DESCRIPTION [LIBRARY]]
	"$ROOT/tests/abi/compare.sh" "${1:-$DESCRIPTION}" \
		"${2:-$ROOT/build/abi/libshmlog.so}" "$ROOT/src/include"
}

# A description of a library that had something else: what the sed command makes
# of the header.
planted() { # SED-COMMAND
	rm -rf "$SCRATCH/planted"
	mkdir "$SCRATCH/planted"
	cp "$DESCRIPTION/libshmlog.map" "$SCRATCH/planted"
	sed "$1" "$DESCRIPTION/shmlog.abi" >"$SCRATCH/planted/shmlog.abi"
	! cmp -s "$DESCRIPTION/shmlog.abi" "$SCRATCH/planted/shmlog.abi"
}

@test "the library has the interface that programs were linked with" {
	need abidiff
	run compare
	assert_success
}

@test "descriptions that another compiler has compiled say the same" {
	need abidiff clang gcc
	CC=gcc run compare
	assert_success
	CC=clang run compare
	assert_success
}

@test "a program that was compiled with the earlier header runs with this library" {
	mkdir "$SCRATCH/old"
	cp "$DESCRIPTION/shmlog.abi" "$SCRATCH/old/shmlog.h"
	"${CC:-cc}" -std=c11 -O2 -I"$SCRATCH/old" -o "$SCRATCH/consumer" \
		"$ROOT/tests/install/consumer.c" "$ROOT/build/abi/libshmlog.so"
	ln -s "$ROOT/build/abi/libshmlog.so" "$SCRATCH/libshmlog.so.0"
	LD_LIBRARY_PATH=$SCRATCH run "$SCRATCH/consumer" "$LOG"
	assert_success
	assert_output --partial "hello at 0 in version"
}

@test "changed structures, functions and numbers are noticed" {
	need abidiff
	# A member of a structure that programs make, in another place.
	planted '/^struct shmlog_append_options {/,/^}/s/int64_t writer_timeout_ns;/int32_t writer_timeout_ns;/'
	run compare "$SCRATCH/planted"
	assert_failure
	assert_output --partial "struct shmlog_append_options"
	# One that the functions of the header itself step through.
	planted '/^struct shmlog_fast_writer {/,/^}/s/uint64_t limit;/&\n uint64_t other;/'
	run compare "$SCRATCH/planted"
	assert_failure
	assert_output --partial "struct shmlog_fast_writer"
	# A function with another parameter.
	planted 's/shmlog_reader_seek_near(struct shmlog_reader \*reader,/&unsigned flags,/'
	run compare "$SCRATCH/planted"
	assert_failure
	assert_output --partial "shmlog_reader_seek_near"
	# A status, and a flag.
	planted 's/SHMLOG_ERR_FULL = -10031/SHMLOG_ERR_FULL = -10099/'
	run compare "$SCRATCH/planted"
	assert_failure
	assert_output --partial "SHMLOG_ERR_FULL was -10099"
	planted 's/SHMLOG_READER_SHOWN = 1u << 2/SHMLOG_READER_SHOWN = 1u << 3/'
	run compare "$SCRATCH/planted"
	assert_failure
	assert_output --partial "SHMLOG_READER_SHOWN was 8"
}

@test "a function that is gone, another version and another name are noticed" {
	local change flags

	need abidiff
	cd "$ROOT"
	for change in '/shmlog_sync;/d' 's/^SHMLOG_0 /SHMLOG_1 /' 's/^/ /'; do
		sed "$change" src/libshmlog.map >"$SCRATCH/changed.map"
		flags=-Wl,-soname,libshmlog.so.0
		[ "$change" != 's/^/ /' ] || flags=-Wl,-soname,libshmlog.so.1
		"${CC:-cc}" -shared $flags -Wl,--version-script="$SCRATCH/changed.map" \
			-o "$SCRATCH/changed.so" build/abi/src/*.o build/abi/src/damage/*.o
		run compare "$DESCRIPTION" "$SCRATCH/changed.so"
		assert_failure
	done
}

@test "a function that came later is no difference" {
	need abidiff
	planted '/shmlog_sync(/d'
	sed -i '/shmlog_sync;/d' "$SCRATCH/planted/libshmlog.map"
	run compare "$SCRATCH/planted"
	assert_success
}
