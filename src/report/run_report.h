/* run_report.h - the report of a run: one page of HTML that holds all it shows, and opens without a network. */
#ifndef CRDI_REPORT_RUN_REPORT_H
#define CRDI_REPORT_RUN_REPORT_H

#include "report/diagnosis.h"

typedef struct crdi_run_report_options {
    double prob; /* how much of the draws the intervals of the table hold */
    int64_t
        rows; /* of the fit that predictions are compared with, spread evenly where there are more; 0: all. Leave-one-out and
                     the table by row need them all */
    int64_t draws; /* that predictions use; 0: up to 4000 */
    int64_t parameters; /* rows of the table at most; of more those that mixed worst are kept; 0: all */
    bool canonical; /* the draws are in canonical form (run_canonical.h) */
    int threads; /* 0: as many as processors */
    const char *made; /* when, as text; NULL: it is not said, and the same run gives the same bytes */
    void (*step)(void *user, const char *what); /* told what is being computed; NULL: nobody is */
    void *user;
} crdi_run_report_options;

typedef struct crdi_run_report {
    crd_context *ctx;
    crdi_string page;
    char *sentence; /* of the verdict; NULL: there are no draws yet */
} crdi_run_report;

/* Makes the report of any run file: finished, stopped, or being written, of a network or of a model written in C, sampled,
 * fitted or imported. What a run has no answer to (predictions of a model written in C) is left out, and the notes say so. The file is
 * opened a second time for what brings the draws into canonical form. CRD_EDAMAGED, CRD_EIO, CRD_ENOMEM. */
crd_status crdi_run_report_make(crdi_network_run *net, const crdi_run_report_options *options, crdi_run_report **out);
void crdi_run_report_destroy(crdi_run_report **report);

#endif
