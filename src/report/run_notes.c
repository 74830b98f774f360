/* run_notes.c - in words: why the draws of a run should not be believed yet, and what to try. */
#include "report/run_summary.h"
#include "report/evidence_text.h"
#include "report/laplace_text.h"
#include "report/text.h"
#include "report/variational.h"

#include <math.h>
#include <string.h>

/* r_hat and n_eff come out as no number, or below zero, where the chains are too short for them. */
bool crdi_run_too_short(const crdi_run_summary *s)
{
    return !s->independent && s->count > 0 && (isnan(s->worst_r_hat->r_hat) || !(s->smallest_n_eff->n_eff > 0)) &&
           s->part.draws < 20;
}

static bool is_weight(const crdi_summary_row *row)
{
    return strncmp(row->label, "net/", 4) == 0;
}

/* Weights may differ by the names that hidden units have in a chain: that says nothing against f. What is left to judge is the others. */
static void note_of_weights(crdi_string *out, const crdi_run_summary *s, const crdi_summary_row **r,
                            const crdi_summary_row **n)
{
    double most = (*r)->r_hat;
    bool weights = is_weight(*r) && most > 1.05;
    const char *of_f =
        s->f_agrees ? "of f, which was asked for, they agree" : "whether they agree on f, credence diagnose says";
    *r = *n = NULL;
    for (int64_t i = 0; i < s->count; i++) {
        const crdi_summary_row *row = &s->row[i];
        if (is_weight(row))
            continue;
        if (!*r || !(row->r_hat <= (*r)->r_hat))
            *r = row;
        if (!*n || !(row->n_eff >= (*n)->n_eff))
            *n = row;
    }
    if (weights)
        crdi_string_append(
            out, "note: r_hat of single weights is up to %.*f: hidden units %s other places in other chains; %s\n",
            crdi_text_digits(most, 1.05), most, s->f_agrees ? "have" : "may have", of_f);
}

/* What makes chains agree, and what makes more draws. */
static const char *longer_of(const crdi_run_summary *s)
{
    return crdi_method_of_particles(s->method) ? "--anneal and --particles" : "--warmup and --draws";
}

static const char *more_of(const crdi_run_summary *s)
{
    return crdi_method_of_particles(s->method) ? "--particles" : "--draws";
}

static void note_of_rows(crdi_string *out, const crdi_run_summary *s)
{
    const crdi_summary_row *r = s->worst_r_hat, *n = s->smallest_n_eff;
    const char *longer = longer_of(s), *more = more_of(s);
    if (crdi_run_too_short(s)) {
        crdi_string_append(out, "note: too few draws for r_hat and n_eff; try %s\n",
                           crdi_method_of_particles(s->method) ? "--particles 250" : "--draws 1000");
        return;
    }
    if (s->f_agrees || s->hidden_units)
        note_of_weights(out, s, &r, &n);
    if (!r)
        return;
    if (isnan(r->r_hat))
        crdi_string_append(out, "note: r_hat of %s is no number: its draws do not vary; try more %s\n", r->label,
                           crdi_method_of_particles(s->method) ? longer : "--warmup");
    if (r->r_hat > 1.05)
        crdi_string_append(out, "note: r_hat of %s is %.*f, above 1.05: the chains do not agree; try more %s\n",
                           r->label, crdi_text_digits(r->r_hat, 1.05), r->r_hat, longer);
    if (n->n_eff < 100)
        crdi_string_append(out, "note: n_eff of %s is %.0f, below 100: its interval is rough; try more %s\n", n->label,
                           floor(n->n_eff), more);
}

