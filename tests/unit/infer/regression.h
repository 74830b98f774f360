/* regression.h - a linear regression whose posterior is a known normal with precisions near 1 and no correlation: a target for
 * kernels of batches.
 *
 * y_i ~ Normal((w_0 + w_1 x_i) / sqrt(rows), 1), w ~ Normal(0, SD): x has mean 0 and mean square 1. */
#ifndef REGRESSION_H
#define REGRESSION_H

#include "testing.h"

#include <math.h>

enum { REGRESSION_ROWS = 64 };
#define REGRESSION_SD 5.0

struct regression {
    double x[REGRESSION_ROWS], y[REGRESSION_ROWS];
    int64_t batch;
    double mean[2], variance; /* of the posterior */
};

static void regression_init(struct regression *r)
{
    double n = REGRESSION_ROWS, sum[2] = {0};
    *r = (struct regression){.batch = 0};
    for (int i = 0; i < REGRESSION_ROWS; i++) {
        r->x[i] = sqrt(2) * cos(2 * 3.14159265358979323846 * 5 * i / n);
        r->y[i] = 0.4 - 0.2 * r->x[i] + 1.3 * sin(12.9898 * i * i) + 0.5 * cos(4.1 * i);
        sum[0] += r->y[i] / sqrt(n);
        sum[1] += r->x[i] * r->y[i] / sqrt(n);
    }
    r->variance = 1 / (1 + 1 / (REGRESSION_SD * REGRESSION_SD));
    for (int k = 0; k < 2; k++)
        r->mean[k] = r->variance * sum[k];
}

static crd_node regression_model(crd_trace *t, void *user)
{
    struct regression *r = user;
    crd_array x = crd_array_borrow(r->x, crd_shape_1(REGRESSION_ROWS)),
              y = crd_array_borrow(r->y, crd_shape_1(REGRESSION_ROWS));
    crd_node w = crd_sample(t, "w", crd_dist_expand(crd_normal(crd_num(0), crd_num(REGRESSION_SD)), crd_shape_1(2)));
    crd_plate data = crd_plate_enter_with(t, "data", REGRESSION_ROWS, &(crd_plate_options){.subsample_size = r->batch});
    crd_node xs = crd_subsample(data, crd_data(t, "x", &x), 0), ys = crd_subsample(data, crd_data(t, "y", &y), 0);
    crd_node f =
        crd_mul(crd_num(1 / sqrt(REGRESSION_ROWS)), crd_add(crd_take(w, 0, 0), crd_mul(crd_take(w, 0, 1), xs)));
    crd_observe_value(t, "obs", crd_normal(f, crd_num(1)), ys);
    crd_plate_leave(data);
    return f;
}

#endif
