/* masked.c - what crd_dist_mask makes: the log density of the base where the mask is 1, and 0 where it is 0.
 *
 * Where the mask is 0, x is replaced by a value of the support before the density is taken: a select behind it would hide
 * an infinite log density, and leave the NaN that its slope times 0 is. Draws, moments and cdf are the base's. */
#include "dist/compound.h"

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_node mask = crd_stop_gradient(d->param[0]);
    crd_node safe =
        crd_select(crdi_spread_event(mask, crdi_base_event_shape(d)), x, crdi_harmless(crdi_base_support(d), x));
    return crd_select(mask, crdi_dist_log_prob_inside(d->base, safe), crd_num(0));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    return crdi_base_draw(d, key, shape);
}

static crd_node mean(const crd_dist *d)
{
    return crdi_base_moment(d, CRDI_MEAN);
}

static crd_node variance(const crd_dist *d)
{
    return crdi_base_moment(d, CRDI_VARIANCE);
}

const crd_dist_type crdi_dist_masked = {
    .name = "masked",
    .param_count = 1,
    .param = {{"mask", CRD_BOOLEAN, 0}},
    .support = crdi_base_support,
    .event_shape = crdi_base_event_shape,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .cdf = crdi_base_cdf,
    .compound = 1,
};