/* ArviZ's bounds: r_hat 1.01 and 100 bulk draws a chain (Vehtari et al. 2021); energy below 0.3 (Betancourt 2016). */
static void note_of_diagnostics(crdi_string *out, const crdi_run_summary *s)
{
    int64_t high = 0, few = 0;
    for (int64_t i = 0; i < s->count; i++) {
        const crdi_diagnostic_row *d = &s->diagnostic[i];
        high += d->r_hat > 1.01;
        few += fmin(d->ess_bulk, d->ess_tail) < 100 * s->part.chains;
    }
    if (high > 0)
        crdi_string_append(out, "note: rank r_hat is above 1.01 in %lld of %lld rows; try more %s\n", (long long)high,
                           (long long)s->count, longer_of(s));
    if (few > 0)
        crdi_string_append(out, "note: ess_bulk or ess_tail is below 100 a chain in %lld of %lld rows; try more %s\n",
                           (long long)few, (long long)s->count, more_of(s));
    for (int c = 0; s->ebfmi && c < s->part.chains; c++)
        if (s->ebfmi[c] < 0.3)
            crdi_string_append(out,
                               "note: E-BFMI of chain %d is %.2f, below 0.3: its energy hardly moves; a "
                               "reparametrised model may help\n",
                               s->part.chain[c], floor(100 * s->ebfmi[c]) / 100);
}

/* Always: no draw says of itself that it is biased. */
static void note_of_noise(crdi_string *out, const crdi_run_summary *s)
{
    if (!s->noise.is && crdi_mcmc_is_biased(s->method))
        crdi_string_append(out,
                           "note: draws of %s are biased by its steps, the less the smaller --energy-variance; mams, "
                           "which is exact, tells\n",
                           s->method);
    if (!s->noise.is)
        return;
    crdi_string_append(out, "note: draws of %s are biased: ", s->method);
    crdi_batch_noise_text(out, &s->noise);
    crdi_string_append(out, "; a smaller --bias, or a method that is exact, tells\n");
}

void crdi_depth_text(crdi_string *out, const char *method, int64_t deepest, int64_t draws, int64_t max_depth)
{
    double share = 100.0 * (double)deepest / (double)draws;
    crdi_mcmc_cut cuts = crdi_mcmc_cuts(method);
    if (cuts != CRDI_CUTS_NOTHING)
        crdi_string_append(out, "%.0f %% of the trajectories were cut, before their length, at %s%.0f steps", share,
                           cuts == CRDI_CUTS_MEAN ? "a mean of " : "", ldexp(1, (int)max_depth) - 1);
    else
        crdi_string_append(out, "%.0f %% of the draws ended at the largest tree depth", share);
}

crd_status crdi_run_notes(crdi_string *out, const crdi_run_summary *s)
{
    int64_t n = s->part.chains * s->part.draws;
    if (s->laplace.hessian)
        crdi_laplace_notes(out, &s->laplace);
    else if (s->independent)
        crdi_variational_notes(out, &s->svi);
    else if (s->count > 0)
        note_of_rows(out, s);
    note_of_noise(out, s);
    if (s->evidence.ctx)
        crdi_evidence_notes(out, &s->evidence, s->method);
    if (s->diagnostics && s->svi.point)
        crdi_string_append(out, "note: --diagnostics are of draws from a posterior; %s no such draws\n",
                           s->part.draws == 1 ? "a point is" : "members of an ensemble are");
    else if (s->diagnostics && !crdi_run_too_short(s))
        note_of_diagnostics(out, s);
    if (s->divergences > 0 && (double)s->divergences > 0.001 * (double)n)
        crdi_string_append(
            out, "note: %lld of %lld draws diverged: they may miss a part of the posterior; try --target-accept 0.95\n",
            (long long)s->divergences, (long long)n);
    if ((double)s->deepest > 0.05 * (double)n) {
        crdi_string_append(out, "note: ");
        crdi_depth_text(out, s->method, s->deepest, n, s->max_depth);
        crdi_string_append(out, ": they move slowly; try --max-depth %lld\n",
                           (long long)(s->max_depth < 18 ? s->max_depth + 2 : 20));
    }
    return out->status;
}
