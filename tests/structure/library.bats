# What the built libraries show and need.
load ../cli/helper

STANDARD=(-std=c11 -Wall -Wextra -Werror -fsyntax-only)

# Prints the names that the shared library exports, each as its version has it:
# NAME@@VERSION.
exported() {
	nm -D --defined-only "$BUILD/libshmlog.so" | awk '$2 != "A" { print $3 }' | sort
}

@test "the shared library exports what the header declares, in one version" {
	need nm
	# Comments may speak of a call; a declaration has SHMLOG_API before it.
	"${CC:-cc}" -E -P "$ROOT/src/include/shmlog.h" | tr '\n' ' ' | tr ';' '\n' |
		sed -n 's/.*visibility[^;]*[ *]\(shmlog_[a-z0-9_]*\)(.*/\1@@SHMLOG_0/p' |
		sort -u >"$SCRATCH/declared"
	[ -s "$SCRATCH/declared" ]
	exported >"$SCRATCH/exported"
	diff "$SCRATCH/declared" "$SCRATCH/exported"
}

@test "the version script names what the shared library exports, in order" {
	need nm
	sed -n '/global:/,/local:/s/^\t*\(shmlog_[a-z0-9_]*\);$/\1@@SHMLOG_0/p' \
		"$ROOT/src/libshmlog.map" >"$SCRATCH/named"
	diff <(exported) "$SCRATCH/named"
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

# The C library has done so: see src/processor.h.
@test "nothing asks the processor what it has before main" {
	need nm
	"${CC:-cc}" -E -x c - >"$SCRATCH/x86" 2>&1 <<-'END' || skip 'this C library does not tell'
		#include <sys/platform/x86.h>
		#ifndef CPU_FEATURE_ACTIVE
		#error
		#endif
	END
	run bash -c 'nm "$BUILD/libshmlog.a" "$BUILD/libshmlog.so" "$BUILD/shmlog" |
		grep -E "__cpu_(model|indicator_init)"'
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

# A line counts as a comment if nothing else is on it.
@test "more than 70 % of the public header are comments" {
	run awk '
		NF == 0 { next }
		{ lines++ }
		inside || /^[[:space:]]*\/\*/ { comments++ }
		/\/\*/ && !/\*\// { inside = 1; next }
		/\*\// { inside = 0 }
		END { printf "%d of %d\n", comments, lines
			exit !(comments * 100 > lines * 70) }' "$ROOT/src/include/shmlog.h"
	assert_success
}

@test "every function of the public header has its contract before it" {
	run awk '
		/^SHMLOG_API/ && last !~ /\*\/$/ { print FILENAME ":" FNR ": " $0 }
		{ last = $0 }' "$ROOT/src/include/shmlog.h"
	assert_output ""
}

@test "every name of the public header begins with shmlog_ or SHMLOG_" {
	local names

	# Macros, tags, functions, enumerators; comments are taken out.
	names=$(awk '{
			for (code = ""; $0 != "";) {
				at = index($0, inside ? "*/" : "/*")
				if (!inside) code = code (at ? substr($0, 1, at - 1) : $0)
				$0 = at ? substr($0, at + 2) : ""
				if (at) inside = !inside
			}
			print code }' "$ROOT/src/include/shmlog.h" |
		awk '
			$1 == "#define" { sub(/\(.*/, "", $2); print $2; next }
			/^enum / { print $2; enumerators = 1; next }
			/^struct [a-z_]+ [{;]|^struct [a-z_]+;/ { sub(/;/, "", $2); print $2 }
			/^}/ { enumerators = 0 }
			enumerators { print $1 }
			/^(static )?[A-Za-z_].*\(/ && match($0, /[A-Za-z_0-9]+\(/) {
				print substr($0, RSTART, RLENGTH - 1) }')
	((${#names} > 1000)) || fail "only these were found: $names"
	run grep -vE '^(shmlog(_|$)|SHMLOG_|-?[0-9]|__attribute__$)' <<<"$names"
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
			"-I$ROOT/cli/"{base,bendec,term,log,frame,filter} -xc "$header"
	done
}

@test "every header of the library stands alone" {
	local header

	for header in "$ROOT"/src/*.h "$ROOT"/src/damage/*.h; do
		"${CC:-cc}" "${STANDARD[@]}" -D_GNU_SOURCE -I"$ROOT/src/include" \
			-I"$ROOT/src" -I"$ROOT/src/damage" -xc "$header"
	done
}
