#!/usr/bin/env bash
# The README's two commands on a fresh machine: roots.sh makes bare roots of
# Debian, with git and make and nothing else, clones the committed tree in each
# and runs `make COMMAND` there, as root and as an ordinary user.  It fails
# where a command does, where a test was skipped for lack of a program, and
# where a file was used whose package no table names.  Needs root.
#
# ROOTS     which releases (bookworm trixie)
# COMMANDS  which targets, in this order (demo test)
# USERS     as whom (root user)
# MIRROR, BASES         see root.bash
#
# Who is root has the commands install what they need.  The user has nobody to
# do so: the first try must end with advice, and what it advises is run by root
# as it stands, before the second.
set -u

cd "$(dirname "$0")/../.." || exit 1
ROOTS=${ROOTS:-bookworm trixie}
COMMANDS=${COMMANDS:-demo test}
USERS=${USERS:-root user}
# shellcheck source=tests/roots/root.bash
source tests/roots/root.bash

# The line that .ci/deps advises to run as root, run so.
take_advice() { # LOG
	local line

	line=$(grep -A 1 '^as root, run:$' "$1" | sed -n '2s/^  //p')
	[ -n "$line" ] || return
	inside root "export DEBIAN_FRONTEND=noninteractive; $line" >>"$1" 2>&1
}

# ------------------------------------------------------------------ the proofs

# Runs make and adds to $work/opened what files were opened meanwhile.
watched_make() { # USER COMMAND
	local recorder status

	: >"$work/now"
	"$work/recorder" "$root" >"$work/now" &
	recorder=$!
	until [ -s "$work/now" ] || ! kill -0 "$recorder" 2>/dev/null; do
		sleep 0.05
	done
	inside "$1" "make $2"
	status=$?
	kill "$recorder" && wait "$recorder" || stop "the recorder of opened files ended early"
	cat "$work/now" >>"$work/opened"
	return "$status"
}

prove_command() { # RELEASE USER COMMAND
	local log=$logs/$1-$2-$3.log started=$SECONDS

	if watched_make "$2" "$3" >"$log" 2>&1; then
		verdict 0 "$1, as $2: make $3"
	elif [ "$2" != root ] && take_advice "$log"; then
		watched_make "$2" "$3" >>"$log" 2>&1
		verdict $? "$1, as $2: make $3, after the advice" "$log"
	else
		verdict 1 "$1, as $2: make $3" "$log"
	fi
	lacking "$log"
}

# Programs and pages whose lack a test, a shell or a linter spoke of.  Node is no
# part of a fresh machine.
lacking() { # LOG
	local names

	names=$(sed -nE -e 's/.*# [Ss][Kk][Ii][Pp] no ([^ ]+).* on this machine.*/\1/p' \
		-e 's/.*SKIP: ([^ ]+) is not installed.*/\1/p' \
		-e 's/.*[ :]([^ :]+): (command )?not found$/\1/p' \
		-e 's/.*manual not found: Xr ([^ ]+) ([0-9]).*/\1(\2)/p' "$1" |
		grep -vxE 'node|npm|shmio|bendec' | sort -u | xargs)
	[ -z "$names" ] || {
		echo "FAILED: lacking, and in no table: $names"
		bad+=("lacking: $names")
	}
}

# The packages that come along with these; deeper in stand those that provide
# what is only a name.
closure() { # PACKAGE...
	chroot "$root" apt-cache depends --recurse --installed --no-recommends \
		--no-suggests --no-enhances --no-conflicts --no-breaks --no-replaces \
		"$@" | sed -nE 's/^(    )?([a-z0-9][^ ]*)$/\2/p' | sort -u
}

# "PATH PACKAGE" for each file of each package; /bin and the like are in /usr.
owners() {
	(cd "$root/var/lib/dpkg/info" && awk '{
			package = FILENAME
			sub(/(:[a-z0-9]+)?\.list$/, "", package)
			if ($0 ~ /^\/(bin|sbin|lib|lib64|lib32|libx32)\//)
				$0 = "/usr" $0
			print $0 "\t" package
		}' ./*.list | sed 's|\t\./|\t|' | sort)
}

# What was used and is no part of the bare machine (what Debian holds to be
# essential or required, git, make, and for root the installer) nor of what a
# table names.
unnamed() { # RELEASE USER
	local known=(git make) unknown

	[ "$2" != root ] || known+=(apt debconf)
	# shellcheck disable=SC2046,SC2016 # words; the dollars are dpkg's
	closure "${known[@]}" $(inside root '.ci/deps --packages build option test deep') \
		$(chroot "$root" dpkg-query -W -f '${Package} ${Essential}${Priority}\n' |
			sed -nE 's/ (yes.*|norequired)$//p') >"$work/named"
	unknown=$(sort -u "$work/opened" | join -t $'\t' -o 2.2 - <(owners) |
		sort -u | comm -23 - "$work/named" | xargs)
	[ -z "$unknown" ] || {
		echo "FAILED: $1, as $2: used, and in no table: $unknown"
		bad+=("$1, as $2: $unknown")
	}
}

prove_user() { # RELEASE USER
	local command

	enter_root
	: >"$work/opened"
	for command in $COMMANDS; do
		prove_command "$1" "$2" "$command"
	done
	unnamed "$1" "$2"
	leave_root
}

prove() { # RELEASE
	local user

	[ -x "$work/recorder" ] || "${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 \
		-o "$work/recorder" tests/roots/opened.c || exit
	for user in $USERS; do
		prove_user "$1" "$user"
	done
}

run_proofs "$@"
