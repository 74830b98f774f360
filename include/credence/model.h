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
/** An observed variable whose value is a node: rows taken with crd_subsample, or what a transform makes of the data. */
CRD_API crd_node crd_observe_value_at(crd_trace *trace, const char *name, crd_dist dist, crd_node value,
                                      crd_where where);
/** A named value that is computed from others; returns it. */
CRD_API crd_node crd_deterministic_at(crd_trace *trace, const char *name, crd_node value, crd_where where);
/** Adds to the log density: the sum of all elements. In plates the factor is repeated along their axes as a sample
 *  site's log density is (NumPyro's factor): a number counts once a row. */
CRD_API void crd_factor_at(crd_trace *trace, const char *name, crd_node log_factor, crd_where where);
/** An array of data, as a constant. */
CRD_API crd_node crd_data_at(crd_trace *trace, const char *name, const crd_array *array, crd_where where);

/** A value to be optimised. It is what a handler gives it (substitute, or lift, which makes it a sample site), else
 *  `initial`, which must be known now. Plates do not change its shape. crd_model_create holds parameters that are not
 *  lifted at their initial value.
 *  @param constraint  the set that it lies in; CRD_INTERVAL, CRD_ABOVE and sets of whole numbers are refused. */
CRD_API crd_node crd_param_at(crd_trace *trace, const char *name, crd_node initial, crd_constraint constraint,
                              crd_where where);

#define crd_sample(...) crd_sample_at(__VA_ARGS__, CRD_HERE)
#define crd_observe(...) crd_observe_at(__VA_ARGS__, CRD_HERE)
#define crd_observe_value(...) crd_observe_value_at(__VA_ARGS__, CRD_HERE)
#define crd_deterministic(...) crd_deterministic_at(__VA_ARGS__, CRD_HERE)
#define crd_factor(...) crd_factor_at(__VA_ARGS__, CRD_HERE)
#define crd_data(...) crd_data_at(__VA_ARGS__, CRD_HERE)
#define crd_param(...) crd_param_at(__VA_ARGS__, CRD_HERE)

/** An axis along which sites are independent. Plates nest: the innermost is the last axis, unless axes are chosen. */
typedef struct crd_plate {
    crd_trace *trace;
    int depth;
} crd_plate;

/** Settings of a plate. 0 means the default. */
typedef struct crd_plate_options {
    int dim; /**< its axis, counted from the end: -1, -2, ...; default: the last one that no plate with a dim has, those of
                  the plates inside it left free */
    int64_t subsample_size; /**< rows that are taken; default: all */
} crd_plate_options;

CRD_API crd_plate crd_plate_enter_at(crd_trace *trace, const char *name, int64_t size, crd_where where);
/** A plate with settings. With a subsample of m of its n rows, sites inside have m rows, and their log densities (and
 *  those of factors) count n / m times: their expectation over subsamples is the density of all rows. In nested plates
 *  the factors multiply. Which rows: drawn without replacement from the key of a seed handler, anew for every key;
 *  given by a handler that gives the plate's name a value; without either the first ones. A plate that is entered again
 *  under the same name and sizes keeps its rows. */
CRD_API crd_plate crd_plate_enter_with_at(crd_trace *trace, const char *name, int64_t size,
                                          const crd_plate_options *options, crd_where where);
CRD_API void crd_plate_leave(crd_plate plate);
/** The rows of a plate that are taken, (m). */
CRD_API crd_node crd_plate_indices(crd_plate plate);
/** Takes the plate's rows of an array that has all of them along an axis (negative counts from the end). */
CRD_API crd_node crd_subsample_at(crd_plate plate, crd_node array, int axis, crd_where where);
#define crd_plate_enter(...) crd_plate_enter_at(__VA_ARGS__, CRD_HERE)
#define crd_plate_enter_with(...) crd_plate_enter_with_at(__VA_ARGS__, CRD_HERE)
#define crd_subsample(...) crd_subsample_at(__VA_ARGS__, CRD_HERE)

/** The graph that values live in, for models that need it (crd_constant). */
CRD_API crd_graph *crd_trace_graph(crd_trace *trace);
/** Fails the trace with a message of the model's own; the first failure counts. */
CRD_API void crd_trace_fail(crd_trace *trace, crd_status status, crd_where where, const char *format, ...)
    CRD_PRINTF(4, 5);

