#compdef shmlog shmlog-dispatch shmlog-relay
# zsh completion for shmlog, which is asked what a word can become.
_shmlog() {
	local program=${(Q)words[1]} line class text about hint native
	local -a offers plain parts files folders
	local -i before=$compstate[nmatches]

	[[ $program != '~/'* ]] || program=$HOME/${program#'~/'}
	line="${(j: :)words[1,CURRENT-1]} $QIPREFIX$IPREFIX$PREFIX"
	offers=("${(@0)"$("$program" --complete=zsh "$line" 2>/dev/null)"}")
	for text about in "${offers[@]}"; do
		class=$text[1] text=${text[2,-1]}
		[[ $class != [wp] ]] || about=${text//(#m)[\\:]/\\$MATCH}${about:+:$about}
		case $class in
		w) plain+=("$about") ;;
		p) parts+=("$about") ;;
		f) files+=("$text") ;;
		d) folders+=("${text%/}") ;;
		h) hint=$text ;;
		n) native=yes ;;
		esac
	done
	[[ $PREFIX != --[a-z-]##=* ]] || compset -P '--[a-z-]##='
	(( ! $#plain )) || _describe -t values value plain
	(( ! $#parts )) || _describe -t values value parts -S ''
	if (( $#files + $#folders )); then
		compset -P '*/'
		compadd -a files
		compadd -q -S / -a folders
	fi
	[[ -z $native || $compstate[nmatches] -gt before ]] || _files
	[[ -z $hint ]] || _message -r "$hint"
	(( $compstate[nmatches] > before ))
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
	_shmlog "$@"
else
	compdef _shmlog shmlog shmlog-dispatch shmlog-relay
fi
