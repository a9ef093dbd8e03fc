# relay: push, pull and status against a server.
load helper
load ../fault/nats

# Most tests share one server, and leave it without streams.
setup_file() {
	[[ -x $BUILD/shmlog-relay ]] && command -v nats-server >/dev/null || return 0
	export SHARED=$BATS_FILE_TMPDIR/nats SHARED_PORT SHARED_PID
	start_nats "$SHARED"
	SHARED_PORT=$server_port SHARED_PID=$server_pid
}

teardown_file() {
	[[ -z ${SHARED_PID-} ]] || { kill -9 "$SHARED_PID" && wait "$SHARED_PID"; } 2>/dev/null || true
}

setup() {
	[[ -x $BUILD/shmlog-relay ]] || skip "this build has no shmlog-relay"
	need nats-server
	scratch_make
	shmlog=$BUILD/shmlog
	COPY=$SCRATCH/copy.shm
}

teardown() {
	[[ -n ${SCRATCH-} ]] || return 0
	[[ -z ${server_pid-} ]] || kill -9 "$server_pid" 2>/dev/null || true
	scratch_remove
	[[ -z ${shares-} ]] || delete_streams s log here
}

delete_streams() { # NAME...
	local name

	for name; do
		ask_nats "\$JS.API.STREAM.DELETE.$name" '' >/dev/null
	done
}

# Uses the server of all.
serve() {
	shares=yes
	server_port=$SHARED_PORT
	url=nats://127.0.0.1:$server_port
}

# Starts one for this test alone.
serve_alone() { # ARGUMENT...
	start_nats "$SCRATCH/nats" "$@"
}

push() { # STATUS OPTION...
	run_shmlog "$1" relay push "$LOG" "$url" --stream s "${@:2}"
}

pull() { # STATUS OPTION...
	run_shmlog "$1" relay pull "$COPY" "$url" --stream s "${@:2}"
}

assert_same_frames() {
	assert_equal "$(shmlog dump -o json "$COPY")" "$(shmlog dump -o json "$LOG")"
}

# Starts a relay in the background; sets $relay_pid.
start_relay() { # ARGUMENT...
	shmlog relay "$@" >"$SCRATCH/out" 2>"$SCRATCH/err" 3>&- &
	relay_pid=$!
}

end_of_is() { # LOG CURSOR
	[[ $(end_of "$1" 2>/dev/null) == "$2" ]]
}

@test "a log is pushed and pulled with the same frames at the same cursors" {
	serve
	seq 1 1000 | shmlog append "$LOG" --create 256K
	expect 0 '' '' relay push "$LOG" "$url" --create-stream
	expect 0 '' '' relay pull "$COPY" "$url" --stream log --create 256K
	assert_same_frames
	# What is there already is not sent again.
	expect 0 '' '' relay push "$LOG" "$url"
	seq 1 5 | shmlog append "$LOG"
	expect 0 '' '' relay push "$LOG" "$url"
	expect 0 '' '' relay pull "$COPY" "$url" --stream log
	assert_same_frames
	run_shmlog 0 relay status "$LOG" "$url" -o json
	assert_equal "$(jq -c '[.stream, .messages, .pushed_cursor, .push_lag_bytes, .pulled_sequence]' <<<"$output")" \
		"[\"log\",1005,$(end_of "$LOG"),0,null]"
	run_shmlog 0 relay status "$COPY" "$url" --stream log -o json
	assert_equal "$(jq -c '[.pushed_cursor, .pulled_sequence, .pull_lag_messages]' <<<"$output")" \
		'[null,1005,0]'
}

@test "frames of 0 and 65,531 bytes, plain and packed" {
	local pack stream

	serve
	shmlog create "$LOG" -c 2M
	for pack in '' 1 4K 512K; do
		head -c 65531 /dev/urandom | shmlog append -i whole "$LOG"
		shmlog append "$LOG" -m '' -m '' -m x
		stream=${pack:+log}
		push 0 --create-stream --stream "${stream:-s}" ${pack:+--pack "$pack"}
		[[ $pack != 1 ]] || rm "$COPY"
		run_shmlog 0 relay pull "$COPY" "$url" --stream "${stream:-s}" --create 2M
		assert_same_frames
	done
	run_shmlog 0 relay status "$LOG" "$url" --stream log -o json
	# Each of two turns' frames, as none fits; all that fit; all.
	assert_equal "$(jq .messages <<<"$output")" 11
}

