/* network_plan.h - what a fit does that was not told how: a plan from what is known of the model, the data and the wish.
 *
 * Rules stand in network_plan.def, one a row: a condition, a choice, a reason. The first whose condition holds is the plan; what
 * the user gave wins over it. Nothing here looks at a clock: the same data and the same wish have the same plan everywhere. */
#ifndef CRDI_NETWORK_PLAN_H
#define CRDI_NETWORK_PLAN_H

#include "base/base.h"
#include <credence/dataset.h>
#include <credence/nn.h>

/* What conditions see. */
typedef struct crdi_plan_facts {
    int64_t rows;
    int64_t parameters; /* all numbers that have a prior; 0 of a plain network, which has none */
    int64_t layers; /* hidden ones; 0: a linear model */
    bool plain; /* no priors */
    bool chains; /* the user asked for what only Markov chains have */
} crdi_plan_facts;

typedef struct crdi_plan_rule {
    const char *name;
    bool (*holds)(const crdi_plan_facts *facts);
    const char *method; /* of network_methods.def */
    const char *metric, *start; /* NULL: the method's default */
    int64_t warmup, draws; /* a chain; draws: at most. 0: the method's default */
    int64_t batch; /* rows of a step; 0: all */
    const char *bias; /* of a kernel that is not exact: what it is; NULL */
    const char *reason;
} crdi_plan_rule;

/* What a run is to reach where the user does not say: ess and r_hat of f. */
#define CRDI_PLAN_ESS 400
#define CRDI_PLAN_R_HAT 1.01
extern const char crdi_plan_until[]; /* the same as a rule */

/* How far a run is that may change its kernel: what rules of network_change.def see. From counts alone. The goal is the user's, but
 * no more than that above: who asks for more has more time, and less use for a kernel with a bias. */
typedef struct crdi_plan_progress {
    const char *method;
    int64_t draws, most; /* a chain: so far, and in the end, for that goal */
    double r_hat, before; /* now, and behind at most a third of the draws; before 0: there was no such look */
    double each; /* gradients of all chains for one draw of each, warm-up counted */
    double needed; /* draws a chain until the rule holds, if r_hat and ess go on as they have */
    double seconds; /* all gradients until then, on one core of a common machine */
} crdi_plan_progress;

typedef struct crdi_plan_change {
    const char *name;
    bool (*holds)(const crdi_plan_progress *progress);
    const char *method, *metric; /* method NULL: the run ends here */
    int64_t warmup, draws;
    const char *bias, *reason;
} crdi_plan_change;

/* What a fit's settings and its data say; `chains` is the user's wish. The data need not be those of the network's x. */
crd_status crdi_plan_facts_of(crd_context *ctx, const crd_network *network, const crd_dataset *dataset, bool chains,
                              crdi_plan_facts *out);
/* What a gradient of these sizes takes on one core of a common machine, in seconds; from their sizes alone. */
double crdi_plan_gradient(const crdi_plan_facts *facts);
/* The first rule that holds; the last holds always. */
const crdi_plan_rule *crdi_plan_find(const crdi_plan_facts *facts);
/* The i-th rule, NULL behind the last. */
const crdi_plan_rule *crdi_plan_rule_get(int i);
/* Of a rule's draws a chain, which are for an ess of 400: so many for `ess` (0: 400), fewer where they would fill a disk. */
int64_t crdi_plan_draws(int64_t draws, double ess, int64_t parameters, int64_t chains);
/* Appends "40 rows and 32 parameters, about 0.7 us a gradient: REASON". */
void crdi_plan_why(crdi_string *out, const crdi_plan_rule *rule, const crdi_plan_facts *facts);

/* Draws a chain that a goal takes where `draws` have come to this ess and r_hat: ess grows as the draws do, r_hat - 1 falls as they
 * grow. A goal of 0 asks nothing. Infinity: not a number so far. */
double crdi_plan_needed(int64_t draws, double ess, double r_hat, double wanted_ess, double wanted_r_hat);
/* The change to make now; NULL: none. */
const crdi_plan_change *crdi_plan_change_find(const crdi_plan_progress *progress);
const crdi_plan_change *crdi_plan_change_get(int i);

#endif
