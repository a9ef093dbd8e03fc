# What `make install` puts in place, and that `make uninstall` takes it away.
load ../cli/helper

setup() {
	scratch_make
	cd "$ROOT" || return
}

make_in() { # ARGUMENT...
	make --no-print-directory "$@"
}

# Everything below a folder, as "KIND PATH".
contents() {
	(cd "$1" && find . -mindepth 1 -printf '%y %P\n' | sort)
}

pkg() { # PKG-CONFIG-ARGUMENT...
	PKG_CONFIG_PATH=$SCRATCH/to/lib/pkgconfig pkg-config "$@" libshmlog
}

# Builds the consumer and runs it on a log of its own.
consume() { # COMPILER FLAG...
	local flags

	read -ra flags <<<"$(pkg --cflags --libs)"
	"$@" -Wall -Wextra -Werror -o "$SCRATCH/consumer" "${flags[@]}"
	rm -f "$LOG"
	run env LD_LIBRARY_PATH="$SCRATCH/to/lib" "$SCRATCH/consumer" "$LOG"
	assert_success
	assert_output "hello at 0 in version $(pkg --modversion)"
}

@test "install puts every part in its place" {
	local page

	make_in DESTDIR="$SCRATCH/to" prefix=/usr install
	for file in bin/shmlog include/shmlog.h lib/libshmlog.a \
		lib/libshmlog.so.0 lib/libshmlog.so lib/pkgconfig/libshmlog.pc \
		share/man/man1/shmlog.1 share/man/man3/libshmlog.3 \
		share/man/man5/shmlog.5; do
		assert_file_exists "$SCRATCH/to/usr/$file"
	done
	for page in man/*.[0-9]; do
		cmp "$page" "$SCRATCH/to/usr/share/man/man${page##*.}/${page#man/}"
	done
	cmp build/shmlog "$SCRATCH/to/usr/bin/shmlog"
	[ -x "$SCRATCH/to/usr/bin/shmlog" ]
	for program in build/shmlog-*; do
		[[ ! -x $program ]] ||
			cmp "$program" "$SCRATCH/to/usr/libexec/shmlog/${program#build/}"
	done
	run grep -r "$SCRATCH" "$SCRATCH/to/usr/lib/pkgconfig"
	assert_failure
}

@test "uninstall leaves nothing behind in a staging folder" {
	mkdir "$SCRATCH/to"
	make_in DESTDIR="$SCRATCH/to" install
	make_in DESTDIR="$SCRATCH/to" uninstall
	assert_equal "$(contents "$SCRATCH/to")" ""
}

@test "uninstall leaves nothing behind under a prefix" {
	mkdir "$SCRATCH/to"
	make_in prefix="$SCRATCH/to" install
	make_in prefix="$SCRATCH/to" uninstall
	assert_equal "$(contents "$SCRATCH/to")" ""
}

@test "uninstall leaves what others put there" {
	mkdir -p "$SCRATCH/to/bin" "$SCRATCH/to/share/man/man1"
	touch "$SCRATCH/to/bin/other" "$SCRATCH/to/share/man/man1/other.1"
	contents "$SCRATCH/to" >"$SCRATCH/before"
	make_in prefix="$SCRATCH/to" install
	make_in prefix="$SCRATCH/to" uninstall
	contents "$SCRATCH/to" | diff "$SCRATCH/before" -
}

@test "each folder can be chosen, and a second install changes nothing" {
	make_in DESTDIR="$SCRATCH/to" prefix=/opt/shmlog libdir=/opt/lib64 \
		mandir=/opt/man install
	assert_file_exists "$SCRATCH/to/opt/lib64/libshmlog.so.0"
	assert_file_exists "$SCRATCH/to/opt/lib64/pkgconfig/libshmlog.pc"
	assert_file_exists "$SCRATCH/to/opt/man/man1/shmlog.1"
	contents "$SCRATCH/to" >"$SCRATCH/before"
	make_in DESTDIR="$SCRATCH/to" prefix=/opt/shmlog libdir=/opt/lib64 \
		mandir=/opt/man install
	contents "$SCRATCH/to" | diff "$SCRATCH/before" -
	make_in DESTDIR="$SCRATCH/to" prefix=/opt/shmlog libdir=/opt/lib64 \
		mandir=/opt/man uninstall
	assert_equal "$(contents "$SCRATCH/to")" ""
}

@test "a C program builds with the shared library through pkg-config" {
	make_in prefix="$SCRATCH/to" install
	consume "${CC:-cc}" -std=c11 tests/install/consumer.c
}

@test "a C program builds with the static library through pkg-config" {
	make_in prefix="$SCRATCH/to" install
	rm "$SCRATCH"/to/lib/libshmlog.so*
	consume "${CC:-cc}" -std=c11 tests/install/consumer.c
}

@test "a C++ program builds through pkg-config" {
	need c++
	make_in prefix="$SCRATCH/to" install
	cp tests/install/consumer.c "$SCRATCH/consumer.cc"
	consume c++ -std=c++11 "$SCRATCH/consumer.cc"
}

@test "the installed command tells the library's version, and runs its programs" {
	local program

	make_in prefix="$SCRATCH/to" install
	run "$SCRATCH/to/bin/shmlog" --version
	assert_success
	assert_output --partial "$(pkg --modversion)"
	for program in build/shmlog-*; do
		[[ -x $program ]] || continue
		PATH=/usr/bin:/bin run "$SCRATCH/to/bin/shmlog" "${program#build/shmlog-}" --help
		assert_success
		assert_output --partial "Usage: shmlog ${program#build/shmlog-} "
	done
}

@test "clean removes everything that was built" {
	cp -R src cli man Makefile .ci "$SCRATCH"
	make_in -C "$SCRATCH" build/src/status.o
	make_in -C "$SCRATCH" clean
	assert_not_exists "$SCRATCH/build"
}
