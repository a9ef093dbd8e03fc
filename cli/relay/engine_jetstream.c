/*
 * Streams of NATS JetStream, by libnats.  This is the only file that knows
 * either, which is why it is longer than others.
 *
 * The header Nats-Expected-Last-Sequence makes the server refuse a message
 * unless the stream ends with that number.  It is checked for each message, in
 * the order in which they were sent, so any number may be on their way, and the
 * server keeps nothing for it.  (Its own removal of duplicates goes by an
 * identifier that it remembers for two minutes, at some 200 bytes each.)
 * Linked messages have an identifier nevertheless, which no other message ever
 * has, and name that of the one before them.
 *
 * The library is not let connect again by itself: what it would send again then
 * is decided by the relay, once it has looked at the stream.  Nor is it asked
 * for calls on its threads; only its report of an error comes from one of
 * these.
 */
#include "clock.h"
#include "engine.h"
#include "json_check.h"
#include "json_scan.h"
#include "numbers.h"

#include <inttypes.h>
#include <nats/nats.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_MS 1000000
/* How often a login by a signature is tried. */
#define SIGNED_TRIES 4
/* What libnats gathers before it writes, and reads at once. */
#define IO_BYTES (128 << 10)
/* A server that says nothing for this long, three times, is gone. */
#define PING_MS 2000
/* A write that is stuck for so long has lost the connection. */
#define WRITE_MS 5000
/* How many messages and bytes one request asks for.  The next request is made
 * when no more messages than that are still to come, so that the server never
 * waits for one; two of them bound what waits in memory.  How long a request
 * lasts, and how often the server says that it is there. */
#define REQUEST_MESSAGES 2048
#define REQUEST_BYTES (2 << 20)
#define REQUEST_NS INT64_C(10000000000)
#define BEAT_NS INT64_C(1000000000)
#define SILENCE_NS (4 * BEAT_NS)
/* How long the server keeps a consumer that nobody asks for messages. */
#define CONSUMER_NS INT64_C(60000000000)
/* The server's removal of duplicates is not used: as short as it can be. */
#define DUPLICATES_NS INT64_C(100000000)

#define HEADER_EXPECTED "Nats-Expected-Last-Sequence"
#define HEADER_ID "Nats-Msg-Id"
#define HEADER_EXPECTED_ID "Nats-Expected-Last-Msg-Id"
#define HEADER_CURSOR "Shmlog-Cursor"
#define HEADER_LOG "Shmlog-Log"
#define HEADER_FRAMES "Shmlog-Frames"

#define TOPIC_BYTES 256
#define INBOX_BYTES 128
/* INBOX.ROUND.SEQUENCE */
#define REPLY_BYTES (INBOX_BYTES + 2 * (CLI_U64_MAX + 1))

struct jetstream {
	struct engine engine; /* first: one is the other */
	const struct engine_options *options;
	natsConnection *connection;
	jsCtx *context;
	char **found; /* servers that the last one named, found_count of them */
	int found_count;
	char url[256];
	char topic[TOPIC_BYTES];
	bool takes_topic;        /* messages can be published to it */
	bool was_described;      /* a server has answered once */
	_Atomic bool forbidden;  /* libnats reports something that is not
	                          * permitted */
	natsMsg *held;           /* what the caller was handed out */
	natsSubscription *inbox; /* receipts come here */
	char inbox_name[INBOX_BYTES];
	uint64_t round;  /* in which they were asked for */
	uint64_t linked; /* the last linked message of this round; 0: none */
	/* What is followed: its messages come by the last of the names of a
	 * subscription that lasts as long as the connection. */
	natsSubscription *delivery;
	char delivery_inbox[INBOX_BYTES];
	char delivery_name[REPLY_BYTES];
	uint64_t follows; /* the number of that name */
	char consumer[128];
	char consumer_word[130]; /* it, as a word of a subject: between dots */
	uint64_t delivered;      /* by this consumer */
	uint64_t
		requested; /* messages that are still to come of all requests */
	int64_t heard_ns;  /* when the server was last heard of */
};

static struct jetstream *self(struct engine *engine)
{
	return (struct jetstream *)engine;
}

/* ---------------------------------------------------------------- failures */

/* What the server's own number for an error means here. */
static enum engine_status judge_code(uint64_t code)
{
	switch (code) {
	case JSStreamWrongLastMsgIDErr:
	case JSStreamWrongLastSequenceErr: return ENGINE_MISPLACED;
	case JSStreamNotFoundErr: return ENGINE_NO_STREAM;
	case JSNoMessageFoundErr: return ENGINE_NO_MESSAGE;
	case JSStreamMessageExceedsMaximumErr: return ENGINE_TOO_LARGE;
	case JSStreamStoreFailedErr:
	case JSStorageResourcesExceededErr:
	case JSMemoryResourcesExceededErr:
	case JSInsufficientResourcesErr:
	case JSAccountResourcesExceededErr: return ENGINE_FULL;
	/* Also said by a cluster whose members have yet to find each other. */
	case JSClusterNoPeersErr:
	case JSClusterNotAvailErr:
	case JSClusterNotLeaderErr:
	case JSClusterNotAssignedErr:
	case JSClusterIncompleteErr:
	case JSStreamOfflineErr:
	case JSConsumerOfflineErr:
	case JSStreamGeneralError:
	case JSRaftGeneralErr:
	case 10167: /* too many requests */ return ENGINE_BUSY;
	default: return ENGINE_REFUSED;
	}
}

