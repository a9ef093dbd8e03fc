# tail -f and -F: what comes, what goes, and what ends it.
load helper

OUT_LIMIT=10 # seconds for anything to happen

teardown() {
	[[ -z ${FOLLOWER:-} ]] || kill -9 "$FOLLOWER" 2>/dev/null || true
	scratch_remove
}

# Starts `shmlog tail ARGUMENT...` with its output in $SCRATCH/out and /err.
follow() { # ARGUMENT...
	: >"$SCRATCH/out"
	: >"$SCRATCH/err"
	shmlog tail "$@" >"$SCRATCH/out" 2>"$SCRATCH/err" 3>&- &
	FOLLOWER=$!
}

# Waits until the output is exactly this, line for line.
out_is() {
	[[ $(<"$SCRATCH/out") == "$1" ]]
}

sees() { # LINES
	wait_for "$OUT_LIMIT" out_is "$1" || {
		echo "seen: $(<"$SCRATCH/out")" "$(<"$SCRATCH/err")"
		return 1
	}
}

says() { # REGEXP
	wait_for "$OUT_LIMIT" grep -q -e "$1" "$SCRATCH/err" ||
		fail "stderr is: $(<"$SCRATCH/err")"
}

is_gone() {
	! kill -0 "$FOLLOWER" 2>/dev/null
}

# Waits for the follower's own end and checks its status.
ends_with() { # STATUS
	local result=0

	wait_for "$OUT_LIMIT" is_gone || fail 'it goes on'
	wait "$FOLLOWER" || result=$?
	assert_equal "$result" "$1"
}

still_follows() {
	kill -0 "$FOLLOWER" || fail "it has ended: $(<"$SCRATCH/err")"
}

no_message() {
	assert_equal "$(<"$SCRATCH/err")" ''
}

make_log() { # PAYLOAD...
	printf '%s\n' "$@" | shmlog append --create 64K "$LOG"
}

