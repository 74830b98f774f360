/* diagnosis_verdict.c - from the numbers of a diagnosis to findings, and from these to one verdict in words. */
#include "diag/diag.h"
#include "report/diagnosis.h"
#include "report/evidence_text.h"
#include "report/laplace_text.h"
#include "report/run_summary.h"
#include "report/text.h"

#include <credence/loo.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- findings --------------------------------------------------------------------------------------------------- */

/* Adds what `text` holds by now and empties it; `advice` may be NULL. The text may hold names out of a file. */
static void add(crdi_diagnosis *d, const char *id, crdi_state state, crdi_string *text, const char *advice)
{
    crdi_string shown;
    CRDI_ASSERT(d->finding_count < CRDI_FINDINGS);
    crdi_string_init(&shown, d->ctx);
    crdi_text_printable(&shown, crdi_string_text(text));
    d->finding[d->finding_count++] = (crdi_finding){id, state, crdi_arena_strdup(d->arena, crdi_string_text(&shown)),
                                                    advice ? crdi_arena_strdup(d->arena, advice) : NULL};
    d->state = state > d->state ? state : d->state;
    if (shown.status < 0 && text->status == CRD_OK)
        text->status = shown.status;
    crdi_string_clear(&shown);
    text->length = 0;
    if (text->text)
        text->text[0] = 0;
}

static crdi_state state_of_r_hat(double r_hat)
{
    return r_hat <= CRDI_R_HAT_GOOD ? CRDI_HOLDS : r_hat <= CRDI_R_HAT_BAD ? CRDI_CARE : CRDI_FAILS;
}

static crdi_state state_of_ess(const crdi_diagnosis *d, double ess)
{
    return ess < CRDI_ESS_BAD ? CRDI_FAILS : ess < CRDI_ESS_GOOD * (double)d->part.chains ? CRDI_CARE : CRDI_HOLDS;
}

/* Of a finding; what was not looked at holds. */
static crdi_state state_of(const crdi_diagnosis *d, const char *id)
{
    for (int i = 0; i < d->finding_count; i++)
        if (strcmp(d->finding[i].id, id) == 0)
            return d->finding[i].state;
    return CRDI_HOLDS;
}

/* The number that method smc has by itself. */
static const char ENOUGH_PARTICLES[] = "--particles 250";

/* What helps chains, or runs of particles, of which there are too few draws, or which have not come far enough. */
static const char *more_draws(const crdi_diagnosis *d)
{
    if (d->particles && d->part.draws < CRDI_ESS_GOOD)
        return ENOUGH_PARTICLES;
    return d->particles ? "more --particles" : "more --draws";
}

static const char *go_longer(const crdi_diagnosis *d)
{
    if (d->particles && d->part.draws < CRDI_ESS_GOOD)
        return "twice the --anneal";
    return d->particles ? "twice the --anneal, then more --particles" : "twice the --warmup and --draws";
}

/* Chains "0, 2" out of a list of truth values. */
static void list_chains(crdi_string *out, const crdi_diagnosis *d, const bool *which, bool value)
{
    bool any = false;
    for (int c = 0; c < d->part.chains; c++)
        if (which[c] == value) {
            crdi_string_append(out, "%s%d", any ? ", " : "", d->part.chain[c]);
            any = true;
        }
}

static void look_at_draws(crdi_diagnosis *d, crdi_string *t)
{
    bool unfinished = strcmp(d->status, "running") == 0 || strcmp(d->status, "interrupted") == 0;
    crdi_string_append(t, d->particles ? "%d run%s of %lld particles" : "%d chain%s of %lld draws", d->part.chains,
                       d->part.chains > 1 ? "s" : "", (long long)d->part.draws);
    if (d->warmup >= 0 && !d->particles)
        crdi_string_append(t, " after %lld of warm-up", (long long)d->warmup);
    if (unfinished)
        crdi_string_append(t, " (%s)", d->status);
    if (d->part.draws < CRDI_ESS_GOOD) {
        crdi_string_append(t, ", fewer than %d", (int)CRDI_ESS_GOOD);
        add(d, "draws", CRDI_FAILS, t, d->particles ? ENOUGH_PARTICLES : "--draws 1000");
    } else if (d->part.chains == 1) {
        crdi_string_append(t, ": nothing shows whether other %s would agree", d->particles ? "runs" : "chains");
        add(d, "draws", CRDI_CARE, t, "--chains 4");
    } else
        add(d, "draws", unfinished ? CRDI_CARE : CRDI_HOLDS, t, unfinished ? "let it end" : NULL);
}

