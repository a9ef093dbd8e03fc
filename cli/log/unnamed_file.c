/* Makes files without a name. */
#include "unnamed_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int cli_open_unnamed(void)
{
	const char *folder = getenv("TMPDIR");
	char *name;
	int fd;

	if (folder == NULL || *folder == '\0')
		folder = "/tmp";
#ifdef O_TMPFILE
	fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
	if (fd >= 0)
		return fd;
#endif
	if (asprintf(&name, "%s/shmlog.XXXXXX", folder) < 0)
		return -ENOMEM;
	fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	else
		(void)unlink(name);
	free(name);
	return fd;
}
