# Several logs at once: tail, dump and seek.
load helper

setup() {
	scratch_make
	cd "$SCRATCH" || return
	make_log one 1a 1b
	make_log two 2a 2b 2c
}

teardown() {
	[[ -z ${FOLLOWER:-} ]] || kill -9 "$FOLLOWER" 2>/dev/null || true
	scratch_remove
}

make_log() { # NAME PAYLOAD...
	printf '%s\n' "${@:2}" | shmlog append --create 64K "$1"
}

follow() { # ARGUMENT...
	shmlog tail "$@" >out 2>err 3>&- &
	FOLLOWER=$!
}

end_follow() { # STATUS
	local status=0

	wait "$FOLLOWER" || status=$?
	FOLLOWER=
	assert_equal "$status" "$1"
}

has_line() { # LINE [FILE]
	grep -qxF -e "$1" "${2:-out}"
}

@test "headers name the logs, as those of GNU tail do" {
	run_shmlog 0 tail one two
	assert_output $'==> one <==\n1a\n1b\n\n==> two <==\n2a\n2b\n2c'
	run_shmlog 0 dump two one
	assert_output $'==> two <==\n2a\n2b\n2c\n\n==> one <==\n1a\n1b'
	run_shmlog 0 seek one two 0 end
	assert_output $'==> one <==\n0\n12\n\n==> two <==\n0\n18'
	printf '1a\n1b\n' >one.txt
	printf '2a\n2b\n2c\n' >two.txt
	run tail one.txt two.txt
	assert_output "$(shmlog tail one two | sed 's/^==> \(.*\) <==$/==> \1.txt <==/')"
	# A log without frames has one, too.
	shmlog create -c 4K empty
	run_shmlog 0 tail empty one
	assert_output $'==> empty <==\n\n==> one <==\n1a\n1b'
}

@test "one log has no header, -q none in any case" {
	expect 0 $'1a\n1b' '' tail one
	expect 0 $'1a\n1b\n2a\n2b\n2c' '' tail -q one two
	expect 0 $'1a\n1b\n2a\n2b\n2c' '' dump --quiet one two
	expect 0 $'6\n6' '' seek -q one two 6
}

@test "formats of bytes have no headers, hex has" {
	run_shmlog 0 dump -o hex one two
	assert_line '==> two <=='
	for format in nul raw frames; do
		shmlog dump -o "$format" one two | cmp - \
			<(shmlog dump -o "$format" one && shmlog dump -o "$format" two)
	done
}

@test "--prefix, log and %f name the log of each frame" {
	expect 0 $'one: 1b\ntwo: 2c' '' tail -n 1 --prefix one two
	expect 0 $'one: 6\ntwo: 6' '' seek --prefix one two 6
	expect 0 $'one=1b\ntwo=2c' '' tail -1 -t '%f=%p\n' one two
	expect 0 $'one=1b' '' tail -1 -t '%f=%p\n' one
	run_shmlog 0 dump -o json -n 1 one two
	assert_line -n 0 '{"log":"one","cursor":0,"next":6,"index":0,"size":2,"encoding":"utf8","payload":"1a"}'
	assert_line -n 1 '{"log":"two","cursor":0,"next":6,"index":0,"size":2,"encoding":"utf8","payload":"2a"}'
	run_shmlog 0 dump -o json one
	refute_output --partial log
	run_shmlog 2 tail --prefix -o json one two
	assert_equal "${stderr_lines[0]}" 'shmlog tail: --prefix goes with the output formats text and nul; json has "log", and a template %f'
}

@test "a name that is no text is told without loss in JSON" {
	cp one $'x\xff"\n'
	run_shmlog 0 dump -o json -n 1 $'x\xff"\n' two
	assert_line -n 0 --partial '{"log":"x\udcff\"\n","cursor":0'
}

@test "envelopes of several logs are read by append" {
	shmlog dump -o json one two | shmlog append -i envelope --create 4K copy
	expect 0 $'1a\n1b\n2a\n2b\n2c' '' dump copy
}

@test "-n is for each log, --count over all" {
	expect 0 $'1b\n2c' '' tail -q -n 1 one two
	expect 0 $'1a\n1b\n2a' '' tail -q --count 3 one two
	expect 0 $'1a\n2a' '' dump -q -n 1 one two
}

