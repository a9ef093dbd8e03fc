# What the campaigns of shmlog-dispatch share: a stub of a model's server.
# shellcheck shell=bash disable=SC2154 # of common.bash

stub=0

# Ends the campaign where there is no shmlog-dispatch.
need_dispatch() {
	if [ ! -x "$build/shmlog-dispatch" ]; then
		make_quietly BUILD="${SHMLOG_BUILD:-build}" all
		[ -x "$build/shmlog-dispatch" ] || {
			echo "$campaign: SKIP: shmlog-dispatch was not built: no libcurl"
			exit 77
		}
	fi
	need model_stub
	command -v jq >/dev/null || {
		echo "$campaign: SKIP: no jq on this machine"
		exit 77
	}
	unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
	export ANTHROPIC_API_KEY=test-key
}

# Starts the stub, which ends with this campaign, and sets its port.
start_stub() { # PORT ARGUMENT...
	local i wanted=$1

	shift
	exec 8>&-
	rm -f "$scratch/hold" "$scratch/port"
	mkfifo "$scratch/hold"
	"$build/tests/fault/model_stub" "$@" --port "$wanted" <"$scratch/hold" >"$scratch/port" &
	stub=$!
	exec 8>"$scratch/hold"
	for ((i = 0; i < 100 * slack; i++)); do
		if [ -s "$scratch/port" ]; then
			port=$(<"$scratch/port")
			return 0
		fi
		sleep 0.01
	done
	echo "$campaign: FAIL: the stub does not start"
	exit 1
}
