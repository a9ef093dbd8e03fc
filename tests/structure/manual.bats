# The manual against the commands and against mdoc.
load ../cli/helper

descriptors() { # FILE...
	sed -n 's/^const struct cli_command cmd_\([a-z]*\) = {$/\1/p' "$@"
}

# Those that can be asked for their help: a program of its own if it was built.
commands() {
	local name

	descriptors "$ROOT"/cli/cmd/*.c "$ROOT"/cli/cmd/*/*.c
	for name in $(programs); do
		[[ ! -x $BUILD/shmlog-$name ]] || echo "$name"
	done
}

# Programs of their own.
programs() {
	local folder

	for folder in "$ROOT"/cli/*/; do
		[[ ! -e $folder/feature.mk ]] || descriptors "$folder"/*.c
	done
}

# Programs of their own by their folders: one with commands of its own, as the
# relay, has no descriptor of its name.
own_programs() {
	(cd "$ROOT/cli" && printf '%s\n' */feature.mk) | sed 's|/.*||'
}

# The long names that a page's OPTIONS section explains.
page_options() { # COMMAND
	awk '/^\.Sh /{ inside = /OPTIONS/ } inside && /^\.It Fl/' \
		"$ROOT/man/shmlog-$1.1" | grep -oE 'Fl -[a-z][a-z-]*' |
		sed 's/Fl -/--/' | sort
}

# The short names, as "-x --long".
page_letters() {
	awk '/^\.Sh /{ inside = /OPTIONS/ } inside && /^\.It Fl/' \
		"$ROOT/man/shmlog-$1.1" |
		sed -nE 's/^\.It Fl ([A-Za-z]) , Fl -([a-z-]+).*/-\1 --\2/p' | sort
}

# The options' lines of --help, which begin with blanks and a dash.
help_lines() {
	shmlog "$1" --help | grep -E '^ +(-[A-Za-z], )?--'
}

help_options() {
	help_lines "$1" | grep -oE '^ +(-[A-Za-z], )?--[a-z][a-z-]*' |
		grep -oE -- '--[a-z][a-z-]*' | sort
}

help_letters() {
	help_lines "$1" | sed -nE 's/^ +(-[A-Za-z]), (--[a-z-]+).*/\1 \2/p' | sort
}

# The value that an option takes: "--name VALUE", or "--name" for a flag.
page_values() {
	awk '/^\.Sh /{ inside = /OPTIONS/ } inside && /^\.It Fl/' \
		"$ROOT/man/shmlog-$1.1" |
		sed -E 's/^.*Fl -([a-z-]+)/--\1/; s/ Ns Op = Ns Ar (.*)/[=\1]/; s/ Ar / /' |
		sort
}

help_values() {
	help_lines "$1" |
		sed -E 's/^ +(-[A-Za-z], )?//; s/^(--[a-z-]+(\[=[A-Z]+\]| [A-Z]+)?).*/\1/' |
		sort
}

sections_of() {
	sed -n 's/^\.Sh //p' "$1"
}

@test "every command has a page, and every page a command" {
	diff <({ commands && own_programs; } | sort -u) <(printf '%s\n' "$ROOT"/man/shmlog-*.1 |
		sed 's/.*shmlog-\(.*\)\.1/\1/' | sort)
}

@test "the page's options are those of --help" {
	local name

	for name in $(commands); do
		echo "$name"
		diff <(page_options "$name") <(help_options "$name")
		diff <(page_letters "$name") <(help_letters "$name")
		diff <(page_values "$name") <(help_values "$name")
	done
}

@test "the page's synopsis names every option but --help" {
	local name option letters letter synopsis named

	for name in $(commands); do
		synopsis=$(awk '/^\.Sh /{ inside = /SYNOPSIS/ } inside' \
			"$ROOT/man/shmlog-$name.1")
		letters=$(help_letters "$name")
		for option in $(help_options "$name"); do
			[[ $option != --help ]] || continue
			letter=
			[[ ! $letters =~ (^|$'\n')-(.)" $option"($'\n'|$) ]] || letter=${BASH_REMATCH[2]}
			named="(^|[ .]|"$'\n'")(Fl|Op Fl) (-${option#--}${letter:+|$letter})( |"$'\n'"|\$)"
			[[ $synopsis =~ $named ]] || fail "shmlog-$name(1): SYNOPSIS lacks $option"
		done
	done
}

@test "every page has the sections that a reader looks for" {
	local page section

	for page in "$ROOT"/man/shmlog-*.1; do
		for section in NAME SYNOPSIS DESCRIPTION OPTIONS ENVIRONMENT \
			"EXIT STATUS" EXAMPLES "SEE ALSO"; do
			sections_of "$page" | grep -qx "$section" ||
				fail "$page lacks $section"
		done
	done
}

