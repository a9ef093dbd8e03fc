/* Knows what stands here for options and commands of other tools. */
#include "hints.h"

#include <stdbool.h>
#include <string.h>

/*
 * A spelling that means the same as an option here would be one more name to
 * keep for ever, and most mean almost the same; so these are refused, and the
 * refusal says what to use.  Of several rows for one spelling and command the
 * first counts.
 */
static const struct cli_option_hint option_hints[] = {
	/* GNU tail and head */
	{"tail,dump", "--bytes",
         "a log has frames, not bytes: -n N counts frames, --from offset:N is "
         "a place in the file"},
	{"tail", "-s --sleep-interval --disable-inotify --use-polling",
         "--poll DURATION is the longest time between two looks"},
	{"tail", "--max-unchanged-stats",
         "-F notices by itself that a log was replaced: leave it out"},
	{"tail,dump", "--verbose", "--prefix names the log before each frame"},
	{"tail,dump", "-z --zero-terminated --null --print0 --raw-output0",
         "-o nul ends each frame with a byte 0"},
	{"dump", "-0", "-o nul ends each frame with a byte 0"},
	{"tail,dump,seek,verify", "--silent", "the name of it is --quiet here"},
	{"dump", "--lines --limit --max-messages --first",
         "-n N ends after N frames"},
	{"tail", "--number --last", "-n N begins with the last N frames"},
	{"dump", "--last", "--from -5 begins five frames before the end"},
	{"tail,dump", "--skip", "--from frame:N passes over N frames"},
	{"tail", "--limit --max-messages --max-count -m",
         "--count N ends after N frames"},
	{"dump", "-f --follow", "'shmlog tail -f' follows a log"},
	{"dump", "-F --follow-name --retry",
         "'shmlog tail -F' follows a name; --grep '\\QTEXT\\E' finds a text "
         "as it is"},
	{"tail", "-r --reverse --tac",
         "'shmlog dump -r' prints the last frame first"},
	{"dump", "--tac", "-r prints the last frame first"},

	/* grep */
	{"tail", "-c",
         "-n N counts frames, not bytes, and --tally prints how many pass"},
	{"dump", "-c", "--tally prints how many frames pass, -n N takes N"},
	{"tail,dump,view", "-v --invert-match",
         "--not-grep RE leaves out frames that match"},
	{"tail,dump,view",
         "-e -E -P -g --regexp --regex --pattern --match "
         "--extended-regexp --perl-regexp --basic-regexp",
         "--grep RE takes regular expressions of Perl, and may be repeated"},
	{"tail,dump,view", "--fixed-strings",
         "--grep '\\QTEXT\\E' finds a text as it is"},
	{"tail,dump,view", "-w --word-regexp",
         "--grep '\\bWORD\\b' finds a word"},
	{"tail,dump,view", "-x --line-regexp",
         "--grep '^TEXT$' finds a whole payload"},
	{"dump", "-m --max-count", "-n N ends after N frames"},
	{"tail,dump", "--only-matching",
         "frames are printed whole: 'grep -o' behind it prints parts"},
	{"tail,dump",
         "-l -L --files-with-matches --files-without-match --exit-status",
         "the status tells: 0, or 10 where no frame passes"},
	{"tail,dump", "-H --with-filename",
         "--prefix names the log before each frame"},
	{"tail,dump,seek", "--no-filename",
         "-q leaves out the names of the logs"},
	{"dump", "-N --number", "-t '%i %p\\n' prints index and payload"},
	{"tail,dump", "-b --byte-offset --line-number --show-cursor",
         "-t '%c %i %p\\n' prints cursor, index and payload"},
	{"tail,dump", "-y --case-sensitive",
         "-i matches in upper and lower case, without it case counts"},

	/* jq */
	{"tail,dump,seek", "--compact-output --jsonl --ndjson",
         "-o json prints one line for each frame"},
	{"dump", "--raw-output", "-o text prints payloads as they are"},
	{"tail,seek", "--raw-output", "-o text prints payloads as they are"},
	{"tail,dump,seek", "-j --join-output",
         "-o raw prints payloads and nothing between them"},
	{"tail,dump,seek", "--slurp --tab --indent --sort-keys --pretty",
         "-o json prints lines, of which jq makes anything else"},
	{"tail,dump,view", "--arg --argjson --jq --select --filter --query",
         "--where EXPR keeps frames as jq's select(EXPR) does"},
	{"tail,dump,seek,stat,ls,top,view",
         "-M --monochrome-output --no-color --no-colour --monochrome",
         "--color never prints no colour"},
	{"tail,dump,seek,stat,ls,top,verify,rm,rotate,bench,schema,"
         "relay push,relay pull,relay status,dispatch",
         "--json --as-json", "-o json prints JSON"},
	{"tail,dump,seek", "--csv", "-o csv --columns PATHS prints CSV"},
	{"tail,dump,seek", "--hex --hexdump", "-o hex prints a hex dump"},
	{"tail,dump,seek", "--raw --binary", "-o raw prints the bytes alone"},
	{"tail,dump,seek", "--format --output-format",
         "-o FORMAT has a name, -t TEMPLATE is free"},
	{"ls,top,verify,rm,rotate,bench,schema", "--format --output-format",
         "-o FORMAT prints text or JSON"},

	/* journalctl */
	{"tail,dump", "-u --unit --user-unit --identifier --facility",
         "a log has no units: name the LOG, or --where '.unit == \"NAME\"' "
         "looks into the payload's JSON"},
	{"tail,dump", "-p --priority",
         "a log knows no priorities: --where looks into the payload's JSON"},
	{"tail,dump,view", "-S -U --since --until --after --before",
         "a log keeps no times: --from takes a position, --where compares "
         "what the payload's JSON has"},
	{"dump,view", "--cursor --after-cursor",
         "--from POS begins at a cursor"},
	{"tail", "--after-cursor", "--from POS begins at a cursor"},
	{"tail,dump", "--no-pager", "no pager is started: leave it out"},
	{"tail", "--no-tail --from-beginning --all",
         "-n +1 begins with the first frame"},
	{"dump", "--no-tail --from-beginning --all",
         "all frames are printed: leave it out"},
	{"tail,dump,seek", "--output-fields --fields",
         "-o csv --columns PATHS prints members of the payload's JSON"},
	{"rotate,append", "--vacuum-files --vacuum-size --vacuum-time",
         "--keep N keeps N rotated logs"},

	/* kcat and the consumers of Kafka */
	{"tail,dump", "-J", "-o json prints JSON"},
	{"tail,dump", "-D -K",
         "frames have no delimiters and no keys: -t TEMPLATE prints any"},
	{"tail", "-G --group", "--cursor-file FILE keeps how far it came"},
	{"dump", "-G --group --cursor-file",
         "'shmlog tail --cursor-file' keeps how far it came"},
	{"tail,dump", "--offset --partition --topic --start --at",
         "--from POS is where to begin"},
	{"append", "-P", "append does produce: leave it out"},
	{"append", "-l -f --file", "files are operands: append LOG FILE"},
	{"append", "-T", "--tee prints what was committed"},
	{"append", "-D --delimiter",
         "-i lines or -i nul says what ends a record"},
	{"append", "-k --key", "frames have no keys"},

	/* tee, xargs, echo, dd and what else writes */
	{"append", "-z -0 --null --null-data --zero-terminated",
         "-i nul reads records that end in a byte 0"},
	{"append", "-a --append", "append never overwrites: leave it out"},
	{"append", "--json --jsonl --ndjson",
         "-i json takes lines that are JSON"},
	{"append", "-c --capacity --size --max-size",
         "--create SIZE makes a missing log, --rotate a full one anew"},
	{"append", "-t --text -d --data --payload --value",
         "-m TEXT appends a text"},
	{"append", "--fsync --durable --flush",
         "--sync makes commits last on a disk"},
	{"append", "--batch --batch-size",
         "--commit-every N makes commits of N"},
	{"append", "--raw --whole --binary",
         "-i whole makes one frame of each file"},
	{"append", "-v --verbose",
         "--ack prints a line of JSON after each commit"},
	{"append", "--wait",
         "--lock-timeout DURATION waits for other appenders"},

	/* truncate, fallocate, mkdir */
	{"create", "-s -l --size --length --max-size",
         "-c SIZE is the length of the file"},
	{"create", "-f -p --force --exist-ok --parents",
         "--if-missing accepts a log that is there"},
	{"create", "-m --permissions --perm",
         "--mode OCTAL has the permissions"},
	{"grow", "-s -c --size --capacity --length --by --to",
         "the size is an operand: grow LOG SIZE, or +SIZE"},

	/* rm, ls, stat, top, fsck, logrotate, less */
	{"rm", "-f --force", "what a process writes is never removed"},
	{"rm", "-r -R --recursive",
         "--unattended removes the logs in a folder and its subfolders"},
	{"rm", "-a --all", "--unattended removes all logs that nobody holds"},
	{"rm", "-i -I --interactive", "-n says what would be removed"},
	{"rm", "-v --verbose", "-o json says what was removed"},
	{"rm", "--older-than --age",
         "not the age counts but whether a process holds the log: "
         "--unattended"},
	{"ls", "-l -1 --long", "the list is a long one: leave it out"},
	{"ls", "-R -r --recursive",
         "subfolders are searched as well: leave it out"},
	{"ls", "-t -S --sort", "'shmlog top -b -n 1 -s COLUMN' sorts"},
	{"stat", "-c -t --format --output-format --printf --terse --fields",
         "-o json has every value under its name"},
	{"stat", "-f --follow -w -n -i -s -d --interval",
         "--watch=DURATION shows the rates"},
	{"stat", "-p --processes", "--procs lists the processes"},
	{"stat", "--prometheus --metrics", "-o prometheus prints metrics"},
	{"top", "--delay", "--interval DURATION is the time between two looks"},
	{"top", "--once", "-b -n 1 prints the logs once"},
	{"verify", "-y -p -a -f --repair --fix --force",
         "verify changes nothing: --salvage FILE copies the good frames"},
	{"verify", "-n --dry-run", "verify changes nothing: leave it out"},
	{"rotate", "-f", "--force goes on though another writer is seen"},
	{"rotate", "-n --rotate --count --max-files",
         "--keep N keeps N rotated logs"},
	{"rotate", "-z --gzip --zstd", "--compress archives with zstd"},
	{"seek", "--from --to --at --cursor --position",
         "positions are operands: seek LOG POS"},
	{"seek", "-n --count --lines --grep --where",
         "'shmlog dump --from POS' prints frames from there on"},
	{"view", "-F --follow-name", "--follow=name follows a name"},
	{"view", "-t -o --template --output",
         "'shmlog dump' has formats; the key w exports frames"},
	{"view", "-p", "--grep RE shows frames that match"},
	{"schema", "-t --type", "the type is an operand behind the files"},
	{"schema", "-s --schema --file", "the files are operands"},

	/* clients of servers and of models */
	{"relay push,relay pull,relay status",
         "-s -b --server --servers --url --broker",
         "the server is an operand: LOG URL"},
	{"relay push,relay pull,relay status", "--password",
         "--password-file FILE keeps it from the list of processes"},
	{"relay push,relay pull,relay status", "--token",
         "--token-file FILE keeps it from the list of processes"},
	{"relay pull", "-F --follow-name", "-f goes on with new messages"},
	{"dispatch", "-j -P --jobs --parallel --workers",
         "--concurrency N is how many go at a time"},
	{"dispatch", "--api-key --key",
         "--key-fd N reads the key from a descriptor"},
	{"dispatch", "--timeout",
         "--call-timeout DURATION is for one attempt, --ttl for a prompt"},
	{"dispatch", "-m", "--model ID names the model"},
	{"dispatch", "--temperature --top-p --top-k --stop",
         "--param NAME=JSON adds a member to requests"},
};

