/* dist.h - the types, and what their files share. */
#ifndef CRDI_DIST_H
#define CRDI_DIST_H

#include <credence/dist.h>
#include <float.h>
#include "base/base.h"

#define DIST(name, count, params, what) extern const crd_dist_type crdi_dist_##name;
#include "dist/dist.def"
#undef DIST

#define COMPOUND(name, count, params, what) extern const crd_dist_type crdi_dist_##name;
#include "dist/compound.def"
#undef COMPOUND
extern const crd_dist_type crdi_dist_masked;
extern const crd_dist_type crdi_dist_stacked;

static const double CRDI_HALF_LOG_2PI = 0.91893853320467274178;

/* Supports without bounds of their own. */
static inline crd_support crdi_support_real(const crd_dist *dist)
{
    (void)dist;
    return (crd_support){CRD_REAL, crd_num(0), crd_num(0)};
}

static inline crd_support crdi_support_positive(const crd_dist *dist)
{
    (void)dist;
    return (crd_support){CRD_POSITIVE, crd_num(0), crd_num(0)};
}

/* (x - loc) / scale. */
static inline crd_node crdi_standardise(crd_node x, crd_node loc, crd_node scale)
{
    return crd_div(crd_sub(x, loc), scale);
}

/* Uniform numbers in [DBL_MIN, 1): for inverse distribution functions that are infinite at 0. The lower end takes the
 * place of the 0 that one uniform number in 2^52 is. */
static inline crd_node crdi_uniform_positive(crd_node key, crd_shape shape)
{
    return crd_max(crd_random_uniform_node(key, shape), crd_num(DBL_MIN));
}

/* A draw of Gamma(concentration, 1), and its entropy; see gamma.c. */
crd_node crdi_draw_gamma(crd_node concentration, crd_node key, crd_shape shape);
crd_node crdi_gamma_entropy(crd_node concentration);

/* The standard normal quantile of p and of 1 - p, accurate in both tails. */
static inline crd_node crdi_normal_quantile(crd_node p)
{
    crd_node upper = crd_neg(crd_normal_quantile(crd_log1p(crd_neg(p))));
    return crd_select(crd_less(crd_num(0.5), p), upper, crd_normal_quantile(crd_log(p)));
}

/* log(p / (1 - p)) */
static inline crd_node crdi_logit(crd_node p)
{
    return crd_sub(crd_log(p), crd_log1p(crd_neg(p)));
}

/* crd_dist_log_prob of an x that is in the support, which nothing looks at: what a bijection gives, and checked data. */
crd_node crdi_dist_log_prob_inside(const crd_dist *dist, crd_node x);
/* Some value of a support, with the shape of x, through which no gradient flows. */
crd_node crdi_harmless(crd_support support, crd_node x);
/* Whether a parameter's elements are known now. */
bool crdi_known(crd_node node);
/* value with the shape of x, which a formula without x does not have. */
crd_node crdi_repeat(crd_node value, crd_node x);
/* x, moved into (0, 1) if it was rounded to an end. */
crd_node crdi_inside_unit(crd_node x);
/* The distribution function of a number that is 0 with the given probability, else 1. */
crd_node crdi_boolean_cdf(crd_node zero, crd_node x);
/* A whole number that is known now: the length of a vector, the rows of a matrix; 0 if it is not. */
int64_t crdi_known_count(crd_node node);
/* The extent of axis -1, -2, ... of a node; 0 if it has fewer. */
int64_t crdi_extent(crd_node node, int axis);

/* Compound types; see compound.c. */
const char *crdi_compound_what(const crd_dist_type *type);
/* The batch of the base without the axes that the type uses up; false if there is no base or no such axes. */
/* Whether draws are formulas that carry the gradient of all parameters. */
bool crdi_dist_reparameterised(const crd_dist *dist);
bool crdi_base_batch(const crd_dist *dist, crd_shape *out);
crd_status crdi_compound_defect(const crd_dist *dist, char *text, size_t size);

/* crd_dist_check without raising: the status, and the message (without its beginning) as text. */
crd_status crdi_dist_defect(const crd_dist *dist, char *text, size_t size);

#endif
