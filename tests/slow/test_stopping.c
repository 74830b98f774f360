/* test_stopping.c - what a stopping rule does to error estimates: the numbers of docs/run_files.md.
 *
 * Four chains of x' = r x + sqrt(1 - r^2) z, standard normal at every draw: of n draws a chain the mean is worth
 * 4 n (1 - r) / (1 + r) independent draws, but for terms of order 1. `fit --until ess=400` looks behind 100, 150, 225, ... draws
 * and ends where the smaller of bulk and tail ess of every element is 400 at least. Beside it chains whose length was fixed
 * beforehand, at the mean length of those. Of both: how often the interval mean +- 1.645 MCSE holds the true mean, 0, and what the
 * estimated ess is of the true one. */
#include "testing.h"

#include <math.h>
#include <stdlib.h>

enum { CHAINS = 4, MOST = 8000 };

struct study {
    const char *name;
    double r;
    int elements; /* the rule is of all of them */
    int runs;
    uint64_t seed;
    double step; /* the next look is behind so many times the draws of the one before */
};

struct outcome {
    double cover, ratio, ratio_square, length;
    int64_t count;
};

/* One element's chains, (CHAINS, MOST). */
static void make(double *x, double r, crd_key key)
{
    crd_random_normal(key, (int64_t)CHAINS * MOST, x);
    for (int c = 0; c < CHAINS; c++)
        for (int64_t i = 1; i < MOST; i++)
            x[c * MOST + i] = r * x[c * MOST + i - 1] + sqrt(1 - r * r) * x[c * MOST + i];
}

static void first(const double *x, int64_t draws, double *out)
{
    for (int c = 0; c < CHAINS; c++)
        for (int64_t i = 0; i < draws; i++)
            out[c * draws + i] = x[c * MOST + i];
}

static double ess_of(crd_context *ctx, const double *x, int64_t draws)
{
    double bulk, tail;
    assert_ok(ctx, crd_diag_ess_bulk(ctx, x, CHAINS, draws, &bulk));
    if (bulk < 400)
        return bulk;
    assert_ok(ctx, crd_diag_ess_tail(ctx, x, CHAINS, draws, &tail));
    return fmin(bulk, tail);
}

/* Where the rule ends the run. */
static int64_t stop(crd_context *ctx, const struct study *s, double *const *x, double *scratch)
{
    int64_t n = 100;
    for (int last = 0;; n = (int64_t)((double)n * s->step)) {
        bool holds = true;
        assert_true(n <= MOST);
        for (int k = 0; k < s->elements && holds; k++) { /* that which broke it last comes first: the others wait */
            int e = (last + k) % s->elements;
            first(x[e], n, scratch);
            if (ess_of(ctx, scratch, n) < 400) {
                holds = false;
                last = e;
            }
        }
        if (holds)
            return n;
    }
}

static void judge(crd_context *ctx, const struct study *s, double *const *x, int64_t n, double *scratch,
                  struct outcome *out)
{
    double error, bulk;
    for (int e = 0; e < s->elements; e++) {
        first(x[e], n, scratch);
        assert_ok(ctx, crd_diag_mcse_mean(ctx, scratch, CHAINS, n, &error));
        assert_ok(ctx, crd_diag_ess_bulk(ctx, scratch, CHAINS, n, &bulk));
        double ratio = bulk / ((double)CHAINS * (double)n * (1 - s->r) / (1 + s->r));
        out->cover += fabs(crd_diag_mean(scratch, CHAINS * n)) <= 1.6448536 * error;
        out->ratio += ratio;
        out->ratio_square += ratio * ratio;
        out->length += (double)n;
        out->count++;
    }
}

static void run_all(crd_context *ctx, const struct study *s, uint64_t seed, int64_t fixed, struct outcome *out)
{
    double *scratch = malloc(sizeof *scratch * CHAINS * MOST), *x[32];
    *out = (struct outcome){0};
    for (int e = 0; e < s->elements; e++)
        x[e] = malloc(sizeof **x * CHAINS * MOST);
    for (int i = 0; i < s->runs; i++) {
        for (int e = 0; e < s->elements; e++)
            make(x[e], s->r, crd_key_fold_in(crd_key_fold_in(crd_key_make(seed), (uint32_t)i), (uint32_t)e));
        judge(ctx, s, x, fixed ? fixed : stop(ctx, s, x, scratch), scratch, out);
    }
    for (int e = 0; e < s->elements; e++)
        free(x[e]);
    free(scratch);
    out->cover /= (double)out->count;
    out->ratio /= (double)out->count;
    out->ratio_square = sqrt(out->ratio_square / (double)out->count - out->ratio * out->ratio);
    out->length /= (double)out->count;
}

static void print(const struct study *s, const char *how, const struct outcome *o)
{
    double error = sqrt(o->cover * (1 - o->cover) / (double)o->count);
    print_message("%s, %s: %.0f draws a chain, coverage %.1f %% +- %.1f, ess estimated / true %.3f +- %.3f (sd %.3f)\n",
                  s->name, how, o->length, 100 * o->cover, 100 * error, o->ratio,
                  o->ratio_square / sqrt((double)s->runs), o->ratio_square);
}

/* The limits are what docs/run_files.md says, and four standard errors; false alarms: below 1 in 1000. */
static void study(const struct study *s, double cover, double ratio)
{
    crd_context *ctx = testing_context();
    struct outcome stopped, fixed;
    run_all(ctx, s, s->seed, 0, &stopped);
    print(s, "ess=400", &stopped);
    run_all(ctx, s, s->seed + 1, (int64_t)stopped.length, &fixed);
    print(s, "fixed", &fixed);
    double error = sqrt(0.09 / (double)fixed.count);
    assert_true(fabs(fixed.cover - 0.9) < 0.006 + 4 * error); /* an interval by an estimated error is a little short */
    assert_true(fabs(stopped.cover - cover) < 4 * error);
    assert_true(fabs(fixed.ratio - 1) < 0.03);
    assert_true(fabs(stopped.ratio - ratio) < 0.005 + 4 * stopped.ratio_square / sqrt((double)s->runs));
    testing_context_destroy(&ctx);
}

static void one_element(void **state)
{
    (void)state;
    study(&(struct study){"one element", 0.9, 1, 2000, 1, 1.5}, 0.895, 1.016);
}

static void twenty_elements(void **state)
{
    (void)state;
    study(&(struct study){"twenty elements", 0.9, 20, 200, 3, 1.5}, 0.895, 1.002);
}

static void more_looks(void **state)
{
    (void)state;
    study(&(struct study){"one element, a look every tenth of the draws", 0.9, 1, 2000, 5, 1.1}, 0.89, 1.022);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_element), cmocka_unit_test(twenty_elements),
                                       cmocka_unit_test(more_looks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
