/* run_report_draws.c - how the draws came about and what they are: diagnostics, and the table of parameters. */
#include "report/run_report_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const crdi_run_figure_options usual = {.quiet = true};

/* ---- chains ------------------------------------------------------------------------------------------------------ */

static double *room(struct report *r, int64_t count)
{
    return crdi_arena_alloc(r->arena, (size_t)(count + 1) * sizeof(double));
}

static crd_status add_chains(struct report *r)
{
    const crdi_diagnosis *d = r->diagnosis;
    int chains = d->part.chains;
    double *chain = room(r, chains), *draws = room(r, chains), *diverged = room(r, chains);
    const char **moves = crdi_arena_alloc(r->arena, (size_t)chains * sizeof *moves);
    if (!chain || !draws || !diverged || !moves)
        return CRD_ENOMEM;
    for (int c = 0; c < chains; c++) {
        chain[c] = d->part.chain[c];
        draws[c] = (double)r->drawn[d->part.chain[c]];
        diverged[c] = d->diverged ? (double)d->diverged[c] : NAN;
        moves[c] = d->stuck && d->stuck[c] ? "no: it is stuck" : "yes";
    }
    crdi_html_column columns[5] = {{.name = "chain", .value = chain, .decimals = 0},
                                   {.name = "draws", .value = draws, .decimals = 0},
                                   {.name = "moves", .text = moves}};
    int count = 3;
    if (d->diverged)
        columns[count++] = (crdi_html_column){.name = "divergences", .value = diverged, .decimals = 0};
    if (d->ebfmi)
        columns[count++] = (crdi_html_column){
            .name = "E-BFMI", .about = "how well its energy moves; good from 0.3", .value = d->ebfmi, .decimals = 2};
    crdi_html_table_add(&r->html,
                        &(crdi_html_table){.caption = "Chains", .columns = count, .column = columns, .rows = chains});
    return CRD_OK;
}

/* ---- function space ------------------------------------------------------------------------------------------------ */

struct space_table {
    const char **group, **at;
    double *value[6];
};

static crd_status fill_space(struct report *r, const struct space_table *t)
{
    static const char *const names[] = {[CRDI_F_AT_DATA] = "f at rows of the fit",
                                        [CRDI_F_OUTSIDE] = "f outside the data",
                                        [CRDI_LIKELIHOOD] = "log likelihood of rows"};
    const crdi_function_space *space = r->diagnosis->space;
    int64_t at = 0;
    for (int k = 0; k < CRDI_FUNCTION_PLACES; k++)
        for (int64_t i = 0; i < space->part[k].count; i++, at++) {
            const crdi_function_number *n = &space->part[k].number[i];
            crdi_string where;
            crdi_string_init(&where, r->ctx);
            crdi_function_where(&where, r->again, space, (crdi_function_place)k, n, 3);
            t->group[at] = names[k];
            t->at[at] = where.status == CRD_OK ? crdi_arena_strdup(r->arena, crdi_string_text(&where)) : NULL;
            crdi_string_clear(&where);
            if (!t->at[at])
                return CRD_ENOMEM;
            const double values[] = {n->sd, n->r_hat, n->ess_bulk, n->ess_tail, 100 * n->between, 100 * n->drift};
            for (int v = 0; v < CRDI_COUNT(values); v++)
                t->value[v][at] = values[v];
        }
    return CRD_OK;
}

