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
# MIRROR    a mirror of Debian; that of this machine's apt otherwise
#
# Who is root has the commands install what they need.  The user has nobody to
# do so: the first try must end with advice, and what it advises is run by root
# as it stands, before the second.
set -u

cd "$(dirname "$0")/../.." || exit 1
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C
ROOTS=${ROOTS:-bookworm trixie}
COMMANDS=${COMMANDS:-demo test}
USERS=${USERS:-root user}

stop() { # WHY
	echo "roots: $*" >&2
	exit 1
}

# --------------------------------------------- what this machine's apt knows

# Debian's own mirror among the sources of packages.
find_mirror() {
	# shellcheck disable=SC2016 # the dollars are apt's
	apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)' \
		'Identifier: Packages' | sed -n 's/^Debian|Debian|main|//p' | head -n 1
}

# The file of keys that a source of packages is signed by.
find_keys() { # MIRROR
	local keys

	keys=$(awk -v RS= -v mirror="${1%/}" 'index($0, mirror) &&
		match($0, /[Ss]igned-[Bb]y[:=] *\/[^] \t\n]+/) {
			text = substr($0, RSTART, RLENGTH)
			print substr(text, index(text, "/"))
			exit
		}' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null)
	echo "${keys:-/usr/share/keyrings/debian-archive-keyring.gpg}"
}

# How this machine reaches it, and what it holds of old mirrors.
apt_settings() {
	apt-config dump | grep -E '^Acquire::(https?::|Check-|Retries|ForceIPv)'
}

# ------------------------------------------------------------------- the roots

make_base() { # RELEASE
	local log=$work/debootstrap.log keys

	keys=$(find_keys "$MIRROR")
	[ -e "$keys" ] || stop "no keys of Debian in $keys"
	debootstrap --variant=minbase --include=git,make --keyring="$keys" \
		"$1" "$work/base" "$MIRROR" >"$log" 2>&1 || {
		tail -n 20 "$log"
		stop "no root of $1"
	}
	apt_settings >"$work/base/etc/apt/apt.conf.d/90machine"
	cp -L /etc/resolv.conf "$work/base/etc/" 2>/dev/null
	# An https mirror, before there is a package of certificates.
	mkdir -p "$work/base/etc/ssl/certs"
	cp -L /etc/ssl/certs/ca-certificates.crt "$work/base/etc/ssl/certs/" 2>/dev/null
	chroot "$work/base" useradd --create-home --shell /bin/bash user
	clone "$work/base/root/shmlog" root
	clone "$work/base/home/user/shmlog" user
}

clone() { # FOLDER OWNER
	GIT_CONFIG_GLOBAL=$work/gitconfig git clone --quiet --no-hardlinks "$PWD" "$1" ||
		stop "cannot clone the tree"
	chroot "$work/base" chown -R "$2:" "${1#"$work/base"}"
}

# A copy of the base, with what a machine has mounted.
enter_root() {
	cp -a "$work/base" "$root" || stop "no room for a root"
	mount --bind "$root" "$root" &&
		mount -t proc proc "$root/proc" &&
		mount -t sysfs -o ro sysfs "$root/sys" &&
		mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm" &&
		mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts" ||
		stop "cannot mount"
	rm -f "$root/dev/ptmx"
	ln -s pts/ptmx "$root/dev/ptmx"
}

leave_root() {
	umount -R "$root" && rm -rf "$root"
}

inside() { # USER COMMAND-LINE
	local settings=(HOME=/root TERM=dumb LC_ALL=C.UTF-8
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
	local name as=()

	for name in http_proxy https_proxy no_proxy; do
		[ -z "${!name-}" ] || settings+=("$name=${!name}")
	done
	if [ "$1" != root ]; then
		settings[0]=HOME=/home/$1
		as=(setpriv --reuid "$1" --regid "$1" --init-groups)
	fi
	chroot "$root" env -i "${settings[@]}" USER="$1" "${as[@]}" \
		bash -c "cd ~/shmlog && $2" </dev/null
}

# The line that .ci/deps advises to run as root, run so.
take_advice() { # LOG
	local line

	line=$(grep -A 1 '^as root, run:$' "$1" | sed -n '2s/^  //p')
	[ -n "$line" ] || return
	inside root "export DEBIAN_FRONTEND=noninteractive; $line" >>"$1" 2>&1
}

# ------------------------------------------------------------------ the proofs

bad=()

verdict() { # STATUS WHAT LOG
	if [ "$1" -eq 0 ]; then
		echo "ok: $2 ($((SECONDS - started)) s)"
		return
	fi
	bad+=("$2")
	echo "FAILED: $2 ($((SECONDS - started)) s); the end of $3:"
	tail -n 40 "$3" | sed 's/^/  /'
}

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

prove() { # RELEASE USER
	local command

	enter_root
	: >"$work/opened"
	for command in $COMMANDS; do
		prove_command "$1" "$2" "$command"
	done
	unnamed "$1" "$2"
	leave_root
}

prove_all() {
	local release user

	for release in $ROOTS; do
		make_base "$release"
		for user in $USERS; do
			prove "$release" "$user"
		done
		rm -rf "$work/base"
	done
	[ ${#bad[@]} -eq 0 ] || stop "${#bad[@]} failed; the logs are in $logs"
	echo "roots: all is well"
}

# ---------------------------------------------------------------------- spaces

# All mounts and processes are in spaces of their own, which end with the first
# process there, however it ends.  What is left is a folder.
if [ "${1-}" != --inside ]; then
	[ "$(id -u)" -eq 0 ] || stop "making a bare root takes root; try: sudo make check-roots"
	work=$(mktemp -d "${TMPDIR:-/var/tmp}/shmlog-roots.XXXXXX") || exit
	child=
	# unshare is deaf to all but KILL.  The last of the processes may still be
	# ending, and writing.
	clean_up() {
		local try

		[ -z "$child" ] || { kill -KILL "$child" && wait "$child"; } 2>/dev/null
		for try in {1..50}; do
			rm -rf --one-file-system "$work" 2>/dev/null && return
			sleep 0.2
		done
		echo "roots: $work could not be removed" >&2
	}
	trap clean_up EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	unshare --mount --pid --fork --kill-child --mount-proc "$0" --inside "$work" &
	child=$!
	wait "$child"
	status=$?
	child=
	exit "$status"
fi

work=$2
root=$work/root
logs=$PWD/build/roots
rm -rf "$logs" && mkdir -p "$logs" || exit
MIRROR=${MIRROR:-$(find_mirror)}
[ -n "$MIRROR" ] || stop "apt knows no mirror of Debian; after apt-get update it may, or set MIRROR"
git diff --quiet HEAD || echo "roots: what is not committed is not looked at"
printf '[safe]\n\tdirectory = *\n' >"$work/gitconfig"
"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -o "$work/recorder" tests/roots/opened.c || exit
# debootstrap fetches by other means than apt.
if [ -z "${http_proxy-}" ]; then
	eval "$(apt-config shell http_proxy Acquire::http::Proxy)"
	export http_proxy
fi
prove_all
