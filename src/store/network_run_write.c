/* network_run_write.c - what describes a network's run, written into its file. */
#include "store/network_run.h"
#include "nn/likelihood.h"
#include "nn/nn.h"
#include "store/dataset.h"
#include "store/json.h"

#include <credence/handler.h>

#include <string.h>

/* ---- priors ------------------------------------------------------------------------------------------------- */

/* The latent sites come from a trace of the model; their values do not matter and stay open. */
struct traced {
    crd_trace *trace;
    crd_handler open;
};

static crd_status trace_prior(crd_context *ctx, const crd_network *network, struct traced *out)
{
    CRD_TRY(crd_trace_create(&out->trace, ctx));
    crd_input_init(&out->open);
    crd_status status = crd_trace_push(out->trace, &out->open);
    crd_network copy = *network;
    if (status == CRD_OK)
        status = crd_trace_run(out->trace, crd_network_model, &copy);
    if (status < 0)
        crd_trace_destroy(&out->trace);
    return status;
}

static bool is_latent(const crd_message *m)
{
    return m->kind == CRD_MESSAGE_SAMPLE && !m->observed;
}

/* "normal:0,1": the distribution as it is typed. */
static crd_status prior_of(crd_context *ctx, const crd_trace *trace, const crd_message *m, char *out, size_t size)
{
    crdi_string s;
    crdi_string_init(&s, ctx);
    crdi_prior_text(trace, m, &s);
    size_t length = s.length < size - 1 ? s.length : size - 1;
    memcpy(out, crdi_string_text(&s), length);
    out[length] = 0;
    crdi_string_clear(&s);
    return s.status;
}

enum { PRIOR = 400 };

/* The sites from number `from` on that have its prior: a line that is broken between sites, or several. */
static crd_status add_group(crd_context *ctx, const crd_trace *trace, int from, const char *prior, int indent,
                            crdi_string *out)
{
    enum { WIDTH = 100 };
    char other[PRIOR], shape[96];
    crdi_string_append(out, "%s on", prior);
    size_t at = (size_t)indent + strlen(prior) + 3, deeper = at + 1;
    for (int i = from; i < crd_trace_count(trace); i++) {
        const crd_message *m = crd_trace_site(trace, i);
        if (!is_latent(m))
            continue;
        CRD_TRY(prior_of(ctx, trace, m, other, sizeof other));
        if (strcmp(other, prior) != 0)
            continue;
        shape[0] = 0;
        if (m->shape.ndim > 0)
            crdi_shape_text(m->shape, shape, sizeof shape);
        size_t length = strlen(m->name) + (*shape ? 1 + strlen(shape) : 0);
        bool breaks = i > from && at + 2 + length + 1 > WIDTH; /* with the comma that may follow */
        crdi_string_append(out, "%s", i > from ? "," : "");
        if (breaks)
            crdi_string_append(out, "\n%*s", (int)deeper, "");
        crdi_string_append(out, "%s%s%s%s", breaks ? "" : " ", m->name, *shape ? " " : "", shape);
        at = breaks ? deeper + length : at + 2 + length;
    }
    crdi_string_append(out, "\n");
    return out->status;
}

static crd_status add_groups(crd_context *ctx, const crd_trace *trace, int indent, crdi_string *out)
{
    char prior[PRIOR], earlier[PRIOR];
    int lines = 0;
    for (int i = 0; i < crd_trace_count(trace); i++) {
        bool seen = !is_latent(crd_trace_site(trace, i));
        if (!seen)
            CRD_TRY(prior_of(ctx, trace, crd_trace_site(trace, i), prior, sizeof prior));
        for (int k = 0; k < i && !seen; k++) {
            if (!is_latent(crd_trace_site(trace, k)))
                continue;
            CRD_TRY(prior_of(ctx, trace, crd_trace_site(trace, k), earlier, sizeof earlier));
            seen = strcmp(prior, earlier) == 0;
        }
        if (seen)
            continue;
        crdi_string_append(out, "%*s", lines++ ? indent : 0, "");
        CRD_TRY(add_group(ctx, trace, i, prior, indent, out));
    }
    return out->status;
}

crd_status crdi_network_priors_text(crd_context *ctx, const crd_network *network, int indent, crdi_string *out)
{
    struct traced t;
    if (crdi_network_plain(network)) {
        crdi_string_append(out, "none\n");
        return out->status;
    }
    CRD_TRY(trace_prior(ctx, network, &t));
    crd_status status = add_groups(ctx, t.trace, indent, out);
    crd_trace_destroy(&t.trace);
    return status;
}

