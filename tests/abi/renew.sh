#!/usr/bin/env bash
# Makes the interface of the library as it is now the one that later ones are
# compared with: for a release, behind which it may not break.
set -eu

cd "$(dirname "$0")/../.."
{
	echo '/* The public header of libshmlog as programs were compiled with it, without'
	echo ' * its comments.  make abi-renew writes it. */'
	gcc -fpreprocessed -dD -E -P src/include/shmlog.h 2>/dev/null | sed 's/[[:space:]]*$//'
} >tests/abi/shmlog.abi
cp src/libshmlog.map tests/abi/libshmlog.map
