#!/bin/sh
# classification.sh FOLDER [WORK] - fits iris, wine, breast_cancer and digits by five methods through the command line, and prints
# the table of docs/classification.md: accuracy, log score and calibration error on rows that were not fitted.
#
# FOLDER has iris.txt, wine.txt, breast_cancer.txt and digits.txt: blanks between columns, the class in the last. The rows whose
# number (from 0) is a multiple of 3 are for testing, the others are fitted. WORK keeps the run files; a temporary
# folder if not given. CREDENCE names the program. Each command is printed to standard error before it is run.
set -eu
data=$(cd "$1" && pwd)
credence=${CREDENCE:-credence}
if [ $# -gt 1 ]; then
    mkdir -p "$2"
    work=$2
else
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
fi
cd "$work"
exec 3>&2

type() {
    echo "credence $*" >&3
    "$credence" "$@"
}

now() {
    date +%s.%N
}

# line SET METHOD OPTION... - one fit and its scores, as a line of the table
line() {
    set_name=$1
    method=$2
    shift 2
    columns=$(head -1 "$data/$set_name.txt" | wc -w)
    begin=$(now)
    # shellcheck disable=SC2086 # $common holds several words
    type fit "$data/$set_name.txt" --no-header --sep space --target $((columns - 1)) --rows "$set_name.fitted" $common "$@" \
        --seed 1 --quiet --force --out "$set_name.$method.crd" 2>"$set_name.$method.log" || {
        cat "$set_name.$method.log" >&2
        exit 1
    }
    end=$(now)
    type evaluate "$set_name.$method.crd" "$data/$set_name.txt" --no-header --sep space --rows "$set_name.tested" --format csv |
        awk -F, -v set="$set_name" -v method="$method" -v seconds="$(echo "$end $begin" | awk '{ print $1 - $2 }')" '
            { value[$2] = $3; error[$2] = $4 }
            END {
                printf "| %s | %s | %.3f ± %.3f | %.3f ± %.3f | %.3f ± %.3f | %.1f |\n", set, method, value["accuracy"],
                    error["accuracy"], value["log_density"], error["log_density"], value["ece"], error["ece"], seconds
            }'
}

# rows SET - which are fitted and which are tested
rows() {
    awk 'NF { n++ } END { for (i = 0; i < n; i++) print i >(i % 3 ? set ".fitted" : set ".tested") }' set="$1" "$data/$1.txt"
}

echo "| data | method | accuracy | log score | calibration error | seconds |"
echo "|---|---|---|---|---|---|"
for name in iris wine breast_cancer; do
    rows $name
    likelihood=categorical
    [ $name != breast_cancer ] || likelihood=bernoulli
    common="--likelihood $likelihood --hidden 10"
    line $name twin --method map --prior none --steps 5000
    line $name ensemble --method ensemble --members 10 --steps 5000
    line $name laplace --method laplace
    line $name svi --method svi --steps 10000 --particles 10
    line $name nuts --method nuts --chains 4 --warmup 500 --draws 500 --max-depth 7
done
rows digits
common="--likelihood categorical --hidden 30"
line digits twin --method map --prior none --steps 2000
line digits ensemble --method ensemble --members 5 --steps 2000
line digits laplace_last_layer --method laplace --hessian last_layer --map-starts 1
line digits laplace_kronecker --method laplace --hessian kronecker --tune prior --map-starts 1
line digits svi --method svi --steps 5000 --particles 1
line digits nuts --method nuts --chains 2 --warmup 100 --draws 100 --max-depth 5
