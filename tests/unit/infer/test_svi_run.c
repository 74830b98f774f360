/* test_svi_run.c - how fits run: restarts and threads, going on, stopping, steps that are not finite, what is refused before
 * any step, rules for guides, draws of a fitted guide, memory that fails. */
#include "infer/svi/svi.h"
#include "svi_models.h"

#include <math.h>
#include <string.h>

static struct linear line;

static crd_svi *fit(crd_context *ctx, const crd_svi_options *options, uint64_t key)
{
    crd_svi *svi;
    linear_init(&line, LINEAR_MOST);
    assert_ok(ctx, crd_svi_fit(ctx, linear_model, &line, options, crd_key_make(key), &svi));
    return svi;
}

static void assert_same_fit(const crd_svi *a, const crd_svi *b)
{
    const crd_svi_history *h = crd_svi_history_of(a), *other = crd_svi_history_of(b);
    assert_int_equal(h->steps, other->steps);
    assert_memory_equal(h->loss, other->loss, sizeof *h->loss * (size_t)h->steps);
    assert_memory_equal(crdi_svi_params(a, 0), crdi_svi_params(b, 0), sizeof(double) * (size_t)a->guide->params);
}

/* ---- restarts --------------------------------------------------------------------------------------------------- */

static void threads_change_nothing(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_svi_options options = {.particles = 2, .steps = 300, .restarts = 5, .threads = 1};
    crd_svi *one = fit(ctx, &options, 3);
    for (int threads = 2; threads <= 4; threads += 2) {
        options.threads = threads;
        crd_svi *more = fit(ctx, &options, 3);
        assert_same_fit(one, more);
        assert_int_equal(crd_svi_history_of(one)->restart, crd_svi_history_of(more)->restart);
        assert_memory_equal(crd_svi_history_of(one)->final_loss, crd_svi_history_of(more)->final_loss,
                            5 * sizeof(double));
        crd_svi_destroy(&more);
    }
    crd_svi_destroy(&one);
    testing_context_destroy(&ctx);
}

/* The first restarts of many are those of few, to the bit. */
static void more_restarts_change_none_of_the_others(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_svi_options options = {.particles = 2, .steps = 300, .restarts = 5};
    crd_svi *five = fit(ctx, &options, 3);
    const crd_svi_history *h = crd_svi_history_of(five);
    for (int64_t few = 1; few < 5; few++) {
        options.restarts = few;
        crd_svi *less = fit(ctx, &options, 3);
        assert_memory_equal(crd_svi_history_of(less)->final_loss, h->final_loss, sizeof(double) * (size_t)few);
        if (crd_svi_history_of(less)->restart == h->restart)
            assert_same_fit(less, five);
        crd_svi_destroy(&less);
    }
    assert_true(h->restart < 4); /* so that it was compared */
    crd_svi_destroy(&five);
    testing_context_destroy(&ctx);
}

static void the_best_restart_is_kept(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_svi_options options = {.steps = 40, .restarts = 6};
    crd_svi *svi = fit(ctx, &options, 5);
    const crd_svi_history *h = crd_svi_history_of(svi);
    double sum = 0;
    assert_int_equal(h->restarts, 6);
    for (int r = 0; r < 6; r++) {
        assert_true(h->final_loss[r] >= h->final_loss[h->restart]);
        assert_true(r == h->restart || h->final_loss[r] != h->final_loss[h->restart]);
    }
    for (int i = 0; i < 40; i++) {
        sum += h->loss[i];
        assert_close(h->loss[i], h->divergence[i] + h->likelihood[i], 1e-12, 0);
    }
    assert_close(h->final_loss[h->restart], sum / 40, 1e-12, 0);
    crd_svi_destroy(&svi);
    testing_context_destroy(&ctx);
}

/* ---- going on, stopping ----------------------------------------------------------------------------------------- */

static void going_on_is_as_if_asked_for_at_once(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_svi_options options = {.steps = 500, .optimizer = "clip_by_global_norm:10,adam:cosine(0.05,500)"};
    crd_svi *once = fit(ctx, &options, 3), *parts;
    options.steps = 180;
    parts = fit(ctx, &options, 3);
    assert_ok(ctx, crd_svi_continue(parts, 300));
    assert_ok(ctx, crd_svi_continue(parts, 20));
    assert_same_fit(once, parts);
    assert_int_equal(crd_svi_continue(parts, 0), CRD_EINVAL);
    crd_svi_destroy(&once);
    crd_svi_destroy(&parts);
    testing_context_destroy(&ctx);
}

