/* run_chains.c - see run_chains.h. */
#include "report/run_chains.h"
#include "report/run_likelihood.h"
#include "report/table.h"
#include "store/json.h"

#include <math.h>
#include <string.h>

struct work {
    crdi_run_chains *out;
    double reff;
};

static crd_status one_row(void *user, int64_t row, int64_t draws, double *log_likelihood)
{
    const struct work *w = user;
    crdi_run_chains *out = w->out;
    crd_elpd loo;
    (void)draws;
    for (int c = 0; c < out->chains; c++) {
        int64_t at = c * out->rows + row;
        CRD_TRY(
            crd_loo(out->ctx, log_likelihood + c * out->draws, out->draws, 1, w->reff, NULL, &out->k_hat[at], &loo));
        out->elpd[at] = loo.elpd;
    }
    return CRD_OK;
}

/* The sum over rows of log sum_c w_c exp(elpd_c). weight by place in `chain`; NULL: equal ones. */
static double mixed(const crdi_run_chains *s, const double *weight)
{
    double sum = 0;
    for (int64_t i = 0; i < s->rows; i++) {
        double most = -INFINITY, density = 0;
        for (int c = 0; c < s->chains; c++)
            most = fmax(most, s->elpd[c * s->rows + i]);
        for (int c = 0; c < s->chains; c++)
            density += (weight ? weight[c] : 1. / s->chains) * exp(s->elpd[c * s->rows + i] - most);
        sum += most + log(density);
    }
    return sum;
}

static crd_status compare(crdi_run_chains *s)
{
    double *weight = crdi_alloc_array(s->ctx, s->chains, sizeof *weight), good = crd_psis_good_k(s->draws);
    crd_status status = weight ? crd_elpd_compare(s->ctx, s->elpd, s->chains, s->rows, s->row) : CRD_ENOMEM;
    if (status == CRD_OK) {
        for (int c = 0; c < s->chains; c++)
            weight[s->row[c].model] = s->row[c].weight;
        s->stacked = mixed(s, weight);
        s->equal = mixed(s, NULL);
        for (int c = 0; c < s->chains; c++)
            for (int64_t i = 0; i < s->rows; i++)
                s->bad[c] += !(s->k_hat[c * s->rows + i] <= good);
    }
    crdi_free(s->ctx, weight);
    return status;
}

static crd_status prepare(crdi_run_chains *s, const crdi_network_run *net)
{
    crdi_run_part part;
    CRD_TRY(crdi_run_part_find(s->ctx, net->run, &part));
    s->chains = part.chains;
    s->chain = part.chain;
    s->draws = part.draws;
    s->rows = net->y.shape.dim[0];
    if (s->draws == 0)
        return crdi_raise(s->ctx, CRD_EMISSING, "%s: holds no draws", net->path);
    if (s->chains == 1)
        return crdi_raise(s->ctx, CRD_EMISSING, "%s: has one chain only: there is nothing to weigh it against",
                          net->path);
    s->path = crdi_strdup(s->ctx, net->path);
    s->elpd = crdi_alloc_array(s->ctx, s->chains * s->rows, sizeof *s->elpd);
    s->k_hat = crdi_alloc_array(s->ctx, s->chains * s->rows, sizeof *s->k_hat);
    s->bad = crdi_alloc_array(s->ctx, s->chains, sizeof *s->bad);
    s->row = crdi_alloc_array(s->ctx, s->chains, sizeof *s->row);
    if (!s->path || !s->elpd || !s->k_hat || !s->bad || !s->row)
        return CRD_ENOMEM;
    memset(s->bad, 0, (size_t)s->chains * sizeof *s->bad);
    return CRD_OK;
}

crd_status crdi_run_chains_make(const crdi_network_run *net, double reff, int threads, crdi_run_chains **out)
{
    CRD_TRY(crdi_network_run_need(net, "log likelihoods"));
    crdi_run_chains *s = crdi_alloc(net->ctx, sizeof *s);
    if (!s)
        return CRD_ENOMEM;
    *s = (crdi_run_chains){.ctx = net->ctx};
    struct work w = {s, reff > 0 ? reff : 1};
    crd_status status = prepare(s, net);
    if (status == CRD_OK)
        status = crdi_run_log_likelihood(net, threads, 0, s->rows, one_row, &w);
    if (status == CRD_OK)
        status = compare(s);
    if (status < 0)
        crdi_run_chains_destroy(&s);
    else
        *out = s;
    return status;
}

void crdi_run_chains_destroy(crdi_run_chains **chains)
{
    if (!chains || !*chains)
        return;
    crdi_run_chains *s = *chains;
    void *owned[] = {s->path, s->chain, s->elpd, s->k_hat, s->bad, s->row};
    for (int i = 0; i < CRDI_COUNT(owned); i++)
        crdi_free(s->ctx, owned[i]);
    crdi_free(s->ctx, s);
    *chains = NULL;
}

/* ---- tables ----------------------------------------------------------------------------------------------------- */

