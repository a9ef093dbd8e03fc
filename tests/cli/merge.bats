# --merge: several logs as one, in the order of a field.
load helper

setup() {
	scratch_make
	cd "$SCRATCH" || return
}

teardown() {
	[[ -z ${FOLLOWER:-} ]] || kill -9 "$FOLLOWER" 2>/dev/null || true
	scratch_remove
}

make_log() { # NAME PAYLOAD...
	printf '%s\n' "${@:2}" | shmlog append --create 64K "$1"
}

# Makes a log of frames {"t":N}.
make_times() { # NAME N...
	printf '{"t":%s}\n' "${@:2}" | shmlog append --create 64K "$1"
}

add_time() { # NAME N
	shmlog append -m "{\"t\":$2}" "$1"
}

# Prints the times of lines of JSON, on one line.
times() {
	jq -r '(.payload | fromjson? | .t) // .t' | tr '\n' ' '
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

has_line() { # LINE
	grep -qxF -e "$1" out
}

has_lines() { # COUNT
	(($(wc -l <out) >= $1))
}

@test "frames of several logs come in the order of a field" {
	make_times a 1 4 7
	make_times b 2 3 8
	make_times c 5 6
	for command in dump tail; do
		run_shmlog 0 $command -q --merge .t a b c
		assert_equal "$(times <<<"$output")" '1 2 3 4 5 6 7 8 '
	done
	run_shmlog 0 dump --merge .t --prefix a b
	assert_line -n 0 'a: {"t":1}'
	assert_line -n 1 'b: {"t":2}'
	run_shmlog 0 dump --merge .t a b
	assert_line -n 0 '==> a <=='
	assert_line -n 2 '==> b <=='
	run_shmlog 0 tail -o json --merge .t a b
	assert_equal "$(jq -r .log <<<"$output" | tr '\n' ' ')" 'a b b a a b '
	refute_output --partial late
	# A log alone, too.
	run_shmlog 0 tail --merge .t a
	assert_equal "$(times <<<"$output")" '1 4 7 '
}

@test "whole numbers are compared exactly, texts by their bytes, types as jq does" {
	make_log a '{"t":9007199254740993}' '{"t":18446744073709551615}'
	make_log b '{"t":9007199254740992}' '{"t":18446744073709551614}'
	expect 0 $'{"t":9007199254740992}\n{"t":9007199254740993}\n{"t":18446744073709551614}\n{"t":18446744073709551615}' \
		'' dump -q --merge .t a b
	make_log c '["2026-01-01T00:00:00.1Z"]' '["2026-01-01T00:00:00.9Z"]'
	make_log d '[-1.5]' '["2026-01-01T00:00:00.25Z"]' '[["x"]]'
	run_shmlog 0 dump -q --merge '.[0]' c d
	assert_output $'[-1.5]\n["2026-01-01T00:00:00.1Z"]\n["2026-01-01T00:00:00.25Z"]\n["2026-01-01T00:00:00.9Z"]\n[["x"]]'
	# A name with an escape is the name.
	make_log e '{"\u0074":2}'
	make_log f '{"t":1}'
	expect 0 $'{"t":1}\n{"\\u0074":2}' '' dump -q --merge .t e f
	# The payload itself.
	make_log g 1 3
	make_log h 2
	expect 0 $'1\n2\n3' '' dump -q --merge . g h
}

@test "frames of one value keep the order of the logs; a frame without it goes with its log" {
	make_log a '{"t":1,"n":"a1"}' '{"n":"a2"}' '{"t":2,"n":"a3"}'
	make_log b '{"t":1,"n":"b1"}' 'no JSON {' '{"t":null,"n":"b3"}' '{"t":2,"n":"b4"}'
	run_shmlog 0 dump -q --merge .t a b
	assert_output $'{"t":1,"n":"a1"}\n{"n":"a2"}\n{"t":1,"n":"b1"}\nno JSON {\n{"t":null,"n":"b3"}\n{"t":2,"n":"a3"}\n{"t":2,"n":"b4"}'
	run_shmlog 0 dump -q --merge .t b a
	assert_line -n 0 '{"t":1,"n":"b1"}'
	# Where none has come yet, it is the first.
	make_log c 'first' '{"t":9}'
	run_shmlog 0 dump -q --merge .t a c
	assert_line -n 0 first
}

@test "a log that is itself not in order is merged as sort -m does" {
	local i

	for i in 1 2 3; do
		awk -v seed="$i" 'BEGIN { srand(seed); for (i = 0; i < 2000; i++) {
			t += int(rand() * 10) - 1
			printf "{\"t\":\"%08d\",\"log\":%d,\"n\":%d}\n", t + 100, seed, i } }' >"in$i"
		shmlog append --create 1M "log$i" <"in$i"
	done
	sort -m -s -t, -k1,1 in1 in2 in3 >expected
	shmlog dump -q --merge .t log1 log2 log3 | cmp - expected
	shmlog tail -q -n +1 --merge .t log1 log2 log3 | cmp - expected
	# Backwards, frames of one value come in the other order, too.
	sort -m -s -r -t, -k1,1 <(tac in3) <(tac in2) <(tac in1) >expected
	shmlog dump -q -r --merge .t log1 log2 log3 | cmp - expected
}

