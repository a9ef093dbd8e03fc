/* Names the machine that a measurement was made on. */
#include "machine.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/sysmacros.h>
#endif

#define UNKNOWN "unknown"

/* x86 has "model name", other architectures other words or none. */
static const char *const cpu_labels[] = {"model name", "Model", "cpu model",
                                         "Processor", "uarch"};

/* What stands behind "LABEL<blanks>:" in a line; NULL if it has another. */
static char *value_of(char *line, const char *label)
{
	size_t length = strlen(label);
	char *at = line + length;

	if (strncmp(line, label, length) != 0)
		return NULL;
	at += strspn(at, " \t");
	if (*at++ != ':')
		return NULL;
	at += strspn(at, " \t");
	at[strcspn(at, "\n")] = '\0';
	return *at != '\0' ? at : NULL;
}

static bool find_cpu(FILE *cpuinfo, const char *label, char *text_out,
                     size_t capacity)
{
	char line[512];

	if (fseek(cpuinfo, 0, SEEK_SET) != 0)
		return false;
	while (fgets(line, sizeof(line), cpuinfo)) {
		const char *value = value_of(line, label);

		if (value) {
			snprintf(text_out, capacity, "%s", value);
			return true;
		}
	}
	return false;
}

static void describe_cpu(char *text_out, size_t capacity)
{
	FILE *cpuinfo = fopen("/proc/cpuinfo", "re");
	bool found = false;

	snprintf(text_out, capacity, UNKNOWN);
	if (!cpuinfo)
		return;
	for (size_t i = 0;
	     i < sizeof(cpu_labels) / sizeof(cpu_labels[0]) && !found; i++)
		found = find_cpu(cpuinfo, cpu_labels[i], text_out, capacity);
	fclose(cpuinfo);
}

void cli_machine_describe(struct cli_machine *machine_out)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct utsname names;

	*machine_out = (struct cli_machine){
		.architecture = UNKNOWN,
		.kernel = UNKNOWN,
		.cores = cores > 0 ? (uint64_t)cores : 1,
	};
	describe_cpu(machine_out->cpu, sizeof(machine_out->cpu));
	if (uname(&names) < 0)
		return;
	snprintf(machine_out->architecture, sizeof(machine_out->architecture),
	         "%s", names.machine);
	snprintf(machine_out->kernel, sizeof(machine_out->kernel), "%s %s",
	         names.sysname, names.release);
}

#ifdef __linux__

/* A line of mountinfo: "ID PARENT MAJOR:MINOR ... - TYPE SOURCE OPTIONS". */
static bool parse_mount(const char *line, dev_t device, char *type_out)
{
	const char *behind = strstr(line, " - ");
	unsigned device_major, device_minor;

	return behind &&
	       sscanf(line, "%*u %*u %u:%u", &device_major, &device_minor) ==
	               2 &&
	       device_major == major(device) && device_minor == minor(device) &&
	       sscanf(behind, " - %63s", type_out) == 1;
}

static bool find_type(const char *path, char *type_out)
{
	char line[4096];
	struct stat entry;
	bool found = false;
	FILE *mounts;

	if (stat(path, &entry) != 0)
		return false;
	mounts = fopen("/proc/self/mountinfo", "re");
	if (!mounts)
		return false;
	while (!found && fgets(line, sizeof(line), mounts))
		found = parse_mount(line, entry.st_dev, type_out);
	fclose(mounts);
	return found;
}

#else

static bool find_type(const char *path, char *type_out)
{
	(void)path;
	(void)type_out;
	return false;
}

#endif

const char *cli_describe_file_system(struct cli_file_system *buffer,
                                     const char *path)
{
	if (!find_type(path, buffer->type))
		snprintf(buffer->type, sizeof(buffer->type), UNKNOWN);
	return buffer->type;
}
