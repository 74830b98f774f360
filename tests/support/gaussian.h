/* gaussian.h - Gaussians whose moments are known, for tests of samplers: standard deviations over decades, means of up to two of
 * them, correlation 0.8 between neighbours (0.8^k between those k apart), of which the precision is tridiagonal. */
#ifndef GAUSSIAN_H
#define GAUSSIAN_H

#include "testing.h"

enum { GAUSSIAN_MOST = 1000 };

struct gaussian {
    int64_t dim;
    double rho;
    double mean[GAUSSIAN_MOST], sd[GAUSSIAN_MOST];
    double diagonal[GAUSSIAN_MOST],
        beside[GAUSSIAN_MOST]; /* of the precision; the diagonal less the identity of the prior */
    double pull[GAUSSIAN_MOST]; /* precision times mean */
};

void gaussian_init(struct gaussian *g, int64_t dim, double decades);
/* A model function, whose user is a struct gaussian: site x. */
crd_node gaussian_model(crd_trace *t, void *user);

#endif