@test "-n takes the last of each log, --count and dump -n end all of them" {
	make_times a 1 4 7
	make_times b 2 3 8
	run_shmlog 0 tail -q -n 2 --merge .t a b
	assert_equal "$(times <<<"$output")" '3 4 7 8 '
	run_shmlog 0 tail -q --count 3 --merge .t a b
	assert_equal "$(times <<<"$output")" '1 2 3 '
	run_shmlog 0 dump -q -n 3 --merge .t a b
	assert_equal "$(times <<<"$output")" '1 2 3 '
	run_shmlog 0 dump -q -r -n 3 --merge .t a b
	assert_equal "$(times <<<"$output")" '8 7 4 '
	run_shmlog 0 dump -q --from frame:1 --to -1 --merge .t a b
	assert_equal "$(times <<<"$output")" '3 4 '
}

@test "frames that pass a filter are merged" {
	make_times a 1 4 7
	make_times b 2 3 8
	run_shmlog 0 dump -q --merge .t --where '.t > 2' -n 3 a b
	assert_equal "$(times <<<"$output")" '3 4 7 '
	run_shmlog 0 dump --tally --merge .t --grep '[1-4]' a b
	assert_output 4
	run_shmlog 10 dump -q --merge .t --grep x a b
	run_shmlog 0 tail -q --merge .t --where '.t > 2' a b
	assert_equal "$(times <<<"$output")" '3 4 7 8 '
	run_shmlog 0 tail -q --merge .t --where '.t > 1' -n 2 a b
	assert_equal "$(times <<<"$output")" '3 4 7 8 '
	run_shmlog 0 tail -q --merge .t --where '.t > 1' --count 2 -n +1 a b
	assert_equal "$(times <<<"$output")" '2 3 '
	run_shmlog 0 tail --tally --merge .t --grep '[1-4]' a b
	assert_output 4
	run_shmlog 10 tail --merge .t --grep x a b
	run_shmlog 2 tail --merge .t --grep x -C 1 a
	assert_regex "${stderr_lines[0]}" 'dump --merge does$'
	# What is around one is so in all logs together.
	run_shmlog 0 dump --prefix --merge .t --grep 4 -C 1 a b
	assert_output $'b: {"t":3}\na: {"t":4}\na: {"t":7}'
	run_shmlog 0 dump -o json --merge .t --grep 7 -B 2 a b
	assert_equal "$(jq -r .log <<<"$output" | tr '\n' ' ')" 'b a a '
}

@test "a follow merges frames that pass, and moves its cursors over others" {
	make_times a 1 2
	make_times b 1
	follow -F -q -n 0 --merge .t --merge-wait 50ms --cursor-file cursor --where '.t % 1 == 0' a b || true
	end_follow 2
	follow -F -q -n 0 --merge .t --merge-wait 50ms --cursor-file cursor \
		--where '.t >= 10' --count 3 a b
	wait_until_asleep "$FOLLOWER"
	add_time a 5
	add_time b 12
	add_time b 6
	add_time a 11
	add_time a 13
	add_time a 7
	end_follow 0
	assert_equal "$(sed 's/^\[late\] //' out | sort)" $'{"t":11}\n{"t":12}\n{"t":13}'
	run_shmlog 0 tail -q --merge .t --cursor-file cursor a b
	assert_equal "$(times <<<"$output")" '7 '
}

