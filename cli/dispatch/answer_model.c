/* Calls a model over HTTP; this is the only user of libcurl.  The connections
 * stay open from one call to the next. */
#include "model.h"

#include "call.h"
#include "clock.h"
#include "command.h"
#include "dispatch_options.h"
#include "dispatcher.h"
#include "failure.h"
#include "message.h"
#include "model_reply.h"
#include "request.h"
#include "retry.h"
#include "secret.h"
#include "server_headers.h"
#include "sse.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <shmlog.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A reply that is longer is an error. */
#define MOST_BYTES ((size_t)64 << 20)

/* A place for one call at a time. */
struct transfer {
	struct model_way *way;
	CURL *easy;
	struct call *call; /* NULL: free */
	struct bytes request;
	struct bytes body; /* of a reply that is no stream */
	struct sse sse;
	struct model_reply reply;
	struct server_headers headers;
	int64_t heard_ns; /* when the last byte came */
	bool is_broken;   /* what came cannot be decoded */
	bool is_too_large;
	char why[CURL_ERROR_SIZE];
};

struct model_way {
	struct way way; /* first */
	const struct dispatch_options *options;
	struct pacer *pacer;
	struct secret *secret;
	struct request request;
	CURLM *multi;
	struct curl_slist *headers;
	int64_t timer_ns; /* when libcurl wants to be called; INT64_MAX: not */
	size_t count;
	struct transfer transfers[];
};

static struct model_way *of(struct way *way)
{
	return (struct model_way *)way;
}

static int64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ------------------------------------------------------- what libcurl calls */

static size_t take_header(char *line, size_t one, size_t size_bytes,
                          void *context)
{
	struct transfer *transfer = context;

	(void)one;
	transfer->heard_ns = cli_now_ns();
	server_headers_take(&transfer->headers, line, size_bytes, wall_ns());
	return size_bytes;
}

static bool take_event(void *context, struct cli_json_span name,
                       struct cli_json_span data)
{
	struct transfer *transfer = context;

	return model_reply_take_event(&transfer->reply, name, data);
}

/* The text of a reply that is not whole yet goes on to its readers, but for an
 * end that may be the beginning of the key. */
static void pass_text(struct transfer *transfer, bool is_whole)
{
	struct call *call = transfer->call;
	struct bytes *text = &transfer->reply.text;
	size_t kept;

	if (text->used == 0)
		return;
	if (call->first_ns == 0)
		call->first_ns = transfer->heard_ns;
	secret_wipe_from(transfer->way->secret, text);
	kept = is_whole ? 0 : secret_begun(transfer->way->secret, text);
	text->used -= kept;
	bytes_add(&call->text, text->at, text->used);
	call->text.failed |= text->failed;
	memmove(text->at, text->at + text->used, kept);
	text->used = kept;
}

static size_t take_body(char *bytes, size_t one, size_t size_bytes,
                        void *context)
{
	const struct sse_sink sink = {take_event, context};
	struct transfer *transfer = context;

	(void)one;
	transfer->heard_ns = cli_now_ns();
	if (!transfer->headers.is_stream) {
		bytes_add(&transfer->body, bytes, size_bytes);
		transfer->is_too_large = transfer->body.used > MOST_BYTES;
		return transfer->is_too_large ? 0 : size_bytes;
	}
	transfer->is_broken |= !sse_feed(&transfer->sse, bytes, size_bytes,
	                                 &sink);
	pass_text(transfer, false);
	transfer->is_too_large = transfer->call->text.used > MOST_BYTES;
	return transfer->is_broken || transfer->is_too_large ? 0 : size_bytes;
}

static void take_ready(void *context, int fd, short events)
{
	struct model_way *way = context;
	int running, what = 0;

	if ((events & POLLIN) != 0)
		what |= CURL_CSELECT_IN;
	if ((events & POLLOUT) != 0)
		what |= CURL_CSELECT_OUT;
	if ((events & (POLLERR | POLLHUP | POLLNVAL)) != 0)
		what |= CURL_CSELECT_IN | CURL_CSELECT_OUT;
	(void)curl_multi_socket_action(way->multi, fd, what, &running);
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *context,
                        void *of_socket)
{
	struct model_way *way = context;
	short events = 0;

	(void)easy;
	(void)of_socket;
	if (what == CURL_POLL_REMOVE) {
		loop_forget(way->way.loop, fd);
		return 0;
	}
	if ((what & CURL_POLL_IN) != 0)
		events |= POLLIN;
	if ((what & CURL_POLL_OUT) != 0)
		events |= POLLOUT;
	return loop_watch(way->way.loop, fd, events,
	                  (struct loop_watch){take_ready, way});
}