enum { NUMBERS = 5 };
static const char *const name[NUMBERS] = {"elpd_loo", "se", "elpd_diff", "diff_se", "weight"};

static void numbers(const crd_comparison *row, double out[NUMBERS])
{
    memcpy(out, (const double[NUMBERS]){row->elpd, row->se, row->difference, row->difference_se, row->weight},
           NUMBERS * sizeof *out);
}

static crd_status table_text(crdi_string *out, crdi_arena *arena, const crdi_run_chains *s)
{
    enum { COLUMNS = NUMBERS + 2 };
    static const char *const header[COLUMNS] = {"chain", "elpd_loo", "se", "diff", "diff_se", "weight", "bad_k"};
    const char **cell = crdi_arena_alloc(arena, (size_t)s->chains * COLUMNS * sizeof *cell);
    if (!cell)
        return CRD_ENOMEM;
    for (int c = 0; c < s->chains; c++) {
        double value[NUMBERS];
        numbers(&s->row[c], value);
        cell[COLUMNS * c] = crdi_arena_printf(arena, "%d", s->chain[s->row[c].model]);
        for (int k = 0; k < NUMBERS; k++)
            cell[COLUMNS * c + 1 + k] = crdi_arena_printf(arena, "%.2f", value[k]);
        cell[COLUMNS * c + COLUMNS - 1] = crdi_arena_printf(arena, "%lld", (long long)s->bad[s->row[c].model]);
    }
    return crdi_table_text(
        out, &(crdi_table){.columns = COLUMNS, .header = header, .rows = s->chains, .cell = cell, .least_width = 9});
}

crd_status crdi_run_chains_text(crdi_string *out, const crdi_run_chains *s)
{
    crdi_arena *arena;
    CRD_TRY(crdi_arena_create(&arena, s->ctx));
    crdi_string_append(out, "\n");
    crd_status status = table_text(out, arena, s);
    crdi_arena_destroy(&arena);
    CRD_TRY(status);
    crdi_string_append(out, "\nelpd_loo of the chains mixed by these weights: %.2f; by equal ones: %.2f\n", s->stacked,
                       s->equal);
    crdi_string_append(out, "%lld rows, %lld draws a chain\n", (long long)s->rows, (long long)s->draws);
    if (s->stacked - s->equal < 4)
        crdi_string_append(out, "note: that is a gain of less than 4: equal weights predict about as well\n");
    for (int c = 0; c < s->chains; c++)
        if (s->bad[c] > 0) {
            crdi_string_append(out, "note: k_hat is too large in some rows: their elpd_loo may be off\n");
            break;
        }
    return out->status;
}

crd_status crdi_run_chains_csv(crdi_string *out, const crdi_run_chains *s)
{
    char text[32];
    crdi_string_append(out, "chain");
    for (int k = 0; k < NUMBERS; k++)
        crdi_string_append(out, ",%s", name[k]);
    crdi_string_append(out, ",bad_k\n");
    for (int c = 0; c < s->chains; c++) {
        double value[NUMBERS];
        numbers(&s->row[c], value);
        crdi_string_append(out, "%d", s->chain[s->row[c].model]);
        for (int k = 0; k < NUMBERS; k++)
            crdi_string_append(out, ",%s", crdi_format_double(text, value[k]));
        crdi_string_append(out, ",%lld\n", (long long)s->bad[s->row[c].model]);
    }
    return out->status;
}

crd_status crdi_run_chains_json(crdi_string *out, const crdi_run_chains *s)
{
    crdi_json_writer w = {.out = out};
    crdi_json_open(&w, NULL, '{');
    crdi_json_put_text(&w, "run", s->path);
    crdi_json_put_integer(&w, "rows", s->rows);
    crdi_json_put_integer(&w, "draws", s->draws);
    crdi_json_put_number_or_null(&w, "elpd_stacked", s->stacked);
    crdi_json_put_number_or_null(&w, "elpd_equal", s->equal);
    crdi_json_open(&w, "chains", '[');
    for (int c = 0; c < s->chains; c++) {
        double value[NUMBERS];
        int place = s->row[c].model;
        numbers(&s->row[c], value);
        w.line = true;
        crdi_json_open(&w, NULL, '{');
        crdi_json_put_integer(&w, "chain", s->chain[place]);
        for (int k = 0; k < NUMBERS; k++)
            crdi_json_put_number_or_null(&w, name[k], value[k]);
        crdi_json_put_integer(&w, "bad_k", s->bad[place]);
        crdi_json_open(&w, "k_hat", '[');
        for (int64_t i = 0; i < s->rows; i++)
            crdi_json_put_number_or_null(&w, NULL, s->k_hat[place * s->rows + i]);
        crdi_json_close(&w, ']');
        crdi_json_close(&w, '}');
    }
    crdi_json_close(&w, ']');
    crdi_json_close(&w, '}');
    crdi_string_append(out, "\n");
    return out->status;
}
