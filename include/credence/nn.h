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

/** A module. */
typedef struct crd_module crd_module;
/** Where a module gets its parameters from. */
typedef struct crd_scope crd_scope;
/** Priors by path, as crd_prior reads them. */
typedef struct crd_prior crd_prior;

/** A module: what applies it, and what it is made of. Extenders embed this struct as the first member of their own. */
struct crd_module {
    /** Maps x to the output; asks for parameters with crd_scope_param. */
    crd_node (*apply)(const crd_module *self, crd_scope *scope, crd_node x);
};

/** How a parameter's first value is drawn for deterministic training. */
typedef struct crd_initializer {
    const char *name; /**< a name of crd_initializer_name; NULL: "lecun_normal" */
    double
        scale; /**< "normal": its standard deviation; "uniform": from 0 up to it; "constant": the value; 0: 0.01 for the
                   *   first two. Others take none. */
} crd_initializer;

/** A parameter that a module asks for. */
typedef struct crd_param_spec {
    const char *name; /**< "Dense_0.kernel" */
    crd_shape shape; /**< of its value */
    crd_initializer initial; /**< the module's own choice */
    int64_t fan_in; /**< inputs of one output; 0: by crd_fans */
    int64_t fan_out; /**< 0: by crd_fans */
} crd_param_spec;

/** Most classes of modules in one application. */
enum { CRD_SCOPE_CLASSES = 32 };

/** Where a module gets its parameters from, and the numbers that names carry. */
struct crd_scope {
    crd_trace *trace; /**< the module is applied in */
    crd_where where; /**< the user's line */
    crd_node (*param)(crd_scope *self, const crd_param_spec *spec); /**< answers with a parameter's value */
    void *user; /**< for param */
    struct {
        const char *name; /**< "Dense" */
        int count; /**< modules of this class so far */
    } seen[CRD_SCOPE_CLASSES]; /**< how many modules of each class were applied */
};

/** Asks for a parameter: "Dense_0.kernel", (in, out), with the default initialiser.
 *  @param scope  borrowed. @param name  copied. @param shape  of the parameter. */
CRD_API crd_node crd_scope_param(crd_scope *scope, const char *name, crd_shape shape);
/** Asks for a parameter of a module: its name becomes CLASS_NUMBER.spec->name.
 *  @param scope  borrowed. @param module_class  a static string: "Dense". @param number  from crd_scope_number.
 *  @param spec  borrowed. */
CRD_API crd_node crd_scope_param_of(crd_scope *scope, const char *module_class, int number, const crd_param_spec *spec);
/** The number of the next module of a class (a static string) in the order of application, from 0: flax's names.
 *  @param scope  borrowed. @param module_class  "Dense". */
CRD_API int crd_scope_number(crd_scope *scope, const char *module_class);

/* ---- modules ------------------------------------------------------------------------------------------------- */

/* Each is a file src/nn/layers/NAME.c and a row of src/nn/layers.def; docs/networks.md has the table. Arrays are as in
 * flax: rows of the data first, features last ((n, features), (n, length, features), (n, height, width, features)).
 * Modules are owned by the trace that made them. A constructor gives NULL after a failure, which the trace keeps
 * (CRD_EINVAL for what cannot be: no units, a stride below one); what takes modules passes a NULL on. */

/** The name of the i-th kind of module as functions have it ("dense"), NULL behind the last.
 *  @param i  from 0. */
CRD_API const char *crd_layer_name(int i);
/** What it is ("dense layer"), its parameters ("Dense_N.kernel (in, out), ..."), and its constructor's arguments.
 *  @param i  from 0. */
CRD_API const char *crd_layer_what(int i);
/** Its parameters: "Dense_N.kernel (in, out), Dense_N.bias (out)". Static storage.
 *  @param i  from 0. */
CRD_API const char *crd_layer_params(int i);
/** The arguments of its constructor. Static storage.
 *  @param i  from 0. */
CRD_API const char *crd_layer_arguments(int i);

