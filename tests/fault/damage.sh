#!/usr/bin/env bash
# Damage of every kind to logs of every kind: verify and salvage keep every run
# of three intact frames and invent none.  N: logs.  The small size plays the
# same logs each time; SEED chooses others.
. "$(dirname "$0")/common.bash"

sizes 600 20000
[ "$SIZE" = full ] || export SEED="${SEED:-42}"
need damage
run damage "$scratch" "$N"
