/* The calls that each kind of server answers. */
#include "engine.h"

struct engine *engine_make(const struct engine_kind *kind,
                           const struct engine_options *options)
{
	struct engine *engine = kind->make(options);

	if (engine != NULL)
		engine->kind = kind;
	return engine;
}

void engine_free(struct engine *engine)
{
	if (engine != NULL)
		engine->kind->free(engine);
}

enum engine_status engine_connect(struct engine *engine)
{
	return engine->kind->connect(engine);
}

void engine_disconnect(struct engine *engine)
{
	engine->kind->disconnect(engine);
}

const char *engine_why(const struct engine *engine)
{
	return engine->why;
}

const char *engine_server(struct engine *engine)
{
	return engine->kind->server(engine);
}

enum engine_status engine_describe(struct engine *engine,
                                   struct engine_stream *stream_out)
{
	return engine->kind->describe(engine, stream_out);
}

enum engine_status engine_create(struct engine *engine,
                                 const struct engine_limits *limits)
{
	return engine->kind->create(engine, limits);
}

enum engine_status engine_read(struct engine *engine, uint64_t sequence,
                               struct engine_message *message_out)
{
	return engine->kind->read(engine, sequence, message_out);
}

enum engine_status engine_publish(struct engine *engine,
                                  const struct engine_message *message,
                                  bool wants_receipt)
{
	return engine->kind->publish(engine, message, wants_receipt);
}

enum engine_status engine_flush(struct engine *engine)
{
	return engine->kind->flush(engine);
}

enum engine_status engine_receipt(struct engine *engine, int64_t most_ns,
                                  uint64_t *sequence_out)
{
	return engine->kind->receipt(engine, most_ns, sequence_out);
}

void engine_forget(struct engine *engine)
{
	engine->kind->forget(engine);
}

enum engine_status engine_follow(struct engine *engine, uint64_t sequence,
                                 uint64_t *waiting_out)
{
	return engine->kind->follow(engine, sequence, waiting_out);
}

enum engine_status engine_next(struct engine *engine, int64_t most_ns,
                               struct engine_message *message_out)
{
	return engine->kind->next(engine, most_ns, message_out);
}