static enum engine_status judge_status(struct jetstream *stream,
                                       natsStatus status)
{
	switch (status) {
	case NATS_CONNECTION_AUTH_FAILED:
	case NATS_NOT_PERMITTED:
	case NATS_SECURE_CONNECTION_WANTED:
	case NATS_SECURE_CONNECTION_REQUIRED:
	case NATS_SSL_ERROR:
	case NATS_INVALID_ARG:
	case NATS_INVALID_SUBJECT: return ENGINE_REFUSED;
	case NATS_MAX_PAYLOAD: return ENGINE_TOO_LARGE;
	case NATS_NO_RESPONDERS:
		return stream->was_described ? ENGINE_BUSY : ENGINE_REFUSED;
	default: return ENGINE_LOST;
	}
}

/* Without the place in libnats that texts begin with: "(conn.c:1905): ". */
static void explain(struct jetstream *stream, const char *text)
{
	const char *behind = text[0] == '(' ? strstr(text, "): ") : NULL;

	if (behind != NULL)
		text = behind + 3;
	(void)snprintf(stream->engine.why, sizeof(stream->engine.why), "%s",
	               text);
}

/* The result of a call of libnats, and why it failed. */
static enum engine_status finish(struct jetstream *stream, natsStatus status,
                                 jsErrCode code)
{
	natsStatus last = NATS_OK;
	const char *detail;

	if (status == NATS_OK)
		return ENGINE_OK;
	detail = nats_GetLastError(&last);
	if (atomic_load(&stream->forbidden)) {
		if (stream->connection != NULL)
			(void)natsConnection_GetLastError(stream->connection,
			                                  &detail);
		explain(stream, detail != NULL && detail[0] != '\0'
		                        ? detail
		                        : "not permitted");
		return ENGINE_REFUSED;
	}
	if (status == NATS_NO_RESPONDERS)
		explain(stream, "the server has no JetStream");
	else if (last == status && detail != NULL && detail[0] != '\0')
		explain(stream, detail);
	else
		explain(stream, natsStatus_GetText(status));
	return code != 0 ? judge_code(code) : judge_status(stream, status);
}

/* Called on a thread of libnats. */
static void note_error(natsConnection *connection,
                       natsSubscription *subscription, natsStatus status,
                       void *context)
{
	struct jetstream *stream = context;

	(void)connection;
	(void)subscription;
	if (status == NATS_NOT_PERMITTED)
		atomic_store(&stream->forbidden, true);
}

/* --------------------------------------------------------------- connecting */

static struct engine *make(const struct engine_options *options)
{
	struct jetstream *stream = calloc(1, sizeof(*stream));

	if (stream == NULL)
		return NULL;
	stream->options = options;
	if (options->topic != NULL)
		(void)snprintf(stream->topic, sizeof(stream->topic), "%s",
		               options->topic);
	return &stream->engine;
}

static void release_held(struct jetstream *stream)
{
	natsMsg_Destroy(stream->held);
	stream->held = NULL;
}

/* Ends what is followed; the server forgets the consumer by itself, too. */
static void stop_following(struct jetstream *stream)
{
	jsOptions options;

	if (stream->consumer[0] != '\0' && stream->context != NULL &&
	    jsOptions_Init(&options) == NATS_OK) {
		options.Wait = 1000;
		(void)js_DeleteConsumer(stream->context,
		                        stream->options->stream,
		                        stream->consumer, &options, NULL);
	}
	stream->consumer[0] = '\0';
}

static void disconnect(struct engine *engine)
{
	struct jetstream *stream = self(engine);

	release_held(stream);
	if (stream->connection != NULL &&
	    !natsConnection_IsClosed(stream->connection))
		stop_following(stream);
	/* A thread of libnats that reads may have a subscription in hand, also
	 * one that is destroyed; this ends the thread. */
	natsConnection_Close(stream->connection);
	natsSubscription_Destroy(stream->delivery);
	natsSubscription_Destroy(stream->inbox);
	jsCtx_Destroy(stream->context);
	natsConnection_Destroy(stream->connection);
	stream->delivery = stream->inbox = NULL;
	stream->consumer[0] = '\0';
	stream->context = NULL;
	stream->connection = NULL;
	stream->url[0] = '\0';
}

