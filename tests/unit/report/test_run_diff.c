/* test_run_diff.c - two runs whose every difference is known, and what is found. */
#include "report/run_check.h"
#include "report/run_diff.h"
#include "store/run.h"
#include "testing.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CHAINS = 2, DRAWS = 6000, SIZE = 3 };

static char folder[64], path[2][96];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s", "/tmp/credence-diff-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    for (int i = 0; i < 2; i++)
        snprintf(path[i], sizeof path[i], "%s/%c.crd", folder, 'a' + i);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++)
        unlink(path[i]);
    return rmdir(folder);
}

/* What the second run has otherwise. */
struct change {
    const char *what; /* of the one place that must be found; NULL: none */
    const char *kind, *a, *b;
    int chain; /* where a draw of the first column is another one; -1: none */
    int64_t draw, element;
    double value;
    const char *key, *text; /* an entry */
    double x; /* the array's last number */
    int state; /* the last byte of chain 1's state */
    int64_t draws; /* of chain 1, fewer than the others */
    int64_t differing;
};

static double number(int chain, int64_t draw, int64_t element)
{
    return sin(1 + chain + 0.1 * (double)draw) * (double)(element + 1);
}

static void write_run(crd_context *ctx, const char *where, const struct change *c)
{
    static char theta[] = "theta", energy[] = "energy";
    static const crd_column columns[] = {
        {.name = theta, .kind = CRD_COLUMN_LATENT, .shape = {.ndim = 1, .dim = {SIZE}}, .size = SIZE},
        {.name = energy, .kind = CRD_COLUMN_STATISTIC, .shape = {.ndim = 0}, .size = 1}};
    crdi_run *run;
    double x[] = {1, 2, c ? c->x : 3}, values[SIZE], energies[1];
    crd_array array = crd_array_borrow(x, crd_shape_1(3));
    unsigned char bytes[] = {1, 2, 3, (unsigned char)(c ? c->state : 4)};
    assert_ok(ctx, crdi_run_create(ctx, where, true, &run));
    assert_ok(ctx, crdi_run_set_text(run, "model", "mine"));
    assert_ok(ctx, crdi_run_set_number(run, "sampling_seconds", c ? 1 : 2));
    assert_ok(ctx, crdi_run_set_text(run, "options",
                                     c ? "{\"out\": \"b\", \"chains\": 5}" : "{\"out\": \"a\", \"chains\": 5}"));
    if (c && c->key)
        assert_ok(ctx, crdi_run_set_text(run, c->key, c->text));
    assert_ok(ctx, crdi_run_put_array(run, "x", &array));
    assert_ok(ctx, crdi_run_begin(run, columns, 2, CHAINS));
    crdi_sink sink = crdi_run_sink(run);
    for (int chain = 0; chain < CHAINS; chain++) {
        int64_t draws = c && chain == 1 && c->draws ? c->draws : DRAWS;
        for (int64_t draw = 0; draw < draws; draw++) {
            for (int64_t e = 0; e < SIZE; e++)
                values[e] =
                    c && chain == c->chain && draw == c->draw && e == c->element ? c->value : number(chain, draw, e);
            energies[0] = values[1];
            if (c && chain == c->chain)
                energies[0] = number(chain, draw, 1);
            const double *const columns_of_draw[] = {values, energies};
            assert_ok(ctx, sink.draws(sink.user, chain, draw, 1, columns_of_draw));
        }
        crdi_sampler_state last = {.iteration = draws, .bytes = bytes, .size = chain == 1 ? sizeof bytes : 3};
        assert_ok(ctx, sink.state(sink.user, chain, &last));
    }
    assert_ok(ctx, crdi_run_close(&run, CRD_OK));
}

static const struct change changes[] = {
    {.what = NULL, .chain = -1, .x = 3, .state = 4},
    {.what = "theta[2]",
     .kind = "draws",
     .b = "0.5",
     .chain = 1,
     .draw = 5999,
     .element = 2,
     .value = 0.5,
     .x = 3,
     .state = 4,
     .differing = 1},
    {.what = "theta[0]",
     .kind = "draws",
     .b = "nan",
     .chain = 0,
     .draw = 0,
     .element = 0,
     .value = NAN,
     .x = 3,
     .state = 4,
     .differing = 1},
    {.what = "model",
     .kind = "entry",
     .a = "mine",
     .b = "yours",
     .chain = -1,
     .key = "model",
     .text = "yours",
     .x = 3,
     .state = 4},
    {.what = "chains",
     .kind = "option",
     .a = "5",
     .b = "6",
     .chain = -1,
     .key = "options",
     .text = "{\"out\": \"c\", \"chains\": 6}",
     .x = 3,
     .state = 4},
    {.what = "thin",
     .kind = "option",
     .a = "",
     .b = "2",
     .chain = -1,
     .key = "options",
     .text = "{\"chains\": 5, \"thin\": 2}",
     .x = 3,
     .state = 4},
    {.what = "more",
     .kind = "entry",
     .a = "",
     .b = "words",
     .chain = -1,
     .key = "more",
     .text = "words",
     .x = 3,
     .state = 4},
    {.what = "x, number 2", .kind = "data", .a = "3", .b = "-0", .chain = -1, .x = -0.0, .state = 4, .differing = 1},
    {.what = "chain 1",
     .kind = "state",
     .a = "4 bytes after 6000 iterations",
     .b = "4 bytes after 6000 iterations, other ones",
     .chain = -1,
     .x = 3,
     .state = 5},
};

