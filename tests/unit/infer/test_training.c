/* test_training.c - points and training: plain training against closed forms, batches, rows held out, class weights,
 * ensembles. Models are linear where a closed form is wanted; nothing here depends on chance but through fixed keys. */
#include "testing.h"

#include <credence/nn.h>
#include <credence/svi.h>
#include <math.h>
#include <string.h>

#include "infer/svi/svi.h"
#include "nn/likelihood.h"
#include "nn/network_start.h"

enum { ROWS = 12, HELD = 5 };

/* y against two inputs, with something that a line misses. */
struct fixture {
    crd_context *ctx;
    double x[2 * ROWS], y[ROWS];
    crd_array target;
    crd_network net;
};

static void make(struct fixture *t, int rows)
{
    *t = (struct fixture){.ctx = testing_context()};
    for (int i = 0; i < rows; i++) {
        t->x[2 * i] = sin(1.3 * i);
        t->x[2 * i + 1] = cos(2.1 * i) + 0.1 * i;
        t->y[i] = 0.7 * t->x[2 * i] - 1.2 * t->x[2 * i + 1] + 0.4 + 0.3 * sin(5.0 * i);
    }
    t->target = crd_array_borrow(t->y, crd_shape_1(rows));
    t->net = (crd_network){.hidden = "none",
                           .activation = "tanh",
                           .prior = "none",
                           .noise = "half_cauchy:0.5",
                           .x = crd_array_borrow(t->x, crd_shape_2(rows, 2)),
                           .y = &t->target,
                           .training = 1};
}

static const crd_svi_options exact = {.guide = "delta", .optimizer = "lbfgs", .init_radius = 0.5};

static crd_svi *fit(struct fixture *t, const crd_svi_options *options, uint64_t key)
{
    crd_svi *svi;
    assert_ok(t->ctx, crd_svi_fit(t->ctx, crd_network_model, &t->net, options, crd_key_make(key), &svi));
    return svi;
}

/* Solves a symmetric 3 x 3 system. */
static void solve(double a[3][4])
{
    for (int c = 0; c < 3; c++)
        for (int r = 0; r < 3; r++) {
            double factor = r == c ? 0 : a[r][c] / a[c][c];
            for (int k = 0; k < 4; k++)
                a[r][k] -= factor * a[c][k];
        }
    for (int r = 0; r < 3; r++)
        a[r][3] /= a[r][r];
}

/* What minimises the mean of (y - b - x w)^2 + decay / 2 (b^2 + w^2): out is b, w. */
static void least_squares(const struct fixture *t, double decay, double out[3])
{
    double a[3][4] = {{0}};
    for (int i = 0; i < ROWS; i++) {
        double row[3] = {1, t->x[2 * i], t->x[2 * i + 1]};
        for (int r = 0; r < 3; r++) {
            for (int c = 0; c < 3; c++)
                a[r][c] += 2.0 / ROWS * row[r] * row[c];
            a[r][3] += 2.0 / ROWS * row[r] * t->y[i];
        }
    }
    for (int r = 0; r < 3; r++)
        a[r][r] += decay;
    solve(a);
    for (int r = 0; r < 3; r++)
        out[r] = a[r][3];
}

/* ---- plain training --------------------------------------------------------------------------------------------- */

static void squared_error_is_least_squares(void **state)
{
    (void)state;
    struct fixture t;
    double expected[3], loss = 0;
    make(&t, ROWS);
    least_squares(&t, 0, expected);
    for (int i = 0; i < ROWS; i++)
        loss += pow(t.y[i] - expected[0] - expected[1] * t.x[2 * i] - expected[2] * t.x[2 * i + 1], 2) / ROWS;
    crd_svi *svi = fit(&t, &exact, 1);
    assert_int_equal(svi->guide->params, 3); /* s is none of them */
    for (int k = 0; k < 3; k++)
        assert_close(crdi_svi_params(svi, 0)[k], expected[k], 0, 1e-6);
    assert_close(crd_svi_history_of(svi)->final_loss[0], loss, 1e-9, 0);
    crd_svi_destroy(&svi);
    testing_context_destroy(&t.ctx);
}

static void weight_decay_is_a_ridge(void **state)
{
    (void)state;
    struct fixture t;
    double expected[3], without[3];
    make(&t, ROWS);
    least_squares(&t, 0.8, expected);
    least_squares(&t, 0, without);
    assert_true(fabs(expected[2] - without[2]) > 0.1);
    t.net.weight_decay = 0.8;
    crd_svi *svi = fit(&t, &exact, 1);
    for (int k = 0; k < 3; k++)
        assert_close(crdi_svi_params(svi, 0)[k], expected[k], 0, 1e-6);
    crd_svi_destroy(&svi);
    testing_context_destroy(&t.ctx);
}

