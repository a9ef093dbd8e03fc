#!/usr/bin/env bash
# Removers race with writers, readers and appenders that come meanwhile, and with
# whoever gives the name of a log to another file; some removers are killed.
# Nothing that is held is removed, and nothing that is no log.  N: removals.
. "$(dirname "$0")/common.bash"

sizes 3000 100000
need rm_race

run rm_race "$scratch/logs" "$N"