/* Through bytes, into a fit that was made anew. */
static void a_saved_fit_goes_on(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_svi_options options = {
        .steps = 500, .restarts = 3, .optimizer = "clip_by_global_norm:10,adam:cosine(0.05,500)"};
    crd_svi *once, *first, *second;
    options.steps = 180;
    first = fit(ctx, &options, 3);
    const crd_svi_history *h = crd_svi_history_of(first);
    crdi_archive archive = {0};
    crdi_archive_write(&archive, ctx);
    crdi_svi_state_save(first, &archive);
    assert_ok(ctx, archive.status);
    size_t size = archive.size;
    const void *bytes = archive.bytes;
    crdi_svi_saved saved = {bytes,         size,        h->loss, h->divergence, h->likelihood, h->steps,
                            h->final_loss, h->restarts, 0,       false};
    assert_ok(ctx, crdi_svi_create(ctx, linear_model, &line, &options, crd_key_make(3), &second));
    assert_ok(ctx, crdi_svi_state_load(second, &saved));
    assert_ok(ctx, crd_svi_continue(second, 320));
    assert_ok(ctx, crd_svi_continue(first, 320));
    assert_same_fit(first, second);
    assert_int_equal(crd_svi_history_of(second)->restart, h->restart);
    assert_memory_equal(crd_svi_history_of(second)->final_loss, h->final_loss, 3 * sizeof(double));
    assert_int_equal(second->all_steps, first->all_steps);
    options.steps = 500;
    once = fit(ctx, &options, 3); /* the same one is the best */
    assert_same_fit(once, second);
    crd_svi_destroy(&once);
    crd_svi_destroy(&first);
    crd_svi_destroy(&second);

    const struct {
        const char *optimizer, *guide;
        int64_t restarts;
        size_t size;
        int64_t steps;
        crd_status status;
    } bad[] = {{"adam:0.1", "normal", 3, size, 180, CRD_EDAMAGED},
               {options.optimizer, "multivariate_normal", 3, size, 180, CRD_EDAMAGED},
               {options.optimizer, "normal", 2, size, 180, CRD_EDAMAGED},
               {options.optimizer, "normal", 3, size - 8, 180, CRD_EDAMAGED},
               {options.optimizer, "normal", 3, 20, 180, CRD_EDAMAGED},
               {options.optimizer, "normal", 3, size, 179, CRD_EDAMAGED},
               {options.optimizer, "laplace", 3, size, 180, CRD_EUNSUPPORTED}};
    double losses[180] = {0};
    for (int i = 0; i < CRDI_COUNT(bad); i++) {
        crd_svi *svi;
        saved = (crdi_svi_saved){bytes,        bad[i].size, losses,          losses, losses,
                                 bad[i].steps, losses,      bad[i].restarts, 0,      false};
        options.optimizer = bad[i].optimizer;
        options.guide = bad[i].guide;
        options.restarts = bad[i].restarts;
        assert_ok(ctx, crdi_svi_create(ctx, linear_model, &line, &options, crd_key_make(3), &svi));
        assert_int_equal(crdi_svi_state_load(svi, &saved), bad[i].status);
        crd_error_clear(ctx);
        options.optimizer = bad[1].optimizer;
        crd_svi_destroy(&svi);
    }
    crdi_archive_clear(&archive);
    testing_context_destroy(&ctx);
}

struct stopper {
    int64_t left;
    int told;
    crd_svi_progress last;
};

static int stop(void *user)
{
    return ((struct stopper *)user)->left-- == 0;
}

/* What a fit leaves of itself. */
struct kept {
    unsigned char bytes[32768];
    size_t size;
};

static crd_status keep(void *user, int64_t restart, const crdi_archive *state)
{
    struct kept *kept = user;
    (void)restart;
    assert_true(state->size <= sizeof kept->bytes);
    memcpy(kept->bytes, state->bytes, state->size);
    kept->size = state->size;
    return CRD_OK;
}

