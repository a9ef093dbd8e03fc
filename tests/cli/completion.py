#!/usr/bin/env python3
"""What Tab offers, for every option of every command, in real shells:

    completion.py direct|bash|bash-completion|zsh|fish FOLDER

FOLDER is an empty one to work in.  `direct` asks the programs themselves, the
others an interactive shell: one process for all lines.  Says what is wrong, and
ends with 1 then.  A new option gets its row in OPTIONS; one without is noticed.
"""

import os
import pty
import re
import select
import shlex
import signal
import subprocess
import sys
import termios
import threading

BUILD = os.environ["BUILD"]
ROOT = os.environ["ROOT"]
PATIENCE = 10 * int(os.environ.get("SLACK", "10"))

SCHEMA = """[{"name":"u16","size":2},{"name":"u32","size":4},
 {"name":"Unit","underlying":"u16","variants":[["Metre",1],["Second",2]]},
 {"name":"Place","fields":[{"name":"x","type":"u32"},{"name":"y","type":"u32"}]},
 {"name":"Reading","fields":[{"name":"unit","type":"Unit"},{"name":"at","type":"Place"}]}]
"""

# What is typed of a value, and what is offered for it then; with what stands on
# the line before it.
KINDS = {
    "anything": ("", []),
    "number": ("", []),
    "size": ("7", ["7K", "7M", "7G", "7T"]),
    "duration": ("7", ["7us", "7ms", "7s", "7m", "7h"]),
    "position": ("", ["start", "end", "-1", "frame:", "offset:"]),
    "file": ("room/p", ["room/pa", "room/pb", "room/pc/", "room/plog"]),
    "folder": ("room/p", ["room/pc/"]),
    "log": ("room/p", ["room/plog", "room/pc/"]),
    "log or position": ("st", ["start"]),
    "program": ("probe-", ["probe-one", "probe-two"]),
    "process": (str(os.getpid()), [str(os.getpid())]),
    "mode": ("06", ["0600", "0640", "0660", "0644", "0664", "0666"]),
    "template": ("%c", ["%c%" + f for f in "cxispbjfltT"]),
    "type": ("", ["Place", "Reading"], "--schema schema.json"),
    # What begins with a dot, fish hides until that is typed.
    "field": (".", [".unit", ".at"], "--schema schema.json --type Reading"),
    "fields": (".unit,.at.", [".unit,.at.x", ".unit,.at.y"],
               "--schema schema.json --type Reading"),
    "url": ("", ["nats://", "tls://"]),
}

OUTPUT = "text nul json hex frames raw csv".split()
REPORT = ["text", "json"]
WHEN = ["auto", "always", "never"]
PROGRESS = WHEN + ["json"]
FOLLOW = ["name", "descriptor"]
TYPED = {"schema": "file", "type": "type"}
FILTER = {"grep": "anything", "not-grep": "anything", "where": "anything"}
AROUND = {"after-context": "number", "before-context": "number",
          "context": "number"}
FRAMES = {"output": OUTPUT, "template": "template", "columns": "fields",
          "color": WHEN, **TYPED}
SERVER = {"output": REPORT, "stream": "anything", "subject": "anything",
          "user": "anything", "password-file": "file", "token-file": "file",
          "creds": "file", "tls-ca": "file", "tls-cert": "file",
          "tls-key": "file"}

