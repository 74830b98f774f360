/* adabelief.c - AdaBelief (Zhuang et al. 2020, algorithm 2): as Adam, with the running mean of (g - m)^2 in place of
 * that of g^2, m being the mean with this gradient in it: u = m / (sqrt(s) + eps), where eps is added to s as well at
 * each step, before its correction. */
#include "infer/svi/optim.h"

#include <math.h>

enum { RATE, B1, B2, EPS };
static const crdi_parameter parameters[] = {
    {"rate", NAN, CRDI_RATE}, {"b1", 0.9, CRDI_DECAY}, {"b2", 0.999, CRDI_DECAY}, {"eps", 1e-16, CRDI_POSITIVE}};

static void init(crdi_transform *t, int64_t dim)
{
    (void)dim;
    t->state[0] = t->state[1] = 1;
}

static void update(crdi_transform *t, const crdi_transform_step *step, double *restrict u)
{
    double b1 = t->argument[B1], b2 = t->argument[B2], eps = t->argument[EPS], *power = t->state;
    double *restrict m = crdi_transform_vector(t, step, 0), *restrict s = crdi_transform_vector(t, step, 1);
    power[0] *= b1;
    power[1] *= b2;
    double m_start = 1 - power[0], s_start = 1 - power[1];
    for (int64_t i = 0; i < step->dim; i++) {
        m[i] = (1 - b1) * u[i] + b1 * m[i];
        double surprise = u[i] - m[i];
        s[i] = (1 - b2) * (surprise * surprise) + b2 * s[i] + eps;
        u[i] = m[i] / m_start / (sqrt(s[i] / s_start) + eps);
    }
}

const crdi_transform_type crdi_transform_adabelief = {
    .name = "adabelief",
    .example = "adabelief:0.01",
    .parameter = parameters,
    .parameters = CRDI_COUNT(parameters),
    .scalars = 2,
    .vectors = 2,
    .init = init,
    .update = update,
};
