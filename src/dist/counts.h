/* counts.h - what the distributions of counts share; see counts.c. */
#ifndef CRDI_DIST_COUNTS_H
#define CRDI_DIST_COUNTS_H

#include "dist/dist.h"

crd_support crdi_support_count(const crd_dist *dist);
/* x log(y) and x log1p(y), 0 where x is 0 whatever y is. */
crd_node crdi_xlogy(crd_node x, crd_node y);
crd_node crdi_xlog1py(crd_node x, crd_node y);
/* log Gamma(a + x) - log Gamma(a). */
crd_node crdi_lgamma_ratio(crd_node a, crd_node x);
/* log of n over x, the binomial coefficient; -infinity where x > n. */
crd_node crdi_log_choose(crd_node n, crd_node x);
/* log_p where x is at most n, else -infinity: formulas beyond have poles of both signs. */
crd_node crdi_up_to(crd_node n, crd_node x, crd_node log_p);
/* The distribution function of counts as a sum of probabilities; x must be known. */
crd_node crdi_count_cdf(const crd_dist *dist, crd_node x);
/* The first count whose distribution function reaches p, from one that rounding may have moved by one. */
crd_node crdi_count_step(const crd_dist *dist, crd_node count, crd_node p);
/* The same where count and p are known now and not large; else count as it is: the distribution function is a sum. */
crd_node crdi_count_quantile(const crd_dist *dist, crd_node count, crd_node p);
/* x with an axis of length one behind its own. */
crd_node crdi_column(crd_node x);

#endif
