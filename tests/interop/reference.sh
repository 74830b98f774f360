#!/bin/sh
# reference.sh SOURCE GENERATED | selftest SOURCE GENERATED - the reference builds without a warning: docs/reference/build.sh. With
# `selftest`, copies of the headers each lack something, and each must be refused. Skips (exit code 77), saying so, without Doxygen.
set -u
mode=build
[ "$1" = selftest ] && { mode=selftest; shift; }
source=$1 generated=$2
command -v doxygen >/dev/null 2>&1 || { echo "skipped: no doxygen"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ $mode = build ]; then
    sh "$source/docs/reference/build.sh" doxygen "$source" "$generated" "$work" 0 || exit 1
    # What a reader comes for is there: a function under the name that is called, its shapes, a status with its text.
    # crd_sum_at is what the macro calls, and is not shown.
    for text in '>crd_sum</a> (' 'Matrix product (m, k)(k, n)' 'stopped by the user' '>crd_half_cauchy</a> ('; do
        grep -rqF "$text" "$work/html" || { echo "reference: no page says '$text'"; exit 1; }
    done
    ! grep -rqF '>crd_sum_at<' "$work/html" || { echo "reference: crd_sum stands there as crd_sum_at"; exit 1; }
    exit 0
fi

# refused FILE SED WHAT: whether the build refuses the header changed by a sed script, for the reason WHAT.
refused() {
    rm -rf "$work/copy"
    mkdir -p "$work/copy/docs/reference" "$work/copy/include"
    cp "$source"/docs/reference/* "$work/copy/docs/reference/"
    cp -r "$source/include/credence" "$work/copy/include/"
    sed -i "$2" "$work/copy/include/credence/$1"
    if cmp -s "$work/copy/include/credence/$1" "$source/include/credence/$1"; then
        echo "reference: '$2' changes nothing in $1"
        exit 1
    fi
    if sh "$work/copy/docs/reference/build.sh" doxygen "$work/copy" "$generated" "$work/out" 0 >"$work/log" 2>&1; then
        echo "reference: not refused: $3"
        exit 1
    fi
    grep -q "$3" "$work/log" || { echo "reference: not for the reason '$3':"; cat "$work/log"; exit 1; }
}
refused array.h 's/@param shape  any\.//' 'parameters of member crd_shape_size'
refused array.h 's|^\(CRD_API int64_t crd_shape_size.*\)|CRD_API int crd_strange(int x);\n\1|' 'parameters of member crd_strange\|crd_shape_size'
refused run.h 's/@return CRD_OK; CRD_EDAMAGED; CRD_EIO; CRD_ENOMEM\. Cost/Cost/' 'return type of member crd_run_check'
refused random.h 's|/\*\*< which counters \*/||' 'Member order'
