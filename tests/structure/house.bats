# The rules of the house: what lies where, and who may include whom.
load ../cli/helper

# The rooms of src/, layer by layer: a file includes only headers of layers
# above its own line, and its own header.
LAYERS=(
	"format poll_schedule processor quiet_thread status sys"
	"copy_until file frame_sizes sleepers sys_linux sys_marks sys_pages sys_portable unnamed"
	"batch candidates log look sys_attachments window"
	"both_ends frame_source mapping payload_frames process followers open place sys_proc"
	"chain find_candidates"
	"evidence write_access"
	"resume settle"
	"lock_cache metadata wrap"
	"append create reader writer"
	"grow near outside_data refuse remove rotate salvage sync wait walk"
	"verify wait_any"
)

setup() {
	scratch_make
	cd "$ROOT" || return
	mapfile -t LIBRARY < <(find src -name '*.[ch]' ! -path 'src/include/*' | sort)
	mapfile -t CODE < <(find cli -name '*.[ch]' | sort)
	mapfile -t TEST_CODE < <(find tests -name '*.[ch]' | sort)
}

# Prints "FILE HEADER" for every #include "…" in the files.
includes() {
	grep -Ho '^#[[:space:]]*include "[^"]*"' "$@" |
		sed 's/^\([^:]*\):#[[:space:]]*include "\(.*\)"$/\1 \2/'
}

# The layer of each room.
declare -gA LAYER_OF=()
find_layers() {
	local i room

	for i in "${!LAYERS[@]}"; do
		for room in ${LAYERS[i]}; do
			LAYER_OF[$room]=$i
		done
	done
}
find_layers

# Sets `layer` to that of a room, or to nothing.
find_layer() { # ROOM
	layer=${LAYER_OF[$1]-}
}

@test "the top level holds the four rooms and three files" {
	run bash -c 'ls | grep -vx build | tr "\n" " "'
	assert_output "LICENSE Makefile README.md cli man src tests "
}

@test "arrows in src/ point from a layer to those before it" {
	local file header room layer from to wrong=""

	while read -r file header; do
		room=${file##*/} room=${room%.[ch]}
		find_layer "$room"
		from=$layer
		find_layer "${header%.h}"
		to=$layer
		[[ -n $from ]] || wrong+="$room stands in no layer of this test"$'\n'
		[[ -n $to ]] || wrong+="$header stands in no layer of this test"$'\n'
		[[ $room == "${header%.h}" ]] || ((to < from)) ||
			wrong+="$file includes $header"$'\n'
	done < <(includes "${LIBRARY[@]}")
	[[ -z $wrong ]] || fail "$wrong"
}

@test "of the library no other room sees those about damage" {
	local file header

	while read -r file header; do
		[[ ! -e src/damage/$header ]] ||
			fail "$file includes $header"
	done < <(includes src/*.[ch])
}

@test "every room of src/ stands in a layer" {
	local file room layer

	for file in "${LIBRARY[@]}"; do
		room=${file##*/}
		find_layer "${room%.[ch]}"
		[[ -n $layer ]] || fail "$file stands in no layer of this test"
	done
}

@test "the format makes no system call" {
	run grep -hE '^#[[:space:]]*include <' src/format.c src/format.h
	refute_output --regexp '<(sys/|fcntl|unistd|errno|stdio|stdlib|pthread|time)'
}

@test "of the library only src/sys_*.c knows one system" {
	local file

	for file in "${LIBRARY[@]}"; do
		[[ $file != src/sys_*.c ]] || continue
		run grep -nE '__linux__|SHMLOG_PORTABLE|/proc/|include <(linux/|sys/(syscall|sysmacros|fanotify|inotify|epoll|eventfd|statfs|vfs)\.h)' "$file"
		[[ -z $output ]] || fail "$file: $output"
	done
}

@test "the public header includes libc alone" {
	[ -z "$(includes src/include/*.h)" ]
}

# The wings of cli/, and what each may see beside itself; a command, and
# main.c beside the list of commands, sees all that stand here, but no other
# command.  The Makefile's include paths say the same.
declare -gA SEES=(
	[base]=""
	[bendec]="base"
	[term]="base"
	[log]="base term"
	[frame]="base bendec term log"
	[filter]="base bendec term log frame"
	[dispatch]="base bendec term log frame filter"
	[relay]="base bendec term log frame filter"
)

# Sets `wing` to that of a file: base, ..., cmd/NAME, or "" for cli/*.c.
find_wing() { # FILE
	wing=${1#cli/}
	case $wing in
	cmd/*/*) wing=${wing%/*} ;;
	cmd/*) wing=${wing%.[ch]} ;;
	*/*) wing=${wing%%/*} ;;
	*) wing= ;;
	esac
}

# Where each header of cli/ is; two of one name would be a fault by themselves.
find_headers() {
	local file

	declare -gA HEADERS=()
	for file in "${CODE[@]}"; do
		[[ $file != *.h ]] || HEADERS[${file##*/}]=$file
	done
}