@test "a stream has plain or packed messages: status 8 for the other" {
	serve
	shmlog append --create 4K "$LOG" -m one -m two
	push 0 --create-stream
	shmlog append "$LOG" -m three
	push 8 --pack 4K
	assert_stderr --partial "$LOG: the stream was sent without --pack; nothing was sent"
	push 0 --pack 4K --from frame:2
	push 8
	assert_stderr --partial "$LOG: the stream was sent with --pack; nothing was sent"
	push 0 --pack 64K
	pull 0 --create 4K
	assert_same_frames
}

# The messages of another pusher, which packs otherwise, come between: the second
# one of ours is behind none of ours, though its number is right.
@test "packed messages follow one another, not only their numbers" {
	local i

	serve
	shmlog create "$LOG" -c 8M
	for i in 1 2 3 4; do
		seq -f "%.0f of $i" 40000 | shmlog append "$LOG" &
		shmlog relay push -f --idle 1 --pack $((i * 3))K "$LOG" "$url" --create-stream \
			--stream s 2>/dev/null 3>&- &
	done
	wait
	push 0 --pack 8K
	pull 0 --create 8M
	assert_same_frames
}

@test "a growing log is followed through the server, which goes and comes back" {
	serve_alone
	shmlog create "$LOG" -c 64K
	start_relay push -f "$LOG" "$url" --create-stream --stream s
	shmlog relay pull -f "$COPY" "$url" --create 64K --stream s 2>"$SCRATCH/err2" 3>&- &
	local pull_pid=$!
	shmlog append "$LOG" -m one
	wait_for 10 end_of_is "$COPY" 7
	kill_nats KILL
	shmlog append "$LOG" -m two
	sleep 0.2
	serve_alone
	wait_for 20 end_of_is "$COPY" 14
	kill -TERM "$relay_pid" "$pull_pid"
	wait "$relay_pid" && status=0 || status=$?
	assert_equal "$status" 143
	wait "$pull_pid" && status=0 || status=$?
	assert_equal "$status" 143
	assert_same_frames
	grep "^shmlog relay push: $LOG: lost the server, connecting again: '.*'$" "$SCRATCH/err"
	grep "^shmlog relay push: $LOG: connected to $url$" "$SCRATCH/err"
	grep "^shmlog relay pull: $COPY: lost the server, connecting again: '.*'$" "$SCRATCH/err2"
}

@test "wrong usage is refused, and no secret is shown" {
	local url

	for url in host 'http://host' nats:// 'nats://a,tls://b,http://c'; do
		run_shmlog 2 relay push "$LOG" "$url"
	done
	run_shmlog 2 relay pull "$LOG" nats://user:secret@host
	refute_stderr --partial secret
	assert_stderr --partial "a URL with a user in it is not taken"
	run_shmlog 2 relay push "$LOG" nats://h --stream 'a.b'
	run_shmlog 2 relay push "$LOG" nats://h --window 5000
	run_shmlog 2 relay push "$LOG" nats://h --pack 2M
	run_shmlog 2 relay push "$LOG" nats://h --replicas 3
	run_shmlog 2 relay push "$LOG" nats://h --user me
	run_shmlog 2 relay push "$LOG" nats://h --tls-cert x
	run_shmlog 2 relay push "$LOG" nats://h --from here
	run_shmlog 2 relay pull "$LOG" nats://h --gaps maybe
	run_shmlog 2 relay pull "$LOG" nats://h --create 127
	run_shmlog 2 relay status "$LOG"
	run_shmlog 2 relay send "$LOG" nats://h
	run_shmlog 2 relay
	run_shmlog 0 relay --help
	run_shmlog 0 help relay
	run_shmlog 0 relay --version
}

@test "a server that is not there: status 4, or with -f a wait" {
	shmlog create "$LOG" -c 4K
	run_shmlog 4 relay push "$LOG" nats://127.0.0.1:1
	assert_stderr --partial "$LOG: no server can be reached for the stream 'log': "
	run_shmlog 124 relay push -f "$LOG" nats://127.0.0.1:1 --timeout 0.3
	assert_stderr --partial "$LOG: waiting for a server: "
	run_shmlog 4 relay status "$LOG" nats://127.0.0.1:1
}

@test "of several servers one is enough" {
	serve
	shmlog append --create 4K "$LOG" -m one
	run_shmlog 0 relay push "$LOG" "nats://127.0.0.1:1,$url" --create-stream
}

