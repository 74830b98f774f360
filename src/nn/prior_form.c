/* prior_form.c - priors as text, and what their forms are made of. */
#include "nn/prior_form.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PRIOR(name, argument, what) extern const crdi_prior_form crdi_prior_##name;
#include "nn/priors.def"
#undef PRIOR

static const struct {
    const crdi_prior_form *form;
    const char *argument, *what;
} forms[] = {
#define PRIOR(name, argument, what) {&crdi_prior_##name, argument, what},
#include "nn/priors.def"
#undef PRIOR
};

const char *crd_prior_form_name(int i)
{
    return i >= 0 && i < CRDI_COUNT(forms) ? forms[i].form->name : NULL;
}

const char *crd_prior_form_arguments(int i)
{
    return i >= 0 && i < CRDI_COUNT(forms) ? forms[i].argument : NULL;
}

const char *crd_prior_form_what(int i)
{
    return i >= 0 && i < CRDI_COUNT(forms) ? forms[i].what : NULL;
}

/* ---- reading ------------------------------------------------------------------------------------------------- */

/* A prior being read: where it stands in a trace, for messages. */
struct reader {
    crd_trace *trace;
    crd_where where;
    const char *whole; /* the prior as typed */
};

enum { NESTED = 8 }; /* forms within forms; each may stand once */

static bool refuse(const struct reader *r, const char *why)
{
    crd_trace_fail(r->trace, CRD_EPRIOR, r->where, "prior '%s': %s", r->whole, why);
    return false;
}

static bool refuse_argument(const struct reader *r, int form)
{
    crd_trace_fail(r->trace, CRD_EPRIOR, r->where, "prior '%s': %s is written %s(%s)", r->whole, forms[form].form->name,
                   forms[form].form->name, forms[form].argument);
    return false;
}

static bool read_dist(const struct reader *r, const char *text, bool positive, crd_dist *out)
{
    crd_status status = crd_dist_parse(r->trace->ctx, text, out);
    if (status < 0) {
        if (r->trace->status == CRD_OK)
            r->trace->status = crdi_error_prefix(r->trace->ctx, status, "prior");
        return false;
    }
    if (out->type->discrete) {
        crd_trace_fail(r->trace, CRD_EPRIOR, r->where, "prior '%s': %s is discrete", r->whole, out->type->name);
        return false;
    }
    if (!positive || out->type->support(out).kind == CRD_POSITIVE)
        return true;
    crd_trace_fail(r->trace, CRD_EPRIOR, r->where,
                   "prior '%s': '%s' is the prior of a scale, it must be of positive numbers, as half_cauchy:1 is",
                   r->whole, text);
    return false;
}

static bool read_numbers(const struct reader *r, int form, char *text, double *out)
{
    for (int i = 0; i < forms[form].form->numbers; i++) {
        char *comma = strchr(text, ',');
        if ((comma != NULL) != (i + 1 < forms[form].form->numbers))
            return refuse_argument(r, form);
        if (comma)
            *comma = 0;
        if (!crdi_parse_double(text, &out[i]))
            return refuse_argument(r, form);
        if (!(out[i] > 0) || !isfinite(out[i])) {
            crd_trace_fail(r->trace, CRD_EPRIOR, r->where, "prior '%s': %s is no positive number", r->whole, text);
            return false;
        }
        text = comma ? comma + 1 : text;
    }
    return true;
}

/* The name of a group, and what stands behind its comma. */
static char *read_name(const struct reader *r, int form, char *text, const char **name)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    size_t length = strspn(text, good);
    if (length == 0 || text[length] != ',') {
        refuse_argument(r, form);
        return NULL;
    }
    text[length] = 0;
    *name = text;
    return text + length + 1;
}

static int find_form(const char *text, size_t length)
{
    for (int i = 0; i < CRDI_COUNT(forms); i++)
        if (strlen(forms[i].form->name) == length && strncmp(forms[i].form->name, text, length) == 0)
            return i;
    return -1;
}

static const char *form_name(const void *list, int64_t i)
{
    (void)list;
    return forms[i].form->name;
}

static const char *dist_name(const void *list, int64_t i)
{
    (void)list;
    return crd_dist_type_get((int)i)->name;
}

/* A name that is neither a form nor a distribution, and near to a form only. */
static bool check_unknown(const struct reader *r, const char *text, size_t length)
{
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name - 1), text);
    if (crd_dist_type_find(name))
        return text[length] == '(' ? refuse(r, "a distribution is written NAME:NUMBERS") : true;
    int64_t dists = 0;
    while (crd_dist_type_get((int)dists))
        dists++;
    const char *near = crdi_nearest(name, form_name, NULL, CRDI_COUNT(forms));
    if (near && !crdi_nearest(name, dist_name, NULL, dists)) {
        crd_trace_fail(r->trace, CRD_EPRIOR, r->where, "unknown prior '%s'; did you mean '%s'?", name, near);
        return false;
    }
    return true; /* crd_dist_parse names the nearest distribution */
}

static bool read_term(const struct reader *r, char *text, int depth, crdi_prior_term *out);

