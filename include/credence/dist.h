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

/** Most parameters of a distribution. */
enum { CRD_DIST_MAX_PARAMS = 4 };

/* enum crd_constraint: sets that parameters and values lie in (CRD_REAL, CRD_POSITIVE, CRD_SIMPLEX, ...). */
#include <credence/constraint_table.h>

/** Where a distribution has mass. low and high are used by CRD_INTERVAL, high by CRD_CATEGORY, CRD_COUNT_UP_TO and
 *  CRD_COUNTS (the total; with an axis of length one for the classes). */
typedef struct crd_support {
    crd_constraint kind; /**< the set */
    crd_node low; /**< its low end */
    crd_node high; /**< its high end */
} crd_support;

/** What a distribution's file provides. */
typedef struct crd_dist_type crd_dist_type;

/** A distribution. Compound ones (crd_mixture, crd_zero_inflated, crd_dist_mask, ...) are made of another, their base.
 *  They take it by value and keep the copy in the memory of the graph of their parameters, or of the base's: at least one
 *  of these must be a node of a graph. Batch and draws: the base's, joined with those of the parameters. */
typedef struct crd_dist {
    const crd_dist_type *type; /**< NULL: a bad distribution */
    crd_node param[CRD_DIST_MAX_PARAMS]; /**< its parameters, in the type's order */
    crd_shape batch; /**< independent copies asked for by crd_dist_expand; () if none */
    int joined; /**< last axes of the batch that crd_dist_to_event made part of one draw */
    const struct crd_dist *base; /**< of a compound type, borrowed from the graph; else NULL */
} crd_dist;

/** One parameter of a type. */
typedef struct crd_dist_param {
    const char *name; /**< "loc" */
    crd_constraint constraint; /**< the set that it lies in */
    int event_ndim; /**< axes of the parameter that belong to one draw: 0, 1 for logits, 2 for matrices */
} crd_dist_param;

/** What a distribution's file provides. */
struct crd_dist_type {
    const char *name; /**< "normal" */
    int param_count; /**< of param */
    crd_dist_param param[CRD_DIST_MAX_PARAMS]; /**< in the order of the constructor's arguments */
    int discrete; /**< values are whole numbers: no gradient sampler can draw them */
    /** The shape of one draw; NULL: a number. `log_prob` sums over it, `draw` is asked for batch and event axes. */
    crd_shape (*event_shape)(const crd_dist *dist);
    /** Where it has mass. */
    crd_support (*support)(const crd_dist *dist);
    /** log p(x), one number a draw: the shape is that of x without its event axes, broadcast with the batch shape. Built from operations, so
     *  that gradients in x and in the parameters come for nothing. x is assumed to be in the support. */
    crd_node (*log_prob)(const crd_dist *dist, crd_node x);
    /** Draws of the given shape, reparameterised where that is possible: a formula of the key and the parameters. NULL
     *  if the type cannot be drawn from; handlers that need draws then fail with CRD_EUNSUPPORTED. */
    crd_node (*draw)(const crd_dist *dist, crd_node key, crd_shape shape);
    /** Optional: mean, variance (of each element of a draw), distribution function. */
    crd_node (*mean)(const crd_dist *dist);
    /** Optional: variance, of each element of a draw. */
    crd_node (*variance)(const crd_dist *dist);
    /** Optional: distribution function. */
    crd_node (*cdf)(const crd_dist *dist, crd_node x);
    /** Optional: entropy in nats, one number a draw; the x with cdf(x) = p. */
    crd_node (*entropy)(const crd_dist *dist);
    /** Optional: the x with cdf(x) = p. */
    crd_node (*quantile)(const crd_dist *dist, crd_node p);
    int compound; /**< it has a base */
    int base_axes; /**< last axes of the base's batch that it uses up: 1 for a mixture, whose components they are */
    /** Bit i: where parameter i is computed, log_prob is minus infinity outside its domain by a test, because the formula
     *  would give a number there. The others' formulas give none (the logarithm of a negative scale). */
    unsigned tested;
    /** Draws do not carry the gradient of every parameter (a choice between components): variational
     *  inference takes their score instead. Discrete types need not say so. */
    int detached;
};

#include <credence/dist_table.h>

/** Independent copies: the batch shape becomes `shape` (the parameters must broadcast to it).
 *  @param dist  by value. @param shape  the new batch shape. */
CRD_API crd_dist crd_dist_expand(crd_dist dist, crd_shape shape);

/** The last `axes` axes of the batch become part of one draw: their log densities are summed, a plate does not see them
 *  (NumPyro's to_event).
 *  @param dist  by value. @param axes  0 or more, counted from the end. */
CRD_API crd_dist crd_dist_to_event(crd_dist dist, int axes);

/** The density to the power of a mask: where it is 0 the log density is 0, whatever x is, and no gradient flows.
 *  @param dist  by value.
 *  @param mask  0 or 1, broadcast with the batch shape. The number 1 gives dist itself. */
CRD_API crd_dist crd_dist_mask(crd_dist dist, crd_node mask);

/** Distributions of several families beside each other, the components of a mixture:
 *      crd_mixture(probs, crd_components((const crd_dist[]){crd_normal(a, b), crd_student_t(c, d, e)}, 2))
 *  Their batch shapes broadcast; draws must have one shape and be all discrete or all continuous. Where supports differ
 *  the mixture's is all numbers, and each counts only within its own.
 *  @param count  of dists.
 *  @param dists  copied, up to 64; at least one parameter must be a node of a graph. */
