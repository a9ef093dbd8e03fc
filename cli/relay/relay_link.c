/* Keeps the connection up. */
#include "relay_link.h"

#include "clock.h"
#include "command.h"
#include "message.h"
#include "signals.h"

/* The first try comes at once, and each pause is twice as long as the one
 * before. */
#define FIRST_PAUSE_NS 20000000
#define LONGEST_PAUSE_NS 2000000000

void relay_link_begin(struct relay_link *link, struct engine *engine,
                      const struct relay_voice *voice, const char *stream)
{
	*link = (struct relay_link){
		.engine = engine, .voice = voice, .stream = stream};
	cli_ends_init(&link->ends);
	cli_ends_begin(&link->ends);
}

bool relay_link_is_over(const struct relay_link *link)
{
	return cli_signal_caught() != 0 || cli_ends_is_timed_out(&link->ends);
}

/* How long a wait may last; a time without frames does not count here. */
static int64_t limit_pause(const struct relay_link *link)
{
	int64_t left = link->ends.timeout_ns -
	               (cli_now_ns() - link->ends.started_ns);

	if (link->ends.timeout_ns < 0 || left > link->pause_ns)
		return link->pause_ns;
	return left > 0 ? left : 0;
}

/* Waits before another try, or for nothing any more. */
static int wait_a_while(struct relay_link *link, bool *done_out)
{
	cli_signals_sleep(limit_pause(link));
	link->pause_ns = link->pause_ns == 0 ? FIRST_PAUSE_NS
	                                     : link->pause_ns * 2;
	if (link->pause_ns > LONGEST_PAUSE_NS)
		link->pause_ns = LONGEST_PAUSE_NS;
	*done_out = relay_link_is_over(link);
	if (!*done_out || cli_signal_caught() != 0)
		return CLI_OK;
	return link->said == ENGINE_FULL ? CLI_FULL : CLI_TIMEOUT;
}

static void say_once(struct relay_link *link, enum engine_status trouble,
                     const char *event, const char *what)
{
	const struct relay_fact facts[] = {
		{"reason", 0, engine_why(link->engine)}};
	struct cli_quoted why;

	if (link->said == trouble)
		return;
	link->said = trouble;
	link->said_connected = false;
	cli_quote(&why, engine_why(link->engine));
	relay_say(link->voice, event, RELAY_FACTS(facts), "%s: %s", what,
	          why.text);
}

static int give_up(struct relay_link *link, const char *what, int status,
                   bool *done_out)
{
	struct cli_quoted stream, why;

	*done_out = true;
	cli_message(link->voice->path, "%s %s: %s", what,
	            cli_quote(&stream, link->stream),
	            cli_quote(&why, engine_why(link->engine)));
	return status;
}

static int lack_stream(struct relay_link *link, bool *done_out)
{
	struct cli_quoted stream;

	*done_out = true;
	cli_message(link->voice->path,
	            "there is no stream %s; push --create-stream makes it",
	            cli_quote(&stream, link->stream));
	return CLI_SYSTEM;
}

static int lose(struct relay_link *link, bool *done_out)
{
	link->connected = false;
	if (!link->was_connected && !link->patient)
		return give_up(link, "no server can be reached for the stream",
		               CLI_SYSTEM, done_out);
	say_once(link, ENGINE_LOST, "disconnected",
	         link->was_connected ? "lost the server, connecting again"
	                             : "waiting for a server");
	return wait_a_while(link, done_out);
}

int relay_link_trouble(struct relay_link *link, enum engine_status trouble,
                       bool *done_out)
{
	*done_out = relay_link_is_over(link);
	if (*done_out)
		return cli_signal_caught() != 0 ? CLI_OK : CLI_TIMEOUT;
	switch (trouble) {
	case ENGINE_LOST: return lose(link, done_out);
	case ENGINE_BUSY:
		say_once(link, trouble, "busy",
		         "the server cannot serve the stream for now, waiting");
		return wait_a_while(link, done_out);
	case ENGINE_FULL:
		say_once(link, trouble, "stream_full",
		         "the stream has no room, waiting for it");
		return wait_a_while(link, done_out);
	case ENGINE_NO_STREAM:
		if (!link->patient)
			return lack_stream(link, done_out);
		say_once(link, trouble, "no_stream",
		         "there is no such stream, waiting for it");
		return wait_a_while(link, done_out);
	case ENGINE_TOO_LARGE:
		return give_up(link, "a message is too large for the stream",
		               CLI_INPUT, done_out);
	case ENGINE_REFUSED:
		return give_up(link, "cannot use the stream", CLI_SYSTEM,
		               done_out);
	default: return CLI_OK;
	}
}

int relay_link_up(struct relay_link *link, bool *done_out)
{
	int status = CLI_OK;

	*done_out = false;
	while (!link->connected && !*done_out) {
		enum engine_status result = engine_connect(link->engine);

		if (result != ENGINE_OK) {
			status = relay_link_trouble(link, result, done_out);
			continue;
		}
		const struct relay_fact facts[] = {
			{"server", 0, engine_server(link->engine)}};

		if (link->said == ENGINE_LOST && !link->said_connected)
			relay_say(link->voice, "connected", RELAY_FACTS(facts),
			          "connected to %s",
			          engine_server(link->engine));
		else
			relay_note(link->voice, "connected",
			           RELAY_FACTS(facts));
		link->connected = link->was_connected = true;
		link->said_connected = true;
	}
	return status;
}

void relay_link_good(struct relay_link *link)
{
	link->said = ENGINE_OK;
	link->pause_ns = 0;
}
