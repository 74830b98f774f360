/* model.h - models as C functions that say sample, observe, plate, deterministic.
 *
 * A model function runs only while it is traced: each statement it makes is a message that goes through a stack of
 * handlers (Pyro's effect handlers; Bingham et al. 2019) which may give it a value, observe it, or record it. Values are
 * graph nodes, so that a trace is a formula: crd_model_create turns it into the log density of the unconstrained
 * parameters and its gradient, compiled once. A traced value is no number: a branch on it is crd_select. */
#ifndef CREDENCE_MODEL_H
#define CREDENCE_MODEL_H

#include <credence/dist.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct crd_trace crd_trace;
typedef struct crd_model crd_model;

/** A model: says its statements to the trace. What it returns is up to it (usually its prediction). `user` is its data. */
typedef crd_node (*crd_model_fn)(crd_trace *trace, void *user);

/* ---- statements --------------------------------------------------------------------------------------------- */

/** A latent variable. Its shape: the plates around it and the batch shape of its distribution, broadcast together.
 *  Returns its value, on its own scale. */
CRD_API crd_node crd_sample_at(crd_trace *trace, const char *name, crd_dist dist, crd_where where);
/** An observed variable. `value` is borrowed while tracing; NULL means that there are no observations: the site is then
 *  a latent one (which prediction uses). */
CRD_API crd_node crd_observe_at(crd_trace *trace, const char *name, crd_dist dist, const crd_array *value,
                                crd_where where);
/** A named value that is computed from others; returns it. */
CRD_API crd_node crd_deterministic_at(crd_trace *trace, const char *name, crd_node value, crd_where where);
/** Adds to the log density. */
CRD_API void crd_factor_at(crd_trace *trace, const char *name, crd_node log_factor, crd_where where);
/** An array of data, as a constant. */
CRD_API crd_node crd_data_at(crd_trace *trace, const char *name, const crd_array *array, crd_where where);

#define crd_sample(...) crd_sample_at(__VA_ARGS__, CRD_HERE)
#define crd_observe(...) crd_observe_at(__VA_ARGS__, CRD_HERE)
#define crd_deterministic(...) crd_deterministic_at(__VA_ARGS__, CRD_HERE)
#define crd_factor(...) crd_factor_at(__VA_ARGS__, CRD_HERE)
#define crd_data(...) crd_data_at(__VA_ARGS__, CRD_HERE)

/** An axis along which sites are independent. Plates nest: the innermost is the last axis. */
typedef struct crd_plate {
    crd_trace *trace;
    int depth;
} crd_plate;
CRD_API crd_plate crd_plate_enter_at(crd_trace *trace, const char *name, int64_t size, crd_where where);
CRD_API void crd_plate_leave(crd_plate plate);
#define crd_plate_enter(...) crd_plate_enter_at(__VA_ARGS__, CRD_HERE)

/** The graph that values live in, for models that need it (crd_constant). */
CRD_API crd_graph *crd_trace_graph(crd_trace *trace);
/** Fails the trace with a message of the model's own; the first failure counts. */
CRD_API void crd_trace_fail(crd_trace *trace, crd_status status, crd_where where, const char *format, ...)
    CRD_PRINTF(4, 5);

/* ---- handlers ----------------------------------------------------------------------------------------------- */

typedef enum crd_message_kind { CRD_MESSAGE_SAMPLE, CRD_MESSAGE_DETERMINISTIC, CRD_MESSAGE_FACTOR } crd_message_kind;

/** One statement on its way through the handlers. */
typedef struct crd_message {
    crd_message_kind kind;
    const char *name;
    crd_where where;
    crd_dist dist; /**< of a sample statement */
    crd_shape shape; /**< of the value */
    crd_node value; /**< valid once has_value */
    int has_value;
    int observed; /**< the value is given: it adds log p(value) and is not a latent variable */
    int stop; /**< set: outer handlers do not see the message */
    int hidden; /**< set: it is not recorded */
    double scale; /**< factor of its log density */
    crd_node log_density; /**< when recorded: scale * sum of log p(value); crd_num(0) where it has none */
} crd_message;

/** A handler. The innermost (pushed last) sees a message first; `process` may give it a value, `postprocess` is called
 *  on the way back, when it has one. Either may be NULL. */
typedef struct crd_handler {
    void (*process)(struct crd_handler *self, crd_trace *trace, crd_message *message);
    void (*postprocess)(struct crd_handler *self, crd_trace *trace, crd_message *message);
    void *user;
} crd_handler;

