/* page.c - see page.h. */
#include "page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void page_add_cell(crdi_string *out, const char *text)
{
    for (const char *c = text; *c; c++)
        crdi_string_append(out, *c == '|' ? "\\|" : "%c", *c);
}

/* The page with its tables made anew. */
static void make(const char *found, const struct page_part *part, int count, crdi_string *page)
{
    static const char end[] = "<!-- end -->\n";
    const char *at = found;
    for (int i = 0; i < count; i++) {
        char mark[64];
        snprintf(mark, sizeof mark, "<!-- %s -->\n", part[i].name);
        const char *begin = strstr(at, mark);
        if (!begin)
            fail_msg("no line <!-- %s --> where it should be", part[i].name);
        begin += strlen(mark);
        crdi_string_add(page, at, (size_t)(begin - at));
        part[i].add(page);
        at = strstr(begin, end);
        assert_non_null(at);
    }
    crdi_string_append(page, "%s", at);
}

void page_check(const char *file, const struct page_part *part, int count)
{
    static char found[1 << 16];
    char path[1024];
    crd_context *ctx = testing_context();
    crdi_string page;
    snprintf(path, sizeof path, "%s/../../docs/%s", TEST_DATA, file);
    crdi_string_init(&page, ctx);
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    found[fread(found, 1, sizeof found - 1, in)] = 0;
    fclose(in);
    make(found, part, count, &page);
    assert_ok(ctx, page.status);
    if (getenv("CREDENCE_UPDATE")) {
        FILE *out = fopen(path, "w");
        assert_non_null(out);
        assert_true(fputs(page.text, out) >= 0);
        fclose(out);
    } else {
        assert_string_equal(found, page.text);
    }
    crdi_string_clear(&page);
    testing_context_destroy(&ctx);
}
