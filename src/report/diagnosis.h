/* diagnosis.h - whether to believe a run, in words: what holds, what does not, what to try next. */
#ifndef CRDI_REPORT_DIAGNOSIS_H
#define CRDI_REPORT_DIAGNOSIS_H

#include "report/batch_noise.h"
#include "report/run_function.h"
#include "store/network_laplace.h"
#include "store/network_svi.h"
#include "store/network_tempered.h"

typedef enum crdi_state { CRDI_HOLDS, CRDI_CARE, CRDI_FAILS } crdi_state;

/* One thing that was looked at. Texts are owned by the diagnosis. */
typedef struct crdi_finding {
    const char *id; /* "r_hat", "divergences": static */
    crdi_state state;
    const char *text, *advice; /* a clause each, without a full stop; advice NULL: nothing to try */
} crdi_finding;

/* One latent number of the model. */
typedef struct crdi_element {
    const char *label;
    bool weight; /* of the network */
    double mean, sd, r_hat, ess_bulk, ess_tail;
    double mcse; /* of the mean, as a part of the sd */
    double between, drift; /* crd_diag_take_apart */
    double separation; /* 2 P(a diverging draw is below another) - 1, from -1 to 1; NaN: fewer than 5 diverged */
} crdi_element;

enum { CRDI_FINDINGS = 24, CRDI_WHERE = 3 };

typedef struct crdi_diagnosis {
    crd_context *ctx;
    crdi_arena *arena; /* texts */
    const crdi_network_run *net; /* borrowed */
    crdi_run_part part;
    int64_t total, warmup; /* draws of all chains; -1: the file does not say */
    char *method, *status;
    /* What was found: */
    crdi_element *element; /* latent sites, by element */
    int64_t element_count, element_capacity;
    int64_t constant; /* elements that never change */
    double *mean; /* (chains) of the decisive element that agrees least */
    bool *stuck; /* (chains) */
    double *ebfmi; /* (chains); NULL: the sampler has no energy */
    crdi_batch_noise noise; /* of kernels of batches */
    bool particles; /* chains are runs of particles (smc, ais): other things help them */
    crd_evidence evidence; /* ctx NULL: it has none */
    int64_t *diverged; /* (chains); NULL: it counts none */
    int64_t divergences, max_depth, deepest; /* -1, 0: unknown */
    int64_t weights_above[2]; /* r_hat above 1.05: as drawn, and in canonical form (-1: not looked at) */
    double weights_r_hat[2]; /* the largest, likewise */
    crdi_function_space *space; /* NULL: no network, or nothing to say */
    bool independent; /* draws of a variational fit or of a Laplace approximation */
    crdi_variational svi;
    crdi_laplace_record laplace; /* hessian NULL: another method */
    /* What it means: */
    crdi_finding finding[CRDI_FINDINGS];
    int finding_count;
    crdi_state state; /* of all */
    const char *verdict; /* "good", "constant", "stuck_chain", "two_modes", "modes_outside", "not_mixed", "too_short",
                            "divergences", "energy", "guide", "care": static */
    const char *sentence; /* the verdict in words */
} crdi_diagnosis;

/* Bounds, with their sources. */
#define CRDI_R_HAT_GOOD 1.01 /* Vehtari et al. 2021, doi:10.1214/20-BA1221 */
#define CRDI_R_HAT_BAD 1.05
#define CRDI_ESS_GOOD 100 /* a chain, the same */
#define CRDI_ESS_BAD 100 /* of all chains */
#define CRDI_EBFMI_GOOD 0.3 /* Betancourt 2016, arXiv:1604.00695, and Stan */
#define CRDI_DIVERGENT_BAD 0.001 /* of the draws */
#define CRDI_DEEP_CARE 0.05 /* of the draws */

/* Looks at a run. With `function.rows` as in crdi_function_request. For a network its weights are judged by what they
 * compute: f at the data, outside it, and the log likelihood. CRD_EMISSING: no draws. Memory: 32 MiB or one element's
 * draws, that of by_row.h, and, where weights disagree, all draws of the weights. */
crd_status crdi_diagnose(crdi_network_run *net, const crdi_function_request *function, crdi_diagnosis **out);
void crdi_diagnosis_destroy(crdi_diagnosis **diagnosis);

/* diagnosis_verdict.c: findings, state, verdict and sentence from the numbers. */
crd_status crdi_diagnosis_judge(crdi_diagnosis *d);

/* diagnosis_text.c. CSV: a row an element, then one a number in function space. */
crd_status crdi_diagnosis_text(crdi_string *out, const crdi_diagnosis *d);
crd_status crdi_diagnosis_json(crdi_string *out, const crdi_diagnosis *d);
crd_status crdi_diagnosis_csv(crdi_string *out, const crdi_diagnosis *d);

#endif