@test "shmlog(1) lists every command and every exit status" {
	local name status

	for name in $(commands); do
		grep -q "Xr shmlog-$name 1" "$ROOT/man/shmlog.1" || fail "no $name"
	done
	for status in 0 1 2 3 4 5 6 7 8 9 10 124; do
		awk '/^\.Sh /{ inside = /EXIT STATUS/ } inside' \
			"$ROOT/man/shmlog.1" | grep -qE "^\.It (Li )?$status\$" ||
			fail "no status $status"
	done
}

@test "libshmlog(3) names every public function" {
	need nm
	local name

	for name in $(nm -D --defined-only "$BUILD/libshmlog.so" |
		awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }'); do
		grep -q "$name" "$ROOT/man/libshmlog.3" || fail "no $name"
	done
}

@test "every page renders without losing a word" {
	need mandoc
	local page

	for page in "$ROOT"/man/*.[0-9]; do
		mandoc -Tutf8 "$page" >"$SCRATCH/text"
		[ "$(wc -l <"$SCRATCH/text")" -gt 20 ]
	done
}

# The commands of a page's EXAMPLES, a line each.
page_examples() { # PAGE
	mandoc -Tascii -O width=400 "$1" | sed 's/.\x08//g' |
		awk '/^[A-Z]/ { inside = /^EXAMPLES/ } inside' |
		sed -n "s/^ *\\$ //p" | sed "s|/dev/shm|$SCRATCH|g"
}

# Only that they are right usage: most logs are not there, and what waits or
# measures is ended.
@test "no example of the manual is wrong usage" {
	need mandoc timeout
	local page line tool

	mkdir "$SCRATCH/bin"
	cat >"$SCRATCH/bin/shmlog" <<-END
		#!/bin/sh
		timeout 0.5 "$BUILD/shmlog" "\$@"
		status=\$?
		echo "\$status shmlog \$*" >>"$SCRATCH/ran"
		exit \$status
	END
	for tool in node mail consumer; do
		printf '#!/bin/sh\n' >"$SCRATCH/bin/$tool"
	done
	chmod +x "$SCRATCH"/bin/*
	cd "$SCRATCH"
	for page in "$ROOT"/man/*.1; do
		page_examples "$page" | while IFS= read -r line; do
			# What goes on in the next line is a filter's program.
			sh -n -c "$line" 2>/dev/null || line=${line%%|*}
			PATH=$SCRATCH/bin:$PATH sh -c "$line" </dev/null >/dev/null 2>&1 || true
		done
	done
	assert [ "$(wc -l <ran)" -ge 50 ]
	# There is no terminal here, which view says with the same status.
	run bash -c "grep '^2 ' ran | grep -v '^2 shmlog view '"
	assert_output ''
}

# Without that, Tab could offer nothing.  The table of what each kind offers is in
# tests/cli/completion.py.
@test "each option with a value, and each operand, says of what kind that is" {
	local valued='[.]value = "[A-Z]+",' files=()

	mapfile -t files < <(grep -rlE "$valued" "$ROOT/cli")
	assert [ "${#files[@]}" -ge 20 ]
	run awk -v valued="$valued" '
		waits { if ($0 !~ /\.kind = &/) print waits; waits = "" }
		$0 ~ valued { waits = FILENAME ":" FNR ": " $0 }' "${files[@]}"
	assert_output ''
	run awk '
		waits { if ($0 !~ /\.operand_kinds = /) print waits; waits = "" }
		/\t\.operands = "/ { waits = FILENAME ":" FNR ": " $0 }' \
		"$ROOT"/cli/*/*.c "$ROOT"/cli/cmd/*/*.c
	assert_output ''
}

@test "no two commands declare the same option in different words" {
	local name

	# -n of bench, dump and tail, --to of dump and stat, --batch of dispatch
	# and top, and -o of reports and of frames, are options of their own; each
	# of those has one wording as well.
	for name in $(commands); do
		help_lines "$name" | sed -E 's/^ +//; s/  +/\t/'
	done | grep -vE '^(-h|-n|-o), |^(-b, )?--(batch|count|to)\b' | sort -u >"$SCRATCH/options"
	run awk -F'\t' '{ name = $1; sub(/^-., /, "", name); sub(/[ =[].*/, "", name) }
		name in seen { print name ": " seen[name] " / " $0 }
		{ seen[name] = $0 }' "$SCRATCH/options"
	assert_output ""
	for name in $(commands); do
		help_lines "$name" | sed -E 's/^ +//; s/  +/\t/' | grep -- '^-o, ' || true
	done | sort -u >"$SCRATCH/formats"
	# Of frames, of reports, and of stat, which has one more.
	run cat "$SCRATCH/formats"
	assert_equal "${#lines[@]}" 3
}

