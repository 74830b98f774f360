/* sink.h - how results leave the samplers: an interface that the store room implements, and memory.
 *
 * Calls for different chains come from different threads at once; those of one chain come in order. A sink must not
 * hold a chain up: it copies what it is given and returns. */
#ifndef CRDI_SINK_H
#define CRDI_SINK_H

#include <credence/posterior.h>
#include <stdbool.h>

/* A chain between two iterations, and what it took to get there. */
typedef struct crdi_sampler_state {
    int64_t iteration; /* done, warm-up counted; of a fit in steps: steps */
    const void *bytes; /* which only the sampler understands */
    size_t size;
    double warmup_seconds, sampling_seconds, gradient_seconds;
    int64_t gradient_evaluations;
    bool has_loss; /* of a fit in steps: */
    double loss; /* mean of the last steps */
} crdi_sampler_state;

typedef struct crdi_sink {
    void *user;
    /* `count` draws of a chain, from number `first` (counted from 0 after warm-up) on. values[c] holds column c's draws,
     * (count, *shape), in the order of the columns that the run was begun with. Borrowed. */
    crd_status (*draws)(void *user, int chain, int64_t first, int64_t count, const double *const *values);
    double
        pause; /* seconds between two calls for draws and states of a chain, unless more draws have come together; 0: 0.5 */
    /* The complete state of a chain's sampler. All draws before it have gone to `draws`. Borrowed. Optional. */
    crd_status (*state)(void *user, int chain, const crdi_sampler_state *state);
    /* Number `iteration` of the warm-up, from 0, as one draw: values[c] is (*shape). Borrowed. Optional: costs the values of
     * all sites at every iteration. */
    crd_status (*warmup)(void *user, int chain, int64_t iteration, const double *const *values);
    /* Whether the state behind the first `draws` draws of a chain is wanted, beside those that come by time; asked after every
     * draw. Optional. */
    bool (*wants_state)(void *user, int chain, int64_t draws);
    bool together; /* chains come along together, by turns where there are fewer threads */
} crdi_sink;

/* A sink that fills a posterior made with the same columns. */
crdi_sink crdi_sink_to_posterior(crd_posterior *posterior);

#endif
