/*
 * What the relay asks of a message server: streams of messages, numbered from
 * 1 without an end, which keep their order and are read again at any time.
 *
 * The rest of the relay knows no server by its words.  One kind of server is
 * one file, engine_NAME.c, that ends in a struct engine_kind, and a row of the
 * list in engine_kinds.c.  A kind must be able to refuse a message unless the
 * stream ends with a certain number, for however many messages are on their
 * way; that is what makes a relay that is killed at any moment send nothing
 * twice.
 *
 * One thread at a time uses an engine.  No function of one ends the process,
 * prints, or waits for longer than a time that it is told or the
 * time that is allowed for an answer.
 */
#ifndef RELAY_ENGINE_H
#define RELAY_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum engine_status {
	ENGINE_OK = 0,
	ENGINE_NONE,       /* nothing has come within the time */
	ENGINE_LOST,       /* the connection or an answer: connect again */
	ENGINE_BUSY,       /* the server cannot do it for now */
	ENGINE_MISPLACED,  /* the stream does not end where it should */
	ENGINE_FULL,       /* the stream has no room for the message */
	ENGINE_TOO_LARGE,  /* the server takes no message of this size */
	ENGINE_NO_STREAM,  /* there is no such stream */
	ENGINE_NO_MESSAGE, /* the stream has no message of that number */
	ENGINE_REFUSED,    /* for good, for the reason of engine_why() */
};

/* How the relay says who it is; secrets are in here. */
struct engine_login {
	const char *user;
	const char *password;
	const char *token;
	const char *credentials_file;
	const char *ca_file;          /* of those who may vouch for a server */
	const char *certificate_file; /* of this client, and its key */
	const char *key_file;
};

/* All of it stays where it is for as long as the engine does. */
struct engine_options {
	const char *const *servers; /* URLs of one kind, at least one */
	size_t server_count;
	const char *stream;
	const char *topic; /* what messages of the stream are published to or
	                    * chosen by; NULL: the only one that it has */
	struct engine_login login;
	int64_t answer_ns; /* how long an answer may take */
};

/* What a stream that is to be made is like. */
struct engine_limits {
	uint64_t replicas;
	uint64_t max_bytes; /* beyond which the oldest go; 0: no limit */
};

/* A stream as it is now. */
struct engine_stream {
	uint64_t first_sequence; /* of those that are still there */
	uint64_t last_sequence;  /* 0: there never was a message */
	uint64_t messages;
	uint64_t bytes;
	int64_t created_ns; /* tells one stream from a later one */
	bool chosen;        /* the topic chooses some of its messages only */
};

/* Room for the name of a log in a message. */
#define ENGINE_LOG_BYTES 48u

/* A message and what goes with it. */
struct engine_message {
	uint64_t sequence;
	uint64_t waiting; /* how many more are in the stream behind it */
	const void *bytes;
	size_t size_bytes;
	bool stamped;    /* it tells what follows: */
	uint64_t cursor; /* of its frame, or the first one, in its log */
	uint64_t frames; /* so many whole frames are in it; 0: it is the
	                  * payload of one */
	char log[ENGINE_LOG_BYTES]; /* which log it is from */
	/* To be refused unless the message before it is the very one that was
	 * published before it, since the last engine_forget(). */
	bool linked;
};

struct engine {
	const struct engine_kind *kind;
	char why[256]; /* the reason of the last failure, without secrets */
};

/* A kind of server; the functions below call these. */
struct engine_kind {
	const char *const *schemes; /* of its URLs; ends with NULL */
	bool (*is_stream_name)(const char *name);
	struct engine *(*make)(const struct engine_options *options);
	void (*free)(struct engine *engine);
	enum engine_status (*connect)(struct engine *engine);
	void (*disconnect)(struct engine *engine);
	const char *(*server)(struct engine *engine);
	enum engine_status (*describe)(struct engine *engine,
	                               struct engine_stream *stream_out);
	enum engine_status (*create)(struct engine *engine,
	                             const struct engine_limits *limits);
	enum engine_status (*read)(struct engine *engine, uint64_t sequence,
	                           struct engine_message *message_out);
	enum engine_status (*publish)(struct engine *engine,
	                              const struct engine_message *message,
	                              bool wants_receipt);
	enum engine_status (*flush)(struct engine *engine);
	enum engine_status (*receipt)(struct engine *engine, int64_t most_ns,
	                              uint64_t *sequence_out);
	void (*forget)(struct engine *engine);
	enum engine_status (*follow)(struct engine *engine, uint64_t sequence,
	                             uint64_t *waiting_out);
	enum engine_status (*next)(struct engine *engine, int64_t most_ns,
	                           struct engine_message *message_out);
};

/* The kind that takes URLs of this scheme, which is what stands before "://";
 * NULL if none does. */
const struct engine_kind *engine_find(const char *scheme, size_t length);

/* Makes an engine, which is not connected; NULL when memory is short. */
struct engine *engine_make(const struct engine_kind *kind,
                           const struct engine_options *options);
void engine_free(struct engine *engine);

/* Connects to one of the servers, anew if it was connected.  ENGINE_LOST: none
 * can be reached; ENGINE_REFUSED: they do not let this user in. */
enum engine_status engine_connect(struct engine *engine);
void engine_disconnect(struct engine *engine);
const char *engine_why(const struct engine *engine);

/* The server at hand, as a URL; "" when there is none. */
const char *engine_server(struct engine *engine);

/* Looks at the stream, and finds its topic where none was given. */
enum engine_status engine_describe(struct engine *engine,
                                   struct engine_stream *stream_out);
enum engine_status engine_create(struct engine *engine,
                                 const struct engine_limits *limits);

/* Reads the message of a number; it is valid until the next call. */
enum engine_status engine_read(struct engine *engine, uint64_t sequence,
                               struct engine_message *message_out);

/*
 * Publishes a message that is stored with the number message->sequence or not
 * at all, without waiting for that.  A message that is refused makes all behind
 * it be refused, unless another sender has put a message of that number into
 * its place.  Where that one may be another message than this sender's, all are
 * to be linked, which costs the server some memory for each.  So one receipt
 * tells that all before it are stored.  The bytes are copied.
 */
enum engine_status engine_publish(struct engine *engine,
                                  const struct engine_message *message,
                                  bool wants_receipt);
/* Sends what waits in this process. */
enum engine_status engine_flush(struct engine *engine);
/* The next receipt, and whose it is, also where it tells of a failure. */
enum engine_status engine_receipt(struct engine *engine, int64_t most_ns,
                                  uint64_t *sequence_out);
/* Drops all receipts of what was published until now. */
void engine_forget(struct engine *engine);

/* Begins to hand out all messages from a number on; *waiting_out is how many
 * of them are there. */
enum engine_status engine_follow(struct engine *engine, uint64_t sequence,
                                 uint64_t *waiting_out);
/* The next of them, in order, valid until the next call.  ENGINE_LOST where one
 * may have been lost on the way: follow again. */
enum engine_status engine_next(struct engine *engine, int64_t most_ns,
                               struct engine_message *message_out);

extern const struct engine_kind engine_jetstream;

#endif
