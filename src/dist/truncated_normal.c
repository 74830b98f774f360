/* truncated_normal.c - TruncatedNormal(loc, scale, low, high): a normal that stays between low and high, either of which may
 * be infinite.
 *   log p(x) = log phi(z) - log(scale) - log(Phi(b) - Phi(a)),  z = (x - loc) / scale, a and b the bounds moved so too
 *   draw: by the inverse distribution function, in the tail where the interval is.
 * Differences of Phi are taken in the lower tail, where they do not cancel: an interval above 0 is mirrored. A bound that
 * is infinite must be known to be, and be infinite everywhere: its terms are left out, because their gradients would be
 * 0 times infinity. */
#include "dist/dist.h"
#include "graph/graph.h"

#include <math.h>

/* How many elements of a bound are infinite: none (0), all (1), some (2). */
static int infinite(crd_node bound)
{
    const double *known = &bound.number;
    if (bound.graph && !crd_node_known(bound, &known))
        return 0;
    int64_t size = bound.graph ? crd_shape_size(crd_node_shape(bound)) : 1, count = 0;
    for (int64_t i = 0; i < size; i++)
        count += isinf(known[i]) != 0;
    return count == 0 ? 0 : count == size ? 1 : 2;
}

/* The interval between a and b in the lower tail: mirrored (from -b to -a) where `mirrored` is not 0. */
struct interval {
    bool has_low, has_high; /* of the mirrored interval */
    crd_node low, high, mirrored;
};

static struct interval lower_tail(const crd_dist *d, crd_node low, crd_node high)
{
    crd_node a = crdi_standardise(low, d->param[0], d->param[1]), b = crdi_standardise(high, d->param[0], d->param[1]);
    if (infinite(low))
        return (struct interval){false, !infinite(high), b, b, crd_num(0)};
    if (infinite(high))
        return (struct interval){false, true, a, crd_neg(a), crd_num(1)};
    crd_node above = crd_less(crd_num(0), a);
    return (struct interval){true, true, crd_select(above, crd_neg(b), a), crd_select(above, crd_neg(a), b), above};
}

/* log of the mass of the normal in the interval. */
static crd_node log_mass(const struct interval *t)
{
    if (!t->has_high)
        return crd_num(0);
    crd_node high = crd_log_normal_cdf(t->high);
    if (!t->has_low)
        return high;
    return crd_add(high, crd_log(crd_neg(crd_expm1(crd_sub(crd_log_normal_cdf(t->low), high)))));
}

static crd_node log_mass_of(const crd_dist *d, crd_node low, crd_node high)
{
    struct interval t = lower_tail(d, low, high);
    return log_mass(&t);
}

static crd_node log_density(crd_node z)
{
    return crd_sub(crd_mul(crd_num(-0.5), crd_square(z)), crd_num(CRDI_HALF_LOG_2PI));
}

static crd_support support(const crd_dist *d)
{
    crd_node low = d->param[2], high = d->param[3];
    crd_constraint bounded = infinite(low) ? CRD_BELOW : infinite(high) ? CRD_ABOVE : CRD_INTERVAL;
    return (crd_support){infinite(low) && infinite(high) ? CRD_REAL : bounded, low, high};
}

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_node low = d->param[2], high = d->param[3], z = crdi_standardise(x, d->param[0], d->param[1]);
    if (x.graph && (infinite(low) == 2 || infinite(high) == 2))
        return crdi_fail(
            x.graph, CRD_EUNSUPPORTED, CRD_HERE,
            "truncated_normal: a bound is infinite for some elements and finite for others; use a site each");
    crd_node density = crd_sub(log_density(z), crd_add(crd_log(d->param[1]), log_mass_of(d, low, high)));
    if (crdi_known(low) && crdi_known(high))
        return density;
    crd_node inside = crd_mul(crd_less_equal(low, x), crd_less_equal(x, high));
    return crd_select(inside, density, crd_num(-INFINITY));
}

/* In the mirrored interval Phi(z) = Phi(low) + p mass, 1 - p for p where it is mirrored. */
static crd_node quantile(const crd_dist *d, crd_node p)
{
    struct interval t = lower_tail(d, d->param[2], d->param[3]);
    crd_node log_p = crd_select(t.mirrored, crd_log1p(crd_neg(p)), crd_log(p));
    crd_node log_cdf = crd_add(log_p, log_mass(&t));
    if (t.has_low) {
        crd_node low = crd_log_normal_cdf(t.low);
        log_cdf = crd_add(low, crd_softplus(crd_sub(log_cdf, low)));
    }
    crd_node z = crd_normal_quantile(crd_min(log_cdf, crd_num(-DBL_EPSILON / 4)));
    crd_node x = crd_add(d->param[0], crd_mul(d->param[1], crd_select(t.mirrored, crd_neg(z), z)));
    /* Rounding may put it outside. */
    x = infinite(d->param[2]) ? x : crd_max(x, d->param[2]);
    return infinite(d->param[3]) ? x : crd_min(x, d->param[3]);
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    return quantile(d, crdi_uniform_positive(key, shape));
}

/* phi(a) / mass and a phi(a) / mass at a bound; 0 for an infinite one. */
static crd_node edge(const crd_dist *d, int bound, int power)
{
    if (infinite(d->param[bound]))
        return crd_num(0);
    crd_node a = crdi_standardise(d->param[bound], d->param[0], d->param[1]);
    crd_node share = crd_exp(crd_sub(log_density(a), log_mass_of(d, d->param[2], d->param[3])));
    return power ? crd_mul(a, share) : share;
}

static crd_node mean(const crd_dist *d)
{
    return crd_add(d->param[0], crd_mul(d->param[1], crd_sub(edge(d, 2, 0), edge(d, 3, 0))));
}

static crd_node variance(const crd_dist *d)
{
    crd_node shift = crd_sub(edge(d, 2, 0), edge(d, 3, 0)), slope = crd_sub(edge(d, 2, 1), edge(d, 3, 1));
    return crd_mul(crd_square(d->param[1]), crd_sub(crd_add(crd_num(1), slope), crd_square(shift)));
}

static crd_node cdf(const crd_dist *d, crd_node x)
{
    crd_node low = d->param[2], high = d->param[3];
    x = infinite(high) ? x : crd_min(x, high);
    x = infinite(low) ? x : crd_max(x, low);
    return crd_exp(crd_sub(log_mass_of(d, low, x), log_mass_of(d, low, high)));
}

/* log(scale mass) + (log(2 pi) + 1) / 2 + (a phi(a) - b phi(b)) / (2 mass) */
static crd_node entropy(const crd_dist *d)
{
    crd_node slope = crd_mul(crd_num(0.5), crd_sub(edge(d, 2, 1), edge(d, 3, 1)));
    crd_node mass = crd_add(crd_log(d->param[1]), log_mass_of(d, d->param[2], d->param[3]));
    return crd_add(crd_add(mass, crd_num(CRDI_HALF_LOG_2PI + 0.5)), slope);
}

const crd_dist_type crdi_dist_truncated_normal = {
    .name = "truncated_normal",
    .param_count = 4,
    .param = {{"loc", CRD_REAL, 0},
              {"scale", CRD_POSITIVE, 0},
              {"low", CRD_LOWER_BOUND, 0},
              {"high", CRD_UPPER_BOUND, 0}},
    .support = support,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .cdf = cdf,
    .entropy = entropy,
    .quantile = quantile,
};
