/* summary.c - the table of a posterior: one row a parameter, folded by site where there are many. */
#include "report/table.h"

#include <math.h>
#include <string.h>

enum { COLUMNS = 8 };

/* ---- text --------------------------------------------------------------------------------------------------- */

/* A number beside a standard deviation: two decimals, or as many as show three digits of a small one. Where that gets
 * too long or shows nothing, three digits and an exponent. */
static const char *beside(crdi_arena *arena, double value, double sd)
{
    int decimals = 2;
    if (sd > 0 && sd < 0.05)
        decimals = 2 - (int)floor(log10(sd));
    double size = fabs(value);
    bool lost = sd == 0 && size > 0 && size < 0.005;
    if (isfinite(value) && (decimals > 6 || size >= 1e6 || lost))
        return crdi_arena_printf(arena, value == 0 ? "%.2f" : "%.2e", value);
    return crdi_arena_printf(arena, "%.*f", decimals, value);
}

static bool fill(crdi_arena *arena, const crdi_summary_row *r, const char **cell)
{
    cell[0] = r->label;
    cell[1] = beside(arena, r->mean, r->sd);
    cell[2] = beside(arena, r->sd, r->sd);
    cell[3] = beside(arena, r->median, r->sd);
    cell[4] = beside(arena, r->low, r->sd);
    cell[5] = beside(arena, r->high, r->sd);
    cell[6] = beside(arena, r->n_eff, 1);
    cell[7] = beside(arena, r->r_hat, 1);
    for (int c = 1; c < COLUMNS; c++)
        if (!cell[c])
            return false;
    return true;
}

/* The worse of two values of a diagnostic; one that is not a number is worst, because nothing is known of it. */
static double worse(double a, double b, bool larger_is_worse)
{
    if (isnan(a) || isnan(b))
        return NAN;
    return larger_is_worse ? fmax(a, b) : fmin(a, b);
}

/* One line for rows[0 .. count-1]. */
static bool fill_folded(crdi_arena *arena, const crdi_summary_row *rows, int64_t count, const char **cell)
{
    crdi_summary_row all = rows[0];
    for (int64_t i = 1; i < count; i++) {
        all.sd = rows[i].sd > 0 && !(all.sd <= rows[i].sd && all.sd > 0) ? rows[i].sd : all.sd; /* for the digits */
        all.low = fmin(all.low, rows[i].low);
        all.high = fmax(all.high, rows[i].high);
        all.n_eff = worse(all.n_eff, rows[i].n_eff, false);
        all.r_hat = worse(all.r_hat, rows[i].r_hat, true);
    }
    all.label = crdi_arena_printf(arena, "... %lld more of %s", (long long)count, all.site);
    if (!all.label || !fill(arena, &all, cell))
        return false;
    cell[1] = cell[2] = cell[3] = NULL;
    return true;
}

/* How many rows from rows[0] on belong to its site. */
static int64_t site_length(const crdi_summary_row *rows, int64_t count)
{
    int64_t n = 1;
    while (n < count && strcmp(rows[n].site, rows[0].site) == 0)
        n++;
    return n;
}

/* Fills the cells; returns the number of lines, -1 when there is no memory. `folded` is told of any fold. */
static int64_t fill_all(crdi_arena *arena, const crdi_summary_row *rows, int64_t count, bool fold, const char **cell,
                        bool *folded)
{
    int64_t line = 0;
    for (int64_t i = 0, n; i < count; i += n) {
        n = site_length(rows + i, count - i);
        bool here = fold && n > CRDI_FOLD_SHOWN + 1; /* one row is not worth a fold: it needs a line as well */
        int64_t alone = here ? CRDI_FOLD_SHOWN : n;
        for (int64_t k = 0; k < alone; k++)
            if (!fill(arena, &rows[i + k], cell + COLUMNS * line++))
                return -1;
        if (here && !fill_folded(arena, rows + i + alone, n - alone, cell + COLUMNS * line++))
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

static crd_status table_text(crdi_string *out, crdi_arena *arena, const crdi_summary_row *rows, int64_t count,
                             double prob, bool full)
{
    bool folded = false;
    const char *header[COLUMNS] = {"", "mean", "std", "median", NULL, NULL, "n_eff", "r_hat"};
    header[4] = crdi_arena_printf(arena, "%.1f%%", 50 * (1 - prob));
    header[5] = crdi_arena_printf(arena, "%.1f%%", 50 * (1 + prob));
    const char **cell = crdi_alloc_array(out->ctx, COLUMNS * count, sizeof *cell);
    crd_status status = cell && header[4] && header[5] ? CRD_OK : CRD_ENOMEM;
    if (status == CRD_OK) {
        int64_t lines = fill_all(arena, rows, count, !full && count > CRDI_FOLD_FROM, cell, &folded);
        status =
            lines < 0
                ? CRD_ENOMEM
                : crdi_table_text(
                      out, &(crdi_table){
                               .columns = COLUMNS, .header = header, .rows = lines, .cell = cell, .least_width = 9});
    }
    if (folded)
        crdi_string_append(out, "\n'... more' stands for rows not shown: lowest, highest, least n_eff, greatest r_hat; "
                                "--full shows all\n");
    crdi_free(out->ctx, cell);
    return status < 0 ? status : out->status;
}

crd_status crdi_summary_text(crdi_string *out, const crdi_summary_row *rows, int64_t count, double prob, bool full)
{
    crdi_arena *arena;
    CRD_TRY(check_prob(out, prob));
    CRD_TRY(crdi_arena_create(&arena, out->ctx));
    crd_status status = table_text(out, arena, rows, count, prob, full);
    crdi_arena_destroy(&arena);
    return status;
}

/* ---- CSV and JSON ------------------------------------------------------------------------------------------- */

static void numbers(const crdi_summary_row *r, double out[7])
{
    memcpy(out, (const double[]){r->mean, r->sd, r->median, r->low, r->high, r->n_eff, r->r_hat}, 7 * sizeof *out);
}

crd_status crdi_summary_csv(crdi_string *out, const crdi_summary_row *rows, int64_t count, double prob)
{
    CRD_TRY(check_prob(out, prob));
    crdi_string_append(out, "name,mean,std,median,low,high,n_eff,r_hat,prob\n");
    for (int64_t i = 0; i < count; i++) {
        char text[32];
        double value[7];
        numbers(&rows[i], value);
        crdi_table_csv_cell(out, rows[i].label);
        for (int k = 0; k < 7; k++)
            crdi_string_append(out, ",%s", crdi_format_double(text, value[k]));
        crdi_string_append(out, ",%s\n", crdi_format_double(text, prob));
    }
    return out->status;
}

static void put_number_or_null(crdi_json_writer *w, const char *key, double value)
{
    if (isfinite(value))
        crdi_json_put_number(w, key, value);
    else
        crdi_json_put_text(w, key, NULL);
}

void crdi_summary_json_rows(crdi_json_writer *w, const crdi_summary_row *rows, int64_t count)
{
    static const char *const name[7] = {"mean", "std", "median", "low", "high", "n_eff", "r_hat"};
    crdi_json_open(w, "rows", '[');
    for (int64_t i = 0; i < count; i++) {
        double value[7];
        numbers(&rows[i], value);
        w->line = true;
        crdi_json_open(w, NULL, '{');
        crdi_json_put_text(w, "site", rows[i].site);
        crdi_json_put_text(w, "name", rows[i].label);
        for (int k = 0; k < 7; k++)
            put_number_or_null(w, name[k], value[k]);
        crdi_json_close(w, '}');
    }
    crdi_json_close(w, ']');
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
