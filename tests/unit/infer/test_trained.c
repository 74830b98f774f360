/* test_trained.c - starts of chains that training finds: what is held out, what is kept, every likelihood, every kernel. */
#include "infer/mcmc/chain.h"
#include "testing.h"

#include <credence/evidence.h>
#include <credence/nn.h>
#include <math.h>
#include <string.h>

enum { ROWS = 40, INPUTS = 6, CHAINS = 3, HELD = 4 };

/* Targets that have little to do with many inputs: a network learns its rows by heart. */
struct fixture {
    crd_context *ctx;
    double x[ROWS * INPUTS], y[ROWS];
    crd_array target;
    crd_network net;
    crd_model *model;
    crd_nuts_options options;
    crd_trained_start start[CHAINS];
    int told;
};

static crd_status remember(void *user, const crd_trained_start *starts, int count)
{
    struct fixture *t = user;
    assert_int_equal(count, t->options.chains);
    memcpy(t->start, starts, sizeof *starts * (size_t)count);
    t->told++;
    return CRD_OK;
}

/* classes 0: numbers. */
static void make(struct fixture *t, const char *likelihood, const char *noise, int classes)
{
    *t = (struct fixture){.ctx = testing_context()};
    crd_random_normal(crd_key_make(5), ROWS * INPUTS, t->x);
    crd_random_normal(crd_key_make(6), ROWS, t->y);
    for (int i = 0; i < ROWS; i++) {
        double of = t->x[i * INPUTS] + 0.7 * t->y[i];
        t->y[i] = classes == 2 ? of > 0 : classes > 2 ? (of > -0.5) + (of > 0.5) : of;
    }
    t->target = crd_array_borrow(t->y, crd_shape_1(ROWS));
    t->net = (crd_network){.hidden = "12",
                           .activation = "tanh",
                           .prior = "normal:0,3",
                           .noise = noise,
                           .likelihood = likelihood,
                           .classes = classes > 2 ? classes : 0,
                           .x = crd_array_borrow(t->x, crd_shape_2(ROWS, INPUTS)),
                           .y = &t->target};
    t->options =
        (crd_nuts_options){.chains = CHAINS, .warmup = -1, .draws = 1, .start = "ensemble", .trained = remember};
    t->options.trained_user = t;
    assert_ok(t->ctx, crd_model_create(&t->model, t->ctx, crd_network_model, &t->net));
}

static void clear(struct fixture *t)
{
    crd_model_destroy(&t->model);
    testing_context_destroy(&t->ctx);
}

static const crd_key key = {.word = {0, 77}};

/* A draw that hardly moves: where the chain began. */
static crd_posterior *draw_start(struct fixture *t)
{
    crd_posterior *posterior;
    crd_nuts_options options = t->options;
    options.kernel = "hmc";
    options.step_size = 1e-13;
    options.path_length = 1e-13;
    assert_ok(t->ctx, crd_nuts_run(t->model, &options, key, &posterior));
    return posterior;
}

/* Minus the mean log likelihood, at the first draw of a chain, of the rows that the documentation says are held out. */
static double loss_there(struct fixture *t, const crd_posterior *posterior, int chain, int held)
{
    int64_t order[ROWS];
    crd_array likelihood;
    double sum = 0;
    crd_key own = crd_key_fold_in(crd_key_fold_in(key, (uint32_t)chain), 0x80000004u);
    assert_ok(t->ctx, crd_random_permutation(t->ctx, own, ROWS, order));
    assert_ok(t->ctx, crd_log_likelihood(t->model, posterior, &t->net, "y", &likelihood));
    for (int i = 0; i < held; i++)
        sum += likelihood.data[chain * ROWS + order[i]];
    crd_array_clear(&likelihood);
    return -sum / held;
}

/* ---- early stopping ------------------------------------------------------------------------------------------- */

/* All steps overfit: the loss of the rows held out is far above its least. The chain begins at the least, of whatever likelihood; with
 * patience the steps behind it are not made, and it begins at the same place. */
static void chains_begin_where_the_held_out_loss_is_least(void **state)
{
    (void)state;
    static const struct {
        const char *likelihood, *noise;
        int classes;
    } kinds[] = {
        {NULL, "half_cauchy:0.5", 0}, {NULL, "heteroscedastic", 0}, {"bernoulli", NULL, 2}, {"categorical", NULL, 3}};
    for (int k = 0; k < CRDI_COUNT(kinds); k++) {
        struct fixture t;
        crd_trained_start all[CHAINS];
        make(&t, kinds[k].likelihood, kinds[k].noise, kinds[k].classes);
        t.options.start_steps = t.options.start_patience = 1000;
        crd_posterior *begun = draw_start(&t);
        double more = 0;
        memcpy(all, t.start, sizeof all);
        for (int c = 0; c < CHAINS; c++) {
            assert_int_equal(all[c].held_out_rows, HELD);
            assert_int_equal(all[c].steps, 1000);
            assert_true(all[c].last_loss > all[c].loss && all[c].loss < all[c].first_loss);
            more += (all[c].last_loss - all[c].loss) / CHAINS;
            assert_close(loss_there(&t, begun, c, HELD), all[c].loss, 1e-9, 0);
        }
        assert_true(more > 0.3);
        crd_posterior_destroy(&begun);
        t.options.start_patience = 300;
        begun = draw_start(&t);
        for (int c = 0; c < CHAINS; c++) {
            assert_int_equal(t.start[c].steps, t.start[c].best_step + 300);
            assert_true(t.start[c].loss == all[c].loss && t.start[c].best_step == all[c].best_step);
            assert_true(t.start[c].steps < 1000);
        }
        assert_int_equal(t.told, 2);
        crd_posterior_destroy(&begun);
        clear(&t);
    }
}

