/* Describes in words what is wrong with a frame. */
#ifndef CLI_FAULT_TEXT_H
#define CLI_FAULT_TEXT_H

struct cli_object;
struct shmlog_damage;
struct shmlog_fault;

/*
 * What is wrong with a frame, as one line without the subject: "damaged frame
 * at cursor 12: size word says 4468, the one behind it says 16705; looks like
 * a payload of 70000 bytes whose size wrapped".  Returns the buffer.
 */
struct cli_fault_text {
	char text[512];
};
const char *cli_describe_fault(struct cli_fault_text *buffer,
                               const struct shmlog_fault *fault);

/* Adds a damaged range to a list: its place and size, the good frames before
 * it, and what is wrong. */
void cli_add_damage(struct cli_object *array,
                    const struct shmlog_damage *damage);

#endif