@test "no stream: status 4, or with -f a wait" {
	serve
	shmlog append --create 4K "$LOG" -m one
	expect 4 '' "shmlog relay push: $LOG: there is no stream 'log'; push --create-stream makes it" \
		relay push "$LOG" "$url"
	pull 4 --create 4K
	run_shmlog 4 relay status "$LOG" "$url"
	# A stream that cannot be made.
	push 4 -f --create-stream --replicas 3
	push 4 -f --create-stream --max-bytes 1000000G
	start_relay pull -f "$COPY" "$url" --create 4K --stream s --timeout 20
	wait_for 10 grep -q "there is no such stream, waiting for it" "$SCRATCH/err"
	push 0 --create-stream
	wait_for 10 end_of_is "$COPY" 7
	kill "$relay_pid"
}

@test "user and password, token: from files and from the environment" {
	serve_alone --user me --pass hidden
	shmlog append --create 4K "$LOG" -m one
	echo hidden >"$SCRATCH/password"
	echo wrong >"$SCRATCH/wrong"
	push 0 --create-stream --user me --password-file "$SCRATCH/password"
	NATS_USER=me NATS_PASSWORD=hidden push 0
	push 4 --user me --password-file "$SCRATCH/wrong"
	assert_stderr --partial "cannot use the stream 's': "
	refute_stderr --partial wrong
	push 4
	push 4 --user me --password-file "$SCRATCH/none"
	kill_nats
	rm -rf "$SCRATCH/nats"
	serve_alone --auth hidden
	push 0 --create-stream --token-file "$SCRATCH/password"
	NATS_TOKEN=hidden push 0
	push 4 --token-file "$SCRATCH/wrong"
	push 4 --creds "$SCRATCH/none"
}

@test "a credentials file: one that the server takes, and others" {
	local name

	need openssl
	need python3
	python3 "$ROOT/tests/cli/nats_accounts.py" "$SCRATCH"
	serve_alone -c "$SCRATCH/server.conf"
	shmlog append --create 4K "$LOG" -m one
	push 0 --create-stream --creds "$SCRATCH/user.creds"
	NATS_CREDS=$SCRATCH/user.creds push 0
	push 4
	for name in expired stranger; do
		push 4 -f --creds "$SCRATCH/$name.creds"
		assert_stderr --partial "$LOG: cannot use the stream 's': 'Authorization Violation'"
	done
	# No wait for a server, whatever that one would say.
	push 4 -f --creds "$SCRATCH/none"
	assert_stderr "shmlog relay push: $SCRATCH/none: cannot open: No such file or directory"
	push 4 -f --creds "$LOG"
	assert_stderr "shmlog relay push: $LOG: is no credentials file: it has no JWT and seed of a user"
	push 4 -f --tls-ca "$SCRATCH/none"
	assert_stderr "shmlog relay push: $SCRATCH/none: cannot open: No such file or directory"
	NATS_CREDS=$SCRATCH/user.creds run_shmlog 0 relay status "$LOG" "$url" --stream s -o json
	assert_equal "$(jq .messages <<<"$output")" 1
}

# An authority, and a certificate of it for 127.0.0.1.
make_certificates() {
	cd "$SCRATCH" || return
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
		-keyout ca.key -out ca.pem -days 2 -subj "/CN=test authority" 2>/dev/null
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
		-keyout server.key -out server.csr -subj "/CN=server" 2>/dev/null
	openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial \
		-out server.pem -days 2 -extfile <(echo "subjectAltName=IP:127.0.0.1") 2>/dev/null
	cd "$OLDPWD" || return
}

@test "TLS: the server's certificate and its name are checked, and it may ask for one" {
	local ca=(--tls-ca "$SCRATCH/ca.pem") address
	local mine=(--tls-cert "$SCRATCH/server.pem" --tls-key "$SCRATCH/server.key")

	need openssl
	make_certificates
	serve_alone --tls --tlscert "$SCRATCH/server.pem" --tlskey "$SCRATCH/server.key"
	address=$url
	url=tls://127.0.0.1:$server_port
	shmlog append --create 4K "$LOG" -m one
	push 0 --create-stream "${ca[@]}"
	# An authority makes nats:// a secure one as well.
	url=$address push 0 "${ca[@]}"
	push 4
	url=tls://localhost:$server_port push 4 "${ca[@]}"
	cp "$SCRATCH/server.pem" "$SCRATCH/other.pem"
	push 4 --tls-ca "$SCRATCH/other.pem"
	kill_nats
	serve_alone --tlsverify --tlscert "$SCRATCH/server.pem" --tlskey "$SCRATCH/server.key" \
		--tlscacert "$SCRATCH/ca.pem"
	url=tls://127.0.0.1:$server_port
	push 0 "${ca[@]}" "${mine[@]}"
	push 4 "${ca[@]}"
}

