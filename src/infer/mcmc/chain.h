/* chain.h - one Markov chain: Hamiltonian, adaptation, keys, and the transition kernel that moves it. */
#ifndef CRDI_CHAIN_H
#define CRDI_CHAIN_H

#include "base/archive.h"
#include "infer/mcmc.h"
#include "infer/mcmc/adapt.h"
#include "infer/mcmc/gibbs.h"
#include "infer/mcmc/hamiltonian.h"
#include "model/batches.h"
#include "model/start.h"

typedef struct crdi_chain crdi_chain;

/* What a chain's key is folded with: transition i takes number i, all else a number from 2^31 on. One list, whichever kernel has a use for
 * them, so that no two of them draw the same. */
typedef enum crdi_chain_stream {
    CRDI_STREAM_START, /* then attempt: a start point */
    CRDI_STREAM_SEARCH, /* then search: momenta for a first step size */
    CRDI_STREAM_ROWS, /* then epoch: the order of rows in batches */
    CRDI_STREAM_CURVATURE, /* then tuning: a direction */
    CRDI_STREAM_HELD, /* rows held out from the training of a start */
    CRDI_STREAM_ORDER, /* then epoch: rows of that training */
    CRDI_STREAM_BLOCKS /* then iteration: sites drawn from their conditional distributions */
} crdi_chain_stream;

static inline crd_key crdi_chain_stream_key(crd_key chain, crdi_chain_stream stream)
{
    return crd_key_fold_in(chain, UINT32_C(0x80000000) + (uint32_t)stream);
}

/* What one transition says of itself. */
typedef struct crdi_transition {
    double accept_prob; /* mean over the trajectory of min(1, exp(H0 - H)) */
    double energy; /* H of the point taken */
    int64_t n_steps; /* leapfrog steps */
    int tree_depth; /* of kernels without trees: max_depth, where it cut the trajectory; else 0 */
    bool diverging;
} crdi_transition;

/* What a kernel's density is of: all rows at once; a batch at a time (crd_nuts_options.batch rows); all rows, in `batches` parts. Of the
 * last two chain->batches says which, and the exec's input goes on behind q with the rows. */
typedef enum crdi_kernel_rows { CRDI_ROWS_ALL, CRDI_ROWS_SAMPLED, CRDI_ROWS_SPLIT } crdi_kernel_rows;

/* A transition kernel. A new one is a file and a row in kernels.def. */
typedef struct crdi_mcmc_kernel {
    const char *name;
    double target_accept; /* where the user names none; 0: 0.8 */
    crdi_kernel_rows rows;
    /* Its draws are not exactly of the posterior. One that does not say so, takes all rows and works by itself must pass
     * tests/conformance/test_exact.c, which asks the table. */
    bool biased;
    bool
        without_energy; /* what it has in the place of an energy is an error: nothing that moves from draw to draw by itself */
    crdi_mcmc_cut cuts; /* what max_depth does to its trajectories */
    bool shares; /* its chains need what a run of its own gives them (crdi_chain.shared) */
    /* Allocates chain->kernel_state. */
    crd_status (*create)(crdi_chain *chain);
    void (*destroy)(crdi_chain *chain);
    /* Moves the chain: q, grad and log_density of its Hamiltonian are of the current point, before and after. Allocates
     * nothing. `key` is of this transition alone. */
    void (*transition)(crdi_chain *chain, crd_key key, crdi_transition *out);
    /* What follows may be NULL. */
    /* Once, at the start point (evaluated): instead of the search for a first step size. */
    void (*start)(crdi_chain *chain);
    /* What warm-up learns from a transition, instead of dual averaging and windowed variances; it sees iteration already
     * counted up, and at iteration == warmup makes final what sampling uses. */
    void (*learn)(crdi_chain *chain, const crdi_transition *transition);
    /* Scales are drawn where the kernel's own chains are, instead of before its transitions. */
    crd_status (*add_blocks)(crdi_chain *chain, const crdi_scale_sites *scales);
    /* What the kernel remembers from one transition to the next, beyond the chain: written or read. */
    void (*state)(crdi_chain *chain, crdi_archive *archive);
} crdi_mcmc_kernel;

