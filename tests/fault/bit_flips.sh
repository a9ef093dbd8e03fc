#!/usr/bin/env bash
# Every single bit of a 64 KiB log is flipped, and it is cut to every length:
# verify detects each flip in the header and in a length word, each cut, and
# no flip in a payload.  N: one in N of the payload's bits and of the lengths.
. "$(dirname "$0")/common.bash"

sizes 64 1
need bit_flips
run bit_flips "$scratch" "$N"
