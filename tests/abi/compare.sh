#!/usr/bin/env bash
# Compares the binary interface of a library with that of an earlier one:
# compare.sh DESCRIPTION LIBRARY HEADERS
#
# DESCRIPTION is a folder with the public header of the earlier one, without its
# comments (shmlog.abi), and its version script (libshmlog.map); LIBRARY a shared
# library with debugging data, and HEADERS the folder of its header.  Prints what
# a program that was linked with the earlier one would miss, and ends with 1.
#
# The description is compiled here, with bodies that do nothing, so that abidiff
# compares two libraries that one compiler made for one machine.  What abidw
# writes about a library would differ with the release of either.
set -eu -o pipefail

description=$1 library=$2 headers=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/old"
cp "$description/shmlog.abi" "$work/old/shmlog.h"

# A declaration that is exported ends with the first semicolon.
stubs() {
	echo '#include <shmlog.h>'
	"${CC:-cc}" -E -P "$work/old/shmlog.h" | tr '\n' ' ' | tr ';' '\n' |
		sed -n 's/.*\(__attribute__((visibility("default"))).*\)/\1 { __builtin_trap(); }/p'
}

# Numbers that programs have compiled in: no function's type leads to them.  How
# far ahead a hint goes is not one that they share with the library.
constants() {
	echo '#include <stdio.h>'
	echo '#include <shmlog.h>'
	echo 'int main(void) {'
	grep -o 'SHMLOG_[A-Z0-9_]*' "$work/old/shmlog.h" | sort -u |
		grep -vxE 'SHMLOG_(H|API|VERSION|FAST_AHEAD_BYTES)' |
		sed 's/.*/printf("_Static_assert((unsigned long long)& == %lluull, \\"& was %lld\\");\\n", (unsigned long long)&, (long long)&);/'
	echo 'return 0; }'
}

stubs >"$work/stubs.c"
major=$(sed -n 's/^#define SHMLOG_VERSION "\([0-9]*\).*/\1/p' "$work/old/shmlog.h")
"${CC:-cc}" -std=c11 -O0 -gdwarf-4 -fPIC -I"$work/old" -shared \
	-Wl,-soname,"libshmlog.so.$major" \
	-Wl,--version-script="$description/libshmlog.map" \
	-o "$work/old.so" "$work/stubs.c"
constants >"$work/constants.c"
"${CC:-cc}" -std=c11 -I"$work/old" -o "$work/constants" "$work/constants.c"
{
	echo '#include <shmlog.h>'
	"$work/constants"
} >"$work/asserts.c"

different=0
"${CC:-cc}" -std=c11 -fsyntax-only -I"$headers" "$work/asserts.c" || different=1
# What is not declared in the header is nobody's business.
abidiff --no-added-syms --drop-private-types --headers-dir1 "$work/old" \
	--headers-dir2 "$headers" "$work/old.so" "$library" || different=1
exit $different
