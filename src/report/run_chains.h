/* run_chains.h - how much each chain of a run is worth for predictions: stacking of chains that did not mix.
 *
 * Where chains stay in different modes, pooled draws weigh the modes by how many chains happened to fall into them.
 * Stacking weighs the chains by how well they predict rows left out. It is no posterior, but it predicts at least as well as
 * the pooled draws. Source: Yao, Vehtari & Gelman 2022, JMLR 23(79). */
#ifndef CRDI_REPORT_RUN_CHAINS_H
#define CRDI_REPORT_RUN_CHAINS_H

#include "store/network_run.h"

#include <credence/loo.h>

typedef struct crdi_run_chains {
    crd_context *ctx;
    char *path;
    int chains, *chain; /* (chains) numbers in the run */
    int64_t draws, rows; /* draws of a chain */
    double *elpd, *k_hat; /* (chains, rows): leave-one-out of each chain by itself */
    int64_t *bad; /* (chains): rows with a k_hat above crd_psis_good_k(draws) */
    crd_comparison *row; /* (chains), best first; `model` is the place in `chain` */
    double stacked, equal; /* elpd of the chains mixed by the weights, and by equal ones */
} crdi_run_chains;

/* reff: of the draws of a chain; 0: 1, as ArviZ has it for a single chain. CRD_EMISSING: no draws, or one chain only;
 * CRD_EUNSUPPORTED: a model written in C. Memory: two numbers a chain and row. */
crd_status crdi_run_chains_make(const crdi_network_run *net, double reff, int threads, crdi_run_chains **out);
void crdi_run_chains_destroy(crdi_run_chains **chains);

/* CSV and JSON: a row a chain. */
crd_status crdi_run_chains_text(crdi_string *out, const crdi_run_chains *chains);
crd_status crdi_run_chains_csv(crdi_string *out, const crdi_run_chains *chains);
crd_status crdi_run_chains_json(crdi_string *out, const crdi_run_chains *chains);

#endif