@test "a frame that cannot be judged ends its log alone" {
	local bad status=0

	shmlog create -c 4K empty
	shmlog dump --grep x empty 2>err || status=$?
	[[ $status -ne 4 ]] || skip "built without PCRE2"
	bad=$(printf 'a%.0s' {1..60})b
	printf '"%s"\n' aa "$bad" ba | shmlog append --create 4K a
	printf '"%s"\n' aaa b caaa | shmlog append --create 4K b
	for command in dump 'tail -n +1'; do
		# shellcheck disable=SC2086
		run_shmlog 9 $command -q --merge . --grep '^"((a|aa)+"$|ba|caa)' a b
		assert_output $'"aa"\n"aaa"\n"caaa"'
		assert_stderr --partial 'a: the frame at cursor 8 cannot be judged'
	done
}

@test "typed frames are merged by their values" {
	echo '[{"kind":"Primitive","name":"u8","size":1},
		{"kind":"Primitive","name":"u64","size":8},
		{"kind":"Struct","name":"Tick","fields":[{"name":"time","type":"u64"},
		{"name":"price","type":"u8"}]}]' >types
	printf '{"time":%s,"price":1}\n' 18446744073709551613 18446744073709551615 |
		shmlog append --create 4K --schema types a
	printf '{"time":%s,"price":2}\n' 18446744073709551612 18446744073709551614 |
		shmlog append --create 4K --schema types b
	shmlog append -m 'no tick' b
	run_shmlog 1 dump -q --schema types --merge .time a b
	assert_equal "$(grep -o 'price":[0-9]' <<<"$output" | tr -dc 12)" 2121
}

@test "a path that is none is wrong usage" {
	make_times a 1
	run_shmlog 2 tail --merge t a
	assert_equal "${stderr_lines[0]}" \
		'shmlog tail: --merge: column 1: a path begins with a point'
	run_shmlog 2 dump --merge '.t | .u' a
	run_shmlog 2 dump --merge '.t[' a
	run_shmlog 2 dump --merge '' a
	run_shmlog 2 tail --merge-wait 1s a
	assert_equal "${stderr_lines[0]}" 'shmlog tail: --merge-wait goes with --merge'
	run_shmlog 2 tail --merge .t --merge-wait x a
}

@test "what is wrong with one log keeps no other from being merged" {
	make_times a 1 4
	make_times b 2 3
	run_shmlog 4 dump -q --merge .t a missing b
	assert_equal "$(times <<<"$output")" '1 2 3 4 '
	assert_stderr 'shmlog dump: missing: cannot open: No such file or directory'
	run_shmlog 4 tail -q --merge .t a missing b
	assert_equal "$(times <<<"$output")" '1 2 3 4 '
	# Its good frames come first.
	make_times c 0 1 2 5
	put_bytes c $((24 + $(shmlog seek c frame:2))) ffff
	run_shmlog 1 dump -q -o json --merge .t a b c
	assert_equal "$(jq -r 'select(.payload) | .payload | fromjson | .t' <<<"$output" |
		tr '\n' ' ')" '0 1 1 2 3 4 '
	assert_equal "$(jq -r 'select(.event) | .log + .event' <<<"$output")" cdamage
	run_shmlog 1 tail -q -f --idle 300ms -n +1 -o json --merge .t a b c
	assert_equal "$(jq -r 'select(.payload) | .payload | fromjson | .t' <<<"$output" |
		tr '\n' ' ')" '0 1 1 2 3 4 '
	assert_equal "$(jq -r 'select(.event) | .log + .event' <<<"$output")" cdamage
}

# ----------------------------------------------------------------- following

@test "a follow waits for older frames of other logs" {
	make_times a 1 4
	make_times b 2 3
	make_times c 1
	follow -f -q -n 0 --merge .t --merge-wait 3s a b c
	wait_until_asleep "$FOLLOWER"
	add_time a 30
	sleep 0.2
	assert_equal "$(cat out)" ''
	add_time b 20
	wait_for 20 has_lines 2
	kill "$FOLLOWER"
	end_follow 143
	assert_equal "$(times <out)" '20 30 '
}

@test "a frame waits no longer than until every log has one" {
	make_times a 1 4 7
	make_times b 2 3 8
	# Two of a wait for what b may still get.
	run_shmlog 0 tail -f -q --merge .t --merge-wait 1h --count 5 a b
	assert_equal "$(times <<<"$output")" '1 2 3 4 7 '
	follow -f -q -n 0 --merge .t --merge-wait 1h a b
	wait_until_asleep "$FOLLOWER"
	add_time a 10
	add_time b 9
	add_time b 11
	wait_for 20 has_lines 2
	assert_equal "$(times <out)" '9 10 '
	kill "$FOLLOWER"
	end_follow 143
	# There is nothing to wait for where there is one log.
	run_shmlog 0 tail -f -q --merge .t --merge-wait 1h --count 3 a -n 3
	assert_equal "$(times <<<"$output")" '4 7 10 '
}

