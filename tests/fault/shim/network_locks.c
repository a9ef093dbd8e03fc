/*
 * A file system over the network, as far as its locks go.  Preloaded into a
 * command: flock(2) is a lock on all the bytes of the file, of the kind that
 * fcntl(2) sets, so an exclusive one takes a descriptor open for writing, and
 * one on any byte stands in its way.  The file system says that it is NFS.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

int fstatfs(int fd, struct statfs *system)
{
	int result = (int)syscall(SYS_fstatfs, fd, system);

	if (result == 0)
		system->f_type = 0x6969;
	return result;
}

int flock(int fd, int how)
{
	struct flock all = {.l_whence = SEEK_SET};
	int command = (how & LOCK_NB) != 0 ? F_OFD_SETLK : F_OFD_SETLKW;

	switch (how & ~LOCK_NB) {
	case LOCK_SH: all.l_type = F_RDLCK; break;
	case LOCK_EX: all.l_type = F_WRLCK; break;
	default: all.l_type = F_UNLCK; break;
	}
	if (fcntl(fd, command, &all) == 0)
		return 0;
	if (errno == EAGAIN || errno == EACCES)
		errno = EWOULDBLOCK;
	return -1;
}
