#!/bin/sh
# Makes build/dist/shmlog-VERSION.tar.xz, the same bytes wherever the same state
# is packed: dist.sh VERSION.
#
# In a clone it packs what is committed, with the time of the commit.  Elsewhere,
# where such an archive was unpacked, it packs all that is there but build/, with
# the time that the archive gave its files.
#
# SOURCE_DATE_EPOCH     that time, in seconds since 1970, otherwise
set -eu

cd "$(dirname "$0")/.."
name=shmlog-$1
out=build/dist
export LC_ALL=C
umask 022

rm -rf "$out"
mkdir -p "$out/$name"
if [ -e .git ]; then
	[ -z "$(git status --porcelain)" ] ||
		echo "dist: what is not committed is not in it" >&2
	git archive --format=tar HEAD >"$out/tree.tar"
	time=$(git log -1 --format=%ct)
else
	# The packages' own build puts debian/ and .pc/ beside the rest.
	tar -cf "$out/tree.tar" --exclude=./build --exclude=./debian --exclude=./.pc .
	time=$(stat -c %Y Makefile)
fi
tar -C "$out/$name" -xf "$out/tree.tar"
rm "$out/tree.tar"

# One thread: the bytes that xz makes depend on their number.
tar -C "$out" --format=ustar --sort=name --owner=0 --group=0 --numeric-owner \
	--mtime="@${SOURCE_DATE_EPOCH:-$time}" --mode=u+rw,go-w,a+rX -cf - "$name" |
	xz --threads=1 >"$out/$name.tar.xz"
rm -r "${out:?}/$name"
