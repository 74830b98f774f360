/* table.c - see table.h. */
#include "report/table.h"
#include "report/text.h"

#include <string.h>

static const char *const blanks = "                                                                ";

static void pad(crdi_string *out, int width)
{
    for (int step; width > 0; width -= step) {
        step = width < 64 ? width : 64;
        crdi_string_add(out, blanks, (size_t)step);
    }
}

/* `scratch` gets the cell as it is shown; returns it. */
static const char *shown(crdi_string *scratch, const char *cell)
{
    scratch->length = 0;
    if (scratch->text)
        scratch->text[0] = 0;
    crdi_text_printable(scratch, cell);
    return crdi_string_text(scratch);
}

static void add_line(crdi_string *out, crdi_string *scratch, const crdi_table *t, const char *const *cells,
                     const int *width)
{
    int owed = 0; /* blanks that are written only when something follows */
    for (int c = 0; c < t->columns; c++) {
        const char *text = shown(scratch, cells[c]);
        int gap = width[c] - crdi_text_width(text);
        bool left = t->align && t->align[c] == CRDI_LEFT;
        owed += left ? 0 : gap;
        if (*text) {
            pad(out, owed);
            owed = 0;
        }
        crdi_string_append(out, "%s", text);
        owed += 1 + (left ? gap : 0);
    }
    crdi_string_append(out, "\n");
}

crd_status crdi_table_text(crdi_string *out, const crdi_table *t)
{
    crdi_string scratch;
    crdi_string_init(&scratch, out->ctx);
    int *width = crdi_alloc_array(out->ctx, t->columns, sizeof *width);
    if (!width)
        return CRD_ENOMEM;
    for (int c = 0; c < t->columns; c++) {
        width[c] = c == 0 ? 0 : t->least_width;
        for (int64_t r = t->header ? -1 : 0; r < t->rows; r++) {
            int w = crdi_text_width(shown(&scratch, r < 0 ? t->header[c] : t->cell[r * t->columns + c]));
            width[c] = w > width[c] ? w : width[c];
        }
    }
    if (t->header)
        add_line(out, &scratch, t, t->header, width);
    for (int64_t r = 0; r < t->rows; r++)
        add_line(out, &scratch, t, t->cell + r * t->columns, width);
    crd_status status = scratch.status < 0 ? scratch.status : out->status;
    crdi_string_clear(&scratch);
    crdi_free(out->ctx, width);
    return status;
}

void crdi_csv_cell(crdi_string *out, const char *text)
{
    crdi_string plain;
    crdi_string_init(&plain, out->ctx);
    const char *shown_text = shown(&plain, text);
    if (!strpbrk(shown_text, ",\"")) {
        crdi_string_append(out, "%s", shown_text);
    } else {
        crdi_string_append(out, "\"");
        for (const char *c = shown_text; *c; c++)
            crdi_string_add(out, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
        crdi_string_append(out, "\"");
    }
    if (plain.status < 0 && out->status == CRD_OK)
        out->status = plain.status;
    crdi_string_clear(&plain);
}