/* A normal prior of variance 1 / (rows decay) on a log likelihood of -(y - f)^2 has the same maximum: noise of sd sqrt(1/2). */
static void weight_decay_is_a_normal_prior(void **state)
{
    (void)state;
    struct fixture t;
    double expected[3];
    make(&t, ROWS);
    least_squares(&t, 0.8, expected);
    t.net.training = 0;
    char prior[64], noise[64];
    snprintf(prior, sizeof prior, "normal:0,%.17g", sqrt(1 / (0.8 * ROWS)));
    snprintf(noise, sizeof noise, "log_normal:%.17g,1e-7", log(sqrt(0.5)));
    t.net.prior = prior;
    t.net.noise = noise;
    crd_svi *svi = fit(&t, &(crd_svi_options){.guide = "delta", .optimizer = "lbfgs", .start = "median"}, 1);
    for (int k = 0; k < 3; k++)
        assert_close(crdi_svi_params(svi, 0)[k], expected[k], 0, 1e-4);
    crd_svi_destroy(&svi);
    testing_context_destroy(&t.ctx);
}

/* In a table of two groups the logits are free, so the fitted log odds are those of the weighted counts. */
static void class_weights_shift_the_odds(void **state)
{
    (void)state;
    static const double counts[2][2] = {{4, 2}, {1, 5}}; /* by group and class */
    static const double weight[2] = {0.5, 3};
    for (int categorical = 0; categorical < 2; categorical++)
        for (int training = 0; training < 2; training++) {
            struct fixture t;
            int row = 0;
            make(&t, ROWS);
            for (int g = 0; g < 2; g++)
                for (int k = 0; k < 2; k++)
                    for (int i = 0; i < counts[g][k]; i++, row++) {
                        t.x[row] = g;
                        t.y[row] = k;
                    }
            assert_int_equal(row, ROWS);
            t.net.x = crd_array_borrow(t.x, crd_shape_2(ROWS, 1));
            t.net.likelihood = categorical ? "categorical" : "bernoulli";
            t.net.classes = 2;
            t.net.class_weight = weight;
            t.net.training = training;
            crd_svi *svi = fit(&t, &exact, 1);
            const double *p = crdi_svi_params(svi, 0); /* biases, then kernels */
            double at_0 = categorical ? p[1] - p[0] : p[0], slope = categorical ? p[3] - p[2] : p[1];
            assert_close(at_0, log(weight[1] * counts[0][1] / (weight[0] * counts[0][0])), 0, 1e-5);
            assert_close(at_0 + slope, log(weight[1] * counts[1][1] / (weight[0] * counts[1][0])), 0, 1e-5);
            crd_svi_destroy(&svi);
            testing_context_destroy(&t.ctx);
        }
}

/* What judges rows does not have the weights of the classes. */
static void class_weights_are_no_part_of_the_pointwise_likelihood(void **state)
{
    (void)state;
    static const double weight[2] = {7, 0.1};
    static const char *const names[] = {"y"};
    struct fixture t;
    double value[2][ROWS];
    make(&t, ROWS);
    for (int i = 0; i < ROWS; i++)
        t.y[i] = i % 2;
    t.net.likelihood = "bernoulli";
    t.net.classes = 2;
    t.net.training = 0;
    for (int weighted = 0; weighted < 2; weighted++) {
        crd_model *model;
        crd_program *program;
        crd_exec *exec;
        crd_shape shape;
        t.net.class_weight = weighted ? weight : NULL;
        assert_ok(t.ctx, crd_model_create(&model, t.ctx, crd_network_model, &t.net));
        assert_ok(t.ctx, crd_model_compile_log_likelihood(model, &t.net, names, 1, &shape, &program));
        assert_ok(t.ctx, crd_exec_create(&exec, program));
        for (int k = 0; k < 3; k++)
            crd_exec_input(exec)[k] = 0.3 * k - 0.2;
        crd_exec_run(exec);
        memcpy(value[weighted], crd_exec_output(exec), sizeof value[weighted]);
        crd_exec_destroy(&exec);
        crd_program_destroy(&program);
        crd_model_destroy(&model);
    }
    assert_memory_equal(value[0], value[1], sizeof value[0]);
    testing_context_destroy(&t.ctx);
}

/* ---- batches ---------------------------------------------------------------------------------------------------- */

/* Steps so small that the parameters stay: each row counts as often as any other over whole epochs, so the mean loss is
 * that of all rows. 12 rows in batches of 5: 60 rows, 5 epochs in 12 steps, with batches across their borders. */
