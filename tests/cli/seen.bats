# When frames were seen: %t and %T of templates, and tail --seen.
load helper

setup() {
	scratch_make
}

@test "tail says when it saw a frame, in local time and since the epoch" {
	local before after seen

	printf 'one\ntwo\n' | shmlog append --create 4K "$LOG"
	before=$(date +%s)
	run_shmlog 0 tail -t '%t %T %p\n' "$LOG"
	after=$(date +%s)
	assert_stderr ''
	assert_equal "${#lines[@]}" 2
	assert_line --index 0 --regexp \
		'^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\.[0-9]{3}[+-][0-9]{2}:[0-9]{2} [0-9]{10}\.[0-9]{6} one$'
	read -r _ seen _ <<<"${lines[0]}"
	((before <= ${seen%.*} && ${seen%.*} <= after))
	# The two are one time.
	read -r local seen _ <<<"${lines[1]}"
	assert_equal "$(date -d "$local" +%s)" "${seen%.*}"
	[[ ${seen#*.} == "$(sed -E 's/.*\.([0-9]{3}).*/\1/' <<<"$local")"* ]]
}

@test "TZ chooses the local time, with its offset" {
	shmlog append --create 4K -m x "$LOG"
	TZ=UTC0 run_shmlog 0 tail -t '%t' "$LOG"
	assert_output --regexp '\+00:00$'
	TZ=EAST-05:30 run_shmlog 0 tail -t '%t' "$LOG"
	assert_output --regexp '\+05:30$'
	TZ=WEST03:30 run_shmlog 0 tail -t '%t' "$LOG"
	assert_output --regexp '-03:30$'
}

@test "--seen adds a member to the envelope, which append reads back" {
	printf 'one\n\xff\n' | shmlog append --create 4K "$LOG"
	run_shmlog 0 tail -o json --seen "$LOG"
	assert_line --index 0 --regexp \
		'^\{"cursor":0,"next":7,"index":0,"size":3,"seen":"[^"]*","encoding":"utf8","payload":"one"\}$'
	shmlog tail -o json --seen "$LOG" | shmlog append -i envelope --create 4K "$SCRATCH/copy"
	cmp <(shmlog dump -o frames "$LOG") <(shmlog dump -o frames "$SCRATCH/copy")
	run_shmlog 0 tail -o json "$LOG"
	refute_output --partial seen
	run_shmlog 0 tail -n 1 -o json --seen --schema "$FIXTURES/schema.json" "$FIXTURES/bendec.shm"
	assert_output --regexp '"seen":"20.*"value":'
}

@test "a frame of a follow is seen when it comes" {
	local appended seen

	shmlog create -c 4K "$LOG"
	shmlog tail -f --count 2 --timeout 60s -t '%T\n' "$LOG" >"$SCRATCH/seen" 3>&- &
	shmlog append "$LOG" -m first
	wait_for 20 test -s "$SCRATCH/seen"
	sleep 1.1
	appended=$(date +%s)
	shmlog append "$LOG" -m second
	wait $!
	seen=$(tail -n 1 "$SCRATCH/seen")
	((${seen%.*} >= appended))
	((${seen%.*} > $(head -n 1 "$SCRATCH/seen" | cut -d. -f1)))
}

@test "dump and seek refuse times, and say why" {
	local template

	shmlog append --create 4K -m x "$LOG"
	for template in %t 'at %T'; do
		run_shmlog 2 dump -t "$template" "$LOG"
		assert_output ''
		assert_stderr --partial 'a log keeps no times'
		run_shmlog 2 seek -t "$template" "$LOG" start
		assert_stderr --partial 'a log keeps no times'
	done
	shmlog dump -t '%%t' "$LOG" | cmp - <(printf %%t)
	run_shmlog 2 tail --seen "$LOG"
	assert_stderr --partial -- '--seen goes with -o json'
	run_shmlog 2 tail --seen -t '%t' "$LOG"
}
