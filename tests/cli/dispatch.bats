# Prompts in one log, replies in another.
load helper

# The server that stands for a model's runs on this machine alone.
STUB=$BUILD/tests/fault/model_stub
KEY=sk-test-0123456789

setup() {
	scratch_make
	[[ -x $BUILD/shmlog-dispatch ]] ||
		skip "shmlog-dispatch was not built: no libcurl on this machine"
	cd "$SCRATCH" || return
	shmlog create prompts -c 1M
	shmlog create replies -c 1M
	unset ANTHROPIC_API_KEY ANTHROPIC_AUTH_TOKEN ANTHROPIC_BASE_URL
	unset CURL_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR
	unset http_proxy https_proxy all_proxy no_proxy HTTPS_PROXY ALL_PROXY NO_PROXY
	UPPER='tr a-z A-Z'
}

teardown() {
	exec 8>&-
	scratch_remove
}

# Starts the server; it ends with this test, which holds its input open.
start_stub() { # ARGUMENT...
	[[ -x $STUB ]] || make --no-print-directory -C "$ROOT" \
		BUILD="${SHMLOG_BUILD:-build}" "${SHMLOG_BUILD:-build}/tests/fault/model_stub"
	rm -f hold port
	mkfifo hold
	"$STUB" --key "$KEY" --calls calls --bodies bodies "$@" <hold >port 3>&- &
	exec 8>hold
	wait_for 5 test -s port
	ANTHROPIC_BASE_URL=http://127.0.0.1:$(<port)
	export ANTHROPIC_API_KEY=$KEY ANTHROPIC_BASE_URL
}

# Prints the replies through a jq filter, in the order of the prompts.
replies() { # FILTER
	shmlog dump "${REPLIES:-replies}" | jq -s -c \
		"map(select(.type == \"done\" or .type == \"error\")) | sort_by(.prompt)[] | $1"
}

# The text of each reply, whatever its parts.
texts() {
	shmlog dump replies | jq -s -r 'map(select(.type == "done" or .type == "part")) |
		group_by(.prompt)[] | map(.text) | add'
}

# The text that the deltas of an attempt make up.
deltas_of() { # PROMPT ATTEMPT
	shmlog dump replies | jq -s -r "map(select(.type == \"delta\" and .prompt == $1 and
		.attempt == $2).text) | add"
}

# Whether so many replies are there; without jq, which takes longer to start than
# many a prompt to be answered.
has_replies() { # NUMBER
	[[ $(shmlog dump replies | grep -c '"type":"\(done\|error\)"') -ge $1 ]]
}

# ---------------------------------------------------------------- a command

@test "--exec answers each prompt by a run of the command" {
	shmlog append prompts -m one -m 'two "q"' -m ''
	expect 0 "" "" dispatch prompts replies --exec "$UPPER; echo \" \$SHMLOG_PROMPT\""
	run replies '[.prompt, .type, .text, .attempts, (.latency_us > 0)]'
	assert_output '[0,"done","ONE 0\n",1,true]
[7,"done","TWO \"Q\" 7\n",1,true]
[18,"done"," 18\n",1,true]'
	run bash -c 'shmlog tail -n 1 replies | jq -c "[.low, .high]"'
	assert_output "[22,18]"
}

@test "output that is not UTF-8 is base64" {
	shmlog append prompts -m x
	run_shmlog 0 dispatch prompts replies --exec 'printf "\377\0"'
	run replies '[.text, .encoding]'
	assert_output '["/wA=","base64"]'
}

@test "a command that fails makes an error, one that ends with 75 is run again" {
	shmlog append prompts -m x
	run_shmlog 0 dispatch prompts replies --exec 'exit 3'
	run replies '[.type, .error.type, .error.message, .status]'
	assert_output '["error","command","the command ended with status 3",3]'
	shmlog append prompts -m y
	run_shmlog 0 dispatch prompts replies --exec 'echo x >>tried; [ $(wc -l <tried) -ge 2 ] || exit 75'
	run replies '[.type, .attempts]'
	assert_line --index 1 '["done",2]'
	shmlog append prompts -m z
	run_shmlog 0 dispatch prompts replies --retries 0 --exec 'kill -9 $$'
	run replies .error.message
	assert_line --index 2 '"the command was ended by signal 9"'
}

@test "each prompt is answered once, whatever ran before" {
	shmlog append prompts -m one -m two
	run_shmlog 0 dispatch prompts replies --exec "$UPPER"
	run_shmlog 0 dispatch prompts replies --exec "$UPPER"
	assert_equal "$(texts | xargs)" "ONE TWO"
	shmlog append prompts -m three
	run_shmlog 0 dispatch prompts replies --exec "$UPPER"
	assert_equal "$(texts | xargs)" "ONE TWO THREE"
}

@test "what was answered out of turn is not answered again" {
	shmlog append prompts -m slow -m quick -m quicker
	# The first prompt is not answered before the run ends.
	shmlog dispatch prompts replies --exec \
		'read -r a; [ "$a" != slow ] || { echo $$ >slow; exec sleep 60; }; echo "$a"' 3>&- &
	wait_for 10 has_replies 2
	kill -9 $!
	wait $! || true
	# Nobody ends what it had started.
	kill "$(<slow)"
	run replies '[.prompt, .low]'
	assert_output $'[8,0]\n[17,0]'
	run_shmlog 0 dispatch prompts replies --exec cat
	run replies '[.prompt, .text]'
	assert_output $'[0,"slow"]\n[8,"quick\\n"]\n[17,"quicker\\n"]'
}