@test "what is wrong with one log keeps no other from being printed; the worst status counts" {
	run_shmlog 4 tail -q one missing two
	assert_output $'1a\n1b\n2a\n2b\n2c'
	assert_stderr 'shmlog tail: missing: cannot open: No such file or directory; -F waits for it'
	run_shmlog 1 dump -q "$FIXTURES/oversize-wrap.shm" one
	assert_line -n -1 1b
	echo text >text
	run_shmlog 5 dump -q "$FIXTURES/oversize-wrap.shm" text missing one
	assert_line -n -1 1b
	run_shmlog 1 seek one two -q 12 18
	assert_output $'12\n12\n18'
	run_shmlog 4 tail -f --idle 100ms -q one missing two
	assert_output $'1a\n1b\n2a\n2b\n2c'
}

@test "seek tells logs from positions by their form" {
	make_log 0 zero
	expect 0 $'==> one <==\n0\n\n==> ./0 <==\n0' '' seek one ./0 0
	run_shmlog 2 seek one bogus 0
	assert_regex "${stderr_lines[0]}" "'bogus' is no position, nor a log that is there"
	run_shmlog 2 seek one two
	assert_regex "${stderr_lines[0]}" "^shmlog seek: missing operand: POS: 'two' is taken for a log, no position: use start"
	run_shmlog 2 seek one 0 two
	assert_regex "${stderr_lines[0]}" "'?two'? is no position"
}

@test "-N, --follow=name and --retry are as in GNU tail" {
	expect 0 $'2b\n2c' '' tail -2 two
	expect 0 '' '' tail -0 two
	run_shmlog 2 tail -2x two
	run_shmlog 2 dump -2 two
	run_shmlog 2 tail --retry two
	run_shmlog 2 tail --follow=inode two
	run_shmlog 124 tail --follow=name --timeout 50ms later
	assert_stderr --partial 'waiting for the log'
	run_shmlog 124 tail -f --retry --timeout 50ms later
	assert_stderr --partial 'waiting for the log'
	run_shmlog 4 tail --follow=descriptor --timeout 50ms later
	run_shmlog 0 tail --follow=descriptor --idle 50ms -n 1 two
	assert_output 2c
}

@test "several logs are followed with the log of each frame" {
	follow -f -n 0 one two
	wait_until_asleep "$FOLLOWER"
	shmlog append -m new1 one
	wait_for 20 has_line new1
	shmlog append -m new2 two
	wait_for 20 has_line new2
	shmlog append -m new3 two
	wait_for 20 has_line new3
	kill "$FOLLOWER"
	end_follow 143
	assert_equal "$(cat out)" $'==> one <==\nnew1\n\n==> two <==\nnew2\nnew3'
}

@test "-F waits for, reopens and goes on with each log by itself" {
	follow -F -o json -n +1 one two later
	wait_for 20 has_frame two 2c
	make_log later 3a
	wait_for 20 has_frame later 3a
	mv one gone
	make_log one 1c
	wait_for 20 has_frame one 1c
	shmlog append -m 2d two
	wait_for 20 has_frame two 2d
	kill "$FOLLOWER"
	end_follow 143
	assert_equal "$(jq -r 'select(.log == "one") | .event // .payload' out)" \
		$'1a\n1b\nreopened\n1c'
	assert_equal "$(jq -r 'select(.log == "two") | .payload' out)" $'2a\n2b\n2c\n2d'
	assert_equal "$(jq -r 'select(.log == "later") | .payload' out)" 3a
	assert grep -qxF 'shmlog tail: later: waiting for the log: No such file or directory' err
}

has_frame() { # LOG PAYLOAD
	jq -e -s --arg log "$1" --arg payload "$2" \
		'any(.[]; .log == $log and .payload == $payload)' out >/dev/null 2>&1
}

@test "damage ends the follow of one log, and the others go on" {
	follow -f -o json -n +1 "$FIXTURES/oversize-wrap.shm" one
	wait_for 20 has_frame one 1b
	shmlog append -m 1c one
	wait_for 20 has_frame one 1c
	kill "$FOLLOWER"
	end_follow 143
	assert_equal "$(jq -c 'select(.event) | [.log, .event]' out)" \
		"[\"$FIXTURES/oversize-wrap.shm\",\"damage\"]"
	# Where no log is left, the follow ends by itself.
	run_shmlog 1 tail -f -q -n +1 "$FIXTURES/oversize-wrap.shm" "$FIXTURES/oversize-wrap.shm"
}

@test "the writer's death ends the follow of all logs once" {
	run_shmlog 0 tail -F -o json -n +1 --pid 2000000000 one two
	assert_equal "$(jq -s 'map(select(.payload)) | length' <<<"$output")" 5
	assert_equal "$(jq -c 'select(.event)' <<<"$output")" \
		'{"event":"writer_gone","pid":2000000000}'
}

