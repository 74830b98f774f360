/* flat.c - see flat.h. Also an example of distributions of one's own: each is a crd_dist_type and no more. They cannot be
 * drawn from, so that a model that has them has no prior predictive. */
#include "flat.h"

static crd_node log_prob(const crd_dist *dist, crd_node x)
{
    (void)dist;
    return crd_mul(crd_num(0), x); /* the zeros must have the shape of x */
}

static crd_node log_prob_of_simplex(const crd_dist *dist, crd_node x)
{
    return crd_sum_axis(log_prob(dist, x), -1);
}

static crd_shape shape_of_simplex(const crd_dist *dist)
{
    return crd_shape_1((int64_t)dist->param[0].number);
}

static crd_support real(const crd_dist *dist)
{
    (void)dist;
    return (crd_support){CRD_REAL, crd_num(0), crd_num(0)};
}

static crd_support positive(const crd_dist *dist)
{
    (void)dist;
    return (crd_support){CRD_POSITIVE, crd_num(0), crd_num(0)};
}

static crd_support interval(const crd_dist *dist)
{
    return (crd_support){CRD_INTERVAL, dist->param[0], dist->param[1]};
}

static crd_support simplex(const crd_dist *dist)
{
    (void)dist;
    return (crd_support){CRD_SIMPLEX, crd_num(0), crd_num(0)};
}

static const crd_dist_type type_flat = {.name = "flat", .support = real, .log_prob = log_prob};
static const crd_dist_type type_positive = {.name = "flat_positive", .support = positive, .log_prob = log_prob};
static const crd_dist_type type_interval = {.name = "flat_interval",
                                            .param_count = 2,
                                            .param = {{"low", CRD_REAL, 0}, {"high", CRD_ABOVE, 0}},
                                            .support = interval,
                                            .log_prob = log_prob};
static const crd_dist_type type_simplex = {.name = "flat_simplex",
                                           .param_count = 1,
                                           .param = {{"k", CRD_POSITIVE, 0}},
                                           .event_shape = shape_of_simplex,
                                           .support = simplex,
                                           .log_prob = log_prob_of_simplex};

crd_dist flat(void)
{
    return (crd_dist){.type = &type_flat};
}

crd_dist flat_positive(void)
{
    return (crd_dist){.type = &type_positive};
}

crd_dist flat_interval(crd_node low, crd_node high)
{
    return (crd_dist){.type = &type_interval, .param = {low, high}};
}

crd_dist flat_simplex(int64_t k)
{
    return (crd_dist){.type = &type_simplex, .param = {crd_num((double)k)}};
}