# The kind of each option's value, or all that it can be.
OPTIONS = {
    "append": {
        "input": "lines nul json envelope frames whole".split(),
        "message": "anything", "create": "size", "commit-every": "number",
        "overflow": "file", "lock-timeout": "duration",
        "writer-timeout": "duration", "keep": "number", "sync": "duration",
        "progress": PROGRESS, **TYPED},
    "bench": {"output": REPORT, "count": "number", "rounds": "number",
              "size": "size", "dir": "folder"},
    "completion": {},
    "create": {"capacity": "size", "mode": "mode"},
    "dump": {"from": "position", "to": "position", "count": "number",
             "pace": "field", "speed": "number", "merge": "field",
             "progress": PROGRESS, **FRAMES, **FILTER, **AROUND},
    "grow": {"lock-timeout": "duration"},
    "ls": {"output": REPORT, "color": WHEN},
    "rm": {"output": REPORT},
    "rotate": {"keep": "number", "lock-timeout": "duration", "output": REPORT,
               "progress": PROGRESS},
    "schema": {"output": REPORT},
    "seek": FRAMES,
    "stat": {"output": REPORT + ["prometheus"], "watch": "duration",
             "expect": "anything", "until": "anything", "timeout": "duration",
             "to": "file", "color": WHEN, "progress": PROGRESS},
    "tail": {"lines": "number", "follow": FOLLOW, "glob": "anything",
             "merge": "field", "merge-wait": "duration", "from": "position",
             "cursor-file": "file", "count": "number", "timeout": "duration",
             "idle": "duration", "pid": "process", "poll": "duration",
             **FRAMES, **FILTER, **AROUND},
    "top": {"count": "number", "interval": "duration",
            "sort": "name used capacity fill frames/s bytes/s full writers "
                    "readers lag owner".split(),
            "output": REPORT, "color": WHEN},
    "verify": {"output": REPORT, "salvage": "file", "payload": ["json", "utf8"],
               "progress": PROGRESS, **TYPED},
    "view": {"from": "position", "follow": FOLLOW, "color": WHEN, **TYPED,
             **FILTER},
    "dispatch": {
        "exec": "program", "worker": "program", "follow": FOLLOW,
        "from": "position", "concurrency": "number",
        "order": ["completion", "prompt"], "retries": "number",
        "call-timeout": "duration", "ttl": "duration", "rate": "anything",
        "metrics": "file", "output": REPORT, "model": "anything",
        "system": "file", "max-tokens": "number",
        "thinking": ["adaptive", "between_tools", "disabled"],
        "effort": ["low", "medium", "high"], "body": "file",
        "param": "anything", "batch": "number", "batch-bytes": "size",
        "batch-wait": "duration", "connect-timeout": "duration",
        "idle-timeout": "duration", "base-url": "anything",
        "api-version": "anything", "auth": ["x-api-key", "bearer"],
        "key-fd": "number", "price": "anything", "max-cost": "anything",
        "max-tokens-total": "number"},
    "relay push": {"from": "position", "pack": "size", "window": "number",
                   "replicas": "number", "max-bytes": "size",
                   "timeout": "duration", "idle": "duration", **SERVER},
    "relay pull": {"create": "size", "gaps": ["stop", "skip"], "state": "file",
                   "timeout": "duration", "idle": "duration", **SERVER},
    "relay status": SERVER,
}

# The kind of each operand, one after the other.
OPERANDS = {
    "append": ["log", "file", "file"],
    "bench": ["write write-batch read read-batch wake".split()],
    "completion": [["bash", "zsh", "fish"]],
    "create": ["file"],
    "dump": ["log", "log"],
    "grow": ["log", "size"],
    "ls": ["log"],
    "rm": ["log"],
    "rotate": ["log"],
    "schema": ["file"],
    "seek": ["log", "log or position", "log or position"],
    "stat": ["log"],
    "tail": ["log", "log"],
    "top": ["log"],
    "verify": ["log"],
    "view": ["log"],
    "dispatch": ["log", "log"],
    "relay push": ["log", "url"],
    "relay pull": ["log", "url"],
    "relay status": ["log", "url"],
}

# Names that shells have to quote.
NAMES = ["a b.shm", 'q"uote', "it's", "co:lon", "do$lar", "at@x", "e=q", "new\nline",
         "br{x}a[c]e", "semi;x&y|z", "back\\slash", "ta\tb", "\u00fcn\u00ef", "st*ar?", "bang!",
         "-dash", "#hash", "(paren)", "<less>", "`tick`", "esc\x1b[31m", "co,mma%"]