static crd_svi *create(crd_context *ctx, const crd_svi_options *options, struct kept *kept)
{
    crd_svi *svi;
    assert_ok(ctx, crdi_svi_create(ctx, linear_model, &line, options, crd_key_make(3), &svi));
    svi->keep = keep;
    svi->keep_user = kept;
    return svi;
}

static void assert_same_end(const crd_svi *a, const crd_svi *b)
{
    assert_same_fit(a, b);
    assert_int_equal(crd_svi_history_of(a)->restart, crd_svi_history_of(b)->restart);
    assert_memory_equal(a->final_loss, b->final_loss, sizeof *a->final_loss * (size_t)a->options.restarts);
    assert_int_equal(a->all_steps, b->all_steps);
    assert_string_equal(crd_svi_history_of(a)->end, crd_svi_history_of(b)->end);
}

/* Steps are added, stopped, and added by a fit that was made anew: as if they had not been stopped. */
static void one_that_goes_on_can_be_stopped(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_svi_options options = {
        .steps = 180, .restarts = 3, .optimizer = "clip_by_global_norm:10,adam:cosine(0.05,500)"};
    struct kept kept = {.size = 0};
    crd_svi *whole = fit(ctx, &options, 3);
    crd_svi *first = fit(ctx, &options, 3), *second = create(ctx, &options, &kept);
    struct stopper stopper = {.left = 77};
    first->keep = keep;
    first->keep_user = &kept;
    first->options.stop = stop;
    first->options.stop_user = &stopper;
    assert_ok(ctx, crd_svi_continue(whole, 320));
    assert_int_equal(crd_svi_continue(first, 320), CRD_INTERRUPTED);
    assert_true(crd_svi_history_of(first)->steps > 180 && crd_svi_history_of(first)->steps < 500);
    assert_true(crdi_svi_is_going_state(kept.bytes, kept.size) && !crdi_svi_is_run_state(kept.bytes, kept.size));
    assert_ok(ctx, crdi_svi_going_load(second, kept.bytes, kept.size, 1.5));
    assert_true(second->all_seconds == 1.5);
    assert_ok(ctx, crdi_svi_continue_to(second, 500));
    assert_same_end(whole, second);
    crd_svi_destroy(&whole);
    crd_svi_destroy(&first);
    crd_svi_destroy(&second);
    testing_context_destroy(&ctx);
}

/* Also where it ended before all steps were made. */
static void what_had_ended_stays_so(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_svi_options options = {.steps = 200, .optimizer = "adam:0.05", .patience = 100};
    struct kept kept = {.size = 0};
    crd_svi *first = fit(ctx, &options, 3), *second = create(ctx, &options, &kept);
    first->keep = keep;
    first->keep_user = &kept;
    assert_ok(ctx, crd_svi_continue(first, 100000));
    assert_string_equal(crd_svi_history_of(first)->end, "the loss has stopped falling");
    assert_ok(ctx, crdi_svi_going_load(second, kept.bytes, kept.size, 0));
    assert_ok(ctx, crdi_svi_continue_to(second, 100200));
    assert_same_end(first, second);
    crd_svi_destroy(&first);
    crd_svi_destroy(&second);
    testing_context_destroy(&ctx);
}

