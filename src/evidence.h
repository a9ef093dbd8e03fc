/*
 * Which bytes of a damaged log are frames, by the evidence for it.  Pure: no
 * system call.
 */
#ifndef SHMLOG_EVIDENCE_H
#define SHMLOG_EVIDENCE_H

#include <stdbool.h>
#include <stdint.h>

#define SHMLOG_EVIDENCE_NOWHERE UINT32_MAX

struct place;

/* Scratch for spans of a certain length, owned: some 30 bytes for each byte of
 * a span and 600 KiB. */
struct shmlog_evidence {
	uint16_t *good;
	uint32_t *count;
	uint32_t *frames;
	uint8_t *weight;
	struct place *places;
	uint32_t weighed; /* length of the span that was weighed last; or 0 */
};

/* A part of a log. */
struct shmlog_span {
	const unsigned char *bytes;
	uint32_t length;         /* up to that of the scratch */
	bool begins_at_boundary; /* good frames end there; a bad one starts */
	bool ends_at_boundary;   /* good frames that lead to the end of the log
	                          * start there */
};

/* 0 or -ENOMEM; to be released in any case. */
int shmlog_evidence_init(struct shmlog_evidence *evidence, uint32_t most_bytes);
void shmlog_evidence_release(struct shmlog_evidence *evidence);

/* Weighs a span, for the next two to tell what was found.  Some 50 ns for each
 * byte. */
void shmlog_evidence_weigh(struct shmlog_evidence *evidence,
                           const struct shmlog_span *span);

/* Whether a place is a boundary between frames, by what was found. */
bool shmlog_evidence_knows(const struct shmlog_evidence *evidence, uint32_t at);

/* The first place from `from` on where a frame starts that can be relied on,
 * or _NOWHERE. */
uint32_t shmlog_evidence_next(const struct shmlog_evidence *evidence,
                              uint32_t from);

/* Whether the good frames that lead from the place `anchor` to the end of the
 * span, or as many of them as lie in it, can be relied on. */
bool shmlog_evidence_of_end(struct shmlog_evidence *evidence,
                            const struct shmlog_span *span, uint32_t anchor);

#endif