@test "the command line sees the library only through its public header" {
	local file header

	find_headers
	while read -r file header; do
		[[ -n ${HEADERS[$header]-} ]] || fail "$file includes $header"
	done < <(includes "${CODE[@]}")
}

@test "the rooms of the house have names of their own" {
	run bash -c 'find src cli -name "*.h" |
		sed "s|.*/||" | sort | uniq -d'
	assert_output ""
}

@test "arrows in cli/ point from a wing to those that it may see" {
	run wrong_arrows
	assert_output ""
}

# Prints the includes in cli/ that point against the arrows.  The trap by which
# bats follows a test would take most of the time.
wrong_arrows() {
	local file header wing to from

	trap - DEBUG
	find_headers
	while read -r file header; do
		find_wing "$file"
		from=$wing
		find_wing "${HEADERS[$header]-}"
		to=$wing
		case $from in
		"$to") continue ;;
		"" | cmd/*) [[ -n ${SEES[$to]+known} ]] && continue ;;
		*) [[ " ${SEES[$from]} " == *" $to "* ]] && continue ;;
		esac
		echo "$file includes $header of ${to:-cli}"
	done < <(includes "${CODE[@]}")
}

@test "includes name a header without a folder" {
	run bash -c 'grep -n "#include \"[^\"]*/" -r src cli'
	assert_output ""
}

