/* Escapes text for JSON quickly, where that is not inlined. */
#include "escape_quick.h"

#include "escape_wide.h"
#include "wide.h"

#ifdef CLI_ESCAPE_WIDE

_Static_assert(CLI_ESCAPE_STEP == CLI_ESCAPE_BLOCK, "callers count with it");

CLI_ESCAPE_WIDE static size_t escape(unsigned char **out,
                                     const unsigned char *bytes,
                                     size_t size_bytes, size_t readable_bytes)
{
	return cli_escape_widely(out, bytes, size_bytes, readable_bytes,
	                         cli_escape_put_block);
}

size_t cli_escape_quickly(unsigned char **out, const unsigned char *bytes,
                          size_t size_bytes, size_t readable_bytes)
{
	return size_bytes > 0 && cli_is_wide()
	               ? escape(out, bytes, size_bytes, readable_bytes)
	               : 0;
}

#else

size_t cli_escape_quickly(unsigned char **out, const unsigned char *bytes,
                          size_t size_bytes, size_t readable_bytes)
{
	(void)out;
	(void)bytes;
	(void)size_bytes;
	(void)readable_bytes;
	return 0;
}

#endif
