/* dist.h - probability distributions as values: a type and its parameters, which are numbers or nodes of a graph.
 *
 * The constructors (crd_normal, crd_half_cauchy, ...) are in dist_table.h, which is generated from src/dist/dist.def. A
 * new distribution is one file src/dist/NAME.c, which ends in a crd_dist_type, and one row there. */
#ifndef CREDENCE_DIST_H
#define CREDENCE_DIST_H

#include <credence/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { CRD_DIST_MAX_PARAMS = 4 };

/** Sets that parameters and values lie in. */
typedef enum crd_constraint {
    CRD_REAL, /**< any finite number */
    CRD_POSITIVE, /**< x > 0 */
    CRD_UNIT_INTERVAL, /**< 0 < x < 1 */
    CRD_INTERVAL, /**< low <= x <= high */
    CRD_BOOLEAN, /**< 0 or 1 */
    CRD_CATEGORY, /**< 0, 1, ..., high - 1 */
    CRD_PROBABILITY, /**< 0 <= x <= 1; of parameters */
    CRD_SIMPLEX, /**< numbers from 0 to 1 whose sum along the last axis is 1; of parameters */
    CRD_ABOVE /**< finite and larger than the parameter before it; of parameters */
} crd_constraint;

/** Where a distribution has mass. low and high are used by CRD_INTERVAL, high by CRD_CATEGORY. */
typedef struct crd_support {
    crd_constraint kind;
    crd_node low, high;
} crd_support;

typedef struct crd_dist_type crd_dist_type;

/** A distribution. */
typedef struct crd_dist {
    const crd_dist_type *type; /**< NULL: a bad distribution */
    crd_node param[CRD_DIST_MAX_PARAMS];
    crd_shape batch; /**< independent copies asked for by crd_dist_expand; () if none */
} crd_dist;

/** One parameter of a type. */
typedef struct crd_dist_param {
    const char *name;
    crd_constraint constraint;
    int event_ndim; /**< axes of the parameter that belong to one draw: 0, or 1 for logits */
} crd_dist_param;

/** What a distribution's file provides. */
struct crd_dist_type {
    const char *name;
    int param_count;
    crd_dist_param param[CRD_DIST_MAX_PARAMS];
    int discrete; /**< values are whole numbers: no gradient sampler can draw them */
    crd_support (*support)(const crd_dist *dist);
    /** log p(x), one number a draw: the shape is that of x broadcast with the batch shape. Built from operations, so
     *  that gradients in x and in the parameters come for nothing. x is assumed to be in the support. */
    crd_node (*log_prob)(const crd_dist *dist, crd_node x);
    /** Draws of the given shape, reparameterised where that is possible: a formula of the key and the parameters. NULL
     *  if the type cannot be drawn from; handlers that need draws then fail with CRD_EUNSUPPORTED. */
    crd_node (*draw)(const crd_dist *dist, crd_node key, crd_shape shape);
    /** Optional: mean, variance, distribution function. */
    crd_node (*mean)(const crd_dist *dist);
    crd_node (*variance)(const crd_dist *dist);
    crd_node (*cdf)(const crd_dist *dist, crd_node x);
};

#include <credence/dist_table.h>

/** Independent copies: the batch shape becomes `shape` (the parameters must broadcast to it). */
CRD_API crd_dist crd_dist_expand(crd_dist dist, crd_shape shape);

/** The batch shape: that of the parameters broadcast together and with what was asked for.
 *  @return 1, or 0 if they do not broadcast (out is then unchanged). */
CRD_API int crd_dist_batch_shape(const crd_dist *dist, crd_shape *out);

/** Finds a type by name; NULL if there is none. */
CRD_API const crd_dist_type *crd_dist_type_find(const char *name);
/** The i-th type, counted from 0; NULL behind the last. */
CRD_API const crd_dist_type *crd_dist_type_get(int i);

/** What a type is, in a phrase: the text of its row in dist.def; "" for a type that is not registered. Static storage. */
CRD_API const char *crd_dist_type_what(const crd_dist_type *type);

/** Reads a distribution with constant parameters: "normal:0,1", "half_cauchy:0.5".
 *  @return CRD_OK; CRD_ENAME for an unknown name (the nearest is named); CRD_EINVAL for a wrong number of parameters or
 *          text among them; CRD_EDOMAIN for a parameter outside its domain; CRD_ESHAPE for a type whose parameters
 *          are arrays. */
CRD_API CRD_MUST_CHECK crd_status crd_dist_parse(crd_context *ctx, const char *text, crd_dist *out);

/** Checks the parameters that are known now. `what` begins the message ("site s"). @return CRD_OK; CRD_EDOMAIN;
 *  CRD_ESHAPE for a number where an array with the classes along its last axis is needed. */
CRD_API CRD_MUST_CHECK crd_status crd_dist_check(crd_context *ctx, const crd_dist *dist, const char *what);

/** Whether a number lies in a set (low and high as in crd_support; low for CRD_ABOVE). */
CRD_API int crd_constraint_holds(crd_constraint kind, double x, double low, double high);
/** "positive", "in the unit interval", ... Static storage. */
CRD_API const char *crd_constraint_text(crd_constraint kind);

/* The bijection of a support: from all reals to it. */

/** Whether there is one (a discrete support has none). */
CRD_API int crd_bijection_exists(crd_support support);
/** The value x of an unconstrained u. */
CRD_API crd_node crd_bijection_forward(crd_support support, crd_node u);
/** Sum over all elements of log |dx/du| at u. */
CRD_API crd_node crd_bijection_log_jacobian(crd_support support, crd_node u);
/** The unconstrained u of a value x. */
CRD_API crd_node crd_bijection_inverse(crd_support support, crd_node x);

#ifdef __cplusplus
}
#endif
#endif
