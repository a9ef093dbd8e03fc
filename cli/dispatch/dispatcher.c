/* The one loop: from prompts to calls, and from calls to replies. */
#include "dispatcher.h"

#include "clock.h"
#include "command.h"
#include "failure.h"
#include "message.h"
#include "signals.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <shmlog.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Prompts that may be in memory for each call at a time, and beside these. */
#define WINDOW_FACTOR 16u
#define WINDOW_LEAST 1024u

/* The longest wait: a signal may come right before it. */
#define SLICE_NS INT64_C(250000000)

/* How often the account and the metrics are shown. */
#define TELL_NS INT64_C(1000000000)

static void end_run(struct dispatcher *dispatcher, int status)
{
	dispatcher->over = true;
	if (dispatcher->status == CLI_OK)
		dispatcher->status = status;
}

static void out_of_memory(struct dispatcher *dispatcher)
{
	end_run(dispatcher, cli_fail(NULL, "cannot go on", -ENOMEM));
}

/* ------------------------------------------------------------------ replies */

static int64_t since_us(int64_t from_ns, int64_t to_ns)
{
	return to_ns > from_ns ? (to_ns - from_ns) / 1000 : 0;
}

static struct cli_json_span span_of(const struct bytes *bytes)
{
	return (struct cli_json_span){(const unsigned char *)bytes->at,
	                              bytes->used};
}

static void count_reply(struct dispatcher *dispatcher, const struct call *call,
                        const struct reply *reply)
{
	struct account *account = &dispatcher->account;

	dispatcher->has_news = true;
	if (call->outcome == CALL_DONE)
		account->replies += call->count;
	for (size_t i = 0; call->outcome != CALL_DONE && i < call->count; i++)
		account_error(account, call->kind);
	account_time(&account->first, reply->first_us);
	account_time(&account->whole, reply->latency_us);
}

/* Adds the frames of the reply.  One that no frame holds becomes an error. */
static void encode(struct dispatcher *dispatcher, struct call *call,
                   struct reply *reply)
{
	if (!reply_encode(&dispatcher->replies.frames, reply)) {
		call_fail(call, CALL_FAILED, "too_large",
		          "the reply's members do not fit into a frame");
		reply->type = "error";
		reply->text = (struct cli_json_span){NULL, 0};
		reply->members = span_of(&call->members);
		(void)reply_encode(&dispatcher->replies.frames, reply);
	}
	reply_log_group(&dispatcher->replies, true);
}

/* The rest of a text goes out before its reply does, and in the same commit, so
 * that the deltas of the last attempt are the text. */
static void show_rest(struct dispatcher *dispatcher, struct call *call,
                      uint64_t cursor)
{
	struct cli_json_span text = span_of(&call->text);

	if (!dispatcher->options->stream || call->outcome != CALL_DONE ||
	    text.size_bytes == call->shown)
		return;
	text.bytes += call->shown;
	text.size_bytes -= call->shown;
	reply_encode_delta(&dispatcher->replies.frames, cursor, call->attempt,
	                   text);
	call->shown = call->text.used;
}

/* The prompts of a call have their reply. */
static void write_reply(struct dispatcher *dispatcher, struct call *call)
{
	uint64_t *cursors = malloc(call->count * sizeof(*cursors));
	int64_t now_ns = cli_now_ns();
	struct reply reply = {
		.prompts = cursors,
		.count = call->count,
		.type = call->outcome == CALL_DONE ? "done" : "error",
		.members = span_of(&call->members),
		.attempts = call->attempt,
		.latency_us = since_us(call->prompts[0]->seen_ns, now_ns),
		.first_us = -1,
		.log = dispatcher->log_id,
	};

	if (cursors == NULL || call->text.failed || call->members.failed) {
		free(cursors);
		out_of_memory(dispatcher);
		return;
	}
	if (call->outcome == CALL_DONE && call->has_text) {
		reply.text = span_of(&call->text);
		if (reply.text.bytes == NULL)
			reply.text.bytes = (const unsigned char *)"";
	}
	if (call->outcome == CALL_DONE && call->first_ns != 0)
		reply.first_us = since_us(call->prompts[0]->seen_ns,
		                          call->first_ns);
	for (size_t i = 0; i < call->count; i++)
		cursors[i] = call->prompts[i]->cursor;
	for (size_t i = 0; i < call->count; i++)
		window_answer(&dispatcher->window, call->prompts[i]);
	reply.low = window_low(&dispatcher->window);
	reply.high = dispatcher->window.high;
	show_rest(dispatcher, call, cursors[0]);
	encode(dispatcher, call, &reply);
	count_reply(dispatcher, call, &reply);
	free(cursors);
	call_free(call);
}

