/* Prints logs as they are now, without following them. */
#ifndef TAIL_ONCE_H
#define TAIL_ONCE_H

struct tail;

/* Prints the logs one after the other, and notes the exit status. */
void tail_once(struct tail *tail);

/* Closes the logs that are open. */
void tail_once_end(struct tail *tail);

#endif