# Appends a frame as the Node package does: bytes first, then `size`; no lock,
# no wake.
store_frame() { # LOG PAYLOAD
	local size word

	size=$(u64_at "$1" 16)
	printf -v word '%04x' $((${#2} + 4))
	word=${word:2}${word:0:2}
	put_bytes "$1" "$size" "$word"
	printf %s "$2" | dd of="$1" bs=1 seek=$((size + 2)) conv=notrunc status=none
	put_bytes "$1" $((size + 2 + ${#2})) "$word"
	put_u64 "$1" 16 $((size + ${#2} + 4))
}

# ------------------------------------------------------------------- growth

@test "-f prints what is appended, at once" {
	make_log one two
	follow -f "$LOG"
	sees $'one\ntwo'
	shmlog append -m three "$LOG"
	sees $'one\ntwo\nthree'
	printf 'four\nfive\n' | shmlog append "$LOG"
	sees $'one\ntwo\nthree\nfour\nfive'
	still_follows
	no_message
}

@test "--follow and -n go with it" {
	make_log one two three
	follow --follow -n 1 "$LOG"
	sees three
	kill "$FOLLOWER"
	ends_with 143
	follow -fn0 "$LOG"
	shmlog append -m four "$LOG"
	# What was committed before tail came to its end is not for it.
	wait_for "$OUT_LIMIT" eval 'shmlog append -m more "$LOG"; [[ -s $SCRATCH/out ]]'
	refute grep -q 'one\|two\|three' "$SCRATCH/out"
	kill "$FOLLOWER"
	ends_with 143
	follow -f -n +3 "$LOG" --count 2
	sees $'three\nfour'
	ends_with 0
}

@test "-n +N beyond the end waits for the Nth frame, or what comes" {
	make_log one
	follow -f -n +2 "$LOG"
	shmlog append -m two "$LOG"
	sees two
}

@test "a writer that wakes nobody is seen by polling" {
	make_log one
	follow -f "$LOG"
	sees one
	store_frame "$LOG" 'stored two'
	sees $'one\nstored two'
	store_frame "$LOG" ''
	store_frame "$LOG" 'stored four'
	sees $'one\nstored two\n\nstored four'
	no_message
}

@test "--poll says how seldom it may look" {
	make_log one
	follow -f --poll 1ms "$LOG"
	sees one
	store_frame "$LOG" two
	sees $'one\ntwo'
	run_shmlog 2 tail -f --poll 5x "$LOG"
	assert_stderr --partial "'5x'"
}

@test "a log that is made larger is followed into the new room" {
	shmlog create -c 64 "$LOG"
	shmlog append -m 0123456789012345678901234567890 "$LOG"
	follow -f "$LOG"
	sees 0123456789012345678901234567890
	truncate -s 64K "$LOG"
	seq 1000 | shmlog append "$LOG"
	sees "$(echo 0123456789012345678901234567890; seq 1000)"
	still_follows
	no_message
}

@test "a log that fills up is followed to its last byte" {
	shmlog create -c 48 "$LOG"
	follow -f "$LOG"
	shmlog append -m 01234567890123456789 "$LOG"
	sees 01234567890123456789
	still_follows
}

# --------------------------------------------------------------------- ends

@test "--count ends a follow with status 0" {
	make_log one two
	follow -f --count 3 "$LOG"
	sees $'one\ntwo'
	printf 'three\nfour\n' | shmlog append "$LOG"
	ends_with 0
	sees $'one\ntwo\nthree'
	no_message
}

@test "--idle ends a follow that has nothing to do with status 0" {
	make_log one
	run_shmlog 0 tail -f --idle 100ms "$LOG"
	assert_output one
	assert_stderr ''
	run_shmlog 0 tail -f --idle 0 "$LOG"
	assert_output one
}

@test "--timeout ends a follow with status 124" {
	make_log one
	run_shmlog 124 tail -f --timeout 100ms "$LOG"
	assert_output one
	run_shmlog 124 tail -f --count 2 --timeout 50ms "$LOG"
	assert_output one
	run_shmlog 124 tail -F --timeout 50ms "$SCRATCH/missing"
	assert_output ''
	# Whichever comes first.
	run_shmlog 0 tail -f --idle 50ms --timeout 1h "$LOG"
}

@test "--pid ends a follow after that process, with all it wrote" {
	local writer

	make_log one
	sleep 1000 3>&- &
	writer=$!
	follow -f --pid "$writer" "$LOG"
	sees one
	shmlog append -m two "$LOG"
	kill -9 "$writer"
	wait "$writer" || true
	ends_with 0
	sees $'one\ntwo'
}

@test "--pid of a dead process still prints all there is, and says so in JSON" {
	local dead

	make_log one two
	true &
	dead=$!
	wait "$dead"
	run_shmlog 0 tail -f -o json --pid "$dead" "$LOG"
	assert_equal "$(jq -c 'if .event then [.event, .pid] else .payload end' \
		<<<"$output")" "$(printf '"one"\n"two"\n["writer_gone",%s]' "$dead")"
	run_shmlog 0 tail -f --pid "$dead" "$LOG"
	assert_output $'one\ntwo'
}

@test "--pid sees the end of a process that nobody has asked for its status" {
	local parent child

	[[ -e /proc/self/stat ]] || skip 'no /proc on this machine'
	make_log one
	# The shell becomes a program that never asks.
	bash -c 'sleep 1000 & echo $! >"$1"; exec sleep 1000' - "$SCRATCH/pid" 3>&- &
	parent=$!
	wait_for "$OUT_LIMIT" test -s "$SCRATCH/pid"
	child=$(<"$SCRATCH/pid")
	follow -f --pid "$child" "$LOG"
	sees one
	still_follows
	kill -9 "$child"
	ends_with 0
	kill -0 "$child" || fail 'somebody has asked'
	kill -9 "$parent"
}

@test "--pid ends -F that waits for a log its process never made" {
	local dead

	true &
	dead=$!
	wait "$dead"
	run --separate-stderr limited 5 shmlog tail -F --pid "$dead" "$SCRATCH/missing"
	assert_equal "$status" 0
	assert_output ''
}

@test "a pid or a time that is none is wrong usage" {
	local text

	make_log one
	for text in 0 -1 x '' 99999999999 4294967297; do
		run_shmlog 2 tail -f --pid "$text" "$LOG"
		assert_stderr --partial "'$text'"
	done
	for text in x -1s '' 1d 1.s 1e3s; do
		for option in timeout idle poll; do
			run_shmlog 2 tail -f "--$option" "$text" "$LOG"
			assert_stderr --partial "--$option '$text' is not a DURATION"
		done
	done
	run_shmlog 2 tail -f --idle 99999999999h "$LOG"
	assert_stderr --partial "--idle '99999999999h' is too large: a DURATION is at most 9223372036 seconds"
}

@test "a time without a unit is seconds" {
	make_log one
	run_shmlog 124 tail -f --timeout 0.01 "$LOG"
	assert_output one
	run_shmlog 0 tail -f --idle 0.01 --timeout 60 "$LOG"
	assert_output one
}

@test "a closed output ends a follow while the log is silent" {
	make_log one two
	run --separate-stderr limited 10 bash -c 'shmlog tail -f "$1" | head -n 1
		exit "${PIPESTATUS[0]}"' - "$LOG"
	assert_equal "$status" 141
	assert_output one
	assert_stderr ''
	# Also while it waits for a log.
	run --separate-stderr limited 10 bash -c 'shmlog tail -F "$1" | true
		exit "${PIPESTATUS[0]}"' - "$SCRATCH/missing"
	assert_equal "$status" 141
	refute_stderr --partial 'output'
}

@test "SIGINT, SIGTERM and SIGHUP end a follow by that signal, all flushed" {
	local signal

	make_log one
	for signal in INT:130 TERM:143 HUP:129; do
		# In the background of a script SIGINT is ignored, so reset it.
		: >"$SCRATCH/out"
		env --default-signal=INT,TERM,HUP shmlog tail -f "$LOG" \
			>"$SCRATCH/out" 2>"$SCRATCH/err" 3>&- &
		FOLLOWER=$!
		sees one
		kill -s "${signal%:*}" "$FOLLOWER"
		ends_with "${signal#*:}"
		no_message
	done
}

@test "an interrupted follow has written all it has read" {
	seq 200000 | shmlog append --create 8M "$LOG"
	mkfifo "$SCRATCH/pipe"
	env --default-signal=INT shmlog tail -f -n +1 -t '%p %x\n' \
		--cursor-file "$SCRATCH/cursor" "$LOG" \
		>"$SCRATCH/pipe" 2>"$SCRATCH/err" 3>&- &
	FOLLOWER=$!
	exec 8<"$SCRATCH/pipe"
	read -r -u 8 payload next
	kill -INT "$FOLLOWER"
	cat <&8 >"$SCRATCH/rest"
	exec 8<&-
	ends_with 130
	no_message
	# What came is whole lines without a gap, and the cursor is behind it.
	assert_equal "$(tail -c 1 "$SCRATCH/rest")" ''
	cut -d' ' -f1 "$SCRATCH/rest" | cmp - <(seq 2 $(($(wc -l <"$SCRATCH/rest") + 1)))
	assert_equal "$(jq .cursor "$SCRATCH/cursor")" \
		"$(tail -n 1 "$SCRATCH/rest" | cut -d' ' -f2)"
}

# ----------------------------------------------- a reader that takes nothing

# A pipe that nobody reads, open as descriptor 8, and a log that does not fit.
make_blocked() {
	seq 60000 | shmlog append --create 1M "$LOG"
	mkfifo "$SCRATCH/pipe"
	exec 8<>"$SCRATCH/pipe"
}

follow_blocked() { # ARGUMENT...
	shmlog tail -f -n +1 "$@" "$LOG" >&8 2>"$SCRATCH/err" 3>&- 8>&- &
	FOLLOWER=$!
}

# What is in the pipe; whoever has left something there is gone.
drain() {
	timeout 1 cat <&8 || true
}

@test "a reader that takes nothing keeps no end of a follow from coming" {
	make_blocked
	follow_blocked --timeout 100ms
	ends_with 124
	says 'takes nothing'
	drain >/dev/null
	follow_blocked --idle 100ms
	ends_with 4
	says 'takes nothing'
	drain >/dev/null
	follow_blocked --pid 999999999
	ends_with 4
	says 'takes nothing'
	drain >/dev/null
	follow_blocked
	wait_until_asleep "$FOLLOWER"
	kill "$FOLLOWER"
	ends_with 143
	no_message
}

@test "nor where its messages go there, too" {
	make_blocked
	shmlog tail -f -n +1 --timeout 100ms "$LOG" >&8 2>&8 3>&- &
	FOLLOWER=$!
	ends_with 124
}

@test "a reader that is merely slow is given everything before an end" {
	make_blocked
	for end in '--idle 0' '--timeout 1h --idle 1ms' '--pid 999999999'; do
		# shellcheck disable=SC2086
		follow_blocked $end
		sleep 0.4
		seq 60000 | cmp - <(head -c "$(seq 60000 | wc -c)" <&8)
		ends_with 0
		no_message
	done
}

@test "of what a reader did not take, the cursor file counts whole frames" {
	local cursor format

	make_blocked
	for format in text json frames; do
		rm -f "$SCRATCH/cursor"
		follow_blocked --timeout 100ms -o "$format" \
			--cursor-file "$SCRATCH/cursor"
		ends_with 124
		drain >"$SCRATCH/taken"
		cursor=$(jq .cursor "$SCRATCH/cursor")
		assert [ "$cursor" -gt 0 ]
		shmlog dump -o "$format" --to "$cursor" "$LOG" >"$SCRATCH/counted"
		# All that is counted has come, and no whole frame beyond it.
		head -c "$(stat -c %s "$SCRATCH/counted")" "$SCRATCH/taken" |
			cmp - "$SCRATCH/counted"
		shmlog dump -o "$format" --from "$cursor" -n 1 "$LOG" >"$SCRATCH/next"
		assert [ "$(stat -c %s "$SCRATCH/taken")" -lt \
			$(($(stat -c %s "$SCRATCH/counted") + $(stat -c %s "$SCRATCH/next"))) ]
	done
}

# ------------------------------------------------------------- bad and gone

@test "a log cut under -f is status 5, with an event, without a signal" {
	make_log one two
	follow -f -o json "$LOG"
	wait_for "$OUT_LIMIT" grep -q two "$SCRATCH/out"
	truncate -s 30 "$LOG"
	ends_with 5
	assert_equal "$(jq -r '.event // .payload' "$SCRATCH/out")" \
		$'one\ntwo\nshrunk'
	says "$LOG"
	assert_equal "$(wc -l <"$SCRATCH/err")" 1

	rm "$LOG"
	make_log one
	follow -f "$LOG"
	sees one
	truncate -s 0 "$LOG"
	ends_with 5
	sees one
}

@test "a log cut above its committed data is followed on" {
	make_log one
	follow -f "$LOG"
	sees one
	truncate -s 1K "$LOG"
	shmlog append -m two "$LOG"
	sees $'one\ntwo'
}

@test "a size that goes back is status 7, with an event" {
	make_log one two
	follow -f -o json "$LOG"
	wait_for "$OUT_LIMIT" grep -q two "$SCRATCH/out"
	put_u64 "$LOG" 16 24
	ends_with 7
	assert_equal "$(tail -n 1 "$SCRATCH/out" | jq -r .event)" shrunk
	says "$LOG"
}

@test "damage that comes while following ends it with status 1 after the good" {
	local end

	make_log one
	follow -f -o json "$LOG"
	wait_for "$OUT_LIMIT" grep -q one "$SCRATCH/out"
	end=$(u64_at "$LOG" 16)
	put_bytes "$LOG" "$end" 050078050002000000
	put_u64 "$LOG" 16 $((end + 9))
	ends_with 1
	assert_equal "$(jq -c 'if .event then [.event, .cursor] else .payload end' \
		"$SCRATCH/out")" "$(printf '"one"\n"x"\n["damage",%s]' $((end - 24 + 5)))"
	says 'cursor'
}

@test "-f of a missing log is status 4 at once" {
	run limited 5 shmlog tail -f "$SCRATCH/missing"
	assert_failure 4
	assert_output "shmlog tail: $SCRATCH/missing: cannot open: No such file or directory; -F waits for it"
}

@test "-f waits for a header, and then reads from the start" {
	head -c 4096 /dev/zero >"$LOG"
	follow -f -n 1 "$LOG"
	says 'waiting'
	shmlog create -c 4096 "$SCRATCH/other"
	shmlog append -m one -m two "$SCRATCH/other"
	tail -c +25 "$SCRATCH/other" | dd of="$LOG" bs=24 seek=1 conv=notrunc status=none
	head -c 24 "$SCRATCH/other" | dd of="$LOG" conv=notrunc status=none
	sees $'one\ntwo'
	shmlog append -m three "$LOG"
	sees $'one\ntwo\nthree'
	assert_equal "$(wc -l <"$SCRATCH/err")" 1
}

@test "-f waits for a header that is written word by word" {
	: >"$LOG"
	follow -f "$LOG"
	says 'waiting'
	truncate -s 4096 "$LOG"
	put_u64 "$LOG" 0 24
	# It has looked at each half of the header more than once.
	sleep 0.1
	still_follows
	put_u64 "$LOG" 8 24
	sleep 0.1
	still_follows
	put_u64 "$LOG" 16 24
	shmlog append -m one "$LOG"
	sees one
}

@test "-f of what is no log is status 5 at once" {
	printf 'just a text, and long enough for a header\n' >"$SCRATCH/text"
	run limited 5 shmlog tail -f "$SCRATCH/text"
	assert_failure 5
	run limited 5 shmlog tail -f "$SCRATCH"
	assert_failure 5
}

# ----------------------------------------------------------------- the name

@test "-f keeps to the file, and says that its name is gone" {
	make_log one
	follow -f "$LOG"
	sees one
	mv "$LOG" "$SCRATCH/moved"
	says "$LOG: "
	shmlog append -m two "$SCRATCH/moved"
	sees $'one\ntwo'
	make_log 'another log'
	shmlog append -m three "$SCRATCH/moved"
	sees $'one\ntwo\nthree'
	still_follows
	assert_equal "$(wc -l <"$SCRATCH/err")" 1
}

@test "-F waits for a log that does not exist yet, and prints all of it" {
	follow -F -n 1 "$LOG"
	says "waiting.*No such file"
	make_log one two three
	sees $'one\ntwo\nthree'
	shmlog append -m four "$LOG"
	sees $'one\ntwo\nthree\nfour'
	# It says that it waits, once.
	assert_equal "$(grep -c waiting "$SCRATCH/err")" 1
}

# As somebody who may not read everything; sets `plain` to a command for it.
as_plain_user() {
	plain=()
	((EUID == 0)) || return 0
	need setpriv
	plain=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	chmod 0755 "$SCRATCH"
	"${plain[@]}" test -x "$BUILD/shmlog" || skip "nobody may not run it"
}

follow_as_plain_user() { # ARGUMENT...
	: >"$SCRATCH/out"
	: >"$SCRATCH/err"
	"${plain[@]}" "$BUILD/shmlog" tail "$@" >"$SCRATCH/out" 2>"$SCRATCH/err" 3>&- &
	FOLLOWER=$!
}

@test "-F waits for a log that may not be read yet, at first and in its place" {
	as_plain_user
	(umask 077 && make_log one)
	chmod 000 "$LOG"
	follow_as_plain_user -F -n +1 "$LOG"
	says 'waiting.*Permission denied'
	chmod 644 "$LOG"
	sees one
	shmlog append --create 4K -m two "$SCRATCH/new"
	chmod 000 "$SCRATCH/new"
	mv "$SCRATCH/new" "$LOG"
	says 'cannot be followed yet: Permission denied'
	still_follows
	chmod 644 "$LOG"
	sees $'one\ntwo'
	assert_equal "$(wc -l <"$SCRATCH/err")" 3
}

@test "-F does not call a log gone whose folder may not be entered" {
	as_plain_user
	mkdir -m 755 "$SCRATCH/folder"
	LOG=$SCRATCH/folder/log
	make_log one
	chmod 644 "$LOG"
	for mode in -F -f; do
		follow_as_plain_user $mode "$LOG"
		sees one
		chmod 600 "$SCRATCH/folder"
		says 'cannot be looked at: Permission denied; still following'
		refute grep -q gone "$SCRATCH/err"
		[[ $EUID -ne 0 ]] || shmlog append -m two "$LOG"
		[[ $EUID -ne 0 ]] || sees $'one\ntwo'
		chmod 755 "$SCRATCH/folder"
		[[ $EUID -eq 0 ]] || shmlog append -m two "$LOG"
		sees $'one\ntwo'
		kill "$FOLLOWER"
		ends_with 143
		assert_equal "$(wc -l <"$SCRATCH/err")" 1
		rm "$LOG"
		make_log one
		chmod 644 "$LOG"
	done
}

@test "-F waits while something else has the name, at first and in its place" {
	local what

	for what in mkdir mkfifo "ln -s $SCRATCH/nowhere" "cp $SCRATCH/text"; do
		printf 'just a text, and long enough for a header\n' >"$SCRATCH/text"
		rm -rf "$LOG"
		$what "$LOG"
		follow -F "$LOG"
		says waiting
		rm -r "$LOG"
		make_log one
		sees one
		rm "$LOG"
		$what "$LOG"
		says gone
		rm -r "$LOG"
		make_log two
		sees $'one\ntwo'
		kill "$FOLLOWER"
		ends_with 143
		# Once, whatever it saw on the way.
		assert_equal "$(grep -c 'waiting for the log' "$SCRATCH/err")" 1
		assert_equal "$(grep -c ' is gone' "$SCRATCH/err")" 1
	done
}

@test "-F waits for a log that is copied in pieces" {
	make_log one two
	mv "$LOG" "$SCRATCH/whole"
	follow -F "$LOG"
	head -c 10 "$SCRATCH/whole" >"$LOG"
	says waiting
	head -c 30 "$SCRATCH/whole" | tail -c +11 >>"$LOG"
	sleep 0.05
	still_follows
	tail -c +31 "$SCRATCH/whole" >>"$LOG"
	sees $'one\ntwo'
	assert_equal "$(wc -l <"$SCRATCH/err")" 1
}

@test "-F waits for a folder that is not there yet, or comes again" {
	mkdir "$SCRATCH/folder"
	LOG=$SCRATCH/folder/log
	rmdir "$SCRATCH/folder"
	follow -F "$LOG"
	says 'waiting.*No such file'
	mkdir "$SCRATCH/folder"
	make_log one
	sees one
	mv "$SCRATCH/folder" "$SCRATCH/away"
	says gone
	mkdir "$SCRATCH/folder"
	make_log two
	sees $'one\ntwo'
	still_follows
}

@test "-F misses no log that comes in pieces and lives a quarter of a second" {
	local i

	skip_if_sanitized 'timing'
	follow -F "$LOG"
	says waiting
	for i in {1..8}; do
		shmlog append --create 4K -m "log $i" "$SCRATCH/whole"
		truncate -s 4K "$LOG"
		sleep 0.03
		dd if="$SCRATCH/whole" of="$LOG" bs=4K conv=notrunc status=none
		sleep 0.23
		rm "$LOG" "$SCRATCH/whole"
	done
	sees "$(seq -f 'log %g' 8)"
}

@test "-F re-opens a log that was replaced, and says so" {
	make_log one
	follow -F "$LOG"
	sees one
	shmlog append --create 4K -m 'new one' "$SCRATCH/new"
	mv "$SCRATCH/new" "$LOG"
	sees $'one\nnew one'
	says "$LOG: .*replaced"
	shmlog append -m 'new two' "$LOG"
	sees $'one\nnew one\nnew two'
	still_follows
}

@test "-F --pid prints what the process left in a log that took the place" {
	make_log 'old one'
	sleep 100 3>&- &
	local writer=$!
	follow -F -o json --pid "$writer" "$LOG"
	wait_for "$OUT_LIMIT" grep -q 'old one' "$SCRATCH/out"
	kill -STOP "$FOLLOWER"
	printf 'new one\nnew two\n' | shmlog append --create 4K "$SCRATCH/new"
	mv "$SCRATCH/new" "$LOG"
	kill -9 "$writer"
	wait "$writer" || true
	kill -CONT "$FOLLOWER"
	ends_with 0
	assert_equal "$(jq -c '.event // .payload' "$SCRATCH/out")" \
		$'"old one"\n"reopened"\n"new one"\n"new two"\n"writer_gone"'
}

@test "-F --idle ends only once the log that took the place is printed" {
	local idle_ms=500

	make_log 'old one'
	# A busy machine may be late to stop it.
	until
		follow -F --idle "${idle_ms}ms" "$LOG"
		sees 'old one'
		kill -STOP "$FOLLOWER" 2>/dev/null
	do
		((idle_ms *= 2))
	done
	shmlog append --create 4K -m 'new one' "$SCRATCH/new"
	mv "$SCRATCH/new" "$LOG"
	sleep "$(((idle_ms + 1100) / 1000))"
	kill -CONT "$FOLLOWER"
	ends_with 0
	sees $'old one\nnew one'
}

@test "-F has an event for a replacement in JSON, and keeps its flags" {
	make_log one
	follow -F -o json --count 4 "$LOG"
	wait_for "$OUT_LIMIT" grep -q one "$SCRATCH/out"
	rm "$LOG"
	says 'gone'
	make_log 'new one' 'new two'
	wait_for "$OUT_LIMIT" grep -q 'new two' "$SCRATCH/out"
	printf 'new three\nnew four\n' | shmlog append "$LOG"
	ends_with 0
	assert_equal "$(jq -c 'if .event then .event else [.cursor, .payload] end' \
		"$SCRATCH/out")" '[0,"one"]
"reopened"
[0,"new one"]
[11,"new two"]
[22,"new three"]'
}

@test "-F reads a replaced log to its end before the new one" {
	make_log one
	follow -F "$LOG"
	sees one
	# As close together as a shell can: one is not woken in between.
	seq -f 'old %g' 2000 >"$SCRATCH/lines"
	shmlog append --create 16K -m 'new one' "$SCRATCH/new"
	shmlog append "$LOG" <"$SCRATCH/lines"
	mv "$SCRATCH/new" "$LOG"
	sees "$(echo one; cat "$SCRATCH/lines"; echo 'new one')"
}

@test "-F survives many replacements in a row" {
	local i

	make_log 0
	follow -F "$LOG"
	sees 0
	for i in {1..8}; do
		shmlog append --create 4K -m "$i" "$SCRATCH/new"
		mv "$SCRATCH/new" "$LOG"
		wait_for "$OUT_LIMIT" grep -qx "$i" "$SCRATCH/out"
	done
	assert_equal "$(<"$SCRATCH/out")" "$(seq 0 8)"
	assert_equal "$(grep -c replaced "$SCRATCH/err")" 8
}

@test "-F misses no log of a name that is replaced 20 times a second" {
	local i

	[[ $(uname) == Linux ]] || skip "the system tells of no name"
	skip_if_portable "the name is looked at five times a second"
	local late before try

	# It cannot look at what is gone before it gets a processor again: a round
	# counts only if it was hardly held up, or if it missed nothing all the same.
	for ((try = 0; try < 2 * SLACK; try++)); do
		rm -f "$LOG"
		make_log one
		follow -F "$LOG"
		sees one
		before=$(held_up_ns "$FOLLOWER")
		for i in {1..20}; do
			shmlog append --create 4K -m "log $i" "$SCRATCH/new"
			mv "$SCRATCH/new" "$LOG"
			sleep 0.05
		done
		sees_last() { grep -qx 'log 20' "$SCRATCH/out"; }
		wait_for "$OUT_LIMIT" sees_last
		late=$(($(held_up_ns "$FOLLOWER") - before))
		out_is "one$(printf '\nlog %d' {1..20})" && return
		((late > 20000000)) || fail "it missed one: $(<"$SCRATCH/out")"
		kill -9 "$FOLLOWER"
	done
	skip "the machine is too busy for 20 logs a second"
}

@test "-F survives a name that comes and goes as fast as it can" {
	need perl
	follow -F "$LOG"
	# One log and another, each there for a moment: a look is no promise.
	perl -e 'my ($log, $end) = ($ARGV[0], time + 2);
		for my $name ("$log.a", "$log.b") {
			open my $new, ">", $name or die;
			print $new pack("Q<3", 24, 24, 24), "\0" x 1000;
			close $new;
		}
		while (time < $end) {
			for my $name ("$log.a", "$log.b") {
				rename $name, $log;
				rename $log, $name;
			}
		}
		rename "$log.a", $log' "$LOG"
	still_follows
	shmlog append -m one "$LOG"
	sees one
}

@test "-F waits on while the new log has no header" {
	make_log one
	follow -F "$LOG"
	sees one
	head -c 4096 /dev/zero >"$SCRATCH/new"
	mv "$SCRATCH/new" "$LOG"
	says 'gone'
	shmlog append --create 4096 -m two "$SCRATCH/other"
	tail -c +25 "$SCRATCH/other" | dd of="$LOG" bs=24 seek=1 conv=notrunc status=none
	head -c 24 "$SCRATCH/other" | dd of="$LOG" conv=notrunc status=none
	sees $'one\ntwo'
}

wake_ups() {
	awk '/^voluntary/ { print $2 }' "/proc/$FOLLOWER/status"
}

@test "a wait for a missing log wakes up as seldom as a silent follow" {
	local folder before

	[[ -e /proc/self/status ]] || skip 'no /proc on this machine'
	for folder in "$SCRATCH" "$SCRATCH/missing"; do
		follow -F "$folder/log"
		says waiting
		before=$(wake_ups)
		sleep 1
		assert [ $(($(wake_ups) - before)) -lt 20 ]
		kill "$FOLLOWER"
		ends_with 143
	done
}

@test "a signal ends a walk back over millions of frames, and leaves no cursor" {
	need perl
	perl -e 'my $frames = 8e6;
		print pack("Q<3", 24, 24, 24 + 4 * $frames), "\4\0\4\0" x $frames' >"$LOG"
	: >"$SCRATCH/out"
	shmlog tail -n 999999999 --cursor-file "$SCRATCH/cursor" "$LOG" \
		>"$SCRATCH/out" 2>"$SCRATCH/err" 3>&- &
	FOLLOWER=$!
	if [[ -e /proc/$FOLLOWER/status ]]; then
		# Once it catches the signal, it walks.
		wait_for "$OUT_LIMIT" catches_term
	fi
	kill "$FOLLOWER"
	ends_with 143
	# It may have come too late: then something is printed.
	[[ -s $SCRATCH/out || ! -e $SCRATCH/cursor ]]
	run_shmlog 124 tail -f -n 999999999 --timeout 1ns \
		--cursor-file "$SCRATCH/cursor" "$LOG"
	assert_output ''
	[[ ! -e $SCRATCH/cursor ]]
}

catches_term() {
	local caught

	caught=$(sed -n 's/^SigCgt:[[:blank:]]*//p' "/proc/$FOLLOWER/status") || return
	((0x$caught & 1 << 14))
}

@test "a follow uses no processor while there is nothing to do" {
	skip_if_sanitized 'timing'
	make_log one
	follow -f "$LOG"
	sees one
	local before
	before=$(processor_ns "$FOLLOWER")
	[[ $before ]] || skip "nothing tells what a process costs"
	sleep 0.5
	# 2 % of a processor, with what is left of its start.
	assert [ $(($(processor_ns "$FOLLOWER") - before)) -le 10000000 ]
}

@test "-F reads each log that was rotated while it was slow, once and in order" {
	local i

	shmlog create "$LOG" -c 64
	shmlog tail -F -n 0 "$LOG" >"$SCRATCH/out" 2>"$SCRATCH/err" &
	follower=$!
	wait_until_asleep $follower
	kill -STOP $follower
	for i in 1 2 3 4 5; do
		shmlog append "$LOG" -m "$i"
		shmlog rotate "$LOG"
	done
	shmlog append "$LOG" -m 6
	kill -CONT $follower
	wait_for 10 grep -q 6 "$SCRATCH/out"
	kill $follower
	assert_equal "$(<"$SCRATCH/out")" $'1\n2\n3\n4\n5\n6'
}