/** Creates an empty trace with a graph of its own. */
CRD_API CRD_MUST_CHECK crd_status crd_trace_create(crd_trace **out, crd_context *ctx);
CRD_API void crd_trace_destroy(crd_trace **trace);
/** Adds a handler inside those that are there. The handler is borrowed until the trace is destroyed. */
CRD_API CRD_MUST_CHECK crd_status crd_trace_push(crd_trace *trace, crd_handler *handler);
/** Runs a model under the handlers and records its sites. @return CRD_OK; the first failure. */
CRD_API CRD_MUST_CHECK crd_status crd_trace_run(crd_trace *trace, crd_model_fn model, void *user);
/** The recorded sites in order; borrowed. */
CRD_API int crd_trace_count(const crd_trace *trace);
CRD_API const crd_message *crd_trace_site(const crd_trace *trace, int i);
CRD_API const crd_message *crd_trace_find(const crd_trace *trace, const char *name);
/** Sum of the log densities of all sites and factors. */
CRD_API crd_node crd_trace_log_density(const crd_trace *trace);

/** Gives sample sites without a value a draw from their distribution. The site's key is key folded with the number of
 *  sample statements before it. `key` is a node, so that a compiled trace draws anew for every key. */
typedef struct crd_seed_handler {
    crd_handler handler;
    crd_node key;
    uint32_t next;
} crd_seed_handler;
CRD_API void crd_seed_init(crd_seed_handler *handler, crd_node key);

/** Gives latent sites the values that a function finds for their name (returns 0 if it has none). */
typedef int (*crd_lookup_fn)(void *user, const crd_message *message, crd_node *value);
typedef struct crd_substitute_handler {
    crd_handler handler;
    crd_lookup_fn lookup;
    void *user;
    int observe; /**< 1: condition (the sites become observed); 0: substitute */
} crd_substitute_handler;
CRD_API void crd_substitute_init(crd_substitute_handler *handler, crd_lookup_fn lookup, void *user);
CRD_API void crd_condition_init(crd_substitute_handler *handler, crd_lookup_fn lookup, void *user);

/* ---- models ------------------------------------------------------------------------------------------------- */

/** A latent site of a model. */
typedef struct crd_site {
    const char *name;
    crd_shape shape; /**< of its value */
    int64_t size; /**< elements */
    int64_t offset; /**< of its unconstrained values in the parameter vector */
    const char *support; /**< "finite", "positive", ... */
    const char *dist; /**< the name of its distribution's type */
} crd_site;

/** Traces a model and compiles its unconstrained log density: for latent sites in alphabetical order (as NumPyro orders
 *  them), u the unconstrained values of all, flattened row by row,
 *      log p(u) = sum over sites of log p(x(u)) + log |dx/du|,  all normalising constants kept.
 *  @param user  borrowed; it must live as long as the model (predictions trace it again).
 *  @return CRD_OK; the first failure while tracing, with the user's line; CRD_EUNSUPPORTED for a discrete latent site
 *          (named); CRD_EINVAL if there is no latent site. */
CRD_API CRD_MUST_CHECK crd_status crd_model_create(crd_model **out, crd_context *ctx, crd_model_fn model, void *user);
CRD_API void crd_model_destroy(crd_model **model);
CRD_API crd_context *crd_model_context(const crd_model *model);
/** Number of unconstrained parameters. */
CRD_API int64_t crd_model_dim(const crd_model *model);
/** The latent sites, in alphabetical order; borrowed. */
CRD_API int crd_model_site_count(const crd_model *model);
CRD_API const crd_site *crd_model_site(const crd_model *model, int i);
/** The program (u) -> (log density, gradient). */
CRD_API const crd_program *crd_model_density(const crd_model *model);
/** Compiles (u) -> the values of the latent sites in order, then those of the named deterministic sites.
 *  @param keep   names of deterministic sites, keep_count of them; columns_out receives their shapes.
 *  @return CRD_OK; CRD_ENAME for a name that is no deterministic site. */
CRD_API CRD_MUST_CHECK crd_status crd_model_compile_values(const crd_model *model, const char *const *keep,
                                                           int keep_count, crd_shape *keep_shapes, crd_program **out);
/** Evaluates the log density and gradient at one point: for tests and tools; samplers keep an exec of their own.
 *  @param gradient  (dim) or NULL. */
CRD_API CRD_MUST_CHECK crd_status crd_model_log_density(const crd_model *model, const double *u, double *value,
                                                        double *gradient);

/** Compiles draws from the prior: (key: 2 words) -> values of the latent sites in order, then the named other sites
 *  (observed ones are drawn, not given). @param names  NULL when count is 0. */
CRD_API CRD_MUST_CHECK crd_status crd_model_compile_prior(const crd_model *model, const char *const *names, int count,
                                                          crd_program **out);

/** Compiles predictions: (key: 2 words, values of the latent sites of `model` in order) -> the named sites of the model
 *  function traced with `user` (other data, other shapes); observed sites without data are drawn.
 *  @param shapes  receives the shape of each named site.
 *  @return CRD_OK; CRD_ENAME for an unknown site; CRD_ESHAPE if a latent site's shape differs. */
CRD_API CRD_MUST_CHECK crd_status crd_model_compile_predictive(const crd_model *model, void *user,
                                                               const char *const *names, int count, crd_shape *shapes,
                                                               crd_program **out);

#ifdef __cplusplus
}
#endif
#endif
