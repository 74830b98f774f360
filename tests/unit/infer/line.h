/* line.h - a small model for tests of runs: a straight line through eight points. */
#ifndef LINE_H
#define LINE_H

#include "testing.h"

enum { ROWS = 8 };

struct line {
    double x_data[ROWS], y_data[ROWS];
    crd_array x, y;
    const crd_array *observed; /* y or NULL */
};

static void line_init(struct line *l)
{
    for (int i = 0; i < ROWS; i++) {
        l->x_data[i] = 0.25 * i - 1;
        l->y_data[i] = 0.5 * l->x_data[i] + 0.2 + 0.1 * ((i * 5) % 8 - 3.5);
    }
    l->x = crd_array_borrow(l->x_data, crd_shape_1(ROWS));
    l->y = crd_array_borrow(l->y_data, crd_shape_1(ROWS));
    l->observed = &l->y;
}

/* Latent: s, w (2). Deterministic: f (rows), slope. */
static crd_node line_model(crd_trace *t, void *user)
{
    const struct line *l = user;
    crd_node x = crd_data(t, "x", &l->x);
    crd_node w = crd_sample(t, "w", crd_dist_expand(crd_normal(crd_num(0), crd_num(1)), crd_shape_1(2)));
    crd_node s = crd_sample(t, "s", crd_half_cauchy(crd_num(1)));
    crd_node slope = crd_deterministic(t, "slope", crd_take(w, 0, 0));
    crd_plate data = crd_plate_enter(t, "data", l->x.shape.dim[0]);
    crd_node f = crd_deterministic(t, "f", crd_add(crd_mul(slope, x), crd_take(w, 0, 1)));
    crd_observe(t, "y", crd_normal(f, s), l->observed);
    crd_plate_leave(data);
    return f;
}

#endif