static bool is_constant(const crdi_element *e)
{
    return e->sd == 0;
}

static void look_at_constant(crdi_diagnosis *d, crdi_string *t)
{
    const crdi_element *first = NULL;
    int64_t broken = 0;
    for (int64_t i = 0; i < d->element_count; i++) {
        broken += isnan(d->element[i].sd);
        first = !first && (is_constant(&d->element[i]) || isnan(d->element[i].sd)) ? &d->element[i] : first;
    }
    if (d->constant > 0) {
        crdi_string_append(t, "%lld of %lld parameters never change, as %s", (long long)d->constant,
                           (long long)d->element_count, first->label);
        add(d, "constant", CRDI_FAILS, t,
            d->particles ? "twice the --anneal, and more --particles; or the model holds them"
                         : "another --seed and more --warmup, a smaller --step-size; or the model holds them");
    } else if (broken > 0) {
        crdi_string_append(t, "draws of %s are not finite", first->label);
        add(d, "constant", CRDI_FAILS, t, "a look at the priors: fit --check");
    }
}

static void look_at_stuck(crdi_diagnosis *d, crdi_string *t)
{
    int count = 0;
    for (int c = 0; c < d->part.chains; c++)
        count += d->stuck[c];
    if (count == 0)
        return;
    crdi_string_append(t, "chain%s ", count > 1 ? "s" : "");
    list_chains(t, d, d->stuck, true);
    crdi_string_append(t, " hardly move%s: less than a hundredth as far as the others", count > 1 ? "" : "s");
    add(d, "stuck", CRDI_FAILS, t,
        d->particles ? "twice the --anneal, and more --particles"
                     : "another --seed or --start prior; a higher --target-accept; more --warmup");
}

/* ---- chains that are in different places ------------------------------------------------------------------------ */

struct ranked {
    double mean;
    int chain;
};

static int by_mean(const void *a, const void *b)
{
    double x = ((const struct ranked *)a)->mean, y = ((const struct ranked *)b)->mean;
    return (x > y) - (x < y);
}

/* Which chains stand on the upper side of the widest gap between their means. False: fewer than two. */
static bool split_chains(const crdi_diagnosis *d, const double *mean, bool *upper)
{
    int chains = d->part.chains, cut = 1;
    struct ranked *order = crdi_arena_alloc(d->arena, (size_t)chains * sizeof *order);
    if (!order || chains < 2)
        return false;
    for (int c = 0; c < chains; c++)
        order[c] = (struct ranked){mean[c], c};
    qsort(order, (size_t)chains, sizeof *order, by_mean);
    for (int c = 1; c < chains; c++)
        if (order[c].mean - order[c - 1].mean > order[cut].mean - order[cut - 1].mean)
            cut = c;
    for (int c = 0; c < chains; c++)
        upper[order[c].chain] = c >= cut;
    return true;
}

static void name_split(crdi_string *t, const crdi_diagnosis *d, const double *mean)
{
    bool *upper = crdi_arena_alloc(d->arena, (size_t)d->part.chains * sizeof *upper);
    if (!upper || !split_chains(d, mean, upper))
        return;
    double low = 0, high = 0;
    int above = 0;
    for (int c = 0; c < d->part.chains; c++) {
        above += upper[c];
        *(upper[c] ? &high : &low) += mean[c];
    }
    crdi_string_append(t, "; chains ");
    list_chains(t, d, upper, false);
    crdi_string_append(t, " are near %.3g, ", low / (d->part.chains - above));
    list_chains(t, d, upper, true);
    crdi_string_append(t, " near %.3g", high / above);
}

/* What most of a disagreement is: chains that each stay where they are, or chains that still move. */
static bool is_modes(double between, double drift)
{
    return between > 0.02 && between > 4 * drift;
}

