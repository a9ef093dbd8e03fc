#!/usr/bin/env bash
# Makes what the last runs of the bench found the new baseline, and their plot
# the one that the README shows.
set -eu

cd "$(dirname "$0")"
results=${BENCH_RESULTS:-../../build/bench}
baseline=${BASELINE:-baseline.json}
shopt -s nullglob
found=("$results"/{quick,full}.json)

if [ ${#found[@]} -eq 0 ]; then
	echo "renew: nothing in $results: run 'make bench' first" >&2
	exit 1
fi
[ -e "$baseline" ] || echo '{}' >"$baseline"
for result in "${found[@]}"; do
	jq --slurpfile old "$baseline" 'def short: . * 1000 | round / 1000;
		. as $new | $old[0] | .[$new.size] = {machine: $new.machine,
		rows: (.[$new.size].rows // {} + ($new.rows | map({key: .id, value:
			{ratio: (.ratio | short), low: (.low | short), high: (.high | short)}}) |
			from_entries))}' "$result" >"$baseline.new"
	mv "$baseline.new" "$baseline"
	echo "renewed: $baseline from $result"
done
[ ! -e "$results/scaling.svg" ] || cp "$results/scaling.svg" scaling.svg
