/* bijection.c - from all reals to the support of a distribution.
 *   positive: x = exp(u), log |dx/du| = u
 *   unit interval: x = sigmoid(u), log |dx/du| = -softplus(u) - softplus(-u)
 *   interval: x = low + (high - low) sigmoid(u), that plus log(high - low)
 * as in Stan's reference manual (constraint transforms) and in NumPyro's biject_to. */
#include "dist/dist.h"

int crd_bijection_exists(crd_support support)
{
    return support.kind == CRD_REAL || support.kind == CRD_POSITIVE || support.kind == CRD_UNIT_INTERVAL ||
           support.kind == CRD_INTERVAL;
}

crd_node crd_bijection_forward(crd_support support, crd_node u)
{
    switch (support.kind) {
    case CRD_POSITIVE:
        return crd_exp(u);
    case CRD_UNIT_INTERVAL:
        return crd_sigmoid(u);
    case CRD_INTERVAL:
        return crd_add(support.low, crd_mul(crd_sub(support.high, support.low), crd_sigmoid(u)));
    default:
        return u;
    }
}

crd_node crd_bijection_log_jacobian(crd_support support, crd_node u)
{
    crd_node steep = crd_neg(crd_add(crd_softplus(u), crd_softplus(crd_neg(u))));
    switch (support.kind) {
    case CRD_POSITIVE:
        return crd_sum(u);
    case CRD_UNIT_INTERVAL:
        return crd_sum(steep);
    case CRD_INTERVAL:
        return crd_sum(crd_add(steep, crd_log(crd_sub(support.high, support.low))));
    default:
        return crd_num(0);
    }
}

crd_node crd_bijection_inverse(crd_support support, crd_node x)
{
    crd_node share = x;
    switch (support.kind) {
    case CRD_POSITIVE:
        return crd_log(x);
    case CRD_INTERVAL:
        share = crd_div(crd_sub(x, support.low), crd_sub(support.high, support.low));
        return crd_sub(crd_log(share), crd_log1p(crd_neg(share)));
    case CRD_UNIT_INTERVAL:
        return crd_sub(crd_log(share), crd_log1p(crd_neg(share)));
    default:
        return x;
    }
}
