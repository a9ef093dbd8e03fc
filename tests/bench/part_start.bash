# Commands whose time is their start: the last ten lines of a log of any size.
# shellcheck shell=bash source-path=SCRIPTDIR

BIG_LINE_BYTES=103

# One batch of hyperfine, which starts no shell; its median is kept by NAME.
batch() { # NAME WORD...
	local name=$1 runs=40

	shift
	[ "$SIZE" != small ] || runs=5
	# GNU tail reads the locale, which is not C in a terminal.
	LC_ALL=C.UTF-8 hyperfine -N --style none --warmup 3 --runs $runs \
		--export-json "$scratch/batch.json" "$(printf '%q ' "$@")" \
		>/dev/null 2>"$scratch/batch.err" ||
		give_up "hyperfine: $(cat "$scratch/batch.err")"
	jq '.results[0].median' "$scratch/batch.json" >>"$scratch/start.$name"
}

# The third NAME is of a bare program that does the same work.
start_row() { # ID WORK RIVAL GOAL NAME NAME [NAME]
	jq -n --slurpfile ours "$scratch/start.$5" --slurpfile theirs "$scratch/start.$6" \
		--slurpfile bare "${7+$scratch/start.}${7-/dev/null}" \
		'{$ours, $theirs} + if $bare == [] then {} else {$bare} end' |
		row "$1" "$2" "$3" time s "$4" .
}

# The log that no part keeps to itself: big, in short frames.
make_big_log() {
	big_log=$scratch/big.shm
	[ ! -e "$big_log" ] || return 0
	local mib
	mib=$(fit "$big_mib" 2)
	big_mib=$mib
	local count=$((mib * 1048576 / (BIG_LINE_BYTES + 4)))

	say "making a log of $mib MiB"
	"$shmlog" create -c $((mib * 1048576 + 4096)) "$big_log" &&
		"$(program lines)" "$count" $BIG_LINE_BYTES | "$shmlog" append "$big_log" ||
		give_up "no log of $mib MiB"
}

# Batches by turns, as hyperfine itself runs one command after the other.
part_start() {
	local log=$scratch/short.shm text=$scratch/short big_text=$scratch/big round

	if ! command -v hyperfine >/dev/null; then
		skip_row "tail -n 10" "GNU tail -n 10" "no hyperfine on this machine"
		return
	fi
	"$(program lines)" 1000 >"$text"
	"$shmlog" create -c 1M "$log" && "$shmlog" append "$log" <"$text" || give_up "no log"
	make_big_log
	# GNU tail reads the end and no more, so the rest may be a hole.
	truncate -s "${big_mib}M" "$big_text"
	"$(program lines)" 1000 $BIG_LINE_BYTES >>"$big_text"

	say "tail -n 10 against GNU tail: $rounds rounds of 40 starts"
	for ((round = 0; round < rounds; round++)); do
		batch short "$shmlog" tail -n 10 "$log"
		batch short_gnu tail -n 10 "$text"
		batch short_bare "$(program bare_tail)" "$log" 10
		batch big "$shmlog" tail -n 10 "$big_log"
		batch big_gnu tail -n 10 "$big_text"
		batch big_bare "$(program bare_tail)" "$big_log" 10
	done
	start_row tail-short "tail -n 10, 1000 lines" "GNU tail -n 10" 0.85 short short_gnu \
		short_bare
	start_row tail-big "tail -n 10, $big_mib MiB" "GNU tail -n 10" 0.85 big big_gnu \
		big_bare
	start_row tail-same "tail -n 10, $big_mib MiB" "tail -n 10, 1000 lines" 1.1 big short
	rm -f "$big_text"
}