/** x K + b along the last axis: (..., in) -> (..., units).
 *  @param trace  borrowed; owns what is made. @param units  1 or more. */
CRD_API const crd_module *crd_dense_at(crd_trace *trace, int64_t units, crd_where where);
#define crd_dense(...) crd_dense_at(__VA_ARGS__, CRD_HERE)

/** A multi-layer perceptron: dense layers of the given widths, each followed by the activation, and a dense layer of
 *  `outputs` units without one. (n, d) -> (n, outputs).
 *  @param trace  borrowed; owns what is made. @param hidden_count  of hidden. @param outputs  1 or more.
 *  @param hidden      widths, hidden_count of them (copied); none makes the network linear.
 *  @param activation  a name of crd_activation_name. CRD_ENAME for an unknown one. */
CRD_API const crd_module *crd_mlp_at(crd_trace *trace, const int64_t *hidden, int hidden_count, int64_t outputs,
                                     const char *activation, crd_where where);
#define crd_mlp(...) crd_mlp_at(__VA_ARGS__, CRD_HERE)

/** An activation as a module.
 *  @param trace  borrowed; owns what is made. @param activation  a name of crd_activation_name. */
CRD_API const crd_module *crd_activate_at(crd_trace *trace, const char *activation, crd_where where);
#define crd_activate(...) crd_activate_at(__VA_ARGS__, CRD_HERE)

/** Modules one after the other (the array is copied). It has no name of its own: its modules are numbered with those
 *  around it, by class, in the order in which they are applied, as in a compact module of flax.
 *  @param trace  borrowed; owns what is made. @param modules  [count], of this trace. @param count  1 or more. */
CRD_API const crd_module *crd_sequential_at(crd_trace *trace, const crd_module *const *modules, int count,
                                            crd_where where);
#define crd_sequential(...) crd_sequential_at(__VA_ARGS__, CRD_HERE)

/** x + module(x); their shapes must be equal.
 *  @param trace  borrowed; owns what is made. @param module  borrowed. */
CRD_API const crd_module *crd_residual_at(crd_trace *trace, const crd_module *module, crd_where where);
#define crd_residual(...) crd_residual_at(__VA_ARGS__, CRD_HERE)

/** (n, ...) -> (n, product of the rest).
 *  @param trace  borrowed; owns what is made. */
CRD_API const crd_module *crd_flatten_at(crd_trace *trace, crd_where where);
#define crd_flatten(...) crd_flatten_at(__VA_ARGS__, CRD_HERE)

/** (x - mean) / sqrt(variance + epsilon) along the last axis, times scale plus bias.
 *  @param trace  borrowed; owns what is made.
 *  @param epsilon  0: 1e-6. Source: Ba, Kiros & Hinton 2016, arXiv:1607.06450, eq. 4. */
CRD_API const crd_module *crd_layer_norm_at(crd_trace *trace, double epsilon, crd_where where);
#define crd_layer_norm(...) crd_layer_norm_at(__VA_ARGS__, CRD_HERE)

/** Filter response normalisation: x / sqrt(mean over the axes between rows and features of x^2 + epsilon), times scale
 *  plus bias; then max(y, threshold) if `thresholded` (the paper's TLU), each a parameter a feature.
 *  @param trace  borrowed; owns what is made. @param thresholded  not 0: with the threshold.
 *  @param epsilon  0: 1e-6. Source: Singh & Krishnan 2020, arXiv:1911.09737, eq. 1, 2 and 4. */
CRD_API const crd_module *crd_frn_at(crd_trace *trace, double epsilon, int thresholded, crd_where where);
#define crd_frn(...) crd_frn_at(__VA_ARGS__, CRD_HERE)

/** A convolution (cross-correlation, as everywhere in deep learning) over 1 or 2 axes with all input features:
 *  (n, length, in) -> (n, length', features) or (n, height, width, in) -> (n, height', width', features).
 *  @param trace  borrowed; owns what is made. @param features  of the output.
 *  @param window  copied. */
CRD_API const crd_module *crd_conv_at(crd_trace *trace, int64_t features, const crd_window *window, crd_where where);
#define crd_conv(...) crd_conv_at(__VA_ARGS__, CRD_HERE)