@test "one cursor file is for all logs" {
	expect 0 $'1a\n1b\n2a\n2b\n2c' '' tail -q --cursor-file cursor one two
	assert_equal "$(jq -c '[.log, .cursor]' cursor)" $'["one",12]\n["two",18]'
	expect 0 '' '' tail -q --cursor-file cursor one two
	shmlog append -m 1c one
	# In any order, and a new one from its start.
	make_log three 3a
	expect 0 $'1c\n3a' '' tail -q --cursor-file cursor two one three
	# Cursors of logs that are not read now stay.
	shmlog append -m 2d two
	expect 0 '' '' tail --cursor-file cursor three
	assert_equal "$(jq -s length cursor)" 3
	expect 0 2d '' tail -q --cursor-file cursor one two
	# A log that was renamed is the same log.
	mv two second
	shmlog append -m 2e second
	expect 0 2e '' tail -q --cursor-file cursor one second
	# Another log under a name.
	rm one
	make_log one x
	run_shmlog 8 tail -q --cursor-file cursor one second
	assert_stderr --partial "cursor: is the cursor of another log"
}

@test "the cursor file of one log has the form it always had" {
	expect 0 $'1a\n1b' '' tail --cursor-file cursor one
	assert_equal "$(jq -c keys cursor)" '["birth_ns","cursor","device","filesystem","inode"]'
	# With several logs, it is found by the log it was taken in.
	expect 0 $'2a\n2b\n2c' '' tail -q --cursor-file cursor one two
	printf '{"log":"x"}\n' >bad
	run_shmlog 8 tail --cursor-file bad one two
	assert_equal "$(cat bad)" '{"log":"x"}'
}

@test "a follow of several logs keeps their cursors" {
	follow -F -q -n +1 --cursor-file cursor one two
	wait_for 20 has_line 2c
	shmlog append -m 1c one
	wait_for 20 has_line 1c
	kill "$FOLLOWER"
	end_follow 143
	expect 0 '' '' tail -q --cursor-file cursor one two
}

@test "of what a reader did not take, each log's cursor counts whole frames" {
	local from=$SCRATCH/taken kind

	seq -f '%.0f one line of this log' 30000 | shmlog append --create 4M big1
	seq -f '%.0f a line of the other log' 30000 | shmlog append --create 4M big2
	for kind in text json; do
		rm -f cursor fifo
		mkfifo fifo
		exec 9<>fifo
		shmlog tail -f -n +1 -o "$kind" --cursor-file cursor --timeout 300ms \
			big1 big2 >fifo 2>err && fail "it was all taken"
		timeout 5 cat <&9 >"$from" &
		wait_for 20 pipe_is_empty "$from"
		exec 9>&-
		wait || true
		# What is left begins with the line that was cut off, or behind a
		# whole one.
		shmlog tail -q -n +1 -o "$kind" --cursor-file cursor big1 big2 >rest
		head -c -1 "$from" >/dev/null
		for log in 'one line' 'a line'; do
			{
				grep -a "$log" "$from" | grep -ao "[0-9]* $log of [a-z ]*log" |
					grep -a 'log$'
				grep -ao "[0-9]* $log of [a-z ]*log" rest
			} | cut -d ' ' -f 1 | sort -n | uniq -c |
				awk '$1 > 1 { twice++ } { count++ }
				END { exit !(count == 30000 && twice <= 1) }' ||
				fail "lines of '$log' are missing or come twice"
		done
	done
}

pipe_is_empty() { # FILE
	local before

	before=$(wc -c <"$1")
	sleep 0.2
	((before > 0)) && [[ $(wc -c <"$1") == "$before" ]]
}

# More than one sleep can be on, and than are saved one by one at the start.
make_many() { # FROM TO
	local i

	for ((i = $1; i <= $2; i++)); do
		cp one "many.$i"
	done
}

@test "hundreds of logs are followed, and one cursor file has them all" {
	local i

	make_many 100 399
	follow -f -q -n 1 --cursor-file cursor --prefix many.*
	wait_for 20 has_line 'many.399: 1b'
	for i in 399 100 250; do
		shmlog append -m "late $i" "many.$i"
		wait_for 10 has_line "many.$i: late $i"
	done
	kill -TERM "$FOLLOWER"
	end_follow 143
	assert_equal "$(wc -l <out)" 303
	assert_equal "$(wc -l <cursor)" 300
	shmlog append -m "later" many.300
	expect 0 $'many.300: later' '' tail -q --cursor-file cursor --prefix many.*
}

