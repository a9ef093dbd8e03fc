# Bare roots of Debian, for scripts that prove something in them.  The script
#
#   sets ROOTS, and sources this file at the top of the tree
#   defines prove(), which is called with each release in turn, while $work/base
#   is a root of that release with git and make and nothing else
#   calls run_proofs "$@" as its last line
#
# In prove(), enter_root makes a copy of the base, inside runs commands in it, and
# leave_root removes it; a verdict tells how a step of the proof ended.  All mounts
# and processes are in spaces of their own, which end with the script, however it
# ends.  Needs root.
#
# ROOTS     which releases
# MIRROR    a mirror of Debian; that of this machine's apt otherwise
# BASES     a folder that keeps the bare roots, for the next run

PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C
proof=${0##*/}
proof=${proof%.sh}

stop() { # WHY
	echo "$proof: $*" >&2
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

bootstrap() { # RELEASE
	local log=$work/debootstrap.log keys kept=${BASES:+$BASES/$1.tar}

	if [ -n "$kept" ] && [ -e "$kept" ]; then
		mkdir "$work/base"
		tar -C "$work/base" --numeric-owner -xpf "$kept" || stop "cannot read $kept"
		return
	fi
	keys=$(find_keys "$MIRROR")
	[ -e "$keys" ] || stop "no keys of Debian in $keys"
	debootstrap --variant=minbase --include=git,make --keyring="$keys" \
		"$1" "$work/base" "$MIRROR" >"$log" 2>&1 || {
		tail -n 20 "$log"
		stop "no root of $1"
	}
	[ -z "$kept" ] || { tar -C "$work/base" --numeric-owner -cf "$kept.new" . &&
		mv "$kept.new" "$kept"; } || stop "cannot write $kept"
}

make_base() { # RELEASE
	bootstrap "$1"
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

# ---------------------------------------------------------------- the verdicts

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

begin_steps() { # RELEASE
	release=$1 steps=0
}

# Runs a step of a proof in the root, and returns how it ended.
step() { # WHAT COMMAND-LINE
	local log=$logs/$release-$((++steps)).log started=$SECONDS status

	inside root "set -e; $2" >"$log" 2>&1
	status=$?
	verdict $status "$release: $1" "$log"
	return $status
}

prove_all() {
	local release

	for release in $ROOTS; do
		make_base "$release"
		prove "$release"
		rm -rf "$work/base"
	done
	[ ${#bad[@]} -eq 0 ] || stop "${#bad[@]} failed; the logs are in $logs"
	echo "$proof: all is well"
}

# ---------------------------------------------------------------------- spaces

# Runs this script again in spaces that end with its first process there, however
# that ends.  What is left is a folder.
in_spaces() {
	local status

	[ "$(id -u)" -eq 0 ] ||
		stop "making a bare root takes root; try: sudo make check-$proof"
	work=$(mktemp -d "${TMPDIR:-/var/tmp}/shmlog-$proof.XXXXXX") || exit
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
		echo "$proof: $work could not be removed" >&2
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
}

run_proofs() { # ARGUMENT-OF-THE-SCRIPT...
	[ "${1-}" = --inside ] || in_spaces
	work=$2
	root=$work/root
	logs=$PWD/build/$proof
	rm -rf "$logs" && mkdir -p "$logs" || exit
	[ -z "${BASES-}" ] || mkdir -p "$BASES" || exit
	MIRROR=${MIRROR:-$(find_mirror)}
	[ -n "$MIRROR" ] ||
		stop "apt knows no mirror of Debian; after apt-get update it may, or set MIRROR"
	git diff --quiet HEAD || echo "$proof: what is not committed is not looked at"
	printf '[safe]\n\tdirectory = *\n' >"$work/gitconfig"
	# debootstrap fetches by other means than apt.
	if [ -z "${http_proxy-}" ]; then
		eval "$(apt-config shell http_proxy Acquire::http::Proxy)"
		export http_proxy
	fi
	prove_all
}
