# The README, line by line: what it shows is run, and what comes out compared.
#
# A console block is commands, each behind "$ ", and what they print.  A block
# of another language is a file if the paragraph above it ends with its name, as
# in "Save this as `orders.mjs`:", and otherwise lines that are checked one by
# one.  /dev/shm is a folder of the test's own, in any spelling: what is shown
# here would otherwise reach logs that are in use.
load ../cli/helper

README=$ROOT/README.md
# The headings that have console blocks; each has a test below.
HEADINGS=('Two minutes' 'Together with Node' 'Typed events' 'Looking after logs'
	'Prompts and replies' 'Node at both ends' 'The library')

# Cuts the README into blocks: NUMBER.LANGUAGE, and NUMBER.heading, .name.
setup() {
	scratch_make
	mkdir "$SCRATCH/shm" "$SCRATCH/blocks" "$SCRATCH/room"
	cd "$SCRATCH/room" || return
	sed "s|/dev/shm|$SCRATCH/shm|g" "$README" | awk -v folder="$SCRATCH/blocks" '
	/^```/ && !block {
		block = sprintf("%s/%03d", folder, ++count)
		print heading >(block ".heading")
		if (match(text, /`[^` \/]+\.[a-z]+`[^`]*:$/)) {
			name = substr(text, RSTART + 1)
			sub(/`.*/, "", name)
			print name >(block ".name")
		}
		file = block "." substr($0, 4)
		printf "" >file
		next
	}
	/^```/ { block = ""; text = ""; next }
	block { print >file; next }
	/^#+ / { heading = $0; sub(/^#+ /, "", heading); text = "" }
	{ text = $0 == "" ? text : $0 }'
}

# The blocks of a heading, as NUMBER.LANGUAGE, in order.
blocks_of() { # HEADING
	local block

	for block in "$SCRATCH"/blocks/*.*; do
		[[ $block == *.heading || $block == *.name ||
			$(<"${block%.*}.heading") != "$1" ]] || echo "$block"
	done
}

# Runs the commands of a block and prints it as it should be.
play() { # BLOCK
	local line

	while IFS= read -r line; do
		[[ $line == '$ '* ]] || continue
		printf '%s\n' "$line"
		sh -c "${line#'$ '}" </dev/null 2>&1 || true
	done <"$1"
}

# Makes the files of a heading and runs its commands, in order.
run_heading() { # HEADING
	local block commands=0

	for block in $(blocks_of "$1"); do
		if [[ -e ${block%.*}.name ]]; then
			cp "$block" "$(<"${block%.*}.name")"
		elif [[ $block == *.console ]]; then
			play "$block" >"$SCRATCH/played"
			diff "$block" "$SCRATCH/played" ||
				fail "under '$1' the README says what is left, and it is what is right"
			commands=$((commands + 1))
		fi
	done
	assert [ "$commands" -gt 0 ]
}

# Lets node find a package here as `import` does, which asks no NODE_PATH.
use_package() { # NAME [PATH]
	local path=${2:-}

	need node
	[[ -n $path ]] || path=$(node -p "require.resolve('$1/package.json')" 2>/dev/null) ||
		skip "node does not find the package $1"
	mkdir -p node_modules
	ln -s "${path%/package.json}" "node_modules/$1"
}

# ------------------------------------------------------------------ commands

@test "the first commands print what the README says" {
	run_heading 'Two minutes'
}

@test "logs are looked after as the README says" {
	run_heading 'Looking after logs'
}

@test "the library's program is compiled and prints what the README says" {
	make --no-print-directory -C "$ROOT" BUILD="$BUILD" prefix="$SCRATCH/to" install
	export PKG_CONFIG_PATH=$SCRATCH/to/lib/pkgconfig LD_LIBRARY_PATH=$SCRATCH/to/lib
	run_heading 'The library'
}

@test "Node and the shell share a log as the README says" {
	use_package shmio "${SHMIO:-}"
	run_heading 'Together with Node'
}

@test "typed events pass between Node and the shell as the README says" {
	need jq
	use_package shmio "${SHMIO:-}"
	use_package bendec
	run_heading 'Typed events'
}

@test "prompts are answered as the README says" {
	need jq
	[[ -x $BUILD/shmlog-dispatch ]] ||
		skip "shmlog-dispatch was not built: no libcurl on this machine"
	run_heading 'Prompts and replies'
}

@test "Node writes prompts and reads replies as the README says" {
	[[ -x $BUILD/shmlog-dispatch ]] ||
		skip "shmlog-dispatch was not built: no libcurl on this machine"
	use_package shmio "${SHMIO:-}"
	run_heading 'Node at both ends'
}

# Takes npm's registry, and a clone in the place of the repository.
@test "the Node package is built as the README says" {
	[[ -n ${SHMIO_SOURCE:-} ]] || skip 'SHMIO_SOURCE names no clone of the package'
	need git npm
	export GIT_CONFIG_COUNT=1 GIT_CONFIG_VALUE_0=https://github.com/hpn777/shmio
	export GIT_CONFIG_KEY_0=url.$SHMIO_SOURCE.insteadOf
	local block

	for block in $(blocks_of 'The Node package'); do
		cat "$block"
	done >build
	echo 'node -e "require(\"shmio\").createSharedLog; require(\"bendec\")"' >>build
	sh -e build >"$SCRATCH/out" 2>&1 || fail "$(tail -n 40 "$SCRATCH/out")"
}

# ------------------------------------------------------- what is not run here

@test "every block of the README is checked by something" {
	local block heading

	for block in "$SCRATCH"/blocks/*.*; do
		heading=$(<"${block%.*}.heading")
		case $block in
		*.heading | *.name) ;;
		*.console)
			[[ " ${HEADINGS[*]} " == *" $heading "* ]] ||
				fail "no test runs what stands under '$heading'"
			;;
		*.text) ;; # a screen, which tests/screens.sh makes and compares
		*.sh) ;; # a file that is run, or lines for the next two tests
		*) assert_file_exists "${block%.*}.name" ;;
		esac
	done
}

@test "the lines to type in the source tree are what the tree has" {
	local block line word file

	for block in "$SCRATCH"/blocks/*.sh; do
		[[ ! -e ${block%.*}.name ]] || continue
		[[ $(<"${block%.*}.heading") != 'The Node package' ]] || continue
		# tests/cli/relay.bats runs these, against a server of its own.
		[[ $(<"${block%.*}.heading") != 'Beyond one machine' ]] || continue
		while IFS= read -r line; do
			line=${line%%#*}
			case $line in
			'') ;;
			'PATH='*)
				# Where it is what the shell finds from then on.
				run sh -c "cd '$ROOT' && PATH=/bin:/usr/bin && $line && command -v shmlog"
				assert_output "$ROOT/build/shmlog"
				;;
			make | 'make '* | 'sudo make '* | 'sudo ldconfig') ;;
			# In a bare root, tests/packages/packages.sh does.
			'sudo apt install ./build/deb/*.deb') ;;
			bats*)
				# It finds a test, whose running is not this one's.
				eval "set -- ${line#bats}"
				file=${!#}
				assert_file_exists "$ROOT/$file"
				[[ $1 != -f ]] || grep -qE "^@test \".*$2" "$ROOT/$file" ||
					fail "there is no test '$2' in $file"
				;;
			*) fail "nothing checks the line: $line" ;;
			esac
		done <"$block"
	done
}

@test "the README's make targets exist" {
	local target

	for target in $(grep -oE '(^|`|sudo )make [a-z][a-z0-9_/-]+' "$README" |
		sed 's/.*make //' | sort -u); do
		case $target in
		build/*) assert_file_exists "$ROOT/${target#*/}.c" && continue ;;
		campaign-*) assert_file_exists "$ROOT/tests/fault/${target#*-}.sh" && continue ;;
		fuzz-*) assert_file_exists "$ROOT/tests/fuzz/fuzz_${target#*-}.c" && continue ;;
		check-*) "$ROOT/tests/check.sh" --list "${target#*-}" >/dev/null && continue ;;
		esac
		grep -qE "^## ([a-z-]+, )*${target}[,:]" "$ROOT/Makefile" ||
			fail "make has no target $target"
	done
}

