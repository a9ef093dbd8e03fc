# Makes one TAP document of what a test file printed: numbered throughout, with
# skips as TAP spells them, and the plan at the end.  A file that ends early
# has a failed test for it, never a bad plan.
#
# Variables: test, what is run; skips, the file that collects what is skipped.
# A line "#!status N" is the exit status.

function result(line) {
	if (plan_at_skip)
		return
	sub(/ok( [0-9]+)?/, "ok " (++n), line)
	print line
	fflush()
}

function failed_test(why) {
	result("not ok - " why)
	say("failed: " test ": " why)
	failures++
}

function say(text) {
	print text >"/dev/stderr"
}

/^1\.\.0 # / { print; plan_at_skip = 1; skipped("all of it # SKIP" substr($0, 7)); next }
/^1\.\.[0-9]+$/ { plan += substr($0, 4); next }
/^#!status / { status = $2; next }

# Whether or not a skipped test "failed": cmocka says so.
/^(not )?ok [0-9]* *# SKIP/ {
	sub(/^not /, "")
	sub(/ok [0-9]* *# SKIP */, "")
	$0 = "ok - " $0 " # SKIP"
}

function skipped(why) {
	if (skips != "")
		print test ": " why >>skips
	else
		say("skipped: " test ": " why)
}

/^(not )?ok / {
	why = $0
	sub(/^(not )?ok [0-9]* *-? */, "", why)
	# What the supervisor found comes on top of what was planned.
	unplanned += /^not ok - /
	late += /^not ok - .*timed out after /
	if (failed = /^not /) {
		failures++
		say("failed: " test ": " why)
		for (i = remarks > 100 ? remarks - 100 : 0; i < remarks; i++)
			say("  " remark[i])
	} else if (/# [Ss][Kk][Ii][Pp]/) {
		skipped(why)
	}
	remarks = 0
	result($0)
	next
}
/^#/ {
	if (failed)
		say("  " $0)
	else
		remark[remarks++] = $0
	print
	next
}
# What bats says of its file.
/^suite / { next }
{ print "# " $0 }

END {
	if (plan_at_skip)
		exit
	if (!late && n - unplanned < plan)
		failed_test("ended after " n - unplanned " of " plan " tests")
	if (status != 0 && !failures)
		failed_test("ended with status " status)
	if (n == 0)
		failed_test("runs a test")
	print "1.." n
}
