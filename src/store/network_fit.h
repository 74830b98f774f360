/* network_fit.h - a network fitted into a run file: everything that can be refused first, then the draws. */
#ifndef CRDI_NETWORK_FIT_H
#define CRDI_NETWORK_FIT_H

#include "infer/laplace/laplace.h"
#include "infer/mcmc.h"
#include "nn/network_start.h"
#include "store/json.h"
#include "store/network_plan.h"
#include "store/network_run.h"
#include "store/network_warm.h"
#include "store/run_states.h"

#include "base/options.h"
#include <credence/evidence.h>
#include <credence/pathfinder.h>
#include <credence/svi.h>

typedef struct crdi_network_fit crdi_network_fit;
typedef struct crdi_network_continue crdi_network_continue;
typedef struct crdi_network_resume crdi_network_resume;

/* Why a fit ended. Entry "stop_reason": crdi_fit_ending_name. */
typedef enum crdi_fit_ending {
    CRDI_ENDED_DONE, /* all that was asked for */
    CRDI_ENDED_SIGNAL, /* the caller's stop function said so */
    CRDI_ENDED_TIME, /* its seconds are over */
    CRDI_ENDED_RULE, /* the rule holds */
    CRDI_ENDED_CHANGE, /* its plan goes on by another kernel */
    CRDI_ENDED_MODES /* its plan gives up: more draws would not help */
} crdi_fit_ending;
const char *crdi_fit_ending_name(crdi_fit_ending ending); /* "done", "signal", "time", "rule", "change", "modes" */

/* What a look at the first draws of all chains has found. */
typedef struct crdi_fit_verdict {
    bool holds;
    int64_t draws; /* a chain, that were looked at; 0: there was no look */
    double ess, r_hat; /* least and largest that were seen; a look that found the rule broken may have ended there */
    char where[128]; /* what broke it, or had the least ess */
    double steps; /* mean gradients of a draw */
} crdi_fit_verdict;

/* A rule that ends the draws of Markov chains. */
typedef struct crdi_fit_rule {
    const char *text; /* as it was typed; entry "stop_rule" */
    /* Looks at the first `draws` draws of all chains in the file at `path`, which is being written. `all`: to the end, even
     * if the rule is broken. Called from one thread at a time, which is not the caller's. */
    crd_status (*look)(void *user, const char *path, int64_t draws, bool all, crdi_fit_verdict *out);
    /* Behind the last look: what was kept open is closed. */
    void (*done)(void *user);
    void *user;
    int64_t first; /* looks begin behind so many draws; 0: with the first */
    double ess, r_hat; /* what it asks for; 0: nothing */
} crdi_fit_rule;

typedef struct crdi_train_options {
#define OPT CRDI_OPTION_FIELD
#include "store/train_options.def"
#undef OPT
} crdi_train_options;
extern const crdi_option_table crdi_train_option_table;

/* Rows held out and the others, copied. */
typedef struct crdi_network_rows {
    crd_array x, y, held_x, held_y;
    crd_array held_row; /* numbers of the table's rows, in order */
} crdi_network_rows;

/* A way to come to draws: a file network_*.c, and a row of network_methods.def for each name that it has. */
typedef struct crdi_network_method {
    /* Compiles; sets the model's dim, the columns and the number of chains. Nothing is written yet. */
    crd_status (*prepare)(crdi_network_fit *fit);
    /* Draws into the sink, and sets entries of the run. CRD_INTERRUPTED: stopped, what was drawn has gone to the sink. */
    crd_status (*draw)(crdi_network_fit *fit, const crdi_sink *sink, crdi_mcmc_report *report);
    /* Behind the draws, and behind a rule's cut: sets entries that tell of them. `held`: the draws a chain that a rule has left, and the
     * states behind them, (chains); 0 and NULL: no rule has. NULL: nothing is to be told. */
    crd_status (*conclude)(crdi_network_fit *fit, int64_t held, const crdi_mcmc_saved *state);
    /* What it has made, but for the model, which goes behind it; NULL: there is nothing else. */
    void (*clear)(crdi_network_fit *fit);
    /* A line of what it will do, without a name: "2 chains, 200 + 2000". */
    void (*plan)(const crdi_network_fit *fit, crdi_string *out);
    /* Of one that is taken up again, where: lines, each behind a line's end; NULL: there is nothing to say. */
    void (*place)(const crdi_network_fit *fit, crdi_string *out);
    /* Draws that belong to a chain's state after so many iterations; NULL: a state has none. */
    int64_t (*draws_behind)(const crdi_network_fit *fit, int64_t iteration);
    bool doubles; /* it knows no single precision */
    bool steps; /* it makes steps of an optimiser */
    bool
        particles; /* its chains are runs of particles behind a pilot run, with a state each and one for the pilot run */
} crdi_network_method;

