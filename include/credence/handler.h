/* handler.h - handlers: what may stand between a model's statements and the trace.
 *
 * Each is a struct that the caller keeps (on the stack, usually) and an init function. It is pushed around a whole run,
 * or in a model function around some of its statements:
 *
 *     crd_scale_handler half;
 *     crd_scale_init(&half, 0.5);
 *     crd_trace_push(t, &half.handler);
 *     crd_node f = sub_model(t, user);
 *     crd_trace_pop(t, &half.handler);
 *
 * The innermost sees a statement first. Names are patterns of the shell (* and ?), several with commas between them;
 * NULL means all. docs/model.md has an example of each. */
#ifndef CREDENCE_HANDLER_H
#define CREDENCE_HANDLER_H

#include <credence/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- values ------------------------------------------------------------------------------------------------- */

/** Gives sample sites without a value a draw from their distribution, and subsampled plates their rows. The site's key
 *  is key folded with the number of sample statements (and subsampled plates) before it. `key` is a node, so that a
 *  compiled trace draws anew for every key. */
typedef struct crd_seed_handler {
    crd_handler handler; /**< what is pushed */
    crd_node key; /**< a key node */
    uint32_t next; /**< statements so far */
} crd_seed_handler;
/** Fills such a handler.
 *  @param handler  to be filled; the caller keeps it until it is popped.
 *  @param key  a node of the trace's graph (crd_key_node). */
CRD_API void crd_seed_init(crd_seed_handler *handler, crd_node key);

/** Finds a value for a message (returns 0 if it has none). */
typedef int (*crd_lookup_fn)(void *user, const crd_message *message, crd_node *value);
/** Values by name: a list that ends with a name NULL. */
typedef struct crd_value {
    const char *name; /**< of the site; NULL ends the list */
    crd_node value; /**< of the site's shape */
    int used; /**< set by the handler */
} crd_value;
/** The lookup function for such a list, which is its `user`. A name in it that no statement has fails the run.
 *  @param values  an array of crd_value, whose last name is NULL. @param message  the statement.
 *  @param value  returns the value. */
CRD_API int crd_lookup_values(void *values, const crd_message *message, crd_node *value);

/** Substitute gives latent sites, parameters and the rows of subsampled plates values; condition makes sites observed. */
typedef struct crd_substitute_handler {
    crd_handler handler; /**< what is pushed */
    crd_lookup_fn lookup; /**< finds the values */
    void *user; /**< passed to the function */
    int observe; /**< 1: condition (the sites become observed); 0: substitute */
} crd_substitute_handler;
/** Fills a handler that substitutes.
 *  @param handler  to be filled; the caller keeps it until it is popped. @param lookup  finds the values.
 *  @param user  passed to the function. */
CRD_API void crd_substitute_init(crd_substitute_handler *handler, crd_lookup_fn lookup, void *user);
/** Fills a handler that conditions.
 *  @param handler  to be filled; the caller keeps it until it is popped. @param lookup  finds the values.
 *  @param user  passed to the function. */
CRD_API void crd_condition_init(crd_substitute_handler *handler, crd_lookup_fn lookup, void *user);

/** Takes the observations away: observed sites (of these names) become latent. */
typedef struct crd_uncondition_handler {
    crd_handler handler; /**< what is pushed */
    const char *names; /**< patterns; NULL: all */
} crd_uncondition_handler;
/** Fills such a handler.
 *  @param handler  to be filled; the caller keeps it until it is popped.
 *  @param names  patterns, borrowed; NULL: all. */
CRD_API void crd_uncondition_init(crd_uncondition_handler *handler, const char *names);

/** Gives latent sites the values that they have in another trace, and subsampled plates their rows. The values must be
 *  known numbers, or both traces must live in one graph (crd_trace_create_in). @param recorded  borrowed. */
typedef struct crd_replay_handler {
    crd_handler handler; /**< what is pushed */
    const crd_trace *recorded; /**< the other trace */
} crd_replay_handler;
/** Fills such a handler.
 *  @param handler  to be filled; the caller keeps it until it is popped.
 *  @param recorded  borrowed until the handler is popped. */
CRD_API void crd_replay_init(crd_replay_handler *handler, const crd_trace *recorded);

/** Intervenes (Pearl's do): what comes after a site sees the given value, which has no density; the site itself stays
 *  in the model as it was, with a value of its own. */
typedef struct crd_do_handler {
    crd_handler handler; /**< what is pushed */
    crd_lookup_fn lookup; /**< finds the values */
    void *user; /**< passed to the function */
} crd_do_handler;
/** Fills such a handler.
 *  @param handler  to be filled; the caller keeps it until it is popped. @param lookup  finds the values.
 *  @param user  passed to the function. */
CRD_API void crd_do_init(crd_do_handler *handler, crd_lookup_fn lookup, void *user);

/** Makes the value of latent sites and parameters inputs of the graph (on their own scale), so that all that depends on
 *  them stays a formula: for pictures, and for programs of one's own.
 *  @param handler  to be filled; the caller keeps it until it is popped. */
CRD_API void crd_input_init(crd_handler *handler);

/* ---- densities ---------------------------------------------------------------------------------------------- */

/** Hides statements from the handlers outside and from the trace: they are not recorded and add no density. Their
 *  values must come from handlers inside. */
