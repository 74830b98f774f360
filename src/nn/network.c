/* network.c - the network with a likelihood that the command line fits (the tutorial's model, with its settings as data). */
#include "nn/likelihood.h"
#include "nn/network_linear.h"
#include "nn/nn.h"
#include "nn/prior_form.h"

#include <stdio.h>
#include <string.h>

/* Messages name no line: this model is ours, and what is wrong is a setting. */
#undef CRD_HERE
#define CRD_HERE ((crd_where){NULL, 0})

enum { MAX_LAYERS = 32 };

static crd_node failed(crd_trace *t)
{
    if (t->status == CRD_OK)
        t->status = crd_error_status(t->ctx);
    return (crd_node){t->graph, -1, 0};
}

/* The likelihood with the distribution that it needs, and settings that go with it. */
static const crdi_likelihood *find_likelihood(crd_trace *t, const crd_network *net, const crd_dist_type **type)
{
    const crdi_likelihood *likelihood = crdi_likelihood_find(t->ctx, net->likelihood);
    if (!likelihood)
        return NULL;
    *type = crd_dist_type_find(likelihood->dist);
    if (!*type)
        crd_trace_fail(t, CRD_EUNSUPPORTED, CRD_HERE, "likelihood %s: there is no distribution %s", likelihood->name,
                       likelihood->dist);
    else if (strcmp(likelihood->name, "categorical") == 0 && net->classes < 2)
        crd_trace_fail(t, CRD_EINVAL, CRD_HERE, "likelihood categorical: %lld classes, at least 2 are needed",
                       (long long)net->classes);
    else if (!likelihood->noisy && crdi_network_targets(net) > 1)
        crd_trace_fail(t, CRD_EINVAL, CRD_HERE,
                       "likelihood %s takes one target, not %lld; normal and student_t take several", likelihood->name,
                       (long long)net->targets);
    else if (!likelihood->noisy && crdi_network_heteroscedastic(net))
        crd_trace_fail(t, CRD_EINVAL, CRD_HERE, "likelihood %s has no noise that could be heteroscedastic",
                       likelihood->name);
    return t->status == CRD_OK ? likelihood : NULL;
}

/* s with a prior: a number for each target. */
static crd_node sample_noise(crd_trace *t, const crd_network *net)
{
    crd_dist noise;
    if (crd_dist_parse(t->ctx, net->noise, &noise) < 0)
        return failed(t);
    if (noise.type->support(&noise).kind == CRD_POSITIVE)
        return crd_sample(t, "s", net->targets > 1 ? crd_dist_expand(noise, crd_shape_1(net->targets)) : noise);
    crd_trace_fail(t, CRD_EPRIOR, CRD_HERE,
                   "noise '%s': the prior of a standard deviation must be of positive "
                   "numbers, as half_cauchy:0.5 is",
                   net->noise);
    return failed(t);
}

/* `count` of the network's outputs, or all if it has no others; one alone is no axis. */
static crd_node outputs(crd_node out, bool some, int64_t first, int64_t count)
{
    if (count == 1)
        return crd_take(out, 1, first);
    return some ? crd_slice(out, 1, first, count, 1) : out;
}

crd_node crd_network_model(crd_trace *t, void *user)
{
    const crd_network *net = user;
    const crd_dist_type *type;
    int64_t width[MAX_LAYERS];
    int layers = crd_widths_parse(t->ctx, net->hidden, width, MAX_LAYERS);
    const crdi_likelihood *likelihood = layers < 0 ? NULL : find_likelihood(t, net, &type);
    if (!likelihood)
        return failed(t);
    bool by_row = crdi_network_heteroscedastic(net);
    int64_t width_of_f = crdi_network_width(net);
    crd_node x = crd_data(t, "x", &net->x), s = crd_num(1);
    const crd_module *mlp = crd_mlp(t, width, layers, by_row ? 2 * width_of_f : width_of_f, net->activation);
    const crd_prior *prior = crd_prior(t, net->prior);
    if (crdi_prior_names(prior, "s")) {
        crd_trace_fail(t, CRD_EPRIOR, CRD_HERE,
                       "prior rule 's': the noise is no parameter of the network; noise (--noise) sets its prior");
        return failed(t);
    }
    crd_node out = crd_random_module(t, "net", mlp, x, prior);
    if (net->linear_about && crd_node_ok(out))
        out = crdi_network_linear(t, net, layers + 1, x);
    if (likelihood->noisy && !by_row)
        s = sample_noise(t, net);
    /* Sites for all rows come before the plate: parameters of the likelihood, f and s as a whole. */
    crd_node f = crd_deterministic(t, "f", outputs(out, by_row, 0, width_of_f));
    if (by_row)
        s = crd_deterministic(t, "s", crd_softplus(outputs(out, true, width_of_f, width_of_f)));
    crd_dist y = likelihood->make(t, net, type, f, s);
    if (crdi_network_targets(net) > 1)
        y = crd_dist_to_event(y, 1); /* one draw a row: rows are what is left out and predicted */
    crd_plate data = crd_plate_enter(t, "data", net->x.shape.dim[0]);
    crd_observe(t, "y", y, net->y);
    crd_plate_leave(data);
    return f;
}

int crd_widths_parse(crd_context *ctx, const char *text, int64_t *out, int most)
{
    char copy[256];
    int count = 0;
    if (strcmp(text, "none") == 0)
        return 0;
    snprintf(copy, sizeof copy, "%s", text);
    for (char *piece = copy, *next; piece; piece = next) {
        next = strchr(piece, ',');
        if (next)
            *next++ = 0;
        if (count == most || !crdi_parse_int(piece, &out[count]) || out[count] < 1 || out[count] > 1 << 20) {
            crdi_raise(ctx, CRD_EINVAL, "hidden '%s': widths between 1 and %d are needed, as in '16,16', or 'none'",
                       text, 1 << 20);
            return -1;
        }
        count++;
    }
    return count;
}