struct crdi_network_fit {
    crd_context *ctx;
    /* What the caller fills; borrowed until clear. */
    const char *method; /* a name of network_methods.def */
    const crd_dataset *dataset;
    crd_network network; /* the settings; x and y come from the data set: its rows, but for those held out */
    crd_nuts_options mcmc; /* complete, as the options' table gives it: warmup 0 means none */
    crd_svi_options svi; /* the same */
    crdi_train_options train; /* the same; of methods that make steps */
    crd_pathfinder_options pathfinder; /* the same; draws, start and threads are those of mcmc */
    crd_tempered_options
        tempered; /* the same; chains, threads and target_accept are those of mcmc, particles those of svi */
    crdi_laplace_options laplace; /* the same; start, init_radius and threads are those of mcmc */
    const char *data_name, *options, *path; /* options: JSON for the record */
    const char *plan, *plan_rule; /* of a method that was not given: what was chosen and why, and by which rule; NULL */
    bool may_change; /* the plan's kernel: rules of network_change.def hold. Entry "plan_may_change" */
    void (*changed)(void *user, const char *line); /* told when it does, with the reason; NULL: nobody */
    void *changed_user;
    int64_t seed; /* 0 or more */
    bool force;
    crdi_network_warm warm; /* of Markov chains: begin with these; ours from prepare on */
    double save_every; /* seconds between two savings; 0: 0.5 */
    double seconds; /* the fit ends after so many, warm-up included; 0: never */
    const crdi_fit_rule *rule; /* of Markov chains; NULL: none */
    bool save_warmup; /* of Markov chains: arrays "warmup/CHAIN/COLUMN" in the run */
    crdi_network_resume *resume; /* the run that is taken up again; NULL: it is a new one */
    bool finish; /* of one that is taken up again, in steps: it ends with those that were made */
    bool keep_stopped; /* a run that was stopped on its way to this place is not dropped, although `force` */
    const crdi_network_continue *from; /* a fit to which this one adds steps, resumed or not; NULL: it begins */
    /* Ours. */
    const crdi_network_method *type;
    crd_model *model; /* of MCMC and Pathfinder */
    struct crdi_tempering *tempering; /* of parallel tempering: what its chains share */
    crd_svi *fitted; /* of variational inference and training */
    crdi_network_rows *rows; /* NULL: none are held out */
    crd_network step, whole, held_out; /* what a fit in steps sees: batches, all rows, rows held out */
    crdi_network_start start;
    crdi_laplace *laplacian; /* of the Laplace approximation */
    crdi_arena *arena;
    crdi_mcmc_columns columns;
    int chains;
    int lanes; /* that leave states, if more than chains do */
    int64_t dim; /* unconstrained numbers of the model */
    crdi_run *run;
    crdi_fit_ending ending; /* after the run */
    crdi_fit_verdict verdict; /* of the rule's last look */
    const crdi_plan_change *change; /* that a look has found; NULL: none */
    crdi_arena *changes; /* texts of a run that has changed */
    double begun; /* when it was run */
    int64_t steps_before; /* behind prepare, of a fit that goes on with another: made until then */
    bool resumable; /* after the run: there is a state to go on from */
    bool kept_older; /* after the run: it came to no draws, and the file that it was to replace still stands */
};