/** The largest, or the mean, of each window, feature by feature. A stride of 0 means the window's size. Padding never is
 *  the largest; in the mean it counts as zeros (flax's count_include_pad).
 *  @param trace  borrowed; owns what is made. @param window  copied. */
CRD_API const crd_module *crd_max_pool_at(crd_trace *trace, const crd_window *window, crd_where where);
/** The mean of each window, feature by feature: as crd_max_pool.
 *  @param trace  borrowed; owns what is made. @param window  copied. */
CRD_API const crd_module *crd_avg_pool_at(crd_trace *trace, const crd_window *window, crd_where where);
#define crd_max_pool(...) crd_max_pool_at(__VA_ARGS__, CRD_HERE)
#define crd_avg_pool(...) crd_avg_pool_at(__VA_ARGS__, CRD_HERE)

/** Whole numbers 0 .. count - 1 -> their rows of a table: (n, ...) -> (n, ..., features). Data outside fail the trace
 *  with CRD_EDOMAIN.
 *  @param trace  borrowed; owns what is made. @param count  rows of the table. @param features  of each. */
CRD_API const crd_module *crd_embedding_at(crd_trace *trace, int64_t count, int64_t features, crd_where where);
#define crd_embedding(...) crd_embedding_at(__VA_ARGS__, CRD_HERE)

/** Applies an activation by name. A bad node and a failed trace for an unknown one.
 *  @param trace  borrowed; owns what is made. @param name  of crd_activation_name. @param x  any shape. */
CRD_API crd_node crd_activation_at(crd_trace *trace, const char *name, crd_node x, crd_where where);
/** The i-th activation's name, NULL behind the last; what it is.
 *  @param i  from 0. */
CRD_API const char *crd_activation_name(int i);
/** What the i-th activation is, in a phrase; NULL behind the last. Static storage.
 *  @param i  from 0. */
CRD_API const char *crd_activation_what(int i);

/* ---- parameters without a model ------------------------------------------------------------------------------- */

/** The i-th initialiser's name, NULL behind the last; what it is.
 *  @param i  from 0. */
CRD_API const char *crd_initializer_name(int i);
/** What the i-th initialiser is, in a phrase. Static storage.
 *  @param i  from 0. */
CRD_API const char *crd_initializer_what(int i);

/** Inputs and outputs of a kernel: (..., in, out), times the product of the axes before (a convolution's window); of
 *  fewer than two axes 1 and the size. Each at least 1.
 *  @param shape  of the parameter. @param fan_in, fan_out  return them. */
CRD_API void crd_fans(crd_shape shape, int64_t *fan_in, int64_t *fan_out);

/** Draws a parameter's first value. Shape and fans are those of `spec`.
 *  @param ctx  memory and messages come from it. @param initializer  borrowed; NULL: the default.
 *  @param spec  borrowed. @param key  for the draws.
 *  @param out  (size of the shape). @return CRD_OK; CRD_ENAME for an unknown initialiser. */
CRD_API CRD_MUST_CHECK crd_status crd_initialize(crd_context *ctx, const crd_initializer *initializer,
                                                 const crd_param_spec *spec, crd_key key, double *out);

/** A module's parameter. */
typedef struct crd_module_param {
    crd_param_spec spec; /**< with its name, the fans filled in */
    crd_array value; /**< data NULL unless crd_module_init made it */
} crd_module_param;

/** A module's parameters in the order in which it asks for them. */
typedef struct crd_module_params {
    crd_context *ctx; /**< they were made in */
    int count; /**< of param */
    crd_module_param *param; /**< [count] */
    crd_shape output; /**< the shape of the module's output */
} crd_module_params;

/** Lists a module's parameters for inputs of a shape (its rows do not matter; at least 1).
 *  @param ctx  memory and messages come from it. @param module  borrowed. @param input  its shape.
 *  @param out  returns owned. @return CRD_OK; what the module finds wrong with the shape; CRD_ENOMEM. */
