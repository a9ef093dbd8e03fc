/* What fail_calls.c tells the program that preloads it. */
#ifndef FAIL_CALLS_H
#define FAIL_CALLS_H

struct fault_report {
	unsigned long eligible; /* calls that might have failed so */
	unsigned long failed;   /* of them, did */
	char first[24];         /* the name of the first that did */
};

#endif
