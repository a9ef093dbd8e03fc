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