failures = []


def check(line, found, wanted):
    if found != wanted:
        failures.append(f"{line!r} offers {sorted(found)}, not {sorted(wanted)}")


# ------------------------------------------------------------------ the lines

def options_of(command):
    """(letter or "", name, takes a value) of --help."""
    text = subprocess.run([BUILD + "/shmlog", *command.split(), "--help"],
                          capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^ +(?:-([A-Za-z]), )?--([a-z-]+)(\[=[A-Z]+\]| [A-Z]+)?(?:$|  )",
                       text, re.M)
    return [(letter, name, value) for letter, name, value in found]


def kind_of(kind):
    """What is typed, what is offered, what stands before it."""
    if isinstance(kind, list):
        return "", kind, ""
    return (KINDS[kind] + ("",))[:3]


def lines_of(command, forms):
    """(line up to the cursor, what is offered) for all that it takes.  A kind of
    value that is in `forms` is asked for in one form alone."""
    table = dict(OPTIONS[command])
    stem = "shmlog " + command
    options = options_of(command)

    yield stem + " --", ["--" + name for _, name, _ in options]
    for letter, name, value in options:
        if not value:
            continue
        if name not in table:
            failures.append(f"{command} --{name} is not in the table")
            continue
        kind = table.pop(name)
        typed, offered, before = kind_of(kind)
        line = f"{stem} {before} " if before else stem + " "
        known = str(kind) in forms
        if value[0] == " ":
            yield f"{line}--{name} {typed}", offered
            if letter and not known:
                yield f"{line}-{letter} {typed}", offered
        if value[0] != " " or not known:
            yield f"{line}--{name}={typed}", offered
        if forms is not EVERY:
            forms.add(str(kind))
    failures.extend(f"{command} has no --{name}" for name in table)
    line = stem
    for kind in OPERANDS[command]:
        typed, offered, _ = kind_of(kind)
        yield f"{line} {typed}", offered
        line += " room/pa"


EVERY = frozenset()


def all_lines(forms=None):
    forms = set() if forms is None else forms
    commands = [c for c in OPTIONS
                if os.access(f"{BUILD}/shmlog-{c.split()[0]}", os.X_OK)
                or c not in ("dispatch", "relay push", "relay pull", "relay status")]
    names = [c for c in OPTIONS if " " not in c] + ["relay"]

    yield "shmlog ", names + ["help"]
    yield "shmlog help ", names
    yield "shmlog --", ["--help", "--version"]
    yield "shmlog ta", ["tail"]
    yield "shmlog create -c 1M room/new ", ["--mode", "--sparse", "--if-missing", "--help"]
    # One that was given is not offered again, but if it can be repeated.
    yield "shmlog append -i nul --mess", ["--message"]
    yield "shmlog append -m x --mess", ["--message"]
    yield "shmlog append -i nul --inp", []
    yield "shmlog tail -fo", ["-fo"]
    yield "shmlog tail -fojs", ["-fojson"]
    yield "shmlog dump -- --", []
    yield "shmlog dump --from frame:", ["frame:0", "frame:-1"]
    yield "shmlog seek room/plog 0 st", ["start"]
    yield "shmlog schema schema.json Re", ["Reading"]
    yield "shmlog dump room/pc/", ["room/pc/inner"]
    yield "shmlog dump no/such/", []
    yield "shmlog grow room/plog +1", ["+1K", "+1M", "+1G", "+1T"]
    yield "shmlog dump room/x", ["room/xa"]  # no log is there: the files
    if "relay push" in commands:
        yield "shmlog relay ", ["push", "pull", "status"]
        yield "shmlog-relay ", ["push", "pull", "status"]
        yield "shmlog-relay pull --gaps ", ["stop", "skip"]
    if "dispatch" in commands:
        yield "shmlog-dispatch --auth ", ["bearer", "x-api-key"]
    for command in commands:
        yield from lines_of(command, forms)