@test "a second dispatcher on the same replies: status 7" {
	skip_if_portable "who appends is not seen without /proc"
	shmlog dispatch -f prompts replies --exec cat 3>&- &
	shmlog append prompts -m x
	wait_for 10 has_replies 1
	run_shmlog 7 dispatch prompts replies --exec cat
	assert_stderr --regexp "^shmlog dispatch: replies: another process appends to it: pid [0-9]+ .*; nothing was sent or appended$"
	kill $!
}

@test "replies that end elsewhere are not appended to: status 7" {
	shmlog append prompts -m x
	run_shmlog 7 dispatch prompts replies --exec 'shmlog append replies -m foreign'
	assert_stderr --partial "replies: another process appends to it: it does not end at cursor 0 any more; 0 replies were appended before, and this one was not"
	assert_equal "$(shmlog dump replies)" foreign
	# Frames of others in between are passed over.
	run_shmlog 0 dispatch prompts replies --exec cat
	assert_equal "$(frames_of replies)" 2
}

@test "a full log of replies: status 6, and it goes on once that has grown" {
	local i

	rm replies
	shmlog create replies -c 2K
	for i in {1..40}; do
		echo "prompt $i"
	done | shmlog append prompts
	run_shmlog 6 dispatch prompts replies --exec cat
	assert_stderr --regexp "^shmlog dispatch: replies: full: [0-9]+ replies were appended, and the next one does not fit; no more prompts are read"
	shmlog grow replies 64K
	run_shmlog 0 dispatch prompts replies --exec cat
	run replies .text
	assert_equal "${#lines[@]}" 40
	assert_equal "$(texts | sort | uniq -d)" ""
}

@test "replies to other prompts: status 8, unless --from says where to begin" {
	shmlog append prompts -m one -m two
	run_shmlog 0 dispatch prompts replies --exec cat
	rm prompts
	shmlog create prompts -c 4K
	shmlog append prompts -m three -m four
	run_shmlog 8 dispatch prompts replies --exec cat
	assert_stderr "shmlog dispatch: prompts: the replies in replies are to another log of prompts; --from says where to begin in this one"
	run_shmlog 0 dispatch prompts replies --from frame:1 --exec cat
	run bash -c 'shmlog tail -n 1 replies | jq -r .text'
	assert_output four
	# From now on the replies say it.
	run_shmlog 0 dispatch prompts replies --from start --exec cat
	assert_equal "$(frames_of replies)" 3
}

@test "--from says where to begin" {
	shmlog append prompts -m one -m two -m three
	run_shmlog 0 dispatch prompts replies --from -1 --exec cat
	run replies .text
	assert_output '"three"'
}

@test "what is no log, and two that are one" {
	run_shmlog 4 dispatch nothing replies --exec cat
	assert_stderr --partial "nothing: cannot open: No such file or directory"
	run_shmlog 4 dispatch prompts nothing --exec cat
	run_shmlog 2 dispatch prompts prompts --exec cat
	assert_stderr --partial "PROMPTS and REPLIES are the same log"
	echo text >text
	run_shmlog 5 dispatch text replies --exec cat
}

@test "damage in either log, and no frame at --from: status 1" {
	shmlog append prompts -m one -m two
	run_shmlog 1 dispatch prompts replies --from 3 --exec cat
	assert_equal "$(frames_of replies)" 0
	run_shmlog 0 dispatch prompts replies --exec cat
	shmlog append prompts -m three
	printf '\377\377\377\377' | dd of=prompts bs=1 seek=38 conv=notrunc status=none
	run_shmlog 1 dispatch prompts replies --exec cat
	assert_stderr --partial "prompts: torn frame at cursor 14"
	rm prompts
	shmlog append --create 4K prompts -m one
	printf '\377\377\377\377' | dd of=replies bs=1 seek=24 conv=notrunc status=none
	run_shmlog 1 dispatch prompts replies --exec cat
	assert_stderr --partial "replies: damaged frame that ends at cursor "
}

@test "--order prompt keeps the order of the prompts" {
	shmlog append prompts -m 0.3 -m 0.2 -m 0.1 -m 0
	run_shmlog 0 dispatch prompts replies --order prompt --exec 'read -r t; sleep $t; echo $t'
	run bash -c 'shmlog dump replies | jq -c "[.prompt, .low]"'
	assert_output $'[0,7]\n[7,14]\n[14,21]\n[21,26]'
}

@test "--ttl: a prompt that was not sent in time expires" {
	shmlog append prompts -m one -m two
	run_shmlog 0 dispatch prompts replies --concurrency 1 --ttl 100ms --exec 'sleep 0.5; echo done'
	run replies '[.type, .error.type, .attempts]'
	assert_output $'["done",null,1]\n["error","expired",0]'
}