static void every_difference_is_found_and_nothing_else(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    write_run(ctx, path[0], NULL);
    for (int i = 0; i < CRDI_COUNT(changes); i++) {
        const struct change *c = &changes[i];
        crdi_run_diff *d;
        write_run(ctx, path[1], c);
        assert_ok(ctx, crdi_run_diff_make(ctx, path[0], path[1], &d));
        assert_int_equal(d->count, c->what ? 1 : 0);
        assert_int_equal(d->numbers, CHAINS * DRAWS * (SIZE + 1) + 3);
        assert_int_equal(d->states, CHAINS);
        if (c->what) {
            const crdi_run_difference *p = &d->difference[0];
            assert_string_equal(p->what, c->what);
            assert_string_equal(p->kind, c->kind);
            if (c->a)
                assert_string_equal(p->a, c->a);
            if (c->b)
                assert_string_equal(p->b, c->b);
            assert_int_equal(p->chain, c->chain);
            assert_int_equal(p->draw, c->chain < 0 ? -1 : c->draw);
            assert_int_equal(p->differing, c->differing);
        }
        crdi_run_diff_destroy(&d);
    }
    testing_context_destroy(&ctx);
}

static void a_shorter_chain_is_one_difference_and_its_draws_are_compared(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_run_diff *d;
    crdi_string text;
    struct change c = {.chain = 1, .draw = 100, .value = 7, .x = 3, .state = 4, .draws = 2000};
    write_run(ctx, path[0], NULL);
    write_run(ctx, path[1], &c);
    assert_ok(ctx, crdi_run_diff_make(ctx, path[0], path[1], &d));
    assert_int_equal(d->count, 3); /* the number of draws, the draw, the state */
    assert_string_equal(d->difference[0].what, "chain 1");
    assert_string_equal(d->difference[0].b, "2000 draws");
    assert_int_equal(d->difference[1].draw, 100);
    assert_string_equal(d->difference[2].kind, "state");
    crdi_string_init(&text, ctx);
    assert_ok(ctx, crdi_run_diff_text(&text, d, 1));
    assert_non_null(strstr(crdi_string_text(&text),
                           "differ in 3 places\ndraws   chain 1: 6000 draws and 2000 draws\n... and 2 more"));
    crdi_string_clear(&text);
    crdi_run_diff_destroy(&d);
    testing_context_destroy(&ctx);
}

static crd_status compare_once(crd_context *ctx)
{
    crdi_run_diff *d = NULL;
    crdi_string text;
    crdi_string_init(&text, ctx);
    crd_status status = crdi_run_diff_make(ctx, path[0], path[1], &d);
    if (status == CRD_OK)
        status = crdi_run_diff_json(&text, d, 0);
    crdi_string_clear(&text);
    crdi_run_diff_destroy(&d);
    return status;
}

static crd_status check_once(crd_context *ctx)
{
    crdi_run_check *c = NULL;
    crdi_string text;
    crdi_string_init(&text, ctx);
    crd_status status = crdi_run_check_make(ctx, TEST_DATA "/run_format_1.crd", &c);
    if (status == CRD_OK)
        status = crdi_run_check_text(&text, c);
    if (status == CRD_OK)
        status = crdi_run_check_json(&text, c);
    crdi_string_clear(&text);
    crdi_run_check_destroy(&c);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    static crd_status (*const step[])(crd_context *) = {compare_once, check_once};
    struct change c = {.chain = 1, .draw = 100, .value = 7, .x = 2, .state = 5, .key = "more", .text = "words"};
    crd_context *ctx = testing_context();
    write_run(ctx, path[0], NULL);
    write_run(ctx, path[1], &c);
    testing_context_destroy(&ctx);
    for (int i = 0; i < 2; i++) {
        crd_status status = CRD_ENOMEM;
        int64_t k = 0;
        while (status == CRD_ENOMEM) {
            ctx = testing_context();
            testing_fail_allocation(++k);
            status = step[i](ctx);
            testing_fail_allocation(0);
            assert_true(status == CRD_OK || status == CRD_ENOMEM);
            assert_int_equal(crd_error_status(ctx), status);
            testing_context_destroy(&ctx);
        }
        assert_true(k > 10);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_difference_is_found_and_nothing_else),
        TEST(a_shorter_chain_is_one_difference_and_its_draws_are_compared),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
