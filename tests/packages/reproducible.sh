#!/usr/bin/env bash
# The archive and the packages are the same bytes wherever they are made:
# reproducible.sh VERSION makes them a second time from an unpacked archive, in
# another folder, by another umask, in another zone and language, and compares.
set -u

cd "$(dirname "$0")/../.." || exit 1
version=${1:?the version}
archive=shmlog-$version.tar.xz
work=$(mktemp -d "${TMPDIR:-/var/tmp}/shmlog-made-again.XXXXXX") || exit
trap 'rm -rf "$work"' EXIT
failed=0

same() { # FILE OTHER
	if cmp "$1" "$2"; then
		echo "same: ${1##*/}"
	else
		failed=1
	fi
}

elsewhere() { # COMMAND...
	(umask 027 && cd "$work/shmlog-$version" &&
		env TZ=Pacific/Chatham LC_ALL=C.UTF-8 HOME="$work" USER=another "$@")
}

.packaging/dist.sh "$version" || exit
# With or without unit tests, the packages are the same.
export DEB_BUILD_OPTIONS=nocheck
cmp -s "build/dist/$archive" "build/deb/shmlog_$version.orig.tar.xz" ||
	.packaging/deb.sh "$version" || exit

if [ -e .git ]; then
	git clone --quiet . "$work/clone" && "$work/clone/.packaging/dist.sh" "$version" || exit
	same "build/dist/$archive" "$work/clone/build/dist/$archive"
fi
tar -C "$work" -xf "build/dist/$archive" || exit
elsewhere .packaging/dist.sh "$version" && elsewhere .packaging/deb.sh "$version" || exit
made=$work/shmlog-$version/build
same "build/dist/$archive" "$made/dist/$archive"
for file in build/deb/*.deb build/deb/*.tar.xz build/deb/*.dsc; do
	same "$file" "$made/deb/${file##*/}"
done
exit "$failed"