static void batches_use_every_row_equally_often(void **state)
{
    (void)state;
    for (int training = 0; training < 2; training++) {
        struct fixture t;
        double mean = 0;
        make(&t, ROWS);
        t.net.training = training;
        t.net.prior = training ? "none" : "normal:0,1";
        crd_svi_options options = {.guide = "delta", .optimizer = "sgd:1e-200", .steps = 12, .shuffle = "data"};
        t.net.batch = 5;
        crd_svi *svi = fit(&t, &options, 3);
        const crd_svi_history *h = crd_svi_history_of(svi);
        for (int i = 0; i < 12; i++)
            mean += h->loss[i] / 12;
        t.net.batch = 0;
        options.shuffle = NULL;
        options.steps = 1;
        crd_svi *all = fit(&t, &options, 3);
        assert_close(mean, crd_svi_history_of(all)->loss[0], 1e-12, 0);
        assert_true(h->loss[0] != h->loss[1]);
        crd_svi_destroy(&all);
        crd_svi_destroy(&svi);
        testing_context_destroy(&t.ctx);
    }
}

static void epochs_are_permutations_from_the_key(void **state)
{
    (void)state;
    struct fixture t;
    double rows[2][60];
    int same = 0;
    make(&t, ROWS);
    t.net.batch = 5;
    for (int r = 0; r < 2; r++) {
        crd_svi *svi = fit(&t, &(crd_svi_options){.guide = "delta", .steps = 1, .shuffle = "data"}, 3);
        for (int64_t i = 0; i < 12;
             i++) /* backwards the second time: a step's rows do not depend on what came before */
            assert_ok(t.ctx, crdi_svi_rows(svi, &svi->run[0], r ? 11 - i : i, rows[r] + 5 * (r ? 11 - i : i)));
        crd_svi_destroy(&svi);
    }
    assert_memory_equal(rows[0], rows[1], sizeof rows[0]);
    for (int epoch = 0; epoch < 5; epoch++) {
        int seen[ROWS] = {0};
        for (int i = 0; i < ROWS; i++)
            seen[(int)rows[0][epoch * ROWS + i]]++;
        for (int i = 0; i < ROWS; i++)
            assert_int_equal(seen[i], 1);
        same += epoch > 0 && memcmp(rows[0], rows[0] + epoch * ROWS, ROWS * sizeof rows[0][0]) == 0;
    }
    assert_int_equal(same, 0);
    crd_svi *svi;
    t.net.batch = 5;
    assert_int_equal(crd_svi_fit(t.ctx, crd_network_model, &t.net,
                                 &(crd_svi_options){.guide = "delta", .steps = 1, .shuffle = "date"}, crd_key_make(1),
                                 &svi),
                     CRD_ENAME);
    testing_context_destroy(&t.ctx);
}

/* ---- rows held out ---------------------------------------------------------------------------------------------- */

/* Rows whose y goes the other way: what the fit learns of its own rows makes these worse from some step on. */
static void hold_out(struct fixture *t, crd_network *held, crd_array *y)
{
    make(t, ROWS);
    *held = t->net;
    t->net.x = crd_array_borrow(t->x, crd_shape_2(ROWS - HELD, 2));
    t->target = crd_array_borrow(t->y, crd_shape_1(ROWS - HELD));
    for (int i = ROWS - HELD; i < ROWS; i++)
        t->y[i] *= 0.3;
    *y = crd_array_borrow(t->y + ROWS - HELD, crd_shape_1(HELD));
    held->x = crd_array_borrow(t->x + 2 * (ROWS - HELD), crd_shape_2(HELD, 2));
    held->y = y;
}

static double squared_error(const crd_network *net, const double *p)
{
    double sum = 0;
    int64_t rows = net->x.shape.dim[0];
    for (int64_t i = 0; i < rows; i++)
        sum += pow(net->y->data[i] - p[0] - p[1] * net->x.data[2 * i] - p[2] * net->x.data[2 * i + 1], 2);
    return sum / (double)rows;
}

