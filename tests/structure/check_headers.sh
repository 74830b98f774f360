#!/bin/sh
# check_headers.sh ROOT GENERATED | selftest - compiles every public header alone: as C17 and as C++17, warnings are
# errors. GENERATED is the include folder of the build: its tables are parts of the headers that include them.
set -u
cc=${CC:-cc}
cxx=${CXX:-c++}

check() { # check ROOT GENERATED
    bad=0
    flags="-pedantic -Wall -Wextra -Wconversion -Werror -fsyntax-only -I$1/include -I$2"
    command -v "$cxx" >/dev/null || { echo "no C++ compiler: headers are compiled as C only"; cxx=; }
    for header in "$1"/include/credence/*.h; do
        # shellcheck disable=SC2086
        echo "#include <credence/${header##*/}>" | "$cc" -std=c17 $flags -x c - || { echo "${header##*/}: not C17"; bad=1; }
        # shellcheck disable=SC2086
        [ -z "$cxx" ] || echo "#include <credence/${header##*/}>" | "$cxx" -std=c++17 $flags -x c++ - ||
            { echo "${header##*/}: not C++17"; bad=1; }
    done
    return $bad
}

selftest() {
    copy=$(mktemp -d)
    trap 'rm -rf "$copy"' EXIT
    mkdir -p "$copy/include/credence"
    for line in 'size_t f(void);' 'static inline int f(long x) { return x; }' 'int f(int class; );'; do
        echo "$line" >"$copy/include/credence/a.h"
        ! (check "$copy" "$copy/made" >/dev/null 2>&1) || { echo "not caught: $line"; return 1; }
    done
    echo 'int f(int class);' >"$copy/include/credence/a.h"
    ! command -v "$cxx" >/dev/null || ! (check "$copy" "$copy/made" >/dev/null 2>&1) || { echo "not caught: not C++"; return 1; }
    echo 'int f(int x);' >"$copy/include/credence/a.h"
    (check "$copy" "$copy/made") || { echo "a sound header is refused"; return 1; }
    mkdir -p "$copy/made/credence"
    printf 'struct s {\n    int x;\n};\n#include <credence/table.h>\n' >"$copy/include/credence/a.h"
    echo 'int f(struct s *s);' >"$copy/made/credence/table.h"
    (check "$copy" "$copy/made") || { echo "a sound generated header is refused"; return 1; }
    echo 'int f(struct s *s' >"$copy/made/credence/table.h"
    ! (check "$copy" "$copy/made" >/dev/null 2>&1) || { echo "not caught: a broken generated header"; return 1; }
}

if [ "$1" = selftest ]; then selftest; else check "$1" "$2"; fi
