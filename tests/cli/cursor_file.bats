# tail --cursor-file: where a follower goes on, whatever ended it.
load helper

OUT_LIMIT=10 # seconds for anything to happen

setup() {
	scratch_make
	CURSOR=$SCRATCH/cursor
}

teardown() {
	[[ -z ${FOLLOWER:-} ]] || kill -9 "$FOLLOWER" 2>/dev/null || true
	scratch_remove
}

make_log() { # PAYLOAD...
	printf '%s\n' "$@" | shmlog append --create 256K "$LOG"
}

# The cursor that the file holds.
saved() {
	jq .cursor "$CURSOR"
}

saved_is() {
	[[ -s $CURSOR && $(saved) == "$1" ]]
}

out_has() { # LINE
	grep -qx -e "$1" "$SCRATCH/out"
}

# Starts a follower that adds to $SCRATCH/out.
follow() { # ARGUMENT...
	shmlog tail --cursor-file "$CURSOR" "$@" >>"$SCRATCH/out" \
		2>>"$SCRATCH/err" 3>&- &
	FOLLOWER=$!
}

is_shmlog() { # PID
	[[ $(cat "/proc/$1/comm" 2>/dev/null) != bash ]]
}

end_follower() { # SIGNAL
	# What has yet to become the follower may lose a TERM on the way.
	[[ $1 == KILL ]] || wait_for "$OUT_LIMIT" is_shmlog "$FOLLOWER"
	kill -s "$1" "$FOLLOWER"
	wait "$FOLLOWER" || true
}

@test "a first run begins at the start and leaves the cursor of the end" {
	make_log $(seq 15)
	run_shmlog 0 tail --cursor-file "$CURSOR" "$LOG"
	assert_output "$(seq 15)"
	assert_stderr ''
	assert_equal "$(saved)" "$(end_of "$LOG")"
	assert_equal "$(wc -l <"$CURSOR")" 1
	# Nothing else is left in the folder.
	assert_equal "$(ls "$SCRATCH")" $'cursor\nlog.shm'
}

@test "what is no regular file is left as it is: status 8" {
	make_log one
	mkfifo "$SCRATCH/fifo"
	run_shmlog 8 tail --cursor-file "$SCRATCH/fifo" "$LOG"
	assert_output ''
	assert_stderr "shmlog tail: $SCRATCH/fifo: is no cursor file; nothing was changed"
	[[ -p $SCRATCH/fifo ]]
	run_shmlog 8 tail --cursor-file /dev/null "$LOG"
	[[ -c /dev/null ]]
}

@test "a link to a cursor file stays one" {
	make_log one two
	: >"$SCRATCH/real"
	ln -s real "$SCRATCH/link"
	run_shmlog 0 tail --cursor-file "$SCRATCH/link" "$LOG"
	assert_output $'one\ntwo'
	[[ -L $SCRATCH/link ]]
	assert_equal "$(jq .cursor "$SCRATCH/real")" "$(end_of "$LOG")"
	expect 0 '' '' tail --cursor-file "$SCRATCH/link" "$LOG"
}

@test "a link to a cursor file that is to be made stays one" {
	make_log one two
	mkdir "$SCRATCH/folder"
	ln -s folder/link "$SCRATCH/link"
	ln -s ../real "$SCRATCH/folder/link"
	run_shmlog 0 tail --cursor-file "$SCRATCH/link" "$LOG"
	assert_output $'one\ntwo'
	[[ -L $SCRATCH/link && -L $SCRATCH/folder/link && ! -L $SCRATCH/real ]]
	assert_equal "$(jq .cursor "$SCRATCH/real")" "$(end_of "$LOG")"
	assert_equal "$(ls "$SCRATCH/folder")" link
	ln -s circle "$SCRATCH/circle"
	run_shmlog 4 tail --cursor-file "$SCRATCH/circle" "$LOG"
	assert_stderr --partial "$SCRATCH/circle: "
}

@test "a cursor file keeps its mode, and its owner where that may be" {
	make_log one
	: >"$CURSOR"
	chmod 640 "$CURSOR"
	[[ $EUID -ne 0 ]] || chown 65534:65534 "$CURSOR"
	remember "$CURSOR"
	run_shmlog 0 tail --cursor-file "$CURSOR" "$LOG"
	assert_equal "$(stat -c '%a %u %g' "$CURSOR")" \
		"$(stat -c '%a %u %g' "$SCRATCH/remembered.cursor")"
	rm "$CURSOR"
	(umask 027 && shmlog tail --cursor-file "$CURSOR" "$LOG")
	assert_equal "$(stat -c %a "$CURSOR")" 640
}

