/* csv_read.c - CSV text made into a table.
 *
 * Stages: check that it is text; find the separator; find all cells (places only); settle how many columns there are;
 * name them; read the numbers; copy the text of the columns that are not numbers. The cells are found before anything is
 * read, because whether a separator at the end of a line opens one more column only shows when all lines are known. */
#include "store/csv.h"
#include "store/input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct record {
    int64_t first; /* its first cell */
    int64_t line;
};

struct reading {
    crd_context *ctx;
    const char *name;
    crdi_csv_cells cells;
    struct record *record; /* the header too; one more than `records`, whose `first` ends the last */
    int64_t records, capacity;
    int64_t header; /* records that are header: 0 or 1 */
    int64_t width; /* columns */
    char separator;
};

/* Names and levels end up in JSON and in figures: what is not UTF-8 is refused here, where the line is known. */
static crd_status check_text(crd_context *ctx, const char *name, const char **bytes, size_t *length)
{
    const char *b = *bytes;
    size_t n = *length;
    if (n >= 2 && ((b[0] == '\xff' && b[1] == '\xfe') || (b[0] == '\xfe' && b[1] == '\xff')))
        return crdi_raise(ctx, CRD_EDATA, "%s: the file is in UTF-16; save it as UTF-8", name);
    if (n >= 3 && memcmp(b, "\xef\xbb\xbf", 3) == 0) {
        *bytes += 3;
        *length -= 3;
    }
    int64_t line = 1;
    for (const char *p = *bytes, *end = p + *length; p < end;) {
        uint32_t code;
        int size = (unsigned char)*p < 0x80 ? 1 : crdi_utf8_decode(p, end, &code);
        if (*p == 0)
            return crdi_raise(ctx, CRD_EDATA, "%s:%lld: a zero byte; the file is not text", name, (long long)line);
        if (size == 0)
            return crdi_raise(ctx, CRD_EDATA, "%s:%lld: byte 0x%02x is not UTF-8; save the file as UTF-8", name,
                              (long long)line, (unsigned char)*p);
        line += *p == '\n';
        p += size;
    }
    return CRD_OK;
}

static crd_status find_cells(struct reading *r, const char *bytes, size_t length)
{
    crdi_csv_scan scan = crdi_csv_scan_begin(bytes, length, r->separator);
    for (;;) {
        int64_t line, first = r->cells.count;
        CRD_TRY(crdi_csv_scan_record(&scan, &r->cells, &line));
        if (scan.problem)
            return crdi_raise(r->ctx, CRD_EDATA, "%s:%lld: %s", r->name, (long long)scan.problem_line, scan.problem);
        CRD_TRY(crdi_grow(r->ctx, &r->record, &r->capacity, r->records, sizeof *r->record));
        r->record[r->records] = (struct record){first, line};
        if (!line)
            break;
        r->records++;
    }
    if (r->records == 0)
        return crdi_raise(r->ctx, CRD_EDATA, "%s: the file is empty", r->name);
    if (r->records == r->header)
        return crdi_raise(r->ctx, CRD_EDATA, "%s: no rows under the header", r->name);
    return CRD_OK;
}

/* Cells of a record up to the last that is not empty: the rest are separators at the end of the line. */
static int64_t filled(const struct reading *r, int64_t i)
{
    int64_t last = r->record[i + 1].first;
    while (last > r->record[i].first && r->cells.cell[last - 1].length == 0 && !r->cells.cell[last - 1].quoted)
        last--;
    return last - r->record[i].first;
}

static int64_t cell_count(const struct reading *r, int64_t i)
{
    return r->record[i + 1].first - r->record[i].first;
}

static const char *separator_name(char separator)
{
    return separator == ',' ? "','" : separator == ';' ? "';'" : separator == '\t' ? "tab" : "space";
}

static bool begins_with_mark(const struct reading *r)
{
    return r->cells.cell[0].length > 0 && r->cells.cell[0].start[0] == '#';
}