# A section of a page, and what of it is not another one.
section() { # PAGE TITLE
	awk -v title="^[.]S[hs] $2" '$0 ~ title { inside = 1; next }
		/^\.S[hs] /{ inside = 0 } inside' "$ROOT/man/$1.1"
}

@test "help, messages and pages name the same output formats" {
	local formats name page

	formats=$(sed -n 's/^\t{.name = "\([a-z0-9]*\)".*/\1/p' \
		"$ROOT/cli/frame/output_format.c")
	[[ $(wc -w <<<"$formats") -ge 6 ]]
	run_shmlog 2 dump -o nonsense x
	for name in $formats; do
		assert_stderr --regexp "[ ,]$name(,| |"$'\n)'
		for command in dump tail seek; do
			shmlog help "$command" | tr '\n' ' ' |
				grep -qE "as text.*[ ,]$name|as $name" || fail "$command: no $name"
		done
		for page in shmlog shmlog-dump shmlog-seek shmlog-tail; do
			section "$page" 'O(utput formats|UTPUT FORMATS)' |
				grep -q "^\.It Cm $name" ||
				fail "$page(1) has no output format $name"
		done
	done
}

@test "help, messages and pages name the same input formats" {
	local formats name page

	formats=$(sed -n 's/^\t{.name = "\([a-z0-9]*\)".*/\1/p' \
		"$ROOT/cli/frame/input_format.c")
	[[ $(wc -w <<<"$formats") -ge 6 ]]
	run_shmlog 2 append -i nonsense x
	for name in $formats; do
		assert_stderr --regexp "[ ,]$name(,| |"$'\n)'
		shmlog help append | grep -qE -- "--input FORMAT .*[ ,]$name" ||
			fail "the help of append has no $name"
		for page in shmlog shmlog-append; do
			section "$page" 'I(nput formats|NPUT FORMATS)' |
				grep -q "^\.It Cm $name" ||
				fail "$page(1) has no input format $name"
		done
	done
}

@test "helps, messages and pages name the same forms of a position" {
	local forms form page command

	run_shmlog 2 dump --from nonsense x
	forms=$(sed -n 's/.* is no position: use \(.*\)$/\1/p' <<<"${stderr:-}" | sed 's/([^)]*)//g; s/ or /,/' |
		tr -d ' ' | tr ',' '\n')
	[[ $(wc -l <<<"$forms") -ge 8 ]]
	for form in $forms; do
		for command in dump tail seek; do
			shmlog help "$command" | grep -qF -- "$form" || fail "$command: no $form"
		done
		[[ $form != offset:0xN ]] || form=hexadecimal
		for page in shmlog shmlog-dump shmlog-seek shmlog-tail; do
			# .It Cm frame : Ns Fl Ns Ar N is frame:-N.
			section "$page" 'P(ositions|OSITIONS)' | sed -nE '/^\.It|decimal/{
				s/Fl Ns /-/g; s/ : (Ns )?/:/g; s/(^\.It|Cm|Ar|Ns) ?//g; p; }' |
				grep -qE "(^|[ ,])$form( |,|\$)" ||
				fail "$page(1) has no position $form"
		done
	done
}

# The words of a page's section on JSON, each on a line of its own.
json_words() { # COMMAND
	section "shmlog-$1" 'JSON OUTPUT' | tr -c 'a-z_\n' '\n' | grep .
}

@test "pages name every member of JSON output" {
	local members command

	shmlog create "$LOG" -c 4K
	shmlog append "$LOG" -m one -m two
	put_bytes "$LOG" 29 ffff
	exec 9<>"$LOG"
	for command in 'stat --procs --histogram' 'stat --watch=1ms' 'verify'; do
		# shellcheck disable=SC2086
		members=$({ limited 10 shmlog $command -o json "$LOG" || true; } | head -n 1 |
			jq -r '[.. | objects | keys[]] | unique[]')
		[[ $(wc -l <<<"$members") -ge 8 ]]
		comm -23 <(sort -u <<<"$members") <(json_words "${command%% *}" | sort -u) >"$SCRATCH/unnamed"
		[[ ! -s $SCRATCH/unnamed ]] ||
			fail "shmlog-${command%% *}(1) does not name: $(xargs <"$SCRATCH/unnamed")"
	done
	exec 9>&-
}