@test "a purged stream: status 8, and --from says where to begin" {
	serve
	shmlog append --create 4K "$LOG" -m one -m two
	push 0 --create-stream
	ask_nats '$JS.API.STREAM.PURGE.s' ''
	shmlog append "$LOG" -m three
	push 8
	assert_stderr "shmlog relay push: $LOG: the stream has had messages, but the last one is gone (purged, or too old), so where they end in this log is not known; nothing was sent; --from POS says where to begin in spite of that"
	push 0 --from frame:2
	# Now the stream says where.
	push 0 --from start
	run_shmlog 0 relay status "$LOG" "$url" --stream s -o json
	assert_equal "$(jq -c '[.messages, .last_sequence]' <<<"$output")" '[1,3]'
}

@test "a purge under a push that follows does no harm" {
	serve_alone
	shmlog append --create 4K "$LOG" -m one
	start_relay push -f "$LOG" "$url" --create-stream --stream s -o json
	wait_for 10 has_messages 1
	ask_nats '$JS.API.STREAM.PURGE.s' ''
	kill_nats KILL
	serve_alone
	shmlog append "$LOG" -m two
	wait_for 20 has_messages 1
	kill "$relay_pid"
	run_shmlog 0 relay status "$LOG" "$url" --stream s -o json
	assert_equal "$(jq -c .last_sequence <<<"$output")" 2
}

has_messages() { # COUNT
	[[ $(messages_of "$LOG" s 2>/dev/null) == "$1" ]]
}

@test "another log, or one that was written anew: status 8" {
	serve
	shmlog append --create 4K "$LOG" -m one -m two
	push 0 --create-stream
	mv "$LOG" "$SCRATCH/old"
	shmlog append --create 4K "$LOG" -m one -m two
	push 8
	assert_stderr --partial "$LOG: the last message of the stream is from another log; nothing was sent"
	push 0 --from end
	push 8
	assert_stderr --partial "from another log"
	# The same file with other bytes in it.
	mv "$SCRATCH/old" "$LOG"
	put_bytes "$LOG" $((24 + 7 + 2)) 54
	push 8
	assert_stderr --partial "is not the frame at its cursor in this log"
}

@test "a subject that the stream does not have: status 4" {
	serve
	shmlog append --create 4K "$LOG" -m one
	ask_nats '$JS.API.STREAM.CREATE.s' \
		'{"name":"s","subjects":["a.*.c","b.>"],"storage":"file"}'
	push 4
	assert_stderr --partial "cannot use the stream 's': 'the stream has several subjects, or one with a wildcard: --subject must say which'"
	for subject in a.b a.b.c.d x b 'a.*.c' aa.b.c; do
		push 4 --subject "$subject"
		assert_stderr --partial "cannot use the stream 's': 'the stream has no such subject to send to'"
	done
	push 0 --subject a.b.c
	shmlog append "$LOG" -m two
	push 0 --subject b.x.y
	pull 0 --create 4K
	assert_same_frames
}

@test "a stream that is deleted under a push that follows is waited for, and filled again" {
	serve
	shmlog append --create 4K "$LOG" -m one
	push 0 --create-stream
	start_relay push -f "$LOG" "$url" --stream s
	shmlog append "$LOG" -m two
	wait_for 10 has_messages 2
	ask_nats '$JS.API.STREAM.DELETE.s' ''
	shmlog append "$LOG" -m three
	wait_for 10 grep -q "there is no such stream, waiting for it" "$SCRATCH/err"
	run_shmlog 4 relay status "$LOG" "$url" --stream s
	ask_nats '$JS.API.STREAM.CREATE.s' '{"name":"s","subjects":["shmlog.s"],"storage":"file"}'
	wait_for 10 has_messages 3
	grep "the stream was deleted and made again; looking where it ends" "$SCRATCH/err"
	kill "$relay_pid"
}