/* The first row that fits counts, so a name may stand once. */
static const struct cli_command_hint command_hints[] = {
	{"cat print consume", "dump LOG"},
	{"follow consumer subscribe sub listen journalctl kcat", "tail -f LOG"},
	{"last", "tail LOG"},
	{"head first", "dump -n 10 LOG"},
	{"tac reverse", "dump -r LOG"},
	{"grep search find rg", "dump --grep RE LOG"},
	{"jq filter select query where", "dump --where EXPR LOG"},
	{"count tally", "dump --tally --grep RE LOG"},
	{"cp copy export", "dump -o frames LOG"},
	{"import", "append -i frames LOG"},
	{"hexdump hd xxd od", "dump -o hex LOG"},
	{"csv", "dump -o csv --columns PATHS LOG"},
	{"replay", "dump --pace PATH LOG"},
	{"merge sort", "dump --merge PATH LOG LOG"},
	{"wait", "tail -F -n 0 --count 1 LOG"},
	{"write put produce producer publish pub send add insert echo log "
         "logger",
         "append LOG"},
	{"tee", "append --tee LOG"},
	{"new init mk make touch fallocate", "create -c SIZE LOG"},
	{"less more most browse open pager tui ui", "view LOG"},
	{"wc info status describe inspect header meta", "stat LOG"},
	{"ps lsof fuser holders procs processes", "stat --procs LOG"},
	{"watch rate rates", "stat --watch LOG"},
	{"metrics prometheus", "stat -o prometheus"},
	{"list dir du df", "ls"},
	{"htop monitor", "top"},
	{"check fsck validate", "verify LOG"},
	{"repair recover salvage fix", "verify --salvage FILE LOG"},
	{"delete del remove unlink drop destroy", "rm LOG"},
	{"clean prune gc purge", "rm -n --unattended /dev/shm"},
	{"resize extend expand enlarge", "grow LOG SIZE"},
	{"mv rename truncate reset clear logrotate", "rotate LOG"},
	{"archive compress zstd", "rotate --compress LOG"},
	{"locate at pos", "seek LOG POS"},
	{"types type bendec", "schema FILE"},
	{"benchmark perf speed", "bench"},
	{"push mirror replicate nats", "relay push LOG URL"},
	{"pull", "relay pull LOG URL"},
	{"ask prompt llm claude", "dispatch PROMPTS REPLIES"},
	{"version", "--version"},
	{"man usage commands", "help"},
};

