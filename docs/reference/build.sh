#!/bin/sh
# build.sh DOXYGEN SOURCE GENERATED OUTPUT VERSION - builds the reference into OUTPUT/html. What Doxygen warns about is an error:
# something public without documentation, a parameter that is not explained, a status without its @return. Functions that return
# anything else may say so in their sentence.
set -eu
doxygen=$1 source=$2 generated=$3 output=$4 version=$5
mkdir -p "$output"
rm -rf "$output/html"
pages=$(find "$source/docs" -maxdepth 1 -name '*.md' | LC_ALL=C sort | tr '\n' ' ')
sed -e "s|@SOURCE@|$source|g; s|@GENERATED@|$generated|g; s|@OUTPUT@|$output|g; s|@VERSION@|$version|g; s|@PAGES@|$pages|g" \
    "$source/docs/reference/Doxyfile.in" >"$output/Doxyfile"
"$doxygen" "$output/Doxyfile" 2>"$output/warnings" || { cat "$output/warnings"; exit 1; }

statuses=$(sed -n 's/^CRD_API .*crd_status \(crd_[a-z0-9_]*\)(.*/\1/p' "$source"/include/credence/*.h | tr '\n' ' ')
awk -v statuses="$statuses" '
    BEGIN { count = split(statuses, name, " "); for (i = 1; i <= count; i++) fallible[name[i]] = 1 }
    /return type of member/ { sub(/^.*return type of member /, "&"); if (!($(NF - 3) in fallible)) next }
    { print; wrong = 1 }
    END { exit wrong }' "$output/warnings" || { echo "reference: not complete (above)"; exit 1; }
[ -s "$output/html/index.html" ] || { echo "reference: no pages"; exit 1; }