@test "--rate spaces the calls" {
	local begun

	shmlog append prompts -m 1 -m 2 -m 3 -m 4
	begun=$(date +%s%N)
	run_shmlog 0 dispatch prompts replies --rate 10/s --exec cat
	assert [ $((($(date +%s%N) - begun) / 1000000)) -ge 280 ]
	run_shmlog 2 dispatch prompts replies --rate x --exec cat
	run_shmlog 2 dispatch prompts replies --rate 5 --exec cat
	run_shmlog 2 dispatch prompts replies --rate 0/s --exec cat
}

@test "--call-timeout ends a call, which is made again" {
	shmlog append prompts -m x
	run_shmlog 0 dispatch prompts replies --call-timeout 300ms --exec \
		'[ -e once ] || { touch once; sleep 60; }; echo late'
	run replies '[.text, .attempts]'
	assert_output '["late\n",2]'
	shmlog append prompts -m y
	run_shmlog 0 dispatch prompts replies --call-timeout 50ms --retries 0 --exec 'sleep 60'
	run bash -c 'shmlog tail -n 1 replies | jq -c "[.error.type, .attempts]"'
	assert_output '["timeout",1]'
}

@test "--metrics and -o json keep the account" {
	shmlog append prompts -m one -m two
	run_shmlog 0 dispatch prompts replies --metrics metrics -o json --exec \
		'read -r a; [ "$a" = one ]'
	run jq -c '[.prompts, .replies, .errors, .waiting]' <<<"${stderr##*$'\n'}"
	assert_output "[2,1,1,0]"
	run cat metrics
	assert_line "shmlog_dispatch_prompts_total 2"
	assert_line "shmlog_dispatch_replies_total 1"
	assert_line 'shmlog_dispatch_errors_total{type="command"} 1'
	assert_line 'shmlog_dispatch_reply_seconds_bucket{le="+Inf"} 2'
	assert_line "shmlog_dispatch_prompts_waiting 0"
	run_shmlog 4 dispatch prompts replies --metrics no/such/folder --exec cat
	# A link stays, and nothing is put in the place of what is no file.
	ln -s metrics link
	rm metrics
	touch metrics
	run_shmlog 0 dispatch prompts replies --metrics link --exec cat
	assert_link_exists link
	run grep -c '^shmlog_dispatch_prompts_total 0' metrics
	assert_output 1
	# It may lead to a file that is not there yet.
	rm metrics
	run_shmlog 0 dispatch prompts replies --metrics link --exec cat
	assert_link_exists link
	assert_file_exists metrics
	mkfifo pipe
	run_shmlog 2 dispatch prompts replies --metrics pipe --exec cat
}

@test "--metrics replaces no log" {
	local name itself='is the log itself; nothing was changed'

	shmlog append prompts -m one
	shmlog append --create 4K "$LOG" -m 'of something else'
	ln replies hard
	ln -s prompts soft
	remember prompts
	remember replies
	remember "$LOG"
	for name in prompts replies ./replies hard soft; do
		run_shmlog 2 dispatch prompts replies --metrics $name --exec cat
		assert_stderr "shmlog dispatch: $name: $itself"
	done
	run_shmlog 2 dispatch -F new replies --metrics ./new --exec cat
	assert_stderr "shmlog dispatch: ./new: $itself"
	run_shmlog 2 dispatch prompts replies --metrics "$LOG" --exec cat
	assert_stderr "shmlog dispatch: $LOG: is a log, which is not replaced by another file; left as it is"
	# Nor do messages go into one.
	run bash -c 'shmlog dispatch prompts replies -o json --exec cat 2>>replies'
	assert_equal "$status" 2
	assert_unchanged prompts
	assert_unchanged replies
	assert_unchanged "$LOG"
}

@test "a log that takes the name of --metrics keeps it" {
	shmlog append prompts -m one
	timeout 30 shmlog dispatch -f prompts replies --metrics metrics --exec cat 2>said 3>&- &
	wait_for 10 test -s metrics
	ln -f prompts metrics
	shmlog append prompts -m two
	status=0
	wait $! || status=$?
	assert_equal "$status" 2
	grep -q 'metrics: is a log, which is not replaced' said
	[[ metrics -ef prompts ]]
}

@test "prompts that have their reply are not among those that wait" {
	shmlog append prompts -m slow -m b -m c -m d
	shmlog dispatch -f prompts replies -o json --exec \
		'read -r a; [ "$a" != slow ] || exec sleep 60' 2>said 3>&- &
	wait_for 10 has_replies 3
	kill $!
	wait $! || true
	run jq -c '[.prompts, .replies, .waiting]' <<<"$(tail -n 1 said)"
	assert_output "[4,3,1]"
}

@test "-f goes on with new prompts, and a signal ends it" {
	shmlog dispatch -f prompts replies --exec "$UPPER" 3>&- &
	shmlog append prompts -m one
	wait_for 10 has_replies 1
	shmlog append prompts -m two
	wait_for 10 has_replies 2
	kill $!
	wait $! && status=0 || status=$?
	assert_equal "$status" 143
	assert_equal "$(texts | xargs)" "ONE TWO"
}

@test "a signal ends the commands that run" {
	shmlog append prompts -m x
	shmlog dispatch -f prompts replies --exec 'echo $$ >pid; sleep 1000' 3>&- &
	wait_for 10 test -s pid
	kill -TERM $!
	wait $! && status=0 || status=$?
	assert_equal "$status" 143
	wait_for 10 has_ended "$(<pid)"
	assert_equal "$(frames_of replies)" 0
}

