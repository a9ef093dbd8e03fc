/* Follows logs, and prints what is appended to them. */
#ifndef TAIL_FOLLOW_H
#define TAIL_FOLLOW_H

struct tail;

/* Follows the logs until an end comes, and notes the exit status. */
void tail_follow(struct tail *tail);

#endif