static int set_timer(CURLM *multi, long ms, void *context)
{
	struct model_way *way = context;

	(void)multi;
	way->timer_ns = ms < 0 ? INT64_MAX
	                       : cli_now_ns() + (int64_t)ms * 1000000;
	return 0;
}

/* ----------------------------------------------------------------- outcomes */

static void set_request_id(struct transfer *transfer)
{
	struct bytes *id = &transfer->reply.request_id;

	if (transfer->headers.request_id[0] == '\0')
		return;
	bytes_clear(id);
	bytes_string(id, "\"");
	bytes_string(id, transfer->headers.request_id);
	bytes_string(id, "\"");
}

static void count_tokens(struct transfer *transfer)
{
	struct call *call = transfer->call;

	call->input_tokens = model_reply_input_tokens(&transfer->reply);
	call->output_tokens = model_reply_output_tokens(&transfer->reply);
}

static void succeed(struct transfer *transfer)
{
	struct call *call = transfer->call;

	set_request_id(transfer);
	pass_text(transfer, true);
	call->outcome = CALL_DONE;
	call->has_text = true;
	bytes_clear(&call->members);
	model_reply_print(&transfer->reply, &call->members);
}

/* An error that the server has told of. */
static void fail_by_server(struct transfer *transfer, long status)
{
	struct call *call = transfer->call;
	struct model_reply *reply = &transfer->reply;
	const struct server_failure failure = {
		.status = status,
		.error_type = reply->error_type,
		.error_code = reply->error_code,
		.has_advice = transfer->headers.has_advice,
		.should_retry = transfer->headers.should_retry,
	};
	char text[64];

	(void)snprintf(text, sizeof(text), "the server answers with status %ld",
	               status);
	call_fail(call, retry_judge(&failure),
	          reply->error_type[0] != '\0' ? reply->error_type : "http",
	          text);
	if (reply->error_text.used > 0) {
		bytes_clear(&call->members);
		bytes_string(&call->members, "\"error\":{\"type\":\"");
		bytes_string(&call->members, call->kind);
		bytes_string(&call->members, "\",\"message\":\"");
		bytes_add(&call->members, reply->error_text.at,
		          reply->error_text.used);
		bytes_string(&call->members, "\"}");
	}
	bytes_string(&call->members, ",\"status\":");
	bytes_u64(&call->members, (uint64_t)status);
	if (reply->request_id.used > 0) {
		bytes_string(&call->members, ",\"request_id\":");
		bytes_add(&call->members, reply->request_id.at,
		          reply->request_id.used);
	}
	call->wait_ns = transfer->headers.wait_ns;
	if (status == 429 && call->wait_ns > 0)
		pacer_pause(transfer->way->pacer, cli_now_ns() + call->wait_ns);
}

/* Failures that every other call would meet as well. */
static bool is_hopeless(CURLcode result)
{
	return result == CURLE_PEER_FAILED_VERIFICATION ||
	       result == CURLE_SSL_CACERT_BADFILE ||
	       result == CURLE_URL_MALFORMAT;
}

static void fail_to_connect(struct transfer *transfer, CURLcode result)
{
	struct call *call = transfer->call;

	if (transfer->is_too_large)
		call_fail(call, CALL_FAILED, "too_large",
		          "the reply is over 64 MiB");
	else if (transfer->is_broken)
		call_fail(call, CALL_RETRY, "bad_reply",
		          "the stream is none of the interface");
	else
		call_fail(call, is_hopeless(result) ? CALL_END : CALL_RETRY,
		          "connection",
		          transfer->why[0] != '\0'
		                  ? transfer->why
		                  : curl_easy_strerror(result));
}

/* Obeys what a reply says about the limits. */
static void obey_limits(struct transfer *transfer)
{
	const struct server_headers *headers = &transfer->headers;

	if (headers->is_spent && headers->reset_ns > 0)
		pacer_pause(transfer->way->pacer,
		            cli_now_ns() + headers->reset_ns - wall_ns());
}

