# The golden logs, written by the Node package, against their manifest.
load helper

# Cursor, next cursor, index and size of every frame, by the manifest.
expected_frames() { # FILE
	manifest "$1" '.frames | to_entries[] | "\(.value.cursor) \(.value.cursor +
		.value.payloadBytes + 4) \(.key) \(.value.payloadBytes)"'
}

# The same by envelopes on stdin.
envelope_frames() {
	jq -r '"\(.cursor) \(.next) \(.index) \(.size)"'
}

# The SHA-256 of each envelope's payload, decoded by other tools.
envelope_hashes() {
	local payload sum

	jq -r 'if .encoding == "base64" then .payload
		else .payload | @base64 end' | while IFS= read -r payload; do
		sum=$(base64 -d <<<"$payload" | sha256sum)
		printf '%s\n' "${sum%% *}"
	done
}

# Everything about a sound golden file.
check_golden() { # FILE
	local path=$FIXTURES/$1 sum count end

	read -r sum count end <<<"$(manifest "$1" \
		'"\(.sha256) \(.frameCount) \(.iteratorEndCursor)"')"
	assert_equal "$(sha256_of "$path")" "$sum"
	shmlog dump -o json "$path" >"$SCRATCH/json" 2>"$SCRATCH/stderr"
	assert_equal "$(<"$SCRATCH/stderr")" ''
	assert_equal "$(wc -l <"$SCRATCH/json")" "$count"
	assert_equal "$(envelope_frames <"$SCRATCH/json")" "$(expected_frames "$1")"
	assert_equal "$(envelope_hashes <"$SCRATCH/json")" \
		"$(manifest "$1" '.frames[].sha256')"
	assert_equal "$(end_of "$path")" "$end"

	# The other readers agree with dump.
	shmlog tail -n +1 -o json "$path" | cmp - "$SCRATCH/json"
	shmlog dump -r -t '%c %s\n' "$path" | tac >"$SCRATCH/reversed"
	shmlog dump -t '%c %s\n' "$path" | cmp - "$SCRATCH/reversed"
	shmlog dump -o frames "$path" | cmp - <(tail -c +25 "$path" |
		head -c "$end")
	assert_equal "$(sha256_of "$path")" "$sum"
}

@test "every golden log of the manifest is there and has a test" {
	local file

	for file in $(jq -r '.[].file' "$FIXTURES/manifest.json"); do
		assert_file_exist "$FIXTURES/$file"
		grep -q "^@test .*$file" "$BATS_TEST_FILENAME" || fail "no test of $file"
	done
}

@test "empty.shm has no frames" {
	check_golden empty.shm
	run_shmlog 0 dump "$FIXTURES/empty.shm"
	assert_output ''
	assert_stderr ''
	run_shmlog 0 tail "$FIXTURES/empty.shm"
	assert_output ''
	assert_stderr ''
}

@test "json.shm gives the manifest's frames" {
	check_golden json.shm
	shmlog dump "$FIXTURES/json.shm" | jq -e . >/dev/null
}

@test "binary.shm gives the manifest's frames" {
	check_golden binary.shm
}

@test "full.shm gives the manifest's frames" {
	check_golden full.shm
}

@test "odd-capacity.shm gives the manifest's frames" {
	check_golden odd-capacity.shm
}

@test "bendec.shm gives the manifest's frames" {
	check_golden bendec.shm
}

@test "uncommitted.shm gives five frames and none of those never committed" {
	check_golden uncommitted.shm
	run_shmlog 0 dump "$FIXTURES/uncommitted.shm"
	assert_equal "${#lines[@]}" 5
	refute_output --partial uncommitted
	assert_stderr ''
	run_shmlog 0 tail -n 1 "$FIXTURES/uncommitted.shm"
	assert_output committed-4
}

@test "oversize-wrap.shm gives the good frame, then suspects a wrapped size" {
	local path=$FIXTURES/oversize-wrap.shm sum

	shmlog dump -n 1 -o raw "$path" >"$SCRATCH/good"
	sum=$(sha256_of "$SCRATCH/good")
	assert_equal "$sum" "$(manifest oversize-wrap.shm '.frames[0].sha256')"

	run_shmlog 1 dump -t '%c %x %i %s %p\n' "$path"
	assert_output "0 8 0 4 $(<"$SCRATCH/good")"
	assert_stderr --regexp 'damaged frame at cursor 8:.* 4468.* 16705.*payload of 70000 bytes whose size wrapped'
	assert_equal "${#stderr_lines[@]}" 1

	run_shmlog 1 dump -o json "$path"
	assert_equal "${#lines[@]}" 2
	assert_equal "$(jq -c '[.cursor, .next, .size]' <<<"${lines[0]}")" '[0,8,4]'
	assert_equal "$(jq -c '[.event, .cursor, .error]' <<<"${lines[1]}")" \
		'["damage",8,"ERR_SHM_FRAME_CORRUPT"]'
	assert_equal "$(jq '.reason | contains("70000")' <<<"${lines[1]}")" true

	run_shmlog 1 tail -n 3 "$path"
	assert_output "$(<"$SCRATCH/good")"
	assert_stderr --partial 'cursor 8'
	assert_equal "$(sha256_of "$path")" "$(manifest oversize-wrap.shm .sha256)"
}