typedef struct crd_block_handler {
    crd_handler handler; /**< what is pushed */
    const char *names; /**< patterns; NULL: all */
    int (*hide)(void *user, const crd_message *message); /**< decides for each message; NULL: by name */
    void *user; /**< passed to the function */
    int expose; /**< not 0: all but these names are hidden */
} crd_block_handler;
/** Fills a handler that hides statements by name.
 *  @param handler  to be filled; the caller keeps it until it is popped.
 *  @param names  patterns, borrowed; NULL: all. */
CRD_API void crd_block_init(crd_block_handler *handler, const char *names);
/** Hides all but these.
 *  @param handler  to be filled; the caller keeps it until it is popped.
 *  @param names  patterns, borrowed; NULL: all. */
CRD_API void crd_block_init_expose(crd_block_handler *handler, const char *names);
/** Hides those for which a function says so.
 *  @param handler  to be filled; the caller keeps it until it is popped. @param hide  not 0 for a message to hide.
 *  @param user  passed to the function. */
CRD_API void crd_block_init_if(crd_block_handler *handler, int (*hide)(void *user, const crd_message *message),
                               void *user);

/** Multiplies log densities by a number, which must be positive. */
typedef struct crd_scale_handler {
    crd_handler handler; /**< what is pushed */
    double scale; /**< the factor */
} crd_scale_handler;
/** Fills such a handler.
 *  @param handler  to be filled; the caller keeps it until it is popped. @param scale  above 0. */
CRD_API void crd_scale_init(crd_scale_handler *handler, double scale);

/** Counts only the draws whose mask is not 0. The mask broadcasts against the batch shape of the sites. Observed values
 *  that are masked out by a known mask may be anything, NaN too: rows that fill up a batch, missing data. */
typedef struct crd_mask_handler {
    crd_handler handler; /**< what is pushed */
    crd_node mask; /**< 0: the draw does not count */
} crd_mask_handler;
/** Fills such a handler.
 *  @param handler  to be filled; the caller keeps it until it is popped. @param mask  0 or 1. */
CRD_API void crd_mask_init(crd_mask_handler *handler, crd_node mask);

/* ---- other sites -------------------------------------------------------------------------------------------- */

/** The prior of a parameter: a list that ends with names NULL. */
typedef struct crd_lift_prior {
    const char *names; /**< patterns; NULL: all */
    crd_dist dist; /**< expanded to the parameter's shape */
    int used; /**< set by the handler */
} crd_lift_prior;

/** Makes parameters sample sites. The first row of the list with their name counts; a row that no parameter has fails
 *  the run; parameters without one stay what they are. @param priors  borrowed. */
typedef struct crd_lift_handler {
    crd_handler handler; /**< what is pushed */
    crd_lift_prior *prior; /**< the list */
} crd_lift_handler;
/** Fills such a handler.
 *  @param handler  to be filled; the caller keeps it until it is popped.
 *  @param priors  a list that ends with names NULL; borrowed until the handler is popped. */
CRD_API void crd_lift_init(crd_lift_handler *handler, crd_lift_prior *priors);

/** Says other statements in place of a sample statement and gives its value as a formula of theirs.
 *  @return 0: the statement is left as it is. */
typedef int (*crd_reparam_fn)(void *user, crd_trace *trace, const crd_message *message, crd_node *value);

/** Reparametrises latent sites: they become deterministic sites of others. An observed one is refused. */
typedef struct crd_reparam_handler {
    crd_handler handler; /**< what is pushed */
    const char *names; /**< patterns; NULL: all */
    crd_reparam_fn fn; /**< says the other statements */
    void *user; /**< passed to the function */
    double centered; /**< of location and scale */
    int busy; /**< in fn: the statements that it says are left alone */
} crd_reparam_handler;
/** Fills a handler with a reparametrisation of the caller's.
 *  @param handler  to be filled; the caller keeps it until it is popped.
 *  @param names  patterns, borrowed; NULL: all. @param fn  says the other statements.
 *  @param user  passed to the function. */
CRD_API void crd_reparam_init(crd_reparam_handler *handler, const char *names, crd_reparam_fn fn, void *user);
/** Location and scale: a site x ~ D(loc, scale) on all reals becomes z ~ D(c loc, scale^c), named NAME_decentered, and
 *  x = loc + scale^(1 - c) (z - c loc). c = 0 is the non-centred form, 1 leaves the site as it is.
 *  @param handler  to be filled; the caller keeps it until it is popped.
 *  @param names  patterns, borrowed; NULL: all. @param centered  c, from 0 to 1.
 *  Source: Gorinova, Moore & Hoffman 2020 (Automatic reparameterisation), sec. 4; NumPyro's LocScaleReparam. */
CRD_API void crd_reparam_init_loc_scale(crd_reparam_handler *handler, const char *names, double centered);
/** Transform: a site whose distribution is a function of one without parameters of scale is drawn from that one, named
 *  NAME_base: log_normal (exp of a normal), uniform (on (0, 1)), exponential, half_normal, half_cauchy, gamma,
 *  inverse_gamma, weibull (of scale or rate 1). Others are refused.
 *  @param handler  to be filled; the caller keeps it until it is popped.
 *  @param names  patterns, borrowed; NULL: all. */
CRD_API void crd_reparam_init_transform(crd_reparam_handler *handler, const char *names);

#ifdef __cplusplus
}
#endif
#endif