/* Replies that waited for those before them. */
static void write_held(struct dispatcher *dispatcher)
{
	while (dispatcher->window.first != NULL &&
	       dispatcher->window.first->held != NULL) {
		struct call *call = dispatcher->window.first->held;

		dispatcher->window.first->held = NULL;
		write_reply(dispatcher, call);
	}
}

static void settle(struct dispatcher *dispatcher, struct call *call)
{
	if (!dispatcher->options->in_order) {
		write_reply(dispatcher, call);
		return;
	}
	call->prompts[0]->held = call;
	write_held(dispatcher);
}

/* ------------------------------------------------------------------- deltas */

static bool may_show(const struct dispatcher *dispatcher,
                     const struct call *call)
{
	return dispatcher->options->stream &&
	       (!dispatcher->options->in_order ||
	        dispatcher->window.first == call->prompts[0]);
}

/* Shows what has come of the texts that are on their way. */
static void show_texts(struct dispatcher *dispatcher)
{
	struct call *call;

	for (call = dispatcher->calls; call != NULL; call = call->next) {
		struct cli_json_span text = span_of(&call->text);

		if (text.size_bytes == call->shown ||
		    !may_show(dispatcher, call))
			continue;
		text.size_bytes = reply_showable(text) - call->shown;
		text.bytes += call->shown;
		if (text.size_bytes == 0)
			continue;
		reply_encode_delta(&dispatcher->replies.frames,
		                   call->prompts[0]->cursor, call->attempt,
		                   text);
		reply_log_group(&dispatcher->replies, false);
		call->shown += text.size_bytes;
	}
}

static void void_deltas(struct dispatcher *dispatcher, uint64_t cursor,
                        unsigned attempt)
{
	reply_encode_restart(&dispatcher->replies.frames, cursor, attempt);
	reply_log_group(&dispatcher->replies, false);
}

/* -------------------------------------------------------------------- calls */

static void unlink_call(struct dispatcher *dispatcher, struct call *call)
{
	struct call **place = &dispatcher->calls;

	while (*place != call)
		place = &(*place)->next;
	*place = call->next;
	call->next = NULL;
	dispatcher->call_count--;
}

/* The pause before the next attempt: half a second, doubled each time up to
 * eight, a little less at random so that not all come at once. */
static int64_t backoff_ns(unsigned tries)
{
	int64_t pause_ns = INT64_C(500000000) << (tries > 5   ? 4
	                                          : tries > 0 ? tries - 1
	                                                      : 0);

	if (pause_ns > INT64_C(8000000000))
		pause_ns = INT64_C(8000000000);
	return pause_ns - pause_ns / 4 * (random() % 1000) / 1000;
}

static void try_again(struct dispatcher *dispatcher, struct call *call)
{
	int64_t wait_ns = call->wait_ns >= 0 ? call->wait_ns
	                                     : backoff_ns(call->tries);

	dispatcher->account.retries++;
	dispatcher->has_news = true;
	if (call->shown > 0)
		void_deltas(dispatcher, call->prompts[0]->cursor,
		            call->attempt);
	call->attempt++;
	call->due_ns = cli_now_ns() + wait_ns;
	call_clear(call);
}

/* A call for which all others would fail as well. */
static void stop_for(struct dispatcher *dispatcher, struct call *call)
{
	struct bytes why = {0};
	struct cli_quoted quoted;

	call_message(call, &why);
	if (!dispatcher->stopping)
		cli_message(NULL,
		            "the prompt at cursor %" PRIu64
		            " was refused: %s: %s; it stays without a reply, "
		            "and no more are sent",
		            call->prompts[0]->cursor, call->kind,
		            cli_quote_bytes(&quoted, why.at, why.used));
	bytes_free(&why);
	dispatcher->stopping = true;
	if (dispatcher->status == CLI_OK)
		dispatcher->status = CLI_SYSTEM;
	unlink_call(dispatcher, call);
	call_free(call);
}

