/* guide.h - automatic guides: families of approximate posteriors over the unconstrained vector u of a model.
 *
 * A guide is a formula of its parameters and of a key: a draw u, and log q(u). All are reparameterised, so that the
 * gradient of an expectation is the expectation of a gradient (Kingma & Welling 2014). A new one is a file in guides/ and
 * a row in guides.def. */
#ifndef CRDI_GUIDE_H
#define CRDI_GUIDE_H

#include <credence/graph.h>
#include "base/base.h"

/* What a guide says of one draw. */
typedef struct crdi_guide_draw {
    crd_node u; /* (dim) */
    crd_node log_q; /* log q(u), a scalar */
    /* Of a guide whose elements are independent normals, else crdi_nothing: for losses with analytic divergences. */
    crd_node loc, scale; /* (dim) */
    crd_node log_q_element; /* (dim) log q of each element */
} crdi_guide_draw;

typedef struct crdi_guide crdi_guide;

typedef struct crdi_guide_type {
    const char *name;
    /* The number of parameters for a model of `dim` numbers. */
    int64_t (*params)(const crdi_guide *guide);
    /* Parameters of a guide that is centred at u with standard deviations init_scale. */
    void (*start)(const crdi_guide *guide, const double *u, double init_scale, double *params);
    crdi_guide_draw (*draw)(const crdi_guide *guide, crd_node params, crd_node key);
    bool point; /* a single point, whose density is that of the constrained values (no log |dx/du|) */
} crdi_guide_type;

struct crdi_guide {
    const crdi_guide_type *type;
    int64_t dim;
    int64_t rank; /* of low_rank_multivariate_normal */
};

/* CRD_ENAME names the nearest. */
crd_status crdi_guide_find(crd_context *ctx, const char *name, const crdi_guide_type **out);
const crdi_guide_type *crdi_guide_get(int i);

/* Shared by guides: standard deviations as softplus of parameters, as NumPyro's AutoNormal has them. */
double crdi_softplus_inverse(double scale);
/* A draw loc + scale eps of independent normals, and its densities. */
crdi_guide_draw crdi_guide_independent(crd_node loc, crd_node scale, crd_node key, int64_t dim);

#endif
