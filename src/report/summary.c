/* summary.c - the table of a posterior: one row a parameter, folded by site where there are many. Which columns there are,
 * how they are printed and what a folded line says of them stands in one table for NumPyro's and one for ArviZ's. */
#include "report/table.h"

#include <math.h>
#include <string.h>

enum { MOST_COLUMNS = 10 }; /* with the label */

enum { DRAWS_COLUMNS = 5 }; /* of those of a summary: without n_eff and r_hat */
enum digits { POINT, BESIDE_SD, BESIDE_ITSELF, TWO_DECIMALS, THREE_DECIMALS, WHOLE };
enum fold { BLANK, LEAST, GREATEST, LEAST_IS_WORST, GREATEST_IS_WORST };

struct column {
    const char *name; /* in CSV and JSON, and the text's head unless it is "low" or "high" */
    size_t place; /* of the double in a row */
    enum digits digits;
    enum fold fold;
};

struct form {
    const char *head; /* of "low" and "high": "%.1f%%" */
    size_t row_size;
    size_t sd; /* where a row has it */
    int count;
    const struct column *column;
};

#define COLUMN(type, name, digits, fold)                                                                               \
    {                                                                                                                  \
#name, offsetof(type, name), digits, fold                                                                      \
    }
static const struct column summary_columns[] = {
    COLUMN(crdi_summary_row, mean, BESIDE_SD, BLANK),
    {"std", offsetof(crdi_summary_row, sd), BESIDE_SD, BLANK},
    COLUMN(crdi_summary_row, median, BESIDE_SD, BLANK),
    COLUMN(crdi_summary_row, low, BESIDE_SD, LEAST),
    COLUMN(crdi_summary_row, high, BESIDE_SD, GREATEST),
    COLUMN(crdi_summary_row, n_eff, TWO_DECIMALS, LEAST_IS_WORST),
    COLUMN(crdi_summary_row, r_hat, TWO_DECIMALS, GREATEST_IS_WORST),
};
static const struct column diagnostic_columns[] = {
    COLUMN(crdi_diagnostic_row, mean, BESIDE_SD, BLANK),
    COLUMN(crdi_diagnostic_row, sd, BESIDE_SD, BLANK),
    COLUMN(crdi_diagnostic_row, low, BESIDE_SD, LEAST),
    COLUMN(crdi_diagnostic_row, high, BESIDE_SD, GREATEST),
    COLUMN(crdi_diagnostic_row, mcse_mean, BESIDE_ITSELF, GREATEST_IS_WORST),
    COLUMN(crdi_diagnostic_row, mcse_sd, BESIDE_ITSELF, GREATEST_IS_WORST),
    COLUMN(crdi_diagnostic_row, ess_bulk, WHOLE, LEAST_IS_WORST),
    COLUMN(crdi_diagnostic_row, ess_tail, WHOLE, LEAST_IS_WORST),
    COLUMN(crdi_diagnostic_row, r_hat, THREE_DECIMALS, GREATEST_IS_WORST),
};
static const struct form summary_form = {"%.1f%%", sizeof(crdi_summary_row), offsetof(crdi_summary_row, sd),
                                         CRDI_COUNT(summary_columns), summary_columns};
/* Independent draws: chains, and what is computed from several, are not there. */
static const struct form draws_form = {"%.1f%%", sizeof(crdi_summary_row), offsetof(crdi_summary_row, sd),
                                       DRAWS_COLUMNS, summary_columns};
/* One point. */
static const struct column point_columns[] = {{"value", offsetof(crdi_summary_row, mean), POINT, BLANK}};
static const struct form point_form = {"%.1f%%", sizeof(crdi_summary_row), offsetof(crdi_summary_row, sd), 1,
                                       point_columns};
static const struct form diagnostic_form = {"hdi_%g%%", sizeof(crdi_diagnostic_row), offsetof(crdi_diagnostic_row, sd),
                                            CRDI_COUNT(diagnostic_columns), diagnostic_columns};

/* Rows of either kind: they begin with the texts of the site and the label. */
struct rows {
    const struct form *form;
    const char *first;
    int64_t count;
};

struct texts {
    const char *site, *label;
};