/* Judges what came of a reply that is not streamed. */
static void judge_body(struct transfer *transfer, long status)
{
	struct cli_json_span body = {(const unsigned char *)transfer->body.at,
	                             transfer->body.used};
	bool is_known = body.size_bytes > 0 &&
	                model_reply_take_body(&transfer->reply, body);

	if (status == 200 && is_known && transfer->reply.stopped) {
		transfer->call->first_ns = transfer->heard_ns;
		succeed(transfer);
		return;
	}
	set_request_id(transfer);
	if (status >= 300 && status < 400)
		call_fail(transfer->call, CALL_END, "redirect",
		          "the server answers with a redirect, which is not "
		          "followed");
	else if (status >= 200 && status < 300 && !transfer->reply.failed)
		call_fail(transfer->call, CALL_RETRY, "bad_reply",
		          "the body is none of the interface");
	else
		fail_by_server(transfer, status);
}

/* Judges what came of a stream: without its last event it is broken. */
static void judge_stream(struct transfer *transfer, long status,
                         CURLcode result)
{
	if (transfer->reply.stopped) {
		succeed(transfer);
	} else if (transfer->reply.failed) {
		set_request_id(transfer);
		fail_by_server(transfer, status);
	} else if (result != CURLE_OK) {
		fail_to_connect(transfer, result);
	} else {
		call_fail(transfer->call, CALL_RETRY, "broken_stream",
		          "the stream ended without its last event");
	}
}

static void judge(struct transfer *transfer, CURLcode result)
{
	struct call *call = transfer->call;
	long status = 0;

	(void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE,
	                        &status);
	obey_limits(transfer);
	if (transfer->headers.is_stream && status == 200)
		judge_stream(transfer, status, result);
	else if (result != CURLE_OK)
		fail_to_connect(transfer, result);
	else
		judge_body(transfer, status);
	count_tokens(transfer);
	secret_wipe_from(transfer->way->secret, &call->members);
	call->members.failed |= transfer->body.failed ||
	                        transfer->reply.text.failed;
}

/* Takes a transfer out of libcurl's hands; its place is free then. */
static void end_transfer(struct transfer *transfer)
{
	(void)curl_multi_remove_handle(transfer->way->multi, transfer->easy);
	transfer->call = NULL;
	bytes_clear(&transfer->request);
	bytes_clear(&transfer->body);
	sse_clear(&transfer->sse);
	model_reply_clear(&transfer->reply);
}

/* ------------------------------------------------------------------ the way */

static struct transfer *find_free(struct model_way *way)
{
	for (size_t i = 0; i < way->count; i++) {
		if (way->transfers[i].call == NULL)
			return &way->transfers[i];
	}
	return NULL;
}

static bool start(struct way *way, struct call *call)
{
	struct transfer *transfer = find_free(of(way));
	int running;

	if (transfer == NULL)
		return false;
	if (!request_add(&of(way)->request, call->prompts, call->count,
	                 &transfer->request) ||
	    transfer->request.failed) {
		bool failed = transfer->request.failed;

		bytes_clear(&transfer->request);
		call_fail(call, CALL_FAILED, failed ? "no_memory" : "not_utf8",
		          failed ? "memory was short"
		                 : "the prompt is not UTF-8");
		way_finish(way, call);
		return true;
	}
	transfer->call = call;
	call->of_way = transfer;
	transfer->heard_ns = cli_now_ns();
	transfer->is_broken = transfer->is_too_large = false;
	transfer->why[0] = '\0';
	server_headers_clear(&transfer->headers);
	(void)curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDS,
	                       transfer->request.at);
	(void)curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE_LARGE,
	                       (curl_off_t)transfer->request.used);
	(void)curl_multi_add_handle(of(way)->multi, transfer->easy);
	/* At once, not in the next turn of the loop. */
	(void)curl_multi_socket_action(of(way)->multi, CURL_SOCKET_TIMEOUT, 0,
	                               &running);
	return true;
}

static void cancel(struct way *way, struct call *call)
{
	(void)way;
	end_transfer(call->of_way);
}

static void end_idle(struct model_way *way, int64_t now_ns)
{
	int64_t most_ns = way->options->idle_timeout_ns;

	for (size_t i = 0; i < way->count; i++) {
		struct transfer *transfer = &way->transfers[i];
		struct call *call = transfer->call;

		if (call == NULL || most_ns <= 0 ||
		    now_ns - transfer->heard_ns < most_ns)
			continue;
		end_transfer(transfer);
		call_fail(call, CALL_RETRY, "timeout",
		          "nothing came within the time of --idle-timeout");
		way_finish(&way->way, call);
	}
}