def make_room(folder):
    os.chdir(folder)
    os.makedirs("room/pc")
    os.makedirs("bin")
    for name in ("room/pa", "room/pb", "room/xa"):
        open(name, "w").close()
    with open("schema.json", "w") as file:
        file.write(SCHEMA)
    for name in ("probe-one", "probe-two"):
        with open("bin/" + name, "w") as file:
            file.write("#!/bin/sh\n")
        os.chmod("bin/" + name, 0o755)
    for log in ("room/plog", "room/pc/inner"):
        subprocess.run([BUILD + "/shmlog", "create", "-c", "4K", log], check=True)
    for i, name in enumerate(NAMES):
        os.makedirs(f"names/{i}")
        subprocess.run([BUILD + "/shmlog", "create", "-c", "4K",
                        f"names/{i}/{name}"], check=True)
    # As `make install` puts them.
    scripts = ROOT + "/cli/cmd/completion/shmlog."
    for shell, path in (("bash", "bash-completion/completions/shmlog"),
                        ("zsh", "zsh/_shmlog"),
                        ("fish", "fish/vendor_completions.d/shmlog.fish")):
        os.makedirs(os.path.dirname("share/" + path))
        os.symlink(scripts + shell, "share/" + path)
        for name in ("-relay", "-dispatch"):
            if shell != "zsh":
                os.symlink(scripts + shell, f"share/{path}".replace("shmlog", "shmlog" + name, 1)
                           if shell == "bash" else
                           f"share/fish/vendor_completions.d/shmlog{name}.fish")


def environment(**more):
    env = {"PATH": f"{os.getcwd()}/bin:{BUILD}:{os.environ['PATH']}",
           "HOME": os.getcwd(), "TERM": "dumb", "LC_ALL": "C.UTF-8",
           "XDG_DATA_DIRS": os.getcwd() + "/share:/usr/share", **more}
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
        if name in os.environ:
            env[name] = os.environ[name]
    return env


# ------------------------------------------------------------------- programs

def ask_directly():
    for line, wanted in all_lines(EVERY):
        program = line.split()[0]
        answer = subprocess.run(
            [f"{BUILD}/{program}", "--complete=fish", line], env=environment(),
            capture_output=True, check=False)
        records = answer.stdout.decode().split("\0")[:-1]
        typed = line.rsplit(" ", 1)[1]
        found = {r[1:].split("\t")[0] for r in records if r[0] in "wpfd"}
        check(line, candidates(found, typed), set(wanted))
        if answer.returncode != 0 or answer.stderr:
            failures.append(f"{line!r}: status {answer.returncode}, {answer.stderr!r}")


def candidates(found, typed):
    """Without "--name=" before a value, and without logs of this machine."""
    name = re.match(r"--[a-z-]+=", typed)
    if name:
        found = {f[name.end():] for f in found if f.startswith(name.group())}
    return {f for f in found if not f.startswith("/dev/shm/")}


# --------------------------------------------------------- bash and zsh, by keys

class Terminal:
    """An interactive shell that has a terminal, and writes its line to a FIFO
    when asked to."""

    def __init__(self, arguments, setup):
        os.mkfifo("line")
        self.line = os.open("line", os.O_RDWR)
        self.rest = b""
        with open("setup", "w") as file:
            file.write(setup)
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.execvpe(arguments[0], arguments, environment())
        attributes = termios.tcgetattr(self.master)
        attributes[3] &= ~termios.ECHO
        termios.tcsetattr(self.master, termios.TCSANOW, attributes)
        self.shown = b""
        threading.Thread(target=self.drain, daemon=True).start()
        os.write(self.master, b". ./setup\n")
        if self.read() != "ready":
            sys.exit(f"{arguments[0]} did not start: {self.shown!r}")

    def drain(self):
        try:
            while True:
                self.shown = (self.shown + os.read(self.master, 65536))[-4000:]
        except OSError:
            pass

    def read(self):
        while b"\0" not in self.rest:
            if not select.select([self.line], [], [], PATIENCE)[0]:
                sys.exit(f"the shell does not answer: {self.shown!r}")
            self.rest += os.read(self.line, 65536)
        text, self.rest = self.rest.split(b"\0", 1)
        return text.decode("utf-8", "surrogateescape")

    def press(self, line, key):
        os.write(self.master, line.encode() + key + b"\x18r")
        return self.read()

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