static const char *advice_for(const crdi_diagnosis *d, double between, double drift)
{
    if (!is_modes(between, drift) || d->particles)
        return go_longer(d);
    return "more chains, to see how many modes there are; --method smc, which draws from all of them by their weight, "
           "where parameters are few; --start pathfinder; "
           "'credence loo --by-chain' weighs the chains by how well they predict";
}

static const crdi_element *worst_element(const crdi_diagnosis *d)
{
    const crdi_element *worst = NULL;
    for (int64_t i = 0; i < d->element_count; i++) {
        const crdi_element *e = &d->element[i];
        if (!e->weight && !isnan(e->r_hat) && (!worst || e->r_hat > worst->r_hat))
            worst = e;
    }
    return worst;
}

/* Decimals of an r_hat: 3, or as many as tell on which side of the bounds it is. */
static int digits_of(double r_hat)
{
    int good = crdi_text_digits(r_hat, CRDI_R_HAT_GOOD), bad = crdi_text_digits(r_hat, CRDI_R_HAT_BAD);
    int most = good > bad ? good : bad;
    return most > 3 ? most : 3;
}

static void look_at_r_hat(crdi_diagnosis *d, crdi_string *t)
{
    const crdi_element *worst = worst_element(d);
    int64_t above = 0, count = 0;
    if (!worst)
        return;
    for (int64_t i = 0; i < d->element_count; i++) {
        count += !d->element[i].weight;
        above += !d->element[i].weight && d->element[i].r_hat > CRDI_R_HAT_GOOD;
    }
    crdi_state state = state_of_r_hat(worst->r_hat);
    crdi_string_append(t, "rank r_hat of %s is %.*f", worst->label, digits_of(worst->r_hat), worst->r_hat);
    if (count > 1)
        crdi_string_append(t, ", the largest of %lld parameters%s", (long long)count,
                           d->net->is_network ? " that are no weights" : "");
    if (above > 0)
        crdi_string_append(t, "; %lld above %.2f", (long long)above, CRDI_R_HAT_GOOD);
    if (state == CRDI_FAILS) {
        crdi_string_append(t, "; %.0f %% of its variance is between chains, %.0f %% drift within them",
                           100 * worst->between, 100 * worst->drift);
        if (is_modes(worst->between, worst->drift))
            name_split(t, d, d->mean);
    }
    add(d, "r_hat", state, t, state == CRDI_HOLDS ? NULL : advice_for(d, worst->between, worst->drift));
}

static void look_at_ess(crdi_diagnosis *d, crdi_string *t)
{
    const crdi_element *bulk = NULL, *tail = NULL, *mcse = NULL;
    for (int64_t i = 0; i < d->element_count; i++) {
        const crdi_element *e = &d->element[i];
        if (e->weight || is_constant(e) || isnan(e->ess_bulk))
            continue;
        bulk = !bulk || e->ess_bulk < bulk->ess_bulk ? e : bulk;
        tail = !tail || e->ess_tail < tail->ess_tail ? e : tail;
        mcse = !mcse || e->mcse > mcse->mcse ? e : mcse;
    }
    if (!bulk)
        return;
    crdi_state state = state_of_ess(d, fmin(bulk->ess_bulk, tail->ess_tail));
    crdi_string_append(t, "effective draws: bulk at least %.0f (%s), tail at least %.0f (%s)", bulk->ess_bulk,
                       bulk->label, tail->ess_tail, tail->label);
    crdi_string_append(t, "; means are known to %.2g of their sd", mcse->mcse);
    add(d, "ess", state, t, state == CRDI_HOLDS ? NULL : more_draws(d));
}

static void look_at_weights(crdi_diagnosis *d, crdi_string *t)
{
    int64_t count = 0;
    for (int64_t i = 0; i < d->element_count; i++)
        count += d->element[i].weight;
    if (count == 0)
        return;
    crdi_string_append(t, "weights: r_hat up to %.*f, above %.2f in %lld of %lld",
                       crdi_text_digits(d->weights_r_hat[0], CRDI_R_HAT_BAD), d->weights_r_hat[0], CRDI_R_HAT_BAD,
                       (long long)d->weights_above[0], (long long)count);
    if (d->weights_above[1] >= 0)
        crdi_string_append(t, "; in canonical form up to %.*f, in %lld",
                           crdi_text_digits(d->weights_r_hat[1], CRDI_R_HAT_BAD), d->weights_r_hat[1],
                           (long long)d->weights_above[1]);
    if (d->weights_r_hat[0] > CRDI_R_HAT_BAD)
        crdi_string_append(t, ": units swap names, judge f and not them");
    add(d, "weights", CRDI_HOLDS, t, NULL);
}