static void end_finished(struct model_way *way)
{
	struct CURLMsg *said;
	int left;

	while ((said = curl_multi_info_read(way->multi, &left)) != NULL) {
		struct transfer *transfer;
		struct call *call;
		void *place = NULL;

		if (said->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(said->easy_handle, CURLINFO_PRIVATE,
		                        &place);
		transfer = place;
		call = transfer->call;
		judge(transfer, said->data.result);
		end_transfer(transfer);
		way_finish(&way->way, call);
	}
}

static void tick(struct way *way, int64_t now_ns)
{
	int running;

	if (of(way)->timer_ns <= now_ns) {
		of(way)->timer_ns = INT64_MAX;
		(void)curl_multi_socket_action(
			of(way)->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	end_finished(of(way));
	end_idle(of(way), now_ns);
}

static int64_t due_ns(const struct way *way)
{
	const struct model_way *model = (const struct model_way *)way;
	int64_t due_ns = model->timer_ns;

	for (size_t i = 0; i < model->count; i++) {
		const struct transfer *transfer = &model->transfers[i];
		int64_t idle_ns = transfer->heard_ns +
		                  model->options->idle_timeout_ns;

		if (transfer->call != NULL &&
		    model->options->idle_timeout_ns > 0 && idle_ns < due_ns)
			due_ns = idle_ns;
	}
	return due_ns;
}

static void close_way(struct way *way)
{
	struct model_way *model = of(way);

	for (size_t i = 0; i < model->count; i++) {
		struct transfer *transfer = &model->transfers[i];

		if (transfer->call != NULL)
			end_transfer(transfer);
		curl_easy_cleanup(transfer->easy);
		bytes_free(&transfer->request);
		bytes_free(&transfer->body);
		sse_free(&transfer->sse);
		model_reply_free(&transfer->reply);
	}
	curl_multi_cleanup(model->multi);
	for (struct curl_slist *header = model->headers; header != NULL;
	     header = header->next)
		memset(header->data, 0, strlen(header->data));
	curl_slist_free_all(model->headers);
	request_release(&model->request);
	free(model);
	curl_global_cleanup();
}

/* ---------------------------------------------------------------- beginning */

static bool add_header(struct model_way *way, const char *name,
                       const char *value)
{
	struct bytes line = {0};
	struct curl_slist *longer = NULL;

	bytes_string(&line, name);
	bytes_string(&line, value);
	bytes_add(&line, "", 1);
	if (!line.failed)
		longer = curl_slist_append(way->headers, line.at);
	if (longer != NULL)
		way->headers = longer;
	if (line.at != NULL)
		memset(line.at, 0, line.used);
	bytes_free(&line);
	return longer != NULL;
}

static bool add_headers(struct model_way *way)
{
	const struct dispatch_options *options = way->options;
	bool is_bearer = options->auth == DISPATCH_AUTH_BEARER ||
	                 (options->auth == DISPATCH_AUTH_BY_KEY &&
	                  way->secret->is_token);

	return add_header(way, "content-type: application/json", "") &&
	       add_header(way, "accept: text/event-stream, application/json",
	                  "") &&
	       add_header(way, "anthropic-version: ", options->api_version) &&
	       /* Else a large body would wait to be asked for. */
	       add_header(way, "Expect:", "") &&
	       add_header(way,
	                  is_bearer ? "authorization: Bearer " : "x-api-key: ",
	                  way->secret->key);
}

/* The certificates that curl(1) would use. */
static void set_certificates(CURL *easy)
{
	const char *bundle = getenv("CURL_CA_BUNDLE");
	const char *folder = getenv("SSL_CERT_DIR");

	if (bundle == NULL || *bundle == '\0')
		bundle = getenv("SSL_CERT_FILE");
	if (bundle != NULL && *bundle != '\0')
		(void)curl_easy_setopt(easy, CURLOPT_CAINFO, bundle);
	if (folder != NULL && *folder != '\0')
		(void)curl_easy_setopt(easy, CURLOPT_CAPATH, folder);
}

static bool make_transfer(struct model_way *way, struct transfer *transfer,
                          const char *url)
{
	CURL *easy = curl_easy_init();

	transfer->way = way;
	transfer->easy = easy;
	if (easy == NULL)
		return false;
	(void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, way->headers);
	(void)curl_easy_setopt(easy, CURLOPT_USERAGENT,
	                       "shmlog/" SHMLOG_VERSION);
	(void)curl_easy_setopt(easy, CURLOPT_POST, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* A redirect would take the key elsewhere. */
	(void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
	                       (long)CURL_HTTP_VERSION_2TLS);
	/* No CURLOPT_PIPEWAIT: with HTTP/1.1 a call would wait for another's
	 * answer.  The first ones make a connection each, the others share. */
	(void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	/* One that compresses unasked is understood nevertheless. */
	(void)curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "identity");
	(void)curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	(void)curl_easy_setopt(
		easy, CURLOPT_CONNECTTIMEOUT_MS,
		(long)(way->options->connect_timeout_ns / 1000000 + 1));
	(void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	(void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->why);
	(void)curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	set_certificates(easy);
	return curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK;
}

static bool has_part(CURLU *url, CURLUPart part)
{
	char *text = NULL;
	bool has = curl_url_get(url, part, &text, 0) == CURLUE_OK;

	curl_free(text);
	return has;
}

/* What no call could be made to is refused before the first one is. */
static int check_url(const char *base)
{
	CURLU *url = curl_url();
	struct cli_quoted quoted;
	bool is_base;

	if (url == NULL)
		return cli_fail(NULL, "cannot start", -ENOMEM);
	is_base = curl_url_set(url, CURLUPART_URL, base, 0) == CURLUE_OK &&
	          !has_part(url, CURLUPART_QUERY) &&
	          !has_part(url, CURLUPART_FRAGMENT);
	curl_url_cleanup(url);
	return is_base ? CLI_OK
	               : cli_usage_error("--base-url %s is no URL to which a "
	                                 "path can be added",
	                                 cli_quote(&quoted, base));
}

static int make_transfers(struct model_way *way)
{
	const char *base = way->options->base_url;
	size_t length = strlen(base);
	struct bytes url = {0};
	bool made = true;
	int status;

	while (length > 0 && base[length - 1] == '/')
		length--;
	bytes_add(&url, base, length);
	bytes_string(&url, "/v1/messages");
	bytes_add(&url, "", 1);
	status = url.failed ? cli_fail(NULL, "cannot start", -ENOMEM)
	                    : check_url(base);
	for (size_t i = 0; status == CLI_OK && i < way->count; i++)
		made &= make_transfer(way, &way->transfers[i], url.at);
	bytes_free(&url);
	return made ? status : cli_fail(NULL, "cannot start", -ENOMEM);
}

static bool make_multi(struct model_way *way)
{
	way->multi = curl_multi_init();
	if (way->multi == NULL)
		return false;
	(void)curl_multi_setopt(way->multi, CURLMOPT_SOCKETFUNCTION,
	                        watch_socket);
	(void)curl_multi_setopt(way->multi, CURLMOPT_SOCKETDATA, way);
	(void)curl_multi_setopt(way->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	(void)curl_multi_setopt(way->multi, CURLMOPT_TIMERDATA, way);
	(void)curl_multi_setopt(way->multi, CURLMOPT_MAXCONNECTS,
	                        (long)(way->count + 4));
	return true;
}

static struct model_way *make_way(const struct dispatch_options *options,
                                  struct dispatcher *dispatcher,
                                  struct secret *secret)
{
	size_t count = (size_t)options->concurrency;
	struct model_way *way = calloc(
		1, sizeof(*way) + count * sizeof(way->transfers[0]));

	if (way == NULL)
		return NULL;
	way->options = options;
	way->pacer = &dispatcher->pacer;
	way->secret = secret;
	way->timer_ns = INT64_MAX;
	way->count = count;
	way->way = (struct way){.loop = &dispatcher->loop,
	                        .start = start,
	                        .cancel = cancel,
	                        .tick = tick,
	                        .due_ns = due_ns,
	                        .close = close_way};
	return way;
}

int answer_model_new(const struct dispatch_options *options,
                     struct dispatcher *dispatcher, struct secret *secret,
                     struct way **way_out)
{
	struct model_way *way;
	int status;

	if (secret->key[0] == '\0')
		return cli_usage_error(
			"no key: ANTHROPIC_API_KEY and ANTHROPIC_AUTH_TOKEN "
			"are not set, and there is no --key-fd");
	secret_hide_process();
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return cli_fail(NULL, "cannot start", -ENOMEM);
	way = make_way(options, dispatcher, secret);
	if (way == NULL)
		return cli_fail(NULL, "cannot start", -ENOMEM);
	*way_out = &way->way;
	status = request_init(&way->request, options);
	if (status != CLI_OK)
		return status;
	dispatcher->can_join = request_can_join;
	if (!add_headers(way) || !make_multi(way))
		return cli_fail(NULL, "cannot start", -ENOMEM);
	return make_transfers(way);
}
