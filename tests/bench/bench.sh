#!/usr/bin/env bash
# Speed against the usual tools: bench.sh [-o json]
#
# Prints a table of ratios, or the same as JSON; the JSON is also left in
# build/bench/SIZE.json.  ONLY="PART..." does these parts alone and leaves
# SIZE.part.json.  Ends with status 1 if a row that has a goal got worse than in
# the baseline of this machine.
. "$(dirname "$0")/common.bash"
parts='library bulk disk find start follow dispatch relay memory scaling'
for part in $parts; do
	# shellcheck disable=SC1090 # they stand beside this file
	. "$bench/part_$part.bash"
done

BASELINE=${BASELINE:-$bench/baseline.json}

case "${*:-}" in
'' | '-o json') ;;
*) echo "usage: bench.sh [-o json]" >&2 && exit 2 ;;
esac

for tool in jq tail cat wc; do
	command -v $tool >/dev/null || give_up "there is no $tool on this machine"
done

processor() {
	sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1 |
		grep . || sysctl -n machdep.cpu.brand_string 2>/dev/null || uname -m
}

machine() {
	jq -nc --arg cpu "$(processor)" --arg kernel "$(uname -sr)" \
		--argjson cores "$(getconf _NPROCESSORS_ONLN)" \
		--arg fs "$(stat -f -c %T "$scratch" 2>/dev/null || echo 'unknown file system')" \
		'{cpu: $cpu, cores: $cores, kernel: $kernel, fs: $fs}'
}

report() {
	local baseline=null tolerance

	case $SIZE in
	full | huge) tolerance=1.25 ;;
	*) tolerance=1.5 ;;
	esac
	[ ! -e "$BASELINE" ] ||
		baseline=$(jq -c --arg size "$SIZE" '.[$size]' "$BASELINE") ||
		give_up "$BASELINE is no baseline"
	cat "$rows" "$scaling" | jq -s -f "$bench/report.jq" --arg size "$SIZE" \
		--argjson tolerance $tolerance --argjson machine "$(machine)" --argjson baseline "$baseline" \
		--argjson seconds $((SECONDS - began)) \
		--argjson not_run "$(jq -R . "$not_run" | jq -sc .)" |
		jq --argjson frame_bytes $((frame_mib << 20)) --argjson events "$readers_events" \
			'. + {frame_bytes: $frame_bytes, readers_events: $events}'
}

# Columns for gnuplot, and the plot if there is one.
plot() {
	local part

	jq -e 'any(.scaling[]; .part == "size")' "$result" >/dev/null || return 0
	for part in size frame readers; do
		jq -r --arg part $part '. as {$frame_bytes, $readers_events} |
			.scaling | map(select(.part == $part)) | group_by(.x)[] |
			[.[0].x, (.[] | .seconds), (map(.peak_mib) | max),
			if $part == "frame" then $frame_bytes else $readers_events end] | @tsv' \
			"$result" >"$results/$part.tsv"
	done
	if ! command -v gnuplot >/dev/null; then
		say "no gnuplot on this machine, so no plot"
		return 0
	fi
	(cd "$results" && gnuplot "$OLDPWD/$bench/scaling.gnuplot") &&
		say "the plot is in $results/scaling.svg"
}

for part in ${ONLY:-$parts}; do
	"part_$part"
done
result=$results/$SIZE${ONLY:+.part}.json
report >"$scratch/report.json" && mv "$scratch/report.json" "$result" ||
	give_up "no report"
plot
if [ "${1:-}" = -o ]; then
	cat "$result"
else
	jq -r --arg view all -f "$bench/table.jq" "$result"
fi
! jq -e '.baseline.same_machine and any(.rows[]; .goal and .moved == "worse")' "$result" >/dev/null