static void the_best_parameters_are_kept(void **state)
{
    (void)state;
    enum { PATIENCE = 40, STEPS = 2000 };
    for (int patient = 0; patient < 2; patient++) {
        struct fixture t;
        crd_network held;
        crd_array y;
        hold_out(&t, &held, &y);
        crd_svi_options options = {.guide = "delta",
                                   .optimizer = "adam:0.01",
                                   .steps = STEPS,
                                   .init_radius = 0.1,
                                   .held_out = &held,
                                   .patience = patient ? PATIENCE : 0};
        crd_svi *svi = fit(&t, &options, 5);
        const crd_svi_history *h = crd_svi_history_of(svi);
        int64_t least = 0;
        for (int64_t i = 1; i < h->watches; i++)
            least = h->watched[i] < h->watched[least] ? i : least;
        assert_int_equal(h->watches, h->steps); /* after every step */
        assert_int_equal(h->best_step[0], least + 1);
        assert_true(least > 10 && least < STEPS / 2); /* there was something to be overdone */
        assert_int_equal(h->steps, patient ? h->best_step[0] + PATIENCE : STEPS);
        assert_close(h->held_out[0], h->watched[least], 0, 0);
        assert_close(squared_error(&held, crdi_svi_params(svi, 0)), h->watched[least], 1e-12, 0);
        assert_true(h->watched[h->watches - 1] > 1.01 * h->watched[least] || patient);
        if (patient)
            assert_string_equal(h->end, "the loss of the rows held out has stopped falling");
        assert_int_equal(crd_svi_continue(svi, 1), CRD_EUNSUPPORTED);
        crd_error_clear(t.ctx);
        crd_svi_destroy(&svi);
        testing_context_destroy(&t.ctx);
    }
}

static void lbfgs_stops_by_rows_held_out(void **state)
{
    (void)state;
    struct fixture t;
    crd_network held;
    crd_array y;
    hold_out(&t, &held, &y);
    crd_svi_options options = exact;
    options.held_out = &held;
    options.patience = 1;
    crd_svi *svi = fit(&t, &options, 5);
    const crd_svi_history *h = crd_svi_history_of(svi);
    assert_close(squared_error(&held, crdi_svi_params(svi, 0)), h->held_out[0], 1e-12, 0);
    assert_int_equal(h->steps, h->best_step[0] + 1);
    crd_svi_destroy(&svi);
    testing_context_destroy(&t.ctx);
}

/* A guide with a spread is looked at with the same noise each time: two looks at the same parameters are equal. */
static void looks_at_a_guide_compare(void **state)
{
    (void)state;
    struct fixture t;
    crd_network held;
    crd_array y;
    hold_out(&t, &held, &y);
    t.net.prior = held.prior = "normal:0,1";
    t.net.training = 0;
    crd_svi_options options = {.guide = "normal", .optimizer = "sgd:1e-200", .steps = 9, .held_out = &held, .epoch = 3};
    crd_svi *svi = fit(&t, &options, 5);
    const crd_svi_history *h = crd_svi_history_of(svi);
    assert_int_equal(h->watches, 3);
    assert_close(h->watched[0], h->watched[2], 0, 0);
    assert_true(h->loss[0] != h->loss[1]);
    crd_svi_destroy(&svi);
    testing_context_destroy(&t.ctx);
}

/* ---- ensembles -------------------------------------------------------------------------------------------------- */

static void an_ensemble_is_its_fits(void **state)
{
    (void)state;
    enum { MEMBERS = 3, PARAMS = 13 };
    struct fixture t;
    double member[MEMBERS][PARAMS];
    make(&t, ROWS);
    t.net.hidden = "3";
    crd_svi_options options = {.guide = "delta", .steps = 50};
    for (int m = 0; m < MEMBERS; m++) { /* the m-th restart alone */
        crd_svi *svi;
        assert_ok(t.ctx, crdi_svi_create(t.ctx, crd_network_model, &t.net, &options, crd_key_make(7), &svi));
        assert_int_equal(svi->guide->params, PARAMS);
        svi->run[0].key = crd_key_fold_in(crd_key_make(7), (uint32_t)m);
        assert_ok(t.ctx, crdi_svi_make(svi));
        memcpy(member[m], crdi_svi_params(svi, 0), sizeof member[m]);
        crd_svi_destroy(&svi);
    }
    options.members = MEMBERS;
    for (int threads = 1; threads <= 3; threads += 2) {
        crd_posterior *posterior;
        options.threads = threads;
        crd_svi *svi = fit(&t, &options, 7);
        assert_int_equal(crd_svi_history_of(svi)->members, MEMBERS);
        assert_ok(t.ctx, crd_svi_draw(svi, 2 * MEMBERS, NULL, 0, crd_key_make(1), &posterior));
        for (int d = 0; d < 2 * MEMBERS; d++) {
            const double *expected = member[d % MEMBERS];
            for (int c = 0; c < 4; c++) { /* the sites' values are the parameters: all are real numbers */
                int64_t size = posterior->column[c].size;
                assert_memory_equal(posterior->column[c].draws + d * size, expected, sizeof *expected * (size_t)size);
                expected += size;
            }
        }
        crd_posterior_destroy(&posterior);
        crd_svi_destroy(&svi);
    }
    testing_context_destroy(&t.ctx);
}

