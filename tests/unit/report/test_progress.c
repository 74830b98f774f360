/* test_progress.c - how a run is coming along, as text. */
#include "report/progress.h"
#include "testing.h"

#include <math.h>
#include <string.h>

static const crdi_chain_progress chains[] = {
    {1100, 200, 2200, CRDI_PHASE_SAMPLING, 0.1234, 15.27, 3, 65.4, 61, false, 0, 0, NAN},
    {100, 200, 2200, CRDI_PHASE_WARMUP, 0.05, NAN, 0, 6, NAN, false, 0, 0, NAN},
    {2200, 200, 2200, CRDI_PHASE_DONE, 0.2, 7, 0, 4000, 0, false, 0, 0, NAN},
    {0, 200, 2200, CRDI_PHASE_WAITING, 0, 0, 0, 0, -1, false, 0, 0, NAN},
};

static void assert_block(int count, int width, int height, int before, int lines, const char *expected)
{
    crd_context *ctx = testing_context();
    crdi_string s;
    crdi_string_init(&s, ctx);
    assert_int_equal(crdi_progress_block(&s, chains, count, width, height, before), lines);
    assert_string_equal(crdi_string_text(&s), expected);
    crdi_string_clear(&s);
    testing_context_destroy(&ctx);
}

static void a_block_has_a_line_for_each_chain(void **state)
{
    (void)state;
    assert_block(
        4, 120, 0, 0, 4,
        "\rchain 0 [::=============>              ]  50% 1100/2200 sampling 1:05<1:01 3 divergent step 0.123 15.3 "
        "grad/draw\x1b[K\n"
        "\rchain 1 [:>                            ]   4%  100/2200 warmup   0:06<? step 0.05\x1b[K\n"
        "\rchain 2 [::============================] 100% 2200/2200 done     1:06:40 step 0.2 7.0 grad/draw\x1b[K\n"
        "\rchain 3 [                              ]   0%    0/2200 waiting \x1b[K\n");
}

/* What a chain had done when it went on took none of the seconds since. */
static void the_time_left_is_that_of_what_was_done_since(void **state)
{
    (void)state;
    crd_chain_progress chain = {.iteration = 2300, .warmup = 300, .total = 20300, .seconds = 3};
    assert_float_equal(crdi_progress_of(&chain, false).seconds_left, 18000 * 3.0 / 2300, 1e-9);
    chain.before = 2000;
    assert_float_equal(crdi_progress_of(&chain, false).seconds_left, 180, 1e-9);
    chain.before = 2300;
    assert_true(isnan(crdi_progress_of(&chain, false).seconds_left));
}

static void a_block_is_drawn_over_the_one_before(void **state)
{
    (void)state;
    assert_block(2, 60, 0, 3, 2,
                 "\x1b[3A"
                 "\rchain 0 [====>   ]  50% 1100/2200 sampling 1:05<1:01\x1b[K\n"
                 "\rchain 1 [        ]   4%  100/2200 warmup   0:06<? step 0.05\x1b[K\n"
                 "\x1b[J");
}

static void a_narrow_terminal_gets_what_matters(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    for (int width = 1; width < 200; width++) {
        crdi_string s;
        crdi_string_init(&s, ctx);
        assert_int_equal(crdi_progress_block(&s, chains, 4, width, 0, 0), 4);
        char *rest = s.text;
        for (char *line; (line = strsep(&rest, "\n")) != NULL && *line;) {
            size_t length = strlen(line) - strlen("\r\x1b[K");
            assert_true(length < (size_t)width || width == 1);
            if (width >= 16)
                assert_non_null(strchr(line, '%'));
        }
        crdi_string_clear(&s);
    }
    testing_context_destroy(&ctx);
    assert_block(1, 20, 0, 0, 1, "\rchain 0  50%\x1b[K\n");
}

static void chains_beyond_the_height_share_a_line(void **state)
{
    (void)state;
    assert_block(4, 60, 2, 0, 2,
                 "\rchain 0 [:======>       ]  50% 1100/2200 sampling 1:05<1:01\x1b[K\n"
                 "\rothers  [:====>         ]  34% 2300/6600 warmup   1:06:40<?\x1b[K\n");
}

static void plain_lines_have_no_control_characters(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_string s;
    crdi_string_init(&s, ctx);
    crdi_chain_progress before[4] = {{0}};
    before[3].phase = CRDI_PHASE_DONE;
    assert_ok(ctx, crdi_progress_lines(&s, chains, before, 4));
    assert_string_equal(crdi_string_text(&s),
                        "chain 0: 50% 1100/2200, sampling, 1:05<1:01, 3 divergent, step 0.123, 15.3 grad/draw\n"
                        "chain 1: 4% 100/2200, warmup, 0:06<?, step 0.05\n"
                        "chain 2: 100% 2200/2200, done, 1:06:40, step 0.2, 7.0 grad/draw\n"
                        "chain 3: 0% 0/2200, waiting\n");
    crdi_string_clear(&s);
    testing_context_destroy(&ctx);
}