@test "the owner can read a new cursor file, whatever the umask" {
	local mask

	make_log one
	for mask in 0777 0400 0600 0; do
		rm -f "$CURSOR"
		run --separate-stderr bash -c 'umask "$1"; exec "${@:2}"' - "$mask" \
			shmlog tail --cursor-file "$CURSOR" "$LOG"
		assert_equal "$status" 0
		assert_equal "$(stat -c %a "$CURSOR")" \
			"$(printf %o "$(((0666 & ~mask) | 0600))")"
	done
}

@test "a cursor file may have a name as long as names can be" {
	local bytes

	make_log one
	for bytes in 248 249 250 255; do
		CURSOR=$SCRATCH/$(printf "%${bytes}s" | tr ' ' c)
		expect 0 one '' tail --cursor-file "$CURSOR" "$LOG"
		expect 0 '' '' tail --cursor-file "$CURSOR" "$LOG"
		rm "$CURSOR"
	done
	assert_equal "$(ls -A "$SCRATCH")" log.shm
}

@test "--cursor-file - is wrong usage" {
	make_log one
	run_shmlog 2 tail --cursor-file - "$LOG"
	assert_output ''
	assert_stderr --partial "./-"
	cd "$SCRATCH"
	expect 0 one '' tail --cursor-file ./- "$LOG"
	[[ -s ./- ]]
}

@test "the cursor is a tenth of a second old at most" {
	skip_if_sanitized "it is slow enough to be older"
	local tries=0 caught=0 missed=0 began before late took

	make_log one
	# One that a busy machine held up, or gave time for a later save, says
	# nothing.
	while ((caught < 3 && missed < 3 && ++tries <= 4 * SLACK)); do
		: >"$SCRATCH/out"
		began=$(date +%s%N)
		follow -F "$LOG"
		sleep 0.3
		shmlog append -m a "$LOG"
		sleep 0.03
		before=$(held_up_ns "$FOLLOWER")
		shmlog append -m b "$LOG"
		wait_for "$OUT_LIMIT" out_has b
		# Between one and two tenths behind the second one.
		sleep 0.14
		late=$(($(held_up_ns "$FOLLOWER") - before))
		end_follower KILL
		took=$(($(date +%s%N) - began))
		if ! saved_is "$(end_of "$LOG")"; then
			((late > 10000000)) || ((++missed))
		elif ((took < 900000000)); then
			((++caught))
		fi
		rm -f "$CURSOR"
	done
	((missed < 3)) || fail "not up to date $missed times of $tries"
	((caught == 3)) || skip "the machine is too busy to tell"
}

@test "a later run goes on there, whatever -n and --from say" {
	make_log one two
	shmlog tail --cursor-file "$CURSOR" "$LOG"
	run_shmlog 0 tail --cursor-file "$CURSOR" "$LOG"
	assert_output ''
	shmlog append -m three "$LOG"
	run_shmlog 0 tail -n 1000 --cursor-file "$CURSOR" "$LOG"
	assert_output three
	shmlog append -m four "$LOG"
	run_shmlog 0 tail --from start --cursor-file "$CURSOR" "$LOG"
	assert_output four
	assert_equal "$(saved)" "$(end_of "$LOG")"
	assert_stderr ''
}

@test "a first run may begin where -n or --from says" {
	make_log one two three
	run_shmlog 0 tail -n 1 --cursor-file "$CURSOR" "$LOG"
	assert_output three
	rm "$CURSOR"
	run_shmlog 0 tail --from frame:1 --cursor-file "$CURSOR" "$LOG"
	assert_output $'two\nthree'
	rm "$CURSOR"
	run_shmlog 0 tail -n 0 --cursor-file "$CURSOR" "$LOG"
	assert_output ''
	assert_equal "$(saved)" "$(end_of "$LOG")"
}

@test "--count leaves the cursor behind the last frame it printed" {
	make_log $(seq 9)
	run_shmlog 0 tail --count 4 --cursor-file "$CURSOR" "$LOG"
	assert_output "$(seq 4)"
	assert_equal "$(saved)" "$(shmlog seek "$LOG" frame:4)"
	run_shmlog 0 tail --count 2 --cursor-file "$CURSOR" "$LOG"
	assert_output $'5\n6'
	run_shmlog 0 tail --cursor-file "$CURSOR" "$LOG"
	assert_output $'7\n8\n9'
}