@test "a stream with messages of others: status 8" {
	serve
	shmlog append --create 4K "$LOG" -m one
	push 0 --create-stream
	ask_nats shmlog.s hello
	push 8
	assert_stderr --partial "the last message of the stream is not from a relay"
	pull 0 --create 4K
	assert_equal "$(shmlog dump "$COPY")" $'one\nhello'
}

@test "-F goes on with the log that has the name, and reads the old one to its end" {
	serve
	shmlog append --create 4K "$LOG" -m one
	start_relay push -F "$LOG" "$url" --create-stream --stream s
	wait_for 10 has_messages 1
	shmlog rotate "$LOG"
	shmlog append "$LOG" -m two
	wait_for 10 has_messages 2
	kill -9 "$relay_pid"
	# A rotation that no relay sees: the old log has one more.
	shmlog append "$LOG" -m three
	shmlog rotate "$LOG"
	shmlog append "$LOG" -m four
	start_relay push -F "$LOG" "$url" --stream s --timeout 30
	wait_for 10 has_messages 4
	kill "$relay_pid"
	pull 0 --create 4K
	assert_equal "$(shmlog dump "$COPY")" $'one\ntwo\nthree\nfour'
	assert_stderr --partial "another log begins"
	# Without -F it is another log.
	shmlog rotate "$LOG"
	push 8
}

# A stream that takes no more than some messages.
make_small_stream() { # CREATE|UPDATE COUNT
	ask_nats "\$JS.API.STREAM.$1.s" \
		'{"name":"s","subjects":["shmlog.s"],"storage":"file","max_msgs":'"$2"',"discard":"new"}'
}

@test "a full stream is waited for: status 6 when the time is over" {
	serve
	make_small_stream CREATE 50
	seq 100 | shmlog append --create 4K "$LOG"
	push 6 --timeout 3
	# That, and nothing of another relay.
	assert_stderr "shmlog relay push: $LOG: the stream has no room, waiting for it: 'maximum messages exceeded'"
	push 6 --timeout 3 -o json --window 10
	assert_equal "$(jq -r .event <<<"$stderr" | uniq | tr '\n' ' ')" 'connected placed stream_full placed ended '
	make_small_stream UPDATE 500
	push 0
	pull 0 --create 4K
	assert_same_frames
}

@test "messages that are not there any more: status 1 with their numbers, or --gaps skip" {
	serve
	shmlog append --create 4K "$LOG" -m one -m two -m three -m four
	push 0 --create-stream
	ask_nats '$JS.API.STREAM.MSG.DELETE.s' '{"seq":2}'
	ask_nats '$JS.API.STREAM.MSG.DELETE.s' '{"seq":4}'
	pull 1 --create 4K
	assert_stderr "shmlog relay pull: $COPY: messages 2 to 2 are not in the stream any more; stopped before them; --gaps skip goes on"
	assert_equal "$(shmlog dump "$COPY")" one
	pull 0 --gaps skip
	assert_stderr --partial "messages 2 to 2 are not in the stream any more; going on without them"
	assert_stderr --partial "messages 4 to 4 are not in the stream any more; going on without them"
	assert_equal "$(shmlog dump "$COPY")" $'one\nthree'
	# They are passed over once.
	expect 0 '' '' relay pull "$COPY" "$url" --stream s
}

@test "a first message that is not the log's first: status 1" {
	serve
	shmlog append --create 4K "$LOG" -m one -m two
	push 0 --create-stream --from frame:1
	pull 1 --create 4K
	assert_stderr --partial "message 1 is from cursor 7 of its log, and cursor 0 was to come"
	pull 0 --gaps skip
	assert_equal "$(shmlog dump "$COPY")" two
}

@test "a full log: status 6, all that fits is there, and it goes on once it has grown" {
	serve
	shmlog append --create 4K "$LOG" -m one -m two -m three
	push 0 --create-stream
	pull 6 --create $((128 + 14 + 8))
	assert_stderr "shmlog relay pull: $COPY: full: message 3 does not fit; all up to message 2 is in the log, which ends at cursor 14"
	shmlog grow "$COPY" 4K
	pull 0
	assert_same_frames
}

@test "somebody else has appended to the log: status 7" {
	serve
	shmlog append --create 4K "$LOG" -m one
	push 0 --create-stream
	pull 0 --create 4K
	shmlog append "$COPY" -m foreign
	pull 7
	assert_stderr --partial "$COPY: ends at cursor 18, where no relay has left it"
}

