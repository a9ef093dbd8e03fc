# A command sees one end of its log, however fast the log grows meanwhile.
load helper

# Compiles a shim that commits 1000 frames before each look at the header, and
# makes a log of 50 frames with room for many looks.
setup() {
	scratch_make
	skip_if_sanitized 'a sanitizer does not let a shim be loaded before it'
	"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -fPIC -shared -o "$SCRATCH/grow.so" \
		"$ROOT/tests/fault/shim/grow_log.c" -ldl 2>/dev/null &&
		LD_PRELOAD=$SCRATCH/grow.so shmlog --version >/dev/null 2>&1 ||
		skip 'calls cannot be replaced on this system'
	seq 101 150 | shmlog append --create 1M "$SCRATCH/fifty"
}

# Runs shmlog on a fresh copy of the log of 50 frames, which grows.
run_growing() { # STATUS ARGUMENT...
	cp "$SCRATCH/fifty" "$LOG"
	export GROW_LOG=$LOG GROW_FRAMES=1000
	LD_PRELOAD=$SCRATCH/grow.so run_shmlog "$@"
	unset GROW_LOG GROW_FRAMES
	# The shim was at work: the log is longer than it was.
	[[ $(u64_at "$LOG" 16) -gt $(u64_at "$SCRATCH/fifty" 16) ]] ||
		fail 'the log did not grow'
}

# The lines of $output, each "CURSOR NEXT", are so many frames without a gap.
assert_contiguous() { # COUNT
	assert_equal "${#lines[@]}" "$1"
	awk 'NR > 1 && $1 != next_ { exit 1 } { next_ = $2 }' <<<"$output" ||
		fail "a gap in: $output"
}

@test "the last frames of a log that grows are as many as were asked for" {
	local from

	for from in -10 frame:-10; do
		run_growing 0 dump --from "$from" -t '%c %x\n' "$LOG"
		assert_contiguous 10
		assert_stderr ''
		run_growing 0 tail --from "$from" -t '%c %x\n' "$LOG"
		assert_contiguous 10
	done
	run_growing 0 tail -n 10 -t '%c %x\n' "$LOG"
	assert_contiguous 10
	run_growing 0 tail -n +41 -t '%c %x\n' "$LOG"
	assert_contiguous ${#lines[@]}
	assert_equal $((${#lines[@]} % 1000)) 10
}

@test "both limits of a range are counted from the same end" {
	run_growing 0 dump --from -20 --to -10 -t '%c %x\n' "$LOG"
	assert_contiguous 10
	run_growing 0 dump --from -1 --to end -t '%c %x\n' "$LOG"
	assert_contiguous 1
	run_growing 0 dump --from -20 --to frame:-15 -n 3 -t '%c %x\n' "$LOG"
	assert_contiguous 3
	# From -50 to -60 there is nothing, however late -60 is looked for.
	run_growing 0 dump --from -50 --to -60 "$LOG"
	assert_output ''
	assert_stderr ''
}

@test "forwards and backwards a range has the same frames" {
	local from to forwards

	for from in start frame:20 -20 140 offset:24; do
		for to in end -3 frame:40 343 offset:367; do
			run_growing 0 dump --from "$from" --to "$to" -t '%c %x\n' "$LOG"
			forwards=$output
			run_growing 0 dump -r --from "$from" --to "$to" -t '%c %x\n' "$LOG"
			[[ $(tac <<<"$output") == "$forwards" ]] ||
				fail "--from $from --to $to: $forwards, backwards $output"
		done
	done
	run_growing 0 dump -r -t '%c %x\n' "$LOG"
	assert_regex "${lines[-1]}" '^0 7$'
}

@test "all positions of one seek are places of one log" {
	local end

	run_growing 0 seek "$LOG" -- end -1 end frame:-1 -2 end -0
	end=${lines[0]}
	assert_output "$(printf '%s\n' "$end" $((end - 7)) "$end" $((end - 7)) \
		$((end - 14)) "$end" "$end")"
	run_growing 1 seek -o text "$LOG" end
	assert_output ''
	assert_stderr --partial 'no frame at end: it is the end of the log'
	run_growing 1 seek -o text "$LOG" -- -1 end
	assert_output new
	# What is beyond the end stays beyond it while its neighbours are looked
	# up, and they are those of the end.
	run_growing 1 seek "$LOG" -- end 100000 -100000
	end=${lines[0]}
	assert_regex "${stderr_lines[0]}" \
		"cursor 100000, beyond the end; the nearest are $((end - 7)) and $end, the end"
	assert_regex "${stderr_lines[1]}" "the log has $((end / 7)) frames"
}

@test "a follow begins on one end and goes on with what was committed since" {
	run_growing 0 tail -f -n 10 --count 2000 --timeout 20s -t '%c %x\n' "$LOG"
	assert_contiguous 2000
	run_growing 0 tail -f --from -10 --count 2000 --timeout 20s -t '%c %x\n' "$LOG"
	assert_contiguous 2000
}

@test "a cursor file goes on from its cursor to one end" {
	local first

	run_growing 0 tail --cursor-file "$SCRATCH/cursor" -n 5 -t '%c %x\n' "$LOG"
	assert_contiguous 5
	first=${lines[4]#* }
	export GROW_LOG=$LOG GROW_FRAMES=1000
	LD_PRELOAD=$SCRATCH/grow.so run_shmlog 0 tail \
		--cursor-file "$SCRATCH/cursor" -t '%c %x\n' "$LOG"
	assert_regex "${lines[0]}" "^$first "
	assert_equal "$((${#lines[@]} % 1000))" 0
}
