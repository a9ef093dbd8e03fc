/* Finds a word in a text, whatever its case and number. */
#include "mention.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static bool is_of_word(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9');
}

static bool is_s(char byte)
{
	return byte == 's' || byte == 'S';
}

/* Whether a word ends at `rest`, or the end of a plural follows, which is "es"
 * behind a hissing sound. */
static bool ends_word(const char *rest)
{
	if (is_s(rest[0]))
		rest++;
	else if ((rest[0] == 'e' || rest[0] == 'E') && is_s(rest[1]) &&
	         strchr("sxzhSXZH", rest[-1]) != NULL)
		rest += 2;
	return !is_of_word(*rest);
}

/* How much of a word is its singular, as far as the end tells. */
static size_t stem_bytes(const char *word)
{
	size_t bytes = strlen(word);
	bool is_plural = bytes > 3 && is_s(word[bytes - 1]) &&
	                 !is_s(word[bytes - 2]);

	return is_plural ? bytes - 1 : bytes;
}

bool cli_mentions(const char *text, const char *word)
{
	size_t bytes = stem_bytes(word);
	char before = '\0';

	for (; bytes > 0 && *text != '\0'; before = *text++) {
		if (!is_of_word(before) &&
		    strncasecmp(text, word, bytes) == 0 &&
		    ends_word(text + bytes))
			return true;
	}
	return false;
}
