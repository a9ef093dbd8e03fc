/*
 * What a server of streams hands out at most: reads a stream as a client that
 * looks at nothing and keeps nothing, and prints the nanoseconds that it took,
 * without connecting.
 *
 *   bare_pull PORT STREAM COUNT
 *
 * It speaks the protocol of NATS: a consumer without acknowledgements, and
 * requests of BATCH messages, of which two are at the server at a time, as
 * the relay has them.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 2048u

static const char greeting[] =
	"CONNECT {\"verbose\":false,\"headers\":true}\r\n"
	"SUB bare.reply 1\r\nSUB bare.data 2\r\n";
static char buffer[(1 << 20) + 1];

static void give_up(const char *what)
{
	perror(what);
	exit(1);
}

static void send_all(int server, const char *text)
{
	size_t bytes = strlen(text), done = 0;

	while (done < bytes) {
		ssize_t now = write(server, text + done, bytes - done);

		if (now <= 0)
			give_up("write");
		done += (size_t)now;
	}
}

/* Reads behind the `kept` bytes of the buffer; how many are there then. */
static size_t read_more(int server, size_t kept)
{
	ssize_t now = read(server, buffer + kept, sizeof(buffer) - 1 - kept);

	if (now <= 0)
		give_up("read");
	kept += (size_t)now;
	buffer[kept] = '\0';
	if (memmem(buffer, kept, "\r\nPING\r\n", 8) != NULL)
		send_all(server, "PONG\r\n");
	return kept;
}

static int connect_to(const char *port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	                         .sin_port = htons((uint16_t)atoi(port))};
	int server = socket(AF_INET, SOCK_STREAM, 0);

	if (server < 0 ||
	    connect(server, (struct sockaddr *)&to, sizeof(to)) != 0)
		give_up("connect");
	send_all(server, greeting);
	return server;
}

static void make_consumer(int server, const char *stream, char name[64])
{
	char body[512], request[1024];
	const char *found = NULL;
	size_t kept = 0;
	int bytes = snprintf(body, sizeof(body),
	                     "{\"stream_name\":\"%s\",\"config\":{"
	                     "\"deliver_policy\":\"all\",\"ack_policy\":"
	                     "\"none\",\"mem_storage\":true,"
	                     "\"inactive_threshold\":60000000000}}",
	                     stream);

	(void)snprintf(request, sizeof(request),
	               "PUB $JS.API.CONSUMER.CREATE.%s bare.reply %d\r\n%s\r\n",
	               stream, bytes, body);
	send_all(server, request);
	while (found == NULL) {
		kept = read_more(server, kept);
		found = strstr(buffer, ",\"name\":\"");
	}
	if (sscanf(found, ",\"name\":\"%63[^\"]", name) != 1)
		give_up("no consumer");
}

static uint64_t count_messages(size_t bytes)
{
	uint64_t count = 0;
	const char *at = buffer;

	while ((at = memmem(at, bytes - (size_t)(at - buffer), "HMSG ", 5)) !=
	       NULL) {
		count++;
		at += 5;
	}
	return count;
}

/* Keeps the end of the buffer, where a word that is counted may begin. */
static size_t keep_end(size_t bytes)
{
	size_t kept = bytes < 4 ? bytes : 4;

	memmove(buffer, buffer + bytes - kept, kept);
	return kept;
}

static void read_stream(int server, const char *request, uint64_t messages)
{
	uint64_t seen = 0, asked = 0;
	size_t kept = 0;

	while (seen < messages) {
		for (; asked < seen + 2 * BATCH; asked += BATCH)
			send_all(server, request);
		kept = read_more(server, kept);
		seen += count_messages(kept);
		kept = keep_end(kept);
	}
}

int main(int argc, char **argv)
{
	char name[64], request[512];
	struct timespec begin, end;

	if (argc != 4)
		return 2;
	int server = connect_to(argv[1]);

	clock_gettime(CLOCK_MONOTONIC, &begin);
	make_consumer(server, argv[2], name);
	(void)snprintf(request, sizeof(request),
	               "PUB $JS.API.CONSUMER.MSG.NEXT.%s.%s bare.data 35\r\n"
	               "{\"batch\":%4u,\"expires\":9999999999}\r\n",
	               argv[2], name, BATCH);
	read_stream(server, request, strtoull(argv[3], NULL, 10));
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%" PRId64 "\n",
	       (int64_t)(end.tv_sec - begin.tv_sec) * 1000000000 + end.tv_nsec -
	               begin.tv_nsec);
	return close(server);
}
