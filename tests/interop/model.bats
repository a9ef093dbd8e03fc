# The stub of a model's server, which the tests of dispatch rely on, as the
# official client of npm sees it, and dispatch with a server that Node brings.
#
# The package is taken where node finds it (NODE_PATH); a full run also installs
# it for its time.  Where there is neither, its test is skipped.
load ../cli/helper

SDK=@anthropic-ai/sdk@1.14.0
KEY=sk-test-0123456789

setup() {
	need node
	scratch_make
	cd "$SCRATCH" || return
	unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
}

need_sdk() {
	! node -e 'require("@anthropic-ai/sdk")' 2>/dev/null || return 0
	[[ ${SIZE:-small} == full ]] && command -v npm >/dev/null &&
		timeout 100 npm install --silent --no-audit --no-fund --no-save \
			--fetch-retries=1 --prefix "$SCRATCH/node" "$SDK" >/dev/null 2>&1 ||
		skip "no $SDK: node does not find it"
	export NODE_PATH=$SCRATCH/node/node_modules
}

teardown() {
	exec 8>&-
	[[ -z ${SCRATCH:-} ]] || scratch_remove
}

@test "the official client gets what it expects of the stub, and its errors" {
	need_sdk
	[[ -x $BUILD/tests/fault/model_stub ]] || make --no-print-directory -C "$ROOT" \
		BUILD="${SHMLOG_BUILD:-build}" "${SHMLOG_BUILD:-build}/tests/fault/model_stub"
	mkfifo hold
	"$BUILD/tests/fault/model_stub" --key "$KEY" <hold >port 3>&- &
	exec 8>hold
	wait_for 5 test -s port
	run node "$BATS_TEST_DIRNAME/model.js" "http://127.0.0.1:$(<port)" "$KEY"
	assert_success
	assert_output "53 of 53 checks hold"
}

@test "dispatch speaks HTTP/2 where the server does, later calls share a connection" {
	need openssl
	[[ -x $BUILD/shmlog-dispatch ]] ||
		skip "shmlog-dispatch was not built: no libcurl on this machine"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
		-keyout key.pem -out cert.pem -days 2 -subj /CN=localhost \
		-addext subjectAltName=IP:127.0.0.1 2>/dev/null
	mkfifo hold
	node "$BATS_TEST_DIRNAME/http2.js" cert.pem key.pem <hold >port 3>&- &
	exec 8>hold
	wait_for 10 test -s port
	export ANTHROPIC_API_KEY=$KEY CURL_CA_BUNDLE=cert.pem
	seq 100 | shmlog append --create 64K prompts
	shmlog create replies -c 256K
	run_shmlog 0 dispatch --base-url "https://127.0.0.1:$(<port)" \
		--concurrency 8 prompts replies
	seq 100 | shmlog append prompts
	run_shmlog 0 dispatch --base-url "https://127.0.0.1:$(<port)" \
		--concurrency 8 --stream prompts replies
	# How many calls, by which versions; a connection for each that began at once.
	shmlog dump --grep '"type":"done"' replies | grep -o 'HTTP/[0-9.]* [0-9]*' >calls
	run bash -c "cut -d' ' -f1 calls | sort | uniq -c | xargs"
	assert_output '200 HTTP/2.0'
	assert [ "$(sort -u calls | wc -l)" -le 16 ]
}
