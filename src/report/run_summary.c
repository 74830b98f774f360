/* run_summary.c - the summary of a run file, read element by element so that its size does not matter. */
#include "report/run_summary.h"
#include "report/run_ending.h"
#include "report/run_site.h"
#include "store/json.h"
#include "store/run_resumable.h"

#include <credence/diag.h>
#include <math.h>
#include <string.h>

static const int64_t MOST_NUMBERS = 2 << 20; /* draws in memory, unless one element has more */

/* ---- rows --------------------------------------------------------------------------------------------------- */

static bool wanted(const crd_column *column, const char *label, const char *site)
{
    if (column->kind == CRD_COLUMN_STATISTIC || !site)
        return column->kind == CRD_COLUMN_LATENT;
    return crdi_run_site_is(site, column, label);
}

/* The row of the same place among the diagnostics. */
static crd_status add_diagnostics(crdi_run_summary *s, const crdi_summary_row *row, const double *draws)
{
    int chains = s->part.chains;
    int64_t n = s->part.draws;
    crdi_diagnostic_row d = {
        .site = row->site, .label = row->label, .mean = row->mean, .sd = row->sd, .low = row->low, .high = row->high};
    CRD_TRY(crdi_grow(s->ctx, &s->diagnostic, &s->diagnostic_capacity, s->count - 1, sizeof *s->diagnostic));
    if (s->svi.point) { /* members of an ensemble are no draws of anything: they are not worth so and so many */
        d.mcse_mean = d.mcse_sd = d.ess_bulk = d.ess_tail = d.r_hat = NAN;
        s->diagnostic[s->count - 1] = d;
        return CRD_OK;
    }
    CRD_TRY(crd_diag_mcse_mean(s->ctx, draws, chains, n, &d.mcse_mean));
    CRD_TRY(crd_diag_mcse_sd(s->ctx, draws, chains, n, &d.mcse_sd));
    CRD_TRY(crd_diag_ess_bulk(s->ctx, draws, chains, n, &d.ess_bulk));
    CRD_TRY(crd_diag_ess_tail(s->ctx, draws, chains, n, &d.ess_tail));
    CRD_TRY(crd_diag_r_hat_rank(s->ctx, draws, chains, n, &d.r_hat));
    s->diagnostic[s->count - 1] = d;
    return CRD_OK;
}

static crd_status add_row(crdi_run_summary *s, const crd_column *column, const char *label, const double *draws)
{
    crd_diag_summary d;
    CRD_TRY(crd_diag_summarise(s->ctx, draws, s->part.chains, s->part.draws, s->prob, &d));
    CRD_TRY(crdi_grow(s->ctx, &s->row, &s->capacity, s->count, sizeof *s->row));
    crdi_summary_row *row = &s->row[s->count++];
    *row = (crdi_summary_row){.site = crdi_arena_strdup(s->arena, column->name),
                              .label = crdi_arena_strdup(s->arena, label),
                              .mean = d.mean,
                              .sd = d.sd,
                              .median = d.median,
                              .low = d.low,
                              .high = d.high,
                              .n_eff = d.n_eff,
                              .r_hat = d.r_hat};
    if (!row->site || !row->label)
        return CRD_ENOMEM;
    return s->diagnostics ? add_diagnostics(s, row, draws) : CRD_OK;
}

/* Elements first .. first + count - 1 of a column; those that are wanted become rows. */
static crd_status add_elements(crdi_run_summary *s, crd_run *run, const crd_column *column, int64_t first,
                               int64_t count, const char *site, double *work)
{
    enum { LABEL = 512 };
    char label[LABEL];
    int64_t n = s->part.chains * s->part.draws, matching = 0;
    for (int64_t e = first; e < first + count; e++)
        matching += wanted(column, crd_column_label(column, e, label, sizeof label), site);
    if (matching == 0)
        return CRD_OK;
    CRD_TRY(crdi_run_read_elements(s->ctx, run, column, &s->part, first, count, work));
    for (int64_t e = first; e < first + count; e++)
        if (wanted(column, crd_column_label(column, e, label, sizeof label), site))
            CRD_TRY(add_row(s, column, label, work + (e - first) * n));
    return CRD_OK;
}

