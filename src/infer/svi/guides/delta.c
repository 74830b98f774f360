/* delta.c - a point: u = parameters, log q = 0. The loss is then -log p(x, y) without log |dx/du|: its minimum is the
 * most probable point on the values' own scale, as with NumPyro's AutoDelta. */
#include "graph/graph.h"
#include "infer/svi/guide.h"

#include <string.h>

static int64_t params(const crdi_guide *guide)
{
    return guide->dim;
}

static void start(const crdi_guide *guide, const double *u, double init_scale, double *out)
{
    (void)init_scale;
    memcpy(out, u, sizeof *u * (size_t)guide->dim);
}

static crdi_guide_draw draw(const crdi_guide *guide, crd_node p, crd_node key)
{
    (void)guide;
    (void)key;
    return (crdi_guide_draw){
        .u = p, .log_q = crd_num(0), .loc = crdi_nothing, .scale = crdi_nothing, .log_q_element = crdi_nothing};
}

const crdi_guide_type crdi_guide_delta = {
    .name = "delta", .params = params, .start = start, .draw = draw, .point = true};
