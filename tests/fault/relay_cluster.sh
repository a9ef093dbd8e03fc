#!/usr/bin/env bash
# A cluster of three servers keeps the stream, and the one that leads it is killed
# (-9) again and again while a log grows: identical logs at both ends.  N: kills.
. "$(dirname "$0")/relay.bash"

sizes 1 40

cluster=()
monitors=()
urls=()
# Where a member tells of the cluster and of the stream.
streams='/jsz?streams=1'

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

# What the members say, each of itself and of the stream, in the order of their
# numbers: the number of the leader once all three are up and current, and why
# not until then.  A member judges itself by its health; the leaders, of the
# stream and of the cluster, judge the other two by what these have confirmed.
# shellcheck disable=SC2016 # jq's variables
judge_members='
def behind: map(select((.current | not) or .offline) | .name) | join(" ");
def follow($what): if length != 2 then "\(length) of 2 members follow " + $what
	elif behind != "" then "\(behind) not current in " + $what else empty end;
def leader($what): unique | if length == 1 and (.[0] // "") != "" then .[0][1:] | tonumber
	else "no leader of " + $what + " that all agree on" | error end;
(.[:3] | map(select(.status != "ok") | .error // .status)) as $ill |
if length != 6 then error("not all of them answer") else . end |
if $ill != [] then error($ill | unique | join("; ")) else .[3:] end |
map([.account_details[]?.stream_detail[]?.cluster][0]) as $streams |
map(.meta_cluster) as $metas |
($streams | map(.leader) | leader("the stream")) as $leader |
($metas | map(.leader) | leader("the cluster")) as $chief |
[($streams[$leader].replicas // [] | follow("the stream")),
 ($metas[$chief].replicas // [] | follow("the cluster"))] |
if . == [] then $leader else error(join("; ")) end'

# Sets $leader to the number of the member that leads the stream, or to nothing
# while not all three have all of it, and $why to what is missing.
find_leader_of_all() {
	local said

	said=$(curl -s -m 2 "${monitors[@]/%//healthz}" "${monitors[@]/%/$streams}" |
		jq -rs "$judge_members" 2>&1)
	leader='' why=${said##*): }
	[[ ! $said =~ ^[012]$ ]] || leader=$said
}

# Waits until all three members are up and have all of the stream.  What is
# promised is that nothing is lost while a majority of such members lives: one
# that is killed before another one has caught up takes more than a minority.
wait_until_whole() {
	local i

	for ((i = 0; i < 60 * slack; i++)); do
		find_leader_of_all
		[ -z "$leader" ] || return 0
		sleep 0.2
	done
	give_up "the cluster did not become whole: $why"
}

# Waits until messages arrive in the copy: the relays work, too.
wait_for_growth() {
	local i before

	before=$("$shmlog" seek "$copy" end 2>/dev/null)
	for ((i = 0; i < 60 * slack; i++)); do
		[ "$("$shmlog" seek "$copy" end 2>/dev/null)" = "$before" ] || return 0
		sleep 0.2
	done
	give_up "the copy did not grow any more, with a cluster that is whole"
}

# Waits until another member than this one leads the stream, as one of those that
# live says.
wait_for_other() { # NUMBER
	local i live=("${monitors[@]}")

	unset "live[$1]"
	for ((i = 0; i < 60 * slack; i++)); do
		[[ ! $(curl -s -m 2 "${live[@]/%/$streams}") =~ \
			\"stream_detail\".*\"leader\":\ *\"n([0-2])\" ]] ||
			[ "${BASH_REMATCH[1]}" = "$1" ] || return 0
		sleep 0.2
	done
	give_up "no other member than n$1 leads, though two have all of the stream"
}

# Kills the leader while messages are on their way, and starts it again once
# another one leads.
kill_leader() {
	local old

	wait_for_growth
	random_sleep 900
	wait_until_whole
	old=$leader
	kill_now "${cluster[old]}"
	wait_for_other "$old"
	start_member "$old" || give_up "member n$old does not start again"
	kills=$((kills + 1))
}

# What the servers and the relays have said tells more than the end.
give_up() { # WHY
	fail_campaign "after $kills of $N kills: $*"
	tail -n 5 "$scratch"/nats?/log "$scratch/said"
	exit 1
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
wait_until_whole
start relay pull -f "$copy" "$all" --create 256M --stream cluster
fill_slowly "$log"
writer=$started_pid
for ((n = 0; n < N; n++)); do
	kill_leader
done
kill_now "$writer"
for ((i = 0; i < 300 * slack; i++)); do
	[ "$("$shmlog" seek "$log" end)" != "$("$shmlog" seek "$copy" end 2>/dev/null)" ] || break
	sleep 0.1
done
same_logs "$log" "$copy" || give_up "the copy differs"
verdict "$kills leaders of a cluster killed; identical copies"