static void forget_found(struct jetstream *stream)
{
	for (int i = 0; i < stream->found_count; i++)
		free(stream->found[i]);
	free(stream->found);
	stream->found = NULL;
	stream->found_count = 0;
}

static void free_stream(struct engine *engine)
{
	disconnect(engine);
	forget_found(self(engine));
	free(engine);
}

/* The servers that were given, and those of the same cluster that they have
 * named. */
static natsStatus set_servers(struct jetstream *stream, natsOptions *options)
{
	size_t given = stream->options->server_count;
	size_t count = given + (size_t)stream->found_count;
	const char **servers = calloc(count, sizeof(*servers));

	if (servers == NULL)
		return NATS_NO_MEMORY;
	for (size_t i = 0; i < count; i++)
		servers[i] = i < given ? stream->options->servers[i]
		                       : stream->found[i - given];
	natsStatus status = natsOptions_SetServers(options, servers,
	                                           (int)count);

	free(servers);
	return status;
}

static bool is_secure(const struct engine_options *options)
{
	if (options->login.ca_file != NULL ||
	    options->login.certificate_file != NULL)
		return true;
	for (size_t i = 0; i < options->server_count; i++) {
		if (strncmp(options->servers[i], "tls:", 4) == 0)
			return true;
	}
	return false;
}

static natsStatus set_login(const struct engine_options *from,
                            natsOptions *options)
{
	const struct engine_login *login = &from->login;
	natsStatus status = NATS_OK;

	if (is_secure(from))
		status = natsOptions_SetSecure(options, true);
	if (status == NATS_OK && login->ca_file != NULL)
		status = natsOptions_LoadCATrustedCertificates(options,
		                                               login->ca_file);
	if (status == NATS_OK && login->certificate_file != NULL)
		status = natsOptions_LoadCertificatesChain(
			options, login->certificate_file, login->key_file);
	if (status == NATS_OK && login->user != NULL)
		status = natsOptions_SetUserInfo(options, login->user,
		                                 login->password);
	if (status == NATS_OK && login->token != NULL)
		status = natsOptions_SetToken(options, login->token);
	if (status == NATS_OK && login->credentials_file != NULL)
		status = natsOptions_SetUserCredentialsFromFiles(
			options, login->credentials_file, NULL);
	return status;
}

static natsStatus set_options(struct jetstream *stream, natsOptions *options)
{
	int64_t answer_ms = stream->options->answer_ns / NS_PER_MS;
	natsStatus status = set_servers(stream, options);

	if (status == NATS_OK)
		status = set_login(stream->options, options);
	if (status == NATS_OK)
		status = natsOptions_SetAllowReconnect(options, false);
	if (status == NATS_OK)
		status = natsOptions_SetTimeout(options, answer_ms);
	if (status == NATS_OK)
		status = natsOptions_SetPingInterval(options, PING_MS);
	if (status == NATS_OK)
		status = natsOptions_SetMaxPingsOut(options, 2);
	if (status == NATS_OK)
		status = natsOptions_SetWriteDeadline(options, WRITE_MS);
	if (status == NATS_OK)
		status = natsOptions_SetIOBufSize(options, IO_BYTES);
	if (status == NATS_OK)
		status = natsOptions_SetName(options, "shmlog relay");
	if (status == NATS_OK)
		status = natsOptions_SetErrorHandler(options, note_error,
		                                     stream);
	return status;
}

/* By credentials it is tried again: libnats leaves out a signature whose first
 * byte is zero, as one in 256 is, and each try has another one. */
static natsStatus try_to_connect(struct jetstream *stream, natsOptions *options)
{
	bool signs = stream->options->login.credentials_file != NULL;
	natsStatus status = NATS_CONNECTION_AUTH_FAILED;

	for (int left = signs ? SIGNED_TRIES : 1;
	     left > 0 && status == NATS_CONNECTION_AUTH_FAILED; left--)
		status = natsConnection_Connect(&stream->connection, options);
	return status;
}

/* Threads that libnats starts leave all signals to this one: a sleep here must
 * end when one comes. */
static natsStatus connect_quietly(struct jetstream *stream)
{
	natsOptions *options = NULL;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	natsStatus status = natsOptions_Create(&options);

	if (status == NATS_OK)
		status = set_options(stream, options);
	if (status == NATS_OK)
		status = try_to_connect(stream, options);
	natsOptions_Destroy(options);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return status;
}

/* A name that nobody else listens to. */
static natsStatus make_inbox(char name_out[INBOX_BYTES])
{
	natsInbox *inbox = NULL;
	natsStatus status = natsInbox_Create(&inbox);

	if (status == NATS_OK)
		(void)snprintf(name_out, INBOX_BYTES, "%s", inbox);
	natsInbox_Destroy(inbox);
	return status;
}