@test "-F waits for the prompts, and goes on in a log that takes their place" {
	rm prompts
	shmlog dispatch -F prompts replies --exec "$UPPER" 3>&- 2>said &
	shmlog create prompts -c 4K
	shmlog append prompts -m one
	wait_for 10 has_replies 1
	shmlog create other -c 4K
	shmlog append other -m two
	mv other prompts
	wait_for 20 has_replies 2
	run bash -c 'shmlog dump replies | jq -c "[.prompt, .text]"'
	assert_output $'[0,"ONE"]\n[0,"TWO"]'
	kill $!
	wait $! || true
	# It is the second log that the last reply is about.
	run_shmlog 0 dispatch prompts replies --exec "$UPPER"
	assert_equal "$(frames_of replies)" 2
}

@test "-F goes on where a rotation came before the last replies" {
	shmlog append prompts -m a
	run_shmlog 0 dispatch prompts replies --exec cat
	shmlog append prompts -m b
	shmlog rotate prompts >/dev/null
	shmlog append prompts -m c
	shmlog rotate prompts >/dev/null
	shmlog append prompts -m d
	run_shmlog 8 dispatch prompts replies --exec cat
	shmlog dispatch -F prompts replies --exec cat 3>&- &
	wait_for 20 has_replies 4
	kill $!
	wait $! || true
	assert_equal "$(shmlog dump replies | jq -r .text | xargs)" "a b c d"
	run_shmlog 0 dispatch prompts replies --exec cat
	assert_equal "$(frames_of replies)" 4
}

@test "prompts of any number, none is left out" {
	seq 5000 | shmlog append prompts
	rm replies
	shmlog create replies -c 8M
	run_shmlog 0 dispatch prompts replies --worker "exec sed -u '$ANSWER'"
	texts | sort -n | cmp - <(seq 5000)
}

# ----------------------------------------------------------------- workers

# Turns the line that a worker gets into its answer.
ANSWER='s/.*"cursor":\([0-9]*\),.*"payload":"\([^"]*\)".*/{"prompt":\1,"text":"\2"}/'
WORKER='exec jq --unbuffered -c "{prompt: .cursor, text: .payload, size, pid: \$pid}" --argjson pid $$'

@test "--worker answers by processes that stay" {
	need jq
	seq 50 | shmlog append prompts
	run_shmlog 0 dispatch prompts replies --concurrency 2 --worker "$WORKER"
	assert_equal "$(texts | sort -n | xargs)" "$(seq 50 | xargs)"
	run bash -c 'shmlog dump replies | jq .pid | sort -u'
	assert [ "${#lines[@]}" -le 2 ]
	run replies '[.size, .type]'
	assert_line --index 0 '[1,"done"]'
}

@test "a worker gets envelopes, and its members are those of the reply" {
	need jq
	shmlog append prompts -m 'a "b"' -m $'\xff'
	run_shmlog 0 dispatch prompts replies --concurrency 1 --worker \
		'jq --unbuffered -c "{prompt: .cursor, got: ., low: 7, log: 1}"'
	run replies '[.got, (.log | type)]'
	assert_output '[{"cursor":0,"next":9,"index":0,"size":5,"encoding":"utf8","payload":"a \"b\""},"string"]
[{"cursor":9,"next":14,"index":1,"size":1,"encoding":"base64","payload":"/w=="},"string"]'
	shmlog append prompts -m z
	run_shmlog 0 dispatch prompts replies --concurrency 1 --worker \
		'read -r a; echo "{\"prompt\":14,\"n\":123456789012345678901234567890,\"low\":7}"'
	run shmlog tail -n 1 replies
	assert_output --partial '"n":123456789012345678901234567890,"attempts":1'
	assert_output --partial '"low":19,'
}

