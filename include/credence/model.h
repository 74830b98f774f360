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

/** One run of a model function: its sites, their values and densities. */
typedef struct crd_trace crd_trace;
/** A model: its latent sites and its compiled log density. */
typedef struct crd_model crd_model;

/** A model: says its statements to the trace. What it returns is up to it (usually its prediction). `user` is its data. */
typedef crd_node (*crd_model_fn)(crd_trace *trace, void *user);

/* ---- statements --------------------------------------------------------------------------------------------- */

/** A latent variable. Its shape: the plates around it and the batch shape of its distribution, broadcast together.
 *  Returns its value, on its own scale.
 *  @param trace  borrowed. @param name  copied; unique in the trace. @param dist  of the site. */
CRD_API crd_node crd_sample_at(crd_trace *trace, const char *name, crd_dist dist, crd_where where);
/** An observed variable. `value` is borrowed while tracing; NULL means that there are no observations: the site is then
 *  a latent one (which prediction uses).
 *  @param trace  borrowed. @param name  copied; unique in the trace. @param dist  of the site.
 *  @param value  of the shape of the site, or NULL. */
CRD_API crd_node crd_observe_at(crd_trace *trace, const char *name, crd_dist dist, const crd_array *value,
                                crd_where where);
/** An observed variable whose value is a node: rows taken with crd_subsample, or what a transform makes of the data.
 *  @param trace  borrowed. @param name  copied; unique in the trace. @param dist  of the site.
 *  @param value  of the site's shape. */
CRD_API crd_node crd_observe_value_at(crd_trace *trace, const char *name, crd_dist dist, crd_node value,
                                      crd_where where);
/** A named value that is computed from others; returns it.
 *  @param trace  borrowed. @param name  copied; unique in the trace. @param value  any shape. */
CRD_API crd_node crd_deterministic_at(crd_trace *trace, const char *name, crd_node value, crd_where where);
/** Adds to the log density: the sum of all elements. In plates the factor is repeated along their axes as a sample
 *  site's log density is (NumPyro's factor): a number counts once a row.
 *  @param trace  borrowed. @param name  copied; unique in the trace. @param log_factor  added to the log density. */
CRD_API void crd_factor_at(crd_trace *trace, const char *name, crd_node log_factor, crd_where where);
/** An array of data, as a constant.
 *  @param trace  borrowed. @param name  for messages. @param array  copied. */
CRD_API crd_node crd_data_at(crd_trace *trace, const char *name, const crd_array *array, crd_where where);

/** A value to be optimised. It is what a handler gives it (substitute, or lift, which makes it a sample site), else
 *  `initial`, which must be known now. Plates do not change its shape. crd_model_create holds parameters that are not
 *  lifted at their initial value.
 *  @param trace  borrowed. @param name  copied; unique in the trace.
 *  @param initial  its value if no handler gives one.
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
    crd_trace *trace; /**< it was entered in */
    int depth; /**< plates around it */
} crd_plate;

/** Settings of a plate. 0 means the default. */
typedef struct crd_plate_options {
    int dim; /**< its axis, counted from the end: -1, -2, ...; default: the last one that no plate with a dim has, those of
                  the plates inside it left free */
    int64_t subsample_size; /**< rows that are taken; default: all */
} crd_plate_options;

/** Enters a plate: statements up to crd_plate_leave have its axis.
 *  @param trace  borrowed. @param name  copied; unique in the trace. @param size  rows, above 0. */
CRD_API crd_plate crd_plate_enter_at(crd_trace *trace, const char *name, int64_t size, crd_where where);
/** A plate with settings. With a subsample of m of its n rows, sites inside have m rows, and their log densities (and
 *  those of factors) count n / m times: their expectation over subsamples is the density of all rows. In nested plates
 *  the factors multiply. Which rows: drawn without replacement from the key of a seed handler, anew for every key;
 *  given by a handler that gives the plate's name a value; without either the first ones. A plate that is entered again
 *  under the same name and sizes keeps its rows.
 *  @param trace  borrowed. @param name  copied; unique in the trace. @param size  rows that there are, above 0.
 *  @param options  borrowed during the call; NULL means the defaults. */
