#!/bin/sh
# completion.sh SHELL PROGRAM - types half a command line and the tabulator into bash, zsh or fish, and compares what the shell
# makes of it with what `credence completion SHELL` should make it do. Skips (exit code 77), saying so, without that shell.
set -u
shell=$1
program=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
command -v "$shell" >/dev/null 2>&1 || { echo "skipped: no $shell"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
"$program" completion "$shell" >script || exit 1
mkdir home
: >data.csv
: >notes.txt

# What is typed | what the last word becomes; nothing: it stays, no file and no word fits there.
cat >cases <<'END'
credence diag|diagnose
credence fit --max-d|--max-depth
credence fit data.csv --scale s|standard
credence fit dat|data.csv
credence fit data.csv --seed dat|
credence fit data.csv --target dat|
credence fit data.csv --quiet --rows not|notes.txt
credence plot run.crd posterior|posterior_check
credence plot run.crd trace --cano|--canonical
credence help sum|summary
credence manual diag|diagnose
credence completion f|fish
credence completion dat|
credence version --for|--format
credence demo dat|
credence demo clas|classification
credence bench grad|gradient
credence loo data|data.csv
credence summary run.crd --max-d|
credence evaluate run.crd data.csv --calibrate temp|temperature
END
cases=20
if [ "$shell" = bash ]; then # whose candidates are not quoted yet
    : >'my table.csv'
    echo 'credence fit my|my table.csv' >>cases
    cases=21
fi

# in_SHELL LINE: the words that the shell finds for the last one of LINE, a line each.
in_bash() {
    bash --norc -c '
        . ./script
        read -ra COMP_WORDS <<<"$1"
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        COMP_LINE=$1 COMP_POINT=${#1} COMPREPLY=()
        entry=$(complete -p credence) && [[ $entry == *" -F _credence credence" ]] || exit 1
        _credence credence "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
        printf "%s\n" "${COMPREPLY[@]}"' bash "$1"
}

in_fish() {
    HOME=$work/home fish --no-config -c 'source script; complete -C $argv[1]' "$1" | sed 's/\t.*//'
}

# zsh completes only on a terminal: a second zsh gets one, the line is typed into it, and what is then run prints its words.
in_zsh() {
    HOME=$work/home zsh -f -c '
        zmodload zsh/zpty || exit 1
        zpty -b typist "TERM=dumb PS1=READY zsh -f -i"
        zpty -w typist "unsetopt zle_bracketed_paste; autoload -Uz compinit; compinit -u -D"
        zpty -w typist "setopt no_beep no_auto_menu no_list_ambiguous no_auto_list"
        zpty -w typist "source ./script 2>/dev/null; compdef _credence credence"
        zpty -w typist "credence() { print -r -- \"<<\$@[-1]>>\" }; print ready\$((40 + 2))"
        typeset -F SECONDS=0
        seen=
        until [[ $seen == *ready42* ]]; do
            (( SECONDS < 60 )) || exit 1
            zpty -r -t typist piece && seen+=$piece || sleep 0.05
        done
        zpty -w typist "$1"$'"'\\t'"'
        seen=
        SECONDS=0
        until [[ $seen == *"<<"*">>"* ]]; do
            (( SECONDS < 20 )) || break
            zpty -r -t typist piece && seen+=$piece || sleep 0.05
        done
        seen=${seen##*"<<"}
        print -r -- "${seen%%">>"*}"
        zpty -d typist' zsh "$1"
}

bad=0
count=0
while IFS='|' read -r typed wanted; do
    count=$((count + 1))
    got=$("in_$shell" "$typed" | sed 's/[ \r]*$//' | sort -u | tr '\n' ' ')
    got=${got% }
    last=${typed##* }
    [ "$shell" = zsh ] && [ "$got" = "$last" ] && got= # it stayed as it was
    if [ "$got" != "$wanted" ]; then
        echo "completion: $shell: '$typed' becomes '$got', not '$wanted'"
        bad=1
    fi
done <cases
[ "$count" -eq $cases ] || { echo "completion: $count cases were tried"; bad=1; }
exit $bad
