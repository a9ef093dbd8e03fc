# Prompts that a stub of a model's server answers: by shmlog-dispatch, and by
# clients that are written by hand and keep their connections open.
# shellcheck shell=bash source-path=SCRIPTDIR

start_model() {
	rm -f "$scratch/hold"
	mkfifo "$scratch/hold"
	"$build/tests/fault/model_stub" <"$scratch/hold" >"$scratch/port" &
	exec 8>"$scratch/hold"
	until [ -s "$scratch/port" ]; do
		kill -0 $! 2>/dev/null || give_up "the stub of a model does not start"
		sleep 0.01
	done
	port=$(<"$scratch/port")
	export ANTHROPIC_API_KEY=test-key ANTHROPIC_BASE_URL=http://127.0.0.1:$port
	unset http_proxy all_proxy ALL_PROXY
}

# From the append of a prompt to its reply, both in logs, by turns with a request
# and its reply on a connection.
answer_latency() {
	local prompts=$scratch/prompts replies=$scratch/replies percent

	say "append to reply: $samples prompts a side"
	"$shmlog" create -c 16M "$prompts" && "$shmlog" create -c 64M "$replies" ||
		give_up "no logs"
	"$(program prompts)" latency "$port" "$samples" 1000 "$prompts" "$replies" \
		"$shmlog" dispatch -f "$prompts" "$replies" >"$scratch/latency.json" ||
		give_up "no latency of dispatch"
	for percent in 50 99; do
		latency_row dispatch-p$percent "dispatch, append to reply: p$percent" \
			"libcurl by hand" "$([ $percent = 50 ] && echo 2 || echo null)" 0.$percent 0 2
	done
	latency_row dispatch-sockets-p50 "dispatch, append to reply: p50" \
		"sockets by hand" null 0.5 0 1
	row dispatch-added "dispatch, append to reply: p50 above sockets by hand" "" value us 500 \
		"0.5 as \$p | $rounds as \$rounds | $PERCENTILES
		[(.sides[0].us | percentiles(\$p)), (.sides[1].us | percentiles(\$p))] |
		{ours: (transpose | map(.[0] - .[1]))}" <"$scratch/latency.json"
	rm -f "$prompts" "$replies"
}

# All prompts are there when it starts.
answer_rate() { # CONCURRENCY GOAL
	local prompts=$scratch/prompts replies=$scratch/replies race=$scratch/race.json

	say "prompts by dispatch --concurrency $1: $answers, $slow_rounds rounds"
	"$(program race)" --rounds "$slow_rounds" --log "$replies" $((answers * 400 + 65536)) \
		"$shmlog" dispatch --concurrency "$1" "$prompts" "$replies" -- \
		"$(program prompts)" ask "$port" "$answers" "$1" >"$race" ||
		give_up "no rate of dispatch"
	row "dispatch-rate-$1" "dispatch --concurrency $1" "$1 sockets by hand" time s null \
		'{ours: .sides[0].seconds, theirs: .sides[1].seconds}' <"$race"
	row "dispatch-prompt-$1" "dispatch --concurrency $1: time a prompt" "" value us "$2" \
		"{ours: (.sides[0].seconds | map(. * 1e6 / $answers))}" <"$race"
	row "dispatch-memory-$1" "dispatch --concurrency $1: peak memory" "" value MiB 16 \
		'{ours: (.sides[0].peak_kib | map(. / 1024))}' <"$race"
	rm -f "$replies"
}

part_dispatch() {
	if [ ! -x "$build/shmlog-dispatch" ] || [ ! -x "$build/tests/fault/model_stub" ]; then
		skip_row "dispatch" "clients by hand" "it was not built: no libcurl on this machine"
		return
	fi
	local port prompts=$scratch/prompts

	start_model
	answer_latency
	seq -f 'prompt %g' "$answers" | "$shmlog" append --create $((answers * 32 + 4096)) "$prompts" ||
		give_up "no prompts"
	answer_rate 1 null
	# 10,000 prompts a second.
	answer_rate 8 100
	answer_rate 64 null
	rm -f "$prompts"
	exec 8>&-
}
