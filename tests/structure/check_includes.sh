#!/bin/sh
# check_includes.sh ROOT | selftest - draws the arrows between the rooms of src/ from their #include lines and fails on
# one that goes back: a room may include itself, rooms before it in the order, and public headers, which in turn may
# include only each other and headers of the standard.
set -u

check() { # check ROOT
    cd "$1" || return 1
    find src include -name '*.[ch]' -o -name '*.def' | LC_ALL=C sort | xargs grep -nE '^[ \t]*#[ \t]*include' /dev/null |
        awk '
        BEGIN {
            rooms = split("base kernel rng+diag graph dist model nn infer store report cli", step, " ")
            for (i = 1; i <= rooms; i++) {
                n = split(step[i], side, "+")
                for (j = 1; j <= n; j++)
                    level[side[j]] = i
            }
            split("stddef stdint stdbool stdio", name, " ")
            for (i in name)
                standard[name[i] ".h"] = 1
        }
        {
            split($0, part, ":")
            place = part[1] ":" part[2]
            line = $0
            sub(/^[^:]*:[0-9]+:[ \t]*#[ \t]*include[ \t]*/, "", line)
            quoted = line ~ /^"/
            match(line, /[<"][^>"]*[>"]/)
            if (!RSTART) {
                print place ": an include that is neither <...> nor \"...\": " line
                bad = 1
                next
            }
            target = substr(line, RSTART + 1, RLENGTH - 2)
            if (place ~ /^include\//) {
                if (quoted || (target !~ /^credence\// && !(target in standard))) {
                    print place ": a public header includes " target
                    bad = 1
                }
                next
            }
            split(place, path, "/")
            from = path[2]
            if (!(from in level)) {
                print place ": src/" from " is no room of the design"
                bad = 1
                next
            }
            if (!quoted)
                next
            split(target, path, "/")
            to = path[1]
            if (target ~ /\.\.\//) {
                print place ": " target ": write the path from src/ on"
                bad = 1
            } else if (target !~ /\//) {
                to = from
            } else if (!(to in level)) {
                print place ": " target " is in no room of the design"
                bad = 1
                next
            }
            if (to != from && level[to] >= level[from]) {
                print place ": " from " must not include " target ": the arrow " from " -> " to " goes back"
                bad = 1
            }
            if (to != from)
                arrows[from " -> " to]++
        }
        END {
            for (a in arrows)
                print "  " a " (" arrows[a] ")" | "sort"
            close("sort")
            exit bad
        }'
}

selftest() {
    copy=$(mktemp -d)
    trap 'rm -rf "$copy"' EXIT
    mkdir -p "$copy/src/base" "$copy/src/rng" "$copy/src/diag" "$copy/src/graph/ops" "$copy/include/credence"
    echo '#include <stddef.h>' >"$copy/include/credence/a.h"
    printf '#include "base/base.h"\n#include "graph/graph.h"\n#include "local.h"\n#include <math.h>\n' >"$copy/src/graph/ops/a.c"
    (check "$copy" >"$copy/out") || { echo "a sound tree is refused:"; cat "$copy/out"; return 1; }
    planted src/base/b.c '#include "graph/graph.h"' 'base -> graph goes back' || return 1
    planted src/rng/b.c '#  include "diag/diag.h"' 'rng -> diag goes back' || return 1
    planted src/graph/ops/b.h '#include "infer/x.h" /* why */' 'graph -> infer goes back' || return 1
    planted src/base/b.def '#include "cli/x.h"' 'base -> cli goes back' || return 1
    planted src/base/b.c '#include "../graph/graph.h"' 'write the path from src' || return 1
    planted src/base/b.c '#include "elsewhere/x.h"' 'in no room' || return 1
    planted src/other/b.c '#include "base/base.h"' 'is no room' || return 1
    planted include/credence/b.h '#include "base/base.h"' 'a public header includes base/base.h' || return 1
    planted include/credence/b.h '#include <pthread.h>' 'a public header includes pthread.h' || return 1
}

planted() { # planted FILE LINE MESSAGE: the line in that file must be refused with that message
    mkdir -p "$(dirname "$copy/$1")"
    echo "$2" >"$copy/$1"
    if (check "$copy" >"$copy/out"); then
        echo "not caught: $2 in $1"
        return 1
    fi
    grep -Fq "$3" "$copy/out" || { echo "another message for: $2 in $1"; cat "$copy/out"; return 1; }
    rm -r "${copy:?}/$1"
    [ "$(dirname "$1")" != src/other ] || rm -r "$copy/src/other"
}

if [ "$1" = selftest ]; then selftest; else check "$1"; fi