static void plain_lines_are_of_chains_that_moved(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_chain_progress before[4], many[17];
    crdi_string s;
    crdi_string_init(&s, ctx);
    memcpy(before, chains, sizeof before);
    assert_ok(ctx, crdi_progress_lines(&s, chains, before, 4));
    assert_string_equal(crdi_string_text(&s), "");
    before[1].iteration = 99;
    before[3].phase = CRDI_PHASE_WARMUP;
    assert_ok(ctx, crdi_progress_lines(&s, chains, before, 4));
    assert_string_equal(crdi_string_text(&s), "chain 1: 4% 100/2200, warmup, 0:06<?, step 0.05\n"
                                              "chain 3: 0% 0/2200, waiting\n");
    crdi_string_clear(&s);
    crdi_string_init(&s, ctx);
    for (int i = 0; i < 17; i++)
        many[i] = chains[i < 9 ? 0 : 2];
    assert_ok(ctx, crdi_progress_lines(&s, many, (crdi_chain_progress[17]){{0}}, 17));
    assert_string_equal(
        crdi_string_text(&s),
        "17 chains: 73% 27500/37400, sampling, 1:06:40<1:01, 27 divergent, step 0.159, 11.4 grad/draw\n");
    crdi_string_clear(&s);
    crdi_string_init(&s, ctx);
    assert_ok(ctx, crdi_progress_lines(&s, many, many, 17));
    assert_string_equal(crdi_string_text(&s), "");
    many[16].phase = CRDI_PHASE_STOPPED;
    assert_ok(ctx, crdi_progress_lines(&s, many, (crdi_chain_progress[17]){{0}}, 17));
    assert_non_null(strstr(crdi_string_text(&s), "stopped"));
    crdi_string_clear(&s);
    testing_context_destroy(&ctx);
}

/* Two are done, two at work, the others wait: 3000 steps took 9 s, so 15000 more take 45 s, two fits at a time half of that. */
static void many_fits_share_a_line(void **state)
{
    (void)state;
    enum { FITS = 18 };
    crd_context *ctx = testing_context();
    crdi_chain_progress fits[FITS];
    crdi_string s;
    for (int i = 0; i < FITS; i++)
        fits[i] = crdi_progress_of_fit(&(crd_svi_progress){.total = 1000, .loss = NAN});
    for (int i = 0; i < 4; i++)
        fits[i] = crdi_progress_of_fit(&(crd_svi_progress){
            .step = i < 2 ? 1000 : 500, .total = 1000, .loss = 20 - i, .seconds = i < 2 ? 3 : 1.5, .skipped = i == 3});
    crdi_string_init(&s, ctx);
    assert_ok(ctx, crdi_progress_lines(&s, fits, (crdi_chain_progress[FITS]){{0}}, FITS));
    assert_string_equal(crdi_string_text(&s), "18 fits: 16% 3000/18000, fitting, 0:03<0:22, 1 skipped, loss 17\n");
    crdi_string_clear(&s);
    testing_context_destroy(&ctx);
}

static void rows_of_a_block_in_a_narrower_window(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_string s;
    crdi_string_init(&s, ctx);
    assert_int_equal(crdi_progress_rows("", 80), 0);
    assert_int_equal(crdi_progress_block(&s, chains, 4, 120, 0, 3), 4);
    assert_int_equal(crdi_progress_rows(crdi_string_text(&s), 120), 4);
    /* 112, 81, 95 and 64 columns */
    assert_int_equal(crdi_progress_rows(crdi_string_text(&s), 112), 4);
    assert_int_equal(crdi_progress_rows(crdi_string_text(&s), 111), 5);
    assert_int_equal(crdi_progress_rows(crdi_string_text(&s), 45), 3 + 2 + 3 + 2);
    crdi_string_clear(&s);
    testing_context_destroy(&ctx);
}

static void times_are_short(void **state)
{
    (void)state;
    char text[24];
    assert_string_equal(crdi_progress_time(text, 7.9), "0:07");
    assert_string_equal(crdi_progress_time(text, 725), "12:05");
    assert_string_equal(crdi_progress_time(text, 10979), "3:02:59");
    assert_string_equal(crdi_progress_time(text, 5 * 86400 + 3700), "5d 01h");
    assert_string_equal(crdi_progress_time(text, NAN), "?");
    assert_string_equal(crdi_progress_time(text, -1), "?");
    assert_string_equal(crdi_progress_time(text, INFINITY), "?");
}

static void running_out_of_memory_is_a_status(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_string s;
    crdi_string_init(&s, ctx);
    testing_fail_allocation(1);
    assert_int_equal(crdi_progress_block(&s, chains, 4, 80, 0, 0), CRD_ENOMEM);
    crdi_string_clear(&s);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_has_a_line_for_each_chain),
        cmocka_unit_test(the_time_left_is_that_of_what_was_done_since),
        cmocka_unit_test(a_block_is_drawn_over_the_one_before),
        cmocka_unit_test(a_narrow_terminal_gets_what_matters),
        cmocka_unit_test(chains_beyond_the_height_share_a_line),
        cmocka_unit_test(plain_lines_have_no_control_characters),
        cmocka_unit_test(plain_lines_are_of_chains_that_moved),
        cmocka_unit_test(many_fits_share_a_line),
        cmocka_unit_test(rows_of_a_block_in_a_narrower_window),
        cmocka_unit_test(times_are_short),
        cmocka_unit_test(running_out_of_memory_is_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