static crd_status add_space(struct report *r)
{
    const crdi_function_space *space = r->diagnosis->space;
    struct space_table t;
    int64_t rows = 0;
    if (!space)
        return CRD_OK;
    for (int k = 0; k < CRDI_FUNCTION_PLACES; k++)
        rows += space->part[k].count;
    t.group = crdi_arena_alloc(r->arena, (size_t)(rows + 1) * sizeof *t.group);
    t.at = crdi_arena_alloc(r->arena, (size_t)(rows + 1) * sizeof *t.at);
    bool good = t.group && t.at;
    for (int v = 0; v < CRDI_COUNT(t.value); v++)
        good = (t.value[v] = room(r, rows)) && good;
    CRD_TRY(good ? CRD_OK : CRD_ENOMEM);
    CRD_TRY(fill_space(r, &t));
    const crdi_html_column columns[] = {{.name = "at", .text = t.at},
                                        {.name = "sd", .about = "over all draws", .value = t.value[0], .decimals = -1},
                                        {.name = "r_hat", .value = t.value[1], .decimals = 3, .worst = '>'},
                                        {.name = "ess bulk", .value = t.value[2], .decimals = 0, .worst = '<'},
                                        {.name = "ess tail", .value = t.value[3], .decimals = 0, .worst = '<'},
                                        {.name = "% between",
                                         .about = "of the variance, between chains",
                                         .value = t.value[4],
                                         .decimals = 2,
                                         .worst = '>'},
                                        {.name = "% drift",
                                         .about = "of the variance, within chains",
                                         .value = t.value[5],
                                         .decimals = 2,
                                         .worst = '>'}};
    crdi_html_table_add(&r->html, &(crdi_html_table){.caption = "What the network says: agreement of the chains on f",
                                                     .columns = CRDI_COUNT(columns),
                                                     .column = columns,
                                                     .rows = rows,
                                                     .group = t.group});
    return CRD_OK;
}

/* ---- figures ------------------------------------------------------------------------------------------------------ */

static bool is_worse(const struct report *r, int64_t a, int64_t b)
{
    double x = r->quality[a].r_hat, y = r->quality[b].r_hat;
    return (isnan(x) ? -1 : x) > (isnan(y) ? -1 : y);
}

/* The traces of what mixed worst, where something did not. */
static crd_status add_worst(struct report *r)
{
    enum { SHOWN = 4 };
    const crdi_run_summary *s = r->summary;
    int64_t worst[SHOWN];
    int count = 0;
    if (r->diagnosis->state == CRDI_HOLDS)
        return CRD_OK;
    for (int64_t i = 0; i < s->count; i++) {
        if (!(r->quality[i].r_hat > CRDI_R_HAT_GOOD))
            continue;
        int at = count < SHOWN ? count++ : SHOWN;
        for (; at > 0 && is_worse(r, i, worst[at - 1]); at--)
            if (at < SHOWN)
                worst[at] = worst[at - 1];
        if (at < SHOWN)
            worst[at] = i;
    }
    const char *site[SHOWN];
    for (int k = 0; k < count; k++)
        site[k] = r->quality[worst[k]].label;
    if (count == 0)
        return CRD_OK;
    crdi_run_figure_options options = usual;
    options.site = site;
    options.site_count = count;
    return crdi_report_figure(r, "trace", &options, "The parameters with the largest r_hat",
                              "Where chains stay apart they have not found the same distribution.");
}

/* The row with the largest r_hat, the first where none is a number; of at least one. */
static const crdi_summary_row *worst_of(const struct report *r)
{
    const crdi_run_summary *s = r->summary;
    int64_t worst = 0;
    for (int64_t i = 1; i < s->count; i++)
        worst = is_worse(r, i, worst) ? i : worst;
    return &s->row[worst];
}

enum { MOST_CHAINS = 64 };

static crd_status add_chain_figures(struct report *r)
{
    crdi_run_figure_options shown = usual;
    const char *one = r->summary->count > 0 ? worst_of(r)->label : NULL;
    bool many = one && r->part.chains > MOST_CHAINS; /* then a curve a chain and parameter is more than a page holds */
    if (many) {
        shown.site = &one;
        shown.site_count = 1;
        crdi_report_note(
            r, "There are many chains: traces and autocorrelation show the parameter with the largest r_hat alone.");
    }
    CRD_TRY(crdi_report_figure(
        r, "trace", &shown, many ? "Trace of the parameter that mixed worst" : "Traces of a handful of parameters",
        "Draws, chain after chain; their density; and how often each chain has which rank. Chains that agree look "
        "alike, and their ranks are level."));
    if (!many)
        CRD_TRY(add_worst(r));
    if (r->part.draws >= 4)
        CRD_TRY(
            crdi_report_figure(r, "autocorrelation", &shown, "Autocorrelation",
                               "How long the draws of each chain remember: what falls to zero at once is worth most."));
    if (r->diagnosis->ebfmi && r->part.draws >= 4)
        CRD_TRY(crdi_report_figure(
            r, "energy", &usual, "Energy",
            "The energies that each chain visits and the steps between them: steps much narrower than the energies "
            "do not reach the tails."));
    if (r->diagnosis->divergences > 0)
        CRD_TRY(
            crdi_report_figure(r, "pairs", &usual, "Pairs, with the draws that diverged",
                               "Diverging draws that gather somewhere mark a place that the sampler cannot enter."));
    return CRD_OK;
}

