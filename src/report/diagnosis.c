/* diagnosis.c - the numbers of a diagnosis: one pass over the draws, and for a network what it computes. */
#include "report/diagnosis.h"
#include "diag/diag.h"
#include "report/run_canonical.h"
#include "report/run_summary.h"
#include "store/network_fit.h"

#include <credence/diag.h>
#include <math.h>
#include <string.h>

static const int64_t MOST_NUMBERS = 4 << 20; /* draws in memory, unless one element has more */
enum { LABEL = 512, LEAST_DIVERGENCES = 5 };

struct scan {
    crdi_diagnosis *d;
    double *diverging; /* (chains, draws) of 0 and 1; NULL: unknown or too few */
    int64_t *order; /* (chains * draws) */
    int64_t *still; /* (chains): elements in which a chain hardly moves */
    int64_t moving; /* elements that change */
    double worst; /* r_hat of the decisive element whose means are kept */
    bool weights_only; /* second time: r_hat of weights in canonical form */
};

/* ---- statistics of the sampler ---------------------------------------------------------------------------------- */

static const crd_column *find_statistic(crd_run *run, const char *name)
{
    for (int c = 0; c < crd_run_column_count(run); c++) {
        const crd_column *column = crd_run_column(run, c);
        if (column->kind == CRD_COLUMN_STATISTIC && column->size == 1 && strcmp(column->name, name) == 0)
            return column;
    }
    return NULL;
}

/* All draws of a statistic, owned; NULL where the sampler has none. */
static crd_status read_statistic(const crdi_diagnosis *d, const char *name, double **out)
{
    const crd_column *column = find_statistic(d->net->run, name);
    *out = NULL;
    if (!column)
        return CRD_OK;
    *out = crdi_alloc_array(d->ctx, d->total, sizeof **out);
    if (!*out)
        return CRD_ENOMEM;
    return crdi_run_read_elements(d->ctx, d->net->run, column, &d->part, 0, 1, *out);
}

static crd_status find_energy(crdi_diagnosis *d)
{
    double *energy;
    crd_status status = read_statistic(d, "energy", &energy);
    if (status == CRD_OK && energy) {
        d->ebfmi = crdi_alloc_array(d->ctx, d->part.chains, sizeof *d->ebfmi);
        status = d->ebfmi ? CRD_OK : CRD_ENOMEM;
    }
    for (int c = 0; status == CRD_OK && energy && c < d->part.chains; c++)
        d->ebfmi[c] = crd_diag_ebfmi(energy + c * d->part.draws, d->part.draws);
    crdi_free(d->ctx, energy);
    return status;
}

static crd_status find_depth(crdi_diagnosis *d)
{
    double *depth = NULL;
    crd_status status = crdi_run_max_depth(d->net, &d->max_depth);
    if (status == CRD_OK && d->max_depth > 0)
        status = read_statistic(d, "tree_depth", &depth);
    for (int64_t i = 0; status == CRD_OK && depth && i < d->total; i++)
        d->deepest += depth[i] >= (double)d->max_depth;
    crdi_free(d->ctx, depth);
    return status;
}

static crd_status find_divergences(crdi_diagnosis *d, double **diverging)
{
    d->divergences = -1;
    CRD_TRY(read_statistic(d, "diverging", diverging));
    if (!*diverging)
        return CRD_OK;
    d->diverged = crdi_alloc_array(d->ctx, d->part.chains, sizeof *d->diverged);
    if (!d->diverged)
        return CRD_ENOMEM;
    d->divergences = 0;
    for (int c = 0; c < d->part.chains; c++) {
        d->diverged[c] = 0;
        for (int64_t i = 0; i < d->part.draws; i++)
            d->diverged[c] += (*diverging)[c * d->part.draws + i] > 0.5;
        d->divergences += d->diverged[c];
    }
    return CRD_OK;
}

/* ---- one element ------------------------------------------------------------------------------------------------ */