static crd_status add_rows(crdi_run_summary *s, crd_run *run, const char *site)
{
    int64_t n = s->part.chains * s->part.draws, together = MOST_NUMBERS / n > 1 ? MOST_NUMBERS / n : 1, largest = 1;
    for (int c = 0; c < crd_run_column_count(run); c++)
        if (crd_run_column(run, c)->size > largest)
            largest = crd_run_column(run, c)->size;
    together = together < largest ? together : largest;
    double *work = crdi_alloc_array(s->ctx, together * n, sizeof *work);
    crd_status status = work ? CRD_OK : CRD_ENOMEM;
    for (int c = 0; c < crd_run_column_count(run); c++) {
        const crd_column *column = crd_run_column(run, c);
        for (int64_t e = 0; e < column->size && status == CRD_OK; e += together) {
            int64_t count = together < column->size - e ? together : column->size - e;
            status = add_elements(s, run, column, e, count, site, work);
        }
    }
    crdi_free(s->ctx, work);
    return status;
}

static const crd_column *find_statistic(crd_run *run, const char *name)
{
    for (int c = 0; c < crd_run_column_count(run); c++)
        if (strcmp(crd_run_column(run, c)->name, name) == 0 && crd_run_column(run, c)->size == 1)
            return crd_run_column(run, c);
    return NULL;
}

/* How many draws have a statistic of at least `least`; -1 if the sampler has none of that name. */
static crd_status count_draws(crdi_run_summary *s, crd_run *run, const char *name, double least, int64_t *out)
{
    const crd_column *column = find_statistic(run, name);
    *out = -1;
    if (!column)
        return CRD_OK;
    int64_t n = s->part.chains * s->part.draws, count = 0;
    double *draws = crdi_alloc_array(s->ctx, n, sizeof *draws);
    crd_status status = draws ? crdi_run_read_elements(s->ctx, run, column, &s->part, 0, 1, draws) : CRD_ENOMEM;
    for (int64_t i = 0; i < n && status == CRD_OK; i++)
        count += draws[i] >= least;
    crdi_free(s->ctx, draws);
    if (status == CRD_OK)
        *out = count;
    return status;
}

static crd_status find_ebfmi(crdi_run_summary *s, crd_run *run)
{
    const crd_column *column = find_statistic(run, "energy");
    if (!column || !s->diagnostics || !crdi_mcmc_has_energy(s->method))
        return CRD_OK;
    double *energy = crdi_alloc_array(s->ctx, s->part.chains * s->part.draws, sizeof *energy);
    s->ebfmi = crdi_alloc_array(s->ctx, s->part.chains, sizeof *s->ebfmi);
    crd_status status = CRD_ENOMEM;
    if (energy && s->ebfmi)
        status = crdi_run_read_elements(s->ctx, run, column, &s->part, 0, 1, energy);
    for (int c = 0; c < s->part.chains && status == CRD_OK; c++)
        s->ebfmi[c] = crd_diag_ebfmi(energy + c * s->part.draws, s->part.draws);
    crdi_free(s->ctx, energy);
    return status;
}

crd_status crdi_run_max_depth(const crdi_network_run *net, int64_t *out)
{
    enum { DEEPEST = 60 };
    char *text;
    crdi_json *json = NULL;
    *out = 0;
    if (!crdi_run_has(net->run, "options"))
        return CRD_OK;
    CRD_TRY(crdi_run_get_text(net->run, "options", &text));
    crd_status status = crdi_json_parse(net->ctx, "options", text, &json);
    crdi_free(net->ctx, text);
    if (status == CRD_OK && crdi_json_get(json, "max_depth"))
        status = crdi_json_need_integer(net->ctx, "options", json, "max_depth", out);
    crdi_json_destroy(&json);
    if (*out < 1 || *out > DEEPEST)
        *out = 0; /* no run of ours says so */
    return status < 0 ? crdi_error_prefix(net->ctx, status, "%s", net->path) : CRD_OK;
}

