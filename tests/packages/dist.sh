#!/usr/bin/env bash
# Whoever has only the archive can build, test and package: dist.sh VERSION
# unpacks it elsewhere and runs `make`, `make test` and `make deb` there.
#
# COMMANDS  these targets (all test deb)
set -u

cd "$(dirname "$0")/../.." || exit 1
version=${1:?the version}
work=$(mktemp -d "${TMPDIR:-/var/tmp}/shmlog-dist.XXXXXX") || exit
trap 'rm -rf "$work"' EXIT

.packaging/dist.sh "$version" && tar -C "$work" -xf "build/dist/shmlog-$version.tar.xz" || exit
cd "$work/shmlog-$version" || exit
for target in ${COMMANDS:-all test deb}; do
	started=$SECONDS
	"${MAKE:-make}" "$target" || {
		echo "dist: make $target failed in what was unpacked" >&2
		exit 1
	}
	echo "ok: make $target ($((SECONDS - started)) s)"
done
