#!/bin/sh
# check_source.sh ROOT | selftest - what neither compiler nor formatter sees:
#   - the library uses no printf, stdout, stderr, exit, abort, rand, and malloc and its kin only in base/memory.c and base/context.c
#     (the command line may print)
#   - no assert(0), no note of things to be done later, no path of somebody's machine
#   - a source ends with a newline (clang, which not every run of the tests has, refuses it otherwise)
#   - a row of a registry has its file, and a file of that kind has its row
set -u

# Sources with comments and string literals blanked, as FILE:LINE:TEXT.
code() {
    awk '
        FNR == 1 { inside = 0 }
        {
            line = $0
            gsub(/\\./, "", line)
            out = ""
            while (line != "") {
                if (inside) {
                    e = index(line, "*/")
                    if (!e) { line = ""; break }
                    line = substr(line, e + 2)
                    inside = 0
                    continue
                }
                match(line, /"[^"]*"|\/\*|\/\//)
                if (!RSTART) { out = out line; break }
                token = substr(line, RSTART, 2)
                out = out substr(line, 1, RSTART - 1)
                if (token == "//") break
                if (token == "/*") inside = 1
                line = substr(line, RSTART + (token == "/*" ? 2 : RLENGTH))
            }
            print FILENAME ":" FNR ":" out
        }' "$@"
}

refuse() { # refuse WHY, with the offending lines on standard input
    # The end of a pipe is a process of its own: what it found is known by a file.
    awk -v why="$1" '{ print $0 "   <- " why; bad = 1 } END { exit bad }' || : >"$list.bad"
}