@test "the README's paths exist, and its pages" {
	local path page name

	for path in $(grep -oE '`(src|cli|tests|man)/[^` ]*`' "$README" | tr -d '`' |
		sed 's/out_NAME/out_hex/; s/in_NAME/in_json/; s/src\/NAME/src\/reader/; s/cli\/NAME\//cli\/dispatch\//; s/NAME\|\*/seek/' |
		sort -u); do
		[[ -e $ROOT/$path ]] || fail "there is no $path"
	done
	for path in $(grep -oE '`man \./[^`]+`' "$README" | tr -d '`' | cut -d' ' -f2); do
		[[ -e $ROOT/$path ]] || fail "there is no $path"
	done
	grep -oE '`man ([0-9] )?[a-z]+`' "$README" | tr -d '`' | sort -u |
		while read -r _ page name; do
			[[ -n $name ]] || { name=$page && page='*'; }
			ls "$ROOT"/man/$name.$page >/dev/null || fail "there is no page $name"
		done
}

# --------------------------------------------------------------------- demo

@test "the demo shows every command" {
	local name

	for name in $(sed -n 's/^\tCOMMAND(\([a-z]*\)).*/\1/p' "$ROOT/cli/commands.h"); do
		grep -qE "^show(_status [0-9]+)? .*shmlog $name( |'|\$)" "$ROOT/tests/demo.sh" ||
			fail "the demo does not show $name"
	done
}

@test "the demo gets out what it put in" {
	run env SHMLOG_BUILD="${BUILD#"$ROOT"/}" TMPDIR="$SCRATCH" "$ROOT/tests/demo.sh"
	assert_success
	assert_line --regexp '^# Done: [0-9]+ lines in, [0-9]+ frames out .*, all equal,'
}