@test "a stream that was made anew: status 8 for the log that was pulled" {
	serve
	shmlog append --create 4K "$LOG" -m one
	push 0 --create-stream
	pull 0 --create 4K
	ask_nats '$JS.API.STREAM.DELETE.s' ''
	push 0 --create-stream
	pull 8
	assert_stderr --partial "stream 's' is not the one that this log was pulled from: it was made anew"
	run_shmlog 8 relay pull "$COPY" "$url" --stream s --subject other
	assert_stderr --partial "belongs to another stream or subject"
}

@test "--state keeps the place for a log that a relay has not made" {
	serve
	shmlog append --create 4K "$LOG" -m one
	push 0 --create-stream
	shmlog append --create 4K "$COPY" -m before
	pull 8
	assert_stderr --partial "$COPY: was not made by a relay: --state FILE keeps how far it has come"
	# A log that is not empty is no mirror; or its state file was lost.
	pull 1 --state "$SCRATCH/state"
	assert_stderr --partial "message 1 is from cursor 0 of its log, and cursor 10 was to come"
	pull 0 --state "$SCRATCH/state" --gaps skip
	shmlog append "$LOG" -m two
	push 0
	pull 0 --state "$SCRATCH/state"
	pull 0 --state "$SCRATCH/state"
	assert_equal "$(shmlog dump "$COPY")" $'before\none\ntwo'
	shmlog append --create 4K "$SCRATCH/third" -m x
	run_shmlog 8 relay pull "$SCRATCH/third" "$url" --stream s --state "$LOG"
	run_shmlog 2 relay pull "$SCRATCH/new" "$url" --stream s --create 4K --state "$SCRATCH/./new"
	assert_stderr "shmlog relay pull: $SCRATCH/./new: is the log itself; nothing was changed"
	assert_not_exist "$SCRATCH/new"
	shmlog append "$COPY" -m foreign
	pull 7 --state "$SCRATCH/state"
}

@test "the server has lost the end: status 1, or with -f a wait until it comes again" {
	serve_alone
	shmlog append --create 4K "$LOG" -m one
	push 0 --create-stream
	kill_nats TERM
	cp -r "$SCRATCH/nats/js" "$SCRATCH/kept"
	serve_alone
	shmlog append "$LOG" -m two
	push 0
	pull 0 --create 4K
	kill_nats TERM
	rm -rf "$SCRATCH/nats/js"
	cp -r "$SCRATCH/kept" "$SCRATCH/nats/js"
	serve_alone
	pull 1
	assert_stderr --partial "the stream ends with message 1, and the log with message 2: the server has lost the end"
	start_relay pull -f "$COPY" "$url" --stream s
	wait_for 10 grep -q "waiting until it is sent again" "$SCRATCH/err"
	shmlog append "$LOG" -m three
	push 0
	wait_for 10 end_of_is "$COPY" 23
	kill "$relay_pid"
	assert_same_frames
}

# Servers of a cluster that have yet to agree on a leader do not answer.  Here it is
# a client that does, once it is asked for the second time.
@test "a question that nobody answers is asked again" {
	local line reply keeps_nothing=yes
	local info='{"type":"io.nats.jetstream.api.v1.stream_info_response","config":{"name":"s","subjects":["s"]},"created":"2026-01-02T03:04:05Z","state":{"messages":0,"bytes":0,"first_seq":0,"last_seq":0}}'

	serve_alone
	shmlog append --create 4K "$LOG" -m one
	exec 9<>"/dev/tcp/127.0.0.1/$server_port"
	printf 'CONNECT {"verbose":false}\r\nSUB $JS.API.STREAM.INFO.s 1\r\nPING\r\n' >&9
	until [[ ${line-} == PONG* ]]; do read -r -t 10 line <&9; done
	start_relay status "$LOG" "$url" --stream s -o json
	for _ in 1 2; do
		until [[ $line == MSG* ]]; do read -r -t 10 line <&9; done
		read -r _ _ _ reply _ <<<"$line"
		line=
	done
	printf 'PUB %s %d\r\n%s\r\n' "$reply" "${#info}" "$info" >&9
	wait "$relay_pid"
	exec 9>&-
	assert_equal "$(jq .messages "$SCRATCH/out")" 0
}