/* The subscription that receipts come by. */
static natsStatus open_inbox(struct jetstream *stream)
{
	char name[140];
	natsStatus status = make_inbox(stream->inbox_name);

	if (status != NATS_OK)
		return status;
	(void)snprintf(name, sizeof(name), "%s.>", stream->inbox_name);
	return natsConnection_SubscribeSync(&stream->inbox, stream->connection,
	                                    name);
}

static enum engine_status connect_to(struct engine *engine)
{
	struct jetstream *stream = self(engine);
	jsOptions options;

	disconnect(engine);
	atomic_store(&stream->forbidden, false);
	natsStatus status = connect_quietly(stream);

	if (status == NATS_OK)
		status = natsConnection_GetConnectedUrl(
			stream->connection, stream->url, sizeof(stream->url));
	if (status == NATS_OK)
		status = jsOptions_Init(&options);
	if (status == NATS_OK) {
		options.Wait = stream->options->answer_ns / NS_PER_MS;
		status = natsConnection_JetStream(&stream->context,
		                                  stream->connection, &options);
	}
	if (status == NATS_OK)
		status = open_inbox(stream);
	if (status != NATS_OK)
		return finish(stream, status, 0);
	forget_found(stream);
	(void)natsConnection_GetDiscoveredServers(
		stream->connection, &stream->found, &stream->found_count);
	return ENGINE_OK;
}

static const char *server(struct engine *engine)
{
	return self(engine)->url;
}

/* --------------------------------------------------------------- the stream */

/* A part of a subject: no dot, no wildcard, no blank. */
static bool is_stream_name(const char *name)
{
	static const char forbidden[] = " .*>/\\\t\r\n";

	return name[0] != '\0' && name[strcspn(name, forbidden)] == '\0';
}

static bool is_wild(const char *subject)
{
	return strpbrk(subject, "*>") != NULL;
}

/* Whether a subject is among those of a pattern: `*` is any word, and `>` all
 * words behind it. */
static bool takes_subject(const char *pattern, const char *subject)
{
	for (;;) {
		size_t wanted = strcspn(pattern, ".");
		size_t given = strcspn(subject, ".");

		if (strcmp(pattern, ">") == 0)
			return true;
		if (!(wanted == 1 && *pattern == '*') &&
		    (wanted != given || memcmp(pattern, subject, given) != 0))
			return false;
		pattern += wanted;
		subject += given;
		if (*pattern == '\0' || *subject == '\0')
			return *pattern == *subject;
		pattern++;
		subject++;
	}
}

/* Takes the stream's only subject for the topic where none was given, and looks
 * whether messages can be published to the topic. */
static void find_topic(struct jetstream *stream, const jsStreamConfig *config)
{
	bool only = config->SubjectsLen == 1 && !is_wild(config->Subjects[0]);

	if (stream->topic[0] == '\0' && only)
		(void)snprintf(stream->topic, sizeof(stream->topic), "%s",
		               config->Subjects[0]);
	stream->takes_topic = false;
	for (int i = 0; i < config->SubjectsLen; i++)
		stream->takes_topic |= !is_wild(stream->topic) &&
		                       takes_subject(config->Subjects[i],
		                                     stream->topic);
}

/* Asks about the stream.  The members of a cluster that have yet to agree on
 * who leads leave a question without an answer for good, so it is asked again
 * before the time for an answer is over; the last time has most of it. */
static natsStatus ask_of_stream(struct jetstream *stream, jsStreamInfo **info,
                                jsErrCode *code)
{
	int64_t left_ms = stream->options->answer_ns / NS_PER_MS;
	int64_t short_ms = left_ms / 5;
	jsOptions options;
	natsStatus status = jsOptions_Init(&options);

	if (status != NATS_OK)
		return status;
	for (int tries = 3; tries > 0; tries--) {
		options.Wait = tries > 1 ? short_ms : left_ms;
		left_ms -= options.Wait;
		status = js_GetStreamInfo(info, stream->context,
		                          stream->options->stream, &options,
		                          code);
		if (status != NATS_TIMEOUT)
			break;
	}
	return status;
}

static enum engine_status describe(struct engine *engine,
                                   struct engine_stream *stream_out)
{
	struct jetstream *stream = self(engine);
	jsStreamInfo *info = NULL;
	jsErrCode code = 0;
	natsStatus status = ask_of_stream(stream, &info, &code);

	if (status != NATS_OK)
		return finish(stream, status, code);
	stream->was_described = true;
	*stream_out = (struct engine_stream){
		.first_sequence = info->State.FirstSeq,
		.last_sequence = info->State.LastSeq,
		.messages = info->State.Msgs,
		.bytes = info->State.Bytes,
		.created_ns = info->Created,
		.chosen = stream->options->topic != NULL &&
	                  (info->Config->SubjectsLen != 1 ||
	                   strcmp(info->Config->Subjects[0],
	                          stream->options->topic) != 0),
	};
	find_topic(stream, info->Config);
	jsStreamInfo_Destroy(info);
	return ENGINE_OK;
}