/* ---- function space --------------------------------------------------------------------------------------------- */

static const char *const place_id[CRDI_FUNCTION_PLACES] = {"f", "f_outside", "log_likelihood"};

/* A share in percent with two digits. */
static void add_share(crdi_string *t, double share)
{
    crdi_string_append(t, share < 0.0995 ? "%.2g %%" : "%.0f %%", 100 * share);
}

static void look_at_place(crdi_diagnosis *d, crdi_string *t, crdi_function_place place)
{
    const crdi_function_part *p = &d->space->part[place];
    const crdi_function_number *worst = p->worst;
    if (p->count == 0)
        return;
    if (place == CRDI_LIKELIHOOD)
        crdi_string_append(t, "log likelihood of %lld of %lld rows", (long long)d->space->rows_used,
                           (long long)d->space->rows);
    else if (place == CRDI_F_AT_DATA)
        crdi_string_append(t, "f at %lld of %lld rows", (long long)d->space->rows_used, (long long)d->space->rows);
    else
        crdi_string_append(t, "f at %lld inputs outside the data", (long long)d->space->probes.shape.dim[0]);
    if (!worst) {
        crdi_string_append(t, ": does not vary");
        add(d, place_id[place], CRDI_CARE, t, NULL);
        return;
    }
    crdi_state state = state_of_r_hat(worst->r_hat), by_ess = state_of_ess(d, fmin(p->ess_bulk, p->ess_tail));
    crdi_string_append(t, ": r_hat up to %.*f (", digits_of(worst->r_hat), worst->r_hat);
    crdi_function_where(t, d->net, d->space, place, worst, 2);
    crdi_string_append(t, "), effective draws at least %.0f bulk, %.0f tail; of the variance ", p->ess_bulk,
                       p->ess_tail);
    add_share(t, p->between[0]);
    crdi_string_append(t, " is between chains (at most ");
    add_share(t, p->between[1]);
    crdi_string_append(t, "), ");
    add_share(t, p->drift[0]);
    crdi_string_append(t, " drift within them (at most ");
    add_share(t, p->drift[1]);
    crdi_string_append(t, ")");
    if (state == CRDI_FAILS && is_modes(worst->between, worst->drift))
        name_split(t, d, p->chain_mean + (worst - p->number) * d->part.chains);
    const char *advice = state > CRDI_HOLDS ? advice_for(d, worst->between, worst->drift) : more_draws(d);
    state = by_ess > state ? by_ess : state;
    add(d, place_id[place], state, t, state == CRDI_HOLDS ? NULL : advice);
}

/* ---- the sampler ------------------------------------------------------------------------------------------------ */

static int by_separation(const void *a, const void *b)
{
    double x = fabs((*(const crdi_element *const *)a)->separation),
           y = fabs((*(const crdi_element *const *)b)->separation);
    return (y > x) - (y < x);
}

/* The parameters whose diverging draws stand most apart. */
static void name_where(crdi_diagnosis *d, crdi_string *t)
{
    const crdi_element **order = crdi_arena_alloc(d->arena, (size_t)(d->element_count + 1) * sizeof *order);
    int64_t count = 0;
    for (int64_t i = 0; order && i < d->element_count; i++)
        if (fabs(d->element[i].separation) > 0.4)
            order[count++] = &d->element[i];
    if (count == 0)
        return;
    qsort(order, (size_t)count, sizeof *order, by_separation);
    for (int64_t i = 0; i < count && i < CRDI_WHERE; i++)
        crdi_string_append(t, "%s%s is %s", i ? ", " : "; there ", order[i]->label,
                           order[i]->separation > 0 ? "low" : "high");
}

