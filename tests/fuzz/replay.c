/* Feeds files to a fuzzer once each, where there is no libFuzzer:
 * fuzz_NAME FILE... */
#include "fuzz.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *read_file(const char *path, size_t *size_out)
{
	uint8_t *bytes = NULL;
	size_t used = 0, capacity = 0, got;
	FILE *file = fopen(path, "rb");

	if (file == NULL)
		return NULL;
	do {
		if (used == capacity) {
			capacity = capacity * 2 + 4096;
			bytes = realloc(bytes, capacity);
			require(bytes != NULL);
		}
		got = fread(bytes + used, 1, capacity - used, file);
		used += got;
	} while (got > 0);
	fclose(file);
	*size_out = used;
	return bytes;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		size_t size_bytes = 0;
		uint8_t *bytes = read_file(argv[i], &size_bytes);

		if (bytes == NULL) {
			fprintf(stderr, "cannot read '%s': %s\n", argv[i],
			        strerror(errno));
			return 1;
		}
		/* The last one named is the one that failed. */
		printf("%s\n", argv[i]);
		fflush(stdout);
		(void)LLVMFuzzerTestOneInput(bytes, size_bytes);
		free(bytes);
	}
	return 0;
}
