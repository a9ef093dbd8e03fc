# The stub of a model's server, which the tests of dispatch rely on, as the
# official client of npm sees it.
#
# The package is taken where node finds it (NODE_PATH); a full run also installs
# it for its time.  Where there is neither, this is skipped.
load ../cli/helper

SDK=@anthropic-ai/sdk@1.14.0
KEY=sk-test-0123456789

setup() {
	need node
	scratch_make
	cd "$SCRATCH" || return
	if ! node -e 'require("@anthropic-ai/sdk")' 2>/dev/null; then
		[[ ${SIZE:-small} == full ]] && command -v npm >/dev/null &&
			timeout 100 npm install --silent --no-audit --no-fund --no-save \
				--fetch-retries=1 --prefix "$SCRATCH/node" "$SDK" >/dev/null 2>&1 ||
			skip "no $SDK: node does not find it"
		export NODE_PATH=$SCRATCH/node/node_modules
	fi
	[[ -x $BUILD/tests/fault/model_stub ]] || make --no-print-directory -C "$ROOT" \
		BUILD="${SHMLOG_BUILD:-build}" "${SHMLOG_BUILD:-build}/tests/fault/model_stub"
}

teardown() {
	exec 8>&-
	[[ -z ${SCRATCH:-} ]] || scratch_remove
}

@test "the official client gets what it expects of the stub, and its errors" {
	mkfifo hold
	"$BUILD/tests/fault/model_stub" --key "$KEY" <hold >port 3>&- &
	exec 8>hold
	wait_for 5 test -s port
	unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
	run node "$BATS_TEST_DIRNAME/model.js" "http://127.0.0.1:$(<port)" "$KEY"
	assert_success
	assert_output "53 of 53 checks hold"
}