@test "the file names device, inode and cursor, and is replaced as a whole" {
	local inode

	make_log one
	shmlog tail --cursor-file "$CURSOR" "$LOG"
	assert_equal "$(jq .inode "$CURSOR")" "$(stat -c %i "$LOG")"
	assert_equal "$(jq .device "$CURSOR")" "$(stat -c %d "$LOG")"
	inode=$(stat -c %i "$CURSOR")
	ln "$CURSOR" "$SCRATCH/kept"
	remember "$CURSOR"
	shmlog append -m two "$LOG"
	shmlog tail --cursor-file "$CURSOR" "$LOG"
	refute [ "$(stat -c %i "$CURSOR")" -eq "$inode" ]
	# Who had the old one open still reads it whole.
	cmp "$SCRATCH/kept" "$SCRATCH/remembered.cursor"
}

@test "it is kept up to date while following" {
	make_log one
	follow -f "$LOG"
	wait_for "$OUT_LIMIT" saved_is 7
	shmlog append -m two "$LOG"
	wait_for "$OUT_LIMIT" saved_is 14
	shmlog append -m three "$LOG"
	wait_for "$OUT_LIMIT" saved_is 23
	end_follower KILL
	run_shmlog 0 tail --cursor-file "$CURSOR" "$LOG"
	assert_output ''
}

@test "a signal saves it before the end" {
	make_log one
	follow -f "$LOG"
	wait_for "$OUT_LIMIT" out_has one
	shmlog append -m two "$LOG"
	wait_for "$OUT_LIMIT" out_has two
	end_follower TERM
	assert_equal "$(saved)" 14
}

@test "a follower killed at any time skips nothing, and TERM doubles nothing" {
	local round

	make_log 0
	for round in {1..6}; do
		follow -f -t '%c\n' "$LOG"
		seq $((round * 50)) | shmlog append "$LOG"
		# Sometimes before it has seen them, sometimes behind.
		if ((round % 2 == 0)); then
			wait_for "$OUT_LIMIT" out_has "$(shmlog seek "$LOG" frame:-1)"
		fi
		end_follower KILL
	done
	# One that this follower alone can have seen.
	follow -f -t '%c\n' "$LOG"
	shmlog append -m last "$LOG"
	wait_for "$OUT_LIMIT" out_has "$(shmlog seek "$LOG" frame:-1)"
	end_follower TERM
	shmlog dump -t '%c\n' "$LOG" >"$SCRATCH/all"
	sort -nu "$SCRATCH/out" | cmp - "$SCRATCH/all"

	# From here on nobody is killed, so nothing comes twice.
	: >"$SCRATCH/out"
	for round in {1..4}; do
		follow -f -t '%p\n' "$LOG"
		seq -f "$round-%g" 20 | shmlog append "$LOG"
		[[ $round -ne 4 ]] || wait_for "$OUT_LIMIT" out_has 4-20
		end_follower TERM
	done
	cmp "$SCRATCH/out" <(for round in {1..4}; do seq -f "$round-%g" 20; done)
}

@test "the saved cursor is never ahead of what was read, killed or not" {
	local got round next start=0

	seq -f 'line %g of many, long enough to fill a pipe with not too many' 60000 |
		shmlog append --create 8M "$LOG"
	mkfifo "$SCRATCH/pipe"
	: >"$SCRATCH/read"
	for round in 1 2 3; do
		shmlog tail -f --cursor-file "$CURSOR" -o frames "$LOG" \
			>"$SCRATCH/pipe" 2>>"$SCRATCH/err" 3>&- &
		FOLLOWER=$!
		exec 8<"$SCRATCH/pipe"
		# Some of it is read, the rest fills the pipe until it blocks.
		head -c $((round * 500000)) <&8 >"$SCRATCH/part"
		wait_for "$OUT_LIMIT" test -s "$CURSOR"
		end_follower KILL
		cat <&8 >>"$SCRATCH/part"
		exec 8<&-
		got=$(stat -c %s "$SCRATCH/part")
		# Bytes of frames are bytes of cursor: what arrived, counted on
		# from where this run began.
		next=$(saved)
		assert [ "$next" -le $((start + got)) ]
		# All up to the saved cursor is kept, the rest comes again.
		head -c $((next - start)) "$SCRATCH/part" >>"$SCRATCH/read"
		start=$next
	done
	shmlog tail --cursor-file "$CURSOR" -o frames "$LOG" >>"$SCRATCH/read"
	cmp "$SCRATCH/read" <(shmlog dump -o frames "$LOG")
	run cat "$SCRATCH/err"
	assert_output ''
}

