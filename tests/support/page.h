/* page.h - pages of docs/ whose tables are those that registries give. With CREDENCE_UPDATE set in the environment they are
 * written; else they are compared. What stands outside the marked parts is written by hand and stays. */
#ifndef CRD_TESTS_PAGE_H
#define CRD_TESTS_PAGE_H

#include "base/base.h"
#include "testing.h"

/* A part of a page, between the lines <!-- NAME --> and <!-- end -->. */
struct page_part {
    const char *name;
    void (*add)(crdi_string *out);
};

/* The parts in the order in which they stand in docs/FILE. Fails the test where the page is not what they say. */
void page_check(const char *file, const struct page_part *part, int count);

/* A cell of a table: '|' is escaped. */
void page_add_cell(crdi_string *out, const char *text);

#endif