_Static_assert(offsetof(crdi_summary_row, site) == offsetof(struct texts, site), "rows begin with their texts");
_Static_assert(offsetof(crdi_summary_row, label) == offsetof(struct texts, label), "rows begin with their texts");
_Static_assert(offsetof(crdi_diagnostic_row, site) == offsetof(struct texts, site), "rows begin with their texts");
_Static_assert(offsetof(crdi_diagnostic_row, label) == offsetof(struct texts, label), "rows begin with their texts");

static struct texts texts_of(struct rows rows, int64_t i)
{
    struct texts texts;
    memcpy(&texts, rows.first + (size_t)i * rows.form->row_size, sizeof texts);
    return texts;
}

static double at(struct rows rows, int64_t i, size_t place)
{
    double value;
    memcpy(&value, rows.first + (size_t)i * rows.form->row_size + place, sizeof value);
    return value;
}

static double value_of(struct rows rows, int64_t i, int column)
{
    return at(rows, i, rows.form->column[column].place);
}

/* ---- text --------------------------------------------------------------------------------------------------- */

/* A number beside a standard deviation: two decimals, or as many as show three digits of a small one. Where that gets
 * too long or shows nothing, three digits and an exponent. */
static const char *beside(crdi_arena *arena, double value, double sd)
{
    int decimals = 2;
    if (isnan(value))
        return crdi_arena_strdup(arena, "-");
    if (sd > 0 && sd < 0.05)
        decimals = 2 - (int)floor(log10(sd));
    double size = fabs(value);
    bool lost = sd == 0 && size > 0 && size < 0.005;
    if (isfinite(value) && (decimals > 6 || size >= 1e6 || lost))
        return crdi_arena_printf(arena, value == 0 ? "%.2f" : "%.2e", value);
    return crdi_arena_printf(arena, "%.*f", decimals, value);
}

static const char *cell_text(crdi_arena *arena, enum digits digits, double value, double sd)
{
    if (isnan(value))
        digits = TWO_DECIMALS;
    switch (digits) {
    case POINT:
        return crdi_arena_printf(arena, "%.4g", value);
    case BESIDE_SD:
        return beside(arena, value, sd);
    case BESIDE_ITSELF:
        return beside(arena, value, value);
    case TWO_DECIMALS:
        return beside(arena, value, 1);
    case THREE_DECIMALS:
        return crdi_arena_printf(arena, "%.3f", value);
    case WHOLE:
        break;
    }
    return crdi_arena_printf(arena, "%.0f", value);
}

/* A line: the label, then a cell a column. */
static bool fill(crdi_arena *arena, struct rows rows, int64_t i, const char **cell)
{
    cell[0] = texts_of(rows, i).label;
    for (int c = 0; c < rows.form->count; c++) {
        cell[c + 1] = cell_text(arena, rows.form->column[c].digits, value_of(rows, i, c), at(rows, i, rows.form->sd));
        if (!cell[c + 1])
            return false;
    }
    return true;
}

/* What a folded line says of two values. The worse of two values of a diagnostic is one that is not a number, because
 * nothing is known of it. */
static double fold_two(enum fold fold, double a, double b)
{
    if (fold >= LEAST_IS_WORST && (isnan(a) || isnan(b)))
        return NAN;
    return fold == LEAST || fold == LEAST_IS_WORST ? fmin(a, b) : fmax(a, b);
}

/* One line for `count` rows from `first` on. */
static bool fill_folded(crdi_arena *arena, struct rows rows, int64_t first, int64_t count, const char **cell)
{
    double sd = at(rows, first, rows.form->sd); /* the least above 0, for the digits */
    for (int64_t i = first + 1; i < first + count; i++) {
        double other = at(rows, i, rows.form->sd);
        sd = other > 0 && !(sd <= other && sd > 0) ? other : sd;
    }
    cell[0] = crdi_arena_printf(arena, "... %lld more of %s", (long long)count, texts_of(rows, first).site);
    bool filled = cell[0] != NULL;
    for (int c = 0; c < rows.form->count; c++) {
        const struct column *column = &rows.form->column[c];
        double all = value_of(rows, first, c);
        cell[c + 1] = NULL;
        if (column->fold == BLANK)
            continue;
        for (int64_t i = first + 1; i < first + count; i++)
            all = fold_two(column->fold, all, value_of(rows, i, c));
        cell[c + 1] = cell_text(arena, column->digits, all, sd);
        filled = filled && cell[c + 1];
    }
    return filled;
}

