/* test_run_watch.c - a run that is being written, as `credence watch` sees it. What it shows of real runs: tests/cli/alive.sh. */
#include "report/run_watch.h"
#include "testing.h"

#include <math.h>
#include <string.h>

static void assert_sparkline(const double *value, int64_t points, int width, double low, double high, bool blocks,
                             const char *expected)
{
    crd_context *ctx = testing_context();
    crdi_string s;
    crdi_string_init(&s, ctx);
    crdi_sparkline(&s, value, points, width, low, high, blocks);
    assert_string_equal(crdi_string_text(&s), expected);
    crdi_string_clear(&s);
    testing_context_destroy(&ctx);
}

static void a_sparkline_rises_with_its_numbers(void **state)
{
    static const double up[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    (void)state;
    assert_sparkline(up, 9, 20, 0, 8, false, "012345677");
    assert_sparkline(up, 9, 20, 0, 8, true, "▁▂▃▄▅▆▇██");
}

static void a_sparkline_shows_means_of_parts(void **state)
{
    static const double pairs[] = {0, 0, 0, 8, 8, 8, 4, 4};
    (void)state;
    assert_sparkline(pairs, 8, 4, 0, 8, false, "0474");
    assert_sparkline(pairs, 7, 3, 0, 8, false, "046"); /* of 2, 2 and 3 */
}

static void a_sparkline_of_what_is_no_range(void **state)
{
    static const double same[] = {2, 2, NAN, 2};
    (void)state;
    assert_sparkline(same, 4, 4, 2, 2, false, "44?4");
    assert_sparkline(same, 0, 4, 2, 2, false, "");
}

/* A moment of two chains, one of which waits for a thread. */
static void fill(crdi_run_watch *w, crdi_chain_progress *chain, int64_t *draws, crd_context *ctx)
{
    *w = (crdi_run_watch){.ctx = ctx,
                          .path = "a\x1b[2J.crd",
                          .method = "nuts",
                          .status = "running",
                          .started = "",
                          .network = "",
                          .rule = "",
                          .ending = "",
                          .seconds = 12,
                          .seconds_left = 65,
                          .chains = 2,
                          .chain = chain,
                          .draws = draws,
                          .asked = 100,
                          .speed = 4.5,
                          .resumable = true};
    chain[0] = (crdi_chain_progress){.iteration = 54,
                                     .warmup = 50,
                                     .total = 150,
                                     .phase = CRDI_PHASE_SAMPLING,
                                     .divergences = 1,
                                     .seconds = 12,
                                     .seconds_left = 21};
    chain[1] = (crdi_chain_progress){.warmup = 50, .total = 150, .seconds_left = NAN};
    draws[0] = 4;
    draws[1] = 0;
}

static void assert_text(crd_status (*print)(crdi_string *, const crdi_run_watch *), const crdi_run_watch *w,
                        const char *expected)
{
    crdi_string s;
    crdi_string_init(&s, w->ctx);
    assert_int_equal(print(&s, w), CRD_OK);
    assert_string_equal(crdi_string_text(&s), expected);
    crdi_string_clear(&s);
}

static void a_line_says_how_far_it_is(void **state)
{
    crd_context *ctx = testing_context();
    crdi_run_watch w;
    crdi_chain_progress chain[2];
    int64_t draws[2];
    (void)state;
    fill(&w, chain, draws, ctx);
    assert_text(crdi_run_watch_line, &w, "running: 4 of 200 draws, 1 divergent, 0:12<1:05\n");
    draws[0] = 0;
    chain[0].iteration = 30;
    assert_text(crdi_run_watch_line, &w, "running: 30 of 100 iterations of warm-up, 0:12<1:05\n");
    testing_context_destroy(&ctx);
}

/* The file's name can do nothing to the terminal. */
static void the_end_says_what_to_do(void **state)
{
    crd_context *ctx = testing_context();
    crdi_run_watch w;
    crdi_chain_progress chain[2];
    int64_t draws[2];
    (void)state;
    fill(&w, chain, draws, ctx);
    assert_text(crdi_run_watch_end, &w, "");
    w.state = CRDI_WATCH_KILLED;
    assert_text(
        crdi_run_watch_end, &w,
        "a\\x1b[2J.crd: killed: it says that it runs, and nobody writes it; credence resume a\\x1b[2J.crd goes on\n");
    w.state = CRDI_WATCH_ENDED;
    w.status = "interrupted";
    w.ending = "its time was over";
    assert_text(crdi_run_watch_end, &w,
                "a\\x1b[2J.crd: interrupted: its time was over; credence resume a\\x1b[2J.crd goes on\n");
    w.status = "complete";
    w.ending = "ess=4 holds";
    assert_text(crdi_run_watch_end, &w, "a\\x1b[2J.crd: complete: ess=4 holds\n");
    testing_context_destroy(&ctx);
}

static void a_block_fits_its_window(void **state)
{
    crd_context *ctx = testing_context();
    crdi_run_watch w;
    crdi_chain_progress chain[2];
    int64_t draws[2];
    crdi_string s;
    (void)state;
    fill(&w, chain, draws, ctx);
    crdi_string_init(&s, ctx);
    assert_int_equal(crdi_run_watch_block(&s, &w, 80, 24, false), CRD_OK);
    assert_string_equal(crdi_string_text(&s), "a\\x1b[2J.crd: nuts; running, 0:12 so far, 1:05 left\n"
                                              "chain 0: 36% 54/150, sampling, 0:12<0:21, 1 divergent\n"
                                              "chain 1: 0% 0/150, waiting\n"
                                              "draws:       4, 0 to 4 of 100 a chain, 4.5 iterations a second\n"
                                              "divergences: 1\n");
    crdi_string_clear(&s);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sparkline_rises_with_its_numbers),
        cmocka_unit_test(a_sparkline_shows_means_of_parts),
        cmocka_unit_test(a_sparkline_of_what_is_no_range),
        cmocka_unit_test(a_line_says_how_far_it_is),
        cmocka_unit_test(the_end_says_what_to_do),
        cmocka_unit_test(a_block_fits_its_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