BASH = r"""PS1=
report() { printf '%s\0' "$READLINE_LINE" >line; READLINE_LINE=; READLINE_POINT=0; }
bind 'set enable-bracketed-paste off'; bind 'set bell-style none'
bind '"\C-xa": insert-completions'; bind -x '"\C-xr": report'
printf 'ready\0' >line
"""
ZSH = r"""PS1=; fpath=($PWD/share/zsh $fpath); unsetopt beep
autoload -Uz compinit; compinit -u -D
report() { print -rn -- "$BUFFER"$'\0' >line; BUFFER= }
zle -N report; bindkey '^Xr' report
zle -C all-matches complete-word _generic; bindkey '^Xa' all-matches
zstyle ':completion:all-matches::::' completer _all_matches _complete
zstyle ':completion:all-matches:*' insert yes
zstyle ':completion:*' insert-tab false
print -rn -- 'ready'$'\0' >line
"""


def words_of(line, after):
    """The words that all matches made of a line."""
    typed = line.rsplit(" ", 1)[1]
    start = line[:len(line) - len(typed)]
    if not after.startswith(start):
        return {after}
    found = after[len(start):]
    if found == typed:
        return set()
    # bash puts what stands before a break in front of the first one alone.
    kept = typed[:max(typed.rfind("="), typed.rfind(":")) + 1]
    return {w if w.startswith(kept) else kept + w for w in shlex.split(found)}


def lone(line, after, wanted):
    """What was typed already, and is all that there is."""
    typed = line.rsplit(" ", 1)[1]
    if after.rstrip(" ") == line and [re.sub("^--[a-z-]+=", "", typed)] == wanted:
        return {typed}
    return words_of(line, after)


def ask_by_keys(arguments, setup, evaluate, lines):
    shell = Terminal(arguments, setup)
    for line, wanted in lines:
        after = shell.press(line, b"\x18a")
        found = candidates(lone(line, after, wanted), line.rsplit(" ", 1)[1])
        # Where all are inserted, most folders have no slash behind them.
        check(line, {f + "/" if f + "/" in wanted else f for f in found}, set(wanted))
    names = [shell.press(f"shmlog dump {quote}names/{i}/", b"\t")
             for i in range(len(NAMES)) for quote in ("", '"', "'")]
    if arguments[0] == "bash":
        check("alias", {shell.press("nick dump room/pl", b"\t")}, {"nick dump room/plog "})
    # A folder goes on, a variable is left to the shell.
    for typed, wanted in (("room/pc/i", "room/pc/inner "), ("roo", "room/"),
                          ("~/room/pl", "~/room/plog "),
                          ("$HOME/room/pl", "$HOME/room/plog "),
                          ("room/plog >room/x", "room/plog >room/xa "),
                          ("--from fr", "--from frame:"), ("--gre", "--grep ")):
        check(typed, {shell.press("shmlog dump " + typed, b"\t")},
              {"shmlog dump " + wanted})
    shell.end()
    check_names(names, evaluate)


