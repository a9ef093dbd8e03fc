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

	# As shells split it, -static too, which must come before the libraries.
	read -ra flags <<<"$(pkg ${static:+--static} --cflags --libs)"
	"$@" -Wall -Wextra -Wpedantic -Wconversion -Werror \
		-o "$SCRATCH/consumer" "${flags[@]}"
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
	cmp cli/cmd/completion/shmlog.bash \
		"$SCRATCH/to/usr/share/bash-completion/completions/shmlog"
	cmp cli/cmd/completion/shmlog.zsh \
		"$SCRATCH/to/usr/share/zsh/vendor-completions/_shmlog"
	for program in shmlog shmlog-dispatch shmlog-relay; do
		cmp cli/cmd/completion/shmlog.fish \
			"$SCRATCH/to/usr/share/fish/vendor_completions.d/$program.fish"
		assert_file_exists "$SCRATCH/to/usr/share/bash-completion/completions/$program"
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
	assert_file_exists "$SCRATCH/to/opt/shmlog/share/zsh/site-functions/_shmlog"
	contents "$SCRATCH/to" >"$SCRATCH/before"
	make_in DESTDIR="$SCRATCH/to" prefix=/opt/shmlog libdir=/opt/lib64 \
		mandir=/opt/man install
	contents "$SCRATCH/to" | diff "$SCRATCH/before" -
	make_in DESTDIR="$SCRATCH/to" prefix=/opt/shmlog libdir=/opt/lib64 \
		mandir=/opt/man uninstall
	assert_equal "$(contents "$SCRATCH/to")" ""
}

@test "folders may have blanks and quotes in their names" {
	local stage=$SCRATCH/a\ stage to="$SCRATCH/user's place"

	mkdir "$stage" "$to"
	make_in DESTDIR="$stage" prefix="/with a blank" install
	cmp build/shmlog "$stage/with a blank/bin/shmlog"
	assert_file_exists "$stage/with a blank/share/man/man1/shmlog.1"
	run contents "$stage"
	assert_line --index 0 "d with a blank"
	make_in DESTDIR="$stage" prefix="/with a blank" uninstall
	assert_equal "$(contents "$stage")" ""

	make_in prefix="$to" install
	eval "${CC:-cc} -std=c11 -o '$SCRATCH/consumer' tests/install/consumer.c \
		$(PKG_CONFIG_PATH=$to/lib/pkgconfig pkg-config --cflags --libs libshmlog)"
	LD_LIBRARY_PATH=$to/lib run "$SCRATCH/consumer" "$LOG"
	assert_success
	make_in prefix="$to" uninstall
	assert_equal "$(contents "$to")" ""
}

@test "a C program builds with the shared library through pkg-config" {
	make_in prefix="$SCRATCH/to" install
	consume "${CC:-cc}" -std=c11 tests/install/consumer.c
}

@test "a program builds with the static library through pkg-config" {
	local static

	make_in prefix="$SCRATCH/to" install
	rm "$SCRATCH"/to/lib/libshmlog.so*
	consume "${CC:-cc}" -std=c11 tests/install/consumer.c
	# All of it static: what --static names is enough, and not all of it is
	# needed otherwise.
	static=yes
	consume "${CC:-cc}" -std=c11 -static tests/install/consumer.c
	run file_needs "$SCRATCH/consumer"
	assert_output ""
	run pkg --libs
	refute_output --partial pthread
	run pkg --static --libs
	assert_output --partial " -pthread"
}

# The shared libraries that a program is loaded with.
file_needs() { # PROGRAM
	readelf -d "$1" 2>/dev/null | grep NEEDED
	true
}

@test "a C++ program builds through pkg-config, and with the static library" {
	local standard static

	need c++
	make_in prefix="$SCRATCH/to" install
	cp tests/install/consumer.c "$SCRATCH/consumer.cc"
	for standard in c++11 c++20; do
		consume c++ -std=$standard "$SCRATCH/consumer.cc"
	done
	rm "$SCRATCH"/to/lib/libshmlog.so*
	static=yes
	consume c++ -std=c++11 -static "$SCRATCH/consumer.cc"
}

# Prints an example of libshmlog(3) as a reader copies it: from the line that begins
# with FIRST to the blank line behind which the text goes on with LAST.
from_page() { # FIRST LAST
	mandoc -Tutf8 man/libshmlog.3 | python3 -c '
import re, sys, textwrap
page = re.sub(".\b", "", sys.stdin.read())
page = page[page.index("EXAMPLES"):]
begin = re.search(r"^ *" + re.escape(sys.argv[1]), page, re.M).start()
end = page.index(sys.argv[2], begin)
print(textwrap.dedent(page[begin:page.rindex("\n\n", begin, end)]))' "$@"
}

# Runs the lines of a transcript in the page that begin with "$", without the one
# that compiles, and compares it with what they print.
replay() { # TRANSCRIPT
	local line

	grep '^[$] [^c]' <<<"$1" | while read -r _ line; do
		printf '$ %s\n' "$line"
		eval "${line//\/dev\/shm\/hello/"$LOG"}"
	done | diff <(grep -v '^[$] cc' <<<"$1") -
}

@test "the programs in libshmlog(3) print what the page says, in C and in Python" {
	need mandoc
	need python3
	make_in prefix="$SCRATCH/to" install
	from_page '#include <shmlog.h>' 'Compiled and run:' >"$SCRATCH/hello.c"
	from_page 'import ctypes' 'Run:' >"$SCRATCH/hello.py"
	c_run=$(from_page '$ cc hello.c' 'The same from Python')
	python_run=$(from_page '$ python3 hello.py' 'ERRORS')
	export PKG_CONFIG_PATH=$SCRATCH/to/lib/pkgconfig
	export LD_LIBRARY_PATH=$SCRATCH/to/lib
	cd "$SCRATCH"
	eval "$(sed -n 's/^[$] cc/"${CC:-cc}" -Wall -Wextra -Werror/p' <<<"$c_run")"
	rm -f "$LOG"
	replay "$c_run"
	replay "$python_run"
	# A refusal is an exception with the words of the library.
	run python3 hello.py "$SCRATCH"
	assert_failure
	assert_output --partial "no regular file"
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