#define OPTION_ROWS (sizeof(option_hints) / sizeof(option_hints[0]))
#define COMMAND_ROWS (sizeof(command_hints) / sizeof(command_hints[0]))

/* Whether a word is one of a list, whose words have `separator` between
 * them. */
static bool is_in_list(const char *list, char separator, const char *word,
                       size_t bytes)
{
	const char separators[] = {separator, '\0'};

	for (;;) {
		size_t length = strcspn(list, separators);

		if (length == bytes && memcmp(list, word, bytes) == 0)
			return true;
		if (list[length] == '\0')
			return false;
		list += length + 1;
	}
}

const char *cli_hint_option(const char *command, const char *spelling,
                            size_t bytes)
{
	for (size_t i = 0; i < OPTION_ROWS; i++) {
		const struct cli_option_hint *row = &option_hints[i];

		if (is_in_list(row->spellings, ' ', spelling, bytes) &&
		    is_in_list(row->commands, ',', command, strlen(command)))
			return row->text;
	}
	return NULL;
}

const char *cli_hint_command(const char *name)
{
	for (size_t i = 0; i < COMMAND_ROWS; i++) {
		if (is_in_list(command_hints[i].names, ' ', name, strlen(name)))
			return command_hints[i].instead;
	}
	return NULL;
}

const struct cli_option_hint *cli_hint_option_row(size_t n)
{
	return n < OPTION_ROWS ? &option_hints[n] : NULL;
}

const struct cli_command_hint *cli_hint_command_row(size_t n)
{
	return n < COMMAND_ROWS ? &command_hints[n] : NULL;
}
