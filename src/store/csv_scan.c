/* csv_scan.c - CSV text cut into records and cells, and which separator it has.
 *
 * The scanner only finds places; nothing is copied. It reads RFC 4180 and what is found beside it: LF, CRLF and CR line
 * ends, blank lines, blanks around cells and quotes, white space as separator. */
#include "store/csv.h"

#include <string.h>

crdi_csv_scan crdi_csv_scan_begin(const char *bytes, size_t length, char separator)
{
    return (crdi_csv_scan){.at = bytes, .end = bytes + length, .line = 1, .separator = separator};
}

static bool at_line_end(const crdi_csv_scan *s)
{
    return s->at == s->end || *s->at == '\n' || *s->at == '\r';
}

static void pass_line_end(crdi_csv_scan *s)
{
    if (s->at == s->end)
        return;
    if (*s->at == '\r' && s->at + 1 < s->end && s->at[1] == '\n')
        s->at++;
    s->at++;
    s->line++;
}

/* Blanks, and tabs unless they separate. */
static void pass_blanks(crdi_csv_scan *s, bool tabs)
{
    while (s->at < s->end && (*s->at == ' ' || (*s->at == '\t' && tabs)))
        s->at++;
}

static void pass_blank_lines(crdi_csv_scan *s)
{
    while (s->at < s->end) {
        const char *start = s->at;
        pass_blanks(s, true);
        if (!at_line_end(s)) {
            s->at = start;
            return;
        }
        pass_line_end(s);
    }
}

static void set_problem(crdi_csv_scan *s, const char *problem, int64_t line)
{
    s->problem = problem;
    s->problem_line = line;
}

static crdi_csv_cell quoted_cell(crdi_csv_scan *s)
{
    int64_t line = s->line;
    crdi_csv_cell cell = {.start = ++s->at, .quoted = true};
    for (;;) {
        if (s->at == s->end) {
            set_problem(s, "a quote is opened and never closed", line);
            return cell;
        }
        if (*s->at == '"') {
            if (s->at + 1 == s->end || s->at[1] != '"')
                break;
            s->at += 2;
        } else if (at_line_end(s)) {
            pass_line_end(s);
        } else {
            s->at++;
        }
    }
    cell.length = (size_t)(s->at++ - cell.start);
    const char *closed = s->at;
    pass_blanks(s, s->separator != '\t');
    bool apart = s->separator == ' ' ? s->at > closed : s->at < s->end && *s->at == s->separator;
    if (!apart && !at_line_end(s))
        set_problem(s, "there is text after a closing quote", s->line);
    return cell;
}

static crdi_csv_cell plain_cell(crdi_csv_scan *s)
{
    crdi_csv_cell cell = {.start = s->at};
    const char separator = s->separator, second = separator == ' ' ? '\t' : separator;
    const char *p = s->at;
    while (p < s->end && *p != separator && *p != second && *p != '\n' && *p != '\r')
        p++;
    s->at = p;
    while (p > cell.start && (p[-1] == ' ' || p[-1] == '\t'))
        p--;
    cell.length = (size_t)(p - cell.start);
    return cell;
}

crd_status crdi_csv_scan_record(crdi_csv_scan *s, crdi_csv_cells *cells, int64_t *line)
{
    *line = 0;
    pass_blank_lines(s);
    if (s->at == s->end)
        return CRD_OK;
    int64_t first_line = s->line;
    for (;;) {
        pass_blanks(s, s->separator != '\t');
        if (s->separator == ' ' && at_line_end(s))
            break;
        CRD_TRY(crdi_grow(cells->ctx, &cells->cell, &cells->capacity, cells->count, sizeof *cells->cell));
        cells->cell[cells->count++] = s->at < s->end && *s->at == '"' ? quoted_cell(s) : plain_cell(s);
        if (s->problem)
            return CRD_OK;
        if (s->separator == ' ')
            continue;
        if (at_line_end(s))
            break;
        s->at++;
    }
    pass_line_end(s);
    *line = first_line;
    return CRD_OK;
}

/* ---- which separator ---------------------------------------------------------------------------------------- */

enum { SAMPLE = 64 };

/* How often the commonest number of cells comes among the first lines, weighted with how many of their cells are
 * numbers: of two separators that both give equal lines, the one that leaves numbers is right. 0: not this one. */
static double score(const int64_t *widths, int64_t records, int64_t numbers, int64_t cells)
{
    int64_t best = 0, width = 0;
    for (int64_t i = 0; i < records; i++) {
        int64_t same = 0;
        for (int64_t j = 0; j < records; j++)
            same += widths[j] == widths[i];
        if (same > best || (same == best && widths[i] > width)) {
            best = same;
            width = widths[i];
        }
    }
    if (width < 2)
        return 0;
    return (double)best / (double)records * (1 + (double)numbers / (double)cells);
}

static crd_status try_separator(crd_context *ctx, const char *bytes, size_t length, char separator, double *out)
{
    crdi_csv_cells cells = {.ctx = ctx};
    crdi_csv_scan scan = crdi_csv_scan_begin(bytes, length, separator);
    int64_t widths[SAMPLE], records = 0, numbers = 0, total = 0;
    crd_status status = CRD_OK;
    while (records < SAMPLE) {
        int64_t line;
        cells.count = 0;
        status = crdi_csv_scan_record(&scan, &cells, &line);
        if (status < 0 || !line)
            break;
        for (int64_t i = 0; i < cells.count; i++) {
            double value;
            const crdi_csv_cell *c = &cells.cell[i];
            numbers += crdi_csv_classify(c, &value) != CRDI_CELL_TEXT ||
                       (separator != ',' && crdi_csv_has_decimal_comma(c->start, c->length));
        }
        total += cells.count;
        widths[records++] = cells.count;
    }
    crdi_free(ctx, cells.cell);
    if (status == CRD_OK)
        *out = scan.problem || !records ? 0 : score(widths, records, numbers, total);
    return status;
}

crd_status crdi_csv_detect(crd_context *ctx, const char *bytes, size_t length, char *out)
{
    static const char candidates[] = {',', ';', '\t', ' '}; /* of equals the first */
    double most = 0;
    char best = ','; /* a single column has no separator */
    for (int i = 0; i < CRDI_COUNT(candidates); i++) {
        double value;
        CRD_TRY(try_separator(ctx, bytes, length, candidates[i], &value));
        if (value > most) {
            most = value;
            best = candidates[i];
        }
    }
    *out = best;
    return CRD_OK;
}