static enum engine_status create(struct engine *engine,
                                 const struct engine_limits *limits)
{
	struct jetstream *stream = self(engine);
	jsStreamConfig config;
	jsErrCode code = 0;
	const char *subjects[1];

	if (stream->topic[0] == '\0')
		(void)snprintf(stream->topic, sizeof(stream->topic),
		               "shmlog.%s", stream->options->stream);
	subjects[0] = stream->topic;
	natsStatus status = jsStreamConfig_Init(&config);

	if (status != NATS_OK)
		return finish(stream, status, 0);
	config.Name = stream->options->stream;
	config.Subjects = subjects;
	config.SubjectsLen = 1;
	config.Storage = js_FileStorage;
	config.Replicas = (int64_t)limits->replicas;
	config.Duplicates = DUPLICATES_NS;
	config.AllowDirect = true;
	if (limits->max_bytes > 0)
		config.MaxBytes = (int64_t)limits->max_bytes;
	status = js_AddStream(NULL, stream->context, &config, NULL, &code);
	stream->was_described = true;
	enum engine_status made = finish(stream, status, code);

	/* No room for its limits, rather than for a message. */
	return made == ENGINE_FULL ? ENGINE_REFUSED : made;
}

/* ----------------------------------------------------------------- messages */

static bool header_u64(natsMsg *message, const char *name, uint64_t *value_out)
{
	const char *text;

	return natsMsgHeader_Get(message, name, &text) == NATS_OK &&
	       cli_parse_u64(text, value_out);
}

/* What the relay has written beside the bytes. */
static void take_message(natsMsg *from, struct engine_message *message_out)
{
	const char *log;

	message_out->bytes = natsMsg_GetData(from);
	message_out->size_bytes = (size_t)natsMsg_GetDataLength(from);
	message_out->stamped = header_u64(from, HEADER_CURSOR,
	                                  &message_out->cursor);
	if (!message_out->stamped)
		return;
	(void)header_u64(from, HEADER_FRAMES, &message_out->frames);
	if (natsMsgHeader_Get(from, HEADER_LOG, &log) == NATS_OK)
		(void)snprintf(message_out->log, sizeof(message_out->log), "%s",
		               log);
}

static enum engine_status read_message(struct engine *engine, uint64_t sequence,
                                       struct engine_message *message_out)
{
	struct jetstream *stream = self(engine);
	jsErrCode code = 0;

	release_held(stream);
	natsStatus status = js_GetMsg(&stream->held, stream->context,
	                              stream->options->stream, sequence, NULL,
	                              &code);

	if (status != NATS_OK)
		return finish(stream, status, code);
	*message_out = (struct engine_message){.sequence = sequence};
	take_message(stream->held, message_out);
	return ENGINE_OK;
}

static void print_u64(char out[CLI_U64_MAX + 1], uint64_t value)
{
	out[cli_put_u64((unsigned char *)out, value)] = '\0';
}

/* Where the receipt of a message of this round goes, and its identifier. */
static void print_reply(char out[REPLY_BYTES], const struct jetstream *stream,
                        uint64_t sequence)
{
	(void)snprintf(out, REPLY_BYTES, "%s.%" PRIu64 ".%" PRIu64,
	               stream->inbox_name, stream->round, sequence);
}

/* The message before the first one of a round is not named: its identifier may
 * be forgotten, and the relay has looked at it. */
static natsStatus set_link(natsMsg *to, struct jetstream *stream,
                           uint64_t sequence)
{
	char name[REPLY_BYTES];

	print_reply(name, stream, sequence);
	natsStatus status = natsMsgHeader_Set(to, HEADER_ID, name);

	if (status == NATS_OK && stream->linked > 0) {
		print_reply(name, stream, stream->linked);
		status = natsMsgHeader_Set(to, HEADER_EXPECTED_ID, name);
	}
	stream->linked = sequence;
	return status;
}

static natsStatus set_headers(natsMsg *to, const struct engine_message *message)
{
	char number[CLI_U64_MAX + 1];

	natsStatus status = NATS_OK;

	/* A campaign shows what happens without it. */
#ifndef SHMLOG_TEST_UNCHAINED
	print_u64(number, message->sequence - 1);
	status = natsMsgHeader_Set(to, HEADER_EXPECTED, number);
#endif
	if (status == NATS_OK && message->stamped) {
		print_u64(number, message->cursor);
		status = natsMsgHeader_Set(to, HEADER_CURSOR, number);
	}
	if (status == NATS_OK && message->log[0] != '\0')
		status = natsMsgHeader_Set(to, HEADER_LOG, message->log);
	if (status == NATS_OK && message->frames > 0) {
		print_u64(number, message->frames);
		status = natsMsgHeader_Set(to, HEADER_FRAMES, number);
	}
	return status;
}