/* Twice the chance that a diverging draw is below another one, less 1: the Mann-Whitney statistic. */
static crd_status separate(const struct scan *s, const double *x, double *out)
{
    const crdi_diagnosis *d = s->d;
    double n = (double)d->divergences, rest = (double)(d->total - d->divergences), ranks = 0;
    *out = NAN;
    if (!s->diverging || d->divergences < LEAST_DIVERGENCES || d->divergences == d->total)
        return CRD_OK;
    CRD_TRY(crdi_diag_order(d->ctx, x, d->total, NULL, s->order));
    for (int64_t i = 0; i < d->total; i++)
        if (s->diverging[s->order[i]] > 0.5)
            ranks += (double)(i + 1);
    *out = 1 - 2 * (ranks - n * (n + 1) / 2) / (n * rest);
    return CRD_OK;
}

/* A chain stands still in an element if it varies by less than a hundredth of what the liveliest chain does. */
static void count_still(struct scan *s, const double *x)
{
    const crdi_diagnosis *d = s->d;
    double most = 0;
    for (int c = 0; c < d->part.chains; c++)
        most = fmax(most, crd_diag_sd(x + c * d->part.draws, d->part.draws));
    s->moving += most > 0;
    for (int c = 0; c < d->part.chains && most > 0; c++)
        s->still[c] += crd_diag_sd(x + c * d->part.draws, d->part.draws) < 0.01 * most;
}

static bool is_weight(const crdi_diagnosis *d, const crd_column *column)
{
    return d->net->is_network && strncmp(column->name, "net/", 4) == 0;
}

static crd_status r_hat_of(const crdi_diagnosis *d, const double *x, double *out)
{
    *out = crd_diag_split_gelman_rubin(x, d->part.chains, d->part.draws);
    return d->part.chains > 1 ? crd_diag_r_hat_rank(d->ctx, x, d->part.chains, d->part.draws, out) : CRD_OK;
}

static crd_status add_element(struct scan *s, const crd_column *column, int64_t index, const double *x)
{
    crdi_diagnosis *d = s->d;
    int chains = d->part.chains;
    int64_t draws = d->part.draws;
    char label[LABEL];
    crdi_element e = {
        .weight = is_weight(d, column), .mean = crd_diag_mean(x, d->total), .sd = crd_diag_sd(x, d->total)};
    crd_diag_spread spread = crd_diag_take_apart(x, chains, draws);
    e.between = spread.between;
    e.drift = spread.drift;
    e.label = crdi_arena_strdup(d->arena, crd_column_label(column, index, label, sizeof label));
    CRD_TRY(e.label ? CRD_OK : CRD_ENOMEM);
    CRD_TRY(r_hat_of(d, x, &e.r_hat));
    CRD_TRY(crd_diag_ess_bulk(d->ctx, x, chains, draws, &e.ess_bulk));
    CRD_TRY(crd_diag_ess_tail(d->ctx, x, chains, draws, &e.ess_tail));
    CRD_TRY(crd_diag_mcse_mean(d->ctx, x, chains, draws, &e.mcse));
    e.mcse /= e.sd;
    CRD_TRY(separate(s, x, &e.separation));
    count_still(s, x);
    d->constant += e.sd == 0;
    if (!e.weight && e.r_hat > s->worst) {
        s->worst = e.r_hat;
        for (int c = 0; c < chains; c++)
            d->mean[c] = crd_diag_mean(x + c * draws, draws);
    }
    CRD_TRY(crdi_grow(d->ctx, &d->element, &d->element_capacity, d->element_count, sizeof *d->element));
    d->element[d->element_count++] = e;
    return CRD_OK;
}

static crd_status add_weight_in_form(struct scan *s, const double *x)
{
    double r_hat;
    CRD_TRY(r_hat_of(s->d, x, &r_hat));
    s->d->weights_above[1] += r_hat > CRDI_R_HAT_BAD;
    s->d->weights_r_hat[1] = fmax(s->d->weights_r_hat[1], r_hat);
    return CRD_OK;
}

