/* svi.h - a fit from the inside. */
#ifndef CRDI_SVI_H
#define CRDI_SVI_H

#include <credence/svi.h>
#include "base/options.h"
#include "infer/svi/elbo.h"
#include "infer/svi/optim.h"
#include "model/start.h"

#include <pthread.h>
#include <stdatomic.h>

/* The rows of svi_options.def over crd_svi_options. */
extern const crdi_option_table crdi_svi_option_table;

enum { CRDI_SVI_LAST = 500, CRDI_SVI_BAD = 100 }; /* steps of the final loss; steps in a row that may be not finite */

/* Why steps end; `texts` of svi_state.c says it. */
typedef enum crdi_svi_end {
    CRDI_SVI_GOES_ON,
    CRDI_SVI_ALL,
    CRDI_SVI_STALLED,
    CRDI_SVI_TURNED,
    CRDI_SVI_STOPPED,
    CRDI_SVI_FULL
} crdi_svi_end;
const char *crdi_svi_end_text(crdi_svi_end end);

typedef struct crdi_svi_start {
    const void *bytes;
    size_t size;
} crdi_svi_start;

/* One restart. */
typedef struct crdi_svi_run {
    crd_key key;
    double *params;
    crdi_optimiser *optimiser; /* NULL: lbfgs */
    crd_exec *exec;
    crdi_team *team; /* that shares the particles; NULL: one thread does */
    double *loss, *divergence, *likelihood; /* (capacity) */
    int64_t steps, capacity;
    int64_t skipped, bad; /* of all steps; in a row until now */
    double baseline; /* decaying mean of the loss */
    double final_loss; /* infinity: it failed */
    /* Rows of a shuffled plate. */
    int64_t *order[2]; /* (population) of an even and an odd epoch */
    int64_t epoch[2]; /* whose they are; -1: none yet */
    /* Rows held out. */
    crd_exec *watch; /* NULL: none */
    double *watched; /* (watches) their loss by epoch */
    int64_t watches, watch_capacity;
    double held_out; /* the least of them */
    double *best; /* the parameters then */
    int64_t best_step;
    double seconds;
    const char *end;
    int64_t ended; /* crdi_svi_end */
    double state_due; /* when the next state is kept */
    int64_t most; /* steps that a state has room for */
    crdi_archive archive;
    crd_status status; /* of this restart */
} crdi_svi_run;

struct crd_svi {
    crd_context *ctx;
    crdi_arena *arena;
    crd_svi_options options; /* completed; texts in the arena; calls only while a function of ours runs */
    bool hand_alone; /* a guide by hand, and none was named for what it leaves */
    crdi_guide *guide;
    crdi_loss loss;
    crdi_elbo elbo;
    int team_size; /* threads of one restart */
    crd_program *watch; /* (parameters, key) -> loss of the rows held out; NULL: there are none */
    crdi_svi_run *run; /* (runs); after the fit only those that are kept are there */
    int64_t runs; /* restarts, or members */
    int64_t best; /* the first of them that is kept; while they run, the best that has ended */
    bool any_ended;
    int64_t *member, members; /* those that are kept */
    double *final_loss; /* (runs) */
    double *held_out; /* (runs) */
    int64_t *best_step; /* (runs) */
    double *mean[4]; /* of an ensemble: loss, divergence, likelihood, loss held out, over members; owned */
    crd_svi_history history;
    int64_t all_steps; /* of all restarts, and the time that they took, each for itself */
    double all_seconds;
    double log_evidence; /* of Laplace; NaN */
    double *fitted; /* parameters of the family that the guide became; NULL: those of the best restart */
    /* Where the state of each restart goes from time to time, and of a fit that goes on its own; NULL: it is not kept. From the
     * restarts' threads. */
    crd_status (*keep)(void *user, int64_t restart, const crdi_archive *state);
    void *keep_user;
    double keep_pause; /* seconds; 0: 0.5 */
    int64_t keep_most; /* bytes of a state with its histories, before which the steps end; 0: no limit */
    /* (runs) states that crdi_svi_make goes on from, by crdi_svi_run_state; bytes NULL: it begins. NULL: all begin. */
    const crdi_svi_start *from;
    /* While it runs. */
    crdi_starter starter;
    crd_svi_progress *progress;
    bool going_on; /* crd_svi_continue: one restart is at work */
    int64_t begun; /* it is one to which steps are added, behind so many */
    pthread_mutex_t lock;
    double told; /* when progress was called last */
    atomic_bool stopped;
};