static enum engine_status publish(struct engine *engine,
                                  const struct engine_message *message,
                                  bool wants_receipt)
{
	struct jetstream *stream = self(engine);
	char reply[REPLY_BYTES];
	natsMsg *out = NULL;

	if (stream->topic[0] == '\0') {
		explain(stream, "the stream has several subjects, or one with "
		                "a wildcard: --subject must say which");
		return ENGINE_REFUSED;
	}
	if (!stream->takes_topic) {
		explain(stream, "the stream has no such subject to send to");
		return ENGINE_REFUSED;
	}
	print_reply(reply, stream, message->sequence);
	natsStatus status = natsMsg_Create(
		&out, stream->topic, wants_receipt ? reply : NULL,
		message->bytes, (int)message->size_bytes);

	if (status == NATS_OK)
		status = set_headers(out, message);
	if (status == NATS_OK && message->linked)
		status = set_link(out, stream, message->sequence);
	if (status == NATS_OK)
		status = natsConnection_PublishMsg(stream->connection, out);
	natsMsg_Destroy(out);
	return finish(stream, status, 0);
}

/* The answer to the ping behind it is not needed, but without it what waits is
 * written within a millisecond only. */
static enum engine_status flush(struct engine *engine)
{
	struct jetstream *stream = self(engine);
	natsStatus status = natsConnection_FlushTimeout(stream->connection,
	                                                1000);

	if (status == NATS_TIMEOUT)
		return ENGINE_OK;
	return finish(stream, status, 0);
}

/* ----------------------------------------------------------------- receipts */

/* The numbers behind the inbox in a reply: the round, and the message. */
static bool parse_reply(const struct jetstream *stream, const char *subject,
                        uint64_t *round_out, uint64_t *sequence_out)
{
	size_t length = strlen(stream->inbox_name);
	char *end;

	if (strncmp(subject, stream->inbox_name, length) != 0 ||
	    subject[length] != '.')
		return false;
	*round_out = strtoull(subject + length + 1, &end, 10);
	return *end == '.' && cli_parse_u64(end + 1, sequence_out);
}

/* Copies what the server says about an error. */
static void explain_error(struct jetstream *stream,
                          struct cli_json_span description)
{
	struct cli_json_span inside = cli_json_inside(description);

	(void)snprintf(stream->engine.why, sizeof(stream->engine.why), "%.*s",
	               (int)inside.size_bytes, (const char *)inside.bytes);
}

/* {"code":400,"err_code":10071,"description":"wrong last sequence: 5"} */
static enum engine_status judge_error(struct jetstream *stream,
                                      struct cli_json_span error)
{
	struct cli_json_scan scan;
	struct cli_json_member member;
	uint64_t code = 0;

	explain(stream, "the server refuses the message");
	if (!cli_json_begin_object(&scan, (const char *)error.bytes,
	                           error.size_bytes))
		return ENGINE_REFUSED;
	while (cli_json_take_member(&scan, &member)) {
		if (cli_json_string_is(member.name, "err_code"))
			(void)cli_json_span_u64(member.value, &code);
		else if (cli_json_string_is(member.name, "description") &&
		         cli_json_is_string(member.value))
			explain_error(stream, member.value);
	}
	return judge_code(code);
}

/* {"stream":"S","seq":5}, or with an "error". */
static enum engine_status judge_receipt(struct jetstream *stream,
                                        const char *text, size_t size_bytes,
                                        uint64_t expected)
{
	struct cli_json_scan scan;
	struct cli_json_member member;
	struct cli_json_error error;
	uint64_t sequence = 0;

	if (!cli_json_check(text, size_bytes, &error) ||
	    !cli_json_begin_object(&scan, text, size_bytes))
		return ENGINE_LOST;
	while (cli_json_take_member(&scan, &member)) {
		if (cli_json_string_is(member.name, "error"))
			return judge_error(stream, member.value);
		if (cli_json_string_is(member.name, "seq"))
			(void)cli_json_span_u64(member.value, &sequence);
	}
	return sequence == expected ? ENGINE_OK : ENGINE_MISPLACED;
}

/* The next message of a subscription: NATS_TIMEOUT without a wait where none is
 * there and none is to be waited for. */
static natsStatus take_next(natsSubscription *from, int64_t most_ns,
                            natsMsg **message_out)
{
	uint64_t queued = 0;

	if (most_ns <= 0) {
		natsStatus status = natsSubscription_QueuedMsgs(from, &queued);

		if (status != NATS_OK || queued == 0)
			return status == NATS_OK ? NATS_TIMEOUT : status;
	}
	return natsSubscription_NextMsg(
		message_out, from, (most_ns + NS_PER_MS - 1) / NS_PER_MS + 1);
}

/* What becomes of a call that has waited in vain. */
static enum engine_status judge_silence(struct jetstream *stream)
{
	if (natsConnection_IsClosed(stream->connection)) {
		explain(stream, "the connection was closed");
		return ENGINE_LOST;
	}
	return atomic_load(&stream->forbidden)
	               ? finish(stream, NATS_NOT_PERMITTED, 0)
	               : ENGINE_NONE;
}