/* As many columns as the first line has cells, less those at its end that are empty in every line. */
static crd_status settle_width(struct reading *r)
{
    int64_t widest = 1;
    for (int64_t i = 0; i < r->records; i++) {
        int64_t width = filled(r, i);
        widest = width > widest ? width : widest;
    }
    r->width = cell_count(r, 0) < widest ? cell_count(r, 0) : widest;
    for (int64_t i = 1; i < r->records; i++) {
        int64_t count = cell_count(r, i);
        if (count > r->width)
            count = filled(r, i) > r->width ? filled(r, i) : r->width;
        if (count != r->width)
            return crdi_raise(r->ctx, CRD_EDATA, "%s:%lld: %lld cell%s, but line %lld has %lld (separator: %s)%s",
                              r->name, (long long)r->record[i].line, (long long)count, count == 1 ? "" : "s",
                              (long long)r->record[0].line, (long long)r->width, separator_name(r->separator),
                              begins_with_mark(r) ? "; is that a comment, with its '#'? Comments are not read" : "");
    }
    return CRD_OK;
}

/* ---- names -------------------------------------------------------------------------------------------------- */

struct named {
    const char *name;
    int64_t column;
};

static int by_name(const void *a, const void *b)
{
    const struct named *p = a, *q = b;
    int order = strcmp(p->name, q->name);
    return order ? order : (p->column > q->column) - (p->column < q->column);
}

static crd_status check_names(const crd_table *t)
{
    struct named *sorted = crdi_alloc_array(t->ctx, t->column_count, sizeof *sorted);
    if (!sorted)
        return CRD_ENOMEM;
    crd_status status = CRD_OK;
    for (int64_t c = 0; c < t->column_count; c++)
        sorted[c] = (struct named){t->column[c].name, c};
    qsort(sorted, (size_t)t->column_count, sizeof *sorted, by_name);
    for (int64_t i = 1; i < t->column_count && status == CRD_OK; i++) {
        char shown[CRDI_SHOWN];
        if (strcmp(sorted[i - 1].name, sorted[i].name) == 0)
            status = crdi_raise(
                t->ctx, CRD_EDATA, "%s: two columns are called '%s': numbers %lld and %lld, counted from 0", t->name,
                crdi_csv_show(shown, sorted[i].name), (long long)sorted[i - 1].column, (long long)sorted[i].column);
    }
    crdi_free(t->ctx, sorted);
    return status;
}

/* A name has one line: spreadsheets break long headers, and nobody could type that, or read it in a message. */
static void copy_name(const crdi_csv_cell *cell, char *out)
{
    crdi_csv_cell_copy(cell, out);
    char *to = out;
    for (const char *from = out; *from; from++) {
        bool control = (unsigned char)*from < ' ' || *from == 0x7f;
        if (!control || to == out || to[-1] != ' ')
            *to++ = control ? ' ' : *from;
    }
    *to = 0;
}

static crd_status name_column(const struct reading *r, crd_table *t, int64_t c)
{
    char number[32];
    snprintf(number, sizeof number, "%lld", (long long)c);
    const crdi_csv_cell *cell = r->header ? &r->cells.cell[c] : NULL;
    if (!cell || cell->length == 0) {
        t->column[c].name = crdi_strdup(t->ctx, number);
        if (cell)
            crdi_log(t->ctx, "%s: column %s (counted from 0) has no name; it is called '%s'", t->name, number, number);
    } else {
        t->column[c].name = crdi_alloc(t->ctx, cell->length + 1);
        if (t->column[c].name)
            copy_name(cell, t->column[c].name);
    }
    return t->column[c].name ? CRD_OK : CRD_ENOMEM;
}

static crd_status name_columns(const struct reading *r, crd_table *t)
{
    bool numbers = r->header;
    for (int64_t c = 0; c < t->column_count; c++) {
        double value;
        CRD_TRY(name_column(r, t, c));
        numbers = numbers && crdi_csv_classify(&r->cells.cell[c], &value) == CRDI_CELL_NUMBER;
    }
    if (numbers)
        crdi_log(t->ctx, "%s: the first line holds numbers only; if it is data, say --no-header", t->name);
    return check_names(t);
}

/* ---- cells -------------------------------------------------------------------------------------------------- */

static const crdi_csv_cell *cell_at(const struct reading *r, int64_t row, int64_t column)
{
    return &r->cells.cell[r->record[r->header + row].first + column];
}

static void read_numbers(const struct reading *r, crd_table *t)
{
    for (int64_t row = 0; row < t->row_count; row++) {
        t->line[row] = r->record[r->header + row].line;
        for (int64_t c = 0; c < t->column_count; c++) {
            crd_table_column *column = &t->column[c];
            crdi_csv_kind kind = crdi_csv_classify(cell_at(r, row, c), &column->number[row]);
            column->missing += kind == CRDI_CELL_MISSING;
            if (kind == CRDI_CELL_TEXT && column->first_text < 0)
                column->first_text = row;
        }
    }
}

