# fish completion for shmlog, which is asked what a word can become.
function __shmlog_offers
    set -l program (commandline -opc | string replace -r '^~/' "$HOME/")[1]
    # A program that is not there would be reported over the prompt.
    command -q -- $program; or begin; printf 'n\0'; return; end
    set -l line (commandline -cp | string collect)
    for offer in ($program --complete=fish $line 2>/dev/null | string split0)
        test "$offer" = n; or printf '%s\0' (string sub -s 2 -- $offer | string collect)
    end
end
for program in shmlog shmlog-dispatch shmlog-relay
    complete -c $program -f -a '(__shmlog_offers | string split0)'
    # What a variable or another home folder leads to is fish's own business.
    complete -c $program -n 'string match -qr "[\$(]|^~[^/]*\$" -- (commandline -ct)' -F
end
