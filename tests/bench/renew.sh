#!/usr/bin/env bash
# Makes what the last runs of the bench found the new baseline, and puts their
# tables and plot into the README.
set -eu

cd "$(dirname "$0")"
results=${BENCH_RESULTS:-../../build/bench}
baseline=${BASELINE:-baseline.json}
readme=../../README.md
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

# The tables stand between two marks.
if [ -e "$results/full.json" ] && [ -z "${BASELINE:-}" ]; then
	jq -r --arg view readme -f table.jq "$results/full.json" >"$results/readme.md"
	awk -v tables="$results/readme.md" '
		/^<!-- end of the tables/ { inside = 0 }
		!inside { print }
		/^<!-- tables by make bench-renew/ {
			inside = 1
			print ""
			while ((getline line <tables) > 0)
				print line
		}' "$readme" >"$results/README.md"
	cat "$results/README.md" >"$readme"
	cp "$results/scaling.svg" scaling.svg
	echo "renewed: the README's tables and its plot"
fi
