/* Compiles and runs regular expressions; the only user of PCRE2. */
#include "regex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef SHMLOG_PCRE2

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* What one search may take: steps, levels of backtracking, and memory.  A
 * pattern that needs more of these for one payload does not end in any time
 * that somebody would wait for it. */
#define MATCH_LIMIT 2000000u
#define DEPTH_LIMIT 250000u
#define HEAP_LIMIT_KIB 8192u
#define STACK_MIN_BYTES ((size_t)32 << 10)
#define STACK_MAX_BYTES ((size_t)1 << 20)

struct cli_regex {
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *context;
	pcre2_jit_stack *stack;
	uint32_t options; /* of each search */
	bool compiled;    /* to machine code */
};

static struct cli_regex *failed(struct cli_regex *regex,
                                struct cli_regex_error *error,
                                enum cli_regex_failure failure,
                                const char *reason)
{
	error->failure = failure;
	(void)snprintf(error->reason, sizeof(error->reason), "%s", reason);
	cli_regex_free(regex);
	return NULL;
}

static uint32_t compile_options(unsigned flags)
{
	uint32_t options = PCRE2_NEVER_BACKSLASH_C;

	if ((flags & CLI_REGEX_IGNORE_CASE) != 0)
		options |= PCRE2_CASELESS;
	if ((flags & CLI_REGEX_UTF) != 0)
		options |= PCRE2_UTF | PCRE2_UCP;
	else
		options |= PCRE2_NEVER_UTF;
	if ((flags & CLI_REGEX_UTF) != 0 && (flags & CLI_REGEX_TRUSTED) == 0)
		options |= PCRE2_MATCH_INVALID_UTF;
	return options;
}

/* A newline is one byte, as in a log of lines, however PCRE2 was built. */
static pcre2_code *compile(const char *pattern, size_t size_bytes,
                           unsigned flags, struct cli_regex_error *error)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	pcre2_code *code;
	int number = 0;

	if (context == NULL) {
		(void)failed(NULL, error, CLI_REGEX_NO_MEMORY,
		             "not enough memory");
		return NULL;
	}
	(void)pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	code = pcre2_compile((PCRE2_SPTR)pattern, size_bytes,
	                     compile_options(flags), &number, &error->offset,
	                     context);
	pcre2_compile_context_free(context);
	if (code == NULL) {
		PCRE2_UCHAR reason[sizeof(error->reason)];

		(void)pcre2_get_error_message(number, reason, sizeof(reason));
		(void)failed(NULL, error, CLI_REGEX_BAD, (const char *)reason);
	}
	return code;
}

static bool prepare(struct cli_regex *regex)
{
	size_t code_bytes = 0;

	regex->context = pcre2_match_context_create(NULL);
	regex->data = pcre2_match_data_create_from_pattern(regex->code, NULL);
	if (regex->context == NULL || regex->data == NULL)
		return false;
	(void)pcre2_set_match_limit(regex->context, MATCH_LIMIT);
	(void)pcre2_set_depth_limit(regex->context, DEPTH_LIMIT);
	(void)pcre2_set_heap_limit(regex->context, HEAP_LIMIT_KIB);
	/* A system that lets nobody make machine code refuses this, and then
	 * the pattern is interpreted. */
	(void)pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE);
	(void)pcre2_pattern_info(regex->code, PCRE2_INFO_JITSIZE, &code_bytes);
	regex->compiled = code_bytes > 0;
	if (!regex->compiled)
		return true;
	regex->stack = pcre2_jit_stack_create(STACK_MIN_BYTES, STACK_MAX_BYTES,
	                                      NULL);
	if (regex->stack != NULL)
		pcre2_jit_stack_assign(regex->context, NULL, regex->stack);
	return true;
}

struct cli_regex *cli_regex_compile(const char *pattern, size_t size_bytes,
                                    unsigned flags,
                                    struct cli_regex_error *error_out)
{
	struct cli_regex *regex = calloc(1, sizeof(*regex));