/* How many rows from `first` on belong to its site. */
static int64_t site_length(struct rows rows, int64_t first)
{
    int64_t n = 1;
    while (first + n < rows.count && strcmp(texts_of(rows, first + n).site, texts_of(rows, first).site) == 0)
        n++;
    return n;
}

/* Fills the cells; returns the number of lines, -1 when there is no memory. `folded` is told of any fold. */
static int64_t fill_all(crdi_arena *arena, struct rows rows, bool fold, const char **cell, bool *folded)
{
    int64_t line = 0, width = rows.form->count + 1;
    for (int64_t i = 0, n; i < rows.count; i += n) {
        n = site_length(rows, i);
        bool here = fold && n > CRDI_FOLD_SHOWN + 1; /* one row is not worth a fold: it needs a line as well */
        int64_t alone = here ? CRDI_FOLD_SHOWN : n;
        for (int64_t k = 0; k < alone; k++)
            if (!fill(arena, rows, i + k, cell + width * line++))
                return -1;
        if (here && !fill_folded(arena, rows, i + alone, n - alone, cell + width * line++))
            return -1;
        *folded = *folded || here;
    }
    return line;
}

static crd_status check_prob(crdi_string *out, double prob)
{
    if (prob > 0 && prob < 1)
        return CRD_OK;
    return crdi_raise(out->ctx, CRD_EINVAL, "the probability of an interval lies between 0 and 1, not at %g", prob);
}

static bool make_header(crdi_arena *arena, const struct form *form, double prob, const char **header)
{
    header[0] = "";
    for (int c = 0; c < form->count; c++) {
        const char *name = form->column[c].name;
        bool low = strcmp(name, "low") == 0, high = strcmp(name, "high") == 0;
        header[c + 1] = low || high ? crdi_arena_printf(arena, form->head, 50 * (high ? 1 + prob : 1 - prob)) : name;
        if (!header[c + 1])
            return false;
    }
    return true;
}

static crd_status table_text(crdi_string *out, crdi_arena *arena, struct rows rows, double prob, bool full)
{
    bool folded = false;
    const char *header[MOST_COLUMNS];
    const char **cell = crdi_alloc_array(out->ctx, (rows.form->count + 1) * rows.count, sizeof *cell);
    crd_status status = cell && make_header(arena, rows.form, prob, header) ? CRD_OK : CRD_ENOMEM;
    int64_t lines = -1;
    if (status == CRD_OK)
        lines = fill_all(arena, rows, !full && rows.count > CRDI_FOLD_FROM, cell, &folded);
    if (lines < 0)
        status = CRD_ENOMEM;
    else
        status = crdi_table_text(
            out, &(crdi_table){
                     .columns = rows.form->count + 1, .header = header, .rows = lines, .cell = cell, .least_width = 9});
    if (folded)
        crdi_string_append(out, "\n'... more' stands for rows not shown%s%s; --full shows all\n",
                           rows.form == &point_form ? "" : ": lowest, highest",
                           rows.form == &summary_form      ? ", least n_eff, greatest r_hat"
                           : rows.form == &diagnostic_form ? ", least ess, greatest mcse, greatest r_hat"
                                                           : "");
    crdi_free(out->ctx, cell);
    return status < 0 ? status : out->status;
}

static crd_status rows_text(crdi_string *out, struct rows rows, double prob, bool full)
{
    crdi_arena *arena;
    CRD_TRY(check_prob(out, prob));
    CRD_TRY(crdi_arena_create(&arena, out->ctx));
    crd_status status = table_text(out, arena, rows, prob, full);
    crdi_arena_destroy(&arena);
    return status;
}

/* ---- CSV and JSON ------------------------------------------------------------------------------------------- */

/* prob NAN: the rows have no interval. */
static crd_status rows_csv(crdi_string *out, struct rows rows, double prob)
{
    char text[32];
    bool interval = !isnan(prob);
    if (interval)
        CRD_TRY(check_prob(out, prob));
    crdi_string_append(out, "name");
    for (int c = 0; c < rows.form->count; c++)
        crdi_string_append(out, ",%s", rows.form->column[c].name);
    crdi_string_append(out, "%s\n", interval ? ",prob" : "");
    for (int64_t i = 0; i < rows.count; i++) {
        crdi_table_csv_cell(out, texts_of(rows, i).label);
        for (int c = 0; c < rows.form->count; c++)
            crdi_string_append(out, ",%s", crdi_format_double(text, value_of(rows, i, c)));
        if (interval)
            crdi_string_append(out, ",%s", crdi_format_double(text, prob));
        crdi_string_append(out, "\n");
    }
    return out->status;
}

