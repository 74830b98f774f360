/* fit_likelihood.c - what the target is: numbers, counts or classes, and what the network says of it. */
#include "cli/fit.h"
#include "nn/likelihood.h"
#include "store/dataset.h"

#include <math.h>
#include <string.h>

/* An option that goes with some likelihoods only. */
static crd_status check_goes_with(crdi_fit *f, const char *option, bool right, const char *which)
{
    if (right || !crdi_options_given(crdi_cli_options(f->call, &crdi_fit_table), option))
        return CRD_OK;
    return crdi_raise(f->cli->ctx, CRD_EINVAL, "option --%s goes with --likelihood %s", option, which);
}

/* How the target is to be read; auto waits for the data. */
crd_status crdi_fit_read_likelihood(crdi_fit *f)
{
    static const crd_target_kind kind[] = {CRD_TARGET_NUMBER, CRD_TARGET_COUNT, CRD_TARGET_CLASS}; /* by crdi_outcome */
    if (strcmp(f->o->likelihood, "auto") == 0)
        return CRD_OK;
    const crdi_likelihood *likelihood = crdi_likelihood_find(f->cli->ctx, f->o->likelihood);
    if (!likelihood)
        return CRD_ENAME;
    f->net.network.likelihood = likelihood->name;
    f->target_kind = kind[likelihood->outcome];
    return CRD_OK;
}

/* Numbers that were said to be names of classes. A few halves may be names; many different ones are measurements. */
static crd_status check_classes(const crdi_fit *f)
{
    enum { FEW = 10 };
    const crd_recipe *r = f->dataset->recipe;
    char shown[CRDI_SHOWN];
    double value;
    if (strcmp(f->o->likelihood, "auto") == 0 || r->target_kind != CRD_TARGET_CLASS ||
        (r->class_count <= FEW && 2 * r->class_count <= f->dataset->y.shape.dim[0]))
        return CRD_OK;
    for (int64_t k = 0; k < r->class_count; k++)
        if (crdi_parse_double(r->class_name[k], &value) && value != floor(value))
            return crdi_raise(f->cli->ctx, CRD_EDATA,
                              "likelihood %s is for classes, and the target '%s' holds %lld different numbers that are "
                              "not whole, as %s; a number is fitted with --likelihood normal or student_t",
                              f->o->likelihood, crdi_csv_show(shown, r->target), (long long)r->class_count,
                              r->class_name[k]);
    return CRD_OK;
}

/* What the network says of the target, once it was read. */
crd_status crdi_fit_settle_likelihood(crdi_fit *f)
{
    crd_context *ctx = f->cli->ctx;
    crd_network *network = &f->net.network;
    const crd_recipe *r = f->dataset->recipe;
    bool classes = r->target_kind == CRD_TARGET_CLASS;
    char shown[CRDI_SHOWN];
    if (!network->likelihood)
        network->likelihood = !classes ? "normal" : r->class_count == 2 ? "bernoulli" : "categorical";
    const char *name = network->likelihood;
    CRD_TRY(check_classes(f));
    if (strcmp(name, "bernoulli") == 0 && r->class_count != 2)
        return crdi_raise(ctx, CRD_EDATA,
                          "likelihood bernoulli: the target '%s' has %lld classes, not 2; categorical fits any "
                          "number",
                          crdi_csv_show(shown, r->target), (long long)r->class_count);
    const crdi_likelihood *likelihood = crdi_likelihood_find(ctx, name);
    bool student_t = strcmp(name, "student_t") == 0, negative_binomial = strcmp(name, "negative_binomial") == 0;
    CRD_TRY(check_goes_with(f, "df", student_t, "student_t"));
    CRD_TRY(check_goes_with(f, "concentration", negative_binomial, "negative_binomial"));
    CRD_TRY(check_goes_with(f, "noise", likelihood && likelihood->noisy, "normal and student_t"));
    network->df = student_t ? f->o->df : NULL;
    network->concentration = negative_binomial ? f->o->concentration : NULL;
    return CRD_OK;
}

/* rows / classes / rows of the class. */
static void balance(crdi_fit *f, double *weight)
{
    const crd_array *y = &f->dataset->y;
    int64_t rows = y->shape.dim[0], classes = f->dataset->recipe->class_count;
    for (int64_t k = 0; k < classes; k++) {
        int64_t count = 0;
        for (int64_t i = 0; i < rows; i++)
            count += y->data[i] == (double)k;
        weight[k] = (double)rows / (double)classes / (double)count;
    }
}