static enum engine_status receipt(struct engine *engine, int64_t most_ns,
                                  uint64_t *sequence_out)
{
	struct jetstream *stream = self(engine);
	enum engine_status judged;
	uint64_t round = 0;
	natsMsg *message = NULL;

	for (;;) {
		natsStatus status = take_next(stream->inbox, most_ns, &message);

		if (status == NATS_TIMEOUT)
			return judge_silence(stream);
		/* The stream is gone, as the next look at it will tell, or its
		 * servers have yet to agree on who leads. */
		if (status == NATS_NO_RESPONDERS) {
			explain(stream, "nobody takes messages of its subject");
			return ENGINE_BUSY;
		}
		if (status != NATS_OK)
			return finish(stream, status, 0);
		if (parse_reply(stream, natsMsg_GetSubject(message), &round,
		                sequence_out) &&
		    round == stream->round)
			break;
		natsMsg_Destroy(message);
	}
	judged = judge_receipt(stream, natsMsg_GetData(message),
	                       (size_t)natsMsg_GetDataLength(message),
	                       *sequence_out);
	natsMsg_Destroy(message);
	return judged;
}

static void forget(struct engine *engine)
{
	self(engine)->round++;
	self(engine)->linked = 0;
}

/* ---------------------------------------------------------------- following */

static natsStatus make_consumer(struct jetstream *stream, uint64_t sequence,
                                uint64_t *waiting_out, jsErrCode *code)
{
	jsConsumerConfig config;
	jsConsumerInfo *info = NULL;
	natsStatus status = jsConsumerConfig_Init(&config);

	if (status != NATS_OK)
		return status;
	config.DeliverPolicy = js_DeliverByStartSequence;
	config.OptStartSeq = sequence;
	config.AckPolicy = js_AckNone;
	config.ReplayPolicy = js_ReplayInstant;
	config.FilterSubject = stream->options->topic;
	config.InactiveThreshold = CONSUMER_NS;
	config.MemoryStorage = true;
	status = js_AddConsumer(&info, stream->context, stream->options->stream,
	                        &config, NULL, code);
	if (status != NATS_OK)
		return status;
	*waiting_out = info->NumPending;
	(void)snprintf(stream->consumer, sizeof(stream->consumer), "%s",
	               info->Name);
	(void)snprintf(stream->consumer_word, sizeof(stream->consumer_word),
	               ".%s.", stream->consumer);
	jsConsumerInfo_Destroy(info);
	return NATS_OK;
}

/* The subscription that messages of all that is followed come by. */
static natsStatus open_delivery(struct jetstream *stream)
{
	char name[INBOX_BYTES + 2];

	if (stream->delivery != NULL)
		return NATS_OK;
	natsStatus status = make_inbox(stream->delivery_inbox);

	(void)snprintf(name, sizeof(name), "%s.>", stream->delivery_inbox);
	if (status == NATS_OK)
		status = natsConnection_SubscribeSync(&stream->delivery,
		                                      stream->connection, name);
	/* One request bounds what waits. */
	return status == NATS_OK ? natsSubscription_SetPendingLimits(
					   stream->delivery, -1, -1)
	                         : status;
}

static enum engine_status follow(struct engine *engine, uint64_t sequence,
                                 uint64_t *waiting_out)
{
	struct jetstream *stream = self(engine);
	jsErrCode code = 0;

	stop_following(stream);
	natsStatus status = open_delivery(stream);

	(void)snprintf(stream->delivery_name, sizeof(stream->delivery_name),
	               "%s.%" PRIu64, stream->delivery_inbox,
	               ++stream->follows);
	if (status == NATS_OK)
		status = make_consumer(stream, sequence, waiting_out, &code);
	stream->delivered = 0;
	stream->requested = 0;
	return finish(stream, status, code);
}

/* Asks for more. */
static natsStatus request_more(struct jetstream *stream)
{
	int64_t most_bytes = 2 *
	                     natsConnection_GetMaxPayload(stream->connection);
	char subject[320], request[160];

	if (most_bytes < REQUEST_BYTES)
		most_bytes = REQUEST_BYTES;
	(void)snprintf(subject, sizeof(subject),
	               "$JS.API.CONSUMER.MSG.NEXT.%s.%s",
	               stream->options->stream, stream->consumer);
	int length = snprintf(
		request, sizeof(request),
		"{\"batch\":%d,\"max_bytes\":%" PRId64 ",\"expires\":%" PRId64
		",\"idle_heartbeat\":%" PRId64 "}",
		REQUEST_MESSAGES, most_bytes, REQUEST_NS, BEAT_NS);
	natsStatus status = natsConnection_PublishRequest(
		stream->connection, subject, stream->delivery_name, request,
		length);

	/* While messages of another request come, there is no hurry: the
	 * library sends it within a millisecond, and an answer to this call
	 * would have to come behind them. */
	if (status == NATS_OK && stream->requested == 0)
		status = natsConnection_FlushTimeout(stream->connection, 1000);
	if (status == NATS_TIMEOUT)
		status = NATS_OK;
	if (status == NATS_OK) {
		stream->requested += REQUEST_MESSAGES;
		stream->heard_ns = cli_now_ns();
	}
	return status;
}

