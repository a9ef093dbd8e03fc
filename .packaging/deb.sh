#!/bin/sh
# Makes the Debian packages, and the source package, in build/deb/ from the
# archive in build/dist/: deb.sh VERSION [ARGUMENT of dpkg-buildpackage...].
set -eu

cd "$(dirname "$0")/.."
version=$1
shift
out=build/deb
tree=$out/shmlog-$version
# The caller's make is not the package's.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES GNUMAKEFLAGS
umask 022

rm -rf "$out"
mkdir -p "$out"
cp "build/dist/shmlog-$version.tar.xz" "$out/shmlog_$version.orig.tar.xz"
tar -C "$out" -xf "$out/shmlog_$version.orig.tar.xz"
cp -R "$tree/.packaging/debian" "$tree/debian"
(cd "$tree" && dpkg-buildpackage --no-sign "$@") >"$out/log" 2>&1 || {
	tail -n 40 "$out/log"
	echo "deb: failed; all that was said is in $out/log" >&2
	exit 1
}
rm -rf "$tree"
