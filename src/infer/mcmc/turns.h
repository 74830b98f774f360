/* turns.h - chains that come along together on fewer threads: each has a thread of its own, and so many may run at a time. */
#ifndef CRDI_MCMC_TURNS_H
#define CRDI_MCMC_TURNS_H

#include "base/base.h"

typedef struct crdi_turns crdi_turns;

/* `threads` chains run at a time, of `chains` tasks that crdi_parallel gave a thread each. */
crd_status crdi_turns_create(crd_context *ctx, int threads, int64_t chains, crdi_turns **out);
void crdi_turns_destroy(crdi_turns **turns);

/* A chain waits here until it is its turn: among those that wait, that of the fewest iterations comes first. NULL: at once. */
void crdi_turns_enter(crdi_turns *turns, int64_t chain);
/* Between two iterations: when the chain has run for a while, and another waits that is behind it, it waits. Costs a
 * comparison otherwise. */
void crdi_turns_pass(crdi_turns *turns, int64_t chain, int64_t iteration, double now);
void crdi_turns_leave(crdi_turns *turns);

#endif
