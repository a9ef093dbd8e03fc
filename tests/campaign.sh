#!/usr/bin/env bash
# Runs each campaign of a folder, one after the other: campaign.sh FOLDER.
# SIZE (small, full) says how much each does; each ends in a verdict.
set -u

cd "$(dirname "$0")/.." || exit 1
shopt -s nullglob
scripts=("$1"/*.sh)

if [ ${#scripts[@]} -eq 0 ]; then
	echo "nothing to run: no script in $1"
	exit 0
fi

failed=()
for script in "${scripts[@]}"; do
	echo "== $script (SIZE=${SIZE:-full})"
	"$script" || failed+=("$script")
done
if [ ${#failed[@]} -gt 0 ]; then
	echo "failed: ${failed[*]}"
	exit 1
fi