@test "a worker says that a prompt is in error" {
	need jq
	shmlog append prompts -m x
	run_shmlog 0 dispatch prompts replies --concurrency 1 --worker \
		'jq --unbuffered -c "{prompt: .cursor, type: \"error\", error: {type: \"mine\"}}"'
	run replies '[.type, .error.type]'
	assert_output '["error","mine"]'
	shmlog append prompts -m y -m z -m a -m b
	run_shmlog 0 dispatch prompts replies --concurrency 1 --worker 'jq --unbuffered -c "
		{prompt: .cursor, type: \"error\"} + {y: {}, z: {error: \"why\"}, a: {error: {message: null, code: 7}}}[.payload]"'
	run replies .error
	assert_line --index 1 '{"type":"worker","message":"the worker says that the prompt has failed"}'
	assert_line --index 2 '{"type":"worker","message":"why"}'
	assert_line --index 3 '{"type":"worker","message":"the worker says that the prompt has failed","code":7}'
	assert_line --index 4 "${lines[1]}"
}

@test "a line of a worker or an output that is too long makes an error" {
	local way

	shmlog append prompts -m x
	for way in --worker --exec; do
		run_shmlog 0 dispatch prompts replies --from start --concurrency 1 "$way" \
			'yes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx | tr -d "\n" | head -c 17000000'
		run replies '[.error.type, .attempts]'
		assert_output '["too_large",1]'
		rm replies
		shmlog create replies -c 64K
	done
}

@test "a long text goes out in parts, and together they are the text" {
	need jq
	shmlog append prompts -m x
	run_shmlog 0 dispatch prompts replies --concurrency 1 --worker \
		'jq --unbuffered -c "{prompt: .cursor, text: (\"a\\u20ac\\ud83d\\ude00\\n\\u0000\" * 30000)}"'
	run bash -c 'shmlog dump replies | jq -c "[.type, .part, .parts]"'
	assert_line --index 0 '["part",0,null]'
	assert_line --regexp '\["done",null,[0-9]+\]'
	run bash -c 'shmlog dump replies | jq -s -c "map(.text) | add == (\"a\u20ac\ud83d\ude00\n\u0000\" * 30000)"'
	assert_output true
}

@test "what a worker that died has not answered is given to another" {
	seq 20 | shmlog append prompts
	# Every second answer is a worker's last.
	run_shmlog 0 dispatch prompts replies --concurrency 2 --worker \
		"for i in 1 2; do read -r a && printf '%s\\n' \"\$a\" | sed '$ANSWER'; done"
	assert_equal "$(texts | sort -n | uniq | xargs)" "$(seq 20 | xargs)"
	assert_equal "$(replies 1 | wc -l)" 20
	assert_stderr --partial "it is started again in 100 ms"
}

@test "a prompt that ends every worker gets an error" {
	shmlog append prompts -m good -m bad -m good
	run_shmlog 0 dispatch prompts replies --concurrency 1 --retries 2 --worker \
		'while read -r a; do case $a in *bad*) exit 1 ;; esac; echo "$a" | sed "s/.*\"cursor\":\([0-9]*\),.*/{\"prompt\":\1}/"; done'
	run replies '[.type, .error.type, .attempts]'
	assert_output $'["done",null,1]\n["error","worker",3]\n["done",null,1]'
}

@test "workers that answer with something else are started again" {
	shmlog append prompts -m x
	run_shmlog 0 dispatch prompts replies --concurrency 1 --worker \
		'[ -e once ] || { touch once; read -r a; echo nonsense; sleep 9; }; read -r a; echo "{\"prompt\":0}"'
	assert_stderr --partial "worker 1 gave a line that is no JSON object, and was ended"
	shmlog append prompts -m y
	rm once
	run_shmlog 0 dispatch prompts replies --concurrency 1 --worker \
		'[ -e once ] || { touch once; read -r a; echo "{\"prompt\":0}"; sleep 9; }; read -r a; echo "{\"prompt\":5}"'
	assert_stderr --partial 'a line without the number of the prompt as "prompt"'
	assert_equal "$(frames_of replies)" 2
}

@test "workers that never answer end the run: status 4" {
	shmlog append prompts -m x
	run_shmlog 4 dispatch prompts replies --concurrency 2 --worker 'exit 127'
	assert_stderr --partial "worker 1 ended with status 127"
	assert_stderr --partial "it stays without a reply, and no more are sent"
	assert_equal "$(frames_of replies)" 0
}

@test "options of a model mean nothing to a command: status 2" {
	run_shmlog 2 dispatch prompts replies --exec cat --model x
	assert_stderr --partial "--model is about a model, and goes with neither --exec nor --worker"
	run_shmlog 2 dispatch prompts replies --exec cat --worker cat
	run_shmlog 2 dispatch prompts replies --exec cat --batch 2
}

# ------------------------------------------------------------------ a model

@test "a model answers, and its reply is kept" {
	start_stub
	shmlog append prompts -m hello -m 'a "b" \ ü'
	run_shmlog 0 dispatch prompts replies
	assert_stderr ""
	run replies '[.text, .stop_reason, .model, .usage, (.id | type), (.request_id | test("^req_")), .attempts]'
	assert_output '["echo:hello","end_turn","claude-sonnet-5-5",{"input_tokens":5,"output_tokens":10},"string",true,1]
["echo:a \"b\" \\ ü","end_turn","claude-sonnet-5-5",{"input_tokens":13,"output_tokens":18},"string",true,1]'
}

@test "the options and the prompts make the requests" {
	start_stub
	printf 'Be "brief".\n' >system
	echo '{"stop_sequences":["x"],"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}' >body
	shmlog append prompts -m text
	run_shmlog 0 dispatch prompts replies --model m --system system --max-tokens 7 \
		--thinking between_tools --effort low --body body --param 'top=[1,2]' --param 'max_tokens=9'
	run cat bodies
	assert_output '{"model":"m","max_tokens":9,"system":"Be \"brief\".\n","thinking":{"type":"between_tools"},"output_config":{"effort":"low"},"stop_sequences":["x"],"top":[1,2],"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"text"}]}'
	rm bodies
	shmlog append prompts -m '{"max_tokens":3,"messages":[{"role":"user","content":"own"}]}' -m '{"model":"no request"}'
	start_stub
	run_shmlog 0 dispatch prompts replies --concurrency 1
	run cat bodies
	assert_line --index 0 '{"model":"claude-sonnet-5-5","max_tokens":3,"messages":[{"role":"user","content":"own"}]}'
	assert_line --index 1 '{"model":"claude-sonnet-5-5","max_tokens":4096,"messages":[{"role":"user","content":"{\"model\":\"no request\"}"}]}'
	run_shmlog 2 dispatch prompts replies --param 'x'
	run_shmlog 2 dispatch prompts replies --param 'x=y'
	run_shmlog 9 dispatch prompts replies --body system
	run_shmlog 4 dispatch prompts replies --system nothing
}

@test "half a pair of surrogates is kept as it came" {
	start_stub
	shmlog append prompts -m '@lone'
	run_shmlog 0 dispatch prompts replies --stream
	run shmlog dump --grep 'done' replies
	assert_output --partial '"text":"echo:@lone\ud800"'
}

# Every fault of a server, and what becomes of the prompt.
@test "whatever a server does, each prompt gets one right reply" {
	local stream

	start_stub
	while read -r fault; do
		[[ -z $fault ]] || echo "$fault"
	done <<-'END' >faults
		@status=529 @after-ms=5 a
		@status=500 @after-ms=5 b
		@status=408 @after-ms=5 c
		@status=409 @after-ms=5 d
		@status=429 @after-ms=5 e
		@status=504 @after-ms=5 f
		@status=502 @html @after-ms=5 g
		@status=400 @advice=true @after-ms=5 h
		@close=0 i
		@close=100 j
		@rst=0 k
		@rst=100 l
		@stream-error=0 m
		@stream-error=1 n
		@split o
		@crlf p
		@cr q
		@odd r
		@thinking s
		@pair é t
		@nul v
		@gzip w
		@no-stop x
		@garbage y
		@delay=30 z
		@drip=3 A
		@bad-utf8 B
		@no-json C
		@stall=20 @pings=3 D
		@crlf @split @odd @pair E
		@status=429 @after=1 F
		@limited G
		@bad-http H
	END
	shmlog append prompts <faults
	for stream in "" --stream; do
		rm -f replies calls
		shmlog create replies -c 4M
		start_stub
		# shellcheck disable=SC2086
		run_shmlog 0 dispatch prompts replies $stream --concurrency 4
		assert_stderr ""
		assert_equal "$(replies .type | sort | uniq -c | xargs)" "33 done"
		texts | sed 's/😀//; s/\x00//g' |
			sort | diff - <(sed 's/^/echo:/' faults | sort) ||
			fail "wrong texts with '$stream'"
		# No call but those that had to be made again.
		assert [ "$(wc -l <calls)" -ge 46 ]
		assert [ "$(wc -l <calls)" -le 61 ]
	done
}

@test "stop reasons, tools and long texts come as they are" {
	local stream

	start_stub
	shmlog append prompts -m '@times=2 @thinking @tool a' \
		-m '@times=2 @stop=refusal b' -m '@times=2 @stop=novel_reason c' -m '@times=2 @big d'
	for stream in "" --stream; do
		rm replies
		shmlog create replies -c 1M
		# shellcheck disable=SC2086
		run_shmlog 0 dispatch prompts replies $stream
		run replies '[.stop_reason, .content]'
		assert_output '["tool_use",[{"type":"tool_use","id":"toolu_1","name":"get","input":{"a":1}}]]
["refusal",null]
["novel_reason",null]
["end_turn",null]'
		assert_equal "$(texts | tail -n 1 | wc -c)" 70021
	done
}

@test "what cannot succeed gets an error at once" {
	start_stub
	shmlog append prompts -m '@status=400' -m '@status=404' -m '@status=413' \
		-m '@status=529 @advice=false' -m $'\xff'
	run_shmlog 0 dispatch prompts replies
	run replies '[.error.type, .status, .attempts]'
	assert_output '["invalid_request_error",400,1]
["not_found_error",404,1]
["http",413,1]
["overloaded_error",529,1]
["not_utf8",null,1]'
	assert_equal "$(wc -l <calls)" 4
}

@test "a call that always fails is made again so often, and no more" {
	start_stub
	shmlog append prompts -m '@status=529 @after-ms=5 @times=99'
	run_shmlog 0 dispatch prompts replies --retries 3
	run replies '[.error.type, .attempts]'
	assert_output '["overloaded_error",4]'
	assert_equal "$(wc -l <calls)" 4
}

@test "a key that is refused, a bill or a limit that is not paid: status 4" {
	local fault

	start_stub
	for fault in @status=401 @status=402 @status=403 \
		"@status=429 @code=enforced_spend_limit_reached"; do
		rm -f prompts replies
		shmlog create prompts -c 4K
		shmlog create replies -c 4K
		shmlog append prompts -m "$fault"
		run_shmlog 4 dispatch prompts replies
		assert_stderr --partial "the prompt at cursor 0 was refused: "
		assert_stderr --partial "it stays without a reply, and no more are sent"
		assert_equal "$(frames_of replies)" 0
		# The next run answers it.
		run_shmlog 0 dispatch prompts replies
		assert_equal "$(frames_of replies)" 1
	done
	shmlog append prompts -m x
	ANTHROPIC_API_KEY=wrong run_shmlog 4 dispatch prompts replies
	assert_stderr --partial "was refused: authentication_error: 'invalid key'; it stays"
}

@test "--stream: text as it comes, and a restart voids what broke" {
	start_stub
	shmlog append prompts -m '@drip=30 some text' -m '@stream-error=2 @drip=30 more text'
	run_shmlog 0 dispatch prompts replies --stream
	run bash -c 'shmlog dump replies | jq -c "select(.prompt == 0) | .type"'
	assert_line --index 0 '"delta"'
	assert_line --index 1 '"delta"'
	assert_line --index -1 '"done"'
	run deltas_of 0 1
	assert_output "echo:@drip=30 some text"
	run deltas_of 22 2
	assert_output "echo:@stream-error=2 @drip=30 more text"
	run bash -c 'shmlog dump replies | jq -c "select(.prompt != 0) | [.type, .attempt, .attempts]"'
	assert_line --index 0 '["delta",1,null]'
	assert_line '["restart",1,null]'
	assert_line '["done",null,2]'
	run replies '[(.first_us < .latency_us), .usage]'
	assert_line --index 0 '[true,{"input_tokens":18,"output_tokens":23}]'
}

@test "deltas that an earlier run has left are void" {
	start_stub
	shmlog append prompts -m '@drip=200 some text'
	shmlog dispatch prompts replies --stream 3>&- &
	wait_for 10 bash -c 'shmlog dump replies | grep -q delta'
	kill -9 $!
	wait $! || true
	run_shmlog 0 dispatch prompts replies --stream
	run bash -c 'shmlog dump replies | jq -c "[.type, .attempt, .attempts]" | uniq'
	assert_line --index 0 '["delta",1,null]'
	assert_line --index 1 '["restart",1,null]'
	assert_line --index -1 '["done",null,2]'
}

@test "a stream that falls silent is given up, pings keep it alive" {
	start_stub
	shmlog append prompts -m '@stall=9000 x' -m '@pings=12 @stall=250 y'
	run_shmlog 0 dispatch prompts replies --stream --idle-timeout 2s
	run replies .attempts
	assert_output $'2\n1'
}

@test "--batch sends prompts together, and one reply names them" {
	start_stub
	shmlog append prompts -m one -m two -m three
	run_shmlog 0 dispatch prompts replies --batch 2
	run replies '[.prompt, .prompts, .text]'
	assert_output '[0,[0,7],"echo:Part 1 of 2:\none\n\nPart 2 of 2:\ntwo"]
[14,null,"echo:three"]'
	run_shmlog 0 dispatch prompts replies --batch 2
	assert_equal "$(wc -l <calls)" 2
	# One that comes alone does not wait for long, and a request goes alone.
	shmlog append prompts -m four -m '{"messages":[{"role":"user","content":"five"}]}' -m six
	run_shmlog 0 dispatch prompts replies --batch 8 --batch-wait 20ms
	assert_equal "$(wc -l <calls)" 5
	shmlog append prompts -m 1234 -m 5678 -m 9
	run_shmlog 0 dispatch prompts replies --batch 8 --batch-bytes 8
	assert_equal "$(wc -l <calls)" 7
	run_shmlog 2 dispatch prompts replies --batch-wait 1s
}

@test "--max-tokens-total and --max-cost end the run: status 3" {
	start_stub
	seq 20 | shmlog append prompts
	run_shmlog 3 dispatch prompts replies --concurrency 1 --max-tokens-total 20
	assert_stderr --partial "21 tokens were used, of 20 that --max-tokens-total allows; no more prompts are sent"
	assert_equal "$(frames_of replies)" 3
	run_shmlog 3 dispatch prompts replies --concurrency 1 --price 1000,2000 --max-cost 0.02 -o json
	assert_equal "$(frames_of replies)" 5
	assert_stderr --partial "0.026000 was spent, of 0.020000 that --max-cost allows; no more prompts are sent"
	run jq -c '[.input_tokens, .output_tokens, .cost + 0]' <<<"${stderr##*$'\n'}"
	assert_output '[2,12,0.026]'
	run_shmlog 2 dispatch prompts replies --max-cost 1
	run_shmlog 2 dispatch prompts replies --price 1
}

@test "no key, no server, a wrong URL" {
	run_shmlog 2 dispatch prompts replies
	assert_stderr --partial "no key: ANTHROPIC_API_KEY and ANTHROPIC_AUTH_TOKEN are not set"
	export ANTHROPIC_API_KEY=$KEY
	for url in ftp://x http:// http://x:y http://x:99999 'http://a b' http://x#f 'http://x/?y=z'; do
		run_shmlog 2 dispatch prompts replies --base-url "$url"
		assert_stderr --partial "--base-url '$url' "
	done
	run_shmlog 2 dispatch prompts replies --api-version $'a\r\nX: 1'
	run_shmlog 2 dispatch prompts replies --api-version ''
	run_shmlog 2 dispatch prompts replies --model $'\xff'
	shmlog append prompts -m x
	run_shmlog 0 dispatch prompts replies --base-url http://127.0.0.1:1 --retries 0
	run replies .error.type
	assert_output '"connection"'
	ANTHROPIC_API_KEY=$'a\nb' run_shmlog 2 dispatch prompts replies
	refute_stderr --partial $'a\nb'
}

@test "the key comes from either variable or from a descriptor" {
	start_stub
	shmlog append prompts -m x
	unset ANTHROPIC_API_KEY
	ANTHROPIC_AUTH_TOKEN=$KEY run_shmlog 0 dispatch prompts replies
	shmlog append prompts -m y
	run_shmlog 0 dispatch prompts replies --key-fd 5 5<<<"$KEY"
	shmlog append prompts -m z
	run_shmlog 0 dispatch prompts replies --auth bearer --key-fd 5 5<<<"$KEY"
	assert_equal "$(replies .type | sort | uniq -c | xargs)" "3 done"
}

@test "a redirect is not followed" {
	start_stub
	shmlog append prompts -m '@redirect'
	run_shmlog 4 dispatch prompts replies
	assert_stderr --partial "the server answers with a redirect, which is not followed"
	assert_equal "$(frames_of replies)" 0
}

@test "through the proxy that the environment names, but for hosts without one" {
	start_stub
	shmlog append prompts -m one
	# The stub is the proxy, and there is no such host.
	http_proxy=$ANTHROPIC_BASE_URL run_shmlog 0 dispatch prompts replies \
		--base-url http://model.invalid
	shmlog append prompts -m two
	ALL_PROXY=$ANTHROPIC_BASE_URL run_shmlog 0 dispatch prompts replies --stream \
		--base-url http://model.invalid
	shmlog append prompts -m three
	http_proxy=http://127.0.0.1:1 NO_PROXY=127.0.0.1 run_shmlog 0 dispatch prompts replies
	assert_equal "$(texts | xargs)" "echo:one echo:two echo:three"
	shmlog append prompts -m four
	http_proxy=http://127.0.0.1:1 run_shmlog 0 dispatch prompts replies --retries 0
	run bash -c 'shmlog tail -n 1 replies | jq -r .error.type'
	assert_output connection
}

@test "over TLS, with the certificates that curl would use" {
	need openssl
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
		-keyout key.pem -out cert.pem -days 2 -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>/dev/null
	start_stub --tls cert.pem key.pem || skip "the stub was built without TLS"
	ANTHROPIC_BASE_URL=https://127.0.0.1:$(<port)
	shmlog append prompts -m one -m two
	run_shmlog 4 dispatch prompts replies
	assert_stderr --partial "certificate"
	SSL_CERT_FILE=cert.pem run_shmlog 0 dispatch prompts replies --stream
	assert_equal "$(texts | xargs)" "echo:one echo:two"
	# A prompt does not wait for the answer to another.
	shmlog append prompts -m '@stall=1500 x' -m quick
	SSL_CERT_FILE=cert.pem run_shmlog 0 dispatch prompts replies --stream
	run bash -c 'shmlog dump replies | jq -r "select(.type == \"done\").text" | tail -n 2'
	assert_output $'echo:quick\necho:@stall=1500 x'
}

@test "the key is in nothing that others see" {
	local pid

	[[ -e /proc/self/environ ]] || skip "no /proc on this machine"
	start_stub --delay 300000
	shmlog append prompts -m 'a prompt' -m '@status=400'
	shmlog dispatch -f prompts replies --metrics metrics -o json 2>said 3>&- &
	pid=$!
	wait_for 10 has_replies 1
	# Its arguments and its environment.
	run grep -c "$KEY" "/proc/$pid/cmdline" "/proc/$pid/environ"
	refute_output --partial ":1"
	wait_for 10 has_replies 2
	kill "$pid"
	wait "$pid" || true
	run grep -rlF "$KEY" replies metrics said
	assert_output ""
	# Commands that answer do not get it.
	export ANTHROPIC_AUTH_TOKEN=$KEY
	shmlog append prompts -m x
	run_shmlog 0 dispatch prompts replies --exec 'env; tr "\0" "\n" </proc/$PPID/environ'
	shmlog append prompts -m y
	run_shmlog 0 dispatch prompts replies --concurrency 1 --worker \
		'read -r a; env >environment; echo "{\"prompt\":$(echo "$a" | tr -dc "0-9,:" | sed "s/^://; s/,.*//")}"'
	run grep -rlF "$KEY" replies environment
	assert_output ""
}

@test "a process with the key leaves no core file" {
	local pid

	[[ $(cat /proc/sys/kernel/core_pattern 2>/dev/null) == core* ]] ||
		skip "core files go elsewhere on this machine"
	start_stub
	shmlog append prompts -m x
	(
		ulimit -c unlimited
		exec shmlog dispatch -f prompts replies 3>&-
	) &
	pid=$!
	wait_for 10 has_replies 1
	kill -QUIT "$pid"
	wait "$pid" || true
	run bash -c 'ls core*'
	assert_failure
}

@test "a server that says the key again is not quoted" {
	local stream

	start_stub
	shmlog append prompts -m "mine is $KEY." -m "@split $KEY$KEY @drip=5" -m "${KEY%?}"
	for stream in "" --stream; do
		rm replies
		shmlog create replies -c 64K
		# shellcheck disable=SC2086
		run_shmlog 0 dispatch prompts replies $stream
		run grep -cF "$KEY" replies
		assert_output 0
		assert_equal "$(texts)" "echo:mine is ${KEY//?/*}.
echo:@split ${KEY//?/*}${KEY//?/*} @drip=5
echo:${KEY%?}"
	done
	assert_equal "$(deltas_of 0 1)" "echo:mine is ${KEY//?/*}."
}