static void a_state_of_another_fit_that_goes_on_is_refused(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_svi_options options = {.steps = 20, .restarts = 2, .optimizer = "adam:0.05"};
    struct kept kept = {.size = 0};
    crd_svi *svi = fit(ctx, &options, 3);
    svi->keep = keep;
    svi->keep_user = &kept;
    assert_ok(ctx, crd_svi_continue(svi, 5));
    crd_svi_destroy(&svi);
    const struct {
        const char *optimizer, *guide;
        int64_t restarts;
        size_t size;
        int64_t restart; /* written over that of the state; -2: it stays */
        crd_status status;
    } cases[] = {{"adam:0.05", "normal", 2, kept.size, -2, CRD_OK},
                 {"momentum:0.1", "normal", 2, kept.size, -2, CRD_EDAMAGED},
                 {"adam:0.05", "multivariate_normal", 2, kept.size, -2, CRD_EDAMAGED},
                 {"adam:0.05", "normal", 3, kept.size, -2, CRD_EDAMAGED},
                 {"adam:0.05", "normal", 2, kept.size - 8, -2, CRD_EDAMAGED},
                 {"adam:0.05", "normal", 2, 20, -2, CRD_EDAMAGED},
                 {"adam:0.05", "laplace", 2, kept.size, -2, CRD_EUNSUPPORTED},
                 {"adam:0.05", "normal", 2, kept.size, 2, CRD_EDAMAGED},
                 {"adam:0.05", "normal", 2, kept.size, -1, CRD_EDAMAGED}};
    for (int i = 0; i < CRDI_COUNT(cases); i++) {
        options.optimizer = cases[i].optimizer;
        options.guide = cases[i].guide;
        options.restarts = cases[i].restarts;
        if (cases[i].restart != -2)
            memcpy(kept.bytes + 2 * sizeof(int64_t), &cases[i].restart, sizeof cases[i].restart);
        svi = create(ctx, &options, &kept);
        assert_int_equal(crdi_svi_going_load(svi, kept.bytes, cases[i].size, 0), cases[i].status);
        crd_error_clear(ctx);
        crd_svi_destroy(&svi);
    }
    testing_context_destroy(&ctx);
}

/* A run file has room for so much, and the steps end before. */
static void steps_end_where_a_state_is_full(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_svi_options options = {.steps = 1000, .optimizer = "adam:0.05"};
    struct kept kept = {.size = 0};
    crd_svi *svi = create(ctx, &options, &kept), *again = create(ctx, &options, &kept);
    svi->keep_most = again->keep_most = 10000;
    assert_ok(ctx, crdi_svi_make(svi));
    const crd_svi_history *h = crd_svi_history_of(svi);
    assert_true(h->steps > 100 && h->steps < 1000);
    assert_true(kept.size <= 10000 && kept.size + 3 * sizeof(double) > 10000);
    assert_string_equal(h->end, "as many as a run file has room for");
    const crdi_svi_start start = {kept.bytes, kept.size};
    again->from = &start;
    assert_ok(ctx, crdi_svi_make(again));
    assert_same_fit(svi, again);
    assert_ok(ctx, crd_svi_continue(svi, 10));
    assert_int_equal(crd_svi_history_of(svi)->steps, crd_svi_history_of(again)->steps);
    crd_svi_destroy(&svi);
    crd_svi_destroy(&again);
    svi = create(ctx, &options, &kept);
    svi->keep_most = 100;
    assert_int_equal(crdi_svi_make(svi), CRD_EUNSUPPORTED);
    assert_non_null(strstr(crd_error_message(ctx), "the state of a fit of "));
    crd_svi_destroy(&svi);
    testing_context_destroy(&ctx);
}

static void tell(void *user, const crd_svi_progress *restarts, int count)
{
    struct stopper *s = user;
    assert_int_equal(count, 1);
    s->told++;
    s->last = restarts[0];
}

static void a_stopped_fit_goes_on(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct stopper s = {.left = 70};
    crd_svi_options options = {.steps = 200};
    crd_svi *once = fit(ctx, &options, 3), *stopped;
    options.stop = stop;
    options.stop_user = options.progress_user = &s;
    options.progress = tell;
    assert_int_equal(crd_svi_fit(ctx, linear_model, &line, &options, crd_key_make(3), &stopped), CRD_INTERRUPTED);
    const crd_svi_history *h = crd_svi_history_of(stopped);
    assert_int_equal(h->steps, 70);
    assert_string_equal(h->end, "stopped");
    assert_true(s.told >= 1 && s.last.step == 70 && s.last.total == 200);
    assert_close(s.last.loss, s.last.divergence + s.last.likelihood, 1e-12, 0);
    assert_ok(ctx, crd_svi_continue(stopped, 130));
    assert_same_fit(once, stopped);
    crd_svi_destroy(&once);
    crd_svi_destroy(&stopped);
    testing_context_destroy(&ctx);
}

