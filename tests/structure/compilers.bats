# Both compilers take the whole tree without a warning.
load ../cli/helper

compile() { # COMPILER FLAGS
	need "$1"
	make -C "$ROOT" --no-print-directory BUILD="build/with-$1" CC="$1" WERROR=1 \
		SANITIZE= PORTABLE= CFLAGS="$2" all programs
}

@test "gcc compiles everything without a warning" {
	compile gcc -O2
}

@test "clang compiles everything without a warning" {
	# Its warnings come before it optimizes.
	compile clang -O0
}

@test "a user's flags come last and win" {
	run make -C "$ROOT" -n V=1 BUILD="$SCRATCH/build" CFLAGS=-O0 \
		CPPFLAGS=-Wno-shadow LDFLAGS=-Wl,-O1 all
	assert_success
	assert_line --regexp '^[^ ]+ -std=c11 .* -Wshadow .* -Wno-shadow -O0 .* -c '
	assert_line --regexp '^[^ ]+ -std=c11 .*-o .*/shmlog .* -Wl,-O1 '
	refute_line --partial ' -O2'
}

@test "changed flags rebuild, unchanged ones do not" {
	cp -R "$ROOT/src" "$ROOT/cli" "$ROOT/Makefile" "$ROOT/.ci" "$SCRATCH"
	make -C "$SCRATCH" build/src/format.o
	run make -C "$SCRATCH" build/src/format.o
	refute_output --partial " CC "
	run make -C "$SCRATCH" CFLAGS=-O0 build/src/format.o
	assert_output --partial "CC   build/src/format.o"
	# A file's time is no finer than the kernel's tick.
	sleep 0.1
	touch "$SCRATCH/src/include/shmlog.h"
	run make -C "$SCRATCH" CFLAGS=-O0 build/src/format.o
	assert_output --partial "CC   build/src/format.o"
}
