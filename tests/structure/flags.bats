# What the Makefile makes of a user's flags.
load ../cli/helper

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
