#!/usr/bin/env bash
# Makes what the last whole runs of the bench found the new baseline, and puts
# the tables and the plot of the full one into the README.
set -eu

here=$(dirname "$0")
results=${BENCH_RESULTS:-$here/../../build/bench}
BASELINE=${BASELINE:-$here/baseline.json}
README=${README:-$here/../../README.md}
found=()
for size in quick full; do
	[ ! -e "$results/$size.json" ] || found+=("$results/$size.json")
done

if [ ${#found[@]} -eq 0 ]; then
	echo "renew: nothing in $results: run 'make bench' first" >&2
	exit 1
fi
[ -e "$BASELINE" ] || echo '{}' >"$BASELINE"
for result in "${found[@]}"; do
	jq --slurpfile new "$result" 'def short: . * 1000 | round / 1000;
		.[$new[0].size] = ($new[0] | {machine, rows: (.rows |
			map({key: .id, value: ({ratio, low, high} | map_values(short))}) |
			from_entries)})' "$BASELINE" >"$results/baseline.json"
	cat "$results/baseline.json" >"$BASELINE"
	echo "renewed: $BASELINE from $result"
done

# The tables stand between two marks.
if [ -e "$results/full.json" ]; then
	jq -r --arg view readme -f "$here/table.jq" "$results/full.json" >"$results/tables.md"
	awk -v tables="$results/tables.md" '
		/^<!-- end of the tables/ { inside = 0 }
		!inside { print }
		/^<!-- tables by make bench-renew/ {
			inside = 1
			print ""
			while ((getline line <tables) > 0)
				print line
		}' "$README" >"$results/README.md"
	cat "$results/README.md" >"$README"
	echo "renewed: the tables in $README"
	[ ! -e "$results/scaling.svg" ] ||
		cp "$results/scaling.svg" "$(dirname "$BASELINE")/scaling.svg"
fi
