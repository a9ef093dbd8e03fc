/*
 * A client of a model's server as one writes it by hand, on connections that
 * stay open, for what `shmlog dispatch` is measured against:
 *
 *   prompts ask PORT COUNT CONNECTIONS
 *   prompts latency PORT SAMPLES PAUSE_US PROMPTS REPLIES COMMAND...
 *
 * `ask` has so many prompts answered, over all connections at once.  `latency`
 * runs COMMAND, which answers the prompts in the log PROMPTS, and takes turns:
 * it appends a prompt and waits until the reply is in the log REPLIES, then it
 * has one answered on a connection of its own, then one by libcurl.
 * It prints one JSON object, as the program latency does: the microseconds of
 * each prompt by the logs, and of each prompt by the connection.
 */
#include "mapped.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#ifdef BENCH_CURL
#include <curl/curl.h>
#endif

#define MOST_CONNECTIONS 1024
#define MOST_SAMPLES 100000
#define WARMUP 50
#define ANSWER_MS 10000
#define HEAD_BYTES 4096
#define BODY_BYTES 256
#define TEXT_BYTES 64

struct connection {
	int fd;
	char in[HEAD_BYTES];
	size_t used;
	uint64_t asked; /* the number of the prompt that is on its way */
};

/* ------------------------------------------------------------- by connection */

static int connect_to(uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		die("connect: %s", strerror(errno));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static int make_body(char body[BODY_BYTES], uint64_t n)
{
	return snprintf(body, BODY_BYTES,
	                "{\"model\":\"claude-sonnet-5-5\",\"max_tokens\":4096,"
	                "\"messages\":[{\"role\":\"user\",\"content\":"
	                "\"prompt %" PRIu64 "\"}]}",
	                n);
}

/* What a right reply has in it. */
static void make_text(char text[TEXT_BYTES], uint64_t n)
{
	(void)snprintf(text, TEXT_BYTES, "\"echo:prompt %" PRIu64 "\"", n);
}

static void ask(struct connection *connection, uint64_t number_of_prompt)
{
	char body[BODY_BYTES], request[1024];
	int body_bytes = make_body(body, number_of_prompt);
	int bytes = snprintf(request, sizeof(request),
	                     "POST /v1/messages HTTP/1.1\r\n"
	                     "host: 127.0.0.1\r\n"
	                     "x-api-key: test-key\r\n"
	                     "anthropic-version: 2026-10-21\r\n"
	                     "content-type: application/json\r\n"
	                     "content-length: %d\r\n\r\n%s",
	                     body_bytes, body);

	connection->asked = number_of_prompt;
	connection->used = 0;
	if (send(connection->fd, request, (size_t)bytes, MSG_NOSIGNAL) != bytes)
		die("the server does not take a request");
}

/* Whether the reply is whole; ends if it is not the right one. */
static bool is_answered(struct connection *connection)
{
	char text[TEXT_BYTES];
	const char *end, *length;
	ssize_t got = read(connection->fd, connection->in + connection->used,
	                   HEAD_BYTES - 1 - connection->used);

	if (got <= 0)
		die("the server has closed a connection");
	connection->used += (size_t)got;
	connection->in[connection->used] = '\0';
	end = strstr(connection->in, "\r\n\r\n");
	if (end == NULL)
		return false;
	length = strstr(connection->in, "Content-Length: ");
	if (length == NULL || length > end)
		die("a reply without a length");
	if (strlen(end + 4) < strtoul(length + 16, NULL, 10))
		return false;
	make_text(text, connection->asked);
	if (strstr(end, text) == NULL)
		die("a wrong reply");
	return true;
}

static void ask_all(uint16_t port, uint64_t count, size_t connection_count)
{
	static struct connection connections[MOST_CONNECTIONS];
	static struct pollfd requests[MOST_CONNECTIONS];
	uint64_t asked = 0, answered = 0;

	for (size_t i = 0; i < connection_count; i++) {
		connections[i].fd = connect_to(port);
		requests[i] = (struct pollfd){connections[i].fd, POLLIN, 0};
		if (asked < count)
			ask(&connections[i], asked++);
	}
	while (answered < count) {
		if (poll(requests, (nfds_t)connection_count, ANSWER_MS) <= 0)
			die("the server does not answer");
		for (size_t i = 0; i < connection_count; i++) {
			if (requests[i].revents == 0 ||
			    !is_answered(&connections[i]))
				continue;
			answered++;
			if (asked < count)
				ask(&connections[i], asked++);
		}
	}
}

static double connection_sample(struct connection *connection, uint64_t n)
{
	int64_t sent = now_ns();

	ask(connection, n);
	while (!is_answered(connection))
		;
	return (double)(now_ns() - sent) / 1e3;
}

/* ----------------------------------------------------------------- by libcurl */

#ifdef BENCH_CURL
static size_t keep(char *bytes, size_t one, size_t size_bytes, void *context)
{
	struct connection *reply = context;

	(void)one;
	if (size_bytes >= HEAD_BYTES - reply->used)
		return 0;
	memcpy(reply->in + reply->used, bytes, size_bytes);
	reply->used += size_bytes;
	reply->in[reply->used] = '\0';
	return size_bytes;
}

/* The connection stays open from one request to the next. */
static CURL *curl_start(uint16_t port, struct connection *reply)
{
	static const char *const lines[] = {"x-api-key: test-key",
	                                    "anthropic-version: 2026-10-21",
	                                    "content-type: application/json"};
	struct curl_slist *headers = NULL;
	CURL *easy = curl_easy_init();
	char url[64];

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/v1/messages",
	               port);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		headers = curl_slist_append(headers, lines[i]);
	(void)curl_easy_setopt(easy, CURLOPT_URL, url);
	(void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, reply);
	return easy;
}