@test "another relay at work is said once, and does no harm" {
	serve
	shmlog append --create 1M "$LOG" -m first
	start_relay push -f "$LOG" "$url" --create-stream --stream s -o json
	wait_for 10 has_messages 1
	shmlog append "$LOG" -m second
	wait_for 10 has_messages 2
	kill -STOP "$relay_pid"
	seq 1 10 | shmlog append "$LOG"
	push 0
	kill -CONT "$relay_pid"
	wait_for 10 grep -q '"event":"another_relay"' "$SCRATCH/err"
	has_messages 12
	kill "$relay_pid"
}

@test "a message that is no frame: status 9 with its number" {
	serve
	shmlog append --create 4K "$LOG" -m one
	push 0 --create-stream
	ask_nats shmlog.s "$(printf '%070000d' 0)"
	pull 9 --create 4K
	assert_stderr "shmlog relay pull: $COPY: message 2 is larger than a frame can be; all before it is in the log"
	assert_equal "$(shmlog dump "$COPY")" one
}

@test "damage in the log: what precedes it is sent, and status 1" {
	serve
	shmlog append --create 4K "$LOG" -m one -m two -m three
	put_bytes "$LOG" $((24 + 7)) ffff
	push 1 --create-stream
	assert_stderr --partial "torn frame at cursor 7"
	has_messages 1
}

@test "-o json tells events, and where the work ended" {
	serve
	shmlog append --create 4K "$LOG" -m one
	push 0 --create-stream -o json
	assert_equal "$(jq -c '[.event, .sequence, .cursor]' <<<"$stderr" | tr '\n' ' ')" \
		'["connected",null,null] ["created",null,null] ["placed",0,0] ["ended",1,7] '
}

@test "--idle and --timeout end a follow" {
	serve
	shmlog append --create 4K "$LOG" -m one
	push 0 -f --idle 0.1 --create-stream
	push 124 -f --timeout 0.1
	pull 0 -f --idle 0.1 --create 4K
	pull 124 -f --timeout 0.1
	assert_same_frames
}

@test "the main program has nothing of the relay's libraries" {
	need ldd
	run ldd "$BUILD/shmlog"
	refute_output --partial nats
	refute_output --partial ssl
}

# The options that a help lists: "--name VALUE" each.
help_options() { # COMMAND...
	shmlog relay "$1" --help | grep -E '^ +(-[A-Za-z], )?--' |
		sed -E 's/^ +(-[A-Za-z], )?//; s/^(--[a-z-]+( [A-Z]+)?).*/\1/'
}

@test "the page has the options of the helps, with their values" {
	local page=$ROOT/man/shmlog-relay.1 name

	for name in push pull status; do
		help_options "$name"
	done | sort -u >"$SCRATCH/helps"
	diff "$SCRATCH/helps" <(awk '/^\.Sh /{ inside = /OPTIONS/ } inside && /^\.It Fl/' "$page" |
			sed -E 's/^.*Fl -([a-z-]+)/--\1/; s/ Ar / /' | sort -u)
	for name in $(grep -o '^--[a-z-]*' "$SCRATCH/helps"); do
		[[ $name != --help ]] || continue
		awk '/^\.Sh /{ inside = /SYNOPSIS/ } inside' "$page" |
			grep -qE "Fl ([fFo] \| )?-${name#--}( |$)" || fail "the synopsis lacks $name"
	done
}

@test "the lines of the README mirror a log" {
	local line

	serve
	while IFS= read -r line; do
		line=${line//'/dev/shm'/"$SCRATCH"}
		line=${line//'nats://127.0.0.1'/"$url"}
		case $line in
		nats-server*) ;; # one is there, on another port
		*'tail -F'*) # waits for the log
			bash -c "exec $line" >"$SCRATCH/seen" 2>/dev/null 3>&- &
			;;
		*'&') bash -c "exec ${line%&}" >/dev/null 2>&1 3>&- & ;;
		*) bash -c "$line" ;;
		esac
	done < <(awk '/^## /{ inside = /Beyond one machine/ } inside && /^```/ { code = !code; next }
		inside && code' "$ROOT/README.md")
	wait_for 20 end_of_is "$SCRATCH/there.shm" "$(end_of "$SCRATCH/here.shm")"
	assert_equal "$(shmlog dump "$SCRATCH/there.shm")" "$(seq 1000)"
	wait_for 10 grep -qx 1000 "$SCRATCH/seen"
	diff "$SCRATCH/seen" <(seq 1000)
}
