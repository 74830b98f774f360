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
    const char *bias; /* of a kernel that is not exact: what it is; NULL */
    const char *reason;
} crdi_plan_rule;

/* What a run is to reach where the user does not say. */
extern const char crdi_plan_until[];

/* What a fit's settings and its data say; `chains` is the user's wish. The data need not be those of the network's x. */
crd_status crdi_plan_facts_of(crd_context *ctx, const crd_network *network, const crd_dataset *dataset, bool chains,
                              crdi_plan_facts *out);
/* What a gradient of these sizes takes on one core of a common machine, in seconds; from their sizes alone. */
double crdi_plan_gradient(const crdi_plan_facts *facts);
/* The first rule that holds; the last holds always. */
const crdi_plan_rule *crdi_plan_find(const crdi_plan_facts *facts);
/* The i-th rule, NULL behind the last. */
const crdi_plan_rule *crdi_plan_rule_get(int i);
/* The rule's draws a chain, fewer where so many would fill a disk. */
int64_t crdi_plan_draws(const crdi_plan_rule *rule, const crdi_plan_facts *facts, int64_t chains);
/* Appends "40 rows and 32 parameters, about 0.7 us a gradient: REASON". */
void crdi_plan_why(crdi_string *out, const crdi_plan_rule *rule, const crdi_plan_facts *facts);

#endif
