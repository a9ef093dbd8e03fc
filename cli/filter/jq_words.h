/* The words of jq's language. */
#ifndef CLI_JQ_WORDS_H
#define CLI_JQ_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* Whether a word is a function or a keyword of jq. */
bool cli_is_jq_word(const char *text, size_t length);

#endif
