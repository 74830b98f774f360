/* bayes_factor.h - the log evidences of several runs of the same data, and the log Bayes factors that they make. */
#ifndef CRDI_REPORT_BAYES_FACTOR_H
#define CRDI_REPORT_BAYES_FACTOR_H

#include "store/json.h"
#include "store/network_run.h"

/* A number with its standard error and 95 % interval; NaN where they are not known. */
typedef struct crdi_estimate {
    double value, error, low, high;
} crdi_estimate;

typedef struct crdi_bayes_run {
    const char *name; /* borrowed */
    char *method; /* owned */
    bool has_evidence;
    bool set_by_data; /* of Laplace: what it holds fixed is not averaged over */
    bool late; /* crdi_evidence_comes_late */
    crdi_estimate evidence; /* of the target as the first run has scaled it */
    crdi_estimate factor; /* log Bayes factor over the first run; NaN of itself */
} crdi_bayes_run;

typedef struct crdi_bayes {
    crd_context *ctx;
    int count, known; /* runs; those that have a log evidence */
    crdi_bayes_run *run;
    bool scaled; /* targets are scaled differently: evidences were converted */
    char why[512]; /* they are not comparable: of different data, in words; "" */
} crdi_bayes;

/* Of runs that the command line made, by smc, ais, tempering and laplace (also as a guide); a variational bound is no evidence. A
 * log Bayes factor is the difference of two log evidences, of the densities of the same numbers; its error is that of a difference of
 * independent ones, and its interval
 *     d - sqrt((a - low_a)^2 + (high_b - b)^2), d + sqrt((high_a - a)^2 + (b - low_b)^2),  d = a - b
 * (Zou & Donner 2008, Statistics in Medicine 27, eq. 3: limits from the limits of both). Runs of different data: `why`. The caller
 * clears, after a failure too. */
crd_status crdi_bayes_make(crd_context *ctx, crdi_network_run *const *net, const char *const *name, int count,
                           crdi_bayes *out);
void crdi_bayes_clear(crdi_bayes *bayes);

/* All write nothing where no two runs have an evidence. Lines: */
crd_status crdi_bayes_text(crdi_string *out, const crdi_bayes *bayes);
/* Rows "run,,log_evidence,estimate,se,difference,difference_se", as those of crdi_comparison_csv. */
crd_status crdi_bayes_csv(crdi_string *out, const crdi_bayes *bayes);
/* Members "evidence", an array with an object a run, and "evidence_note". */
void crdi_bayes_json(crdi_json_writer *w, const crdi_bayes *bayes);

#endif