/* ---- handlers ----------------------------------------------------------------------------------------------- */

typedef enum crd_message_kind {
    CRD_MESSAGE_SAMPLE,
    CRD_MESSAGE_DETERMINISTIC,
    CRD_MESSAGE_FACTOR,
    CRD_MESSAGE_PARAM,
    CRD_MESSAGE_PLATE /**< a subsampled plate: its value are the rows taken; never recorded as a site */
} crd_message_kind;

/** A plate that was entered. */
typedef struct crd_plate_info {
    const char *name;
    int64_t size; /**< rows that there are */
    int64_t rows; /**< rows that are taken */
    crd_node indices; /**< of those, (rows); not there while all are taken and nobody has asked */
} crd_plate_info;

/** One statement on its way through the handlers. */
typedef struct crd_message {
    crd_message_kind kind;
    const char *name;
    crd_where where;
    crd_dist dist; /**< of a sample statement */
    crd_shape shape; /**< of the value: batch axes, then those of one draw */
    crd_shape batch; /**< of a sample or factor statement: independent draws, one log density each */
    crd_node value; /**< valid once has_value */
    int has_value;
    int inside; /**< the value is known to be in the support: its density is built without a test of that */
    int observed; /**< the value is given: it adds log p(value) and is not a latent variable */
    int stop; /**< set: outer handlers do not see the message */
    int hidden; /**< set: it is not recorded */
    int ignored; /**< set: its log density does not count */
    double scale; /**< factor of its log density */
    crd_node mask; /**< once has_mask: draws (of `batch`) whose mask is 0 have log density 0 */
    int has_mask;
    crd_node initial; /**< of a param statement: its value if no handler gives one */
    crd_constraint constraint; /**< of a param statement */
    int64_t population; /**< of a plate statement: rows that there are */
    const crd_plate_info *plate[CRD_MAX_DIMS]; /**< the plates around it, the outermost first */
    int plate_count;
    crd_node log_prob; /**< when recorded: log p of each draw of `batch`, masked, not scaled */
    crd_node log_density; /**< when recorded: scale * sum of log_prob; crd_num(0) where it has none */
} crd_message;

/** A handler. The innermost (pushed last) sees a message first; `process` may give it a value, `postprocess` is called
 *  on the way back, when it has one. `finish` is called when the handler is popped, and when a run ends without a
 *  failure. Each may be NULL. Handlers that are there already are in handler.h. */
typedef struct crd_handler {
    void (*process)(struct crd_handler *self, crd_trace *trace, crd_message *message);
    void (*postprocess)(struct crd_handler *self, crd_trace *trace, crd_message *message);
    void *user;
    void (*finish)(struct crd_handler *self, crd_trace *trace);
} crd_handler;

/** Creates an empty trace with a graph of its own. */
CRD_API CRD_MUST_CHECK crd_status crd_trace_create(crd_trace **out, crd_context *ctx);
CRD_API void crd_trace_destroy(crd_trace **trace);
/** Creates an empty trace whose values live in a graph that is there already (another trace's: for a model and its
 *  guide). @param graph  borrowed; it must outlive the trace. */
CRD_API CRD_MUST_CHECK crd_status crd_trace_create_in(crd_trace **out, crd_graph *graph);
/** Adds a handler inside those that are there: around a whole run, or in a model around some of its statements.
 *  @param handler  borrowed until it is popped, else until the trace is destroyed.
 *  @return CRD_OK; CRD_ENOMEM, which fails the trace as well: a model need not look. */
CRD_API crd_status crd_trace_push(crd_trace *trace, crd_handler *handler);
/** Takes a handler off, which must be the innermost. What a model pushes it pops. */
CRD_API void crd_trace_pop(crd_trace *trace, crd_handler *handler);
/** Gives a message a value, if it has the message's shape; fails the trace if it has not. For handlers. @return 1 or 0. */
CRD_API int crd_message_give(crd_trace *trace, crd_message *message, crd_node value);
/** Sends one more message through the handlers outside of `self`, records it, and returns its value. For handlers that
 *  make two sites of one (crd_do_init). To make statements of its own, which all handlers see, a handler just says them. */