static void patience_ends_a_fit(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_svi_options options = {.steps = 20000, .patience = 500, .optimizer = "adam:0.05"};
    crd_svi *svi = fit(ctx, &options, 3);
    const crd_svi_history *h = crd_svi_history_of(svi);
    double before = 0, after = 0;
    assert_true(h->steps < 20000 && h->steps % 500 == 0);
    assert_string_equal(h->end, "the loss has stopped falling");
    for (int i = 0; i < 500; i++) {
        before += h->loss[h->steps - 1000 + i];
        after += h->loss[h->steps - 500 + i];
    }
    assert_true(after >= before);
    crd_svi_destroy(&svi);
    testing_context_destroy(&ctx);
}

/* ---- steps that are not finite ---------------------------------------------------------------------------------- */

/* log p of x is not a number where x > *limit. */
static crd_node cliff_model(crd_trace *t, void *limit)
{
    crd_node x = crd_sample(t, "x", crd_normal(crd_num(0), crd_num(1)));
    crd_factor(t, "cliff", crd_mul(crd_num(0), crd_log(crd_sub(crd_num(*(double *)limit), x))));
    return x;
}

static void steps_that_are_not_finite_are_skipped(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_svi *svi;
    double limit = 2.3; /* the guide, which hardly moves, is beyond it once in some 40 draws */
    crd_svi_options options = {.steps = 20000, .start = "median", .optimizer = "sgd:1e-9", .init_scale = 1};
    assert_ok(ctx, crd_svi_fit(ctx, cliff_model, &limit, &options, crd_key_make(1), &svi));
    const crd_svi_history *h = crd_svi_history_of(svi);
    int64_t skipped = 0;
    for (int64_t i = 0; i < h->steps; i++)
        skipped += isnan(h->loss[i]);
    assert_int_equal(h->steps, 20000);
    assert_int_equal(h->skipped, skipped);
    assert_true(skipped > 100 && skipped < 1000 && isfinite(h->final_loss[0]));
    crd_svi_destroy(&svi);
    testing_context_destroy(&ctx);
}

static void a_fit_that_stays_not_finite_ends(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_svi *svi = NULL;
    double limit = 1e-3; /* the start is below it, the draws are beyond it half of the time; with 30 particles always */
    crd_svi_options options = {.steps = 3000, .start = "median", .particles = 30, .init_scale = 1};
    assert_int_equal(crd_svi_fit(ctx, cliff_model, &limit, &options, crd_key_make(1), &svi), CRD_EDOMAIN);
    assert_null(svi);
    assert_non_null(strstr(crd_error_message(ctx), "not finite in 100 steps in a row, up to step 100 "));
    assert_non_null(strstr(crd_error_message(ctx), "clip_by_global_norm"));
    crd_error_clear(ctx);
    options.steps = 20;
    assert_int_equal(crd_svi_fit(ctx, cliff_model, &limit, &options, crd_key_make(1), &svi), CRD_EDOMAIN);
    assert_non_null(strstr(crd_error_message(ctx), "in 20 steps in a row, up to step 20 "));
    testing_context_destroy(&ctx);
}

/* ---- what is refused before any step ---------------------------------------------------------------------------- */