static void count_tokens(struct dispatcher *dispatcher, const struct call *call)
{
	dispatcher->account.input_tokens += call->input_tokens;
	dispatcher->account.output_tokens += call->output_tokens;
}

/* way.finished */
static void finished(void *context, struct call *call)
{
	struct dispatcher *dispatcher = context;

	count_tokens(dispatcher, call);
	if (call->outcome == CALL_END) {
		stop_for(dispatcher, call);
		return;
	}
	if (call->outcome == CALL_RETRY &&
	    call->tries <= dispatcher->options->retries) {
		try_again(dispatcher, call);
		return;
	}
	if (call->outcome == CALL_RETRY)
		call->outcome = CALL_FAILED;
	unlink_call(dispatcher, call);
	settle(dispatcher, call);
}

/* Tries to begin an attempt.  False if the way takes none now. */
static bool begin_attempt(struct dispatcher *dispatcher, struct call *call,
                          int64_t now_ns)
{
	call->started_ns = now_ns;
	call->tries++;
	call->running = true;
	if (dispatcher->way->start(dispatcher->way, call)) {
		pacer_begin(&dispatcher->pacer, now_ns);
		return true;
	}
	call->running = false;
	call->tries--;
	return false;
}

/* Calls that may be tried again now. */
static void begin_retries(struct dispatcher *dispatcher, int64_t now_ns)
{
	struct call *next;

	for (struct call *call = dispatcher->calls; call != NULL; call = next) {
		next = call->next;
		if (call->running || call->due_ns > now_ns)
			continue;
		if (dispatcher->stopping) {
			unlink_call(dispatcher, call);
			call_free(call);
		} else if (pacer_due_ns(&dispatcher->pacer) <= now_ns) {
			if (!begin_attempt(dispatcher, call, now_ns))
				return;
		}
	}
}

static bool is_out_of_time(const struct dispatcher *dispatcher,
                           const struct call *call, int64_t now_ns)
{
	return call->running && dispatcher->options->call_timeout_ns > 0 &&
	       now_ns - call->started_ns >=
	               dispatcher->options->call_timeout_ns;
}

static void end_late_calls(struct dispatcher *dispatcher, int64_t now_ns)
{
	struct call *next;

	for (struct call *call = dispatcher->calls; call != NULL; call = next) {
		next = call->next;
		if (!is_out_of_time(dispatcher, call, now_ns))
			continue;
		dispatcher->way->cancel(dispatcher->way, call);
		call_fail(call, CALL_RETRY, "timeout",
		          "no reply within the time of --call-timeout");
		way_finish(dispatcher->way, call);
	}
}

/* ---------------------------------------------------------------- new calls */

/* How many prompts from the first that waits on form the next call; 0 if it is
 * to wait for more. */
static size_t count_to_join(const struct dispatcher *dispatcher, int64_t now_ns)
{
	const struct dispatch_options *options = dispatcher->options;
	const struct prompt *first = dispatcher->window.waiting;
	const struct prompt *prompt = first;
	uint64_t bytes = 0;
	size_t count = 0;

	if (options->batch < 2 || !dispatcher->can_join(first))
		return 1;
	while (prompt != NULL && count < options->batch) {
		if (prompt->state != PROMPT_WAITING ||
		    !dispatcher->can_join(prompt) ||
		    (count > 0 &&
		     bytes + prompt->size_bytes > options->batch_bytes))
			return count;
		bytes += prompt->size_bytes;
		count++;
		prompt = prompt->next;
	}
	if (count == options->batch || dispatcher->read_all ||
	    dispatcher->log_pending ||
	    now_ns - first->seen_ns >= options->batch_wait_ns)
		return count;
	return 0;
}

static struct call *make_call(struct dispatcher *dispatcher, size_t count)
{
	struct call *call = calloc(1, sizeof(*call));
	struct prompt *prompt = dispatcher->window.waiting;

	if (call == NULL)
		return NULL;
	call->prompts = malloc(count * sizeof(struct prompt *));
	if (call->prompts == NULL) {
		free(call);
		return NULL;
	}
	call_clear(call);
	call->attempt = 1;
	for (size_t i = 0; i < count; i++) {
		call->prompts[call->count++] = prompt;
		prompt = prompt->next;
	}
	return call;
}

