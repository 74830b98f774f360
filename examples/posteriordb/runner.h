/* runner.h - what the programs of this folder share: reading the data, drawing, the table, comparing with other draws.
 *
 * Each program is one model of posteriordb (https://github.com/stan-dev/posteriordb), written as its Stan program is:
 *     NAME DATA.json [--reference DRAWS.csv] [--chains N] [--warmup N] [--draws N] [--seed N] [--threads N]
 *         [--metric NAME] [--adaptation NAME]
 * With --reference it compares means and standard deviations and ends with 1 if one is more than five Monte Carlo
 * standard errors away. */
#ifndef EXAMPLES_RUNNER_H
#define EXAMPLES_RUNNER_H

#include <credence/credence.h>

/** A model and how to draw from it. */
struct example {
    crd_model_fn model; /**< its `user` is for array_of and number_of */
    const char *keep[4]; /**< deterministic sites to show beside the latent ones; NULL behind the last */
    double target_accept; /**< 0: 0.8 */
    int64_t max_depth; /**< 0: 10 */
};

/** A variable of the data, whole or as one number. One that is missing fails the trace, with its name. */
const crd_array *array_of(crd_trace *trace, const void *user, const char *name);
double number_of(crd_trace *trace, const void *user, const char *name);

/** The main function of a program. @return its exit code. */
int example_main(int argc, char **argv, const struct example *example);

#endif
