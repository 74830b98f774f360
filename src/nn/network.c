/* network.c - the network with a likelihood that the command line fits (the tutorial's model, with its settings as data). */
#include "dist/dist.h"
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
    bool plain = crdi_network_plain(net);
    if (crd_dist_parse(t->ctx, plain ? "flat_above:0" : net->noise, &noise) < 0)
        return failed(t);
    if (plain || noise.type->support(&noise).kind == CRD_POSITIVE)
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

/* ---- the network ------------------------------------------------------------------------------------------------ */

static crd_plate enter_data(crd_trace *t, const crd_network *net)
{
    return crd_plate_enter_with(t, "data", net->x.shape.dim[0], &(crd_plate_options){.subsample_size = net->batch});
}

/* The rows that are taken now, all or a batch. */
static crd_node take_rows(crd_trace *t, const crd_network *net, crd_node all)
{
    crd_plate data = enter_data(t, net);
    crd_node rows = crd_subsample(data, all, 0);
    crd_plate_leave(data);
    return rows;
}

const crd_module *crdi_network_module(crd_trace *t, const crd_network *net)
{
    int64_t width[MAX_LAYERS];
    int layers = crd_widths_parse(t->ctx, net->hidden, width, MAX_LAYERS);
    int64_t outputs = crdi_network_width(net) * (crdi_network_heteroscedastic(net) ? 2 : 1);
    return layers < 0 ? NULL : crd_mlp(t, width, layers, outputs, net->activation);
}

/* weight_decay / 2 times the sum of squares of all that was sampled so far: the network's parameters. */
static void add_decay(crd_trace *t, const crd_network *net)
{
    crd_node sum = crd_num(0);
    for (int i = 0; i < crd_trace_count(t); i++) {
        const crd_message *m = crd_trace_site(t, i);
        if (crdi_is_latent(m))
            sum = crd_add(sum, crd_sum(crd_mul(m->value, m->value)));
    }
    crd_factor(t, "weight_decay", crd_mul(crd_num(-0.5 * net->weight_decay), sum));
}

/* The module with its parameters at x. */
static crd_node apply(crd_trace *t, const crd_network *net, crd_node x)
{
    const crd_module *mlp = crdi_network_module(t, net);
    if (!mlp)
        return failed(t);
    const crd_prior *prior = crd_prior(t, crdi_network_plain(net) ? "flat" : net->prior);
    if (crdi_prior_names(prior, "s")) {
        crd_trace_fail(t, CRD_EPRIOR, CRD_HERE,
                       "prior rule 's': the noise is no parameter of the network; noise (--noise) sets its prior");
        return failed(t);
    }
    crd_node out = crd_random_module(t, "net", mlp, x, prior);
    if (net->linear_about && crd_node_ok(out)) {
        int64_t width[MAX_LAYERS];
        out = crdi_network_linear(t, net, crd_widths_parse(t->ctx, net->hidden, width, MAX_LAYERS) + 1, x);
    }
    return out;
}

/* ---- the data --------------------------------------------------------------------------------------------------- */

/* The weight of each row taken; crdi_nothing: all count once. */
static crd_node row_weights(crd_trace *t, const crd_network *net)
{
    crd_array all;
    if (!net->class_weight || !net->y)
        return crdi_nothing;
    if (crd_array_init(t->ctx, &all, net->y->shape) < 0) {
        t->status = CRD_ENOMEM;
        return failed(t);
    }
    for (int64_t i = 0; i < all.shape.dim[0]; i++)
        all.data[i] = net->class_weight[(int64_t)net->y->data[i]];
    crd_node weights = take_rows(t, net, crd_constant(t->graph, &all));
    crd_array_clear(&all);
    return weights;
}

/* y in its plate; rows whose weight w is not 1 count w - 1 times more. */
static void observe(crd_trace *t, const crd_network *net, const crd_dist *dist, crd_node f)
{
    crd_node weights = row_weights(t, net), y = crdi_nothing;
    if (net->y)
        y = take_rows(t, net, crd_constant(t->graph, net->y));
    crd_plate data = enter_data(t, net);
    if (!net->y) {
        crd_sample(t, "y", *dist);
    } else if (net->training && crdi_network_squares(net)) {
        crd_node miss = crd_sub(y, f), square = crd_mul(miss, miss);
        crd_factor(t, "y", crd_neg(crdi_network_targets(net) > 1 ? crd_sum_axis(square, 1) : square));
    } else {
        crd_observe_value(t, "y", *dist, y);
        if (!crdi_is_nothing(weights))
            crd_factor(t, "class_weight", crd_mul(crd_sub(weights, crd_num(1)), crdi_dist_log_prob_inside(dist, y)));
    }
    crd_plate_leave(data);
}

static void observe_mean(crd_trace *t, const crd_network *net, const crd_dist *dist, crd_node f)
{
    crd_scale_handler mean;
    crd_scale_init(&mean, 1 / crdi_network_weight(net));
    if (crd_trace_push(t, &mean.handler) == CRD_OK)
        observe(t, net, dist, f);
    crd_trace_pop(t, &mean.handler);
}

crd_node crd_network_model(crd_trace *t, void *user)
{
    const crd_network *net = user;
    const crd_dist_type *type;
    crd_graph_set_precision(crd_trace_graph(t), net->precision);
    const crdi_likelihood *likelihood = find_likelihood(t, net, &type);
    if (!likelihood)
        return failed(t);
    bool by_row = crdi_network_heteroscedastic(net), squares = net->training && crdi_network_squares(net);
    int64_t width = crdi_network_width(net);
    crd_node s = crd_num(1), out = apply(t, net, take_rows(t, net, crd_data(t, "x", &net->x)));
    if (net->training && crdi_network_plain(net) && net->weight_decay > 0)
        add_decay(t, net);
    if (likelihood->noisy && !by_row && !squares)
        s = sample_noise(t, net);
    /* Sites for all rows come before the plate: parameters of the likelihood, f and s as a whole. */
    crd_node f = crd_deterministic(t, "f", outputs(out, by_row, 0, width));
    if (by_row)
        s = crd_deterministic(t, "s", crd_softplus(outputs(out, true, width, width)));
    crd_dist y = likelihood->make(t, net, type, f, s);
    if (crdi_network_targets(net) > 1)
        y = crd_dist_to_event(y, 1); /* one draw a row: rows are what is left out and predicted */
    (net->training ? observe_mean : observe)(t, net, &y, f);
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
