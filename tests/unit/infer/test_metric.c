/* test_metric.c - what metrics learn: of normals the covariance, from few draws and in many dimensions; what they forget. */
#include "infer/mcmc/metric.h"
#include "infer/mcmc/metrics/low_rank.h"
#include "testing.h"

#include <credence/random.h>
#include <math.h>
#include <string.h>

enum { MOST = 1000, SPIKES = 100 };

/* A normal of mean 3 and covariance S (I + sum of (value - 1) v v') S: s_i from 0.1 to 10, v unit vectors that share no axis, values
 * 10^4, 100, 10^-4 in turn, from the tenth on `others` and its inverse. */
struct normal {
    int dim, spikes;
    double scale[MOST], v[SPIKES][MOST], value[SPIKES];
};

static void make_normal(struct normal *n, int dim, int spikes, double others)
{
    static const double value[3] = {10000, 100, 1e-4};
    *n = (struct normal){.dim = dim, .spikes = spikes};
    for (int i = 0; i < dim; i++) {
        int k = i % spikes, axes = (dim - k + spikes - 1) / spikes; /* those of spike k: i = k, k + spikes, ... */
        n->scale[i] = pow(10, sin(1.7 * i));
        n->v[k][i] = (i / spikes % 2 ? 1 : -1) / sqrt(axes);
        n->value[k] = k < 9 ? value[k % 3] : k % 2 ? others : 1 / others;
    }
}

/* out = S (I + sum of (f(value) - 1) v v') x, or with S^-1 and the other order. */
static void apply(const struct normal *n, double power, bool inverse, const double *x, double *out)
{
    double inner[MOST];
    for (int i = 0; i < n->dim; i++)
        inner[i] = inverse ? x[i] * n->scale[i] : x[i];
    memcpy(out, inner, sizeof inner);
    for (int k = 0; k < n->spikes; k++) {
        double sum = 0;
        for (int i = 0; i < n->dim; i++)
            sum += n->v[k][i] * inner[i];
        for (int i = 0; i < n->dim; i++)
            out[i] += (pow(n->value[k], power) - 1) * sum * n->v[k][i];
    }
    for (int i = 0; i < n->dim && !inverse; i++)
        out[i] *= n->scale[i];
}

/* A draw and the gradient there: q = 3 + C^(1/2) z, gradient -C^-1 (q - 3) = -S^-1 (...)^(-1/2) z. */
static void draw(const struct normal *n, uint32_t number, double *q, double *grad)
{
    double z[MOST];
    crd_random_normal(crd_key_fold_in(crd_key_make(8), number), n->dim, z);
    apply(n, 0.5, false, z, q);
    struct normal back = *n;
    for (int i = 0; i < n->dim; i++)
        back.scale[i] = 1 / n->scale[i];
    apply(&back, -0.5, false, z, grad);
    for (int i = 0; i < n->dim; i++) {
        q[i] += 3;
        grad[i] = -grad[i];
    }
}

static void learn(crdi_metric *m, const struct normal *n, int draws)
{
    double q[MOST], grad[MOST];
    for (int d = 0; d < draws; d++) {
        draw(n, (uint32_t)d, q, grad);
        m->type->collect(m, q, grad);
    }
    assert_true(m->type->renew(m));
}

/* x' C^-1 ... of the metric: the variance along a direction in its units, |T' a|^2 against a' C a. */
static double ratio_along(const crdi_metric *m, const struct normal *n, const double *a)
{
    double there[MOST], mine[MOST], true_variance = 0, variance = 0;
    apply(n, 0.5, true, a, there);
    m->type->root_transposed(m, a, mine);
    for (int i = 0; i < n->dim; i++) {
        true_variance += there[i] * there[i];
        variance += mine[i] * mine[i];
    }
    return variance / true_variance;
}

/* Along each spike (a = S^-1 v) and along some other directions the metric's variance is the normal's, within a factor. */
static double worst_ratio(const crdi_metric *m, const struct normal *n)
{
    double a[MOST], worst = 1;
    for (int k = 0; k < n->spikes + 10; k++) {
        crd_random_normal(crd_key_fold_in(crd_key_make(9), (uint32_t)k), n->dim, a);
        for (int i = 0; i < n->dim; i++)
            a[i] = (k < n->spikes ? n->v[k][i] : a[i]) / n->scale[i];
        double ratio = ratio_along(m, n, a);
        worst = fmax(worst, fmax(ratio, 1 / ratio));
    }
    return worst;
}

static void a_low_rank_metric_of_a_normal_is_its_covariance(void **state)
{
    (void)state;
    /* What is left alone is within the cutoff, 2. A thousand dimensions need no more draws than twelve. Where every second or third direction is to
     * be corrected, and draws are fewer than dimensions, not all can be: of the last two the first is wrong by 19 without a first estimate,
     * the other by 3.4 with one; draws that are held out say so. */
    const struct {
        int dim, spikes, draws;
        double others, within;
    } cases[] = {{12, 3, 40, 1, 1.9},    {12, 3, 2000, 1, 1.9},  {100, 3, 250, 1, 1.9},
                 {100, 3, 20, 1, 1.9},   {300, 3, 20, 1, 1.9},   {1000, 3, 300, 1, 1.9},
                 {1000, 24, 60, 5, 1.9}, {300, 100, 60, 2.5, 4}, {100, 50, 60, 100, 3.1}};
    for (int c = 0; c < CRDI_COUNT(cases); c++) {
        crd_context *ctx = testing_context();
        struct normal n;
        crdi_metric low, diagonal;
        make_normal(&n, cases[c].dim, cases[c].spikes, cases[c].others);
        assert_ok(ctx, crdi_metric_create(&low, ctx, crdi_metric_find("low_rank"), n.dim, false));
        assert_ok(ctx, crdi_metric_create(&diagonal, ctx, crdi_metric_find("fisher"), n.dim, false));
        learn(&low, &n, cases[c].draws);
        learn(&diagonal, &n, cases[c].draws);
        print_message("%d dimensions, %d draws: wrong by a factor of %.2f (diagonal %.1f), rank %d\n", n.dim,
                      cases[c].draws, worst_ratio(&low, &n), worst_ratio(&diagonal, &n),
                      (int)crdi_low_rank_metric_rank(&low));
        assert_true(worst_ratio(&low, &n) < cases[c].within);
        assert_true(worst_ratio(&diagonal, &n) > 3 * cases[c].within);
        assert_true(crdi_low_rank_metric_rank(&low) >= cases[c].spikes / 4);
        crdi_metric_destroy(&low);
        crdi_metric_destroy(&diagonal);
        testing_context_destroy(&ctx);
    }
}

