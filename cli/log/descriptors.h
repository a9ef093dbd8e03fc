/* How many descriptors this process may have. */
#ifndef CLI_DESCRIPTORS_H
#define CLI_DESCRIPTORS_H

#include <stddef.h>

/*
 * Lets this process have as many descriptors as the system grants it, if it may
 * not have `wanted` of them so far: the soft limit becomes the hard one.  Where
 * that is too little as well, who opens one too many hears of it.  A child
 * would inherit the limit, and may not be ready for it: not to be called by
 * commands that start others.
 */
void cli_allow_descriptors(size_t wanted);

#endif
