/* The program shmlog-dispatch, which `shmlog dispatch` runs. */
#include "dispatch.h"
#include "standalone.h"

int main(int argc, char **argv)
{
	return cli_standalone(&cmd_dispatch, argc, argv);
}
