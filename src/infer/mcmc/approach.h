/* approach.h - the way of a chain to where its draws will be, for warm-ups that are too short to leave it to transitions. */
#ifndef CRDI_APPROACH_H
#define CRDI_APPROACH_H

#include "infer/mcmc/chain.h"

/* From where the chain is (evaluated) up its log density, by L-BFGS, until an iteration gains less than dim, from the third on, or for 30. A
 * draw lies about dim / 2 below the most probable point: what is beyond is no way to draws, and where there is no such point, or one
 * without draws, as in a funnel, it leads away from them. A transition takes half of what a chain is above the energy of draws, so
 * that from a start at random it needs tens; this takes tens of gradients. The last five to ten points, with their gradients, make a
 * first metric, and are forgotten when the first window ends. Draws nothing. */
crd_status crdi_chain_approach(crdi_chain *chain);

#endif