static crd_status add_json(crd_context *ctx, const crd_trace *trace, crdi_string *out)
{
    crdi_json_writer w = {.out = out};
    char prior[PRIOR];
    crdi_json_open(&w, NULL, '[');
    for (int i = 0; i < crd_trace_count(trace); i++) {
        const crd_message *m = crd_trace_site(trace, i);
        if (!is_latent(m))
            continue;
        CRD_TRY(prior_of(ctx, trace, m, prior, sizeof prior));
        crdi_json_open(&w, NULL, '{');
        crdi_json_put_text(&w, "site", m->name);
        crdi_json_open(&w, "shape", '[');
        for (int d = 0; d < m->shape.ndim; d++)
            crdi_json_put_integer(&w, NULL, m->shape.dim[d]);
        crdi_json_close(&w, ']');
        crdi_json_put_text(&w, "prior", prior);
        crdi_json_close(&w, '}');
    }
    crdi_json_close(&w, ']');
    return out->status;
}

crd_status crdi_network_priors_json(crd_context *ctx, const crd_network *network, crdi_string *out)
{
    struct traced t;
    CRD_TRY(trace_prior(ctx, network, &t));
    crd_status status = add_json(ctx, t.trace, out);
    crd_trace_destroy(&t.trace);
    return status;
}

/* ---- entries ------------------------------------------------------------------------------------------------ */

static crd_status put_weights(crdi_json_writer *w, const crd_network *n)
{
    crdi_string text;
    char number[32];
    crdi_string_init(&text, w->out->ctx);
    for (int64_t k = 0; k < n->classes; k++)
        crdi_string_append(&text, "%s%s", k ? "," : "", crdi_format_double(number, n->class_weight[k]));
    crdi_json_put_text(w, "class_weights", crdi_string_text(&text));
    crd_status status = text.status;
    crdi_string_clear(&text);
    return status;
}

static crd_status write_network(const crd_network *n, crdi_string *out)
{
    crdi_json_writer w = {.out = out};
    crdi_json_open(&w, NULL, '{');
    crdi_json_put_text(&w, "hidden", n->hidden);
    crdi_json_put_text(&w, "activation", n->activation);
    crdi_json_put_text(&w, "prior", n->prior);
    crdi_json_put_text(&w, "noise", n->noise);
    /* Only where they say something: a run of an ordinary network is described as it always was. */
    if (n->likelihood && strcmp(n->likelihood, "normal") != 0)
        crdi_json_put_text(&w, "likelihood", n->likelihood);
    if (n->df)
        crdi_json_put_text(&w, "df", n->df);
    if (n->concentration)
        crdi_json_put_text(&w, "concentration", n->concentration);
    if (n->class_weight)
        CRD_TRY(put_weights(&w, n));
    crdi_json_close(&w, '}');
    return out->status;
}

typedef crd_status (*write_fn)(crd_context *ctx, const crdi_network_description *d, crdi_string *out);

static crd_status network_text(crd_context *ctx, const crdi_network_description *d, crdi_string *out)
{
    (void)ctx;
    return write_network(d->network, out);
}

static crd_status recipe_text(crd_context *ctx, const crdi_network_description *d, crdi_string *out)
{
    (void)ctx;
    return crdi_recipe_write(d->recipe, out);
}

static crd_status priors_text(crd_context *ctx, const crdi_network_description *d, crdi_string *out)
{
    return crdi_network_priors_json(ctx, d->network, out);
}

static crd_status set_made(crdi_run *run, const crdi_network_description *d, const char *key, write_fn write)
{
    crd_context *ctx = d->recipe->ctx;
    crdi_string text;
    crdi_string_init(&text, ctx);
    crd_status status = write(ctx, d, &text);
    if (status == CRD_OK)
        status = crdi_run_set_text(run, key, crdi_string_text(&text));
    crdi_string_clear(&text);
    return status;
}

crd_status crdi_network_run_describe(crdi_run *run, const crdi_network_description *d)
{
    CRD_TRY(crdi_run_set_text(run, "model", "network"));
    CRD_TRY(set_made(run, d, "network", network_text));
    CRD_TRY(set_made(run, d, "recipe", recipe_text));
    CRD_TRY(set_made(run, d, "priors", priors_text));
    CRD_TRY(crdi_run_set_text(run, "data_name", d->data_name));
    CRD_TRY(crdi_run_set_text(run, "data_sha256", d->data_sha256));
    CRD_TRY(crdi_run_set_text(run, "options", d->options));
    CRD_TRY(crdi_run_set_text(run, "method", d->method));
    if (d->network->precision == CRD_SINGLE) /* as it always was where it is double */
        CRD_TRY(crdi_run_set_text(run, "precision", "single"));
    CRD_TRY(crdi_run_set_integer(run, "seed", d->seed));
    CRD_TRY(crdi_run_set_integer(run, "warmup", d->warmup));
    CRD_TRY(crdi_run_set_integer(run, "draws", d->draws));
    CRD_TRY(crdi_run_put_array(run, "x", &d->network->x));
    return crdi_run_put_array(run, "y", d->network->y);
}

crd_status crdi_network_run_settings(crdi_run *run, const crd_recipe *recipe, const crd_network *network)
{
    const crdi_network_description d = {.network = network, .recipe = recipe};
    CRD_TRY(set_made(run, &d, "network", network_text));
    return set_made(run, &d, "priors", priors_text);
}
