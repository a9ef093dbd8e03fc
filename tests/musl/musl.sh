#!/usr/bin/env bash
# The library and the command with another libc: musl.sh builds them with
# musl-gcc in build/musl, runs the unit tests, and those of the command that
# ask the system for something; with SIZE=full all of these.  musl.sh --build
# stops before they run.
#
# No package has argtable2, cJSON and cmocka for musl, so they are built here,
# from Debian's sources, once: they stay in build/musl/foreign.  Where these
# are not to be had, the library alone is built, and a program that uses it.
# PCRE2, zstd and ncursesw are left out, as they may be.
# 77: there is no musl-gcc; --build: or no sources.
set -u

cd "$(dirname "$0")/../.." || exit 1
command -v musl-gcc >/dev/null || {
	echo "no musl-gcc on this machine"
	exit 77
}
shopt -s nullglob
build=build/musl
foreign=$PWD/$build/foreign
cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

fail() { # WHAT
	echo "musl: FAIL: $*"
	exit 1
}

# ------------------------------------------------- what is built from sources

# apt-get with lists of its own: sources from wherever this machine has its
# packages from.  No privilege is needed, and nothing outside is changed.
apt_source() { # ARGUMENT...
	apt-get -qq -o Dir::Etc::SourceList=/dev/null \
		-o Dir::Etc::SourceParts="$foreign/apt/parts" \
		-o Dir::State::Lists="$foreign/apt/lists" \
		-o Dir::Cache="$foreign/apt/cache" \
		-o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}

make_source_lists() {
	local file

	mkdir -p "$foreign"/apt/{parts,lists/partial,cache/archives/partial}
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ ! -e "$file" ] || sed -n 's/^deb[[:blank:]]/deb-src /p' "$file" \
			>"$foreign/apt/parts/${file##*/}.list"
	done
	for file in /etc/apt/sources.list.d/*.sources; do
		sed 's/^Types:.*/Types: deb-src/' "$file" >"$foreign/apt/parts/${file##*/}"
	done
}

# Another source of packages on this machine may have none of programs, so only
# the last of these has to succeed.
fetch_sources() {
	command -v apt-get >/dev/null || return
	make_source_lists
	apt_source update || :
	(cd "$foreign" && apt_source source --download-only --tar-only argtable2 cjson cmocka)
}

# The tars have folders named after a version.
unpack() { # PACKAGE
	local tar

	mkdir -p "$foreign/$1"
	for tar in "$foreign/$1"_*.orig.tar.*; do
		tar -x -f "$tar" -C "$foreign/$1" --strip-components=1 && return
	done
	return 1
}

# What their own configuration would find with musl.
compile() { # OBJECT SOURCE FLAG...
	musl-gcc -O2 -w -D_GNU_SOURCE "${@:3}" -c -o "$foreign/objects/$1.o" "$2"
}

compile_foreign() {
	local name

	unpack argtable2 && unpack cjson && unpack cmocka || return
	mkdir -p "$foreign"/{objects,include/cjson}
	for name in argtable2 arg_{end,rem,lit,int,dbl,str,file}; do
		compile "$name" "$foreign/argtable2/src/$name.c" -DHAVE_STDLIB_H \
			-DHAVE_STRING_H -DHAVE_STRINGS_H -DHAVE_GETOPT_H || return
	done
	compile cJSON "$foreign/cjson/cJSON.c" || return
	compile cmocka "$foreign/cmocka/src/cmocka.c" -I"$foreign/cmocka/include" \
		-DHAVE_MALLOC_H -DHAVE_INTTYPES_H -DHAVE_SIGNAL_H -DHAVE_STRINGS_H \
		-DHAVE_GCC_THREAD_LOCAL_STORAGE -DHAVE_CLOCK_REALTIME \
		-DHAVE_SIGLONGJMP -DHAVE_STRSIGNAL -DHAVE_STRUCT_TIMESPEC || return
	cp "$foreign/argtable2/src/argtable2.h" "$foreign"/cmocka/include/*.h \
		"$foreign/include" &&
		cp "$foreign/cjson/cJSON.h" "$foreign/include/cjson" &&
		ar rcs "$foreign/libforeign.a" "$foreign"/objects/*.o
}

# Whole, or as if never begun.
need_foreign() {
	[ ! -e "$foreign/libforeign.a" ] || return 0
	rm -rf "$foreign"
	mkdir -p "$foreign"
	{ fetch_sources && compile_foreign; } >"$foreign/log" 2>&1 && return
	rm -f "$foreign/libforeign.a"
	echo "musl: argtable2, cJSON and cmocka could not be built:"
	tail -n 5 "$foreign/log"
	return 1
}

# ----------------------------------------------------------------- the proofs

make_musl() { # TARGET...
	"${MAKE:-make}" --no-print-directory -j"$cores" BUILD="$build" CC=musl-gcc PCRE2=no ZSTD=no NCURSES=no CURL=no NATS=no \
		SANITIZE= PORTABLE= WERROR=1 \
		CLI_CFLAGS="-isystem $foreign/include" CLI_LIBS="$foreign/libforeign.a" \
		TEST_CFLAGS="-isystem $foreign/include" TEST_LIBS="$foreign/libforeign.a" \
		"$@" || fail "does not build: $*"
}

# Loaded by musl's own loader, or what is run is not what is meant.
assert_musl() { # PROGRAM
	LC_ALL=C grep -q -a -e '/ld-musl-' "$1" || fail "$1 is not linked with musl"
}

prove_library() {
	local folder

	make_musl "$build/libshmlog.a" "$build/libshmlog.so"
	musl-gcc -Wall -Wextra -Werror -Isrc/include -o "$build/consumer" \
		tests/install/consumer.c "$build/libshmlog.a" || fail "does not link"
	assert_musl "$build/consumer"
	folder=$(mktemp -d)
	"$build/consumer" "$folder/log" || fail "a program cannot use the library"
	rm -r "$folder"
}

build_all() {
	local units=(tests/unit/test_*.c)
	local programs=("${units[@]%.c}")

	make_musl all "${programs[@]/#/$build/}"
	assert_musl "$build/shmlog"
}

run_all() {
	local units=(tests/unit/test_*.c)
	local files=(tests/cli/{create,cursor_file,exit_status,golden,help,roundtrip}.bats
		tests/cli/{stat,tail_follow,verify}.bats)

	[ "${SIZE:-small}" != full ] || files=(tests/cli/*.bats)
	prove -j"$((cores + 1))" --exec tests/run-test.sh \
		"${units[@]/#/musl:}" "${files[@]/#/musl:}" || fail "see above"
}

prove_library
need_foreign || exit "$([ "${1-}" = --build ] && echo 77 || echo 0)"
build_all
[ "${1-}" = --build ] || run_all
