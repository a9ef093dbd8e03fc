# The rules of the house: what lies where, and who may include whom.
load ../cli/helper

# The rooms of src/, layer by layer: a file includes only headers of layers
# above its own line, and its own header.
LAYERS=(
	"format platform status"
	"evidence mapping"
	"window wrap"
	"chain resync"
	"lock"
	"keep settle"
	"append create reader writer"
	"salvage verify wait"
)

setup() {
	cd "$ROOT" || return
}

teardown() {
	:
}

# Prints "FILE HEADER" for every #include "…" in the files.
includes() {
	grep -Ho '^#[[:space:]]*include "[^"]*"' "$@" |
		sed 's/^\([^:]*\):#[[:space:]]*include "\(.*\)"$/\1 \2/'
}

layer_of() { # ROOM
	local i

	for i in "${!LAYERS[@]}"; do
		[[ " ${LAYERS[i]} " != *" $1 "* ]] || echo "$i"
	done
}

@test "the top level holds the four rooms and three files" {
	run bash -c 'ls | grep -vx build | tr "\n" " "'
	assert_output "LICENSE Makefile README.md cli man src tests "
}

@test "arrows in src/ point from a layer to those before it" {
	local file header room from to wrong=""

	while read -r file header; do
		room=$(basename "${file%.[ch]}")
		from=$(layer_of "$room")
		to=$(layer_of "${header%.h}")
		[[ -n $from ]] || wrong+="$room stands in no layer of this test"$'\n'
		[[ -n $to ]] || wrong+="$header stands in no layer of this test"$'\n'
		[[ $room == "${header%.h}" ]] || ((to < from)) ||
			wrong+="$file includes $header"$'\n'
	done < <(includes src/*.[ch])
	[[ -z $wrong ]] || fail "$wrong"
}

@test "every room of src/ stands in a layer" {
	local file

	for file in src/*.[ch]; do
		[[ -n $(layer_of "$(basename "${file%.[ch]}")") ]] ||
			fail "$file stands in no layer of this test"
	done
}

@test "the format makes no system call" {
	run grep -hE '^#[[:space:]]*include <' src/format.c src/format.h
	refute_output --regexp '<(sys/|fcntl|unistd|errno|stdio|stdlib|pthread|time)'
}

@test "the public header includes libc alone" {
	[ -z "$(includes src/include/*.h)" ]
}

@test "the command line sees the library only through its public header" {
	local file header

	while read -r file header; do
		[[ -e cli/$header ]] || fail "$file includes $header"
	done < <(includes cli/*.[ch] cli/common/*.[ch])
}

@test "common rooms include common rooms" {
	local file header

	while read -r file header; do
		[[ $header == common/* ]] || fail "$file includes $header"
	done < <(includes cli/common/*.[ch])
}

@test "commands include common rooms and never each other" {
	local file header

	while read -r file header; do
		[[ $header == common/* || $header == "$(basename "${file%.c}").h" ]] ||
			fail "$file includes $header"
	done < <(includes cli/cmd_*.[ch])
}

@test "argtable2 has one user" {
	[ "$(grep -l 'include <argtable2.h>' -r src cli)" = cli/common/args.c ]
}

@test "cJSON has one user" {
	[ "$(grep -l 'include <cjson/cJSON.h>' -r src cli)" = cli/common/json.c ]
}

@test "each command's file ends with its descriptor" {
	local file name

	for file in cli/cmd_*.c; do
		name=$(basename "${file%.c}")
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
	local file

	for file in src/*.c cli/*.c cli/common/*.c tests/*/*.c; do
		[[ ! -e $file || $(head -c 2 "$file") == "/*" ]] ||
			fail "$file begins without a comment"
	done
}

@test "structures are named as such" {
	run grep -nE '^[[:space:]]*typedef' src/*.[ch] src/include/*.h cli/*.[ch] \
		cli/common/*.[ch]
	assert_failure 1
}

@test "no line of code is wider than 80 columns" {
	local wide

	wide=$(for file in src/*.[ch] src/include/*.h cli/*.[ch] cli/common/*.[ch]; do
		expand "$file" | awk -v file="$file" '
			{ gsub(/[\200-\277]/, "") }
			length($0) > 80 { print file ":" FNR ": " length($0) }'
	done)
	[[ -z $wide ]] || fail "$wide"
}

@test "no line ends in blanks" {
	run grep -rnIE '[[:blank:]]+$' src cli man tests Makefile README.md .ci \
		--include='*.[ch]' --include='*.bash' --include='*.sh' \
		--include='*.[1-8]' --include=Makefile --include='*.md'
	assert_failure 1
}