	*error_out = (struct cli_regex_error){.failure = CLI_REGEX_BAD};
	if (regex == NULL)
		return failed(regex, error_out, CLI_REGEX_NO_MEMORY,
		              "not enough memory");
	regex->code = compile(pattern, size_bytes, flags, error_out);
	if (regex->code == NULL) {
		cli_regex_free(regex);
		return NULL;
	}
	if (!prepare(regex))
		return failed(regex, error_out, CLI_REGEX_NO_MEMORY,
		              "not enough memory");
	if ((flags & CLI_REGEX_UTF) != 0 && (flags & CLI_REGEX_TRUSTED) != 0)
		regex->options = PCRE2_NO_UTF_CHECK;
	return regex;
}

void cli_regex_free(struct cli_regex *regex)
{
	if (regex == NULL)
		return;
	pcre2_jit_stack_free(regex->stack);
	pcre2_match_context_free(regex->context);
	pcre2_match_data_free(regex->data);
	pcre2_code_free(regex->code);
	free(regex);
}

bool cli_regex_refers_to_groups(const struct cli_regex *regex)
{
	uint32_t references = 0, names = 0;

	(void)pcre2_pattern_info(regex->code, PCRE2_INFO_BACKREFMAX,
	                         &references);
	(void)pcre2_pattern_info(regex->code, PCRE2_INFO_NAMECOUNT, &names);
	return references > 0 || names > 0;
}

bool cli_regex_is_compiled(const struct cli_regex *regex)
{
	return regex->compiled;
}

static enum cli_regex_match result_of(int result)
{
	switch (result) {
	case PCRE2_ERROR_NOMATCH: return CLI_REGEX_NO_MATCH;
	case PCRE2_ERROR_MATCHLIMIT:
	case PCRE2_ERROR_DEPTHLIMIT:
	case PCRE2_ERROR_HEAPLIMIT:
	case PCRE2_ERROR_JIT_STACKLIMIT:
	case PCRE2_ERROR_RECURSELOOP: return CLI_REGEX_OVER_LIMIT;
	default: return result >= 0 ? CLI_REGEX_MATCH : CLI_REGEX_MATCH_FAILED;
	}
}

enum cli_regex_match cli_regex_search(const struct cli_regex *regex,
                                      const unsigned char *bytes,
                                      size_t size_bytes, size_t start,
                                      struct cli_regex_bounds *bounds_out)
{
	int result = PCRE2_ERROR_JIT_STACKLIMIT;

	if (regex->compiled)
		result = pcre2_jit_match(regex->code, bytes, size_bytes, start,
		                         regex->options, regex->data,
		                         regex->context);
	/* The interpreter keeps its state elsewhere, and more of it. */
	if (result == PCRE2_ERROR_JIT_STACKLIMIT)
		result = pcre2_match(regex->code, bytes, size_bytes, start,
		                     regex->options | PCRE2_NO_JIT, regex->data,
		                     regex->context);
	if (result >= 0 && bounds_out != NULL) {
		const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(
			regex->data);

		bounds_out->begin = offsets[0];
		bounds_out->end = offsets[1];
	}
	return result_of(result);
}

#else /* without PCRE2 */

struct cli_regex {
	bool compiled;
};

struct cli_regex *cli_regex_compile(const char *pattern, size_t size_bytes,
                                    unsigned flags,
                                    struct cli_regex_error *error_out)
{
	(void)pattern;
	(void)size_bytes;
	(void)flags;
	*error_out = (struct cli_regex_error){.failure = CLI_REGEX_NOT_BUILT};
	(void)snprintf(error_out->reason, sizeof(error_out->reason),
	               "shmlog was built without PCRE2, which libpcre2-dev "
	               "(pcre2-devel, pcre2-dev) brings");
	return NULL;
}

void cli_regex_free(struct cli_regex *regex)
{
	free(regex);
}

bool cli_regex_refers_to_groups(const struct cli_regex *regex)
{
	(void)regex;
	return false;
}

bool cli_regex_is_compiled(const struct cli_regex *regex)
{
	return regex->compiled;
}

enum cli_regex_match cli_regex_search(const struct cli_regex *regex,
                                      const unsigned char *bytes,
                                      size_t size_bytes, size_t start,
                                      struct cli_regex_bounds *bounds_out)
{
	(void)regex;
	(void)bytes;
	(void)size_bytes;
	(void)start;
	(void)bounds_out;
	return CLI_REGEX_MATCH_FAILED;
}

#endif
