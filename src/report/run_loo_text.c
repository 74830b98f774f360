/* run_loo_text.c - leave-one-out of a run as text, CSV and JSON. */
#include "report/run_loo.h"
#include "report/table.h"

#include <math.h>

enum { WORST = 5 };

/* How many rows have a k_hat in (low, high]; what is not a number counts as the largest. */
static int64_t count_k(const crdi_run_loo *l, double low, double high)
{
    int64_t count = 0;
    for (int64_t i = 0; i < l->rows; i++) {
        double k = isnan(l->k_hat[i]) ? INFINITY : l->k_hat[i];
        count += (k > low || low == -INFINITY) && k <= high;
    }
    return count;
}

/* Where k_hat changes its meaning: good up to the first, hopeless from the second on. */
struct bounds {
    double good, bad;
};

static struct bounds bounds_of(const crdi_run_loo *l)
{
    return (struct bounds){crd_psis_good_k(l->draws), 1};
}

/* Rows by falling k_hat, at most WORST of them; returns how many. What is not a number is worst. */
static int find_worst(const crdi_run_loo *l, int64_t *out)
{
    int count = 0;
    for (int64_t i = 0; i < l->rows; i++) {
        double k = isnan(l->k_hat[i]) ? INFINITY : l->k_hat[i];
        int at = count < WORST ? count++ : WORST;
        for (; at > 0 && (isnan(l->k_hat[out[at - 1]]) ? INFINITY : l->k_hat[out[at - 1]]) < k; at--)
            if (at < WORST)
                out[at] = out[at - 1];
        if (at < WORST)
            out[at] = i;
    }
    return count;
}

/* ---- text ----------------------------------------------------------------------------------------------------- */

static crd_status add_estimates(crdi_string *out, crdi_arena *arena, const crdi_run_loo *l)
{
    static const char *const header[] = {"", "estimate", "se"};
    const char *cell[] = {"elpd_loo",
                          crdi_arena_printf(arena, "%.2f", l->loo.elpd),
                          crdi_arena_printf(arena, "%.2f", l->loo.se),
                          "p_loo",
                          crdi_arena_printf(arena, "%.2f", l->loo.p),
                          NULL,
                          "looic",
                          crdi_arena_printf(arena, "%.2f", -2 * l->loo.elpd),
                          crdi_arena_printf(arena, "%.2f", 2 * l->loo.se),
                          "elpd_waic",
                          crdi_arena_printf(arena, "%.2f", l->waic.elpd),
                          crdi_arena_printf(arena, "%.2f", l->waic.se),
                          "p_waic",
                          crdi_arena_printf(arena, "%.2f", l->waic.p),
                          NULL};
    return crdi_table_text(out,
                           &(crdi_table){.columns = 3, .header = header, .rows = 5, .cell = cell, .least_width = 9});
}

static void add_counts(crdi_string *out, const crdi_run_loo *l)
{
    struct bounds b = bounds_of(l);
    double n = (double)l->rows;
    int64_t good = count_k(l, -INFINITY, b.good), bad = count_k(l, b.good, b.bad), hopeless = l->rows - good - bad;
    crdi_string_append(out, "\nk_hat of the rows:\n");
    crdi_string_append(out, "  up to %.2f   good      %8lld  %5.1f %%\n", b.good, (long long)good,
                       100 * (double)good / n);
    crdi_string_append(out, "  up to 1      bad       %8lld  %5.1f %%\n", (long long)bad, 100 * (double)bad / n);
    crdi_string_append(out, "  above 1      very bad  %8lld  %5.1f %%\n", (long long)hopeless,
                       100 * (double)hopeless / n);
}

static crd_status add_worst(crdi_string *out, crdi_arena *arena, const crdi_run_loo *l)
{
    enum { MOST_TARGETS = 6, MOST_COLUMNS = 3 + MOST_TARGETS };
    int targets = l->targets < MOST_TARGETS ? (int)l->targets : MOST_TARGETS, columns = 3 + targets;
    const char *header[MOST_COLUMNS] = {"row"}, *cell[WORST * MOST_COLUMNS];
    int64_t worst[WORST];
    int count = find_worst(l, worst);
    for (int j = 0; j < targets; j++)
        header[1 + j] = l->target[j];
    header[columns - 2] = "k_hat";
    header[columns - 1] = "elpd_loo";
    for (int i = 0; i < count; i++) {
        const char **at = cell + columns * i;
        int64_t row = worst[i];
        at[0] = crdi_arena_printf(arena, "%lld", (long long)row);
        for (int j = 0; j < targets; j++)
            at[1 + j] = crdi_arena_printf(arena, "%.4g", l->y[row * l->targets + j]);
        at[columns - 2] = crdi_arena_printf(arena, "%.2f", l->k_hat[row]);
        at[columns - 1] = crdi_arena_printf(arena, "%.2f", l->elpd[row]);
    }
    crdi_string_append(out, "\nThe rows (from 0) that change the posterior most:\n");
    return crdi_table_text(
        out, &(crdi_table){.columns = columns, .header = header, .rows = count, .cell = cell, .least_width = 9});
}

