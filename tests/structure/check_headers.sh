#!/bin/sh
# check_headers.sh ROOT | selftest - compiles every public header alone: as C17 and as C++17, warnings are errors.
set -u
cc=${CC:-cc}
cxx=${CXX:-c++}

check() { # check ROOT
    bad=0
    flags="-pedantic -Wall -Wextra -Wconversion -Werror -fsyntax-only -I$1/include"
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
        ! (check "$copy" >/dev/null 2>&1) || { echo "not caught: $line"; return 1; }
    done
    echo 'int f(int class);' >"$copy/include/credence/a.h"
    ! command -v "$cxx" >/dev/null || ! (check "$copy" >/dev/null 2>&1) || { echo "not caught: not C++"; return 1; }
    echo 'int f(int x);' >"$copy/include/credence/a.h"
    (check "$copy") || { echo "a sound header is refused"; return 1; }
}

if [ "$1" = selftest ]; then selftest; else check "$1"; fi