CRD_API crd_dist crd_components(const crd_dist *dists, int count);

/** Whether values are whole numbers (for a compound type: whether its base's are).
 *  @param dist  borrowed. */
CRD_API int crd_dist_discrete(const crd_dist *dist);

/** log p(x) with the axes of crd_dist_to_event summed; minus infinity, without a slope, where x is outside the support.
 *  @param dist  borrowed. @param x  a value, batch axes first. */
CRD_API crd_node crd_dist_log_prob(const crd_dist *dist, crd_node x);
/** The shape of one draw: that of the type behind the axes of crd_dist_to_event. 0 if the parameters do not broadcast.
 *  @param dist  borrowed. @param out  returns the shape. */
CRD_API int crd_dist_event_shape(const crd_dist *dist, crd_shape *out);

/** The batch shape: that of the parameters broadcast together and with what was asked for,
 *  without the axes of crd_dist_to_event.
 *  @param dist  borrowed. @param out  returns the shape.
 *  @return 1, or 0 if they do not broadcast (out is then unchanged). */
CRD_API int crd_dist_batch_shape(const crd_dist *dist, crd_shape *out);

/** The Kullback-Leibler divergence of p from q, in nats: one number a draw, summed over the axes of crd_dist_to_event. For
 *  the pairs of src/dist/kl.def, and -log q(v) for p a delta at v. A pair without a formula is a bad node (CRD_EUNSUPPORTED).
 *  @param p, q  of one family, or of one of the pairs; borrowed. */
CRD_API crd_node crd_kl(const crd_dist *p, const crd_dist *q);
/** Whether there is a formula for two distributions.
 *  @param p, q  borrowed. */
CRD_API int crd_kl_exists(const crd_dist *p, const crd_dist *q);

/** Finds a type by name; NULL if there is none.
 *  @param name  "normal". */
CRD_API const crd_dist_type *crd_dist_type_find(const char *name);
/** The i-th type, counted from 0; NULL behind the last.
 *  @param i  from 0. */
CRD_API const crd_dist_type *crd_dist_type_get(int i);

/** The i-th compound type, counted from 0 (src/dist/compound.def); NULL behind the last. These have no text form.
 *  @param i  from 0. */
CRD_API const crd_dist_type *crd_dist_compound_get(int i);

/** What a type is, in a phrase: the text of its row in dist.def or compound.def; "" for a type that is not registered. Static storage.
 *  @param type  borrowed. */
CRD_API const char *crd_dist_type_what(const crd_dist_type *type);

/** Reads a distribution with constant parameters: "normal:0,1", "half_cauchy:0.5".
 *  @param ctx  keeps the message. @param text  borrowed. @param out  returns the distribution.
 *  @return CRD_OK; CRD_ENAME for an unknown name (the nearest is named); CRD_EINVAL for a wrong number of parameters or
 *          text among them; CRD_EDOMAIN for a parameter outside its domain; CRD_ESHAPE for a type whose parameters
 *          are arrays. */
CRD_API CRD_MUST_CHECK crd_status crd_dist_parse(crd_context *ctx, const char *text, crd_dist *out);

/** Checks the parameters that are known now. `what` begins the message ("site s"). @return CRD_OK; CRD_EDOMAIN;
 *  CRD_ESHAPE for a number where an array with the classes along its last axis is needed.
 *  @param ctx  keeps the message. @param dist, what  borrowed. */
CRD_API CRD_MUST_CHECK crd_status crd_dist_check(crd_context *ctx, const crd_dist *dist, const char *what);

/** Whether a number lies in a set (low and high as in crd_support; low for CRD_ABOVE).
 *  @param kind  the set. @param x  the number. @param low, high  its ends, where it has some. */
CRD_API int crd_constraint_holds(crd_constraint kind, double x, double low, double high);
/** "positive", "in the unit interval", ... Static storage.
 *  @param kind  the set. */
CRD_API const char *crd_constraint_text(crd_constraint kind);

/* The bijection of a support: from all reals to it. */

/** Whether there is one (a discrete support has none).
 *  @param support  of crd_dist_type.support. */
CRD_API int crd_bijection_exists(crd_support support);
/** The shape of the unconstrained u for a value of shape `value`: a simplex of k has k - 1.
 *  @param support  of crd_dist_type.support. @param value  the shape of a value. */
CRD_API crd_shape crd_bijection_shape(crd_support support, crd_shape value);
/** The value x of an unconstrained u.
 *  @param support  of crd_dist_type.support. @param u  of the shape that crd_bijection_shape says. */
CRD_API crd_node crd_bijection_forward(crd_support support, crd_node u);
/** Sum over all elements of log |dx/du| at u.
 *  @param support  of crd_dist_type.support. @param u  unconstrained. */
CRD_API crd_node crd_bijection_log_jacobian(crd_support support, crd_node u);
/** The unconstrained u of a value x.
 *  @param support  of crd_dist_type.support. @param x  in the support. */
CRD_API crd_node crd_bijection_inverse(crd_support support, crd_node x);

#ifdef __cplusplus
}
#endif
#endif
