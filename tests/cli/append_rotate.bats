# append --rotate: room instead of "full", and going on where others have rotated.
load helper

setup() {
	scratch_make
	mkdir "$SCRATCH/room"
	LOG=$SCRATCH/room/log
}

# All frames of the log's name, in the order of the rotations.
all_frames() {
	local log

	for log in $(printf '%s\n' "$LOG".2* | sort -V) "$LOG"; do
		shmlog dump "$log"
	done
}

logs() {
	printf '%s\n' "$SCRATCH/room"/* | wc -l
}

@test "--rotate goes on where a log is full" {
	seq 1000 | shmlog append --create 1K --rotate "$LOG"
	assert_equal "$(all_frames)" "$(seq 1000)"
	assert [ "$(logs)" -gt 5 ]
	shmlog verify -q "$SCRATCH"/room/*
}

@test "--rotate --ack: cursors count in the new log behind an event" {
	need jq
	shmlog create "$LOG" -c 64
	at_once '%s\n' one two three four five six seven eight |
		shmlog append --rotate --ack "$LOG" >"$SCRATCH/acks"
	assert_equal "$(jq -s 'map(.frames // 0) | add' "$SCRATCH/acks")" 8
	# Each commit starts where the one before it in the same log ended.
	assert_equal "$(jq -c '.event // .cursor' "$SCRATCH/acks" | tr '\n' ' ')" \
		'39 "reopened" 25 '
	assert_equal "$(all_frames | wc -l)" 8
}

@test "--rotate does not help a frame that no log of the size can hold" {
	shmlog create "$LOG" -c 64
	run --separate-stderr bash -c "printf 'one\n%0100d\nthree\n' 0 | shmlog append --rotate '$LOG'"
	assert_equal "$status" 6
	assert_stderr "shmlog append: $LOG: full: 1 frames committed, line 2 (100 bytes) does not fit in 33 free bytes"
	assert_equal "$(logs)" 1
}

@test "--rotate --atomic: all of the input is in the new log" {
	shmlog create "$LOG" -c 100
	printf '%s\n' a b c d e f g h | shmlog append --rotate --atomic "$LOG"
	printf '%s\n' i j k l m n o p q r | shmlog append --rotate --atomic --ack "$LOG" >"$SCRATCH/ack"
	assert_equal "$(<"$SCRATCH/ack")" '{"frames":10,"cursor":50}'
	assert_equal "$(shmlog dump "$LOG" | tr -d '\n')" ijklmnopqr
	assert_equal "$(logs)" 2
	run --separate-stderr bash -c "seq 50 | shmlog append --rotate --atomic '$LOG'"
	assert_equal "$status" 6
	assert_equal "$(logs)" 2
}

@test "--rotate --atomic takes an input larger than memory is given to" {
	seq 30000 | shmlog append --create 3000K "$LOG"
	seq 300000 | shmlog append --rotate --atomic "$LOG"
	assert_equal "$(shmlog dump "$LOG" | sha256sum)" "$(seq 300000 | sha256sum)"
	assert_equal "$(logs)" 2
}

@test "--rotate --commit-every, and --overflow that is not needed" {
	seq 1000 | shmlog append --create 1K --rotate --commit-every 7 \
		--overflow "$SCRATCH/rest" "$LOG"
	assert_equal "$(all_frames)" "$(seq 1000)"
	assert_not_exist "$SCRATCH/rest"
}

@test "--rotate --keep removes old logs, and --compress archives them" {
	skip_if_portable 'nobody can tell who holds a file'
	seq 1000 | shmlog append --create 1K --rotate --keep 2 "$LOG"
	assert_equal "$(logs)" 3
	assert_equal "$(all_frames)" "$(seq 1000 | tail -n "$(all_frames | wc -l)")"
	run --separate-stderr shmlog append --rotate --compress -m x "$LOG"
	[[ $stderr != *'lacks zstd'* ]] || skip 'built without zstd'
	seq 200 | shmlog append --rotate --compress "$LOG"
	assert [ "$(printf '%s\n' "$LOG".*.zst | wc -l)" -ge 3 ]
}

@test "--keep and --compress take --rotate" {
	shmlog create "$LOG" -c 64
	run_shmlog 2 append --keep 1 -m x "$LOG"
	run_shmlog 2 append --compress -m x "$LOG"
	run_shmlog 2 append --rotate --keep x -m x "$LOG"
	assert_equal "$(frames_of "$LOG")" 0
}

@test "several appends rotate a log once each time it is full" {
	local i pids=()

	shmlog create "$LOG" -c 2K
	for i in 1 2 3 4; do
		seq "${i}0001" "${i}0500" | shmlog append --rotate --commit-every 5 "$LOG" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	assert_equal "$(all_frames | sort | sha256sum)" \
		"$(for i in 1 2 3 4; do seq "${i}0001" "${i}0500"; done | sort | sha256sum)"
	# 2000 frames of 9 bytes in logs of 2024: none was put away half full.
	assert [ "$(logs)" -le 10 ]
}

@test "an append goes on in the new log when somebody else rotates" {
	mkfifo "$SCRATCH/in"
	shmlog create "$LOG" -c 4K
	shmlog append --ack "$LOG" <"$SCRATCH/in" >"$SCRATCH/acks" &
	exec 5>"$SCRATCH/in"
	echo one >&5
	wait_for 5 grep -q frames "$SCRATCH/acks"
	shmlog rotate "$LOG"
	echo two >&5
	wait_for 5 grep -q reopened "$SCRATCH/acks"
	exec 5>&-
	wait $!
	assert_equal "$(<"$SCRATCH/acks")" '{"frames":1,"cursor":7}
{"event":"reopened"}
{"frames":1,"cursor":7}'
	assert_equal "$(shmlog dump "$LOG".2*)" one
	assert_equal "$(shmlog dump "$LOG")" two
}

@test "--no-follow: a log that somebody else rotates ends it" {
	mkfifo "$SCRATCH/in"
	shmlog create "$LOG" -c 4K
	shmlog append --no-follow --ack "$LOG" <"$SCRATCH/in" >"$SCRATCH/acks" 2>"$SCRATCH/err" 3>&- &
	append=$!
	exec 5>"$SCRATCH/in"
	echo one >&5
	wait_for 5 grep -q frames "$SCRATCH/acks"
	shmlog rotate "$LOG"
	echo two >&5
	exec 5>&-
	local ended=0

	wait "$append" || ended=$?
	assert_equal "$ended" 5
	assert_equal "$(<"$SCRATCH/err")" "shmlog append: $LOG: cannot append: the name leads to another file now; 1 frames committed before"
	assert_equal "$(frames_of "$LOG")" 0
}

@test "an append ends where the log's place is taken by what is no log" {
	mkfifo "$SCRATCH/in"
	shmlog create "$LOG" -c 4K
	shmlog append --ack "$LOG" <"$SCRATCH/in" >"$SCRATCH/acks" 2>"$SCRATCH/err" 3>&- &
	append=$!
	exec 5>"$SCRATCH/in"
	echo one >&5
	wait_for 5 grep -q frames "$SCRATCH/acks"
	echo 'this is a text of some length, no log' >"$SCRATCH/text"
	mv "$SCRATCH/text" "$LOG"
	echo two >&5
	exec 5>&-
	local ended=0

	wait "$append" || ended=$?
	assert_equal "$ended" 5
	assert_equal "$(<"$LOG")" 'this is a text of some length, no log'
}

@test "--rotate is refused beside a writer without the lock" {
	skip_if_portable 'such a writer cannot be seen'
	shmlog append --create 64 "$LOG" -m 'thirty bytes of text are here.'
	exec 9<>"$LOG"
	sleep 1000 &
	local holder=$!
	exec 9>&-
	run_shmlog 7 append --rotate "$LOG" -m 'more than there is room for'
	assert_equal "$(logs)" 1
	run_shmlog 0 append --rotate --force "$LOG" -m 'more than there is room for'
	assert_equal "$(logs)" 2
	kill $holder
}

@test "--rotate that the folder does not allow keeps the input" {
	[[ $(id -u) -ne 0 ]] || skip 'root may write anywhere'
	shmlog create "$LOG" -c 64
	chmod 500 "$SCRATCH/room"
	run --separate-stderr bash -c "seq 20 | shmlog append --rotate --overflow '$SCRATCH/rest' '$LOG'"
	chmod 700 "$SCRATCH/room"
	assert_equal "$status" 4
	assert_stderr --partial 'cannot rotate: Permission denied'
	assert_equal "$(all_frames; cat "$SCRATCH/rest")" "$(seq 20)"
}