/* crd_svi_fit in two parts: all that can be refused, then the steps. */
crd_status crdi_svi_create(crd_context *ctx, crd_model_fn model, void *user, const crd_svi_options *options,
                           crd_key key, crd_svi **out);
crd_status crdi_svi_make(crd_svi *svi);

/* The parameters that draw number `draw` comes from. */
const double *crdi_svi_params(const crd_svi *svi, int64_t draw);
/* crd_svi_draw with other data of the model: what the deterministic sites are there. NULL: those of the fit. */
crd_status crdi_svi_draw_with(const crd_svi *svi, void *user, int64_t draws, const char *const *keep, int keep_count,
                              crd_key key, crd_posterior **out);
bool crdi_svi_is_lbfgs(const crd_svi_options *options);

/* ---- a fit as bytes (svi_state.c) -------------------------------------------------------------------------- */

/* CRD_EUNSUPPORTED: a fit that cannot go on when it has ended: laplace, lbfgs, ensembles, with rows held out. */
crd_status crdi_svi_can_continue(const crd_svi *svi);
/* Whether a fit leaves a state that crd_svi_continue goes on from. */
bool crdi_svi_has_state(const crd_svi *svi);
void crdi_svi_state_save(const crd_svi *svi, crdi_archive *out);

/* A state, and the histories that belong to it. Borrowed. */
typedef struct crdi_svi_saved {
    const void *bytes;
    size_t size;
    const double *loss, *divergence, *likelihood; /* (steps) */
    int64_t steps;
    const double *final_loss; /* (restarts) */
    int64_t restarts;
    double seconds; /* that it took */
    bool new_optimiser; /* the optimiser begins anew: it may be another one */
} crdi_svi_saved;

/* Makes a fit that was created with the same model, options and key and has made no step what it was when it was saved;
 * crd_svi_continue goes on. CRD_EDAMAGED: a state of another fit. */
crd_status crdi_svi_state_load(crd_svi *svi, const crdi_svi_saved *saved);

/* One restart in the middle of its steps, with its histories, so that crdi_svi_make goes on bit for bit. */
void crdi_svi_run_state(crd_svi *svi, crdi_svi_run *run, crdi_archive *archive);
/* Whether bytes are such a state, and not that of a fit that has ended. */
bool crdi_svi_is_run_state(const void *bytes, size_t size);

/* A fit to which steps are added, between two of them, with its histories: behind crdi_svi_state_load, and what `keep` is given while
 * crdi_svi_continue_to runs. Loaded into a fit as crdi_svi_state_load says; `seconds`: that it took until then. */
void crdi_svi_going_state(crd_svi *svi, crdi_archive *out);
crd_status crdi_svi_going_load(crd_svi *svi, const void *bytes, size_t size, double seconds);
bool crdi_svi_is_going_state(const void *bytes, size_t size);
/* Steps of all restarts until now, of such a fit. */
int64_t crdi_svi_all_steps(const crd_svi *svi);
/* crd_svi_continue until there are `total` steps; what had ended stays so. */
crd_status crdi_svi_continue_to(crd_svi *svi, int64_t total);

/* ---- one restart (svi_run.c) ------------------------------------------------------------------------------- */

/* Parameters, program and optimiser, without a start. */
crd_status crdi_svi_run_open(crd_svi *svi, int64_t restart);
crd_status crdi_svi_run_begin(crd_svi *svi, int64_t restart);
/* Makes steps until there are `total`. A failure of the fit itself stays in run->status. */
crd_status crdi_svi_run_steps(crd_svi *svi, int64_t restart, int64_t total);
/* The mean of the last `last` of `count` numbers; NaN are left out, and NaN if there are no others. */
double crdi_svi_mean_of_last(const double *x, int64_t count, int64_t last);
/* The rows of the shuffled plate in a step, counted from 0: `rows` of them, written to out. */
crd_status crdi_svi_rows(const crd_svi *svi, crdi_svi_run *run, int64_t step, double *out);
void crdi_svi_run_clear(crd_context *ctx, crdi_svi_run *run);
/* Frees what it owns; what it is judged and counted by stays. */
void crdi_svi_run_shed(crd_context *ctx, crdi_svi_run *run);

/* Makes the point that was fitted the normal that the curvature there says (laplace.c). */
crd_status crdi_svi_finish_laplace(crd_svi *svi);

#endif