/* Without rows held out the best is where the log density is greatest: all steps are made, and its gradient is nearly gone. */
static void without_rows_held_out_all_steps_are_made(void **state)
{
    (void)state;
    struct fixture t;
    make(&t, NULL, "half_cauchy:0.5", 0);
    t.options.start_validation = -1;
    t.options.start_steps = 700;
    crd_posterior *begun = draw_start(&t);
    for (int c = 0; c < CHAINS; c++) {
        assert_int_equal(t.start[c].held_out_rows, 0);
        assert_int_equal(t.start[c].steps, 700);
        assert_true(t.start[c].best_step > 600);
        assert_true(isnan(t.start[c].loss) && isnan(t.start[c].last_loss));
    }
    crd_posterior_destroy(&begun);
    clear(&t);
}

static crd_node no_plate(crd_trace *t, void *user)
{
    (void)user;
    crd_node q = crd_sample(t, "q", crd_normal(crd_num(3), crd_num(1)));
    crd_factor(t, "f", crd_mul(crd_num(-0.5), crd_square(q)));
    return q;
}

/* A model without rows is trained on all there is: the mode of exp(-(q - 3)^2 / 2 - q^2 / 2) is at 1.5. A plate that is named must be there. */
static void a_model_without_rows_is_trained_whole(void **state)
{
    (void)state;
    struct fixture t;
    make(&t, NULL, "half_cauchy:0.5", 0);
    crd_model_destroy(&t.model);
    assert_ok(t.ctx, crd_model_create(&t.model, t.ctx, no_plate, NULL));
    crd_posterior *begun = draw_start(&t);
    for (int c = 0; c < CHAINS; c++) {
        assert_int_equal(t.start[c].held_out_rows, 0);
        assert_close(crd_posterior_find(begun, "q")->draws[c], 1.5, 0, 1e-4);
    }
    crd_posterior_destroy(&begun);
    crd_nuts_options options = t.options;
    options.plate = "rows";
    assert_int_equal(crd_nuts_run(t.model, &options, key, &begun), CRD_ENAME);
    clear(&t);
}

/* ---- every kernel --------------------------------------------------------------------------------------------- */

static crd_posterior *run(struct fixture *t, const crdi_mcmc_kernel *kernel, int threads)
{
    crd_posterior *posterior;
    crd_nuts_options options = t->options;
    options.threads = threads;
    options.kernel = kernel->name;
    options.warmup = 20;
    options.draws = 4;
    options.max_depth = 4;
    options.batch = kernel->rows == CRDI_ROWS_SAMPLED ? 7 : 0;
    options.batches = 3;
    if (kernel->shares)
        assert_ok(t->ctx, crd_tempering_run(t->model, &options, &(crd_tempered_options){.temperatures = 4, .pilot = 20},
                                            key, &posterior, NULL));
    else
        assert_ok(t->ctx, crd_nuts_run(t->model, &options, key, &posterior));
    return posterior;
}

/* The same starts and draws by one thread and by three. Kernels of batches train on batches: of 7 rows, of which one is what a look
 * takes; and in 3 parts of 40. */
static void every_kernel_starts_so_by_any_number_of_threads(void **state)
{
    (void)state;
    const crdi_mcmc_kernel *kernel;
    for (int k = 0; (kernel = crdi_mcmc_kernel_get(k)); k++) {
        struct fixture t;
        crd_trained_start one[CHAINS];
        make(&t, NULL, "half_cauchy:0.5", 0);
        t.options.start_steps = 120;
        crd_posterior *first = run(&t, kernel, 1);
        memcpy(one, t.start, sizeof one);
        crd_posterior *second = run(&t, kernel, 3);
        for (int c = 0; c < CHAINS; c++) {
            assert_int_equal(t.start[c].held_out_rows, HELD);
            assert_true(t.start[c].loss < t.start[c].first_loss);
            assert_true(t.start[c].loss != t.start[(c + 1) % CHAINS].loss);
        }
        assert_memory_equal(one, t.start, sizeof one);
        for (int i = 0; i < first->column_count; i++)
            assert_memory_equal(first->column[i].draws, second->column[i].draws,
                                sizeof(double) * (size_t)(CHAINS * 4 * first->column[i].size));
        crd_posterior_destroy(&first);
        crd_posterior_destroy(&second);
        clear(&t);
    }
}

/* The last temperature of parallel tempering begins at the trained point: with no warm-up its log density is far above that of a draw
 * from the prior. */
static void tempering_begins_at_the_trained_point(void **state)
{
    (void)state;
    double density[2];
    for (int trained = 0; trained < 2; trained++) {
        struct fixture t;
        crd_posterior *posterior;
        make(&t, NULL, "half_cauchy:0.5", 0);
        crd_nuts_options options = t.options;
        options.start = trained ? "ensemble" : "uniform";
        options.step_size = 1e-6; /* of a draw that hardly moves */
        options.max_depth = 1;
        assert_ok(t.ctx, crd_tempering_run(t.model, &options, &(crd_tempered_options){.temperatures = 3, .pilot = 20},
                                           key, &posterior, NULL));
        density[trained] = *crd_posterior_find(posterior, "log_density")->draws;
        crd_posterior_destroy(&posterior);
        clear(&t);
    }
    assert_true(density[1] > density[0] + 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_begin_where_the_held_out_loss_is_least),
        cmocka_unit_test(without_rows_held_out_all_steps_are_made),
        cmocka_unit_test(a_model_without_rows_is_trained_whole),
        cmocka_unit_test(every_kernel_starts_so_by_any_number_of_threads),
        cmocka_unit_test(tempering_begins_at_the_trained_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