/* Sub-keys of the run's. */
enum { CRDI_KEY_FIT, CRDI_KEY_DRAWS, CRDI_KEY_ELBO, CRDI_KEY_ROWS };
crd_key crdi_network_key(const crdi_network_fit *fit, uint32_t which);

/* Holds a share of the rows out (network_rows.c): those that come first in a permutation by the run's sub-key, at least one and
 * not all. CRD_EDATA: a class is left without a row to train on. */
crd_status crdi_network_rows_split(crdi_network_fit *fit);
void crdi_network_rows_clear(crdi_network_fit *fit);

/* CRD_ENAME names the nearest. */
crd_status crdi_network_method_find(crd_context *ctx, const char *name, const crdi_network_method **out);

/* The first half of prepare, which writes nothing: the model is compiled. */
crd_status crdi_network_fit_compile(crdi_network_fit *fit);
/* What the draws that are still to be made need, against what the file system has: a run of days must not end with a full disk.
 * CRD_EINVAL: too little. With a rule, of which nobody knows how many it will be, CRD_OK. */
crd_status crdi_network_fit_check_room(const crdi_network_fit *fit);
/* What is run for every gradient: the log density of Markov chains and Pathfinder, the loss of variational inference. */
const crd_program *crdi_network_fit_program(const crdi_network_fit *fit);
/* Compiles the model and creates the run file beside its place: CRD_EPRIOR, CRD_ENAME, CRD_EINVAL, CRD_EEXISTS, CRD_EIO and
 * whatever else can be wrong. Nothing stands at the path yet, and an older file there is untouched. */
crd_status crdi_network_fit_prepare(crdi_network_fit *fit);
/* Draws. CRD_INTERRUPTED: stopped by mcmc.stop or svi.stop, or by time (fit->ending); what was drawn is in the file. A rule that
 * holds makes a complete run. After an error without any draw
 * no file is left; a file that was to be replaced stays as it was until there are draws. */
crd_status crdi_network_fit_run(crdi_network_fit *fit, crdi_mcmc_report *report);
void crdi_network_fit_clear(crdi_network_fit *fit);

/* Behind a run that ended with CRDI_ENDED_CHANGE (network_change.c): the fit is prepared again, with the other kernel, the points
 * behind the draws that were looked at and the metrics of its chains, to replace its file. crdi_network_fit_run does it. */
crd_status crdi_network_fit_change(crdi_network_fit *fit);

/* What the file of a variational fit holds to which steps are added (network_continue.c), read. */
struct crdi_network_continue {
    crd_context *ctx;
    crdi_network_run *net;
    crd_dataset dataset; /* borrows from net */
    crdi_arena *arena; /* texts */
    const void *state; /* where it goes on */
    size_t state_size;
    void *own; /* the same, where it is not that of a lane; owned */
    int64_t total; /* of one that is taken up again: steps to come to; 0: svi.steps more */
    int64_t steps; /* of a state of a fit that has ended: made so far, (steps) losses */
    double seconds; /* that it took until then */
    crd_array loss, divergence, likelihood, restarts;
    bool new_optimiser; /* the caller's wish: it begins anew */
};

/* ---- taking a run up again (network_resume.c) -------------------------------------------------------------- */

/* What its file holds. */
struct crdi_network_resume {
    crd_context *ctx;
    crdi_run *run; /* locked, and open to write on, until prepare hands it to the fit */
    crdi_network_run *net;
    crd_dataset dataset; /* borrows from net */
    crdi_arena *arena;
    crdi_options set[6]; /* the options' texts */
    int sets;
    crd_column *column; /* (columns) of the file */
    int columns;
    bool complete; /* it came to its end */
    const char *rule; /* that was to end it; NULL: none */
    int64_t first; /* draws that the rule was first asked about; 0: as it always is */
    bool held; /* and did, or its plan gave up: it has the draws that it needs */
    bool gave_up;
    crdi_run_states states; /* those that a sampler cannot use are taken out */
    crdi_network_continue going; /* of a fit that adds steps to another */
    crdi_mcmc_saved *looks; /* (lanes) entries "look_states/CHAIN" (network_looks.h), owned */
    bool *has_warmup; /* (lanes) of --save-warmup: all of it is in the file */
    int64_t *draws; /* (chains) that stand before the states: the others are made again */
    crdi_mcmc_report cost; /* so far */
};