# Follows a and b until a frame of b is late.
follow_late() { # ARGUMENT...
	rm -f a b
	make_times a 1
	make_times b 1
	follow -f -n 0 --merge .t --merge-wait 50ms "$@" a b
	wait_until_asleep "$FOLLOWER"
	add_time a 5
	wait_for 20 grep -q 5 out
	add_time b 3
	wait_for 20 grep -aq '3}' out
	add_time b 6
	wait_for 20 grep -aq '6}' out
	kill "$FOLLOWER"
	end_follow 143
}

@test "a frame that comes too late is printed at once and marked" {
	follow_late -q
	assert_equal "$(cat out)" $'{"t":5}\n[late] {"t":3}\n{"t":6}'
	follow_late --prefix
	assert_equal "$(cat out)" $'a: {"t":5}\nb: [late] {"t":3}\nb: {"t":6}'
	follow_late -o json
	assert_equal "$(jq -c '[.late, .payload]' out)" \
		$'[null,"{\\"t\\":5}"]\n[true,"{\\"t\\":3}"]\n[null,"{\\"t\\":6}"]'
	# An envelope with the mark is one that append takes.
	shmlog append -i envelope --create 4K copy <out
	assert_equal "$(shmlog dump copy | times)" '5 3 6 '
	follow_late -t '%l:%p\n'
	assert_equal "$(cat out)" $':{"t":5}\nlate:{"t":3}\n:{"t":6}'
	follow_late -q -o hex
	assert_equal "$(grep -a cursor out)" \
		$'cursor 11 size 7\ncursor 11 size 7 late\ncursor 22 size 7'
	follow_late -o nul
	assert_equal "$(tr '\0' '\n' <out)" $'{"t":5}\n[late] {"t":3}\n{"t":6}'
	# The bytes of the log have no place for a mark.
	follow_late -o raw
	assert_equal "$(cat out)" '{"t":5}{"t":3}{"t":6}'
}

@test "a log that is itself not in order is marked where it is followed" {
	make_times a 1 5 3 6
	make_times b 2
	run_shmlog 0 tail -f -q --merge .t --merge-wait 1ms --count 5 a b
	assert_output $'{"t":1}\n{"t":2}\n{"t":5}\n[late] {"t":3}\n{"t":6}'
}

@test "what waits is printed when a follow ends by itself" {
	make_times a 1 5
	make_times b 2
	run_shmlog 124 tail -f -q --merge .t --merge-wait 1h --timeout 300ms a b
	assert_equal "$(times <<<"$output")" '1 2 5 '
	run_shmlog 0 tail -f -q --merge .t --merge-wait 1h --idle 100ms a b
	assert_equal "$(times <<<"$output")" '1 2 5 '
	run_shmlog 0 tail -f -q --merge .t --merge-wait 1h --pid 2000000000 a b
	assert_equal "$(times <<<"$output")" '1 2 5 '
}

@test "the cursor file stays behind frames that wait" {
	make_times a 1
	make_times b 2
	follow -F -q -n +1 --merge .t --merge-wait 1h --cursor-file cursor a b
	wait_for 20 has_lines 1
	add_time a 3
	add_time a 5
	wait_for 20 has_lines 2
	wait_until_asleep "$FOLLOWER"
	# 2 and all before it has gone out, and b is waited for.
	kill "$FOLLOWER"
	end_follow 143
	assert_equal "$(times <out)" '1 2 '
	add_time b 4
	run_shmlog 0 tail -q --merge .t --cursor-file cursor a b
	assert_equal "$(times <<<"$output")" '3 4 5 '
	run_shmlog 0 tail -q --merge .t --cursor-file cursor a b
	assert_output ''
}