CRD_API crd_plate crd_plate_enter_with_at(crd_trace *trace, const char *name, int64_t size,
                                          const crd_plate_options *options, crd_where where);
/** Leaves a plate, which must be the innermost one.
 *  @param plate  that was entered. */
CRD_API void crd_plate_leave(crd_plate plate);
/** The rows of a plate that are taken, (m).
 *  @param plate  that was entered. */
CRD_API crd_node crd_plate_indices(crd_plate plate);
/** Takes the plate's rows of an array that has all of them along an axis (negative counts from the end).
 *  @param plate  that was entered. @param array  with all rows of the plate along `axis`.
 *  @param axis  from 0, or from the end if negative. */
CRD_API crd_node crd_subsample_at(crd_plate plate, crd_node array, int axis, crd_where where);
#define crd_plate_enter(...) crd_plate_enter_at(__VA_ARGS__, CRD_HERE)
#define crd_plate_enter_with(...) crd_plate_enter_with_at(__VA_ARGS__, CRD_HERE)
#define crd_subsample(...) crd_subsample_at(__VA_ARGS__, CRD_HERE)

/** The graph that values live in, for models that need it (crd_constant).
 *  @param trace  borrowed. */
CRD_API crd_graph *crd_trace_graph(crd_trace *trace);
/** Fails the trace with a message of the model's own; the first failure counts.
 *  @param trace  borrowed. @param status  an error. @param where  CRD_HERE. @param format  as of printf, with its arguments. */
CRD_API void crd_trace_fail(crd_trace *trace, crd_status status, crd_where where, const char *format, ...)
    CRD_PRINTF(4, 5);

/* ---- handlers ----------------------------------------------------------------------------------------------- */

/** Which statement a message is. */
typedef enum crd_message_kind {
    CRD_MESSAGE_SAMPLE, /**< crd_sample and crd_observe */
    CRD_MESSAGE_DETERMINISTIC, /**< crd_deterministic */
    CRD_MESSAGE_FACTOR, /**< crd_factor */
    CRD_MESSAGE_PARAM, /**< crd_param */
    CRD_MESSAGE_PLATE /**< a subsampled plate: its value are the rows taken; never recorded as a site */
} crd_message_kind;

/** A plate that was entered. */
typedef struct crd_plate_info {
    const char *name; /**< as entered */
    int64_t size; /**< rows that there are */
    int64_t rows; /**< rows that are taken */
    crd_node indices; /**< of those, (rows); not there while all are taken and nobody has asked */
} crd_plate_info;

/** One statement on its way through the handlers. */
typedef struct crd_message {
    crd_message_kind kind; /**< which statement */
    const char *name; /**< of the site */
    crd_where where; /**< the user's line */
    crd_dist dist; /**< of a sample statement */
    crd_shape shape; /**< of the value: batch axes, then those of one draw */
    crd_shape batch; /**< of a sample or factor statement: independent draws, one log density each */
    crd_node value; /**< valid once has_value */
    int has_value; /**< value counts */
    int inside; /**< the value is known to be in the support: its density is built without a test of that */
    int observed; /**< the value is given: it adds log p(value) and is not a latent variable */
    int stop; /**< set: outer handlers do not see the message */
    int hidden; /**< set: it is not recorded */
    int ignored; /**< set: its log density does not count */
    double scale; /**< factor of its log density */
    crd_node mask; /**< once has_mask: draws (of `batch`) whose mask is 0 have log density 0 */
    int has_mask; /**< mask counts */
    crd_node initial; /**< of a param statement: its value if no handler gives one */
    crd_constraint constraint; /**< of a param statement */
    int64_t population; /**< of a plate statement: rows that there are */
    const crd_plate_info *plate[CRD_MAX_DIMS]; /**< the plates around it, the outermost first */
    int plate_count; /**< of plate */
    crd_node log_prob; /**< when recorded: log p of each draw of `batch`, masked, not scaled */
    crd_node log_density; /**< when recorded: scale * sum of log_prob; crd_num(0) where it has none */
} crd_message;

