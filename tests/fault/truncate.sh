#!/usr/bin/env bash
# A log is cut, cut and regrown, or replaced while each command works on it:
# never death by a signal, the right status, no frame that was not there.
# N: times; the full number meets every page boundary with every command.
# ONLY: the name of one command, such as "append bulk".
. "$(dirname "$0")/common.bash"

sizes 660 34056
need truncate

# Two moments that chance hardly meets: behind the look at the length and before
# the write, which makes the file longer again; and before the store to `size`,
# whose page is gone then.
cut_at_the_write() { # enter|exit LENGTH
	local log=$scratch/slow status

	strace -o /dev/null -e trace=pwrite64 true 2>/dev/null || {
		echo "truncate: SKIPPED a cut right before the write: no strace here"
		return
	}
	rm -f "$log" "$scratch/trace"
	"$shmlog" create "$log" -c 1M && seq 20000 | "$shmlog" append "$log" || exit 1
	strace -o "$scratch/trace" -e trace=pwrite64 \
		-e inject="pwrite64:delay_$1=1000000" \
		"$shmlog" append --ack "$log" -m lost >"$scratch/acks" 2>"$scratch/err" &
	until grep -q pwrite64 "$scratch/trace" 2>/dev/null; do
		sleep 0.02
		kill -0 $! 2>/dev/null || break
	done
	truncate -s "$2" "$log"
	wait $!
	status=$?
	if [ $status -ne 5 ] || [ -s "$scratch/acks" ]; then
		echo "truncate: FAIL: append wrote into a log that was cut to $2 bytes meanwhile: status $status, not 5: $(cat "$scratch/acks" "$scratch/err")"
		exit 1
	fi
}

cut_at_the_write enter 8192
cut_at_the_write exit 0
run truncate "$shmlog" "$scratch" "$N"