/* Prompts that an earlier run has sent, and of which deltas are left. */
static void void_old_deltas(struct dispatcher *dispatcher, struct call *call)
{
	for (size_t i = 0; i < call->count; i++) {
		struct prompt *prompt = call->prompts[i];

		if (prompt->old_attempts == 0)
			continue;
		void_deltas(dispatcher, prompt->cursor, prompt->old_attempts);
		if (call->attempt <= prompt->old_attempts)
			call->attempt = prompt->old_attempts + 1;
		prompt->old_attempts = 0;
	}
}

/* Begins the next call.  False if none can begin now. */
static bool begin_call(struct dispatcher *dispatcher, int64_t now_ns)
{
	size_t count = count_to_join(dispatcher, now_ns);
	struct call *call;

	if (count == 0)
		return false;
	call = make_call(dispatcher, count);
	if (call == NULL) {
		out_of_memory(dispatcher);
		return false;
	}
	void_old_deltas(dispatcher, call);
	call->next = dispatcher->calls;
	dispatcher->calls = call;
	dispatcher->call_count++;
	for (size_t i = 0; i < count; i++)
		window_send(&dispatcher->window, call->prompts[i]);
	/* One that the way does not take yet is offered again with those that
	 * are tried again. */
	return begin_attempt(dispatcher, call, now_ns);
}

static bool is_spent(const struct dispatcher *dispatcher)
{
	const struct dispatch_options *options = dispatcher->options;
	const struct account *account = &dispatcher->account;

	return (options->max_cost > 0 &&
	        account_cost(account) >= options->max_cost) ||
	       (options->max_tokens_total > 0 &&
	        account->input_tokens + account->output_tokens >=
	                options->max_tokens_total);
}

static void stop_spent(struct dispatcher *dispatcher)
{
	const struct account *account = &dispatcher->account;
	const struct dispatch_options *options = dispatcher->options;

	if (dispatcher->stopping || !is_spent(dispatcher))
		return;
	if (options->max_cost > 0 && account_cost(account) >= options->max_cost)
		cli_message(NULL,
		            "%.6f was spent, of %.6f that --max-cost allows; "
		            "no more prompts are sent",
		            account_cost(account), options->max_cost);
	else
		cli_message(NULL,
		            "%" PRIu64 " tokens were used, of %" PRIu64
		            " that --max-tokens-total allows; no more prompts "
		            "are sent",
		            account->input_tokens + account->output_tokens,
		            options->max_tokens_total);
	dispatcher->stopping = true;
	if (dispatcher->status == CLI_OK)
		dispatcher->status = CLI_LOSS;
}

static void begin_calls(struct dispatcher *dispatcher, int64_t now_ns)
{
	stop_spent(dispatcher);
	begin_retries(dispatcher, now_ns);
	while (!dispatcher->over && !dispatcher->stopping &&
	       dispatcher->window.waiting != NULL &&
	       dispatcher->call_count < dispatcher->options->concurrency &&
	       pacer_due_ns(&dispatcher->pacer) <= now_ns &&
	       begin_call(dispatcher, now_ns))
		;
}

/* Prompts that were not sent in time. */
static void expire(struct dispatcher *dispatcher, int64_t now_ns)
{
	int64_t ttl_ns = dispatcher->options->ttl_ns;

	while (ttl_ns > 0 && !dispatcher->over &&
	       dispatcher->window.waiting != NULL &&
	       now_ns - dispatcher->window.waiting->seen_ns >= ttl_ns) {
		struct call *call = make_call(dispatcher, 1);

		if (call == NULL) {
			out_of_memory(dispatcher);
			return;
		}
		call->attempt = 0;
		window_send(&dispatcher->window, call->prompts[0]);
		call_fail(call, CALL_FAILED, "expired",
		          "not sent within the time of --ttl");
		settle(dispatcher, call);
	}
}

/* ------------------------------------------------------------------ prompts */

static void take_prompt(struct dispatcher *dispatcher, struct prompt *prompt)
{
	const struct place_prompt *known = reply_place_of(&dispatcher->place,
	                                                  prompt->cursor);

	if (known != NULL && known->answered)
		prompt->state = PROMPT_ANSWERED;
	else if (known != NULL)
		prompt->old_attempts = known->attempts;
	if (prompt->state != PROMPT_ANSWERED)
		dispatcher->account.prompts++;
	dispatcher->has_news = true;
	window_add(&dispatcher->window, prompt);
}