/** A handler. The innermost (pushed last) sees a message first; `process` may give it a value, `postprocess` is called
 *  on the way back, when it has one. `finish` is called when the handler is popped, and when a run ends without a
 *  failure. Each may be NULL. Handlers that are there already are in handler.h. */
typedef struct crd_handler {
    /** May give a message a value, or change it, on its way out. */
    void (*process)(struct crd_handler *self, crd_trace *trace, crd_message *message);
    /** Sees the message on its way back, when it has a value. */
    void (*postprocess)(struct crd_handler *self, crd_trace *trace, crd_message *message);
    void *user; /**< for the handler's own use */
    /** Called when the handler is popped, and when a run ends without a failure. */
    void (*finish)(struct crd_handler *self, crd_trace *trace);
} crd_handler;

/** Creates an empty trace with a graph of its own.
 *  @param out  returns owned, written only on success. @param ctx  borrowed: it must outlive the trace.
 *  @return CRD_OK; CRD_ENOMEM. */
CRD_API CRD_MUST_CHECK crd_status crd_trace_create(crd_trace **out, crd_context *ctx);
/** Destroys a trace, and its graph if it made it, and nulls the pointer; NULL is accepted.
 *  @param trace  the pointer to set to NULL. */
CRD_API void crd_trace_destroy(crd_trace **trace);
/** Creates an empty trace whose values live in a graph that is there already (another trace's: for a model and its
 *  guide). @param graph  borrowed; it must outlive the trace.
 *  @param out  returns owned, written only on success. @return CRD_OK; CRD_ENOMEM. */
CRD_API CRD_MUST_CHECK crd_status crd_trace_create_in(crd_trace **out, crd_graph *graph);
/** Adds a handler inside those that are there: around a whole run, or in a model around some of its statements.
 *  @param trace  borrowed.
 *  @param handler  borrowed until it is popped, else until the trace is destroyed.
 *  @return CRD_OK; CRD_ENOMEM, which fails the trace as well: a model need not look. */
CRD_API crd_status crd_trace_push(crd_trace *trace, crd_handler *handler);
/** Takes a handler off, which must be the innermost. What a model pushes it pops.
 *  @param trace  borrowed. @param handler  the innermost. */
CRD_API void crd_trace_pop(crd_trace *trace, crd_handler *handler);
/** Gives a message a value, if it has the message's shape; fails the trace if it has not. For handlers. @return 1 or 0.
 *  @param trace  borrowed. @param message  to be answered. @param value  of the message's shape. */
CRD_API int crd_message_give(crd_trace *trace, crd_message *message, crd_node value);
/** Sends one more message through the handlers outside of `self`, records it, and returns its value. For handlers that
 *  make two sites of one (crd_do_init). To make statements of its own, which all handlers see, a handler just says them.
 *  @param trace  borrowed. @param self  the handler that calls.
 *  @param message  of the caller's; filled as it would be for the trace. */
CRD_API crd_node crd_trace_forward(crd_trace *trace, const crd_handler *self, crd_message *message);
/** Runs a model under the handlers and records its sites. @return CRD_OK; the first failure.
 *  @param trace  borrowed. @param model  the model function. @param user  passed to it. */
CRD_API CRD_MUST_CHECK crd_status crd_trace_run(crd_trace *trace, crd_model_fn model, void *user);
/** The recorded sites in order; borrowed.
 *  @param trace  borrowed. */
CRD_API int crd_trace_count(const crd_trace *trace);
/** The i-th recorded site; borrowed.
 *  @param trace  borrowed. @param i  from 0. */
CRD_API const crd_message *crd_trace_site(const crd_trace *trace, int i);
/** Finds a recorded site by name; NULL if there is none. Borrowed.
 *  @param trace  borrowed. @param name  of a site. */
CRD_API const crd_message *crd_trace_find(const crd_trace *trace, const char *name);
/** Sum of the log densities of all sites and factors.
 *  @param trace  borrowed. */
