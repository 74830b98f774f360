/* test_base.c - memory, arenas, strings, names, threads, errors. */
#include "base/base.h"
#include "testing.h"

#include <stdatomic.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

static void blocks_are_aligned_zeroed_and_keep_their_contents(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    unsigned char *block = crdi_alloc(ctx, 37);
    assert_int_equal((uintptr_t)block % CRDI_ALIGN, 0);
    for (int i = 0; i < 37; i++)
        assert_int_equal(block[i], 0);
    memset(block, 7, 37);
    block = crdi_resize(ctx, block, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(block[i], i < 37 ? 7 : 0);
    crdi_free(ctx, block);
    testing_context_destroy(&ctx);
}

static void a_failed_allocation_is_an_error_with_the_size(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    testing_fail_allocation(1);
    assert_null(crdi_alloc(ctx, 12345));
    assert_int_equal(crd_error_status(ctx), CRD_ENOMEM);
    assert_non_null(strstr(crd_error_message(ctx), "12345"));
    crd_error_clear(ctx);
    assert_string_equal(crd_error_message(ctx), "");
    assert_null(crdi_alloc_array(ctx, INT64_MAX / 4, 16));
    assert_int_equal(crd_error_status(ctx), CRD_ENOMEM);
    testing_context_destroy(&ctx);
}

static void an_arena_gives_back_all_at_once(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_arena *arena;
    assert_ok(ctx, crdi_arena_create(&arena, ctx));
    for (int i = 0; i < 1000; i++) {
        char *piece = crdi_arena_alloc(arena, (size_t)i);
        assert_non_null(piece);
        memset(piece, 0xff, (size_t)i);
    }
    assert_string_equal(crdi_arena_printf(arena, "%d-%s", 17, "x"), "17-x");
    crdi_arena_destroy(&arena);
    assert_null(arena);
    testing_context_destroy(&ctx);
}

static void the_first_error_stays(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    assert_int_equal(crdi_raise(ctx, CRD_ESHAPE, "first %d", 1), CRD_ESHAPE);
    assert_int_equal(crdi_raise(ctx, CRD_EIO, "second"), CRD_ESHAPE); /* the status is that of the message */
    assert_int_equal(crd_error_status(ctx), CRD_ESHAPE);
    crdi_error_prefix(ctx, CRD_ESHAPE, "site %s", "y");
    assert_string_equal(crd_error_message(ctx), "site y: first 1");
    testing_context_destroy(&ctx);
}

static void doubles_survive_being_text(void **state)
{
    (void)state;
    const double values[] = {0.1, 1.0 / 3.0, 1e-310, -0.0, 123456789.123456789, 5e-324, 1.7976931348623157e308};
    for (int i = 0; i < CRDI_COUNT(values); i++) {
        char text[32];
        double back;
        assert_true(crdi_parse_double(crdi_format_double(text, values[i]), &back));
        assert_memory_equal(&back, &values[i], sizeof back);
    }
    double value;
    int64_t whole;
    assert_true(crdi_parse_double(" -2.5e3 ", &value) && value == -2500);
    assert_false(crdi_parse_double("1.5x", &value) || crdi_parse_double("", &value) || crdi_parse_double(" ", &value));
    assert_true(crdi_parse_int("-12", &whole) && whole == -12);
    assert_false(crdi_parse_int("1.5", &whole) || crdi_parse_int("99999999999999999999", &whole));
}

static void a_decimal_comma_does_no_harm(void **state)
{
    (void)state;
    if (!testing_decimal_comma(true))
        testing_skip("no locale with a decimal comma is installed\n");
    crd_context *ctx = testing_context();
    char text[32];
    double value = 0;
    crdi_string s;
    crdi_string_init(&s, ctx);
    crdi_format_double(text, 0.1);
    bool read = crdi_parse_double("2.5", &value);
    crdi_string_append(&s, "%.1f", 1.5);
    crdi_raise(ctx, CRD_EINVAL, "%g", 3.5);
    char outside[8];
    snprintf(outside, sizeof outside, "%.1f", 1.5);
    testing_decimal_comma(false);
    assert_string_equal(text, "0.1");
    assert_true(read && value == 2.5);
    assert_string_equal(crdi_string_text(&s), "1.5");
    assert_string_equal(crd_error_message(ctx), "3.5");
    assert_string_equal(outside, "1,5"); /* the program keeps its locale */
    crdi_string_clear(&s);
    testing_context_destroy(&ctx);
}

static void only_shortest_utf8_is_read(void **state)
{
    (void)state;
    const struct {
        const char *bytes;
        int length;
        uint32_t code;
    } cases[] = {
        {"a", 1, 'a'},
        {"\u00e9", 2, 0xe9},
        {"\u20ac", 3, 0x20ac},
        {"\U0010ffff", 4, 0x10ffff},
        {"", 0, 0},
        {"\x80", 0, 0},
        {"\xff", 0, 0},
        {"\xc3", 0, 0},
        {"\xc3(", 0, 0},
        {"\xc0\xaf", 0, 0}, /* overlong */
        {"\xe0\x80\xaf", 0, 0},
        {"\xf0\x80\x80\xaf", 0, 0},
        {"\xed\xa0\x80", 0, 0}, /* half of a pair */
        {"\xf4\x90\x80\x80", 0, 0}, /* beyond the last code point */
    };
    for (int i = 0; i < CRDI_COUNT(cases); i++) {
        uint32_t code = 0;
        assert_int_equal(crdi_utf8_decode(cases[i].bytes, NULL, &code), cases[i].length);
        assert_int_equal(code, cases[i].code);
        if (cases[i].length > 1) /* cut short */
            assert_int_equal(crdi_utf8_decode(cases[i].bytes, cases[i].bytes + cases[i].length - 1, &code), 0);
    }
}

static void a_json_string_can_always_be_read_back(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_string s;
    crdi_string_init(&s, ctx);
    crdi_json_text(&s, "a\"b\\c\n\x1b\x7f\u00e9\xc2\x85\xff\xc3");
    assert_string_equal(crdi_string_text(&s), "\"a\\\"b\\\\c\\u000a\\u001b\\u007f\u00e9\\u0085\ufffd\ufffd\"");
    json_t *back = json_loads(crdi_string_text(&s), JSON_DECODE_ANY, NULL);
    assert_string_equal(json_string_value(back), "a\"b\\c\n\x1b\x7f\u00e9\xc2\x85\ufffd\ufffd");
    json_decref(back);
    crdi_string_clear(&s);
    testing_context_destroy(&ctx);
}

static void the_nearest_name_is_found(void **state)
{
    (void)state;
    const char *const names[] = {"normal", "half_normal", "half_cauchy", "gamma"};
    assert_string_equal(crdi_nearest_of("nromal", names, 4), "normal");
    assert_string_equal(crdi_nearest_of("halfcauchy", names, 4), "half_cauchy");
    assert_string_equal(crdi_nearest_of("gam", names, 4), "gamma");
    assert_null(crdi_nearest_of("zzzzzz", names, 4));
    crd_context *ctx = testing_context();
    assert_int_equal(crdi_raise_unknown(ctx, "distribution", "xx", NULL, names, 4), CRD_ENAME);
    assert_string_equal(crd_error_message(ctx),
                        "unknown distribution 'xx'; there are: normal, half_normal, half_cauchy, gamma");
    testing_context_destroy(&ctx);
}

static void patterns_match_as_in_the_shell(void **state)
{
    (void)state;
    assert_true(crdi_match("net/*.kernel", "net/Dense_0.kernel") && crdi_match("*", "") &&
                crdi_match("a?c*", "abcdef"));
    assert_false(crdi_match("net/*.kernel", "net/Dense_0.bias") || crdi_match("a?", "a") || crdi_match("", "a"));
}

static crd_status count_task(void *user, int64_t i)
{
    ((int *)user)[i]++;
    return i % 10 == 7 ? CRD_EIO : CRD_OK;
}

static void every_task_runs_once_and_the_lowest_failure_counts(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    for (int threads = 1; threads <= 8; threads *= 2) {
        int done[100] = {0};
        assert_int_equal(crdi_parallel(ctx, threads, 100, count_task, done), CRD_EIO);
        for (int i = 0; i < 100; i++)
            assert_int_equal(done[i], 1);
        assert_int_equal(crdi_parallel(ctx, threads, 5, count_task, done), CRD_OK);
    }
    testing_context_destroy(&ctx);
}

struct failing {
    crd_context *ctx;
    atomic_bool later_has_failed;
};

/* Task 1 fails first, then task 0. */
static crd_status fail_late(void *user, int64_t i)
{
    struct failing *f = user;
    while (i == 0 && !atomic_load(&f->later_has_failed)) {
    }
    crd_status status = crdi_raise(f->ctx, CRD_EIO, "task %d", (int)i);
    if (i == 1)
        atomic_store(&f->later_has_failed, true);
    return status;
}

static void the_lowest_failure_keeps_its_message(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct failing f = {.ctx = ctx};
    assert_int_equal(crdi_parallel(ctx, 2, 5, fail_late, &f), CRD_EIO);
    assert_string_equal(crd_error_message(ctx), "task 0");
    /* What was said before a loop, or in an earlier one, stays. */
    crd_error_clear(ctx);
    crdi_raise(ctx, CRD_EDATA, "before");
    crdi_parallel(ctx, 2, 5, fail_late, &f);
    assert_string_equal(crd_error_message(ctx), "before");
    assert_int_equal(crd_error_status(ctx), CRD_EDATA);
    testing_context_destroy(&ctx);
}

static void every_status_has_a_name_a_text_and_an_exit_code_of_its_own(void **state)
{
    (void)state;
    int seen[64] = {0};
#define CHECK(name, value, exit_code, text)                                                                            \
    assert_string_equal(crd_status_name(CRD_##name), #name);                                                           \
    assert_true(crd_status_exit_code(CRD_##name) >= 0 && crd_status_exit_code(CRD_##name) < 63);                       \
    assert_int_equal(seen[crd_status_exit_code(CRD_##name)]++, 0);
    CRD_STATUS_LIST(CHECK)
#undef CHECK
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_aligned_zeroed_and_keep_their_contents),
        cmocka_unit_test(a_failed_allocation_is_an_error_with_the_size),
        cmocka_unit_test(an_arena_gives_back_all_at_once),
        cmocka_unit_test(the_first_error_stays),
        cmocka_unit_test(doubles_survive_being_text),
        cmocka_unit_test(a_decimal_comma_does_no_harm),
        cmocka_unit_test(only_shortest_utf8_is_read),
        cmocka_unit_test(a_json_string_can_always_be_read_back),
        cmocka_unit_test(the_nearest_name_is_found),
        cmocka_unit_test(patterns_match_as_in_the_shell),
        cmocka_unit_test(every_task_runs_once_and_the_lowest_failure_counts),
        cmocka_unit_test(the_lowest_failure_keeps_its_message),
        cmocka_unit_test(every_status_has_a_name_a_text_and_an_exit_code_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
