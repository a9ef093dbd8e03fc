# What the bench found, as one object: medians and ratios of the rows, what
# moved against the baseline, the points of the part on scaling.
# In: rows and points, one a line, told apart by "part".
# $machine, $size, $tolerance, $not_run, $seconds, $baseline (null if there is none).

def median: sort | (.[(length - 1) / 2 | floor] + .[length / 2 | floor]) / 2;

# A ratio for each round: what one disturbs, it disturbs on both sides.
def ratios:
	if .of == "speed" then [.ours, .theirs] | transpose | map(.[1] / .[0])
	elif .of == "time" then [.ours, .theirs] | transpose | map(.[0] / .[1])
	else .ours end;

def better($than): if .of == "speed" or .of == "rate" then .ratio >= $than else .ratio <= $than end;

# A command takes no longer than this many times what the bare program takes.
def bare_goal: 1.05;

# The range of the rounds; of five or more without the lowest and the highest,
# which are whatever else the machine did.
def range_of: sort | if length < 5 then . else .[1:-1] end;

# Beyond the noise: the ranges of the rounds do not overlap, and the medians
# are further apart than one run and the next are on a machine that has other
# things to do, by a factor of $tolerance.
def moved($old):
	if $old == null then null
	elif (.low > $old.high or .high < $old.low) and
		([.ratio, $old.ratio] | max > min * $tolerance)
	then if better($old.ratio) then "better" else "worse" end
	else "no" end;

def row:
	ratios as $all | ($all | range_of) as $range |
	{id, work, rival, of, unit, ours: (.ours | median),
	 theirs: (if .theirs then .theirs | median else null end),
	 rounds: ($all | length), ratio: ($all | median),
	 low: $range[0], high: $range[-1], goal, all: $all} +
	(if .bare then {bare: (.bare | median), bare_goal: bare_goal,
		bare_ratio: ([.ours, .bare] | transpose | map(.[0] / .[1]) | median)}
	 else {bare: null, bare_goal: null, bare_ratio: null} end) |
	.bare_met = (if .bare then .bare_ratio <= bare_goal else null end) |
	.met = (if .goal == null then null else better(.goal) end) |
	.baseline = ($baseline.rows[.id].ratio // null) |
	.moved = moved($baseline.rows[.id]);

map(select(has("part") | not) | row) as $rows |
map(select(has("part")) | .seconds |= median) as $points |
{size: $size, machine: $machine, seconds: $seconds, rows: $rows,
 not_run: $not_run, scaling: $points,
 baseline: (if $baseline then {machine: $baseline.machine,
	same_machine: ($baseline.machine == $machine)} else null end)}
