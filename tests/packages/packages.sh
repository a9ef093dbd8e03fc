#!/usr/bin/env bash
# The Debian packages, in bare roots of Debian: packages.sh builds them in one,
# asks lintian about them, and builds them again to compare the bytes.  In another
# it runs autopkgtest's tests.  In a third they are installed, looked at,
# upgraded and purged, which must leave the files that were there before.  Needs
# root.
#
# ROOTS     which releases (bookworm trixie)
# MIRROR, BASES         see tests/roots/root.bash
set -u

cd "$(dirname "$0")/../.." || exit 1
ROOTS=${ROOTS:-bookworm trixie}
# shellcheck source=tests/roots/root.bash
source tests/roots/root.bash

APT='DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends'
PROGRAMS='shmlog shmlog-dispatch shmlog-relay'
PACKAGES="$PROGRAMS libshmlog0 libshmlog-dev"

# What one release's lintian says of what the other's demands: that of Debian 12
# does not know a field, which its dpkg does, and that of Debian 13 wants a newer
# policy than Debian 12 has.
BETWEEN=unknown-field,out-of-date-standards-version
LINT="lintian --allow-root --suppress-tags $BETWEEN --display-info --pedantic \
	--display-experimental --fail-on error,warning,info,pedantic,experimental \
	build/deb/*.changes"

# The programs hold the helpers whose archives Debian has, and their symbols are
# where a debugger looks.
# shellcheck disable=SC2016 # dollars of the shell in the root
CONTENTS='mkdir /tmp/held; for deb in build/deb/*.deb; do dpkg-deb -x $deb /tmp/held; done
	needed=$(objdump -p /tmp/held/usr/bin/shmlog | sed -n "s/ *NEEDED *//p" | xargs)
	test "$needed" = "libcjson.so.1 libc.so.6"
	for file in /tmp/held/usr/bin/shmlog /tmp/held/usr/libexec/shmlog/* \
		/tmp/held/usr/lib/*/libshmlog.so.0; do
		id=$(readelf -n $file | sed -n "s/.*Build ID: //p")
		ls /tmp/held/usr/lib/debug/.build-id/${id:0:2}/${id:2}.debug
	done'

build() {
	enter_root
	step 'make deb' 'make deb || { cat build/deb/log; exit 1; }' && {
		cp -r "$root/root/shmlog/build/deb" "$work/deb"
		step 'no word of lintian' "$LINT"
		step 'static helpers, debug symbols' "$CONTENTS"
		step 'the same bytes again' 'make check-reproducible'
		step 'autopkgtest' "$APT install autopkgtest &&
			autopkgtest build/deb/*.deb build/deb/*.dsc -- null"
	}
	leave_root
	[ -e "$work/deb" ]
}

# The packages as an older version, with a file that the new one does not have.
make_older() {
	local deb name tree=$work/older-tree

	mkdir "$work/older"
	for deb in "$work"/deb/*.deb; do
		name=${deb##*/}
		[[ $name != *-dbgsym_* ]] || continue
		rm -rf "$tree"
		dpkg-deb -R "$deb" "$tree" &&
			sed -i -E -e 's/^(Version: ).*/\10.0.9-1/' \
				-e "s/(shmlog0?) \(= [^)]*\)/\1 (= 0.0.9-1)/" "$tree/DEBIAN/control" &&
			touch "$tree/usr/share/doc/${name%%_*}/gone" &&
			dpkg-deb --root-owner-group -b "$tree" "$work/older/$name" >/dev/null ||
			stop "cannot make $name older"
	done
}

# What is there, but for what apt and dpkg keep about packages in general, and the
# caches that other packages make.
FILES='find / -xdev -path /proc -prune -o -path /sys -prune -o -path /dev -prune -o \
	-path /tmp -prune -o -path /root -prune -o -path /var/log -prune -o \
	-path /var/cache -prune -o -path /var/lib/apt -prune -o \
	-path "/var/lib/dpkg/*-old" -prune -o -printf "%y %m %u:%g %p %l\n" | sort'

install() {
	enter_root
	cp -r "$work/deb" "$root/root/deb"
	cp -r "$work/older" "$root/root/older"
	step 'what the tests need' "apt-get -q update; $APT install man-db gcc libc6-dev pkgconf \
		bash-completion zsh fish; $FILES >/root/before; dpkg --get-selections >/root/selected"
	step 'the command alone' "$APT install ~/deb/shmlog_*.deb
		! dpkg -s libshmlog0 && test ! -e /usr/libexec/shmlog
		shmlog relay --help 2>/root/said && exit 1 || test \$? = 4
		grep 'shmlog-relay' /root/said
		$APT purge shmlog"
	step 'an older version' "$APT install ~/older/*.deb"
	step 'an upgrade' "$APT install ~/deb/*.deb
		dpkg-query -W -f '\${Package} \${Version}\n' $PACKAGES | tee /dev/stderr |
			grep -c 0upstream1 | grep -x 5
		! ls /usr/share/doc/*shmlog*/gone"
	step 'what dpkg holds of it' 'dpkg --verify; dpkg --audit; apt-get check'
	step 'a command and its pages' .packaging/debian/tests/smoke
	step 'completion in three shells' .packaging/debian/tests/completion
	step 'programs with the library' .packaging/debian/tests/library
	step 'a purge leaves nothing' "$APT purge $PACKAGES '^.*shmlog.*-dbgsym\$'
		$APT autoremove --purge
		$FILES | diff /root/before -; dpkg --get-selections | diff /root/selected -"
	leave_root
}

prove() { # RELEASE
	begin_steps "$1"
	build || return
	make_older
	install
	rm -rf "$work/deb" "$work/older"
}

run_proofs "$@"