CRD_API CRD_MUST_CHECK crd_status crd_module_describe(crd_context *ctx, const crd_module *module, crd_shape input,
                                                      crd_module_params **out);
/** The same with a first value for each; parameter i is drawn from crd_key_fold_in(key, i).
 *  @param ctx  memory and messages come from it. @param module  borrowed. @param input  its shape.
 *  @param key  for all parameters. @param out  returns owned.
 *  @return as crd_module_describe; CRD_ENAME for an unknown initialiser.
 *  @param initializer  for parameters of two or more axes (others keep the module's); NULL: the module's own choice. */
CRD_API CRD_MUST_CHECK crd_status crd_module_init(crd_context *ctx, const crd_module *module, crd_shape input,
                                                  const crd_initializer *initializer, crd_key key,
                                                  crd_module_params **out);
/** Destroys a list of parameters and nulls the pointer; NULL is accepted.
 *  @param params  the pointer to set to NULL. */
CRD_API void crd_module_params_destroy(crd_module_params **params);

/* ---- priors -------------------------------------------------------------------------------------------------- */

/** Reads priors: "normal:0,1" for all parameters, or rules "PATTERN=PRIOR;PATTERN=PRIOR" with paths such as
 *  net/Dense_0.kernel and shell patterns such as net/Dense_?.bias. Every parameter must match exactly one rule and every
 *  rule at least one parameter; anything else fails the trace with CRD_EPRIOR. Owned by the trace; NULL after a failure.
 *
 *  A prior is a distribution, or a form NAME(ARGUMENT), also written NAME:ARGUMENT (src/nn/priors.def):
 *      fan_in(PRIOR)            PRIOR of the parameter times sqrt(fan in); of less than two axes nothing changes
 *      scale(DIST)              w ~ normal(0, scale), one scale ~ DIST for the parameter:      PATH.scale ()
 *      ard(DIST)                one scale ~ DIST for each input (kernels):                     PATH.scale (in)
 *      group(NAME,DIST)         one scale ~ DIST for all parameters in group NAME:             net/NAME.scale ()
 *      horseshoe(T)             w ~ normal(0, global local), global ~ half_cauchy(T),          PATH.global (),
 *                               local ~ half_cauchy(1)                                         PATH.local (shape of w)
 *      regularized_horseshoe(T,S,D)  the same with a slab: Student's t of D degrees and scale S, PATH.slab ()
 *      noncentered(PRIOR)       of those with scales: PATH.raw ~ normal(0, 1) is drawn and the parameter is
 *                               deterministic, raw times its scale
 *  as in "net/Dense_0.kernel=noncentered(ard(half_cauchy:1));net/Dense_1.kernel=fan_in(normal:0,1);*.bias=normal:0,1".
 *  @param trace  borrowed; owns what is made. @param text  copied. */
CRD_API const crd_prior *crd_prior_parse_at(crd_trace *trace, const char *text, crd_where where);
#define crd_prior(...) crd_prior_parse_at(__VA_ARGS__, CRD_HERE)
/** The i-th form's name, NULL behind the last; its arguments; what it is.
 *  @param i  from 0. */
CRD_API const char *crd_prior_form_name(int i);
/** The i-th form's arguments. Static storage.
 *  @param i  from 0. */
CRD_API const char *crd_prior_form_arguments(int i);
/** What the i-th form is, in a phrase. Static storage.
 *  @param i  from 0. */
CRD_API const char *crd_prior_form_what(int i);

/** Applies a module whose parameters are drawn from priors: a sample statement a parameter, named NAME/PATH, and those of
 *  the scales that its prior has.
 *  @param trace  borrowed; owns what is made. @param name  the prefix of its sites: "net". @param module  borrowed.
 *  @param prior  from crd_prior.
 *  @param x  (n, d).  @return the module's output. */
CRD_API crd_node crd_random_module_at(crd_trace *trace, const char *name, const crd_module *module, crd_node x,
                                      const crd_prior *prior, crd_where where);
