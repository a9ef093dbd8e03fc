#!/usr/bin/env bash
# A cluster of three servers keeps the stream, and the one that leads it is killed
# (-9) again and again while a log grows: identical logs at both ends.  N: kills.
. "$(dirname "$0")/relay.bash"

sizes 1 40

cluster=()
monitors=()
urls=()

start_member() { # NUMBER
	local i

	start_nats "$scratch/nats$1" -n "n$1" --cluster_name C \
		--cluster "nats://127.0.0.1:${routes[$1]}" \
		--routes "$(printf 'nats://127.0.0.1:%s,' "${routes[@]}" | sed 's/,$//')" ||
		return
	cluster[$1]=$server_pid
	monitors[$1]=$monitor
	urls[$1]=$url
	server_pid=
}

# Sets $leader to the number of the member that leads the stream, as one of them
# says, or to nothing.
find_leader() {
	local i said name='"stream_detail".*"leader": *"n([0-2])"'

	leader=
	for i in 0 1 2; do
		said=$(curl -s -m 2 "${monitors[i]}/jsz?acc=\$G&streams=1")
		[[ ! $said =~ $name ]] || {
			leader=${BASH_REMATCH[1]}
			return
		}
	done
}

# Waits until another member than this one leads.
wait_for_leader() { # NUMBER
	local i

	for ((i = 0; i < 10 * slack; i++)); do
		find_leader
		[ -z "$leader" ] || [ "$leader" = "$1" ] || return
		sleep 0.2
	done
}

# Kills the leader, and starts it again once another one leads.
kill_leader() {
	local old

	find_leader
	old=$leader
	[ -n "$old" ] || return
	kill_now "${cluster[old]}"
	wait_for_leader "$old"
	start_member "$old" || fail_campaign "no server"
	kills=$((kills + 1))
}

# Ports for the members' own connections: free a moment ago.
routes=()
for i in 0 1 2; do
	start_nats "$scratch/port$i" || exit 1
	routes[i]=$server_port
	kill_nats KILL
done
for i in 0 1 2; do
	start_member "$i" || exit 1
done
all=$(IFS=,; echo "${urls[*]}")
log=$scratch/from copy=$scratch/to kills=0
"$shmlog" create "$log" -c 256M --sparse
start relay push -f "$log" "$all" --create-stream --replicas 3 --stream cluster
wait_for_leader none
start relay pull -f "$copy" "$all" --create 256M --stream cluster
fill_slowly "$log"
writer=$started_pid
for ((n = 0; n < N; n++)); do
	random_sleep 900
	kill_leader
done
kill_now "$writer"
for ((i = 0; i < 300 * slack; i++)); do
	[ "$("$shmlog" seek "$log" end)" != "$("$shmlog" seek "$copy" end 2>/dev/null)" ] || break
	sleep 0.1
done
same_logs "$log" "$copy" || fail_campaign "the copy differs"
[ "$kills" -eq "$N" ] || fail_campaign "only $kills of $N leaders were killed"
verdict "$kills leaders of a cluster killed; identical copies"