# The include path of a room holds only what it may see.
@test "an include against the arrows does not compile" {
	local wing header wrong i=0 objects=()

	mkdir "$SCRATCH/tree"
	cp -r src cli Makefile .ci "$SCRATCH/tree"
	cd "$SCRATCH/tree"
	for wrong in src:evidence.h src:message.h src/damage:words.h cli/base:message.h \
		cli/base:bendec.h cli/bendec:position.h cli/term:position.h \
		cli/log:template.h cli/log:format.h cli/frame:filter.h \
		cli/filter:committer.h cli/cmd:committer.h cli/cmd/tail:committer.h \
		cli/cmd:prompt_window.h cli/dispatch:committer.h \
		cli/cmd:message_chain.h cli/relay:committer.h; do
		wing=${wrong%:*} header=${wrong#*:} right=words.h
		[[ $wing != src* ]] || right=format.h
		i=$((i + 1))
		printf '/* Planted. */\n#include "%s"\n' "$header" >"$wing/planted_$i.c"
		# The same file with an include along the arrows does.
		printf '/* Planted. */\n#include "%s"\n' "$right" >"$wing/right_$i.c"
		objects+=("build/$wing/planted_$i.o" "build/$wing/right_$i.o")
	done
	run make -s -k "${objects[@]}"
	assert_failure
	i=0
	while ((i < ${#objects[@]})); do
		wing=${objects[i]%/*}
		header=$(sed -n 's/^#include "\(.*\)"/\1/p' "${wing#build/}/planted_$((i / 2 + 1)).c")
		[[ ! -e ${objects[i]} ]] || fail "$wing finds $header"
		assert_line --regexp "/planted_$((i / 2 + 1))\.c:2:.*$header: No such file"
		[[ -e ${objects[i + 1]} ]] || fail "${objects[i + 1]} is not built"
		i=$((i + 2))
	done
}

@test "no two rooms include each other" {
	local pairs

	# Two headers of different rooms, or one room's .c, count the same.
	pairs=$(includes "${LIBRARY[@]}" "${CODE[@]}" | sed -E 's/([^ ]*\/)?([a-z0-9_]+)\.[ch] ([a-z0-9_]+)\.h/\2 \3/' |
		awk '$1 != $2' | sort -u)
	run awk '{ seen[$1 " " $2] = 1 }
		END { for (pair in seen) { split(pair, r, " ")
			if (r[1] < r[2] && (r[2] " " r[1]) in seen) print pair } }' <<<"$pairs"
	assert_output ""
}

# A wing that grows beyond this has become a basement: split it.  A command, a
# folder of src/ and src/ itself count as wings.
@test "no wing holds more than a fifth of the code" {
	run awk '
		FNR == 1 {
			n = split(FILENAME, part, "/")
			wing = part[1] (n > 2 ? "/" part[2] : "")
			if (part[1] == "cli" && part[2] == "cmd")
				wing = part[1] "/" part[2] "/" part[3]
		}
		{ lines[wing]++; all++ }
		END {
			for (wing in lines)
				if (lines[wing] * 5 > all)
					print wing, lines[wing], "of", all
		}' src/*.[ch] src/*/*.[ch] "${CODE[@]}"
	assert_output ""
}

@test "argtable2 has one user" {
	[ "$(grep -l 'include <argtable2.h>' -r src cli)" = cli/term/options.c ]
}

@test "bytes, text, types and the terminal know nothing of logs" {
	run grep -ln 'include <shmlog.h>' cli/base/*.[ch] cli/bendec/*.[ch] \
		cli/term/*.[ch]
	assert_output ""
}

@test "cJSON has one user" {
	[ "$(grep -l 'include <cjson/cJSON.h>' -r src cli)" = cli/base/json_write.c ]
}

@test "PCRE2 has one user" {
	[ "$(grep -l 'include <pcre2.h>' -r src cli)" = cli/filter/regex.c ]
}

@test "zstd has two users: what makes archives, and what reads logs from them" {
	run bash -c 'grep -l "include <zstd.h>" -r src cli | sort'
	assert_output $'cli/log/archive.c\ncli/log/spool.c'
}

@test "ncursesw has one user" {
	[ "$(grep -lE 'include <(curses|ncurses|term)\.h>' -r src cli)" = cli/term/screen.c ]
}

@test "libcurl has one user" {
	[ "$(grep -l 'include <curl/curl.h>' -r src cli)" = cli/dispatch/answer_model.c ]
}

@test "libnats has one user, and the relay's engines are known by no word of it" {
	[ "$(grep -l 'include <nats' -r src cli)" = cli/relay/engine_jetstream.c ]
	run grep -liE 'nats|jetstream|consumer' cli/relay/{engine,message_chain,pull_*,push*,relay_link,ledger}.[ch]
	# Where the kinds of servers are declared.
	assert_output cli/relay/engine.h
	run grep -ciE 'nats|jetstream|consumer' cli/relay/engine.h
	assert_output 1
}

@test "each command's file ends with its descriptor" {
	local file name

	for file in cli/cmd/*.c cli/cmd/*/; do
		[[ $file == *.c ]] || file+=$(basename "$file").c
		name=cmd_$(basename "${file%.c}")
		awk -v start="const struct cli_command $name = {" '
			$0 == start { inside = 1 }
			{ last = $0 }
			inside && $0 == "};" { ended = NR }
			END { exit !(inside && ended == NR) }' "$file" ||
			fail "$file does not end with its descriptor $name"
	done
}

@test "the feature macro is on the command line and nowhere else" {
	run grep -rnE '^#[[:space:]]*define _(GNU|POSIX_C|XOPEN)_SOURCE' src cli
	assert_failure 1
}

@test "each source file begins by saying its one job" {
	local file first

	for file in "${LIBRARY[@]}" "${CODE[@]}" "${TEST_CODE[@]}"; do
		IFS= read -r first <"$file"
		[[ $first == "/*"* ]] || fail "$file begins without a comment"
	done
}

@test "a long source file of the library says why it is" {
	local file

	for file in "${LIBRARY[@]}"; do
		(($(wc -l <"$file") <= 500)) ||
			sed '/\*\//q' "$file" | grep -q 'The file is a long one because' ||
			fail "$file has over 500 lines without a reason in its first comment"
	done
}

@test "structures are named as such" {
	run grep -nE '^[[:space:]]*typedef' "${LIBRARY[@]}" src/include/*.h "${CODE[@]}"
	assert_failure 1
}

@test "no line of code is wider than 80 columns" {
	local wide

	# A tab goes to the next multiple of eight.
	wide=$(LC_ALL=C awk '{
			gsub(/[\200-\277]/, "")
			while ((at = index($0, "\t")) > 0)
				$0 = substr($0, 1, at - 1) substr("        ", 1 + (at - 1) % 8) \
					substr($0, at + 1)
		}
		length($0) > 80 { print FILENAME ":" FNR ": " length($0) }' \
		"${LIBRARY[@]}" src/include/*.h "${CODE[@]}")
	[[ -z $wide ]] || fail "$wide"
}

@test "no line ends in blanks" {
	run grep -rnIE '[[:blank:]]+$' src cli man tests Makefile README.md .ci \
		--include='*.[ch]' --include='*.bash' --include='*.sh' \
		--include='*.[1-8]' --include=Makefile --include='*.md'
	assert_failure 1
}