/* The prompts of another log begin. */
static void begin_log(struct dispatcher *dispatcher)
{
	struct window *window = &dispatcher->window;

	prompt_source_log(&dispatcher->source, dispatcher->log_id,
	                  &window->end);
	window->high = window->end;
	/* Without a reply there may be deltas, of which log is not known. */
	if (dispatcher->place.known &&
	    strcmp(dispatcher->log_id, dispatcher->place.log) != 0)
		reply_place_release(&dispatcher->place);
	else if (dispatcher->place.high > window->high)
		window->high = dispatcher->place.high;
	dispatcher->log_pending = false;
	if (dispatcher->begun)
		reply_place_release(&dispatcher->place);
	dispatcher->begun = true;
}

static void take_prompts(struct dispatcher *dispatcher)
{
	struct prompt *prompt;

	while (!dispatcher->over && !dispatcher->stopping &&
	       window_has_room(&dispatcher->window)) {
		if (dispatcher->log_pending) {
			if (dispatcher->window.count > 0)
				return;
			begin_log(dispatcher);
		}
		switch (prompt_source_take(&dispatcher->source, &prompt)) {
		case SOURCE_NOTHING: return;
		case SOURCE_PROMPT: take_prompt(dispatcher, prompt); break;
		case SOURCE_LOG: dispatcher->log_pending = true; break;
		case SOURCE_ENDED:
			dispatcher->read_all = true;
			if (dispatcher->status == CLI_OK)
				dispatcher->status =
					dispatcher->source.exit_status;
			return;
		}
	}
}

/* --------------------------------------------------------------------- loop */