static void look_at_divergences(crdi_diagnosis *d, crdi_string *t)
{
    if (d->divergences < 0)
        return;
    if (d->divergences == 0) {
        crdi_string_append(t, "no divergences");
        add(d, "divergences", CRDI_HOLDS, t, NULL);
        return;
    }
    crdi_string_append(t, "%lld of %lld draws diverged (by chain", (long long)d->divergences, (long long)d->total);
    for (int c = 0; c < d->part.chains && c < 16; c++)
        crdi_string_append(t, " %lld", (long long)d->diverged[c]);
    crdi_string_append(t, "%s)", d->part.chains > 16 ? " ..." : "");
    name_where(d, t);
    bool many = (double)d->divergences > CRDI_DIVERGENT_BAD * (double)d->total;
    add(d, "divergences", many ? CRDI_FAILS : CRDI_CARE, t,
        "--target-accept 0.95; for scales that go to 0 a non-centred prior");
}

static void look_at_energy(crdi_diagnosis *d, crdi_string *t)
{
    double least = INFINITY, most = -INFINITY;
    for (int c = 0; d->ebfmi && c < d->part.chains; c++) {
        least = fmin(least, d->ebfmi[c]);
        most = fmax(most, d->ebfmi[c]);
    }
    if (!isfinite(least))
        return;
    crdi_string_append(t, "E-BFMI %.2f to %.2f", least, most);
    add(d, "energy", least < CRDI_EBFMI_GOOD ? CRDI_FAILS : CRDI_HOLDS, t,
        least < CRDI_EBFMI_GOOD ? "a reparametrised model, as with noncentered(...) priors" : NULL);
}

static void look_at_noise(crdi_diagnosis *d, crdi_string *t)
{
    if (!d->noise.is) {
        if (crdi_mcmc_is_biased(d->method)) {
            crdi_string_append(t, "%s has a bias, which shrinks with --energy-variance; mams has none", d->method);
            add(d, "bias", CRDI_HOLDS, t, NULL);
        }
        return;
    }
    crdi_batch_noise_text(t, &d->noise);
    add(d, "bias", CRDI_CARE, t, "a smaller --bias, and --method nuts or hmc on fewer rows, to compare");
}

/* Trees that end at their limit cost draws, not truth: what they cost shows in the effective sizes. */
static void look_at_depth(crdi_diagnosis *d, crdi_string *t)
{
    if (d->max_depth == 0 || d->deepest == 0)
        return;
    double share = (double)d->deepest / (double)d->total;
    crdi_depth_text(t, d->method, d->deepest, d->total, d->max_depth);
    if (crdi_mcmc_cuts(d->method) == CRDI_CUTS_NOTHING)
        crdi_string_append(t, ", %lld", (long long)d->max_depth);
    char advice[64];
    crdi_format(advice, sizeof advice, "--max-depth %lld may make draws worth more",
                (long long)(d->max_depth < 18 ? d->max_depth + 2 : 20));
    bool short_of = state_of(d, "ess") > CRDI_HOLDS || state_of(d, "f") > CRDI_HOLDS;
    if (share > CRDI_DEEP_CARE && !short_of)
        crdi_string_append(t, ": they are worth enough all the same");
    add(d, "depth", share > CRDI_DEEP_CARE && short_of ? CRDI_CARE : CRDI_HOLDS, t,
        share > CRDI_DEEP_CARE ? advice : NULL);
}

/* Notes are lines "note: WHAT", or "note: WHAT; try ADVICE": each a finding. */
static void take_notes(crdi_diagnosis *d, crdi_string *t, const char *id, crdi_string *notes)
{
    static const char begin[] = "note: ", advise[] = "; try ";
    const char *line = crdi_string_text(notes);
    for (size_t length; *line && d->finding_count < CRDI_FINDINGS; line += length + (line[length] == '\n')) {
        length = strcspn(line, "\n");
        size_t skip = strncmp(line, begin, sizeof begin - 1) == 0 ? sizeof begin - 1 : 0;
        char *text = crdi_arena_printf(d->arena, "%.*s", (int)(length - skip), line + skip);
        char *advice = text ? strstr(text, advise) : NULL;
        if (advice)
            *advice = 0;
        crdi_string_append(t, "%s", text ? text : "");
        add(d, id, CRDI_CARE, t, advice ? advice + sizeof advise - 1 : NULL);
    }
    if (notes->status < 0 && t->status == CRD_OK)
        t->status = notes->status;
}