static void bad_options_are_named(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    static const struct {
        crd_svi_options options;
        crd_status status;
        const char *message;
    } cases[] = {
        {{.guide = "normall"}, CRD_ENAME, "did you mean 'normal'"},
        {{.guide = "w=normal;v=delta"}, CRD_ENAME, "no site is left that the pattern names"},
        {{.guide = "w=normal;w=delta"}, CRD_ENAME, "'w=delta'"},
        {{.guide = "v=normal"}, CRD_EMISSING, "site w: no rule of the guide has it"},
        {{.guide = "w=;normal"}, CRD_EINVAL, "a rule is empty"},
        {{.guide = ""}, CRD_EINVAL, "a rule is empty"},
        {{.guide = "normal:3"}, CRD_EINVAL, "it takes no number"},
        {{.guide = "low_rank_multivariate_normal:0"}, CRD_EINVAL, "must be a whole number from 1"},
        {{.loss = "trase"}, CRD_ENAME, "did you mean 'trace'"},
        {{.loss = "renyi:x"}, CRD_EINVAL, "renyi"},
        {{.loss = "renyi:1"}, CRD_EINVAL, "renyi"},
        {{.optimizer = "adan:0.1"}, CRD_ENAME, "did you mean 'adam'"},
        {{.optimizer = "adam:cosin(0.1,100)"}, CRD_ENAME, "did you mean 'cosine'"},
        {{.optimizer = "lbfgs"}, CRD_EUNSUPPORTED, "a loss without noise"},
        {{.particles = -1}, CRD_EINVAL, "particles"},
        {{.steps = -5}, CRD_EINVAL, "steps"},
        {{.restarts = -1}, CRD_EINVAL, "restarts"},
        {{.patience = -1}, CRD_EINVAL, "patience"},
        {{.init_scale = -0.1}, CRD_EINVAL, "init-scale"},
        {{.init_radius = NAN}, CRD_EINVAL, "init_radius"},
        {{.start = "priors"}, CRD_ENAME, "did you mean 'prior'"},
        {{.start = "value"}, CRD_EINVAL, "values"},
    };
    linear_init(&line, 2);
    for (int i = 0; i < CRDI_COUNT(cases); i++) {
        crd_svi *svi = NULL;
        struct stopper s = {.left = 1};
        crd_svi_options options = cases[i].options;
        options.stop = stop;
        options.stop_user = &s;
        crd_status status = crd_svi_fit(ctx, linear_model, &line, &options, crd_key_make(1), &svi);
        if (status != cases[i].status || !strstr(crd_error_message(ctx), cases[i].message))
            fail_msg("case %d: %s: %s", i, crd_status_name(status), crd_error_message(ctx));
        assert_null(svi);
        assert_int_equal(s.left, 1); /* no step was even asked about */
        crd_error_clear(ctx);
    }
    testing_context_destroy(&ctx);
}

/* ---- rules ------------------------------------------------------------------------------------------------------ */

/* With a full normal for the scale of the noise and a point for the rest, only the first one varies. */
static void rules_give_sites_their_families(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_svi *svi;
    crd_posterior *draws;
    crd_svi_options options = {.guide = "s=multivariate_normal;delta", .steps = 50};
    assert_ok(ctx, crd_svi_fit(ctx, network_model, NULL, &options, crd_key_make(1), &svi));
    assert_ok(ctx, crd_svi_draw(svi, 20, NULL, 0, crd_key_make(2), &draws));
    int points = 0;
    for (int c = 0; c < draws->column_count; c++) {
        const crd_column *column = &draws->column[c];
        bool same = true;
        for (int64_t i = column->size; i < 20 * column->size; i++)
            same = same && column->draws[i] == column->draws[i % column->size];
        if (column->kind == CRD_COLUMN_LATENT) {
            assert_int_equal(same, strcmp(column->name, "s") != 0);
            points += same;
        }
    }
    assert_int_equal(points, 3);
    crd_posterior_destroy(&draws);
    double mean, error;
    assert_int_equal(crd_svi_elbo(svi, 10, crd_key_make(1), &mean, &error), CRD_EUNSUPPORTED);
    crd_svi_destroy(&svi);
    testing_context_destroy(&ctx);
}

/* ---- draws ------------------------------------------------------------------------------------------------------ */

