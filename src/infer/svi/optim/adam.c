/* adam.c - Adam's direction (Kingma & Ba 2015, algorithm 1): running means m of g and v of g^2, each divided by
 * 1 - b^t, u = m / (sqrt(v) + eps). The powers b^t are running products: one rounding a step, which matters only while
 * b^t is far from 0. */
#include "infer/svi/optim.h"

#include <math.h>

enum { RATE, B1, B2, EPS };
static const crdi_parameter parameters[] = {
    {"rate", NAN, CRDI_RATE}, {"b1", 0.9, CRDI_DECAY}, {"b2", 0.999, CRDI_DECAY}, {"eps", 1e-8, CRDI_POSITIVE}};

static void init(crdi_transform *t, int64_t dim)
{
    (void)dim;
    t->state[0] = t->state[1] = 1;
}

static void update(crdi_transform *t, const crdi_transform_step *step, double *restrict u)
{
    double b1 = t->argument[B1], b2 = t->argument[B2], eps = t->argument[EPS], *power = t->state;
    double *restrict m = crdi_transform_vector(t, step, 0), *restrict v = crdi_transform_vector(t, step, 1);
    power[0] *= b1;
    power[1] *= b2;
    double m_scale = 1 / (1 - power[0]),
           v_scale = 1 / (1 - power[1]); /* dividing each element would take most of the time */
    for (int64_t i = 0; i < step->dim; i++) {
        double g = u[i];
        m[i] = (1 - b1) * g + b1 * m[i];
        v[i] = (1 - b2) * (g * g) + b2 * v[i];
        u[i] = m[i] * m_scale / (sqrt(v[i] * v_scale) + eps);
    }
}

const crdi_transform_type crdi_transform_adam = {
    .name = "adam",
    .example = "adam:0.01",
    .parameter = parameters,
    .parameters = CRDI_COUNT(parameters),
    .scalars = 2,
    .vectors = 2,
    .init = init,
    .update = update,
};
