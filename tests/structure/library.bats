# What the built libraries show and need.
load ../cli/helper

STANDARD=(-std=c11 -Wall -Wextra -Werror -fsyntax-only)

@test "the shared library exports names that begin with shmlog_" {
	need nm
	run bash -c 'nm -D --defined-only "$BUILD/libshmlog.so" | cut -d" " -f3 |
		grep -v "^shmlog_"'
	assert_output ""
}

@test "the shared library exports what the header declares, and no more" {
	need nm
	grep -o '\bshmlog_[a-z0-9_]*(' "$ROOT/src/include/shmlog.h" |
		tr -d '(' | sort -u >"$SCRATCH/named"
	nm -D --defined-only "$BUILD/libshmlog.so" | cut -d' ' -f3 |
		sort >"$SCRATCH/exported"
	run comm -13 "$SCRATCH/named" "$SCRATCH/exported"
	assert_output ""
	# Comments may speak of a call; a declaration has SHMLOG_API before it.
	"${CC:-cc}" -E -P "$ROOT/src/include/shmlog.h" | tr '\n' ' ' | tr ';' '\n' |
		sed -n 's/.*visibility[^;]*[ *]\(shmlog_[a-z0-9_]*\)(.*/\1/p' |
		sort -u >"$SCRATCH/declared"
	diff "$SCRATCH/declared" "$SCRATCH/exported"
}

@test "the static library defines global names that begin with shmlog_" {
	need nm
	run bash -c 'nm -g --defined-only "$BUILD/libshmlog.a" |
		awk "NF == 3 && \$3 !~ /^shmlog_/"'
	assert_output ""
}

@test "the library never prints and never ends the process" {
	need nm
	run bash -c 'nm -u "$BUILD/libshmlog.a" | grep -wE \
		"printf|fprintf|dprintf|vfprintf|puts|fputs|putchar|fwrite|perror|stdout|stderr|__(f|vf|d)?printf_chk|exit|_exit|abort|raise|__assert_fail|err|errx|warn|syslog"'
	assert_output ""
}

# Constants that hold pointers lie in .data.rel.ro, which nobody can write.
@test "the library keeps no global state" {
	need size
	run bash -c 'size -A "$BUILD/libshmlog.a" | grep -vF .data.rel.ro |
		awk "\$1 ~ /^\.t?(data|bss)/ && \$2 > 0"'
	assert_output ""
}

@test "the shared library is named after its major version" {
	need readelf
	run bash -c 'readelf -d "$BUILD/libshmlog.so" | grep SONAME'
	assert_output --partial "[libshmlog.so.0]"
}

@test "the shared library needs libc alone" {
	need readelf
	run bash -c 'readelf -d "$BUILD/libshmlog.so" | grep NEEDED |
		grep -vE "\[(libc|libc\.musl-[a-z0-9_]+|ld-linux[-a-z0-9_]*|libpthread|librt|libgcc_s)\.so"'
	assert_output ""
}

@test "the public header stands alone in C11, strictly" {
	echo '#include <shmlog.h>' >"$SCRATCH/a.c"
	"${CC:-cc}" "${STANDARD[@]}" -pedantic -I"$ROOT/src/include" "$SCRATCH/a.c"
}

@test "the public header is C++ as well" {
	need c++
	echo '#include <shmlog.h>' >"$SCRATCH/a.cc"
	c++ -std=c++11 -Wall -Wextra -pedantic -Werror -fsyntax-only \
		-I"$ROOT/src/include" "$SCRATCH/a.cc"
}

@test "every header of the command line stands alone" {
	local header

	for header in "$ROOT"/cli/*.h "$ROOT"/cli/*/*.h "$ROOT"/cli/cmd/*/*.h; do
		"${CC:-cc}" "${STANDARD[@]}" -D_GNU_SOURCE -I"$ROOT/src/include" \
			"-I$ROOT/cli/"{base,bendec,term,log,frame} -xc "$header"
	done
}

@test "every header of the library stands alone" {
	local header

	for header in "$ROOT"/src/*.h "$ROOT"/src/damage/*.h; do
		"${CC:-cc}" "${STANDARD[@]}" -D_GNU_SOURCE -I"$ROOT/src/include" \
			-I"$ROOT/src" -I"$ROOT/src/damage" -xc "$header"
	done
}