static crd_status add_network(struct report *r)
{
    enum { MOST_WEIGHTS = 400 };
    int64_t weights = 0;
    for (int c = 0; c < crd_run_column_count(r->net->run); c++) {
        const crd_column *column = crd_run_column(r->net->run, c);
        weights += strncmp(column->name, "net/", 4) == 0 ? column->size : 0;
    }
    if (!r->net->is_network || weights > MOST_WEIGHTS)
        return CRD_OK;
    return crdi_report_figure(
        r, "network", &usual, "The network",
        "Thick lines are large weights; a weight that could as well have the other sign is pale.");
}

crd_status crdi_report_diagnostics(struct report *r)
{
    crdi_report_open(r, "diagnostics", "Diagnostics");
    if (!r->summary->independent) {
        CRD_TRY(add_chains(r));
        CRD_TRY(add_chain_figures(r));
        CRD_TRY(add_space(r));
    } else if (crdi_run_has(r->net->run, "svi_loss") && !r->summary->laplace.hessian && r->summary->svi.paths == 0) {
        CRD_TRY(crdi_report_figure(r, "loss", &usual, "Loss",
                                   "Step by step; what still falls at the end has not converged."));
    }
    CRD_TRY(add_network(r));
    crdi_report_close(r);
    return r->html.body.status;
}

/* ---- parameters ------------------------------------------------------------------------------------------------------ */

struct parameters {
    int64_t count;
    const char **site, **label;
    double *value[9];
};

/* Marks what stays in a table that would be too long: what mixed worst, or else the first. */
static crd_status choose(struct report *r, bool *keep, int64_t *kept)
{
    const crdi_run_summary *s = r->summary;
    int64_t most = r->o->parameters;
    *kept = most > 0 && s->count > most ? most : s->count;
    for (int64_t i = 0; i < s->count; i++)
        keep[i] = i < *kept;
    if (*kept == s->count || !r->quality)
        return CRD_OK;
    /* The bound that keeps as many, found by halving: r_hat is at least about 1. */
    double low = 0, high = 1e6;
    for (int step = 0; step < 200; step++) {
        double middle = 0.5 * (low + high);
        int64_t above = 0;
        for (int64_t i = 0; i < s->count; i++)
            above += r->quality[i].r_hat > middle;
        *(above > most ? &low : &high) = middle;
    }
    *kept = 0;
    for (int64_t i = 0; i < s->count; i++)
        *kept += keep[i] = r->quality[i].r_hat > high;
    return CRD_OK;
}

static crd_status fill(struct report *r, struct parameters *t)
{
    const crdi_run_summary *s = r->summary;
    bool *keep = crdi_arena_alloc(r->arena, (size_t)(s->count + 1) * sizeof *keep);
    CRD_TRY(keep ? CRD_OK : CRD_ENOMEM);
    CRD_TRY(choose(r, keep, &t->count));
    t->site = crdi_arena_alloc(r->arena, (size_t)(t->count + 1) * sizeof *t->site);
    t->label = crdi_arena_alloc(r->arena, (size_t)(t->count + 1) * sizeof *t->label);
    bool good = t->site && t->label;
    for (int v = 0; v < CRDI_COUNT(t->value); v++)
        good = (t->value[v] = room(r, t->count)) && good;
    CRD_TRY(good ? CRD_OK : CRD_ENOMEM);
    for (int64_t i = 0, at = 0; i < s->count; i++) {
        if (!keep[i])
            continue;
        const crdi_summary_row *row = &s->row[i];
        const crdi_diagnostic_row none = {.mcse_mean = NAN}, *d = r->quality ? &r->quality[i] : &none;
        const double values[] = {row->mean,    row->sd,     row->median, row->low, row->high,
                                 d->mcse_mean, d->ess_bulk, d->ess_tail, d->r_hat};
        t->site[at] = row->site;
        t->label[at] = row->label;
        for (int v = 0; v < CRDI_COUNT(values); v++)
            t->value[v][at] = values[v];
        at++;
    }
    return CRD_OK;
}