/* Where the coordinates are independent, nothing is to be corrected. */
static void a_low_rank_metric_of_independent_coordinates_is_diagonal(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct normal n;
    crdi_metric m;
    make_normal(&n, 20, 1, 1);
    n.value[0] = 1;
    assert_ok(ctx, crdi_metric_create(&m, ctx, crdi_metric_find("low_rank"), n.dim, false));
    learn(&m, &n, 30);
    assert_int_equal(crdi_low_rank_metric_rank(&m), 0);
    for (int i = 0; i < n.dim; i++)
        assert_close(m.inverse_mass[i], n.scale[i] * n.scale[i], 1e-9, 0);
    assert_close(m.extent, sqrt(n.dim), 0.2, 0); /* of 30 draws in 20 dimensions: 5 standard errors are 0.15 */
    crdi_metric_destroy(&m);
    testing_context_destroy(&ctx);
}

/* One draw has no variance, and a gradient that is no number no covariance: the metric stays what it is. With more draws than
 * dimensions, and with fewer. */
static void what_is_no_metric_is_left_aside(void **state)
{
    (void)state;
    for (int dim = 12; dim <= 120; dim *= 10) {
        crd_context *ctx = testing_context();
        struct normal n;
        crdi_metric m;
        double q[MOST], grad[MOST], before[MOST], x[MOST], after[MOST];
        make_normal(&n, dim, 3, 1);
        assert_ok(ctx, crdi_metric_create(&m, ctx, crdi_metric_find("low_rank"), n.dim, false));
        draw(&n, 0, q, grad);
        m.type->collect(&m, q, grad);
        assert_false(m.type->renew(&m));
        learn(&m, &n, 40);
        for (int i = 0; i < n.dim; i++)
            x[i] = cos(i);
        m.type->sharpen(&m, x, before);
        grad[3] = NAN;
        m.type->collect(&m, q, grad);
        assert_false(m.type->renew(&m));
        m.type->sharpen(&m, x, after);
        assert_memory_equal(after, before, sizeof(double) * (size_t)n.dim);
        crdi_metric_destroy(&m);
        testing_context_destroy(&ctx);
    }
}

/* Draws 100 times as wide are forgotten: at once, or, overlapping, with the second call. */
static void what_is_forgotten_has_no_part(void **state)
{
    (void)state;
    static const char *const names[] = {"diagonal", "fisher", "low_rank", "dense"};
    for (int k = 0; k < 2 * CRDI_COUNT(names); k++) {
        crd_context *ctx = testing_context();
        bool overlapping = k % 2;
        crdi_metric m;
        double extent[3];
        assert_ok(ctx, crdi_metric_create(&m, ctx, crdi_metric_find(names[k / 2]), 3, overlapping));
        for (int part = 0; part < 3; part++) { /* wide, narrow, narrow */
            double wide = part == 0 ? 100 : 1, q[3], grad[3];
            for (uint32_t d = 0; d < 100; d++) {
                crd_random_normal(crd_key_fold_in(crd_key_make((uint64_t)part), d), 3, q);
                for (int i = 0; i < 3; i++) {
                    q[i] *= wide;
                    grad[i] = -q[i] / (wide * wide);
                }
                m.type->collect(&m, q, grad);
            }
            assert_true(m.type->renew(&m));
            extent[part] = m.inverse_mass[0];
            m.type->forget(&m);
        }
        assert_true(extent[0] > 3000);
        assert_true(overlapping ? extent[1] > 30 : extent[1] < 3);
        assert_true(extent[2] < 3);
        crdi_metric_destroy(&m);
        testing_context_destroy(&ctx);
    }
}

/* Every name of the option is a metric, and names and forms agree. */
static void metrics_are_found_by_name(void **state)
{
    (void)state;
    static const char *const names[] = {"unit", "diagonal", "fisher", "low_rank", "dense"};
    for (int i = 0; i < CRDI_COUNT(names); i++) {
        const crdi_metric_type *type = crdi_metric_find(names[i]);
        assert_non_null(type);
        assert_string_equal(type->name, names[i]);
        assert_int_equal(crdi_metric_of_form(type->form)->form, type->form);
    }
    assert_null(crdi_metric_find("sparse"));
    assert_null(crdi_metric_of_form(99));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_low_rank_metric_of_a_normal_is_its_covariance),
        cmocka_unit_test(a_low_rank_metric_of_independent_coordinates_is_diagonal),
        cmocka_unit_test(what_is_no_metric_is_left_aside),
        cmocka_unit_test(what_is_forgotten_has_no_part),
        cmocka_unit_test(metrics_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