static const char *class_name(const void *list, int64_t i)
{
    return ((const crd_recipe *)list)->class_name[i];
}

/* The class that a text begins with, with a colon behind it; the longest. */
static int64_t find_class(const crd_recipe *r, const char *text, size_t *length)
{
    int64_t found = -1;
    *length = 0;
    for (int64_t k = 0; k < r->class_count; k++) {
        size_t n = strlen(r->class_name[k]);
        if (strncmp(text, r->class_name[k], n) == 0 && text[n] == ':' && (found < 0 || n > *length)) {
            found = k;
            *length = n;
        }
    }
    return found;
}

/* "name:weight,name:weight". */
static crd_status read_weights(crdi_fit *f, char *text, double *weight)
{
    const crd_recipe *r = f->dataset->recipe;
    for (char *next; text; text = next) {
        size_t length;
        int64_t k = find_class(r, text, &length);
        next = strchr(k < 0 ? text : text + length, ',');
        if (next)
            *next++ = 0;
        if (k < 0 && !strchr(text, ':'))
            return crdi_raise(f->cli->ctx, CRD_EINVAL,
                              "option --class-weights: '%s'; 'balanced' or NAME:WEIGHT,... is needed", text);
        if (k < 0) {
            *strrchr(text, ':') = 0;
            return crdi_raise_unknown(f->cli->ctx, "class", text, class_name, r, r->class_count);
        }
        if (!crdi_parse_double(text + length + 1, &weight[k]) || !(weight[k] > 0) || !isfinite(weight[k]))
            return crdi_raise(f->cli->ctx, CRD_EINVAL, "option --class-weights: '%s' is no weight above 0",
                              text + length + 1);
    }
    return CRD_OK;
}

crd_status crdi_fit_settle_weights(crdi_fit *f)
{
    const crd_recipe *r = f->dataset->recipe;
    if (!f->o->class_weights)
        return CRD_OK;
    if (r->target_kind != CRD_TARGET_CLASS)
        return crdi_raise(f->cli->ctx, CRD_EINVAL,
                          "option --class-weights goes with classes: --likelihood bernoulli "
                          "and categorical");
    char *text = crdi_arena_strdup(f->arena, f->o->class_weights);
    double *weight = crdi_arena_alloc(f->arena, sizeof *weight * (size_t)r->class_count);
    if (!text || !weight)
        return CRD_ENOMEM;
    f->net.network.class_weight = weight;
    for (int64_t k = 0; k < r->class_count; k++)
        weight[k] = 1;
    if (strcmp(text, "balanced") != 0)
        return read_weights(f, text, weight);
    balance(f, weight);
    return CRD_OK;
}

/* A numeric target of few whole numbers may be meant as classes or counts. */
void crdi_fit_hint(const crdi_fit *f, crdi_string *out)
{
    enum { FEW = 10 };
    const crd_recipe *r = f->dataset->recipe;
    double seen[FEW];
    int count = 0;
    int64_t rows = f->dataset->y.shape.dim[0];
    if (r->target_kind == CRD_TARGET_CLASS && r->class_count > FEW && 4 * r->class_count > rows)
        crdi_string_append(
            out, "        %lld classes in %lld rows: if they are counts, --likelihood poisson; numbers: normal\n",
            (long long)r->class_count, (long long)rows);
    if (strcmp(f->o->likelihood, "auto") != 0 || r->target_kind != CRD_TARGET_NUMBER || r->target_count > 1)
        return;
    for (int64_t i = 0; i < f->dataset->y.shape.dim[0]; i++) {
        double value = r->target_mean + r->target_sd * f->dataset->y.data[i], whole = round(value);
        if (fabs(value - whole) > 1e-9 * fmax(1, fabs(whole)))
            return;
        int k = 0;
        while (k < count && seen[k] != whole)
            k++;
        if (k == FEW)
            return;
        seen[k] = whole;
        count = k == count ? count + 1 : count;
    }
    crdi_string_append(
        out,
        "        only %d different whole numbers: if they are classes or counts, --likelihood categorical\n"
        "        (bernoulli for two) or poisson says so\n",
        count);
}