static crd_status add_table(struct report *r)
{
    const crdi_run_summary *s = r->summary;
    struct parameters t;
    CRD_TRY(fill(r, &t));
    bool point = s->svi.point && s->part.draws == 1;
    const char *low = crdi_report_print(r, "%.3g %% from", 100 * s->prob), *high = crdi_report_print(r, "to");
    CRD_TRY(low && high ? CRD_OK : CRD_ENOMEM);
    const crdi_html_column columns[] = {
        {.name = "parameter", .text = t.label},
        {.name = point ? "value" : "mean", .value = t.value[0], .decimals = -1},
        {.name = "sd", .value = t.value[1], .decimals = -1},
        {.name = "median", .value = t.value[2], .decimals = -1},
        {.name = low,
         .about = "lower end of the narrowest interval that holds as much of the draws",
         .value = t.value[3],
         .decimals = -1,
         .worst = '<'},
        {.name = high, .about = "its upper end", .value = t.value[4], .decimals = -1, .worst = '>'},
        {.name = "mcse", .about = "Monte Carlo error of the mean", .value = t.value[5], .decimals = -1, .worst = '>'},
        {.name = "ess bulk",
         .about = "independent draws that the mean is worth",
         .value = t.value[6],
         .decimals = 0,
         .worst = '<'},
        {.name = "ess tail",
         .about = "independent draws that the ends are worth",
         .value = t.value[7],
         .decimals = 0,
         .worst = '<'},
        {.name = "r_hat",
         .about = "agreement of the chains, rank-normalised; good up to 1.01",
         .value = t.value[8],
         .decimals = 3,
         .worst = '>'}};
    crdi_html_table_add(&r->html, &(crdi_html_table){.caption = "Summary of the parameters",
                                                     .columns = point        ? 2
                                                                : r->quality ? CRDI_COUNT(columns)
                                                                             : 6,
                                                     .column = columns,
                                                     .rows = t.count,
                                                     .group = t.site});
    if (t.count < s->count) {
        const char *note =
            crdi_report_print(r,
                              "The table of parameters has the %lld with the largest r_hat, of %lld; 'credence "
                              "summary RUN.crd --full' prints all, and --parameters 0 puts all here.",
                              (long long)t.count, (long long)s->count);
        CRD_TRY(note ? CRD_OK : CRD_ENOMEM);
        crdi_report_note(r, note);
    }
    return CRD_OK;
}

crd_status crdi_report_parameters(struct report *r)
{
    crdi_string units;
    crdi_report_open(r, "parameters", "Parameters");
    crdi_string_init(&units, r->ctx);
    crdi_run_summary_units(&units, r->summary);
    for (char *line = units.text, *next; line && *line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = 0;
        crdi_html_add(&r->html.body, "<p>$</p>\n", line, NULL);
    }
    crd_status status = units.status;
    crdi_string_clear(&units);
    CRD_TRY(status);
    if (r->o->canonical)
        crdi_string_append(
            &r->html.body,
            "<p>Weights are in canonical form: hidden units ordered by size, signs and scales fixed.</p>\n");
    if (!r->summary->svi.point)
        CRD_TRY(crdi_report_figure(r, "forest", &usual, "Intervals",
                                   "Median and intervals of parameters: those that are no weights first."));
    CRD_TRY(add_table(r));
    crdi_report_close(r);
    return r->html.body.status;
}
