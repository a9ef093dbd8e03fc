# The recipes of shmlog(7): each of them prints what the page says.
load helper

# Prints the page's recipes as the shell is to read them, with mdoc's escapes
# undone, and the logs in the scratch folder.
page_blocks() {
	sed -nE '/^\.Bd -literal/,/^\.Ed/p' "$ROOT/man/shmlog.7" |
		sed -e 's/\\-/-/g; s/\\(aq/'"'"'/g; s/\\(dq/"/g; s/^\\&//; s/\\e/\\/g' \
			-e "s|/dev/shm|$SCRATCH/shm|g"
}

# Programs that a recipe takes as given, and what lies there already.
prepare() {
	mkdir -p "$SCRATCH/shm/old" "$SCRATCH/bin"
	cd "$SCRATCH/bin" || return
	printf '#!/bin/sh\nshift\nexec "$@"\n' >ssh
	printf '#!/bin/sh\nexec shmlog append --create 4K -m start -m "READY on port 80" "%s"\n' \
		"$SCRATCH/shm/service" >service
	printf '#!/bin/sh\nexec shmlog append --create 4K -m "step 1" -m "step 2" "%s"\n' \
		"$SCRATCH/shm/job" >job
	chmod +x ssh service job
	PATH=$SCRATCH/bin:$PATH
	shmlog append --create 4K -m x "$SCRATCH/shm/old/a.log"
	shmlog append --create 4K -m '{"ts":1,"got":"request"}' \
		-m '{"ts":3,"got":"answer"}' "$SCRATCH/shm/web"
	shmlog append --create 4K -m '{"ts":2,"got":"query"}' "$SCRATCH/shm/db"
}

# Runs the command that is at hand; what it has to print is in `wanted`.  Only
# what works in the background, or fails as the recipe says, may complain.
try_command() {
	local said complaint

	[[ -n $command ]] || return 0
	ran=$((ran + 1))
	said=$(eval "$command" 2>complaint) || fail "status $? of: $command"
	[[ $said == "$wanted" ]] ||
		fail "$command"$'\n'"wanted: $wanted"$'\n'"printed: $said"
	complaint=$(<complaint)
	[[ -z $complaint || $command == *[^\&]'& '* || $command == *'echo $?' ]] ||
		fail "$command"$'\n'"$complaint"
}

@test "every recipe of shmlog(7) prints what the page says" {
	need jq
	skip_if_portable "rm --unattended needs a list of processes"
	local line command='' wanted='' ran=0 recipes=0 goes_on=

	prepare
	[[ $(page_blocks) != */dev/shm/[a-z]* || $SCRATCH == /dev/shm/* ]]
	while IFS= read -r line; do
		case $line in
		.Bd* | .Ed)
			try_command
			command='' goes_on=
			[[ $line == .Ed ]] || recipes=$((recipes + 1))
			;;
		'$ '*)
			try_command
			command=${line#* } wanted=
			;;
		*)
			if [[ -n $goes_on ]]; then
				command+=$'\n'$line
			else
				wanted+=${wanted:+$'\n'}$line
			fi
			;;
		esac
		goes_on=
		[[ $line != *'|' && $line != *'\' && $line != *'&&' ]] || goes_on=yes
	done < <(page_blocks)
	assert_equal "$recipes" 30
	assert [ "$ran" -ge 30 ]
}