@test "a reader that goes away early is given the rest the next time" {
	# More than a pipe holds, so that not all can be flushed.
	seq -f 'line %g of many, long enough to fill a pipe with not too many' 60000 |
		shmlog append --create 8M "$LOG"
	run bash -c 'shmlog tail --cursor-file "$1" "$2" | head -n 1' - \
		"$CURSOR" "$LOG"
	assert_output 'line 1 of many, long enough to fill a pipe with not too many'
	assert [ "$(saved)" -lt "$(end_of "$LOG")" ]
	run bash -c 'shmlog tail --cursor-file "$1" "$2" | tail -n 1' - \
		"$CURSOR" "$LOG"
	assert_output 'line 60000 of many, long enough to fill a pipe with not too many'
	assert_equal "$(saved)" "$(end_of "$LOG")"
}

@test "a write that fails moves no cursor" {
	[[ -w /dev/full ]] || skip 'no /dev/full on this machine'
	make_log one two
	run bash -c 'shmlog tail --cursor-file "$1" "$2" >/dev/full' - "$CURSOR" "$LOG"
	assert_failure 4
	if [[ -e $CURSOR ]]; then
		assert_equal "$(saved)" 0
	fi
	run_shmlog 0 tail --cursor-file "$CURSOR" "$LOG"
	assert_output $'one\ntwo'
}

@test "damage leaves the cursor in front of it" {
	make_log one two three
	put_bytes "$LOG" $((24 + 14)) 0000
	run_shmlog 1 tail --cursor-file "$CURSOR" "$LOG"
	assert_output $'one\ntwo'
	assert_equal "$(saved)" 14
	run_shmlog 1 tail --cursor-file "$CURSOR" "$LOG"
	assert_output ''
	assert_stderr --partial 'cursor 14'
	assert_equal "$(saved)" 14
}

# ------------------------------------------------------------------ refusals

@test "the cursor of another log is status 8, and stays as it is" {
	make_log one two
	shmlog tail --cursor-file "$CURSOR" "$LOG"
	remember "$CURSOR"
	shmlog append --create 4K -m other "$SCRATCH/other"
	for follow in '' -f; do
		run_shmlog 8 tail $follow --cursor-file "$CURSOR" "$SCRATCH/other"
		assert_output ''
		assert_stderr --partial "$CURSOR: is the cursor of another log: '$SCRATCH/other'"
		assert_stderr --partial 'nothing was changed'
		assert_unchanged "$CURSOR"
	done
	# A log that took the other's name is another log, too.
	rm "$LOG"
	make_log one two
	run_shmlog 8 tail --cursor-file "$CURSOR" "$LOG"
	assert_output ''
	assert_unchanged "$CURSOR"
}

@test "a cursor that is no place in its log is status 8" {
	local cursor

	make_log one two
	shmlog tail --cursor-file "$CURSOR" "$LOG"
	for cursor in 3 15 999999 18446744073709551615; do
		sed -i "s/\"cursor\":[0-9]*/\"cursor\":$cursor/" "$CURSOR"
		remember "$CURSOR"
		run_shmlog 8 tail --cursor-file "$CURSOR" "$LOG"
		assert_output ''
		assert_stderr --partial "$CURSOR: "
		assert_unchanged "$CURSOR"
	done
}

@test "what is no cursor file is status 8, and stays as it is" {
	local text

	make_log one
	for text in 'my shopping list' '[]' '{}' '{"cursor":0}' 'null' \
		'{"device":1,"inode":2,"birth_ns":3,"cursor":-1}' \
		'{"device":1,"inode":2,"birth_ns":3,"cursor":"4"}' \
		'{"device":1,"inode":2,"birth_ns":3,"cursor":18446744073709551616}' \
		'{"device":1,"inode":2,"birth_ns":3,"cursor":4} x'; do
		printf '%s\n' "$text" >"$CURSOR"
		remember "$CURSOR"
		run_shmlog 8 tail --cursor-file "$CURSOR" "$LOG"
		assert_output ''
		assert_stderr --partial "$CURSOR: "
		assert_unchanged "$CURSOR"
		run_shmlog 8 tail --cursor-file "$CURSOR" --idle 0 -F "$LOG"
		assert_unchanged "$CURSOR"
	done
	head -c 100000 /dev/urandom >"$CURSOR"
	remember "$CURSOR"
	run_shmlog 8 tail --cursor-file "$CURSOR" "$LOG"
	assert_unchanged "$CURSOR"
	remember "$LOG"
	run_shmlog 8 tail --cursor-file "$LOG" "$LOG"
	assert_unchanged "$LOG"
}

