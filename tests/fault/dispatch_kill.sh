#!/usr/bin/env bash
# Prompts are answered by a stub of a model's server, which fails in all its ways
# by chance, while the dispatcher, and now and then the stub, are killed (-9) at
# random moments: each prompt has one right reply.  N: prompts.  KILLS: kills.
. "$(dirname "$0")/common.bash"
. tests/fault/dispatch.bash

sizes 400 4000
KILLS=${KILLS:-$([ "$SIZE" = full ] && echo 20 || echo 4)}
need_dispatch
prompts=$scratch/prompts replies=$scratch/replies
"$shmlog" create "$prompts" -c 4M && "$shmlog" create "$replies" -c 64M || exit 1

answer() { # ARGUMENT...
	${run-} "$shmlog" dispatch --retries 1000 --connect-timeout 5s --idle-timeout 5s \
		--base-url "http://127.0.0.1:$port" "$@" "$prompts" "$replies" 2>>"$scratch/said" 8>&-
}

answered() {
	"$shmlog" dump "$replies" | grep -c '"type":"done"'
}

fail() { # WHY
	echo "$campaign: FAIL: $1"
	tail -n 5 "$scratch/said"
	exit 1
}

start_stub 0 --chaos 25
seq -f 'prompt %g' "$N" | "$shmlog" append "$prompts" || exit 1
for ((kill = 0; kill < KILLS; kill++)); do
	stream=()
	((kill % 2)) || stream=(--stream)
	# In the place of the subshell, whose number is that of the process.
	run='exec' answer "${stream[@]}" &
	pid=$!
	sleep "0.$((RANDOM % 40 + 10))"
	if ((kill % 5 == 4)); then
		kill -9 "$stub" && wait "$stub" 2>/dev/null
		sleep 0.1
		start_stub "$port" --chaos 25
	fi
	kill -9 "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
done
answer --stream --concurrency 32 || fail "the last run ends with status $?"

"$shmlog" verify -q "$replies" || fail "the replies are damaged"
"$shmlog" dump "$replies" | jq -s -r 'map(select(.type == "done" or .type == "part")) |
	group_by(.prompt)[] | map(.text) | add' 2>/dev/null | sort >"$scratch/texts"
seq -f 'echo:prompt %g' "$N" | sort >"$scratch/wanted"
done=$(answered)
errors=$("$shmlog" dump "$replies" | grep -c '"type":"error"')
[ "$done" -eq "$N" ] && [ "$errors" -eq 0 ] ||
	fail "$N prompts have $done replies and $errors errors"
cmp -s "$scratch/texts" "$scratch/wanted" ||
	fail "wrong texts: $(diff "$scratch/texts" "$scratch/wanted" | head -n 3)"
# The deltas of the attempt that succeeded, where there are some, are its text.
wrong=$("$shmlog" dump "$replies" | jq -c '[.prompt, .type, .attempt // .attempts, .text]' |
	jq -s 'group_by(.[0])[] | (map(select(.[1] == "done"))[0]) as $done |
		map(select(.[1] == "delta" and .[2] == $done[2]) | .[3]) | add // "" |
		select(. != "" and . != $done[3])' | wc -l)
[ "$wrong" -eq 0 ] || fail "$wrong prompts show other text than their reply has"
retries=$("$shmlog" dump "$replies" | grep -c '"attempts":[2-9]')
kill "$stub" 2>/dev/null
echo "$campaign: PASS: $N prompts, $KILLS kills, $retries replies after more than one attempt: one right reply each"
