# What the Debian packages hold, told from their descriptions.
load ../cli/helper

DEBIAN=.packaging/debian

setup() {
	scratch_make
	cd "$ROOT" || return
}

@test "the newest entry of the packages' changelog is about this version" {
	run sed -n '1s/^shmlog (\([^-]*\)-.*/\1/p' $DEBIAN/changelog
	assert_output "$(sed -n 's/^.define SHMLOG_VERSION "\(.*\)"/\1/p' src/include/shmlog.h)"
}

# Prints "PACKAGE PATTERN" for each line of the lists.
patterns() {
	local list

	for list in $DEBIAN/*.install; do
		sed "s|^|$(basename "$list" .install) |" "$list"
	done
}

# Prints "FILE PACKAGE" for all files in $TO that a list names.  Those of the
# programs and of the library are not the command's, as the rules say.
packaged() {
	local package pattern file

	while read -r package pattern; do
		for file in "$TO"/$pattern; do
			[[ ! -e $file ]] || find "$file" ! -type d -printf "%p $package\n"
		done
	done < <(patterns) | sed "s|^$TO/||" |
		awk '!($2 == "shmlog" && $1 ~ /shmlog-(dispatch|relay)|libshmlog/)' | sort
}

install_all() {
	TO=$SCRATCH/to
	make --no-print-directory DESTDIR="$TO" prefix=/usr libexecdir=/usr/libexec \
		libdir=/usr/lib/triplet install
}

@test "each file that is installed is in one package" {
	install_all
	packaged | cut -d' ' -f1 | diff <(cd "$TO" && find usr ! -type d | sort) -
}

@test "each line of the packages' lists names a file" {
	local package pattern

	install_all
	while read -r package pattern; do
		# A program is built where its library is.
		[[ $pattern != */libexec/* || -x $BUILD/${pattern##*/} ]] || continue
		compgen -G "$TO/$pattern" >/dev/null ||
			fail "$package.install: nothing is $pattern"
	done < <(patterns)
}

@test "the package of the library lists the names that it exports" {
	sed -n 's/^ \([^ ]*@[^ ]*\) .*/\1/p' $DEBIAN/libshmlog0.symbols | LC_ALL=C sort >"$SCRATCH/listed"
	awk '/^SHMLOG_/ { node = $1; print node "@" node }
		$1 == "local:" { node = "" }
		node != "" && /^\t\tshmlog_/ { sub(/;/, ""); print $1 "@" node }' \
		src/libshmlog.map | LC_ALL=C sort | diff - "$SCRATCH/listed"
}

@test "the packages are built with what the table names for building" {
	sed -n '/^Build-Depends:/,/^[^ ]*:/s/^ \([a-z0-9-]*\).*/\1/p' $DEBIAN/control |
		grep -vxE 'debhelper-compat|libcmocka-dev' | sort >"$SCRATCH/depends"
	# What each machine that builds packages has.
	.ci/deps --packages build option | tr ' ' '\n' | grep -vxE 'gcc|libc6-dev' |
		sort | diff - "$SCRATCH/depends"
}