@test "a cursor file that cannot be read or written is status 4" {
	make_log one
	run_shmlog 4 tail --cursor-file "$SCRATCH/no/such/folder" "$LOG"
	assert_stderr --partial "$SCRATCH/no/such/folder: "
	assert_stderr --partial 'No such file or directory'
	mkdir "$SCRATCH/directory"
	run_shmlog 4 tail --cursor-file "$SCRATCH/directory" "$LOG"
	assert_stderr --partial 'Is a directory'
	run_shmlog 4 tail --cursor-file '' "$LOG"
	assert_output ''
}

@test "saving a cursor touches no other file" {
	make_log one
	printf precious >"$CURSOR.new"
	printf precious >"$CURSOR~"
	printf precious >"$CURSOR.tmp"
	shmlog tail --cursor-file "$CURSOR" "$LOG" || true
	for name in "$CURSOR.new" "$CURSOR~" "$CURSOR.tmp"; do
		assert_equal "$(cat "$name" 2>&1)" precious
	done
}

# Changes a number in the cursor file.
put_saved() { # KEY NUMBER
	sed -i "s/\"$1\":[0-9]*/\"$1\":$2/" "$CURSOR"
}

@test "another device of the same file system is the same log" {
	make_log one
	shmlog tail --cursor-file "$CURSOR" "$LOG"
	[[ $(jq .birth_ns "$CURSOR") -ne 0 ]] ||
		skip 'the file system tells no time of creation'
	shmlog append -m two "$LOG"
	put_saved device 4711
	expect 0 two '' tail --cursor-file "$CURSOR" "$LOG"
	assert_equal "$(jq .device "$CURSOR")" "$(stat -c %d "$LOG")"
	# As it was written before there was this number.
	shmlog append -m three "$LOG"
	sed -i 's/"filesystem":[0-9]*,//' "$CURSOR"
	put_saved device 4711
	expect 0 three '' tail --cursor-file "$CURSOR" "$LOG"
}

@test "the same inode of another file system, or of another time, is no such log" {
	make_log one
	shmlog tail --cursor-file "$CURSOR" "$LOG"
	cp "$CURSOR" "$SCRATCH/saved"
	put_saved birth_ns 4711
	run_shmlog 8 tail --cursor-file "$CURSOR" "$LOG"
	if [[ $(jq .filesystem "$SCRATCH/saved") -ne 0 ]]; then
		cp "$SCRATCH/saved" "$CURSOR"
		put_saved device 4711
		put_saved filesystem 4711
		run_shmlog 8 tail --cursor-file "$CURSOR" "$LOG"
	fi
	# Where no time of creation is known, the device decides.
	cp "$SCRATCH/saved" "$CURSOR"
	put_saved birth_ns 0
	put_saved device 4711
	run_shmlog 8 tail --cursor-file "$CURSOR" "$LOG"
}

# ------------------------------------------------------------------------ -F

@test "-F goes on with a log that was replaced while nobody followed" {
	make_log one two
	shmlog tail --cursor-file "$CURSOR" "$LOG"
	rm "$LOG"
	make_log 'new one'
	run_shmlog 0 tail -F --idle 0 -o json --cursor-file "$CURSOR" "$LOG"
	assert_equal "$(jq -r '.event // .payload' <<<"$output")" \
		$'reopened\nnew one'
	assert_stderr --partial "$LOG: "
	assert_equal "$(jq .inode "$CURSOR")" "$(stat -c %i "$LOG")"
	# And the next time it is its own log.
	run_shmlog 0 tail -F --idle 0 -o json --cursor-file "$CURSOR" "$LOG"
	assert_output ''
	assert_stderr ''
}