CRD_API crd_node crd_trace_log_density(const crd_trace *trace);

/** The plates that were entered, in the order of their first entry; borrowed.
 *  @param trace  borrowed. */
CRD_API int crd_trace_plate_count(const crd_trace *trace);
/** The i-th plate that was entered; borrowed.
 *  @param trace  borrowed. @param i  from 0. */
CRD_API const crd_plate_info *crd_trace_plate(const crd_trace *trace, int i);

/* ---- pictures ----------------------------------------------------------------------------------------------- */

/** Prints a table of plates and recorded sites, a line each: kind, distribution, shapes, support, plates.
 *  @param trace  borrowed. @param print  gets one line at a time. @param user  passed to print. */
CRD_API void crd_trace_print_shapes(const crd_trace *trace, crd_log_fn print, void *user);
/** Prints the model as a graph in the DOT language: latent sites as circles, observed ones shaded, deterministic ones
 *  dashed, factors as squares, parameters as plain text, plates as boxes; an arrow where a site's distribution or value
 *  is a formula of another site's value. Dependencies are found between formulas: run the trace under crd_input_init,
 *  for values that are known numbers leave no trace of where they came from.
 *  @param trace  borrowed. @param print  gets one line at a time. @param user  passed to print.
 *  @return CRD_OK; CRD_ENOMEM. */
CRD_API CRD_MUST_CHECK crd_status crd_trace_print_dot(const crd_trace *trace, crd_log_fn print, void *user);

/* ---- models ------------------------------------------------------------------------------------------------- */