/* ---- starts ------------------------------------------------------------------------------------------------------ */

static void starts_are_the_initialisers(void **state)
{
    (void)state;
    struct fixture t;
    crdi_network_start start;
    double sum = 0, square = 0;
    make(&t, ROWS);
    t.net.hidden = "500";
    t.net.prior = "noncentered(scale(half_normal:1))";
    t.net.training = 0;
    assert_ok(t.ctx, crdi_network_start_create(t.ctx, &t.net, &start));
    crd_svi_options options = {.guide = "delta",
                               .optimizer = "sgd:1e-200",
                               .steps = 1,
                               .start = "init",
                               .start_fn = crdi_network_start_run,
                               .start_user = &start};
    crd_svi *svi = fit(&t, &options, 5);
    const crd_model *model = svi->guide->model;
    for (int i = 0; i < crd_model_site_count(model); i++) {
        const crd_site *site = crd_model_site(model, i);
        const double *u = crdi_svi_params(svi, 0) + site->offset;
        bool kernel = strcmp(site->name, "net/Dense_0.kernel.raw") == 0;
        for (int64_t k = 0; k < site->size; k++) {
            if (kernel) {
                sum += u[k];
                square += u[k] * u[k];
            } else if (strcmp(site->name, "net/Dense_1.kernel.raw") != 0) {
                assert_close(u[k], 0, 0, 1e-100); /* but for the step */
            }
        }
    }
    /* 1000 numbers of variance 1 / 2, cut at two standard deviations (in units of the normal before the cut): 4.5 errors. */
    assert_close(sum / 1000, 0, 0, 4.5 * sqrt(0.5 / 1000));
    assert_close(square / 1000, 0.5, 0, 4.5 * 0.5 * sqrt(2.0 / 1000));
    crd_svi_destroy(&svi);
    crdi_network_start_clear(&start);
    assert_int_equal(
        crd_svi_fit(t.ctx, crd_network_model, &t.net, &(crd_svi_options){.start = "init"}, crd_key_make(1), &svi),
        CRD_EMISSING);
    testing_context_destroy(&t.ctx);
}

static void memory_that_fails_is_said(void **state)
{
    (void)state;
    crd_status status = CRD_ENOMEM;
    for (int64_t k = 1; status != CRD_OK; k++) {
        struct fixture t;
        crd_network held;
        crd_array y;
        crd_svi *svi = NULL;
        crd_posterior *draws = NULL;
        crdi_network_start start = {0};
        hold_out(&t, &held, &y);
        crd_network whole = t.net;
        t.net.batch = 3;
        testing_fail_allocation(k);
        status = crdi_network_start_create(t.ctx, &t.net, &start);
        crd_svi_options options = {.guide = "delta",
                                   .steps = 4,
                                   .members = 2,
                                   .threads = 1,
                                   .start = "init",
                                   .start_fn = crdi_network_start_run,
                                   .start_user = &start,
                                   .shuffle = "data",
                                   .whole = &whole,
                                   .held_out = &held};
        if (status == CRD_OK)
            status = crd_svi_fit(t.ctx, crd_network_model, &t.net, &options, crd_key_make(3), &svi);
        if (status == CRD_OK)
            status = crd_svi_draw(svi, 3, NULL, 0, crd_key_make(1), &draws);
        testing_fail_allocation(0);
        assert_true(status == CRD_OK || status == CRD_ENOMEM);
        assert_true(k < 20000);
        crd_posterior_destroy(&draws);
        crd_svi_destroy(&svi);
        crdi_network_start_clear(&start);
        testing_context_destroy(&t.ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(squared_error_is_least_squares),
        cmocka_unit_test(weight_decay_is_a_ridge),
        cmocka_unit_test(weight_decay_is_a_normal_prior),
        cmocka_unit_test(class_weights_shift_the_odds),
        cmocka_unit_test(class_weights_are_no_part_of_the_pointwise_likelihood),
        cmocka_unit_test(batches_use_every_row_equally_often),
        cmocka_unit_test(epochs_are_permutations_from_the_key),
        cmocka_unit_test(the_best_parameters_are_kept),
        cmocka_unit_test(lbfgs_stops_by_rows_held_out),
        cmocka_unit_test(looks_at_a_guide_compare),
        cmocka_unit_test(an_ensemble_is_its_fits),
        cmocka_unit_test(starts_are_the_initialisers),
        cmocka_unit_test(memory_that_fails_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
