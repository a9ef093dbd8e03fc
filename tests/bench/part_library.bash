# Writing and reading through the library, events of 64 bytes.
# shellcheck shell=bash source-path=SCRIPTDIR

# The Node package: SHMIO names it, or node finds it.
find_package() {
	package=${SHMIO:-shmio}
	[ ! -e "$package" ] || package=$(absolute "$package")
	command -v node >/dev/null && node "$bench/package.js" "$package" 2>/dev/null
}

# Against the package as many events as it does in half a second.
node_rows() {
	local log=$scratch/node.shm bytes=$((node_events * 68 + 65536)) n=$node_events
	local rounds=$slow_rounds js=(node "$bench/package.js" "$package")
	local lib
	lib=$(program library)

	race_row library-write-fresh-node "library write 64 B, commit each, fresh log" \
		"the Node package" speed 25 --self --sparse "$log" "$bytes" \
		"$lib" write "$log" "$n" 64 -- "${js[@]}" write "$log" "$n" 64
	race_row library-write-node "library write 64 B, pre-faulted" \
		"the Node package" speed 300 --self --touched "$log" "$bytes" \
		"$lib" write "$log" "$n" 64 faulted -- "${js[@]}" write "$log" "$n" 64
	written_log "$log" "$n"
	race_row library-read-node "library read 64 B" "the Node package" speed 150 \
		--self "$lib" read "$log" "$n" 64 faulted -- "${js[@]}" read "$log" "$n" 64
	rm -f "$log"
}

written_log() { # LOG EVENTS
	rm -f "$1"
	"$shmlog" create -c $(($2 * 68 + 65536)) "$1" &&
		"$(program library)" write "$1" "$2" 64 >/dev/null || give_up "no log"
}

loop_rows() {
	local log=$scratch/loop.shm bytes=$((events * 68 + 65536)) n=$events
	local lib
	lib=$(program library)

	race_row library-write-fresh-loop "library write 64 B, commit each, fresh log" \
		"an inlined C loop" speed null --self --sparse "$log" "$bytes" \
		"$lib" write "$log" "$n" 64 -- "$lib" write-loop "$log" "$n" 64
	race_row library-write-loop "library write 64 B, pre-faulted" \
		"an inlined C loop" speed 0.9 --self --touched "$log" "$bytes" \
		"$lib" write "$log" "$n" 64 faulted -- \
		"$lib" write-loop "$log" "$n" 64 faulted
	race_row library-write-batches-loop "library write 64 B, pre-faulted, 64 a commit" \
		"an inlined C loop" speed null --self --touched "$log" "$bytes" \
		"$lib" write-batches "$log" "$n" 64 faulted -- \
		"$lib" write-batches-loop "$log" "$n" 64 faulted
	race_row library-write-calls-loop "library write 64 B, pre-faulted, by calls" \
		"an inlined C loop" speed null --self --touched "$log" "$bytes" \
		"$lib" write-calls "$log" "$n" 64 faulted -- \
		"$lib" write-loop "$log" "$n" 64 faulted
	written_log "$log" "$n"
	race_row library-read-loop "library read 64 B" "an inlined C loop" speed null \
		--self "$lib" read "$log" "$n" 64 faulted -- \
		"$lib" read-loop "$log" "$n" 64 faulted
	race_row library-read-batches-loop "library read 64 B, in batches" \
		"an inlined C loop" speed null \
		--self "$lib" read-batches "$log" "$n" 64 faulted -- \
		"$lib" read-loop "$log" "$n" 64 faulted
	race_row library-read-calls-loop "library read 64 B, a call each" \
		"an inlined C loop" speed null \
		--self "$lib" read-calls "$log" "$n" 64 faulted -- \
		"$lib" read-loop "$log" "$n" 64 faulted
	rm -f "$log"
}

part_library() {
	if find_package; then
		node_rows
	else
		local why="node does not find shmio, and SHMIO does not name it"
		skip_row "library write 64 B, fresh log" "the Node package" "$why"
		skip_row "library write 64 B, pre-faulted" "the Node package" "$why"
		skip_row "library read 64 B" "the Node package" "$why"
	fi
	loop_rows
}