/* Copies a column's cells into one block behind the array of pointers to them. */
static crd_status copy_text(const struct reading *r, crd_table *t, int64_t c)
{
    size_t bytes = (size_t)t->row_count * sizeof(char *);
    for (int64_t row = 0; row < t->row_count; row++)
        bytes += cell_at(r, row, c)->length + 1;
    char **text = crdi_alloc(t->ctx, bytes);
    if (!text)
        return CRD_ENOMEM;
    char *at = (char *)(text + t->row_count);
    for (int64_t row = 0; row < t->row_count; row++) {
        double value;
        if (crdi_csv_classify(cell_at(r, row, c), &value) == CRDI_CELL_MISSING)
            continue;
        text[row] = at;
        at += crdi_csv_cell_copy(cell_at(r, row, c), at) + 1;
    }
    t->column[c].text = text;
    return CRD_OK;
}

static crd_status fill_table(const struct reading *r, crd_table *t)
{
    t->ctx = r->ctx;
    t->separator = r->separator;
    t->row_count = r->records - r->header;
    t->name = crdi_strdup(t->ctx, r->name);
    t->line = crdi_alloc_array(t->ctx, t->row_count, sizeof *t->line);
    t->column = crdi_alloc_array(t->ctx, r->width, sizeof *t->column);
    if (!t->name || !t->line || !t->column)
        return CRD_ENOMEM;
    t->column_count = r->width;
    CRD_TRY(name_columns(r, t));
    for (int64_t c = 0; c < t->column_count; c++) {
        t->column[c].first_text = -1;
        t->column[c].number = crdi_alloc_array(t->ctx, t->row_count, sizeof(double));
        if (!t->column[c].number)
            return CRD_ENOMEM;
    }
    read_numbers(r, t);
    for (int64_t c = 0; c < t->column_count; c++)
        if (t->column[c].first_text >= 0)
            CRD_TRY(copy_text(r, t, c));
    return CRD_OK;
}

static crd_status parse(struct reading *r, const char *bytes, size_t length, crd_table **out)
{
    CRD_TRY(check_text(r->ctx, r->name, &bytes, &length));
    if (!r->separator)
        CRD_TRY(crdi_csv_detect(r->ctx, bytes, length, &r->separator));
    CRD_TRY(find_cells(r, bytes, length));
    CRD_TRY(settle_width(r));
    crd_table *table = crdi_alloc(r->ctx, sizeof *table);
    if (!table)
        return CRD_ENOMEM;
    table->ctx = r->ctx;
    crd_status status = fill_table(r, table);
    if (status < 0)
        crd_table_destroy(&table);
    else
        *out = table;
    return status;
}

crd_status crd_csv_parse(crd_context *ctx, const char *name, const char *bytes, size_t length,
                         const crd_csv_options *options, crd_table **out)
{
    static const crd_csv_options defaults = {0};
    const crd_csv_options *o = options ? options : &defaults;
    if (o->separator && !strchr(",;\t ", o->separator))
        return crdi_raise(ctx, CRD_EINVAL, "separator 0x%02x: it can be , ; tab or space", (unsigned char)o->separator);
    struct reading r = {.ctx = ctx, .name = name, .cells = {.ctx = ctx}, .separator = o->separator};
    r.header = !o->no_header;
    crd_status status = parse(&r, bytes, length, out);
    crdi_free(ctx, r.cells.cell);
    crdi_free(ctx, r.record);
    return status;
}

crd_status crd_csv_read(crd_context *ctx, const char *path, const crd_csv_options *options, crd_table **out)
{
    char *bytes;
    size_t length;
    CRD_TRY(crdi_input_read(ctx, path, &bytes, &length));
    crd_status status = crd_csv_parse(ctx, path, bytes, length, options, out);
    crdi_free(ctx, bytes);
    return status;
}

crd_status crd_csv_separator(crd_context *ctx, const char *name, char *out)
{
    static const struct {
        const char *name;
        char separator;
    } rows[] = {{"auto", 0}, {",", ','}, {";", ';'}, {"tab", '\t'}, {"space", ' '}};
    for (int i = 0; i < CRDI_COUNT(rows); i++) {
        if (strcmp(rows[i].name, name) == 0) {
            *out = rows[i].separator;
            return CRD_OK;
        }
    }
    return crdi_raise(ctx, CRD_EINVAL, "separator '%s': it can be auto , ; tab or space", name);
}