static double curl_sample(CURL *easy, struct connection *reply, uint64_t n)
{
	char body[BODY_BYTES], text[TEXT_BYTES];
	int64_t sent = now_ns();

	reply->used = 0;
	(void)make_body(body, n);
	(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
	if (curl_easy_perform(easy) != CURLE_OK)
		die("libcurl gets no reply");
	sent = now_ns() - sent;
	make_text(text, n);
	if (strstr(reply->in, text) == NULL)
		die("a wrong reply");
	return (double)sent / 1e3;
}
#endif

/* --------------------------------------------------------------- by the logs */

struct logs {
	struct shmlog *prompts;
	struct shmlog_writer *writer;
	struct shmlog *replies;
	struct shmlog_reader *reader;
};

static void logs_open(struct logs *logs, const char *prompts,
                      const char *replies)
{
	check(shmlog_open(prompts, &logs->prompts), prompts);
	check(shmlog_writer_open(logs->prompts, NULL, &logs->writer), prompts);
	check(shmlog_open(replies, &logs->replies), replies);
	check(shmlog_reader_open(logs->replies, NULL, &logs->reader), replies);
}

static double logs_sample(struct logs *logs, uint64_t n)
{
	char text[TEXT_BYTES], wanted[TEXT_BYTES];
	struct shmlog_frame frame;
	unsigned char *payload;
	int bytes = snprintf(text, sizeof(text), "prompt %" PRIu64, n);
	int64_t sent = now_ns();

	check(shmlog_writer_allocate(logs->writer, (size_t)bytes, &payload),
	      "prompts");
	memcpy(payload, text, (size_t)bytes);
	check(shmlog_writer_commit(logs->writer), "prompts");
	check(shmlog_wake(logs->prompts), "prompts");
	if (shmlog_reader_wait(logs->reader, (int64_t)ANSWER_MS * 1000000, 0) !=
	            1 ||
	    shmlog_reader_next(logs->reader, &frame) != 1)
		die("no reply");
	sent = now_ns() - sent;
	make_text(wanted, n);
	if (memmem(frame.payload, frame.size_bytes, wanted, strlen(wanted)) ==
	    NULL)
		die("a wrong reply");
	return (double)sent / 1e3;
}

static void print_side(const double *us, size_t count)
{
	printf("{\"us\":[");
	for (size_t i = 0; i < count; i++)
		printf("%s%.3f", i > 0 ? "," : "", us[i]);
	printf("]}");
}

static void take_turns(uint16_t port, size_t samples, int64_t pause_us,
                       char **paths)
{
	static double by_logs[MOST_SAMPLES], by_connection[MOST_SAMPLES];
	struct connection connection = {.fd = connect_to(port)};
#ifdef BENCH_CURL
	static double by_curl[MOST_SAMPLES];
	static struct connection reply;
	CURL *easy = curl_start(port, &reply);
#endif
	struct logs logs;

	logs_open(&logs, paths[0], paths[1]);
	for (size_t n = 0; n < samples + WARMUP; n++) {
		size_t at = n < WARMUP ? n : n - WARMUP;

		by_logs[at] = logs_sample(&logs, 3 * n);
		sleep_ns(pause_us * 1000);
		by_connection[at] = connection_sample(&connection, 3 * n + 1);
		sleep_ns(pause_us * 1000);
#ifdef BENCH_CURL
		by_curl[at] = curl_sample(easy, &reply, 3 * n + 2);
		sleep_ns(pause_us * 1000);
#endif
	}
	printf("{\"sides\":[");
	print_side(by_logs, samples);
	printf(",");
	print_side(by_connection, samples);
#ifdef BENCH_CURL
	printf(",");
	print_side(by_curl, samples);
#endif
	printf("]}\n");
}

static void measure_latency(uint16_t port, char **words, size_t count)
{
	uint64_t samples = number(words[0]);
	struct pipeline command;

	if (samples == 0 || samples > MOST_SAMPLES)
		die("too many samples, or none");
	(void)pipeline_parse(&command, words + 4, count - 4, "--");
	pipeline_start(&command, (struct ends){-1, -1});
	take_turns(port, samples, (int64_t)number(words[1]), words + 2);
	kill(command.stages[0].pid, SIGKILL);
}

int main(int argc, char **argv)
{
	uint64_t port = argc > 4 ? number(argv[2]) : 0;

	if (argc == 5 && strcmp(argv[1], "ask") == 0) {
		uint64_t connections = number(argv[4]);

		if (connections == 0 || connections > MOST_CONNECTIONS)
			die("too many connections, or none");
		ask_all((uint16_t)port, number(argv[3]), connections);
	} else if (argc > 7 && strcmp(argv[1], "latency") == 0) {
		measure_latency((uint16_t)port, argv + 3, (size_t)argc - 3);
	} else {
		die("usage: prompts ask PORT COUNT CONNECTIONS, or prompts "
		    "latency PORT SAMPLES PAUSE_US PROMPTS REPLIES COMMAND...");
	}
	return fflush(stdout) == 0 ? 0 : 1;
}