static void tell(struct dispatcher *dispatcher, int64_t now_ns, bool at_end)
{
	const struct dispatch_options *options = dispatcher->options;

	if (!at_end &&
	    (now_ns - dispatcher->told_ns < TELL_NS || !dispatcher->has_news))
		return;
	dispatcher->told_ns = now_ns;
	dispatcher->has_news = false;
	dispatcher->account.waiting = dispatcher->window.unanswered_count;
	if (options->tells_account)
		account_print(&dispatcher->account);
	if (options->metrics != NULL) {
		int status = account_write_metrics(&dispatcher->account,
		                                   options->metrics);

		if (status != CLI_OK)
			end_run(dispatcher, status);
	}
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* When something is due that no descriptor tells of. */
static int64_t find_due(const struct dispatcher *dispatcher, int64_t now_ns)
{
	const struct dispatch_options *options = dispatcher->options;
	const struct prompt *waiting = dispatcher->window.waiting;
	int64_t due_ns = sooner(now_ns + SLICE_NS,
	                        dispatcher->way->due_ns(dispatcher->way));
	bool wanted = false;

	due_ns = sooner(due_ns, reply_log_due_ns(&dispatcher->replies));
	for (struct call *call = dispatcher->calls; call != NULL;
	     call = call->next) {
		if (call->running && options->call_timeout_ns > 0)
			due_ns = sooner(due_ns,
			                call->started_ns +
			                        options->call_timeout_ns);
		else if (!call->running && call->due_ns > now_ns)
			due_ns = sooner(due_ns, call->due_ns);
		else
			wanted |= !call->running;
	}
	if (waiting != NULL && options->ttl_ns > 0)
		due_ns = sooner(due_ns, waiting->seen_ns + options->ttl_ns);
	if (waiting != NULL && dispatcher->call_count < options->concurrency) {
		wanted = true;
		if (options->batch > 1 &&
		    waiting->seen_ns + options->batch_wait_ns > now_ns)
			due_ns = sooner(due_ns, waiting->seen_ns +
			                                options->batch_wait_ns);
	}
	if (wanted && pacer_due_ns(&dispatcher->pacer) > now_ns)
		due_ns = sooner(due_ns, pacer_due_ns(&dispatcher->pacer));
	return due_ns;
}

static void release_replies(void *context, int fd, short events)
{
	struct reply_log *replies = context;

	(void)fd;
	(void)events;
	reply_log_release(replies);
}

/* Waits for what comes next. */
static void rest(struct dispatcher *dispatcher)
{
	struct reply_log *replies = &dispatcher->replies;
	int64_t now_ns = cli_now_ns();
	int64_t most_ns = find_due(dispatcher, now_ns) - now_ns;
	int fd = reply_log_fd(replies);

	if (fd >= 0)
		(void)loop_watch(&dispatcher->loop, fd, POLLIN,
		                 (struct loop_watch){release_replies, replies});
	loop_turn(&dispatcher->loop, most_ns > 0 ? most_ns : 0);
	if (fd >= 0)
		loop_forget(&dispatcher->loop, fd);
	if (cli_now_ns() >= reply_log_due_ns(replies) ||
	    cli_signals_stop_asked())
		reply_log_release(replies);
}

static bool is_done(const struct dispatcher *dispatcher)
{
	if (dispatcher->over || cli_signal_caught() != 0)
		return true;
	if (dispatcher->stopping)
		return dispatcher->call_count == 0;
	return dispatcher->read_all && dispatcher->window.count == 0 &&
	       dispatcher->call_count == 0;
}

static void flush(struct dispatcher *dispatcher)
{
	int status;

	if (dispatcher->options->stream)
		show_texts(dispatcher);
	status = reply_log_flush(&dispatcher->replies);
	if (status != CLI_OK)
		end_run(dispatcher, status);
}

static void turn(struct dispatcher *dispatcher)
{
	int64_t now_ns = cli_now_ns();

	dispatcher->way->tick(dispatcher->way, now_ns);
	end_late_calls(dispatcher, now_ns);
	take_prompts(dispatcher);
	expire(dispatcher, now_ns);
	begin_calls(dispatcher, now_ns);
	/* Answered prompts have left room for others. */
	take_prompts(dispatcher);
	flush(dispatcher);
	tell(dispatcher, now_ns, false);
}

/* -------------------------------------------------------- beginning and end */

int dispatcher_init(struct dispatcher *dispatcher,
                    const struct dispatch_options *options)
{
	int status;

	*dispatcher = (struct dispatcher){.options = options};
	pacer_init(&dispatcher->pacer, options->rate_per_s);
	dispatcher->account.has_price = options->has_price;
	dispatcher->account.price_in = options->price_in;
	dispatcher->account.price_out = options->price_out;
	dispatcher->window.most = WINDOW_LEAST + WINDOW_FACTOR *
	                                                 options->concurrency *
	                                                 options->batch;
	srandom((unsigned)cli_now_ns());
	status = loop_init(&dispatcher->loop);
	if (status != 0)
		return cli_fail(NULL, "cannot start", status);
	status = reply_log_open(&dispatcher->replies, options->replies);
	if (status != CLI_OK)
		return status;
	status = reply_place_find(&dispatcher->place, options->replies,
	                          dispatcher->replies.log);
	dispatcher->replies.end = dispatcher->place.end;
	return status;
}

static int start_source(struct dispatcher *dispatcher)
{
	const struct dispatch_options *options = dispatcher->options;
	struct prompt_source_options source = {
		.path = options->prompts,
		.follow = options->follow,
		.by_name = options->by_name,
		.has_from = options->has_from,
		.from = options->from,
		.replies_path = options->replies,
		.place = &dispatcher->place,
		.replies = shmlog_identity(dispatcher->replies.log),
		.loop = &dispatcher->loop,
	};

	return prompt_source_start(&dispatcher->source, &source);
}

static void give_up_calls(struct dispatcher *dispatcher)
{
	while (dispatcher->calls != NULL) {
		struct call *call = dispatcher->calls;

		if (call->running)
			dispatcher->way->cancel(dispatcher->way, call);
		unlink_call(dispatcher, call);
		call_free(call);
	}
}

int dispatcher_run(struct dispatcher *dispatcher, struct way *way)
{
	int status = start_source(dispatcher);

	if (status != CLI_OK)
		return status;
	dispatcher->way = way;
	way->finished = finished;
	way->context = dispatcher;
	while (!is_done(dispatcher)) {
		turn(dispatcher);
		if (!is_done(dispatcher))
			rest(dispatcher);
	}
	if (!dispatcher->over)
		flush(dispatcher);
	give_up_calls(dispatcher);
	prompt_source_stop(&dispatcher->source);
	tell(dispatcher, cli_now_ns(), true);
	return dispatcher->status;
}

void dispatcher_release(struct dispatcher *dispatcher)
{
	for (struct prompt *prompt = dispatcher->window.first; prompt != NULL;
	     prompt = prompt->next)
		call_free(prompt->held);
	window_release(&dispatcher->window);
	reply_place_release(&dispatcher->place);
	reply_log_close(&dispatcher->replies);
	loop_release(&dispatcher->loop);
}
