# What Doxygen reads of a header. The headers are written to be read as they are; here
#  - the comment at the top becomes the file's,
#  - functions that a macro calls with the place of the call stand as they are called: crd_sum(x), not crd_sum_at(x, where),
#  - the rows of CRD_STATUS_LIST become documented constants,
#  - Cost, Source and Parallel become paragraphs of their own.
NR == 1 && /^\/\* [a-z_]+\.h - / {
    match($0, /[a-z_]+\.h/)
    name = substr($0, RSTART, RLENGTH)
    sub(/^\/\* [a-z_]+\.h - /, "/** @file " name "\n * ")
}
/^    X\(E?[A-Z]+, / {
    row = $0
    sub(/^    X\(/, "", row)
    split(row, part, ", ")
    text = row
    sub(/^[^"]*"/, "", text)
    sub(/".*$/, "", text)
    constants = constants "CRD_" part[1] " = " part[2] ", /**< " text " (exit code " part[3] ") */ "
}
/^#define CRD_STATUS_ENUM/ {
    $0 = constants
}
/^    CRD_STATUS_LIST\(CRD_STATUS_ENUM\)/ || /^#define crd_[a-z0-9_]+\(\.\.\.\)/ {
    $0 = ""
}
/_at\(/ { sub(/_at\(/, "(") }
/^ \*  (Cost|Source|Parallel): / {
    match($0, /(Cost|Source|Parallel): /)
    $0 = " *  @" tolower(substr($0, RSTART, RLENGTH - 2)) " " substr($0, RSTART + RLENGTH)
}
/^ +crd_where where\);/ { # a line of its own: the comma before it goes too
    sub(/,$/, ");", before)
    $0 = ""
}
{ sub(/, crd_where where\);/, ");") }
NR > 1 { print before }
{ before = $0 }
END { print before }
