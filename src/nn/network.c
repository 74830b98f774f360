/* network.c - the regression network that the command line fits (the tutorial's model, with its settings as data). */
#include "model/model.h"

#include <credence/nn.h>

/* Messages name no line: this model is ours, and what is wrong is a setting. */
#undef CRD_HERE
#define CRD_HERE ((crd_where){NULL, 0})

enum { MAX_LAYERS = 32 };

crd_node crd_network_model(crd_trace *t, void *user)
{
    const crd_network *net = user;
    int64_t width[MAX_LAYERS];
    crd_dist noise;
    int layers = crd_widths_parse(t->ctx, net->hidden, width, MAX_LAYERS);
    if (layers < 0 || crd_dist_parse(t->ctx, net->noise, &noise) < 0) {
        t->status = crd_error_status(t->ctx);
        return (crd_node){t->graph, -1, 0};
    }
    if (noise.type->support(&noise).kind != CRD_POSITIVE) {
        crd_trace_fail(t, CRD_EPRIOR, CRD_HERE,
                       "noise '%s': the prior of a standard deviation must be of positive "
                       "numbers, as half_cauchy:0.5 is",
                       net->noise);
        return (crd_node){t->graph, -1, 0};
    }
    crd_node x = crd_data(t, "x", &net->x);
    const crd_module *mlp = crd_mlp(t, width, layers, 1, net->activation);
    crd_node out = crd_random_module(t, "net", mlp, x, crd_prior(t, net->prior));
    crd_node s = crd_sample(t, "s", noise);
    crd_plate data = crd_plate_enter(t, "data", net->x.shape.dim[0]);
    crd_node f = crd_deterministic(t, "f", crd_take(out, 1, 0));
    crd_observe(t, "y", crd_normal(f, s), net->y);
    crd_plate_leave(data);
    return f;
}