static crd_status count_trouble(crdi_run_summary *s, const crdi_network_run *net)
{
    crd_run *run = net->run;
    CRD_TRY(count_draws(s, run, "diverging", 0.5, &s->divergences));
    CRD_TRY(crdi_run_max_depth(net, &s->max_depth));
    return s->max_depth ? count_draws(s, run, "tree_depth", (double)s->max_depth, &s->deepest) : CRD_OK;
}

/* ---- what is worst ------------------------------------------------------------------------------------------ */

static bool worse(double a, double b, bool larger)
{
    if (isnan(b))
        return false;
    return isnan(a) || (larger ? a > b : a < b);
}

static void find_worst(crdi_run_summary *s)
{
    if (s->independent)
        return;
    for (int64_t i = 0; i < s->count; i++) {
        if (!s->worst_r_hat || worse(s->row[i].r_hat, s->worst_r_hat->r_hat, true))
            s->worst_r_hat = &s->row[i];
        if (!s->smallest_n_eff || worse(s->row[i].n_eff, s->smallest_n_eff->n_eff, false))
            s->smallest_n_eff = &s->row[i];
    }
}

/* ---- the whole ---------------------------------------------------------------------------------------------- */

static crd_status text_entry(crdi_run_summary *s, crd_run *run, const char *key, char **out)
{
    if (crdi_run_has(run, key))
        return crdi_run_get_text(run, key, out);
    *out = crdi_strdup(s->ctx, "");
    return *out ? CRD_OK : CRD_ENOMEM;
}

static crd_status describe_ending(crdi_run_summary *s, crd_run *run)
{
    char *reason, *rule;
    crdi_string text;
    crdi_string_init(&text, s->ctx);
    crd_status status = crdi_run_ending(&text, run);
    s->ending = crdi_strdup(s->ctx, crdi_string_text(&text));
    crdi_string_clear(&text);
    CRD_TRY(status < 0 ? status : s->ending ? CRD_OK : CRD_ENOMEM);
    CRD_TRY(text_entry(s, run, "stop_reason", &reason));
    status = text_entry(s, run, "stop_rule", &rule);
    s->f_agrees = status == CRD_OK && strcmp(reason, "rule") == 0 && strstr(rule, "of=f");
    if (status == CRD_OK)
        crdi_free(s->ctx, rule);
    crdi_free(s->ctx, reason);
    return status;
}

static crd_status describe(crdi_run_summary *s, crdi_network_run *net)
{
    s->warmup = -1;
    if (crdi_run_has(net->run, "warmup"))
        CRD_TRY(crdi_run_get_integer(net->run, "warmup", &s->warmup));
    CRD_TRY(text_entry(s, net->run, "method", &s->method));
    CRD_TRY(text_entry(s, net->run, "status", &s->status));
    s->killed = strcmp(s->status, "running") == 0 && !crdi_run_is_written(net->path);
    CRD_TRY(text_entry(s, net->run, "plan", &s->plan));
    CRD_TRY(text_entry(s, net->run, "plan_rule", &s->plan_rule));
    CRD_TRY(describe_ending(s, net->run));
    s->independent = crdi_run_is_variational(net->run);
    if (s->independent)
        CRD_TRY(crdi_variational_read(s->ctx, net->run, &s->svi));
    if (crdi_run_is_laplace(net->run)) {
        s->independent = true;
        CRD_TRY(crdi_laplace_record_read(s->ctx, net->run, &s->laplace));
    }
    CRD_TRY(crdi_run_starts_read(s->ctx, net->run, &s->starts));
    if (crdi_run_has_evidence(net->run))
        CRD_TRY(crdi_run_evidence_read(s->ctx, net->run, &s->evidence));
    if (!net->is_network)
        return CRD_OK;
    s->scaled = net->recipe->scale == CRD_SCALE_STANDARD;
    s->single = net->network.precision == CRD_SINGLE;
    s->hidden_units = net->is_network && net->network.hidden && strcmp(net->network.hidden, "none") != 0;
    s->target_scaled = s->scaled && net->recipe->target_kind == CRD_TARGET_NUMBER;
    const crd_recipe *recipe = net->recipe;
    s->target = crdi_arena_alloc(s->arena, (size_t)recipe->target_count * sizeof *s->target);
    if (!s->target)
        return CRD_ENOMEM;
    for (int64_t j = 0; j < recipe->target_count; j++) {
        s->target[j].name = crdi_arena_strdup(s->arena, recipe->targets[j].name);
        s->target[j].sd = recipe->targets[j].sd;
        if (!s->target[j].name)
            return CRD_ENOMEM;
    }
    s->target_count = recipe->target_count;
    return CRD_OK;
}

