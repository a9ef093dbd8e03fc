# bash completion for shmlog, which is asked what a word can become.
_shmlog() {
	local LC_ALL=C program=$1 offer kinds=
	local -a offers

	# An alias is no program.
	[[ -z ${BASH_ALIASES[$1]-} || ${BASH_ALIASES[$1]} == *[[:blank:]]* ]] ||
		program=${BASH_ALIASES[$1]}
	[[ $program != \~/* ]] || program=$HOME/${program:2}
	mapfile -d '' -t offers < <("$program" --complete=bash \
		"${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
	COMPREPLY=()
	for offer in "${offers[@]}"; do
		[[ $offer == n ]] || COMPREPLY+=("${offer:1}")
		# What has to be quoted is quoted as file names are.
		[[ $offer == [fd]* || ${offer:1} != *[^A-Za-z0-9_.,:=@%+/-]* ]] || kinds+=f
		kinds+=${offer:0:1}
	done
	[[ $kinds != *[fd]* ]] || compopt -o filenames
	[[ $kinds != [pd] ]] || compopt -o nospace
	[[ $kinds != *n* ]] || compopt -o bashdefault -o default
} 2>/dev/null
complete -F _shmlog shmlog shmlog-dispatch shmlog-relay
