/* bayes_factor.c - see bayes_factor.h. */
#include "report/bayes_factor.h"
#include "nn/likelihood.h"
#include "report/evidence_text.h"
#include "report/table.h"
#include "store/dataset.h"
#include "store/network_laplace.h"
#include "store/network_tempered.h"

#include <math.h>
#include <string.h>

static const crdi_estimate unknown = {NAN, NAN, NAN, NAN};

/* ---- what a run says -------------------------------------------------------------------------------------------- */

static crd_status read_number(crd_run *run, const char *key, double *out)
{
    return crdi_run_has(run, key) ? crdi_run_get_number(run, key, out) : CRD_OK;
}

static crd_status read_run(crdi_bayes *b, const crdi_network_run *net, crdi_bayes_run *r)
{
    crd_evidence e;
    r->evidence = r->factor = unknown;
    CRD_TRY(crdi_network_run_need(net, "log evidences"));
    if (crdi_run_has(net->run, "method"))
        CRD_TRY(crdi_run_get_text(net->run, "method", &r->method));
    if (crdi_run_has_evidence(net->run)) {
        CRD_TRY(crdi_run_evidence_read(b->ctx, net->run, &e));
        r->evidence = (crdi_estimate){e.log_evidence, e.error, e.low, e.high};
        r->late = crdi_evidence_comes_late(&e);
        crd_evidence_clear(&e);
    } else {
        CRD_TRY(read_number(net->run, "laplace_log_evidence", &r->evidence.value));
        CRD_TRY(read_number(net->run, "svi_log_evidence", &r->evidence.value));
        r->set_by_data = crdi_run_is_laplace(net->run);
    }
    r->has_evidence = isfinite(r->evidence.value);
    return crdi_run_failure_of(net->run);
}

/* ---- the same data? --------------------------------------------------------------------------------------------- */

/* In words how the data differ that two evidences are densities of. */
struct words {
    char *text;
    size_t size;
};

static bool differ(const struct words *why, const char *format, ...) CRD_PRINTF(2, 3);
static bool differ(const struct words *why, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    crdi_format_v(why->text, why->size, format, arguments);
    va_end(arguments);
    return true;
}

static bool targets_differ(const crdi_network_run *a, const crdi_network_run *b, const struct words *why)
{
    const crd_recipe *r = a->recipe, *s = b->recipe;
    if (r->target_count != s->target_count)
        return differ(why, "they have different numbers of targets");
    for (int64_t j = 0; j < r->target_count; j++)
        if (strcmp(r->targets[j].name, s->targets[j].name) != 0)
            return differ(why, "one has the target '%.80s', the other '%.80s'", r->targets[j].name, s->targets[j].name);
    bool same = r->class_count == s->class_count;
    for (int64_t k = 0; same && k < r->class_count; k++)
        same = strcmp(r->class_name[k], s->class_name[k]) == 0;
    return same ? false : differ(why, "they know different classes");
}

/* Names that the file could be opened with. */
static bool outcomes_differ(const crdi_network_run *a, const crdi_network_run *b)
{
    const crdi_likelihood *of_a = crdi_likelihood_find(a->ctx, a->network.likelihood);
    const crdi_likelihood *of_b = crdi_likelihood_find(a->ctx, b->network.likelihood);
    return of_a && of_b && of_a->outcome != of_b->outcome;
}

static bool weights_differ(const crdi_network_run *a, const crdi_network_run *b)
{
    for (int64_t k = 0; k < a->recipe->class_count; k++) {
        double wa = a->network.class_weight ? a->network.class_weight[k] : 1;
        double wb = b->network.class_weight ? b->network.class_weight[k] : 1;
        if (wa != wb)
            return true;
    }
    return false;
}