#define crd_random_module(...) crd_random_module_at(__VA_ARGS__, CRD_HERE)

/* ---- the model of the command line --------------------------------------------------------------------------- */

/** A network with a likelihood, the model that the command line fits. With f = net(x)[:, 0], along plate "data":
 *      normal             s ~ noise;                   y ~ Normal(f, s)
 *      student_t          s ~ noise, df ~ df;          y ~ StudentT(df, f, s)
 *      bernoulli                                       y ~ Bernoulli(logits f)
 *      categorical        f = net(x), (n, classes);    y ~ Categorical(logits f)
 *      poisson                                         y ~ Poisson(exp(f))
 *      negative_binomial  concentration ~ its prior;   y ~ NegativeBinomial2(exp(f), concentration)
 *  Noise "heteroscedastic" gives the network a second output: s = softplus(net(x)[:, 1]), one a row.
 *
 *  With several targets (normal and student_t only) f = net(x), (n, targets), with one noise a target: s and df have the
 *  shape (targets), and y, (n, targets), is one draw a row: to_event(1). Heteroscedastic: the network has twice as many
 *  outputs, f and then the noise of each.
 *
 *  Prior "none" is plain training: the density of every parameter is 1 (flat, and flat_above:0 for s, df, concentration),
 *  improper but for points. With `training` the log density is then minus the loss of deterministic networks, a mean over
 *  rows: squared error for normal (there is no s; of several targets their sum), minus the log likelihood for all others
 *  (softmax cross-entropy), plus weight_decay / 2 times the sum of squares of the network's parameters. */
typedef struct crd_network {
    const char *hidden; /**< "10", "16,16", "none" */
    const char *activation; /**< "tanh" */
    const char *prior; /**< for crd_prior_parse; or "none" */
    const char *noise; /**< distribution of s: "half_cauchy:0.5"; or "heteroscedastic" */
    crd_array x; /**< (n, d), borrowed */
    const crd_array *y; /**< (n), or (n, targets) if there are several; borrowed; NULL: nothing observed */
    const char *likelihood; /**< NULL: "normal" */
    const char *df; /**< distribution of df; NULL: "gamma:2,0.1" (Juarez & Steel 2010) */
    const char *concentration; /**< distribution of the concentration; NULL: "gamma:2,0.1" */
    int64_t classes; /**< of categorical: at least 2 */
    int64_t targets; /**< columns of y; 0: 1 */
    const double
        *linear_about; /**< NULL: f is what the network says. Else its parameters at a point, layer by layer the
                                     kernel and then the bias: f is the network's first-order expansion about it */
    const double *class_weight; /**< (classes), borrowed: the log likelihood of a row counts that of its class times;
                                     NULL: 1. The pointwise log likelihood of y is that without weights */
    int64_t batch; /**< rows taken at a time, a subsample of plate "data"; 0: all. f is then of those rows */
    int training; /**< not 0: the log likelihood is divided by the rows (the sum of their weights), and see above */
    double weight_decay; /**< with `training` and prior "none" */
    crd_precision precision; /**< of all programs made of it, predictions too; CRD_DOUBLE */
} crd_network;

/** The model function; `user` is a crd_network. Returns f.
 *  @param trace  borrowed; owns what is made. @param user  a crd_network, borrowed. */
CRD_API crd_node crd_network_model(crd_trace *trace, void *user);

/** The i-th likelihood's name, NULL behind the last; what it is.
 *  @param i  from 0. */
CRD_API const char *crd_likelihood_name(int i);
/** What the i-th likelihood is, in a phrase. Static storage.
 *  @param i  from 0. */
CRD_API const char *crd_likelihood_what(int i);

/** Reads a list of widths. @param out  up to `most` widths. @return their number, -1 if the text is none (then the
 *  reason is raised in the context).
 *  @param ctx  memory and messages come from it. @param text  "16,16"; "none" for no layer.
 *  @param most  room in out. */
CRD_API int crd_widths_parse(crd_context *ctx, const char *text, int64_t *out, int most);

#ifdef __cplusplus
}
#endif
#endif
