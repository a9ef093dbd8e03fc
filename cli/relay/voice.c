/* Prints messages and events. */
#include "voice.h"

#include "json_write.h"
#include "message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A line is one write(2), so that several relays may share a file. */
static void print_event(const struct relay_voice *voice, const char *event,
                        const struct relay_fact *facts, size_t count,
                        const char *text)
{
	struct cli_object *object = cli_object_new();

	cli_object_string(object, "event", event);
	cli_object_string(object, "log", voice->path);
	for (size_t i = 0; i < count; i++) {
		if (facts[i].text != NULL)
			cli_object_string(object, facts[i].key, facts[i].text);
		else
			cli_object_u64(object, facts[i].key, facts[i].number);
	}
	if (text != NULL)
		cli_object_string(object, "text", text);
	char *line = cli_object_print(object);

	cli_object_free(object);
	size_t length = line != NULL ? strlen(line) : 0;
	char *whole = line != NULL ? realloc(line, length + 2) : NULL;

	if (whole == NULL) {
		free(line);
		return;
	}
	memcpy(whole + length, "\n", 2);
	if (write(STDERR_FILENO, whole, length + 1) < 0) {
		/* Nobody can be told that nobody can be told. */
	}
	free(whole);
}

void relay_note(const struct relay_voice *voice, const char *event,
                const struct relay_fact *facts, size_t count)
{
	if (voice->json)
		print_event(voice, event, facts, count, NULL);
}

void relay_say(const struct relay_voice *voice, const char *event,
               const struct relay_fact *facts, size_t count, const char *format,
               ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (voice->json)
		print_event(voice, event, facts, count, text);
	else
		cli_message(voice->path, "%s", text);
}