static void rows_json(crdi_json_writer *w, struct rows rows)
{
    crdi_json_open(w, "rows", '[');
    for (int64_t i = 0; i < rows.count; i++) {
        w->line = true;
        crdi_json_open(w, NULL, '{');
        crdi_json_put_text(w, "site", texts_of(rows, i).site);
        crdi_json_put_text(w, "name", texts_of(rows, i).label);
        for (int c = 0; c < rows.form->count; c++)
            crdi_json_put_number_or_null(w, rows.form->column[c].name, value_of(rows, i, c));
        crdi_json_close(w, '}');
    }
    crdi_json_close(w, ']');
}

/* ---- the two kinds of rows ------------------------------------------------------------------------------------ */

static struct rows summary_rows(const crdi_summary_row *rows, int64_t count)
{
    return (struct rows){&summary_form, (const char *)rows, count};
}

static struct rows diagnostic_rows(const crdi_diagnostic_row *rows, int64_t count)
{
    return (struct rows){&diagnostic_form, (const char *)rows, count};
}

static struct rows draws_rows(const crdi_summary_row *rows, int64_t count)
{
    return (struct rows){&draws_form, (const char *)rows, count};
}

static struct rows point_rows(const crdi_summary_row *rows, int64_t count)
{
    return (struct rows){&point_form, (const char *)rows, count};
}

crd_status crdi_point_text(crdi_string *out, const crdi_summary_row *rows, int64_t count, bool full)
{
    return rows_text(out, point_rows(rows, count), 0.5, full);
}

crd_status crdi_point_csv(crdi_string *out, const crdi_summary_row *rows, int64_t count)
{
    return rows_csv(out, point_rows(rows, count), NAN);
}

void crdi_point_json_rows(crdi_json_writer *w, const crdi_summary_row *rows, int64_t count)
{
    rows_json(w, point_rows(rows, count));
}

crd_status crdi_draws_text(crdi_string *out, const crdi_summary_row *rows, int64_t count, double prob, bool full)
{
    return rows_text(out, draws_rows(rows, count), prob, full);
}

crd_status crdi_draws_csv(crdi_string *out, const crdi_summary_row *rows, int64_t count, double prob)
{
    return rows_csv(out, draws_rows(rows, count), prob);
}

void crdi_draws_json_rows(crdi_json_writer *w, const crdi_summary_row *rows, int64_t count)
{
    rows_json(w, draws_rows(rows, count));
}

crd_status crdi_summary_text(crdi_string *out, const crdi_summary_row *rows, int64_t count, double prob, bool full)
{
    return rows_text(out, summary_rows(rows, count), prob, full);
}

crd_status crdi_diagnostic_text(crdi_string *out, const crdi_diagnostic_row *rows, int64_t count, double prob,
                                bool full)
{
    return rows_text(out, diagnostic_rows(rows, count), prob, full);
}

crd_status crdi_summary_csv(crdi_string *out, const crdi_summary_row *rows, int64_t count, double prob)
{
    return rows_csv(out, summary_rows(rows, count), prob);
}

crd_status crdi_diagnostic_csv(crdi_string *out, const crdi_diagnostic_row *rows, int64_t count, double prob)
{
    return rows_csv(out, diagnostic_rows(rows, count), prob);
}

void crdi_summary_json_rows(crdi_json_writer *w, const crdi_summary_row *rows, int64_t count)
{
    rows_json(w, summary_rows(rows, count));
}

void crdi_diagnostic_json_rows(crdi_json_writer *w, const crdi_diagnostic_row *rows, int64_t count)
{
    rows_json(w, diagnostic_rows(rows, count));
}

crd_status crdi_summary_json(crdi_string *out, const crdi_summary_row *rows, int64_t count, double prob)
{
    crdi_json_writer w = {.out = out};
    CRD_TRY(check_prob(out, prob));
    crdi_json_open(&w, NULL, '{');
    crdi_json_put_number(&w, "prob", prob);
    crdi_summary_json_rows(&w, rows, count);
    crdi_json_close(&w, '}');
    crdi_string_append(out, "\n");
    return out->status;
}
