#!/bin/sh
# check_pages.sh ROOT GENERATED | selftest - what docs/porting.md and docs/guide.md show is what is compiled: each of their C blocks
# stands, as it is there, in a file under examples/; each crd_ name on the page is in a public header (GENERATED: those made by the
# build). What the guide's commands print is the business of tests/cli/guide.sh.
set -u

# Prints each C block that no example contains.
strange_blocks() { # strange_blocks PAGE EXAMPLE...
    awk '
        FNR == 1 { file++ }
        file > 1 { text[file] = text[file] $0 "\n"; next }
        /^```c$/ { inside = 1; block = ""; next }
        /^```$/ && inside { inside = 0; blocks[++count] = block; next }
        inside { block = block $0 "\n" }
        END {
            if (!count) { print "no C block at all"; exit }
            for (i = 1; i <= count; i++) {
                found = 0
                if (blocks[i] !~ /[a-z]/)
                    print "an empty C block"
                for (f = 2; f <= file && !found; f++)
                    found = index(text[f], blocks[i]) > 0
                if (!found) print "in no file of examples/:\n" blocks[i]
            }
        }' "$@"
}

check() { # check ROOT GENERATED
    cd "$1" || return 1
    for page in docs/porting.md docs/guide.md; do
        check_page "$page" "$2" || return 1
    done
}

check_page() { # check_page PAGE GENERATED
    page=$1
    [ -f "$page" ] || { echo "no $page"; return 1; }
    # shellcheck disable=SC2046 # names of sources have no blanks
    wrong=$(strange_blocks "$page" $(find examples -name '*.c' | LC_ALL=C sort))
    for name in $(grep -o 'crd_[a-z0-9_]*' "$page" | LC_ALL=C sort -u); do
        grep -rqw "$name" include "$2" || wrong="$wrong
$name: in no public header"
    done
    [ -z "$wrong" ] || { echo "$page: $wrong"; return 1; }
}

selftest() {
    copy=$(mktemp -d)
    trap 'rm -rf "$copy"' EXIT
    mkdir -p "$copy/docs" "$copy/examples/deep" "$copy/include" "$copy/made"
    echo 'int crd_known(void);' >"$copy/include/a.h"
    echo 'int crd_made(void);' >"$copy/made/b.h"
    printf 'int x;\n\nint f(void)\n{\n    return crd_known();\n}\n' >"$copy/examples/deep/a.c"
    printf '%s\n' '```c' 'int x;' '```' >"$copy/docs/guide.md"
    page() { printf '%s\n' 'Text `crd_made`.' '```c' "$@" '```' >"$copy/docs/porting.md"; }
    page 'int f(void)' '{' '    return crd_known();' '}'
    (check "$copy" "$copy/made") || { echo "a sound page is refused"; return 1; }
    page 'int f(void)' '{' '    return crd_known() + 1;' '}'
    ! (check "$copy" "$copy/made" >/dev/null) || { echo "not caught: a block of its own"; return 1; }
    page 'int x;' 'int f(void)'
    ! (check "$copy" "$copy/made" >/dev/null) || { echo "not caught: a line left out"; return 1; }
    page 'int x;' '```' '`crd_unknown`' '```'
    ! (check "$copy" "$copy/made" >/dev/null) || { echo "not caught: a name that does not exist"; return 1; }
    page 'int x;' '```' '```c' ''
    ! (check "$copy" "$copy/made" >/dev/null) || { echo "not caught: an empty block"; return 1; }
    page 'int x;'
    printf '%s\n' '```c' 'int y;' '```' >"$copy/docs/guide.md"
    ! (check "$copy" "$copy/made" >/dev/null) || { echo "not caught: a block of its own in the guide"; return 1; }
    printf '%s\n' '```c' 'int x;' '```' >"$copy/docs/guide.md"
    echo 'no blocks' >"$copy/docs/porting.md"
    ! (check "$copy" "$copy/made" >/dev/null) || { echo "not caught: a page without blocks"; return 1; }
}

if [ "$1" = selftest ]; then selftest; else check "$1" "$2"; fi