# registry TABLE WORD PREFIX: each row WORD(name...) has the file PREFIXname.c, and each such file its row.
registry() {
    [ -f "$1" ] || return 0
    rows=$(sed -nE "s/^$2\(([a-z0-9_]+).*/\1/p" "$1")
    for row in $rows; do
        [ -f "$3$row.c" ] || echo "$1: $row has no file $3$row.c" | refuse "a row without its file"
    done
    [ "$4" = both ] || return 0
    for file in "$3"*.c; do
        name=${file#"$3"}
        echo "$rows" | grep -qx "${name%.c}" || echo "$file: no row in $1" | refuse "a file without its row"
    done
}

# unfinished FOLDER...: the last byte of each C file, all at once; one by one only if there is something to name.
unfinished() {
    # shellcheck disable=SC2046
    [ -z "$(tail -qc 1 $(find "$@" -name '*.[ch]') | tr -d '\n')" ] || for file in $(find "$@" -name '*.[ch]'); do
        [ -z "$(tail -c 1 "$file")" ] || echo "$file"
    done | refuse "no newline at the end"
}

# Every figure has a test of what it draws: a test of src/report names the function that builds it.
figures() {
    [ -f src/report/figures.def ] || return 0
    for name in $(sed -nE 's/^FIGURE\(([a-z0-9_]+).*/\1/p' src/report/figures.def); do
        grep -rqw "crdi_figure_$name" tests/unit/report || echo "$name: tests/unit/report has no crdi_figure_$name" |
            refuse "a figure without a test"
    done
}

check() { # check ROOT
    cd "$1" || return 1
    list=$(mktemp)
    # shellcheck disable=SC2046 # names of sources have no blanks
    code $(find src include -name '*.[ch]' | LC_ALL=C sort) >"$list"
    call='(^|[^a-zA-Z0-9_.>])'
    grep -v '^src/cli/' "$list" | grep -E ":.*$call((v?printf|puts|putchar|perror)[ ]*\(|(stdout|stderr)([^a-zA-Z0-9_]|$))" |
        refuse "the library does not print; it may write to a FILE that it was given"
    grep -E ":.*$call(exit|abort|quick_exit)[ ]*\(" "$list" | refuse "a status, never an exit"
    grep -vE '^src/base/(memory|context)\.c:' "$list" |
        grep -E ":.*$call(malloc|calloc|realloc|free|aligned_alloc|posix_memalign|strdup|strndup|alloca)[ ]*\(" |
        refuse "memory comes from crdi_alloc"
    grep -E ":.*$call(s?rand|random|[dlm]rand48)[ ]*\(" "$list" | refuse "randomness comes from keys"
    grep -E ":.*${call}(CRDI_ASSERT|assert)[ ]*\([ ]*(0|false)[ ]*\)" "$list" | refuse "an assertion without a condition"
    here='src include cmake script'
    for more in tests examples bench docs tools .ci CMakeLists.txt README.md CONTRIBUTING.md; do
        [ -e "$more" ] && here="$here $more"
    done
    # shellcheck disable=SC2086
    grep -rnIE '(TO''DO|FIX''ME|(^|[^X])X''XX([^X]|$))' $here | refuse "finish it, or open an issue"
    # shellcheck disable=SC2086
    grep -rnIE '(^|[^a-zA-Z0-9_./}])/(wo''rk|ho''me|ro''ot|Us''ers)/' $here | refuse "a path of one machine"
    # shellcheck disable=SC2086
    unfinished $here
    figures
    registry src/cli/commands.def COMMAND src/cli/cmd_ both
    registry src/cli/benches.def '[A-Z_]*BENCH' src/cli/bench_ both
    registry src/cli/demos.def DEMO src/cli/demo_ both
    registry src/infer/svi/guides.def GUIDE src/infer/svi/guides/ rows
    registry src/report/formats.def FORMAT src/report/formats/ rows
    registry src/dist/dist.def '[A-Z_]+' src/dist/ rows
    registry src/nn/layers.def LAYER src/nn/layers/ both
    registry src/nn/priors.def PRIOR src/nn/priors/ both
    registry src/infer/svi/optim.def TRANSFORM src/infer/svi/optim/ both
    registry src/infer/svi/schedules.def SCHEDULE src/infer/svi/schedules/ both
    found=0
    [ ! -e "$list.bad" ] || found=1
    rm -f "$list" "$list.bad"
    return $found
}

selftest() {
    copy=$(mktemp -d)
    trap 'rm -rf "$copy"' EXIT
    mkdir -p "$copy/src/base" "$copy/src/cli" "$copy/src/dist" "$copy/include" "$copy/cmake" "$copy/script"
    printf 'COMMAND(help, "x")\n' >"$copy/src/cli/commands.def"
    echo 'void f(void) { printf("x"); }' >"$copy/src/cli/cmd_help.c"
    echo 'void f(void) { p = malloc(3); crdi_free(p); snprintf(b, 3, "printf(");  /* exit(1) */ }' >"$copy/src/base/memory.c"
    echo 'void f(void) { p->free(p); s.exit(1); crdi_exit(1); fprintf(file, "x"); } /* calls' >"$copy/src/base/a.c"
    echo ' * abort() */ int g; // malloc(3)' >>"$copy/src/base/a.c"
    echo 'char folder[] = "name-XXXX''XX"; /* a template of mkstemp */' >>"$copy/src/base/a.c"
    (check "$copy" >"$copy/out") || { echo "a sound tree is refused:"; cat "$copy/out"; return 1; }
    for line in 'x = printf("x");' 'fprintf(stderr, "x");' 'FILE *f = stdout;' 'puts("x");' 'if (a) exit(1);' 'abort();' 'p = malloc (3);' 'free(p);' \
        'x = "a\"b"; free(p);' '/* a */ realloc(p, 3);' 'i = rand();' 'CRDI_ASSERT(0);' 'assert( false );' \
        '/* TO''DO later */' 'int x; // X''XX' '"/wo''rk/x"' ' open("/ho''me/me/x")'; do
        planted src/base/b.c "$line" || return 1
    done
    planted src/cli/b.c 'free(p);' || return 1
    planted src/cli/cmd_other.c 'int x;' || return 1
    planted src/dist/dist.def 'DIST(normal)' || return 1
    planted script/x 'cd /ro''ot/x' || return 1
    mkdir -p "$copy/src/nn/layers" "$copy/src/nn/priors"
    echo 'LAYER(dense)' >"$copy/src/nn/layers.def"
    echo 'int x;' >"$copy/src/nn/layers/dense.c"
    planted src/nn/layers/other.c 'int x;' || return 1
    planted src/nn/priors.def 'PRIOR(ard, "DIST")' || return 1
    mkdir -p "$copy/src/report" "$copy/tests/unit/report"
    echo 'crdi_figure_trace(&f);' >"$copy/tests/unit/report/test_a.c"
    echo 'FIGURE(trace, NEEDS, "x")' >"$copy/src/report/figures.def"
    (check "$copy" >"$copy/out") || { echo "a figure with a test is refused:"; cat "$copy/out"; return 1; }
    planted src/report/figures.def 'FIGURE(traces, NEEDS, "x")' || return 1
    printf 'int x;' >"$copy/src/base/b.c"
    ! (check "$copy" >"$copy/out") || { echo "not caught: no newline at the end"; return 1; }
    rm "$copy/src/base/b.c"
    echo 'COMMAND(lost, "x")' >>"$copy/src/cli/commands.def"
    ! (check "$copy" >"$copy/out") || { echo "not caught: a command without its file"; return 1; }
}

planted() { # planted FILE LINE
    printf '%s\n' "$2" >"$copy/$1"
    if (check "$copy" >"$copy/out"); then
        echo "not caught: $2 in $1"
        return 1
    fi
    rm "$copy/$1"
}

if [ "$1" = selftest ]; then selftest; else check "$1"; fi
