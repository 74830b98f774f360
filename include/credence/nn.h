/* nn.h - networks, and how they become random.
 *
 * A module is a function from an input to an output that asks its scope for parameters by name and shape. Who answers
 * decides what the network is: crd_random_module answers with a sample statement a parameter (NumPyro's
 * random_flax_module), so that every weight has a prior. Parameters are named as flax names them: net/Dense_0.kernel of
 * shape (in, out), net/Dense_0.bias of shape (out). */
#ifndef CREDENCE_NN_H
#define CREDENCE_NN_H

#include <credence/model.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct crd_module crd_module;
typedef struct crd_scope crd_scope;
typedef struct crd_prior crd_prior;

/** A module: what applies it, and what it is made of. Extenders embed this struct as the first member of their own. */
struct crd_module {
    /** Maps x to the output; asks for parameters with crd_scope_param. */
    crd_node (*apply)(const crd_module *self, crd_scope *scope, crd_node x);
};

/** Where a module gets its parameters from. */
struct crd_scope {
    crd_trace *trace;
    crd_where where;
    crd_node (*param)(crd_scope *self, const char *name, crd_shape shape);
    void *user;
};

/** Asks for a parameter: "Dense_0.kernel", (in, out). */
CRD_API crd_node crd_scope_param(crd_scope *scope, const char *name, crd_shape shape);

/** A multi-layer perceptron: dense layers of the given widths, each followed by the activation, and a dense layer of
 *  `outputs` units without one. (n, d) -> (n, outputs).
 *  @param hidden      widths, hidden_count of them (copied); none makes the network linear.
 *  @param activation  a name of crd_activation_name.
 *  Owned by the trace. NULL after a failure, which the trace keeps (CRD_ENAME for an unknown activation, CRD_EINVAL for
 *  a width below one). */
CRD_API const crd_module *crd_mlp_at(crd_trace *trace, const int64_t *hidden, int hidden_count, int64_t outputs,
                                     const char *activation, crd_where where);
#define crd_mlp(...) crd_mlp_at(__VA_ARGS__, CRD_HERE)

/** Applies an activation by name. A bad node and a failed trace for an unknown one. */
CRD_API crd_node crd_activation_at(crd_trace *trace, const char *name, crd_node x, crd_where where);
/** The i-th activation's name, NULL behind the last. */
CRD_API const char *crd_activation_name(int i);

/** Reads priors: "normal:0,1" for all parameters, or rules "PATTERN=DISTRIBUTION;PATTERN=DISTRIBUTION" with paths such
 *  as net/Dense_0.kernel and shell patterns such as net/Dense_?.bias. Every parameter must match exactly one rule and every
 *  rule at least one parameter; anything else fails the trace with CRD_EPRIOR. Owned by the trace; NULL after a failure. */
CRD_API const crd_prior *crd_prior_parse_at(crd_trace *trace, const char *text, crd_where where);
#define crd_prior(...) crd_prior_parse_at(__VA_ARGS__, CRD_HERE)

/** Applies a module whose parameters are drawn from priors: one sample statement a parameter, named NAME/PATH.
 *  @param x  (n, d).  @return the module's output. */
CRD_API crd_node crd_random_module_at(crd_trace *trace, const char *name, const crd_module *module, crd_node x,
                                      const crd_prior *prior, crd_where where);
#define crd_random_module(...) crd_random_module_at(__VA_ARGS__, CRD_HERE)

/** A regression network, the model that the command line fits:
 *      s ~ noise prior;  f = net(x)[:, 0];  y ~ Normal(f, s) along plate "data". */
typedef struct crd_network {
    const char *hidden; /**< "10", "16,16", "none" */
    const char *activation; /**< "tanh" */
    const char *prior; /**< for crd_prior_parse */
    const char *noise; /**< distribution of s: "half_cauchy:0.5" */
    crd_array x; /**< (n, d), borrowed */
    const crd_array *y; /**< (n), borrowed; NULL: nothing observed */
} crd_network;

/** The model function; `user` is a crd_network. Returns f. */
CRD_API crd_node crd_network_model(crd_trace *trace, void *user);

/** Reads a list of widths. @param out  up to `most` widths. @return their number, -1 if the text is none (then the
 *  reason is raised in the context). */
CRD_API int crd_widths_parse(crd_context *ctx, const char *text, int64_t *out, int most);

#ifdef __cplusplus
}
#endif
#endif
