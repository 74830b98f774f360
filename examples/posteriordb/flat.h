/* flat.h - improper priors */
#ifndef EXAMPLES_FLAT_H
#define EXAMPLES_FLAT_H
#include <credence/credence.h>

static inline crd_node flat_log_prob(const crd_dist *d, crd_node x)
{
    (void)d;
    return crd_mul(crd_num(0), x);
}
static inline crd_support flat_real(const crd_dist *d)
{
    (void)d;
    return (crd_support){CRD_REAL, crd_num(0), crd_num(0)};
}
static inline crd_support flat_pos(const crd_dist *d)
{
    (void)d;
    return (crd_support){CRD_POSITIVE, crd_num(0), crd_num(0)};
}
static inline crd_support flat_simplex(const crd_dist *d)
{
    (void)d;
    return (crd_support){CRD_SIMPLEX, crd_num(0), crd_num(0)};
}
static inline crd_node flat_simplex_log_prob(const crd_dist *d, crd_node x)
{
    (void)d;
    return crd_sum_axis(crd_mul(crd_num(0), x), -1);
}
static inline crd_shape two(const crd_dist *d)
{
    (void)d;
    return crd_shape_1(2);
}
static const crd_dist_type flat_type = {.name = "flat", .support = flat_real, .log_prob = flat_log_prob};
static const crd_dist_type flat_pos_type = {.name = "flat_positive", .support = flat_pos, .log_prob = flat_log_prob};
static const crd_dist_type flat_simplex_type = {
    .name = "flat_simplex", .support = flat_simplex, .log_prob = flat_simplex_log_prob, .event_shape = two};
#define FLAT ((crd_dist){.type = &flat_type})
#define FLAT_POSITIVE ((crd_dist){.type = &flat_pos_type})
#define FLAT_SIMPLEX ((crd_dist){.type = &flat_simplex_type})
#endif