/*
 * What the server says about a message stands in its reply subject:
 * $JS.ACK.STREAM.CONSUMER.TRIES.SEQUENCE.COUNT.TIME.WAITING, or, in newer ones,
 * with a domain and an account before the stream and a word at the end.
 */
static bool parse_place(const char *reply, uint64_t *sequence_out,
                        uint64_t *count_out, uint64_t *waiting_out)
{
	uint64_t numbers[16] = {0};
	size_t words = 1;

	/* Only the numbers are read as such; other words come to nothing. */
	for (; *reply != '\0' && words < 16; reply++)
		if (*reply == '.')
			words++;
		else
			numbers[words - 1] = numbers[words - 1] * 10 +
			                     (uint64_t)(*reply - '0');
	if (words != 9 && words < 11)
		return false;
	size_t at = words == 9 ? 5 : 7;

	*sequence_out = numbers[at];
	*count_out = numbers[at + 1];
	*waiting_out = numbers[at + 3];
	return true;
}

/* A message without a reply is the server's own: that it is there, that the
 * request has ended, or that there is no such consumer any more. */
static enum engine_status take_notice(struct jetstream *stream,
                                      natsMsg *message)
{
	const char *code = "", *text = "";
	uint64_t left;

	(void)natsMsgHeader_Get(message, "Status", &code);
	(void)natsMsgHeader_Get(message, "Description", &text);
	if (strcmp(code, "100") == 0)
		return ENGINE_NONE;
	if (natsMsg_IsNoResponders(message) ||
	    strstr(text, "Deleted") != NULL) {
		explain(stream, "the server has forgotten who reads");
		return ENGINE_LOST;
	}
	/* It has ended before all came.  Older servers do not say how many did
	 * not: then one request too many is made. */
	if (!header_u64(message, "Nats-Pending-Messages", &left) ||
	    left > stream->requested)
		left = stream->requested;
	stream->requested -= left;
	return ENGINE_NONE;
}

/* Whether a delivery is of something that is not followed any more.  A message
 * of a stream keeps its own subject, and names the consumer in its reply; the
 * server's own message has the subject that was asked by. */
static bool is_stale(const struct jetstream *stream, natsMsg *message)
{
	const char *reply = natsMsg_GetReply(message);

	if (reply == NULL)
		return strcmp(natsMsg_GetSubject(message),
		              stream->delivery_name) != 0;
	return strstr(reply, stream->consumer_word) == NULL;
}

static enum engine_status take_delivery(struct jetstream *stream,
                                        natsMsg *message,
                                        struct engine_message *message_out)
{
	const char *reply = natsMsg_GetReply(message);
	uint64_t count;

	*message_out = (struct engine_message){0};
	/* It was on its way when something else began to be followed. */
	if (is_stale(stream, message))
		return ENGINE_NONE;
	stream->heard_ns = cli_now_ns();
	if (reply == NULL)
		return take_notice(stream, message);
	if (!parse_place(reply, &message_out->sequence, &count,
	                 &message_out->waiting) ||
	    count != stream->delivered + 1) {
		explain(stream, "a message was lost on the way");
		return ENGINE_LOST;
	}
	stream->delivered = count;
	stream->requested -= stream->requested > 0;
	take_message(message, message_out);
	return ENGINE_OK;
}

static enum engine_status next(struct engine *engine, int64_t most_ns,
                               struct engine_message *message_out)
{
	struct jetstream *stream = self(engine);
	natsStatus status = NATS_OK;

	release_held(stream);
	if (stream->requested < REQUEST_MESSAGES)
		status = request_more(stream);
	if (status == NATS_OK)
		status = take_next(stream->delivery, most_ns, &stream->held);
	if (status == NATS_OK)
		return take_delivery(stream, stream->held, message_out);
	if (status != NATS_TIMEOUT)
		return finish(stream, status, 0);
	if (cli_now_ns() - stream->heard_ns < SILENCE_NS)
		return judge_silence(stream);
	explain(stream, "the server says nothing any more");
	return ENGINE_LOST;
}

static const char *const schemes[] = {"nats", "tls", NULL};

const struct engine_kind engine_jetstream = {
	.schemes = schemes,
	.is_stream_name = is_stream_name,
	.make = make,
	.free = free_stream,
	.connect = connect_to,
	.disconnect = disconnect,
	.server = server,
	.describe = describe,
	.create = create,
	.read = read_message,
	.publish = publish,
	.flush = flush,
	.receipt = receipt,
	.forget = forget,
	.follow = follow,
	.next = next,
};