/* ---- all of them ------------------------------------------------------------------------------------------------ */

static crd_status scan_column(struct scan *s, const crd_column *column, double *work, int64_t together)
{
    const crdi_diagnosis *d = s->d;
    if (column->kind != CRD_COLUMN_LATENT || (s->weights_only && !is_weight(d, column)))
        return CRD_OK;
    for (int64_t first = 0; first < column->size; first += together) {
        int64_t count = together < column->size - first ? together : column->size - first;
        CRD_TRY(crdi_run_read_elements(d->ctx, d->net->run, column, &d->part, first, count, work));
        for (int64_t e = 0; e < count; e++)
            CRD_TRY(s->weights_only ? add_weight_in_form(s, work + e * d->total)
                                    : add_element(s, column, first + e, work + e * d->total));
    }
    return CRD_OK;
}

static crd_status scan_all(struct scan *s)
{
    const crdi_diagnosis *d = s->d;
    int64_t together = MOST_NUMBERS / d->total > 1 ? MOST_NUMBERS / d->total : 1, largest = 1;
    for (int c = 0; c < crd_run_column_count(d->net->run); c++)
        largest = crd_run_column(d->net->run, c)->size > largest ? crd_run_column(d->net->run, c)->size : largest;
    together = together < largest ? together : largest;
    double *work = crdi_alloc_array(d->ctx, together * d->total, sizeof *work);
    crd_status status = work ? CRD_OK : CRD_ENOMEM;
    for (int c = 0; c < crd_run_column_count(d->net->run) && status == CRD_OK; c++)
        status = scan_column(s, crd_run_column(d->net->run, c), work, together);
    crdi_free(d->ctx, work);
    return status;
}

/* A chain is stuck if it stands still in nine of ten elements that change. */
static void find_stuck(const struct scan *s)
{
    for (int c = 0; c < s->d->part.chains; c++)
        s->d->stuck[c] = s->moving > 0 && (double)s->still[c] >= 0.9 * (double)s->moving;
}

static void sum_up_weights(crdi_diagnosis *d)
{
    for (int64_t i = 0; i < d->element_count; i++) {
        const crdi_element *e = &d->element[i];
        if (!e->weight)
            continue;
        d->weights_above[0] += e->r_hat > CRDI_R_HAT_BAD;
        d->weights_r_hat[0] = fmax(d->weights_r_hat[0], e->r_hat); /* fmax passes over NaN */
    }
}

/* Where weights disagree as they were drawn: how much of that is names of units. */
static crd_status look_at_form(struct scan *s, crdi_network_run *net, int threads)
{
    crdi_diagnosis *d = s->d;
    sum_up_weights(d);
    d->weights_above[1] = -1;
    if (!net->is_network || !(d->weights_r_hat[0] > CRDI_R_HAT_GOOD))
        return CRD_OK;
    crd_status status = crdi_run_make_canonical(net, threads);
    if (status == CRD_EUNSUPPORTED) { /* a non-centred prior: the weights are not in the file */
        crd_error_clear(d->ctx);
        return CRD_OK;
    }
    CRD_TRY(status);
    d->weights_above[1] = 0;
    s->weights_only = true;
    return scan_all(s);
}

static crd_status scan(crdi_diagnosis *d, crdi_network_run *net, int threads)
{
    struct scan s = {.d = d};
    crd_status status = find_divergences(d, &s.diverging);
    s.order = crdi_alloc_array(d->ctx, d->total, sizeof *s.order);
    s.still = crdi_alloc_array(d->ctx, d->part.chains, sizeof *s.still);
    d->mean = crdi_alloc_array(d->ctx, d->part.chains, sizeof *d->mean);
    d->stuck = crdi_alloc_array(d->ctx, d->part.chains, sizeof *d->stuck);
    if (status == CRD_OK && !(s.order && s.still && d->mean && d->stuck))
        status = CRD_ENOMEM;
    for (int c = 0; status == CRD_OK && c < d->part.chains; c++) {
        s.still[c] = 0;
        d->mean[c] = NAN;
    }
    if (status == CRD_OK)
        status = scan_all(&s);
    if (status == CRD_OK) {
        find_stuck(&s);
        status = look_at_form(&s, net, threads);
    }
    crdi_free(d->ctx, s.diverging);
    crdi_free(d->ctx, s.order);
    crdi_free(d->ctx, s.still);
    return status;
}

