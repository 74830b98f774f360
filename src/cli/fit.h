/* fit.h - one call of credence fit, whose parts are files: what was typed and the run (cmd_fit.c), the likelihood (fit_likelihood.c),
 * options that go with a method (fit_method.c), what is printed before the run (fit_print.c). */
#ifndef CRDI_CLI_FIT_H
#define CRDI_CLI_FIT_H

#include "cli/auto.h"
#include "store/network_fit.h"

typedef struct crdi_fit_options {
#define OPT CRDI_OPTION_FIELD
#include "cli/fit.def"
#undef OPT
} crdi_fit_options;

extern const crdi_option_table crdi_fit_table;

typedef struct crdi_fit {
    crdi_cli *cli;
    crdi_cli_call *call;
    const crdi_fit_options *o;
    crdi_arena *arena;
    crdi_string record; /* the options as JSON */
    crd_target_kind target_kind;
    crd_dataset *dataset;
    crdi_network_fit net;
    crdi_stop_rule rule;
    crdi_auto automatic;
    bool random_seed;
} crdi_fit;

/* ---- fit_likelihood.c: each call needs what the one before it has set --------------------------------------------------- */

/* How the target is to be read; auto waits for the data. */
CRD_MUST_CHECK crd_status crdi_fit_read_likelihood(crdi_fit *f);
/* What the network says of the target, once it was read. */
CRD_MUST_CHECK crd_status crdi_fit_settle_likelihood(crdi_fit *f);
CRD_MUST_CHECK crd_status crdi_fit_settle_weights(crdi_fit *f);
/* Appends what else the target may be: a numeric one of few whole numbers may be meant as classes or counts. */
void crdi_fit_hint(const crdi_fit *f, crdi_string *out);

/* ---- fit_method.c ---------------------------------------------------------------------------------------------- */

bool crdi_fit_is_auto(const crdi_fit *f);
/* Made in steps of an optimiser, with restarts or members instead of chains. */
/* "nuts hmc smc" in words: nuts, hmc and smc. A list that begins with `kernels` begins with all of the kernel table. */
void crdi_fit_list_methods(const char *words, crdi_string *out);
bool crdi_fit_is_in_steps(const crdi_fit *f);
/* So many restarts or members. */
int crdi_fits_at_once(const crdi_fit *f);
/* The method, and whether the options that were given are its own. What auto means waits for the data; options are checked as for
 * its likeliest meaning. */
CRD_MUST_CHECK crd_status crdi_fit_settle_method(crdi_fit *f);
/* The plan, which needs the data. */
CRD_MUST_CHECK crd_status crdi_fit_settle_auto(crdi_fit *f);
/* What was settled by the method is recorded as if it had been typed: a run that is taken up again does the same. */
CRD_MUST_CHECK crd_status crdi_fit_record_settled(crdi_fit *f);
/* Chain c begins with what chain c of the other run has learned. */
CRD_MUST_CHECK crd_status crdi_fit_read_warm(crdi_fit *f);

/* ---- fit_print.c ----------------------------------------------------------------------------------------------- */

CRD_MUST_CHECK crd_status crdi_fit_print_plan(crdi_fit *f);
/* --check: the data and the model. */
CRD_MUST_CHECK crd_status crdi_fit_print_check(crdi_fit *f);
/* --show-plan: what runs for every gradient. */
CRD_MUST_CHECK crd_status crdi_fit_print_program(crdi_fit *f);

#endif