struct crdi_chain {
    crd_context *ctx;
    const crd_nuts_options *options;
    const crdi_batches *batches; /* borrowed; NULL: the density is of all rows */
    void *shared; /* what the kernel shares with other chains, borrowed; NULL: nothing */
    int number; /* among them */
    crdi_hamiltonian h;
    const crdi_mcmc_kernel *kernel;
    void *kernel_state;
    crd_key key;
    int64_t iteration; /* transitions done */
    crdi_dual_averaging averaging;
    crdi_windows windows;
    double *scratch; /* (dim) */
    const double *point; /* (dim) where to start, borrowed; NULL: where the starter says */
    const crdi_starter *starter; /* borrowed; NULL: start points are uniform */
    crdi_gibbs *gibbs; /* owned: draws sites in blocks before each transition; NULL: there are none */
    double length; /* of microcanonical kernels: over which a direction is forgotten; 0: not learned */
    bool warm; /* step size and metric are there before the start */
    int64_t divergences; /* after warm-up */
    int64_t warmup_gradients; /* of all gradients, those until warm-up ended */
    uint32_t step_searches; /* how often a first step size was looked for: each has keys of its own */
};

crd_status crdi_chain_create(crdi_chain *chain, crd_context *ctx, const crd_program *density,
                             const crd_nuts_options *options, crd_key key);
/* The same for a kernel that takes rows in batches. */
crd_status crdi_chain_create_batched(crdi_chain *chain, crd_context *ctx, const crdi_batches *batches,
                                     const crd_nuts_options *options, crd_key key);
/* The same for a kernel that shares something with other chains. */
crd_status crdi_chain_create_shared(crdi_chain *chain, crd_context *ctx, const crd_program *density,
                                    const crd_nuts_options *options, crd_key key, void *shared, int number);
void crdi_chain_destroy(crdi_chain *chain);
/* From now on the scales (borrowed) are also drawn from their conditional distributions, before each transition. */
crd_status crdi_chain_add_blocks(crdi_chain *chain, const crdi_scale_sites *scales);
/* What finds start points as the options say; without a program if they are uniform, or go on from uniform ones. */
crd_status crdi_chain_starter(const crd_model *model, const crd_nuts_options *options, crdi_starter *out);
/* Finds a start point (CRD_ESTART) and a first step size. `number` names the chain in messages. */
crd_status crdi_chain_start(crdi_chain *chain, int number);
/* One transition, and what warm-up learns from it. */
void crdi_chain_advance(crdi_chain *chain, crdi_transition *out);

/* The number of steps of a trajectory that would take so many: at least 1, at most 2^max_depth - 1, which is a cut. */
int64_t crdi_chain_limit_steps(const crdi_chain *chain, double steps, bool *cut);
/* A trajectory that was cut says so, unless it diverged before. */
void crdi_chain_note_cut(const crdi_chain *chain, bool cut, crdi_transition *out);

/* What warm-up learns the metric from: the point where the chain is. Nothing for the unit metric. */
void crdi_chain_collect(crdi_chain *chain);
/* The metric from what was collected, which begins anew if it is to `forget`; false for the unit metric. */
bool crdi_chain_renew_metric(crdi_chain *chain, bool forget);
/* Whether its windows overlap. */
bool crdi_chain_overlaps(const crd_nuts_options *options);

/* Before its start: step size and metric are those of a chain of another run. CRD_EDAMAGED, if that has another metric or other
 * parameters. */
crd_status crdi_chain_warm(crdi_chain *chain, const crdi_mcmc_saved *from);
/* The chain between two iterations: with what is read, it goes on bit for bit. What is learned, where it is, what it has
 * counted; options and model are not in it, but it is refused by a chain that has others. */
void crdi_chain_state(crdi_chain *chain, crdi_archive *archive);
/* The same as a part of an archive: more may follow. */
void crdi_chain_state_part(crdi_chain *chain, crdi_archive *archive);

/* Behind a state that was read: whether the log density at its point is what it was. CRD_EINVAL: the model or its data are others.
 * Another machine may differ by roundings. */
crd_status crdi_chain_check(crdi_chain *chain, int number);

const crdi_mcmc_kernel *crdi_mcmc_kernel_find(const char *name);
/* Number i of the table; NULL behind the last. */
const crdi_mcmc_kernel *crdi_mcmc_kernel_get(int i);
crd_status crdi_raise_unknown_kernel(crd_context *ctx, const char *name);

#endif