static crd_status text_entry(const crdi_diagnosis *d, const char *key, char **out)
{
    if (crdi_run_has(d->net->run, key))
        return crdi_run_get_text(d->net->run, key, out);
    *out = crdi_strdup(d->ctx, "");
    return *out ? CRD_OK : CRD_ENOMEM;
}

static crd_status look(crdi_diagnosis *d, crdi_network_run *net, const crdi_function_request *function)
{
    CRD_TRY(crdi_arena_create(&d->arena, d->ctx));
    CRD_TRY(crdi_run_part_find(d->ctx, net->run, &d->part));
    CRD_TRY(text_entry(d, "method", &d->method));
    CRD_TRY(text_entry(d, "status", &d->status));
    d->total = d->part.chains * d->part.draws;
    d->warmup = -1;
    if (d->total == 0)
        return crdi_raise(d->ctx, CRD_EMISSING, "%s: holds no draws%s", net->path,
                          strcmp(d->status, "running") == 0 ? " yet" : ": the run was stopped in its warm-up");
    if (crdi_run_has(net->run, "warmup"))
        CRD_TRY(crdi_run_get_integer(net->run, "warmup", &d->warmup));
    if (crdi_run_is_laplace(net->run)) {
        d->independent = true;
        return crdi_laplace_record_read(d->ctx, net->run, &d->laplace);
    }
    d->independent = crdi_run_is_variational(net->run);
    if (d->independent)
        return crdi_variational_read(d->ctx, net->run, &d->svi);
    d->particles = crdi_method_of_particles(d->method);
    if (crdi_run_has_evidence(net->run))
        CRD_TRY(crdi_run_evidence_read(d->ctx, net->run, &d->evidence));
    CRD_TRY(crdi_batch_noise_read(net, d->method, &d->part, &d->noise));
    if (crdi_mcmc_has_energy(d->method))
        CRD_TRY(find_energy(d));
    CRD_TRY(find_depth(d));
    CRD_TRY(scan(d, net, function->threads));
    return net->is_network ? crdi_run_function_space(net, function, &d->space) : CRD_OK;
}

crd_status crdi_diagnose(crdi_network_run *net, const crdi_function_request *function, crdi_diagnosis **out)
{
    crdi_diagnosis *d = crdi_alloc(net->ctx, sizeof *d);
    if (!d)
        return CRD_ENOMEM;
    *d = (crdi_diagnosis){.ctx = net->ctx, .net = net, .divergences = -1};
    crd_status status = look(d, net, function);
    if (status == CRD_OK)
        status = crdi_diagnosis_judge(d);
    if (status < 0)
        crdi_diagnosis_destroy(&d);
    else
        *out = d;
    return status;
}

void crdi_diagnosis_destroy(crdi_diagnosis **diagnosis)
{
    if (!diagnosis || !*diagnosis)
        return;
    crdi_diagnosis *d = *diagnosis;
    crdi_arena_destroy(&d->arena);
    crdi_run_part_clear(d->ctx, &d->part);
    crdi_variational_clear(d->ctx, &d->svi);
    crd_evidence_clear(&d->evidence);
    crdi_laplace_record_clear(d->ctx, &d->laplace);
    crdi_function_space_destroy(&d->space);
    void *owned[] = {d->method, d->status, d->element, d->mean, d->stuck, d->ebfmi, d->diverged};
    for (int i = 0; i < CRDI_COUNT(owned); i++)
        crdi_free(d->ctx, owned[i]);
    crdi_free(d->ctx, d);
    *diagnosis = NULL;
}