static bool rows_differ(const crdi_network_run *a, const crdi_network_run *b, const struct words *why)
{
    int64_t rows = a->y.shape.dim[0], targets = a->recipe->target_count;
    if (rows != b->y.shape.dim[0])
        return differ(why, "one has %lld rows, the other %lld", (long long)rows, (long long)b->y.shape.dim[0]);
    for (int64_t j = 0; j < targets; j++) {
        double largest = 0;
        for (int64_t i = j; i < rows * targets; i += targets)
            largest = fmax(largest, fabs(crdi_recipe_own_units(a->recipe, i, a->y.data[i])));
        for (int64_t i = j; i < rows * targets; i += targets) {
            double ours = crdi_recipe_own_units(a->recipe, i, a->y.data[i]);
            double theirs = crdi_recipe_own_units(b->recipe, i, b->y.data[i]);
            if (!(fabs(ours - theirs) <= 1e-9 * largest)) /* what was scaled comes back with rounding errors */
                return differ(why, "in row %lld %.80s is %.6g in one, and %.6g in the other", (long long)(i / targets),
                              a->recipe->targets[j].name, ours, theirs);
        }
    }
    return false;
}

static bool data_differ(const crdi_network_run *a, const crdi_network_run *b, const struct words *why)
{
    if (targets_differ(a, b, why))
        return true;
    if (outcomes_differ(a, b))
        return differ(why, "densities of numbers and probabilities of counts are no measures of the same");
    if (rows_differ(a, b, why))
        return true;
    return weights_differ(a, b) ? differ(why, "their classes have different weights") : false;
}

/* ---- factors ---------------------------------------------------------------------------------------------------- */

/* log of what a density of the scaled targets is divided by to be one of the targets in their own units. */
static double log_scale(const crdi_network_run *net)
{
    double sum = 0;
    for (int64_t j = 0; j < net->recipe->target_count; j++)
        sum += (double)net->y.shape.dim[0] * log(net->recipe->targets[j].sd);
    return sum;
}

static crdi_estimate difference(crdi_estimate a, crdi_estimate b)
{
    double d = a.value - b.value;
    return (crdi_estimate){d, hypot(a.error, b.error), d - hypot(a.value - a.low, b.high - b.value),
                           d + hypot(a.high - a.value, b.value - b.low)};
}

static void convert(crdi_estimate *e, double by)
{
    e->value += by;
    e->low += by;
    e->high += by;
}

/* The factor of run i over the first. */
static void compare(crdi_bayes *b, crdi_network_run *const *net, int i)
{
    static const double ROUNDING = 1e-9;
    char how[256];
    crdi_bayes_run *first = &b->run[0], *r = &b->run[i];
    if (data_differ(net[0], net[i], &(struct words){how, sizeof how})) {
        if (!*b->why)
            crdi_format(b->why, sizeof b->why, "%.100s and %.100s are of different data: %s", first->name, r->name,
                        how);
        return;
    }
    double by = log_scale(net[0]) - log_scale(net[i]);
    if (fabs(by) > ROUNDING) {
        convert(&r->evidence, by);
        b->scaled = true;
    }
    r->factor = difference(r->evidence, first->evidence);
}

static crd_status make(crdi_bayes *b, crdi_network_run *const *net, const char *const *name, int count)
{
    if (!(b->run = crdi_alloc_array(b->ctx, count, sizeof *b->run)))
        return CRD_ENOMEM;
    b->count = count;
    for (int i = 0; i < count; i++) {
        b->run[i].name = name[i];
        CRD_TRY(read_run(b, net[i], &b->run[i]));
        b->known += b->run[i].has_evidence;
    }
    for (int i = 1; i < count && b->known > 1; i++)
        compare(b, net, i);
    return CRD_OK;
}

crd_status crdi_bayes_make(crd_context *ctx, crdi_network_run *const *net, const char *const *name, int count,
                           crdi_bayes *out)
{
    *out = (crdi_bayes){.ctx = ctx};
    return make(out, net, name, count);
}

void crdi_bayes_clear(crdi_bayes *b)
{
    if (!b->ctx)
        return;
    for (int i = 0; b->run && i < b->count; i++)
        crdi_free(b->ctx, b->run[i].method);
    crdi_free(b->ctx, b->run);
    *b = (crdi_bayes){0};
}

/* ---- in words --------------------------------------------------------------------------------------------------- */

static bool any_set_by_data(const crdi_bayes *b)
{
    for (int i = 0; i < b->count; i++)
        if (b->run[i].set_by_data)
            return true;
    return false;
}