@test "-F goes on in a log that was rotated while nobody followed, then in the next" {
	make_log one two three
	shmlog tail --count 1 --cursor-file "$CURSOR" "$LOG" >/dev/null
	shmlog rotate "$LOG"
	shmlog append -m four "$LOG"
	shmlog rotate "$LOG"
	shmlog append -m five "$LOG"
	run_shmlog 0 tail -F --idle 0 -o json --cursor-file "$CURSOR" "$LOG"
	assert_equal "$(jq -r '.event // .payload' <<<"$output")" \
		$'two\nthree\nreopened\nfour\nreopened\nfive'
	assert_equal "$(jq .inode "$CURSOR")" "$(stat -c %i "$LOG")"
	run_shmlog 0 tail -F --idle 0 --cursor-file "$CURSOR" "$LOG"
	assert_output ''
}

@test "-F goes on in each of several logs that were rotated" {
	local name

	cd "$SCRATCH"
	for name in a b; do
		shmlog create -c 4K $name
		shmlog append -m ${name}1 -m ${name}2 $name
	done
	shmlog tail -n +1 -q --cursor-file "$CURSOR" a b >/dev/null
	for name in a b; do
		shmlog append -m ${name}3 $name
		shmlog rotate $name
		shmlog append -m ${name}4 $name
	done
	run_shmlog 0 tail -F -q --idle 0 --cursor-file "$CURSOR" a b
	assert_equal "$(sort <<<"$output")" $'a3\na4\nb3\nb4'
}

@test "-F begins with the new log where the rotated one is gone or archived" {
	make_log one two
	shmlog tail --count 1 --cursor-file "$CURSOR" "$LOG" >/dev/null
	cp "$CURSOR" "$SCRATCH/kept"
	shmlog rotate "$LOG"
	zstd -q --rm "$LOG".2* 2>/dev/null || rm "$LOG".2*
	shmlog append -m new "$LOG"
	run_shmlog 0 tail -F --idle 0 -o json --cursor-file "$CURSOR" "$LOG"
	assert_equal "$(jq -r '.event // .payload' <<<"$output")" $'reopened\nnew'
}

@test "-F goes on in the same log, and waits for a missing one" {
	make_log one two
	shmlog tail --count 1 --cursor-file "$CURSOR" "$LOG" >/dev/null
	mv "$LOG" "$SCRATCH/away"
	follow -F "$LOG"
	wait_for "$OUT_LIMIT" grep -q waiting "$SCRATCH/err"
	mv "$SCRATCH/away" "$LOG"
	wait_for "$OUT_LIMIT" out_has two
	assert_equal "$(<"$SCRATCH/out")" two
	end_follower TERM
}

@test "-F over restarts and replacements skips nothing and doubles nothing" {
	local generation part

	: >"$SCRATCH/out"
	for generation in {1..4}; do
		shmlog create -c 64K "$SCRATCH/new"
		mv "$SCRATCH/new" "$LOG"
		for part in a b c; do
			# Ended by TERM, in the middle of a log and at its end, or
			# running over the replacement (part c goes on).
			[[ $part == a && $generation -gt 1 ]] ||
				follow -F -t '%p\n' "$LOG"
			seq -f "$generation$part%g" 30 | shmlog append "$LOG"
			[[ $part == a ]] ||
				wait_for "$OUT_LIMIT" out_has "$generation${part}30"
			[[ $part == c && $generation -lt 4 ]] || end_follower TERM
		done
	done
	for generation in {1..4}; do
		for part in a b c; do
			seq -f "$generation$part%g" 30
		done
	done | cmp "$SCRATCH/out" -
}

@test "-F over kills and replacements skips nothing" {
	local generation

	: >"$SCRATCH/out"
	for generation in {1..5}; do
		shmlog create -c 64K "$SCRATCH/new"
		seq -f "$generation-%g" 30 | shmlog append "$SCRATCH/new"
		mv "$SCRATCH/new" "$LOG"
		follow -F -t '%p\n' "$LOG"
		wait_for "$OUT_LIMIT" out_has "$generation-30"
		seq -f "$generation-%g" 31 40 | shmlog append "$LOG"
		end_follower KILL
		follow -F -t '%p\n' "$LOG"
		wait_for "$OUT_LIMIT" out_has "$generation-40"
		end_follower KILL
	done
	sort -u "$SCRATCH/out" >"$SCRATCH/seen"
	for generation in {1..5}; do
		seq -f "$generation-%g" 40
	done | sort | cmp "$SCRATCH/seen" -
}