/* Opens a run to go on with it, by whatever method, and fills the fit; the caller may then change what is still to be done
 * (mcmc.draws), and prepares and runs it as any other. The draws will be those of the run that was never stopped: where a chain
 * left a state it goes on from there, else it begins again. Owned: crdi_network_resume_close, behind crdi_network_fit_clear.
 * CRD_EEXISTS: another process writes it; CRD_EUNSUPPORTED: its model is not in the file; CRD_EDAMAGED. */
crd_status crdi_network_resume_open(crd_context *ctx, const char *path, crdi_network_fit *fit,
                                    crdi_network_resume **out);
/* What the method made, and the model. */
void crdi_network_clear(crdi_network_fit *fit);
/* Of methods whose draws come from Markov chains (network_mcmc.c): "2 chains, 200 + 2000", place and draws_behind. */
void crdi_network_chains_lengths(const crdi_network_fit *fit, crdi_string *out);
void crdi_network_chains_place(const crdi_network_fit *fit, crdi_string *out);
int64_t crdi_network_chains_behind(const crdi_network_fit *fit, int64_t iteration);
/* Their options as the library takes them, where 0 stands for the default and -1 for none; and the states that they go on from. */
crd_nuts_options crdi_network_chains_options(const crdi_network_fit *fit);
crdi_mcmc_before crdi_network_chains_before(const crdi_network_fit *fit);
/* Whether the chains of a method are runs of particles: smc and ais. NULL, or none of the table: no. */
bool crdi_method_of_particles(const char *method);
/* Whether a method makes steps of an optimiser: svi, map and ensemble. */
bool crdi_method_in_steps(const char *method);
/* How often it was told to save, if its options say so. */
void crdi_network_pause_read(const crdi_json *options, double *seconds);
/* What crdi_network_fit_prepare does for it. */
crd_status crdi_network_resume_prepare(crdi_network_fit *fit);
/* Lets go of the file of a run that is not gone on with: a complete one that has not come to its place does. */
crd_status crdi_network_resume_leave(crdi_network_resume *resume);
void crdi_network_resume_close(crdi_network_resume **resume);

/* ---- going on with a fit that stands in a file (network_continue.c) ---------------------------------------- */

/* Until it is complete, the new file says from where it goes on and to where, so that it can be resumed without the old one: entries
 * "continue/...", docs/dev/run_file.md. */

/* Reads a variational fit from its file, and fills what a fit of the same needs: all but path, force, and the steps to make
 * (svi.steps). The file is closed again, so that it may be replaced. The optimiser may be set to another one. Owned:
 * crdi_network_continue_close, behind crdi_network_fit_clear.
 * CRD_EUNSUPPORTED: a run by another method, of a model written in C, or without a state. */
crd_status crdi_network_continue_open(crd_context *ctx, const char *path, crdi_network_fit *fit,
                                      crdi_network_continue **out);
void crdi_network_continue_close(crdi_network_continue **from);
/* Sets those entries of a new file, behind compile. */
crd_status crdi_network_continue_describe(const crdi_network_fit *fit);
/* Of a fit that is taken up again (network_resume.c), whose options and states have been read: if it adds steps to another, fills
 * `from` and what of the fit's svi was asked for then, and `fit->from`. Texts into the arena. crdi_network_continue_clear. */
crd_status crdi_network_continue_again(crd_run *run, const crdi_run_states *states, crdi_arena *arena,
                                       crdi_network_fit *fit, crdi_network_continue *from);
void crdi_network_continue_clear(crdi_network_continue *from);

#endif
