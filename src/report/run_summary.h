/* run_summary.h - the summary of a run file: rows, counts, what is worst; and the lines that end a run. */
#ifndef CRDI_REPORT_RUN_SUMMARY_H
#define CRDI_REPORT_RUN_SUMMARY_H

#include "infer/mcmc.h"
#include "report/batch_noise.h"
#include "report/table.h"
#include "store/network_run.h"
#include "store/network_laplace.h"
#include "store/network_svi.h"
#include "store/network_starts.h"
#include "store/network_tempered.h"

typedef struct crdi_run_summary {
    crd_context *ctx;
    crdi_arena *arena; /* texts of the rows */
    crdi_summary_row *row;
    int64_t count, capacity;
    bool diagnostics; /* ArviZ's columns were asked for: */
    crdi_diagnostic_row *diagnostic; /* (count), else NULL; of points: without numbers, and not printed */
    int64_t diagnostic_capacity;
    double *ebfmi; /* (part.chains); NULL also where the sampler has no energy */
    double prob;
    crdi_run_part part; /* what was summarised */
    int chains; /* of the run */
    int64_t warmup; /* -1: the file does not say */
    int64_t divergences; /* -1: the sampler counts none */
    int64_t max_depth, deepest; /* the limit of the trees (0: none is known), and how many draws ended at it */
    char *method, *status; /* "nuts", "complete"; "" where the file does not say */
    bool killed; /* its status is "running", and nobody writes it */
    char *plan, *plan_rule; /* of a method that was not given: what was chosen and why; "" */
    char *ending; /* why it ended (run_ending.h); "" */
    bool hidden_units; /* of a network that has any: chains may have them in other places */
    bool f_agrees; /* it ended because chains agreed on f: single weights need not agree */
    /* Of the rows; one that is not a number is worst, because nothing is known of it. */
    const crdi_summary_row *worst_r_hat, *smallest_n_eff; /* NULL without rows */
    bool independent; /* the draws of a variational fit: r_hat and n_eff say nothing, `svi` does */
    crdi_variational svi;
    crdi_laplace_record laplace; /* hessian NULL: it is none; else `independent` too */
    crdi_batch_noise noise; /* of kernels of batches */
    crd_evidence evidence; /* ctx NULL: it has none */
    crdi_run_starts starts; /* count 0: they were not trained */
    bool scaled; /* sites are in units of standardised data */
    bool target_scaled; /* and so is the target: it is a number */
    bool single; /* of a network that was computed in single precision */
    int64_t target_count; /* 0 unless it is a network's run */
    struct crdi_summary_target {
        const char *name;
        double sd;
    } * target; /* in the arena */
} crdi_run_summary;

/* Summarises a run file column by column. `site`: a shell pattern for names of sites or of single rows; NULL: all latent
 * sites; deterministic sites that were kept come only where the pattern matches. CRD_EMISSING: no draws; CRD_ENAME: the
 * pattern matches nothing. Memory: the rows, and 32 MiB or one element's draws. */
crd_status crdi_run_summary_make(crdi_network_run *net, const char *site, double prob, crdi_run_summary **out);
/* The same with ArviZ's columns, which the text, the JSON and the CSV then have. */
crd_status crdi_run_diagnostics_make(crdi_network_run *net, const char *site, double prob, crdi_run_summary **out);
void crdi_run_summary_destroy(crdi_run_summary **summary);

/* The table and the lines below it: divergences, what was run, units. */
crd_status crdi_run_summary_text(crdi_string *out, const crdi_run_summary *summary, bool full);
/* The lines on units below the table, one target a line; nothing for data that were not scaled. */
void crdi_run_summary_units(crdi_string *out, const crdi_run_summary *summary);
crd_status crdi_run_summary_json(crdi_string *out, const crdi_run_summary *summary);

/* A row an element; `s` once more in the target's units where the data were scaled. */
crd_status crdi_run_summary_csv(crdi_string *out, const crdi_run_summary *summary);

/* Option max_depth by the record of the options, which a run of another making may lack; 0: it is not known. */
crd_status crdi_run_max_depth(const crdi_network_run *net, int64_t *out);
/* Draws that reached max_depth, in words: of trees, or of trajectories that it cut. */
void crdi_depth_text(crdi_string *out, const char *method, int64_t deepest, int64_t draws, int64_t max_depth);
/* run_notes.c: lines "note: ..." for what speaks against the draws, with what to try; nothing if nothing does. */
crd_status crdi_run_notes(crdi_string *out, const crdi_run_summary *summary);
/* Whether the chains are too short for r_hat and n_eff. */
bool crdi_run_too_short(const crdi_run_summary *summary);

/* What a run of `fit` ends with. */
typedef struct crdi_run_end {
    bool particles; /* behind a pilot run: no warm-up, no divergences */
    const char *path;
    crdi_mcmc_report cost;
    int64_t seed, chains;
    const int64_t *draws; /* (chains) in the file */
    bool interrupted;
    const char *reason; /* why it ended: a word */
    const char *ending; /* the same as a line; "": because all was done */
    const crdi_run_summary *summary; /* NULL: there are no draws */
} crdi_run_end;
crd_status crdi_run_end_text(crdi_string *out, const crdi_run_end *end);
crd_status crdi_run_end_json(crdi_string *out, const crdi_run_end *end);

#endif
