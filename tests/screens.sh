#!/usr/bin/env bash
# The screens in the README: makes them as the commands show them, in a terminal
# of 80 columns, on a log that is the same each time.  Says whether the README
# has them, or with --renew writes them there.  77: there is no tmux.
# shellcheck disable=SC2317 # the functions are called by names in the README
set -u

cd "$(dirname "$0")/.." || exit 1
command -v tmux >/dev/null || exit 77
build=${SHMLOG_BUILD:-build}
case $build in
/*) ;;
*) build=$PWD/$build ;;
esac
scratch=$(mktemp -d "${SHMLOG_TEST_MEMORY:-/dev/shm}/shmlog-screens.XXXXXX") || exit 1
socket=$scratch/tmux
writer='' reader=''
# shellcheck disable=SC2086 # none, or one each
trap 'tmux -S "$socket" kill-server 2>/dev/null; kill $writer $reader 2>/dev/null
	rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM HUP

# Waits until the screen shows a text, then a moment longer until it stays.
wait_for() { # TEXT
	local tries=0

	until tmux -S "$socket" capture-pane -p | grep -qF -- "$1"; do
		((++tries < 200)) || return 1
		sleep 0.05
	done
}

# The orders of a shop: 240 frames.
make_log() { # LOG
	"$build/shmlog" create "$1" -c 64K >/dev/null || return
	awk 'BEGIN {
		split("placed paid packed shipped", states)
		for (i = 1; i <= 240; i++)
			printf "{\"order\":%d,\"state\":\"%s\",\"items\":[{\"id\":%d,\"name\":\"Tee 茶 %d g\"}]}\n",
				1000 + i, states[i % 4 + 1], i * 7 % 90, i % 3 * 50 + 50
	}' | "$build/shmlog" append "$1"
}

# Prints the screen of the pager, at a match, as JSON.
screen_view() {
	make_log "$scratch/orders" || return
	tmux -S "$socket" -f /dev/null new-session -d -x 80 -y 24 \
		"cd '$scratch' && TERM=screen LC_ALL=C.UTF-8 '$build/shmlog' view orders" || return
	wait_for '240 frames' || return
	tmux -S "$socket" send-keys -l '/order":1042'
	tmux -S "$socket" send-keys Enter
	wait_for 'frame 41,' || return
	tmux -S "$socket" send-keys Tab
	wait_for '"order": 1042' || return
	tmux -S "$socket" capture-pane -p | sed 's/ *$//'
	tmux -S "$socket" send-keys q
}

# The screen of a name that the README has.
known_screen() { # NAME
	awk -v mark="<!-- screen $1:" '
		inside && /^```$/ { exit }
		inside { print }
		index($0, mark) == 1 { getline; inside = 1 }' README.md
}

# What a screen has whatever the time, the rates, and who else is on the machine.
plainly() {
	sed -e 's/[0-9][0-9.:a-zA-Z]*[+?]*/N/g' -e 's/[▁▂▃▄▅▆▇█▏▎▍▌▋▊▉]\{1,\}/P/g' \
		-e 's/  */ /g' -e 's/ $//'
}

# Prints the screen of top, with a log that is written and one that is nearly
# full.  Rates are never the same: where those are all that differ from the
# screen in the README, that is printed.
screen_top() {
	local folder=$scratch/logs seen=$scratch/top tries=0

	mkdir "$folder" || return
	make_log "$folder/orders" && "$build/shmlog" create -c 1M "$folder/events" &&
		head -c 3900 /dev/zero | tr '\0' x |
		"$build/shmlog" append -i whole --create 4K "$folder/audit" || return
	"$build/shmlog" append "$folder/events" < <(while sleep 0.02; do
		echo '{"event":"tick","source":"the example in the README"}'
	done 2>/dev/null) &
	writer=$!
	"$build/shmlog" tail -f "$folder/orders" >/dev/null &
	reader=$!
	tmux -S "$socket" -f /dev/null new-session -d -x 80 -y 8 \
		"cd '$folder' && TERM=screen LC_ALL=C.UTF-8 '$build/shmlog' top -d 0.2 ." || return
	known_screen top | plainly >"$scratch/known"
	until
		sleep 0.3
		tmux -S "$socket" capture-pane -p | sed 's/ *$//' >"$seen"
		plainly <"$seen" | cmp -s - "$scratch/known"
	do
		((++tries < 30)) || break
	done
	tmux -S "$socket" send-keys q
	if plainly <"$seen" | cmp -s - "$scratch/known"; then
		known_screen top
	else
		cat "$seen"
	fi
}

# Writes the README to standard output, with the screen of a name.
place() { # NAME FILE
	awk -v mark="<!-- screen $1:" -v file="$2" '
		index($0, mark) == 1 { print; getline; print; inside = 1
			while ((getline line < file) > 0) print line
			next }
		inside && /^```$/ { inside = 0 }
		!inside' README.md
}

status=0
while read -r name <&3; do
	"screen_$name" >"$scratch/screen" || {
		echo "screens: cannot make that of $name"
		exit 1
	}
	place "$name" "$scratch/screen" >"$scratch/README" || exit 1
	if [ "${1-}" = --renew ]; then
		cat "$scratch/README" >README.md
	else
		diff README.md "$scratch/README" || status=1
	fi
done 3< <(sed -n 's/^<!-- screen \([a-z]*\):.*/\1/p' README.md)
[ $status -eq 0 ] || echo "screens: make screens-renew writes them into the README"
exit $status