static void factor_line(crdi_string *out, const crdi_bayes *b, const crdi_bayes_run *r)
{
    const crdi_estimate *f = &r->factor;
    crdi_string_append(out, "  log Bayes factor of %s over %s: ", r->name, b->run[0].name);
    crdi_evidence_number(out, f->value, f->error);
    if (isfinite(f->low) && isfinite(f->high)) {
        crdi_string_append(out, " (95 %% interval ");
        crdi_evidence_digits(out, f->low, f->error);
        crdi_string_append(out, " to ");
        crdi_evidence_digits(out, f->high, f->error);
        crdi_string_append(out, ")");
    } else {
        crdi_string_append(out, ", its error is not known");
    }
    crdi_string_append(out, "\n");
}

crd_status crdi_bayes_text(crdi_string *out, const crdi_bayes *b)
{
    int width = 0;
    if (b->known < 2)
        return out->status;
    for (int i = 0; i < b->count; i++)
        width = (int)strlen(b->run[i].name) > width ? (int)strlen(b->run[i].name) : width;
    crdi_string_append(out, "\nLog evidence, of the rows of the fits:\n");
    for (int i = 0; i < b->count; i++) {
        const crdi_bayes_run *r = &b->run[i];
        crdi_string_append(out, "  %-*s ", width, r->name);
        if (r->has_evidence)
            crdi_evidence_number(out, r->evidence.value, r->evidence.error);
        else
            crdi_string_append(out, "none");
        crdi_string_append(out, " (%s)\n", r->method ? r->method : "of an unknown method");
    }
    for (int i = 1; i < b->count && !*b->why; i++)
        if (isfinite(b->run[i].factor.value))
            factor_line(out, b, &b->run[i]);
    for (int i = 0; i < b->count; i++)
        if (b->run[i].late)
            crdi_string_append(out,
                               "note: the particles of %s came late to what its posterior is made of: its evidence is "
                               "too small, by more "
                               "than its error says; tempering tells\n",
                               b->run[i].name);
    if (*b->why)
        crdi_string_append(out, "note: no Bayes factor: %s\n", b->why);
    if (b->scaled)
        crdi_string_append(out,
                           "note: the runs scale the target differently; all evidences are those of the target as "
                           "%s has it\n",
                           b->run[0].name);
    if (any_set_by_data(b))
        crdi_string_append(out,
                           "note: laplace's evidence is an approximation about one mode, with the noise, and what "
                           "--tune sets, at values that the data chose: smc, ais and tempering average over them\n");
    return out->status;
}

/* ---- CSV and JSON ----------------------------------------------------------------------------------------------- */

crd_status crdi_bayes_csv(crdi_string *out, const crdi_bayes *b)
{
    for (int i = 0; i < b->count && b->known > 1 && !*b->why; i++) {
        const crdi_bayes_run *r = &b->run[i];
        const double value[] = {r->evidence.value, r->evidence.error, i > 0 ? r->factor.value : 0,
                                i > 0 ? r->factor.error : 0};
        char text[32];
        if (!r->has_evidence)
            continue;
        crdi_table_csv_cell(out, r->name);
        crdi_string_append(out, ",,log_evidence");
        for (int k = 0; k < CRDI_COUNT(value); k++)
            crdi_string_append(out, ",%s", crdi_format_double(text, value[k]));
        crdi_string_append(out, "\n");
    }
    return out->status;
}

void crdi_bayes_json(crdi_json_writer *w, const crdi_bayes *b)
{
    if (b->known < 2)
        return;
    crdi_json_open(w, "evidence", '[');
    for (int i = 0; i < b->count; i++) {
        const crdi_bayes_run *r = &b->run[i];
        w->line = true;
        crdi_json_open(w, NULL, '{');
        crdi_json_put_text(w, "run", r->name);
        crdi_json_put_text(w, "method", r->method);
        crdi_json_put_number_or_null(w, "log_evidence", r->evidence.value);
        crdi_json_put_number_or_null(w, "standard_error", r->evidence.error);
        if (i > 0) {
            crdi_json_put_number_or_null(w, "log_bayes_factor", r->factor.value);
            crdi_json_put_number_or_null(w, "log_bayes_factor_se", r->factor.error);
            crdi_json_put_number_or_null(w, "low", r->factor.low);
            crdi_json_put_number_or_null(w, "high", r->factor.high);
        }
        crdi_json_close(w, '}');
    }
    crdi_json_close(w, ']');
    crdi_json_put_text(w, "evidence_note", *b->why ? b->why : NULL);
}
