#!/bin/sh
# What `make demo` runs: shmlog at work on data of this machine.  Every command
# is shown as it runs; what comes out is compared with what went in.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
PATH=$top/${SHMLOG_BUILD:-build}:$PATH
LC_ALL=C
export PATH LC_ALL

parent=${TMPDIR:-/tmp}
memory=${SHMLOG_TEST_MEMORY:-/dev/shm}
if [ -d "$memory" ] && [ -w "$memory" ]; then
	parent=$memory
fi
room=$(mktemp -d "$parent/shmlog-demo.XXXXXX")
follower=

clean_up() {
	cd /
	# A follower, if there is one still, ends with the pipe it writes to.
	[ -z "$follower" ] || kill "$follower" 2>/dev/null || :
	rm -rf "$room"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$room"

say() {
	printf '\n# %s\n' "$*"
}

show() { # COMMAND-LINE
	printf '$ %s\n' "$1"
	eval "$1"
}

# A command whose answer is no.
show_status() { # STATUS COMMAND-LINE
	printf '$ %s\n' "$2"
	status=0
	eval "$2" || status=$?
	echo "(exit status $status)"
	[ "$status" -eq "$1" ] || fail "status $1 was expected"
}

fail() {
	echo "demo: $*" >&2
	exit 1
}

# ---------------------------------------------------------- the real input

# Tab-separated lines to JSON objects, names first, "#" before a number's.
# Lines with other than printable ASCII are left out.
to_json() { # NAME...
	awk -F '\t' -v names="$*" '
	BEGIN { count = split(names, name, " ") }
	NF != count || /[^\t -~]/ { next }
	{
		line = ""
		for (i = 1; i <= count; i++) {
			value = $i
			gsub(/\\/, "\\\\", value)
			gsub(/"/, "\\\"", value)
			key = name[i]
			if (sub(/^#/, "", key))
				value = value + 0 ""
			else
				value = "\"" value "\""
			line = line (i > 1 ? "," : "{") "\"" key "\":" value
		}
		print line "}"
	}'
}

packages() {
	if command -v dpkg-query >/dev/null; then
		# shellcheck disable=SC2016 # dpkg-query's own variables
		dpkg-query -W -f '${Package}\t${Version}\t${Installed-Size}\n' |
			to_json package version '#kib'
	fi
}

# What the packages own, up to 20,000 names.
owned() {
	if [ -d /var/lib/dpkg/info ]; then
		find /var/lib/dpkg/info -name '*.list' -exec awk -v OFS='\t' '
			FNR == 1 {
				name = FILENAME
				gsub(/^.*\/|(:[a-z0-9]*)?\.list$/, "", name)
			}
			{ print name, $0 }' {} + 2>/dev/null | head -n 20000 |
			to_json package owns
	fi
}

kernel() {
	for file in /proc/meminfo /proc/vmstat; do
		[ ! -r $file ] || sed 's/:\{0,1\}  */	/; s/ kB$//' $file |
			to_json kernel '#value'
	done
}

# What lies on the root file system and in /sys, up to 20,000 names.
files() {
	if find / -prune -printf '' 2>/dev/null; then
		find / /sys -xdev -printf '%p\t%s\t%m\t%u\n' 2>/dev/null
	else
		find / -xdev 2>/dev/null | sed 's/$/	0	-	-/'
	fi | head -n 20000 | to_json file '#bytes' mode owner
}

{
	packages
	owned
	kernel
	files
} >inventory.jsonl
lines=$(wc -l <inventory.jsonl | tr -d ' ')
bytes=$(wc -c <inventory.jsonl | tr -d ' ')
[ "$lines" -ge 10000 ] || fail "only $lines lines of input on this machine"
mib=$(((bytes + 4 * lines) / 1048576 + 2))
began=$(date +%s)

# ------------------------------------------------------------- the commands

say "$lines JSON lines: this machine's packages, kernel counters and files,"
echo "# $bytes bytes in all."
show 'tail -n 1 inventory.jsonl'

say "A log is a file of fixed capacity. Its space is reserved at once."
show "shmlog create inventory.shm -c ${mib}M"

say "Each line is checked to be JSON and becomes one frame, as it stands."
show 'shmlog append -i json inventory.shm < inventory.jsonl'

say "What the log holds now."
show 'shmlog stat inventory.shm'
show 'shmlog ls .'
show 'shmlog top -b -n 1 -d 100ms .'

say "The first frames as they are, and the last one in its JSON envelope."
show 'shmlog dump -n 2 inventory.shm'
show 'shmlog tail -n 1 -o json inventory.shm'

say "A cursor is where a frame starts, the number that Node sees as well."
show 'shmlog seek inventory.shm frame:9999 end'
show "shmlog dump --from frame:9999 -n 2 -t '%i at %c: %s bytes\\n' inventory.shm"

say "A follower waits while another process appends, and ends by itself after 5."
end=$(shmlog seek inventory.shm end)
# shellcheck disable=SC2016 # shown as it is run
live='for n in 1 2 3 4 5; do
    echo "{\"n\":$n,\"time\":\"$(date)\"}"; sleep 0.2
  done | shmlog append -i json inventory.shm'
follow="shmlog tail -f --from $end --count 5 --timeout 20s inventory.shm"
echo "\$ $follow &"
{ $follow || echo "the follower ended with status $?" >&2; } | tee live.jsonl &
follower=$!
show "$live"
wait "$follower"
follower=
[ "$(wc -l <live.jsonl)" -eq 5 ] || fail "the follower saw other than 5 frames"

say "A pager looks at logs, on a terminal; without one it says what to use."
show_status 2 'shmlog view inventory.shm > screen'

say "Every length word of every frame is proved, nothing is changed."
show 'shmlog verify inventory.shm'

say "What came out is what went in: the lines, byte for byte,"
show "shmlog dump --to $end inventory.shm | cmp - inventory.jsonl"
say "and a log made from its own frames is the same file."
show "shmlog create copy.shm -c ${mib}M"
show 'shmlog dump -o frames inventory.shm | shmlog append -i frames copy.shm'
show 'cmp inventory.shm copy.shm'

say "One damaged length word: verify says where, and that the rest is good."
show "printf '\\377' | dd of=copy.shm bs=1 seek=24 conv=notrunc 2>/dev/null"
show_status 1 'shmlog verify copy.shm'

say "A full or damaged log makes room: the old one gets another name."
show 'shmlog rotate copy.shm'
show 'shmlog verify copy.shm'

say "Frames can have types. These define one: a reading of a sensor."
cat >types.json <<'END'
[
  { "name": "u16", "size": 2 }, { "name": "u32", "size": 4 }, { "name": "f64", "size": 8 },
  { "name": "Unit", "underlying": "u16", "variants": [["Celsius", 1], ["Percent", 2]] },
  { "name": "Reading", "fields": [
    { "name": "sensor", "type": "u32" }, { "name": "unit", "type": "Unit" },
    { "name": "value", "type": "f64" }] }
]
END
show 'cat types.json'
show 'shmlog schema types.json Reading'
say "With them, JSON values become frames of fixed size, and JSON again."
value='{"sensor":7,"unit":"Celsius","value":21.5}'
show "echo '$value' | shmlog append --create 64K --schema types.json readings.shm"
show 'shmlog dump -o hex readings.shm'
show 'shmlog dump --schema types.json readings.shm'
[ "$(shmlog dump --schema types.json readings.shm)" = "$value" ] ||
	fail "the value did not come back"

say "What a frame costs on this machine: a part of what 'shmlog bench' measures."
show 'shmlog bench --size 64 --rounds 3 write read wake'

say "Tab completes all of this; the script for bash begins so."
show 'shmlog completion bash | head -n 3'

say "A log gets longer while it is used."
show 'shmlog grow readings.shm +64K'

say "What nobody holds may go; where the system cannot tell, by rm(1)."
show 'shmlog rm readings.shm || rm readings.shm'

# ---------------------------------------------------------------- the result

frames=$(shmlog dump -t '%i\n' inventory.shm | wc -l | tr -d ' ')
[ "$frames" -eq $((lines + 5)) ] ||
	fail "$lines lines and 5 live ones went in, $frames frames came out"
say "Done: $lines lines in, $frames frames out (5 of them live), all equal," \
	"in $(($(date +%s) - began)) s. The logs are removed again."