/** A latent site of a model. */
typedef struct crd_site {
    const char *name; /**< as in the model function */
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
 *  @param out  returns owned, written only on success. @param ctx  borrowed: it must outlive the model.
 *  @param model  the model function.
 *  @param user  borrowed; it must live as long as the model (predictions trace it again).
 *  @return CRD_OK; the first failure while tracing, with the user's line; CRD_EUNSUPPORTED for a discrete latent site
 *          (named); CRD_EINVAL if there is no latent site. */
CRD_API CRD_MUST_CHECK crd_status crd_model_create(crd_model **out, crd_context *ctx, crd_model_fn model, void *user);
/** Destroys a model and nulls the pointer; NULL is accepted.
 *  @param model  the pointer to set to NULL. */
CRD_API void crd_model_destroy(crd_model **model);
/** The context that a model was created with.
 *  @param model  borrowed. */
CRD_API crd_context *crd_model_context(const crd_model *model);
/** Number of unconstrained parameters.
 *  @param model  borrowed. */
CRD_API int64_t crd_model_dim(const crd_model *model);
/** The latent sites, in alphabetical order; borrowed.
 *  @param model  borrowed. */
CRD_API int crd_model_site_count(const crd_model *model);
/** The i-th latent site; borrowed.
 *  @param model  borrowed. @param i  from 0. */
CRD_API const crd_site *crd_model_site(const crd_model *model, int i);
/** The observed sites, in the order of their statements; borrowed. Their unconstrained_size and offset are 0, their
 *  size is that of the value.
 *  @param model  borrowed. */
CRD_API int crd_model_observed_count(const crd_model *model);
/** The i-th observed site; borrowed.
 *  @param model  borrowed. @param i  from 0. */
CRD_API const crd_site *crd_model_observed(const crd_model *model, int i);
/** The program (u) -> (log density, gradient).
 *  @param model  borrowed. */
CRD_API const crd_program *crd_model_density(const crd_model *model);
/** Compiles (u) -> the values of the latent sites in order, then those of the named deterministic sites.
 *  @param model  borrowed. @param keep_count  of keep.
 *  @param keep_shapes  [keep_count], returns their shapes; may be NULL if there are none.
 *  @param out  returns owned, written only on success.
 *  @param keep   names of deterministic sites, keep_count of them; columns_out receives their shapes.
 *  @return CRD_OK; CRD_ENAME for a name that is no deterministic site. */
CRD_API CRD_MUST_CHECK crd_status crd_model_compile_values(const crd_model *model, const char *const *keep,
                                                           int keep_count, crd_shape *keep_shapes, crd_program **out);
/** Evaluates the log density and gradient at one point: for tests and tools; samplers keep an exec of their own.
 *  @param model  borrowed. @param u  (dim). @param value  returns the log density.
 *  @param gradient  (dim) or NULL. @return CRD_OK; CRD_ENOMEM. */
CRD_API CRD_MUST_CHECK crd_status crd_model_log_density(const crd_model *model, const double *u, double *value,
                                                        double *gradient);

/** Compiles draws from the prior: (key: 2 words) -> values of the latent sites in order, then the named other sites
 *  (observed ones are drawn, not given). @param names  NULL when count is 0.
 *  @param model  borrowed. @param count  of names. @param out  returns owned, written only on success.
 *  @return CRD_OK; CRD_ENAME for an unknown site; CRD_EUNSUPPORTED for one that cannot be drawn; CRD_ENOMEM. */
CRD_API CRD_MUST_CHECK crd_status crd_model_compile_prior(const crd_model *model, const char *const *names, int count,
                                                          crd_program **out);

/** Compiles predictions: (key: 2 words, values of the latent sites of `model` in order) -> the named sites of the model
 *  function traced with `user` (other data, other shapes); observed sites without data are drawn.
 *  @param model  borrowed. @param user  what the model function gets; borrowed during the call.
 *  @param names  [count], borrowed. @param count  how many. @param out  returns owned, written only on success.
 *  @param shapes  receives the shape of each named site.
 *  @return CRD_OK; CRD_ENAME for an unknown site; CRD_ESHAPE if a latent site's shape differs. */
CRD_API CRD_MUST_CHECK crd_status crd_model_compile_predictive(const crd_model *model, void *user,
                                                               const char *const *names, int count, crd_shape *shapes,
                                                               crd_program **out);

/** Compiles the pointwise log likelihood: (values of the latent sites of `model` in order) -> for each named observed
 *  site log p of each of its draws (masked, not scaled), with the model function traced with `user`.
 *  @param model  borrowed. @param user  what the model function gets; borrowed during the call.
 *  @param names  [count], borrowed. @param count  how many. @param out  returns owned, written only on success.
 *  @param shapes  receives the shape of each: the site's batch shape, plates included.
 *  @return CRD_OK; CRD_ENAME for a site that is unknown or not observed; CRD_ESHAPE if a latent site's shape differs. */
CRD_API CRD_MUST_CHECK crd_status crd_model_compile_log_likelihood(const crd_model *model, void *user,
                                                                   const char *const *names, int count,
                                                                   crd_shape *shapes, crd_program **out);
/** Compiles (values of the latent sites in order) -> u, by the inverse bijections.
 *  @param model  borrowed. @param out  returns owned, written only on success. @return CRD_OK; CRD_ENOMEM. */
CRD_API CRD_MUST_CHECK crd_status crd_model_compile_unconstrained(const crd_model *model, crd_program **out);

/* ---- start points ------------------------------------------------------------------------------------------- */

/** Where an algorithm starts. */
typedef enum crd_start_kind {
    CRD_START_UNIFORM, /**< each u uniform in (-radius, radius) */
    CRD_START_PRIOR, /**< a draw from the prior; sites that cannot be drawn: uniform */
    CRD_START_MEDIAN, /**< the median of 15 prior draws, of each u */
    CRD_START_VALUE, /**< given values of the latent sites; a site of which one element is NaN: uniform */
    CRD_START_POINT /**< a given u: a fitted point */
} crd_start_kind;

/** A start. */
typedef struct crd_start {
    crd_start_kind kind; /**< how the point is found */
    double radius; /**< 0: 2 */
    const double *values; /**< value: of all latent sites in order, each flattened; point: (dim). Borrowed. */
} crd_start;

/** Finds a point for an algorithm to start from.
 *  @param model  borrowed. @param key  for what is drawn.
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
