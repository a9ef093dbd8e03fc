# Filters against jq and grep: the same frames for random expressions and
# patterns.  SIZE=full compares 40 times as many; SEED is where they begin.
load ../cli/helper

setup() {
	need jq
	scratch_make
	CASES=$BUILD/tests/interop/filter_cases
	SEED=${SEED:-1}
	ROUNDS=1
	[[ ${SIZE:-small} != full ]] || ROUNDS=40
}

# Prints "EXPRESSION DOCUMENT" for each pair that jq keeps: numbers from 0.
# Every expression is in one program, so that jq starts once.
jq_keeps() { # EXPRESSIONS DOCUMENTS
	local program='' expression

	while IFS= read -r expression; do
		program+="${program:+,}([(($expression)?)] | length > 0 and (.[0] | not | not))"
	done <"$1"
	printf '%s' "[$program]" >"$SCRATCH/program.jq"
	jq -c -f "$SCRATCH/program.jq" "$2" | awk -F'[][,]' '{
		for (i = 2; i < NF; i++)
			if ($i == "true")
				print i - 2, NR - 1
	}' | sort -n -k1,1 -k2,2
}

shmlog_keeps() { # EXPRESSIONS LOG
	local expression status number=0

	while IFS= read -r expression; do
		shmlog dump --where "$expression" -t "$number %i\n" "$2" &&
			status=0 || status=$?
		[[ $status -eq 0 || $status -eq 10 ]] ||
			echo "status $status: $expression"
		number=$((number + 1))
	done <"$1"
}

# Shows the first pair that is in one list alone.
show_difference() {
	local number document

	read -r number document < <(diff "$SCRATCH/wanted" "$SCRATCH/kept" |
		sed -n 's/^[<>] //p')
	diff "$SCRATCH/wanted" "$SCRATCH/kept" | head -n 3
	[[ $number =~ ^[0-9]+$ ]] || return 0
	sed -n "$((number + 1))p" "$SCRATCH/expressions"
	sed -n "$((document + 1))p" "$SCRATCH/documents"
}

@test "--where keeps the frames that jq keeps, for random pairs" {
	local round

	for ((round = 0; round < ROUNDS; round++)); do
		"$CASES" expressions $((SEED + round)) 60 >"$SCRATCH/expressions"
		"$CASES" documents $((SEED + round + 1000)) 40 >"$SCRATCH/documents"
		rm -f "$LOG"
		shmlog append --create 1M "$LOG" "$SCRATCH/documents"
		jq_keeps "$SCRATCH/expressions" "$SCRATCH/documents" >"$SCRATCH/wanted"
		shmlog_keeps "$SCRATCH/expressions" "$LOG" >"$SCRATCH/kept"
		[[ -s $SCRATCH/wanted ]]
		cmp -s "$SCRATCH/wanted" "$SCRATCH/kept" ||
			fail "seed $((SEED + round)): $(show_difference)"
	done
}

@test "whatever function jq has, --where takes it or names the pipeline" {
	local name

	shmlog create -c 4K "$LOG"
	while IFS= read -r name; do
		run --separate-stderr shmlog dump --where "${name%/*}" "$LOG"
		[[ $status -eq 10 || $stderr == *'; jq does it: '* ]] ||
			fail "$name: status $status: $stderr"
	done < <(jq -nr 'builtins[] | select(startswith("_") | not)')
}

@test "--grep keeps the frames that grep -P keeps, for random pairs" {
	local round pattern other

	echo a | grep -qP a || skip 'this grep has no -P'
	for ((round = 0; round < ROUNDS; round++)); do
		"$CASES" lines $((SEED + round + 2000)) 200 >"$SCRATCH/lines"
		rm -f "$LOG"
		shmlog append --create 1M "$LOG" "$SCRATCH/lines"
		while IFS= read -r pattern; do
			# What grep does not compile says nothing.
			LC_ALL=C grep -aP -e "$pattern" "$SCRATCH/lines" \
				>"$SCRATCH/wanted" 2>/dev/null || [[ $? -eq 1 ]] || continue
			shmlog dump --grep "$pattern" "$LOG" >"$SCRATCH/kept" ||
				[[ $? -eq 10 ]] || fail "not taken: $pattern"
			cmp -s "$SCRATCH/wanted" "$SCRATCH/kept" ||
				fail "$pattern: $(diff "$SCRATCH/wanted" "$SCRATCH/kept")"
			LC_ALL=C grep -aviP -e "$pattern" "$SCRATCH/lines" \
				>"$SCRATCH/wanted" || true
			shmlog dump -i --not-grep "$pattern" "$LOG" \
				>"$SCRATCH/kept" || true
			cmp -s "$SCRATCH/wanted" "$SCRATCH/kept" ||
				fail "not $pattern: $(diff "$SCRATCH/wanted" "$SCRATCH/kept")"
			# Two patterns are one or the other.
			other=${pattern_before:-x+}
			LC_ALL=C grep -aP -e "(?:$pattern)|(?:$other)" "$SCRATCH/lines" \
				>"$SCRATCH/wanted" || true
			shmlog dump --grep "$pattern" --grep "$other" "$LOG" \
				>"$SCRATCH/kept" || true
			cmp -s "$SCRATCH/wanted" "$SCRATCH/kept" ||
				fail "$pattern or $other: $(diff "$SCRATCH/wanted" "$SCRATCH/kept")"
			pattern_before=$pattern
		done < <("$CASES" patterns $((SEED + round)) 60)
	done
}