@test "of what a reader did not take, the cursors count whole frames, late ones too" {
	local kind

	for i in 1 2; do
		seq "$i" 2 60000 | awk '{ t = $1 % 11 == 0 ? $1 - 9 : $1
			printf "{\"t\":%d,\"n\":%d}\n", t, $1 }' |
			shmlog append --create 4M "big$i"
	done
	for kind in text json; do
		rm -f cursor fifo
		mkfifo fifo
		exec 9<>fifo
		shmlog tail -f -q -n +1 -o "$kind" --merge .t --merge-wait 10ms \
			--cursor-file cursor --timeout 300ms big1 big2 >fifo 2>err &&
			fail "it was all taken"
		cat <&9 >taken &
		wait_for 20 pipe_is_empty taken
		exec 9>&-
		kill $!
		wait || true
		grep -aq late taken
		shmlog tail -q -n +1 -o "$kind" --merge .t --cursor-file cursor big1 big2 >rest
		{
			head -n -1 taken
			cat rest
		} | grep -ao 'n\\*":[0-9]*}' | grep -o '[0-9]*' | sort -n | uniq -c |
			awk '$1 > 1 { twice++ } { count++ }
			END { exit !(count >= 59999 && twice <= 1) }' ||
			fail "frames are missing or come twice"
	done
}

pipe_is_empty() { # FILE
	local before

	before=$(wc -c <"$1")
	sleep 0.2
	((before > 0)) && [[ $(wc -c <"$1") == "$before" ]]
}

@test "a fast log beside a silent one takes no memory" {
	skip_if_sanitized "a sanitizer has memory of its own"
	shmlog create -c 64M fast
	make_times silent 0
	follow -f -q -n 0 --merge .t --merge-wait 1h fast silent
	wait_until_asleep "$FOLLOWER"
	seq 1 600000 | sed 's/.*/{"t":&,"text":"some more of a line that waits"}/' |
		shmlog append fast
	wait_for 60 has_read_all "$FOLLOWER"
	run cat "/proc/$FOLLOWER/status"
	kb=$(sed -n 's/^RssAnon:[^0-9]*\([0-9]*\) kB/\1/p' <<<"$output")
	[[ -n $kb ]] || skip "the system does not tell how much memory a process has"
	((kb < 8192)) || fail "$kb KiB for frames that wait"
	[ ! -s out ]
	# All of it is there when its turn has come.
	add_time silent 3000000
	wait_for 60 has_line '{"t":600000,"text":"some more of a line that waits"}'
	kill "$FOLLOWER"
	end_follow 143
	cut -d, -f1 out | cmp - <(seq 1 600000 | sed 's/.*/{"t":&/')
}

# A follow that sleeps has looked at all that is there.
has_read_all() { # PID
	is_asleep "$1" && sleep 0.3 && is_asleep "$1"
}

@test "a log that is replaced goes out before the one in its place" {
	make_times a 1
	make_times b 1
	follow -F -o json -n 0 --merge .t --merge-wait 600ms a b
	wait_until_asleep "$FOLLOWER"
	add_time a 10
	mv a old
	make_times a 12 14
	# The old one is held open while its frame waits.
	sleep 0.1
	add_time b 9
	wait_for 20 grep -q 't.":14' out
	kill "$FOLLOWER"
	end_follow 143
	assert_equal "$(jq -r '.event // (.payload | fromjson | .t)' out | tr '\n' ' ')" \
		'9 10 reopened 12 14 '
	refute grep -q late out
	assert grep -q 'was replaced' err
}

@test "a log of a pattern that is gone goes out, and later ones take part" {
	make_times app1 1
	follow -F -o json -n 0 --merge .t --merge-wait 400ms --glob 'app*'
	wait_until_asleep "$FOLLOWER"
	make_times new 5
	mv new app2
	wait_for 20 grep -q 't.":5' out
	add_time app2 7
	rm app2
	wait_for 20 grep -q 't.":7' out
	wait_for 20 is_closed app2
	# It is waited for no more.
	add_time app1 8
	wait_for 20 grep -q 't.":8' out
	kill "$FOLLOWER"
	end_follow 143
	assert_equal "$(times <out)" '5 7 8 '
}

is_closed() { # NAME
	! readlink "/proc/$FOLLOWER/fd/"* | grep -q "/$1 (deleted)"
}

@test "a log that does not exist yet is waited for, and then merged" {
	make_times a 1
	follow -F -q -n +1 --merge .t --merge-wait 50ms a later
	wait_for 20 has_lines 1
	make_times new 3 5
	mv new later
	add_time a 4
	wait_for 20 has_lines 4
	kill "$FOLLOWER"
	end_follow 143
	assert_equal "$(sed 's/^\[late\] //' out | sort)" $'{"t":1}\n{"t":3}\n{"t":4}\n{"t":5}'
}
