# The report as tables for people, in Markdown.  $view: all of it, or only
# what the README shows (readme).

def pad($width): . + " " * ([$width - length, 0] | max);

# Rows of cells, the first of them the heading, with columns of equal width.
def table:
	map(map(gsub("\\|"; "\\|"))) | . as $rows | ([range($rows[0] | length) as $i | [$rows[][$i] | length] | max]) as $widths |
	def line: "| " + ([., $widths] | transpose | map(.[0] as $text | .[1] as $width | $text | pad($width)) | join(" | ")) + " |";
	($rows[0] | line), "|" + ($widths | map("-" * (. + 2)) | join("|")) + "|", ($rows[1:][] | line);

def digits($n): if . == null then "" elif . == 0 then "0"
	else (. as $v | pow(10; $n - 1 - ($v | fabs | log10 | floor)) as $scale |
		($v * $scale | round) / $scale | tostring) end;

def amount($unit): if . == null then ""
	elif $unit == "s" then
		if . < 0.001 then (. * 1e6 | digits(3)) + " us"
		elif . < 1 then (. * 1e3 | digits(3)) + " ms"
		else digits(3) + " s" end
	else digits(3) + " " + $unit end;

def alone: .of == "value" or .of == "rate";
def ratio: if alone then "" else (.ratio | digits(3)) + "x" end;
def spread: "\(.low | digits(3)) to \(.high | digits(3))";
def goal: if .goal == null then ""
	else (if .of == "speed" or .of == "rate" then ">= " else "<= " end) + (.goal | tostring) +
		(if alone then " " + .unit else "x" end) end;
def verdict: if . == null then "" elif . then "pass" else "MISS" end;
# Against the bare program of the same work.
def bare_ratio: if .bare then (.bare_ratio | digits(3)) + "x" else "" end;
def bare_goal: if .bare then "<= \(.bare_goal)x" else "" end;
def change: if .moved == null then "new" elif .moved == "no" then "" else
	"\(.moved | ascii_upcase), was \(.baseline | digits(3))" end;

# The README: what has a goal, and of memory the one row that covers all.
def shown: .goal != null and (.unit != "MiB" or .id == "growth-memory");
def summary: [["work", "against", "ratio", "goal", "", "time of bare", "goal", ""],
	(.rows[] | select(shown) | [.work, .rival,
		(if alone then (.unit as $u | .ours | amount($u)) else ratio end),
		goal, (.met | verdict), bare_ratio, bare_goal, (.bare_met | verdict)])] | table;

def results: [["work", "against", "ours", "theirs", "bare", "ratio", "range", "goal", "",
		"time of bare", "goal", "", "moved"],
	(.rows[] | .unit as $unit | [.work, .rival, (.ours, .theirs, .bare | amount($unit)),
		ratio, spread, goal, (.met | verdict),
		bare_ratio, bare_goal, (.bare_met | verdict), change])] | table;

def bytes: if . >= 1073741824 then "\(. / 1073741824) GiB"
	elif . >= 1048576 then "\(. / 1048576) MiB" else "\(.) B" end;

# One line for each x: speed of each work and the highest of the peaks.
def grown($part; $heading; $total): . as $all |
	["append", "dump", "verify"] as $works |
	[[$heading, ($works[] | . + ", GB/s"), "tail -n 10", "peak memory"],
	(map(select(.part == $part)) | group_by(.x)[] |
		[(.[0].x | bytes),
		(. as $here | $works[] as $work | $here[] | select(.work == $work) |
			($total // .x) / .seconds / 1e9 | digits(3)),
		(.[] | select(.work == "tail -n 10") | .seconds | amount("s")),
		(map(.peak_mib) | max | amount("MiB"))])] | table;

def readers($events): map(select(.part == "readers")) as $points |
	[["readers beside a writer", "writer's processor time a frame", "against none"],
	($points[] | [(.x | tostring), (.seconds / $events * 1e9 | amount("ns")),
		((.seconds / $points[0].seconds | digits(3)) + "x")])] | table;

# What a crowd costs: the part has a follower's memory and idle time, too.
def crowd($part; $heading): map(select(.part == $part)) |
	def of($x; $work): map(select(.x == $x and .work == $work))[0];
	[[$heading, "append", "line", "start", "idle", "memory of all"],
	(. as $points | map(.x) | unique[] as $x | $points |
		[($x | tostring), (("append", "line", "start") as $work | of($x; $work).seconds | amount("s")),
		(of($x; "idle").seconds * 100 | digits(2)) + " %",
		(of($x; "idle").peak_mib | amount("MiB"))])] | table;

def writers: map(select(.part == "writers")) |
	[["writers", "one log", "a log each"],
	(. as $points | map(.x) | unique[] as $x | [($x | tostring),
		($points[] | select(.x == $x) | .seconds | amount("s"))])] | table;

def growth: . as {$frame_bytes, $readers_events} | .scaling | if any(.part == "size") then
	grown("size"; "log"; null), "",
	grown("frame"; "payload"; $frame_bytes), "",
	readers($readers_events), "",
	writers, "",
	crowd("followers"; "followers of a log"), "",
	crowd("logs"; "logs of a follower"), "" else empty end;

def machine: "\(.machine.cpu), \(.machine.cores) cores, \(.machine.kernel), \(.machine.fs)";

if $view == "readme" then "On \(machine):", "", summary, "", growth else
"\(machine), SIZE=\(.size), \(.seconds) s", "",
(if .rows | length > 0 then results, "" else empty end),
(if .not_run | length > 0 then .not_run[], "" else empty end),
growth,
(.rows | map(.met, .bare_met) |
	"goals: \(map(select(.)) | length) met, \(map(select(. == false)) | length) missed"),
(if .baseline == null then "no baseline for this size"
 else (.rows | map(select(.moved == "worse")) | length) as $worse |
	(.rows | map(select(.moved == "better")) | length) as $better |
	"against the baseline\(if .baseline.same_machine then "" else
		" of another machine (\(.baseline | machine))" end):" +
	" \($worse) worse, \($better) better beyond the noise" end)
end