@test "--glob takes up each of hundreds of logs once" {
	make_many 100 249
	follow -F -q -n 1 --prefix --glob 'many.*' one
	wait_for 20 has_line 'many.249: 1b'
	make_many 250 399
	wait_for 20 has_line 'many.399: 1b'
	shmlog append -m last many.321
	wait_for 10 has_line 'many.321: last'
	rm many.100 many.399
	shmlog append -m more many.398
	wait_for 10 has_line 'many.398: more'
	shmlog append -m end one
	wait_for 10 has_line 'one: end'
	kill -TERM "$FOLLOWER"
	end_follow 143
	# Of those that came later all is new.
	assert_equal "$(sort out | uniq -d)" ''
	assert_equal "$(wc -l <out)" $((1 + 150 + 300 + 3))
}

@test "--glob takes the logs of a pattern, and no other file" {
	local user=()

	((EUID != 0)) || { need setpriv; user=(setpriv --reuid 65534 --regid 65534 --clear-groups); }
	echo text >o.txt
	mkdir o.folder
	expect 0 $'1a\n1b' '' tail -q --glob 'o*'
	expect 0 $'2a\n2b\n2c\n1a\n1b' '' tail -q two --glob 'o*'
	run_shmlog 0 tail -n 1 --glob "$SCRATCH/*"
	assert_output "==> $SCRATCH/one <=="$'\n1b\n\n'"==> $SCRATCH/two <=="$'\n2c'
	run_shmlog 1 tail --glob 'x*'
	assert_stderr 'shmlog tail: x*: is the name of no log'
	run_shmlog 2 tail
	assert_equal "${stderr_lines[0]}" 'shmlog tail: missing operand: LOG'
	# What cannot be read may be a log.
	cp one unread
	chmod 755 "$SCRATCH"
	chmod 0 unread
	separately "${user[@]}" shmlog tail --glob 'unr*'
	assert_equal "$status" 4
	assert_stderr 'shmlog tail: unr*: is the name of no log that can be read: Permission denied'
}

@test "--glob takes up logs that appear later, and drops those that go" {
	local mode

	for mode in -f -F; do
		rm -f out err new* app*
		follow $mode -o json -n 0 --glob 'app*'
		sleep 0.1
		make_log new1 n1
		mv new1 app1
		wait_for 20 has_frame app1 n1
		make_log app2 n2
		wait_for 20 has_frame app2 n2
		shmlog append -m n3 app1
		wait_for 20 has_frame app1 n3
		if [[ $mode == -F ]]; then
			rm app1
			wait_for 20 file_is_closed app1
			make_log app1 n4
			wait_for 20 has_frame app1 n4
		fi
		kill "$FOLLOWER"
		end_follow 143
	done
}

@test "--glob does not take a rotated log for a new one" {
	local mode

	for mode in -f -F; do
		rm -f out err app*
		make_log app a1
		follow $mode -o json -n +1 --glob 'app*'
		wait_for 20 has_frame app a1
		shmlog rotate app
		shmlog append -m a2 app
		[[ $mode == -f ]] || wait_for 20 has_frame app a2
		# A new log is seen behind a look that has seen the rotated one.
		make_log app.20 b1
		wait_for 20 has_frame app.20 b1
		kill "$FOLLOWER"
		end_follow 143
		assert_equal "$(grep -c '"payload":"a1"' out)" 1
	done
	# Not even where its old name is gone; but by its own name it is read.
	rm app
	expect 0 b1 '' tail -q -n +1 --glob 'app*'
	expect 0 a1 '' tail -q -n +1 --glob 'app.*T*'
}

file_is_closed() { # NAME
	! readlink "/proc/$FOLLOWER/fd/"* | grep -q "/$1 (deleted)"
}

@test "a slow log is not held up by a fast one" {
	shmlog create -c 16M fast
	shmlog append -m early fast
	follow -f -q -n +1 fast two
	wait_for 20 has_line early
	# Both logs have something when it looks again.
	kill -STOP "$FOLLOWER"
	seq 1 1000000 | shmlog append fast
	shmlog append -m slow two
	kill -CONT "$FOLLOWER"
	wait_for 20 has_line 1000000
	wait_for 20 has_line slow
	[[ $(tail -n 1 out) == 1000000 ]]
	kill "$FOLLOWER"
	end_follow 143
}