static bool read_argument(const struct reader *r, int form, char *text, int depth, crdi_prior_term *out)
{
    const crdi_prior_form *f = forms[form].form;
    if (f->numbers)
        return read_numbers(r, form, text, out->number);
    if (f->named && !(text = read_name(r, form, text, &out->name)))
        return false;
    if (!f->nested)
        return read_dist(r, text, true, &out->dist);
    if (depth + 1 == NESTED)
        return refuse(r, "too many forms within each other");
    crdi_prior_term *inner = crdi_arena_alloc(r->trace->arena, sizeof *inner);
    if (!inner) {
        r->trace->status = CRD_ENOMEM;
        return false;
    }
    out->inner = inner;
    return read_term(r, text, depth + 1, inner);
}

static bool read_term(const struct reader *r, char *text, int depth, crdi_prior_term *out)
{
    size_t length = strcspn(text, ":(");
    int form = find_form(text, length);
    out->text = r->whole;
    if (form < 0)
        return check_unknown(r, text, length) && read_dist(r, text, false, &out->dist);
    out->form = forms[form].form;
    if (!text[length])
        return refuse_argument(r, form);
    char *argument = text + length + 1;
    if (text[length] == '(') {
        size_t end = strlen(argument);
        if (end == 0 || argument[end - 1] != ')')
            return refuse(r, "a parenthesis is not closed");
        argument[end - 1] = 0;
    }
    return read_argument(r, form, argument, depth, out);
}

/* Forms that stand around others must fit: each once, and noncentered around scales. */
static bool check_nesting(const struct reader *r, const crdi_prior_term *term)
{
    bool noncentered = false, scales = false;
    for (const crdi_prior_term *t = term; t; t = t->inner) {
        for (const crdi_prior_term *u = t->inner; t->form && u; u = u->inner)
            if (u->form == t->form)
                return refuse(r, "a form stands within itself");
        noncentered = noncentered || t->form == &crdi_prior_noncentered;
        scales = scales || (t->form && t->form->scales);
    }
    if (noncentered && !scales)
        return refuse(r, "noncentered needs a prior with scales, as in noncentered(scale(half_cauchy:1))");
    return true;
}

bool crdi_prior_read(crd_trace *trace, const char *text, crd_where where, crdi_prior_term *out)
{
    struct reader r = {trace, where, crdi_arena_strdup(trace->arena, text)};
    char *copy = crdi_arena_strdup(trace->arena, text);
    if (!copy || !r.whole) {
        trace->status = CRD_ENOMEM;
        return false;
    }
    return read_term(&r, copy, 0, out) && check_nesting(&r, out);
}

/* ---- drawing ------------------------------------------------------------------------------------------------- */

static crd_node bad(const crdi_prior_request *request)
{
    return (crd_node){request->trace->graph, -1, 0};
}

/* The distribution of factor times a draw. Parameters of location and scale are multiplied; a type that has others only
 * (but shapes and degrees of freedom) cannot be scaled. */
static bool scale_dist(const crdi_prior_term *term, const crdi_prior_request *request, crd_dist *dist)
{
    static const char *const scaled[] = {"loc", "scale", "low", "high"};
    int found = 0;
    for (int i = 0; i < dist->type->param_count; i++)
        for (int k = 0; k < CRDI_COUNT(scaled); k++) {
            if (strcmp(dist->type->param[i].name, scaled[k]) != 0)
                continue;
            dist->param[i].number *= request->factor;
            found++;
        }
    if (found > 0 && strcmp(dist->type->name, "log_normal") != 0) /* there they are of the logarithm */
        return true;
    crd_trace_fail(request->trace, CRD_EPRIOR, request->where,
                   "prior '%s': %s has no scale to be divided by sqrt(fan in)", term->text, dist->type->name);
    return false;
}

crd_node crdi_prior_draw(const crdi_prior_term *term, crdi_prior_request *request)
{
    if (term->form)
        return term->form->draw(term, request);
    crd_dist dist = term->dist;
    if (request->factor != 1 && !scale_dist(term, request, &dist))
        return bad(request);
    return crd_sample_at(request->trace, request->path, crd_dist_expand(dist, request->shape), request->where);
}

crd_node crdi_prior_sample(crdi_prior_request *request, const char *suffix, crd_dist dist)
{
    char *path = crdi_arena_printf(request->trace->arena, "%s.%s", request->path, suffix);
    if (path)
        return crd_sample_at(request->trace, path, dist, request->where);
    request->trace->status = CRD_ENOMEM;
    return bad(request);
}

crd_node crdi_prior_normal(crdi_prior_request *request, crd_node scale)
{
    if (!crd_node_ok(scale))
        return bad(request);
    if (request->factor != 1)
        scale = crd_mul(crd_num(request->factor), scale);
    if (!request->noncentered)
        return crd_sample_at(request->trace, request->path,
                             crd_dist_expand(crd_normal(crd_num(0), scale), request->shape), request->where);
    crd_node raw =
        crdi_prior_sample(request, "raw", crd_dist_expand(crd_normal(crd_num(0), crd_num(1)), request->shape));
    return crd_deterministic_at(request->trace, request->path, crd_mul(raw, scale), request->where);
}