def check_names(lines, evaluate):
    """The third word of each completed line, as the shell reads it."""
    # What opened the quotes may not have closed them.
    closed = []
    for i, line in enumerate(lines):
        quote = ("", '"', "'")[i % 3]
        line = line.rstrip(" ")
        # Where history is expanded, which it is not here, zsh drops this.
        if evaluate[0] == "zsh" and quote == '"':
            line = line.replace("\\!", "!")
        closed.append(line if not quote or line.endswith(quote) else line + quote)
    words = subprocess.run([*evaluate, *closed], capture_output=True, check=False,
                           env=environment()).stdout.decode("utf-8", "replace").split("\0")
    for i, line in enumerate(closed):
        check(line, {words[i] if i < len(words) else None},
              {f"names/{i // 3}/{NAMES[i // 3]}"})


EVALUATE = 'for line; do eval "set -- $line"; printf "%s\\0" "$3"; done'


def ask_bash():
    ask_by_keys(["bash", "--noprofile", "--norc", "-i"],
                "source <(shmlog completion bash)\n"
                "alias nick=shmlog\ncomplete -F _shmlog nick\n" + BASH,
                ["bash", "-c", EVALUATE, "bash"], all_lines())


def ask_bash_completion():
    """The installed script is found by the package, which is not bothered by
    what it completes otherwise."""
    lines = [l for i, l in enumerate(all_lines()) if i < 24]
    for place in ("/usr", "/usr/local", "/opt/homebrew"):
        package = place + "/share/bash-completion/bash_completion"
        if os.path.exists(package):
            break
    ask_by_keys(["bash", "--noprofile", "--norc", "-i"],
                f"source {package}\n" + BASH,
                ["bash", "-c", EVALUATE, "bash"], lines)


def ask_zsh():
    ask_by_keys(["zsh", "-f", "-i"], ZSH,
                ["zsh", "-f", "-c", 'for line; do eval "words=($line)"; print -rn -- '
                 '"$words[3]"$\'\\0\'; done', "zsh"], all_lines())


# ----------------------------------------------------------------- fish, by asking

FISH = r"""while read -lz line
    complete $argv -C "$line" | string collect
    printf '\0'
end"""


def fish(lines, *flags):
    answer = subprocess.run(
        ["fish", "--no-config", "-c", "set -p fish_complete_path "
         f"{os.getcwd()}/share/fish/vendor_completions.d\n" + FISH, "--", *flags],
        input="\0".join(lines).encode() + b"\0", capture_output=True, check=False,
        env=environment(), timeout=PATIENCE).stdout
    answers = answer.decode("utf-8", "surrogateescape").split("\0")
    if len(answers) != len(lines) + 1:
        sys.exit(f"fish answers {len(answers) - 1} of {len(lines)} lines")
    return answers


def ask_fish():
    lines = list(all_lines())
    for (line, wanted), answer in zip(lines, fish([l for l, _ in lines])):
        found = {c.split("\t")[0] for c in answer.split("\n") if c}
        check(line, candidates(found, line.rsplit(" ", 1)[1]), set(wanted))
    typed = [f"shmlog dump {quote}names/{i}/" for i in range(len(NAMES))
             for quote in ("", '"', "'")]
    words = [answer.rstrip("\n") for answer in fish(typed, "--escape")]
    # A description begins at a tab, so a name with one is not offered.
    tab = [i for i in range(len(typed)) if "\t" in NAMES[i // 3]]
    for i in tab:
        check(typed[i], {words[i]}, {""})
        quote = ("", '"', "'")[i % 3]
        words[i] = f"{quote}names/{i // 3}/ta{quote}\\t{quote}b{quote}"
    check_names(["shmlog dump " + word for word in words[:len(typed)]],
                ["fish", "--no-config", "-c",
                 "for line in $argv\n eval set words $line\n printf '%s\\0' $words[3]\nend"])


def main():
    ways = {"direct": ask_directly, "bash": ask_bash,
            "bash-completion": ask_bash_completion, "zsh": ask_zsh,
            "fish": ask_fish}
    make_room(sys.argv[2])
    ways[sys.argv[1]]()
    print("\n".join(failures))
    sys.exit(1 if failures else 0)


main()
