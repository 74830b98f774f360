/* run_loo.h - how well the network of a run predicts rows that it has not seen, alone and beside other runs. */
#ifndef CRDI_REPORT_RUN_LOO_H
#define CRDI_REPORT_RUN_LOO_H

#include "store/network_run.h"

#include <credence/loo.h>

typedef struct crdi_run_loo {
    crd_context *ctx;
    char *path;
    int64_t targets;
    char **target; /* (targets) names */
    int chains;
    int64_t draws; /* of all chains */
    double reff; /* used for the smoothing */
    crd_elpd loo, waic;
    int64_t rows;
    double *y; /* (rows, targets) in the targets' own units */
    double *elpd, *p, *k_hat, *waic_elpd; /* (rows) */
} crdi_run_loo;

/* Leave-one-out and WAIC for the rows of the fit. reff 0: crdi_run_relative_efficiency. CRD_EMISSING: no draws or too
 * few; CRD_EUNSUPPORTED: a model written in C. */
crd_status crdi_run_loo_make(const crdi_network_run *net, double reff, int threads, crdi_run_loo **out);
void crdi_run_loo_destroy(crdi_run_loo **loo);

/* Tables (run_loo_text.c). CSV: a row a row of the data; y, or y_NAME for each of several targets. */
crd_status crdi_run_loo_text(crdi_string *out, const crdi_run_loo *loo);
crd_status crdi_run_loo_csv(crdi_string *out, const crdi_run_loo *loo);
crd_status crdi_run_loo_json(crdi_string *out, const crdi_run_loo *loo);

/* ---- several runs (run_compare.c) ----------------------------------------------------------------------------- */

/* Runs can be compared if their targets are the same numbers in the same order: CRD_EDATA says where they differ. */
crd_status crdi_run_loo_same_data(const crdi_run_loo *a, const crdi_run_loo *b);
/* Best first. CSV and JSON: a row a run. CRD_EDATA. */
crd_status crdi_run_compare_text(crdi_string *out, const crdi_run_loo *const *loo, int count);
crd_status crdi_run_compare_csv(crdi_string *out, const crdi_run_loo *const *loo, int count);
crd_status crdi_run_compare_json(crdi_string *out, const crdi_run_loo *const *loo, int count);

#endif