static crd_status make(crdi_run_summary *s, crdi_network_run *net, const char *site)
{
    CRD_TRY(crdi_arena_create(&s->arena, s->ctx));
    s->chains = crd_run_chains(net->run);
    CRD_TRY(crdi_run_part_find(s->ctx, net->run, &s->part));
    CRD_TRY(describe(s, net));
    if (s->part.draws == 0)
        return crdi_raise(s->ctx, CRD_EMISSING, "%s: holds no draws%s", net->path,
                          strcmp(s->status, "running") == 0 && !s->killed ? " yet"
                                                                          : ": the run was stopped in its warm-up");
    CRD_TRY(add_rows(s, net->run, site));
    CRD_TRY(count_trouble(s, net));
    CRD_TRY(crdi_batch_noise_read(net, s->method, &s->part, &s->noise));
    CRD_TRY(find_ebfmi(s, net->run));
    if (s->count == 0 && site)
        return crdi_run_raise_unknown_site(net, site);
    find_worst(s);
    return crdi_run_failure_of(net->run);
}

static crd_status summarise(crdi_network_run *net, const char *site, double prob, bool diagnostics,
                            crdi_run_summary **out)
{
    crdi_run_summary *s = crdi_alloc(net->ctx, sizeof *s);
    if (!s)
        return CRD_ENOMEM;
    s->ctx = net->ctx;
    s->prob = prob;
    s->diagnostics = diagnostics;
    crd_status status = make(s, net, site);
    if (status < 0)
        crdi_run_summary_destroy(&s);
    else
        *out = s;
    return status;
}

crd_status crdi_run_summary_make(crdi_network_run *net, const char *site, double prob, crdi_run_summary **out)
{
    return summarise(net, site, prob, false, out);
}

crd_status crdi_run_diagnostics_make(crdi_network_run *net, const char *site, double prob, crdi_run_summary **out)
{
    return summarise(net, site, prob, true, out);
}

void crdi_run_summary_destroy(crdi_run_summary **summary)
{
    if (!summary || !*summary)
        return;
    crdi_run_summary *s = *summary;
    crdi_arena_destroy(&s->arena);
    crdi_run_part_clear(s->ctx, &s->part);
    crdi_variational_clear(s->ctx, &s->svi);
    crdi_laplace_record_clear(s->ctx, &s->laplace);
    crd_evidence_clear(&s->evidence);
    crdi_run_starts_clear(&s->starts);
    crdi_free(s->ctx, s->row);
    crdi_free(s->ctx, s->diagnostic);
    crdi_free(s->ctx, s->ebfmi);
    crdi_free(s->ctx, s->method);
    crdi_free(s->ctx, s->status);
    crdi_free(s->ctx, s->plan);
    crdi_free(s->ctx, s->plan_rule);
    crdi_free(s->ctx, s->ending);
    crdi_free(s->ctx, s);
    *summary = NULL;
}
