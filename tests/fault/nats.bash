# A nats-server for tests, on a free port, with its files in a folder.  It is
# killed, stopped and started again by its process id.
# shellcheck shell=bash disable=SC2034 # used by those that read this file

has_nats() {
	command -v nats-server >/dev/null && [[ -x $1/shmlog-relay ]]
}

# Starts a server, and waits until it takes connections: sets $server_pid,
# $server_port and $url.  A second start in the same folder has the same port.
# It keeps no streams if $keeps_nothing is set.
start_nats() { # FOLDER ARGUMENT...
	local folder=$1 port=-1 ports i said store

	shift
	store=(-js -sd "$folder/js")
	[[ -z ${keeps_nothing-} ]] || store=()
	mkdir -p "$folder"
	[[ ! -e $folder/port ]] || read -r port <"$folder/port"
	nats-server "${store[@]}" -a 127.0.0.1 -p "$port" -m -1 \
		--ports_file_dir "$folder" -l "$folder/log" "$@" \
		</dev/null >/dev/null 2>&1 3>&- &
	server_pid=$!
	ports=$folder/nats-server_$server_pid.ports
	for ((i = 0; i < 500 * ${SHMLOG_TEST_PATIENCE:-10}; i++)); do
		[[ ! -s $ports ]] || break
		kill -0 "$server_pid" 2>/dev/null || break
		sleep 0.01
	done
	[[ -s $ports ]] || {
		cat "$folder/log" >&2
		return 1
	}
	said=$(<"$ports")
	[[ $said =~ \"nats\":\ *\[\ *\"[a-z]+://[0-9.]*:([0-9]+)\" ]] || return
	server_port=${BASH_REMATCH[1]}
	[[ $said =~ \"monitoring\":\ *\[\ *\"([^\"]*)\" ]] || return
	monitor=${BASH_REMATCH[1]}
	echo "$server_port" >"$folder/port"
	url=nats://127.0.0.1:$server_port
}

kill_nats() { # [SIGNAL]
	kill "-${1:-KILL}" "$server_pid" 2>/dev/null || :
	wait "$server_pid" 2>/dev/null || :
	server_pid=
}

# A stream's number of messages, and of the last one.
messages_of() { # LOG STREAM
	"$shmlog" relay status "$1" "$url" --stream "$2" -o json | jq -r .messages
}

# Asks the server something by its own protocol, of which a request and an answer
# are all that it takes; prints the answer.
ask_nats() { # SUBJECT TEXT
	local line subject size

	exec 9<>"/dev/tcp/127.0.0.1/$server_port"
	read -r -t 10 line <&9
	printf 'CONNECT {"verbose":false}\r\nSUB answer.%s 1\r\nPUB %s answer.%s %d\r\n%s\r\n' \
		$$ "$1" $$ "${#2}" "$2" >&9
	while read -r -t 10 line <&9; do
		line=${line%$'\r'}
		case $line in
		PING) printf 'PONG\r\n' >&9 ;;
		MSG*)
			read -r -t 10 line <&9
			echo "${line%$'\r'}"
			break
			;;
		esac
	done
	exec 9>&-
}