static void draws_are_those_of_the_guide(void **state)
{
    (void)state;
    enum { DRAWS = 4000 };
    crd_context *ctx = testing_context();
    static const char *const keep[] = {"sum"};
    crd_svi_options options = {.guide = "normal", .steps = 2000};
    crd_svi *svi = fit(ctx, &options, 4);
    crd_posterior *draws, *again;
    const double *params = crdi_svi_params(svi, 0);
    assert_ok(ctx, crd_svi_draw(svi, DRAWS, keep, 1, crd_key_make(2), &draws));
    assert_ok(ctx, crd_svi_draw(svi, 10, NULL, 0, crd_key_make(2), &again));
    const crd_column *w = crd_posterior_find(draws, "w"), *sum = crd_posterior_find(draws, "sum");
    const crd_column *log_p = crd_posterior_find(draws, "log_density"), *log_q = crd_posterior_find(draws, "log_guide");
    assert_memory_equal(w->draws, crd_posterior_find(again, "w")->draws, 10 * LINEAR_MOST * sizeof(double));
    assert_int_equal(sum->kind, CRD_COLUMN_DETERMINISTIC);
    double total[LINEAR_MOST] = {0}, square[LINEAR_MOST] = {0};
    for (int d = 0; d < DRAWS; d++) {
        const double *at = w->draws + d * LINEAR_MOST;
        double s = 0, q = 0, unused[LINEAR_MOST] = {0};
        for (int k = 0; k < LINEAR_MOST; k++) {
            double sd = log1p(exp(params[LINEAR_MOST + k])), z = (at[k] - params[k]) / sd;
            s += at[k];
            q += -z * z / 2 - log(sd) - 0.91893853320467274178;
            total[k] += z;
            square[k] += z * z;
        }
        assert_close(sum->draws[d], s, 1e-12, 1e-12);
        assert_close(log_q->draws[d], q, 1e-10, 1e-10);
        assert_close(log_p->draws[d], linear_log_prior(&line, at, unused) + linear_log_likelihood(&line, at, unused),
                     1e-10, 1e-10);
    }
    for (int k = 0; k < LINEAR_MOST; k++) { /* 8 numbers at 4.5 standard errors: 6e-5 for other keys */
        assert_true(fabs(total[k]) < 4.5 * sqrt(DRAWS));
        assert_true(fabs(square[k] - DRAWS) < 4.5 * sqrt(2.0 * DRAWS));
    }
    crd_posterior_destroy(&again);
    assert_int_equal(crd_svi_draw(svi, 0, NULL, 0, crd_key_make(2), &again), CRD_EINVAL);
    crd_error_clear(ctx);
    static const char *const wrong[] = {"sun"};
    assert_int_equal(crd_svi_draw(svi, 5, wrong, 1, crd_key_make(2), &again), CRD_ENAME);
    crd_posterior_destroy(&draws);
    crd_svi_destroy(&svi);
    testing_context_destroy(&ctx);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static void memory_that_fails_is_said(void **state)
{
    (void)state;
    static const char *const guides[] = {"normal", "laplace"};
    linear_init(&line, 2);
    for (int g = 0; g < 2; g++) {
        crd_status status = CRD_ENOMEM;
        for (int64_t k = 1; status != CRD_OK; k++) {
            crd_context *ctx = testing_context();
            crd_svi *svi = NULL;
            crd_posterior *draws = NULL;
            crd_svi_options options = {.guide = guides[g], .steps = 3, .restarts = 2, .threads = 1, .start = "map"};
            testing_fail_allocation(k);
            status = crd_svi_fit(ctx, linear_model, &line, &options, crd_key_make(3), &svi);
            if (status == CRD_OK)
                status = crd_svi_continue(svi, 2) == CRD_ENOMEM ? CRD_ENOMEM : CRD_OK;
            if (status == CRD_OK)
                status = crd_svi_draw(svi, 3, NULL, 0, crd_key_make(1), &draws);
            testing_fail_allocation(0);
            assert_true(status == CRD_OK || status == CRD_ENOMEM);
            assert_true(k < 20000);
            crd_posterior_destroy(&draws);
            crd_svi_destroy(&svi);
            testing_context_destroy(&ctx); /* fails the test if anything is left */
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(more_restarts_change_none_of_the_others),
        cmocka_unit_test(the_best_restart_is_kept),
        cmocka_unit_test(going_on_is_as_if_asked_for_at_once),
        cmocka_unit_test(a_saved_fit_goes_on),
        cmocka_unit_test(a_stopped_fit_goes_on),
        cmocka_unit_test(one_that_goes_on_can_be_stopped),
        cmocka_unit_test(what_had_ended_stays_so),
        cmocka_unit_test(a_state_of_another_fit_that_goes_on_is_refused),
        cmocka_unit_test(steps_end_where_a_state_is_full),
        cmocka_unit_test(patience_ends_a_fit),
        cmocka_unit_test(steps_that_are_not_finite_are_skipped),
        cmocka_unit_test(a_fit_that_stays_not_finite_ends),
        cmocka_unit_test(bad_options_are_named),
        cmocka_unit_test(rules_give_sites_their_families),
        cmocka_unit_test(draws_are_those_of_the_guide),
        cmocka_unit_test(memory_that_fails_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