CRD_API crd_node crd_trace_forward(crd_trace *trace, const crd_handler *self, crd_message *message);
/** Runs a model under the handlers and records its sites. @return CRD_OK; the first failure. */
CRD_API CRD_MUST_CHECK crd_status crd_trace_run(crd_trace *trace, crd_model_fn model, void *user);
/** The recorded sites in order; borrowed. */
CRD_API int crd_trace_count(const crd_trace *trace);
CRD_API const crd_message *crd_trace_site(const crd_trace *trace, int i);
CRD_API const crd_message *crd_trace_find(const crd_trace *trace, const char *name);
/** Sum of the log densities of all sites and factors. */
CRD_API crd_node crd_trace_log_density(const crd_trace *trace);

/** The plates that were entered, in the order of their first entry; borrowed. */
CRD_API int crd_trace_plate_count(const crd_trace *trace);
CRD_API const crd_plate_info *crd_trace_plate(const crd_trace *trace, int i);

/* ---- pictures ----------------------------------------------------------------------------------------------- */

/** Prints a table of plates and recorded sites, a line each: kind, distribution, shapes, support, plates. */
CRD_API void crd_trace_print_shapes(const crd_trace *trace, crd_log_fn print, void *user);
/** Prints the model as a graph in the DOT language: latent sites as circles, observed ones shaded, deterministic ones
 *  dashed, factors as squares, parameters as plain text, plates as boxes; an arrow where a site's distribution or value
 *  is a formula of another site's value. Dependencies are found between formulas: run the trace under crd_input_init,
 *  for values that are known numbers leave no trace of where they came from. */
CRD_API CRD_MUST_CHECK crd_status crd_trace_print_dot(const crd_trace *trace, crd_log_fn print, void *user);

/* ---- models ------------------------------------------------------------------------------------------------- */

/** A latent site of a model. */
typedef struct crd_site {
    const char *name;
    crd_shape shape; /**< of its value */
    int64_t size; /**< elements */
    int64_t unconstrained_size; /**< numbers in the parameter vector: one less a simplex */
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
/** The observed sites, in the order of their statements; borrowed. Their unconstrained_size and offset are 0, their
 *  size is that of the value. */
CRD_API int crd_model_observed_count(const crd_model *model);
CRD_API const crd_site *crd_model_observed(const crd_model *model, int i);
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

/** Compiles the pointwise log likelihood: (values of the latent sites of `model` in order) -> for each named observed
 *  site log p of each of its draws (masked, not scaled), with the model function traced with `user`.
 *  @param shapes  receives the shape of each: the site's batch shape, plates included.
 *  @return CRD_OK; CRD_ENAME for a site that is unknown or not observed; CRD_ESHAPE if a latent site's shape differs. */
CRD_API CRD_MUST_CHECK crd_status crd_model_compile_log_likelihood(const crd_model *model, void *user,
                                                                   const char *const *names, int count,
                                                                   crd_shape *shapes, crd_program **out);
/** Compiles (values of the latent sites in order) -> u, by the inverse bijections. */
CRD_API CRD_MUST_CHECK crd_status crd_model_compile_unconstrained(const crd_model *model, crd_program **out);

/* ---- start points ------------------------------------------------------------------------------------------- */

typedef enum crd_start_kind {
    CRD_START_UNIFORM, /**< each u uniform in (-radius, radius) */
    CRD_START_PRIOR, /**< a draw from the prior; sites that cannot be drawn: uniform */
    CRD_START_MEDIAN, /**< the median of 15 prior draws, of each u */
    CRD_START_VALUE, /**< given values of the latent sites; a site of which one element is NaN: uniform */
    CRD_START_POINT /**< a given u: a fitted point */
} crd_start_kind;

typedef struct crd_start {
    crd_start_kind kind;
    double radius; /**< 0: 2 */
    const double *values; /**< value: of all latent sites in order, each flattened; point: (dim). Borrowed. */
} crd_start;

/** Finds a point for an algorithm to start from.
 *  @param start  NULL: uniform. @param u  (dim), written only on success.
 *  @return CRD_OK; CRD_EINVAL if values are needed and missing; CRD_EDOMAIN if a given value is outside its site's
 *          support (the site is named). The density at the point is not looked at.
 *  Source: Stan and NumPyro for uniform and radius; NumPyro's init_to_median for 15. */
CRD_API CRD_MUST_CHECK crd_status crd_model_start(const crd_model *model, const crd_start *start, crd_key key,
                                                  double *u);

#ifdef __cplusplus
}
#endif
#endif
