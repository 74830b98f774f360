# What Doxygen reads of a page of docs/: links to what is no page of the reference (../, dev/) become plain text, images lose their
# folder.
{
    while (match($0, /\[[^][]*\]\((\.\.|dev)\/[^)]*\)/)) {
        link = substr($0, RSTART, RLENGTH)
        text = link
        sub(/\]\(.*$/, "", text)
        $0 = substr($0, 1, RSTART - 1) substr(text, 2) substr($0, RSTART + RLENGTH)
    }
    gsub(/\]\(images\//, "](")
    print
}