static void look_at_evidence(crdi_diagnosis *d, crdi_string *t)
{
    crdi_string notes;
    bool one = isnan(d->evidence.error);
    if (!d->evidence.ctx)
        return;
    crdi_string_append(t, "log evidence ");
    crdi_evidence_number(t, d->evidence.log_evidence, d->evidence.error);
    crdi_string_append(t, "%s",
                       one ? " of one run: its error is not known"
                       : d->particles
                           ? "; its error is that of runs by one pilot run: another --seed tells what that missed"
                           : "");
    add(d, "evidence", one ? CRDI_CARE : CRDI_HOLDS, t, one ? "--chains 4" : NULL);
    crdi_string_init(&notes, d->ctx);
    crdi_evidence_notes(&notes, &d->evidence, d->method);
    take_notes(d, t, "evidence", &notes);
    crdi_string_clear(&notes);
}

static void look_at_laplace(crdi_diagnosis *d, crdi_string *t)
{
    crdi_string notes;
    crdi_string_append(
        t,
        "a normal about the most probable point (Hessian: %s): draws are independent, and nothing says how "
        "far the posterior is normal",
        d->laplace.hessian);
    add(d, "laplace", CRDI_CARE, t, "--method nuts, to compare");
    crdi_string_init(&notes, d->ctx);
    crdi_laplace_notes(&notes, &d->laplace);
    take_notes(d, t, "laplace", &notes);
    crdi_string_clear(&notes);
}

static void look_at_guide(crdi_diagnosis *d, crdi_string *t)
{
    double k = d->svi.k_hat, good = crd_psis_good_k(d->svi.k_draws);
    if (isnan(k)) {
        crdi_string_append(t, d->svi.members > 0 ? "points: how they differ says little of the posterior"
                                                 : "a point: nothing says how uncertain it is");
        add(d, "guide", CRDI_CARE, t, "--method nuts");
        return;
    }
    crdi_string_append(t, "Pareto k of the guide's draws is %.*f (good up to %.*f)", crdi_text_digits(k, good), k,
                       crdi_text_digits(k, good), good);
    crdi_state state = k <= good ? CRDI_HOLDS : k < 1 ? CRDI_CARE : CRDI_FAILS;
    add(d, "guide", state, t, state == CRDI_HOLDS ? NULL : "a richer --guide, more --steps, or --method nuts");
    if (d->svi.skipped > 0) {
        crdi_string_append(t, "%lld steps were not finite and skipped", (long long)d->svi.skipped);
        add(d, "steps", CRDI_CARE, t, "a smaller rate in --optimizer");
    }
}

/* ---- the verdict ------------------------------------------------------------------------------------------------ */

/* Whether chains of the decisive numbers disagree for good, or still move. Where draws are worth few independent ones, shares of
 * (2 m - 1) / ess are noise (diag.h): about 15 % for 50 in 4 chains. */
static bool is_more_than_noise(double between, double drift, double ess)
{
    return between + drift > 0.15 || ess >= CRDI_ESS_BAD;
}

static void find_disagreement(const crdi_diagnosis *d, bool *modes, bool *moving, bool *outside)
{
    const crdi_element *e = worst_element(d);
    *modes = *moving = *outside = false;
    if (e && e->r_hat > CRDI_R_HAT_BAD && is_more_than_noise(e->between, e->drift, fmin(e->ess_bulk, e->ess_tail)))
        *(is_modes(e->between, e->drift) ? modes : moving) = true;
    for (int k = 0; d->space && k < CRDI_FUNCTION_PLACES; k++) {
        const crdi_function_number *n = d->space->part[k].worst;
        if (!n || !(n->r_hat > CRDI_R_HAT_BAD))
            continue;
        if (k == CRDI_F_OUTSIDE)
            *outside = true;
        else if (is_more_than_noise(n->between, n->drift, fmin(n->ess_bulk, n->ess_tail)))
            *(is_modes(n->between, n->drift) ? modes : moving) = true;
    }
}