static void add_notes(crdi_string *out, const crdi_run_loo *l)
{
    if (l->loo.bad > 0)
        crdi_string_append(out,
                           "note: k_hat is above %.2f in %lld of %lld rows: elpd_loo may be off there; more --draws, "
                           "or fits without these rows, would tell\n",
                           bounds_of(l).good, (long long)l->loo.bad, (long long)l->rows);
    if (l->waic.bad > 0)
        crdi_string_append(out,
                           "note: the log likelihood of %lld of %lld rows varies by more than 0.4: believe elpd_loo "
                           "rather than elpd_waic\n",
                           (long long)l->waic.bad, (long long)l->rows);
}

crd_status crdi_run_loo_text(crdi_string *out, const crdi_run_loo *l)
{
    crdi_arena *arena;
    CRD_TRY(crdi_arena_create(&arena, l->ctx));
    crdi_string_append(out, "\n");
    crd_status status = add_estimates(out, arena, l);
    add_counts(out, l);
    if (status == CRD_OK)
        status = add_worst(out, arena, l);
    crdi_string_append(out, "\n%lld rows, %lld draws of %d chain%s, relative efficiency %.2f\n", (long long)l->rows,
                       (long long)l->draws, l->chains, l->chains == 1 ? "" : "s", l->reff);
    add_notes(out, l);
    crdi_arena_destroy(&arena);
    return status < 0 ? status : out->status;
}

/* ---- CSV and JSON --------------------------------------------------------------------------------------------- */

crd_status crdi_run_loo_csv(crdi_string *out, const crdi_run_loo *l)
{
    char text[32];
    crdi_string_append(out, "row");
    for (int64_t j = 0; j < l->targets; j++) {
        crdi_string name;
        crdi_string_init(&name, l->ctx);
        crdi_string_append(&name, "y%s%s", l->targets > 1 ? "_" : "", l->targets > 1 ? l->target[j] : "");
        crdi_string_append(out, ",");
        crdi_table_csv_cell(out, crdi_string_text(&name));
        crdi_string_clear(&name);
    }
    crdi_string_append(out, ",elpd_loo,p_loo,k_hat,elpd_waic\n");
    for (int64_t i = 0; i < l->rows; i++) {
        const double value[] = {l->elpd[i], l->p[i], l->k_hat[i], l->waic_elpd[i]};
        crdi_string_append(out, "%lld", (long long)i);
        for (int64_t j = 0; j < l->targets; j++)
            crdi_string_append(out, ",%s", crdi_format_double(text, l->y[i * l->targets + j]));
        for (int k = 0; k < CRDI_COUNT(value); k++)
            crdi_string_append(out, ",%s", crdi_format_double(text, value[k]));
        crdi_string_append(out, "\n");
    }
    return out->status;
}

static void put(crdi_json_writer *w, const char *key, double value)
{
    if (isfinite(value))
        crdi_json_put_number(w, key, value);
    else
        crdi_json_put_text(w, key, NULL);
}

/* One target as a text, several as a list; so are their values below. */
static void put_targets(crdi_json_writer *w, const crdi_run_loo *l)
{
    if (l->targets == 1) {
        crdi_json_put_text(w, "target", l->target[0]);
        return;
    }
    crdi_json_open(w, "targets", '[');
    for (int64_t j = 0; j < l->targets; j++)
        crdi_json_put_text(w, NULL, l->target[j]);
    crdi_json_close(w, ']');
}

static void put_y(crdi_json_writer *w, const crdi_run_loo *l, int64_t row)
{
    if (l->targets == 1) {
        put(w, "y", l->y[row]);
        return;
    }
    crdi_json_open(w, "y", '[');
    for (int64_t j = 0; j < l->targets; j++)
        put(w, NULL, l->y[row * l->targets + j]);
    crdi_json_close(w, ']');
}

crd_status crdi_run_loo_json(crdi_string *out, const crdi_run_loo *l)
{
    crdi_json_writer w = {.out = out};
    crdi_json_open(&w, NULL, '{');
    crdi_json_put_integer(&w, "chains", l->chains);
    crdi_json_put_integer(&w, "draws", l->draws);
    put(&w, "reff", l->reff);
    put(&w, "elpd_loo", l->loo.elpd);
    put(&w, "se", l->loo.se);
    put(&w, "p_loo", l->loo.p);
    put(&w, "looic", -2 * l->loo.elpd);
    put(&w, "good_k", bounds_of(l).good);
    crdi_json_put_integer(&w, "bad_k", l->loo.bad);
    put(&w, "elpd_waic", l->waic.elpd);
    put(&w, "waic_se", l->waic.se);
    put(&w, "p_waic", l->waic.p);
    put_targets(&w, l);
    crdi_json_open(&w, "rows", '[');
    for (int64_t i = 0; i < l->rows; i++) {
        w.line = true;
        crdi_json_open(&w, NULL, '{');
        crdi_json_put_integer(&w, "row", i);
        put_y(&w, l, i);
        put(&w, "elpd_loo", l->elpd[i]);
        put(&w, "p_loo", l->p[i]);
        put(&w, "k_hat", l->k_hat[i]);
        put(&w, "elpd_waic", l->waic_elpd[i]);
        crdi_json_close(&w, '}');
    }
    crdi_json_close(&w, ']');
    crdi_json_close(&w, '}');
    crdi_string_append(out, "\n");
    return out->status;
}
