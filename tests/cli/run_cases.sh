#!/bin/sh
# run_cases.sh PROGRAM FOLDER [NAME] - runs the cases of FOLDER/*.case, or of NAME.case alone, each in an empty folder of its own.
#
#   # the disk is full                          a comment
#   setup printf 'x,y\n1,2\n' > data.csv        shell, before the command; any number of lines
#   $ credence fit data.csv --target z          the command, as a user types it (a shell line); it ends the setup
#   exit 3                                      expected exit code; 0 if there is no such line
#   stdout ^credence [0-9]                      a line of standard output matches (extended expression); repeatable
#   stderr ^credence: unknown column 'z'        the same for standard error; without such lines it must be empty
#   absent data.crd                             must not exist afterwards
#   present data.csv                            must exist
#
# What NAME.once (a shell script beside NAME.case) makes is made once; its folder is $SHARED in the cases.
# $DATA is tests/data. A case ends where the next `setup` or `$` begins. Of every command that fails is also asked: its exit code is below
# 64, and standard error holds one line that begins with "credence: " and is no warning.
set -u
program=$1
folder=$(cd "$2" && pwd)
DATA=$(cd "$2/../../data" && pwd)
export DATA
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
mkdir "$home/bin"
ln -s "$(cd "$(dirname "$program")" && pwd)/$(basename "$program")" "$home/bin/credence"
PATH=$home/bin:$PATH
unset COLUMNS CREDENCE_KERNELS
export PATH
LC_ALL=C
export LC_ALL
count=0
bad=0

complain() {
    [ "$failed" -eq 1 ] || printf '%s: $ %s\n' "$where" "$command"
    failed=1
    printf '    %s\n' "$1"
}

begin() { # a fresh folder for the next case
    cd "$home" && rm -rf case && mkdir case && cd case || exit 1
    state=setup
    command=
    expected=0
    stderr_checked=0
}

run() {
    sh -c "$command" >"$home/stdout" 2>"$home/stderr" </dev/null
    code=$?
    : >"$home/checks"
    state=checks
}

finish() {
    [ "$state" = checks ] || return 0
    count=$((count + 1))
    failed=0
    [ "$code" -eq "$expected" ] || complain "exit code $code, expected $expected"
    while read -r kind detail; do
        case $kind in
        stdout | stderr) grep -Eq -e "$detail" "$home/$kind" || complain "$kind has no line that matches: $detail" ;;
        absent) [ ! -e "$detail" ] || complain "$detail exists" ;;
        present) [ -e "$detail" ] || complain "$detail does not exist" ;;
        esac
    done <"$home/checks"
    [ "$stderr_checked" -eq 1 ] || [ ! -s "$home/stderr" ] || complain "standard error is not empty"
    if [ "$code" -ne 0 ]; then
        [ "$code" -lt 64 ] || complain "exit code $code is above 63"
        errors=$(grep -E '^credence: ' "$home/stderr" | grep -vc '^credence: warning: ')
        [ "$errors" -eq 1 ] || complain "$errors lines of error, 1 expected"
    fi
    if [ "$failed" -eq 1 ]; then
        bad=$((bad + 1))
        sed 's/^/    stderr: /' "$home/stderr"
    fi
    begin
}

for file in "$folder"/${3:-*}.case; do
    number=0
    SHARED=$home/shared
    export SHARED
    rm -rf "$SHARED" && mkdir "$SHARED"
    once=${file%.case}.once
    if [ -e "$once" ]; then
        (cd "$SHARED" && sh -e "$once") || { echo "$once failed"; exit 1; }
    fi
    begin
    while IFS= read -r line || [ -n "$line" ]; do
        number=$((number + 1))
        rest=${line#* }
        case $line in
        '' | '#'*) ;;
        'setup '*)
            finish
            sh -c "$rest" || { echo "$file:$number: setup failed"; exit 1; } ;;
        '$ '*)
            finish
            where=$(basename "$file"):$number
            command=$rest
            run ;;
        'exit '*) expected=$rest ;;
        'stderr '*)
            stderr_checked=1
            printf '%s\n' "$line" >>"$home/checks" ;;
        'stdout '* | 'absent '* | 'present '*) printf '%s\n' "$line" >>"$home/checks" ;;
        *)
            echo "$file:$number: not understood: $line"
            exit 1 ;;
        esac
    done <"$file"
    finish
done
echo "$count cases, $bad failed"
[ "$count" -gt 0 ] && [ "$bad" -eq 0 ]
