/* table.c - a table of a page: its columns as JSON, and the place where the script builds it. */
#include "report/html.h"

#include <string.h>

enum { DIGITS = 6 };

static void put_column(crdi_string *out, const crdi_html_column *c, int64_t rows)
{
    crdi_string_append(out, "{\"name\":");
    crdi_html_json_text(out, c->name);
    if (c->about) {
        crdi_string_append(out, ",\"about\":");
        crdi_html_json_text(out, c->about);
    }
    if (!c->text)
        crdi_string_append(out, ",\"decimals\":%d", c->decimals);
    if (c->worst)
        crdi_string_append(out, ",\"worst\":\"%s\"", c->worst == '<' ? "least" : "greatest");
    crdi_string_append(out, ",\"%s\":[", c->text ? "text" : "value");
    for (int64_t i = 0; i < rows; i++) {
        if (i)
            crdi_string_add(out, ",", 1);
        if (c->text)
            crdi_html_json_text(out, c->text[i]);
        else
            crdi_html_json_number(out, c->value[i], DIGITS);
    }
    crdi_string_append(out, "]}");
}

/* [name, rows] of each. */
static void put_groups(crdi_string *out, const crdi_html_table *t)
{
    crdi_string_append(out, ",\"groups\":[");
    for (int64_t i = 0, next; i < t->rows; i = next) {
        for (next = i + 1; next < t->rows && strcmp(t->group[next], t->group[i]) == 0; next++)
            ;
        crdi_string_append(out, "%s[", i ? "," : "");
        crdi_html_json_text(out, t->group[i]);
        crdi_string_append(out, ",%lld]", (long long)(next - i));
    }
    crdi_string_append(out, "]");
}

void crdi_html_table_add(crdi_html *html, const crdi_html_table *t)
{
    crdi_string *out = &html->tables;
    char number[16];
    if (t->rows < 1)
        return;
    crdi_string_append(out, "%s{\"caption\":", html->table_count ? ",\n" : "");
    crdi_html_json_text(out, t->caption);
    crdi_string_append(out, ",\"rows\":%lld,\"columns\":[", (long long)t->rows);
    for (int c = 0; c < t->columns; c++) {
        if (c)
            crdi_string_add(out, ",", 1);
        put_column(out, &t->column[c], t->rows);
    }
    crdi_string_append(out, "]");
    if (t->group)
        put_groups(out, t);
    crdi_string_append(out, "}");
    crdi_format(number, sizeof number, "%d", html->table_count++);
    crdi_html_add(&html->body, "<div class=\"table\" data-table=\"$\"></div>\n", number, NULL);
}
