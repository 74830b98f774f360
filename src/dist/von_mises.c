/* von_mises.c - VonMises(loc, concentration k): the normal of the circle, x an angle in [-pi, pi].
 *   log p(x) = k cos(x - loc) - log(2 pi I_0(k)), I_0 the modified Bessel function
 *   draw: loc + an angle about 0, by rejection, brought back to the circle; gradients flow to loc only
 *   cdf: from -pi, by crd_von_mises_cdf and the whole turns that x and -pi are away from loc
 *   mean and variance are the circular ones: loc on the circle, 1 - I_1(k) / I_0(k). */
#include "dist/dist.h"

static const double PI = 3.14159265358979323846, LOG_2PI = 1.83787706640934548356;

/* The angle less whole turns: in [-pi, pi]. */
static crd_node on_circle(crd_node angle)
{
    crd_node turns = crd_floor(crd_div(crd_add(angle, crd_num(PI)), crd_num(2 * PI)));
    crd_node x = crd_sub(angle, crd_mul(crd_num(2 * PI), turns));
    return crd_min(crd_max(x, crd_num(-PI)), crd_num(PI));
}

static crd_support support(const crd_dist *d)
{
    (void)d;
    return (crd_support){CRD_INTERVAL, crd_num(-PI), crd_num(PI)};
}

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_node k = d->param[1], constant = crd_add(crd_num(LOG_2PI), crd_log_bessel_i0(k));
    return crd_sub(crd_mul(k, crd_cos(crd_sub(x, d->param[0]))), constant);
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    return on_circle(crd_add(d->param[0], crd_random_von_mises_node(key, d->param[1], shape)));
}

/* The distribution function of the angle from loc, which rises by one with every turn. */
static crd_node turned_cdf(const crd_dist *d, crd_node x)
{
    crd_node angle = crd_sub(x, d->param[0]);
    crd_node turns = crd_floor(crd_div(crd_add(angle, crd_num(PI)), crd_num(2 * PI)));
    return crd_add(turns, crd_von_mises_cdf(d->param[1], crd_sub(angle, crd_mul(crd_num(2 * PI), turns))));
}

static crd_node cdf(const crd_dist *d, crd_node x)
{
    crd_node inside = crd_min(crd_max(x, crd_num(-PI)), crd_num(PI));
    crd_node share = crd_sub(turned_cdf(d, inside), turned_cdf(d, crd_num(-PI)));
    return crd_min(crd_max(share, crd_num(0)), crd_num(1));
}

static crd_node mean(const crd_dist *d)
{
    return on_circle(d->param[0]);
}

static crd_node variance(const crd_dist *d)
{
    return crd_sub(crd_num(1), crd_bessel_ratio(d->param[1]));
}

static crd_node entropy(const crd_dist *d)
{
    crd_node k = d->param[1], peak = crd_mul(k, crd_bessel_ratio(k));
    return crd_add(crd_num(LOG_2PI), crd_sub(crd_log_bessel_i0(k), peak));
}

const crd_dist_type crdi_dist_von_mises = {
    .name = "von_mises",
    .param_count = 2,
    .param = {{"loc", CRD_REAL, 0}, {"concentration", CRD_POSITIVE, 0}},
    .support = support,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .cdf = cdf,
    .entropy = entropy,
    .tested = 1u << 1,
};
