# Typed frames against the npm package bendec, in both directions.
#
# The package is taken where node finds it, or installed for the time of the
# test; where there is neither, all of this is skipped.
load ../cli/helper

# The only dependency, and the release that the tests are written for.
BENDEC=bendec@0.51.0
COMPARE=$BATS_TEST_DIRNAME/bendec.js

setup_file() {
	local folder=$BATS_FILE_TMPDIR/node

	command -v node >/dev/null || return 0
	node -e 'require("bendec")' 2>/dev/null && return
	command -v npm >/dev/null || return 0
	mkdir "$folder"
	if timeout 100 npm install --silent --no-audit --no-fund --no-save --fetch-retries=1 \
		--prefix "$folder" "$BENDEC" >/dev/null 2>&1; then
		export NODE_PATH=$folder/node_modules
	fi
}

setup() {
	need node
	node -e 'require("bendec")' 2>/dev/null ||
		skip "no $BENDEC: node has none, and npm cannot install it"
	scratch_make
}

teardown() {
	[[ -z ${SCRATCH:-} ]] || scratch_remove
}

# Full runs do many times as much.
times() { # COUNT
	[[ ${SIZE:-small} == full ]] && echo $(($1 * 10)) || echo "$1"
}

@test "the definitions of the package's own tests give the same bytes and values" {
	run node "$COMPARE" --fixtures --values 50
	assert_success
	assert_output --regexp '[0-9]{3,} pairs agree'
}

@test "random definitions and values give the same bytes and values" {
	run node "$COMPARE" --schemas "$(times 25)" --values 50
	echo "$output"
	assert_success
	assert_output --regexp '[0-9]{4,} pairs agree'
}

@test "the golden log was made by these definitions" {
	run node -e '
		const { Bendec } = require("bendec")
		const fs = require("fs")
		const [types, log] = process.argv.slice(1)
		const bendec = new Bendec({ types: JSON.parse(fs.readFileSync(types)) })
		const bytes = fs.readFileSync(log)
		const end = Number(bytes.readBigUInt64LE(16))
		let count = 0
		for (let at = 24; at < end; at += bytes.readUInt16LE(at), count++)
			bendec.decodeAs(bytes.subarray(at + 2), "Event")
		console.log(count)' "$FIXTURES/schema.json" "$FIXTURES/bendec.shm"
	assert_success
	assert_output "$(wc -l <"$FIXTURES/bendec.jsonl" | tr -d ' ')"
}
