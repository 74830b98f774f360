/* plateau.c - multiplied by `factor` when the loss has stopped falling.
 *
 * Losses are averaged over windows of `window` steps. A window is better when its mean is below the best so far by more
 * than tolerance |best|. After `patience` windows in a row that are not, the rate is reduced, and the next `cooldown`
 * windows do not count. The rate never falls below `least` times its value. A loss that is not finite is not looked at.
 * Losses may be negative, hence |best|. */
#include "infer/svi/optim.h"

#include <math.h>

enum { VALUE, FACTOR, PATIENCE, WINDOW, TOLERANCE, COOLDOWN, LEAST };
static const crdi_parameter parameters[] = {{"value", NAN, CRDI_VALUE},
                                            {"factor", 0.1, CRDI_DECAY},
                                            {"patience", 10, CRDI_COUNT_POSITIVE},
                                            {"window", 1, CRDI_COUNT_POSITIVE},
                                            {"tolerance", 1e-4, CRDI_NON_NEGATIVE},
                                            {"cooldown", 0, CRDI_COUNT_ANY},
                                            {"least", 0, CRDI_SHARE}};

/* The state, all numbers so that it can be saved as such. */
enum { SCALE, BEST, WORSE, COOLING, SUM, SEEN };

static void init(double *state)
{
    state[SCALE] = 1;
    state[BEST] = INFINITY;
}

/* What the mean of a whole window says. */
static void judge(const double *argument, double mean, double *state)
{
    double best = state[BEST];
    bool better = isinf(best) || mean < best - argument[TOLERANCE] * fabs(best);
    if (better)
        state[BEST] = mean;
    if (state[COOLING] > 0) {
        state[COOLING] -= 1;
        state[WORSE] = 0;
        return;
    }
    state[WORSE] = better ? 0 : state[WORSE] + 1;
    if (state[WORSE] < argument[PATIENCE])
        return;
    state[SCALE] = fmax(state[SCALE] * argument[FACTOR], argument[LEAST]);
    state[WORSE] = 0;
    state[COOLING] = argument[COOLDOWN];
}

static double factor(const crdi_schedule *s, const crdi_transform_step *step, double count, double *state)
{
    (void)count;
    if (!isfinite(step->loss))
        return state[SCALE];
    state[SUM] += step->loss;
    state[SEEN] += 1;
    if (state[SEEN] >= s->argument[WINDOW]) {
        judge(s->argument, state[SUM] / state[SEEN], state);
        state[SUM] = state[SEEN] = 0;
    }
    return state[SCALE];
}

const crdi_schedule_type crdi_schedule_plateau = {
    .name = "plateau",
    .example = "plateau(0.05,0.5,20)",
    .parameter = parameters,
    .parameters = CRDI_COUNT(parameters),
    .init = init,
    .factor = factor,
};