static bool short_of_draws(const crdi_diagnosis *d)
{
    return state_of(d, "ess") == CRDI_FAILS || (d->space && (d->space->part[CRDI_F_AT_DATA].ess_bulk < CRDI_ESS_BAD ||
                                                             d->space->part[CRDI_F_AT_DATA].ess_tail < CRDI_ESS_BAD));
}

/* The one thing to know first: what makes the other numbers mean nothing comes before what they say. */
static void decide(crdi_diagnosis *d)
{
    bool modes, moving, outside, few = d->part.draws < CRDI_ESS_GOOD;
    find_disagreement(d, &modes, &moving, &outside);
    bool far_apart = modes && worst_element(d) && worst_element(d)->between > 0.9;
    const struct {
        bool is;
        const char *verdict, *sentence;
    } rows[] = {
        {d->svi.point, "points", "points, not draws of a posterior: they say nothing of what the data leave open"},
        {state_of(d, "constant") == CRDI_FAILS, "constant",
         "do not believe these draws: there are parameters that never change"},
        {state_of(d, "stuck") == CRDI_FAILS, "stuck_chain", "do not believe these draws: a chain is stuck"},
        {few && !far_apart, "too_short", "do not believe these draws yet: there are too few"},
        {modes, "two_modes",
         "do not believe these draws as they are: the chains stay in different places, as in different modes"},
        {state_of(d, "divergences") == CRDI_FAILS, "divergences",
         "do not believe these draws: they diverge, so a part of the posterior may be missing"},
        {moving, "not_mixed",
         d->particles ? "do not believe these draws yet: the runs of particles do not agree"
                      : "do not believe these draws yet: the chains have not come to rest"},
        {short_of_draws(d), "too_short", "do not believe these draws yet: they are worth too few independent ones"},
        {state_of(d, "energy") == CRDI_FAILS, "energy",
         "do not believe these draws: the energy hardly moves, so tails may be missing"},
        {outside, "modes_outside", "believe what they say of inputs like the data; outside them the chains disagree"},
        {state_of(d, "guide") == CRDI_FAILS, "guide", "do not believe these draws: the guide misses the posterior"},
        {d->state >= CRDI_CARE, "care", "the draws can be used with care"},
    };
    d->verdict = "good";
    d->sentence = d->independent ? "the draws can be believed: the guide is close to the posterior"
                                 : "the draws can be believed: the chains agree and are worth enough independent draws";
    for (int i = 0; i < CRDI_COUNT(rows); i++)
        if (rows[i].is) {
            d->verdict = rows[i].verdict;
            d->sentence = rows[i].sentence;
            break;
        }
    /* The verdict says what the findings come to: one that fails for itself, as too few draws of one row's likelihood are
     * worth, may need care only. */
    bool care = strcmp(d->verdict, "care") == 0 || strcmp(d->verdict, "modes_outside") == 0;
    d->state = strcmp(d->verdict, "good") == 0 ? CRDI_HOLDS : care ? CRDI_CARE : CRDI_FAILS;
}

crd_status crdi_diagnosis_judge(crdi_diagnosis *d)
{
    crdi_string t;
    crdi_string_init(&t, d->ctx);
    d->finding_count = 0;
    d->state = CRDI_HOLDS;
    if (d->laplace.hessian)
        look_at_laplace(d, &t);
    else if (d->independent)
        look_at_guide(d, &t);
    else {
        look_at_draws(d, &t);
        look_at_constant(d, &t);
        look_at_stuck(d, &t);
        look_at_r_hat(d, &t);
        look_at_ess(d, &t);
        for (int k = 0; d->space && k < CRDI_FUNCTION_PLACES; k++)
            look_at_place(d, &t, (crdi_function_place)k);
        look_at_weights(d, &t);
        look_at_divergences(d, &t);
        look_at_energy(d, &t);
        look_at_noise(d, &t);
        look_at_depth(d, &t);
        look_at_evidence(d, &t);
    }
    decide(d);
    crd_status status = t.status;
    crdi_string_clear(&t);
    for (int i = 0; i < d->finding_count && status == CRD_OK; i++)
        if (!d->finding[i].text)
            status = CRD_ENOMEM;
    return status;
}
