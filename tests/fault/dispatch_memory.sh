#!/usr/bin/env bash
# A million prompts, answered by a stub of a model's server, take no more memory
# than a tenth of them.  N: prompts.
. "$(dirname "$0")/common.bash"
. tests/fault/dispatch.bash

# What the tenth may take less, in KiB.
MOST=1024

sizes 5000 1000000
need_dispatch
[ -x "$build/tests/bench/race" ] || make_quietly BUILD="${SHMLOG_BUILD:-build}" \
	"${SHMLOG_BUILD:-build}/tests/bench/race"

fail() { # WHY
	echo "$campaign: FAIL: $1"
	exit 1
}

begun=$SECONDS
for log in few many; do
	count=$([ $log = few ] && echo $((N / 10)) || echo "$N")
	seq -f 'prompt %.0f' "$count" |
		"$shmlog" append --create $((count * 24 + 4096)) "$scratch/$log" &&
		"$shmlog" create -c $((count * 360 + 65536)) "$scratch/$log.replies" || exit 1
done
start_stub 0
answer=("$shmlog" dispatch --concurrency 32 --base-url "http://127.0.0.1:$port")
"$build/tests/bench/race" --rounds 1 --warmup 0 \
	"${answer[@]}" "$scratch/few" "$scratch/few.replies" -- \
	"${answer[@]}" "$scratch/many" "$scratch/many.replies" \
	>"$scratch/race.json" 8>&- || fail "a run ends with another status than 0"
peaks=$(jq -r '[.sides[].peak_kib[0]] | @tsv' "$scratch/race.json")
done=$("$shmlog" dump "$scratch/many.replies" | grep -c '"type":"done"')
[ "$done" -eq "$N" ] || fail "$N prompts have $done replies"
# shellcheck disable=SC2086 # two numbers
set -- $peaks
[ $(($2 - $1)) -le $MOST ] ||
	fail "$1 KiB for $((N / 10)) prompts, and $2 KiB for $N"
echo "$campaign: PASS: $N prompts in $((SECONDS - begun)) s: $1 KiB for a tenth, $2 KiB for all"
