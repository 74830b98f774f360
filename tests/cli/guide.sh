#!/bin/sh
# guide.sh CMAKE BUILD SOURCE - types docs/guide.md: installs BUILD into an empty prefix, runs the page's ```sh blocks one after the
# other in one shell, in a copy of examples/, and compares.
#   ```text      what the ```sh block before it prints: each line is among its lines, in this order, word for word; numbers may be off
#                by a third and 0.06, so that the page need not change with every draw. A line ... stands for any number of lines
#   <!-- check: COMMAND -->   must succeed there: what the page says in words
#   ```c         stands, line for line, in a file of examples/
#   images/...   are there, and small
# guide.sh selftest: a page with a mistake of each kind is refused.
set -u
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# run PAGE FOLDER: runs the page's commands in FOLDER and compares what they print.
run() {
    awk '
        /^```sh$/ { inside = 1; block++; printf "printf \"\\n@@ %d\\n\"\n", block; next }
        /^```$/ { inside = 0 }
        inside { print }
        /^<!-- check: .* -->$/ {
            sub(/^<!-- check: /, ""); sub(/ -->$/, "")
            line = $0; gsub(/'\''/, "'\''\\'\'''\''", line)
            printf "{ %s\n} || { printf \"\\n@@ failed\\n%%s\\n\" '\''%s'\''; exit 9; }\n", $0, line
        }
        END { printf "printf \"\\n@@ end\\n\"\n" }' "$1" >"$work/script"
    (cd "$2" && sh -e "$work/script" >"$work/printed" 2>&1 </dev/null)
    grep -q '^@@ end$' "$work/printed" || { echo "guide: the commands stop after:"; tail -n 8 "$work/printed"; return 1; }
    awk -v page="$1" '
        function words(line) {
            gsub(/-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?/, "#", line)
            gsub(/[ \t]+/, " ", line)
            sub(/ $/, "", line); sub(/^ /, "", line)
            return line
        }
        function numbers(line, out,    count) {
            count = 0
            while (match(line, /-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?/)) {
                out[++count] = substr(line, RSTART, RLENGTH) + 0
                line = substr(line, RSTART + RLENGTH)
            }
            return count
        }
        function same(a, b,    x, y, n, i, d, m) {
            if (words(a) != words(b)) return 0
            n = numbers(a, x)
            numbers(b, y)
            for (i = 1; i <= n; i++) {
                d = x[i] - y[i]; if (d < 0) d = -d
                m = x[i] < 0 ? -x[i] : x[i]
                if (d > 0.06 + m / 3) return 0
            }
            return 1
        }
        FNR == NR && /^@@ / { block = $2; count[block] = 0; next }
        FNR == NR { said[block, ++count[block]] = $0; next }
        /^```sh$/ { current++ }
        /^```text$/ { text = 1; at = 1; tight = 0; shown++; next }
        /^```$/ { text = 0 }
        text && /^\.\.\.$/ { next }
        text {
            for (found = at; found <= count[current]; found++)
                if (same($0, said[current, found])) break
            if (found > count[current]) {
                print "guide: " page ": not printed by the commands above it: " $0
                wrong = 1
            } else at = found + 1
        }
        END {
            if (!shown) { print "guide: no block of text"; wrong = 1 }
            exit wrong
        }' "$work/printed" "$1"
}

if [ "$1" = selftest ]; then
    mkdir "$work/a"
    page() { printf '%s\n' '```sh' 'echo one 10.0 two' 'echo three' '```' '```text' "$1" '```' "${2:-}" >"$work/page"; }
    refused() { page "$@"; if run "$work/page" "$work/a" >/dev/null; then echo "guide: not refused: $*"; exit 1; fi; }
    page 'one  10.5 two
...
three' '<!-- check: test "$(echo a)" = a -->'
    run "$work/page" "$work/a" || { echo "guide: a sound page is refused"; exit 1; }
    refused 'one 10 zwei'
    refused 'one 20 two'
    refused 'three
one 10 two'
    refused 'three' '<!-- check: false -->'
    refused 'three' '<!-- check: test a = b | cat && false -->'
    printf '%s\n' '```sh' 'false' '```' '```text' '```' >"$work/page"
    if run "$work/page" "$work/a" >/dev/null; then echo "guide: a failing command is not refused"; exit 1; fi
    exit 0
fi

cmake=$1 build=$2 source=$3
page=$source/docs/guide.md
"$cmake" --install "$build" --prefix "$work/usr" >"$work/log" 2>&1 || { cat "$work/log"; echo "guide: cmake --install failed"; exit 1; }
PKG_CONFIG_PATH=$(dirname "$(find "$work/usr" -name credence.pc)")
LD_LIBRARY_PATH=$(dirname "$(find "$work/usr" -name libcredence.so)")
PATH=$work/usr/bin:$PATH
LC_ALL=C
export PKG_CONFIG_PATH LD_LIBRARY_PATH PATH LC_ALL
cp -r "$source/examples" "$work/examples"
run "$page" "$work" || exit 1

for image in $(sed -n 's/.*](\(images\/[^)]*\)).*/\1/p; s/.*](\(images\/[^)]*\)).*](images.*/\1/p' "$page" | sort -u); do
    [ -s "$source/docs/$image" ] || { echo "guide: no docs/$image"; exit 1; }
    [ "$(wc -c <"$source/docs/$image")" -lt 100000 ] || { echo "guide: docs/$image is larger than 100 KB"; exit 1; }
done
