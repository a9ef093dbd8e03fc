# Commands whose time is their start: the last ten lines of a log of any size.
# shellcheck shell=bash source-path=SCRIPTDIR

BIG_LINE_BYTES=103

# One batch of hyperfine, which starts no shell; prints its median.
batch() { # RUNS WORD...
	local runs=$1

	shift
	hyperfine -N --style none --warmup 3 --runs "$runs" \
		--export-json "$scratch/batch.json" "$(printf '%q ' "$@")" \
		>/dev/null 2>"$scratch/batch.err" ||
		give_up "hyperfine: $(cat "$scratch/batch.err")"
	jq '.results[0].median' "$scratch/batch.json"
}

# Batches by turns, as hyperfine itself runs one command after the other.
start_row() { # ID WORK RIVAL GOAL LOG FILE
	local runs=40 ours=() theirs=() n

	[ "$SIZE" != small ] || runs=5
	say "$2 against $3: $rounds rounds of $runs starts"
	for ((n = 0; n < rounds; n++)); do
		ours+=("$(batch $runs "$shmlog" tail -n 10 "$5")") || exit 1
		theirs+=("$(batch $runs tail -n 10 "$6")") || exit 1
	done
	printf '%s\n' "${ours[@]}" "${theirs[@]}" | jq -s . |
		row "$1" "$2" "$3" time s "$4" \
			'{ours: .[:length / 2], theirs: .[length / 2:]}'
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

part_start() {
	local log=$scratch/short.shm text=$scratch/short big=$scratch/big

	if ! command -v hyperfine >/dev/null; then
		skip_row "tail -n 10" "GNU tail -n 10" "no hyperfine on this machine"
		return
	fi
	"$(program lines)" 1000 >"$text"
	"$shmlog" create -c 1M "$log" && "$shmlog" append "$log" <"$text" || give_up "no log"
	start_row tail-short "tail -n 10, 1000 lines" "GNU tail -n 10" 0.75 "$log" "$text"
	make_big_log
	# GNU tail reads the end and no more, so the rest may be a hole.
	truncate -s "${big_mib}M" "$big"
	"$(program lines)" 1000 $BIG_LINE_BYTES >>"$big"
	start_row tail-big "tail -n 10, $big_mib MiB" "GNU tail -n 10" 0.75 "$big_log" "$big"
	rm -f "$big"
}
