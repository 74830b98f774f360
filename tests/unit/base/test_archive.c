/* test_archive.c - a state as bytes and back: what was written is read, and anything else is damage. */
#include "base/archive.h"
#include "testing.h"

#include <math.h>
#include <string.h>

struct thing {
    int64_t whole, count;
    double real, many[3];
    bool flag;
};

static void describe(crdi_archive *a, struct thing *t, int64_t version, const char *name)
{
    crdi_archive_same(a, version, "version");
    crdi_archive_same_text(a, name, "name");
    crdi_archive_integer(a, &t->whole);
    crdi_archive_flag(a, &t->flag);
    crdi_archive_real(a, &t->real);
    crdi_archive_count(a, &t->count, sizeof(double));
    crdi_archive_reals(a, t->many, t->count <= 3 ? t->count : 0);
}

static void write_thing(crd_context *ctx, crdi_archive *a)
{
    struct thing t = {.whole = INT64_MIN, .count = 3, .real = -0.0, .many = {INFINITY, 5e-324, NAN}, .flag = true};
    crdi_archive_write(a, ctx);
    describe(a, &t, 7, "nuts");
    assert_ok(ctx, crdi_archive_end(a));
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_archive a = {0}, b;
    struct thing t = {0};
    for (int again = 0; again < 2; again++)
        write_thing(ctx, &a);
    assert_int_equal(a.size, 9 * 8);
    assert_int_equal(a.bytes[0], 7); /* little-endian on every machine */
    crdi_archive_read(&b, ctx, a.bytes, a.size);
    describe(&b, &t, 7, "nuts");
    assert_ok(ctx, crdi_archive_end(&b));
    assert_true(t.whole == INT64_MIN && t.flag && t.real == 0 && signbit(t.real) && t.count == 3);
    assert_true(isinf(t.many[0]) && t.many[1] == 5e-324 && isnan(t.many[2]));
    crdi_archive_clear(&a);
    testing_context_destroy(&ctx);
}

static void anything_else_is_damage(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_archive a = {0}, b;
    write_thing(ctx, &a);
    for (size_t size = 0; size <= a.size + 8; size += 8) { /* cut off, whole, and with bytes left */
        unsigned char bytes[80] = {0};
        struct thing t = {0};
        memcpy(bytes, a.bytes, size < a.size ? size : a.size);
        crdi_archive_read(&b, ctx, bytes, size);
        describe(&b, &t, 7, "nuts");
        assert_int_equal(crdi_archive_end(&b), size == a.size ? CRD_OK : CRD_EDAMAGED);
        crd_error_clear(ctx);
    }
    const struct {
        int64_t version;
        const char *name;
        unsigned char count; /* in the bytes */
    } wrong[] = {{8, "nuts", 3}, {7, "hmc", 3}, {7, "nuts", 4}};
    for (int i = 0; i < CRDI_COUNT(wrong); i++) {
        struct thing t = {0};
        a.bytes[5 * 8] = wrong[i].count;
        crdi_archive_read(&b, ctx, a.bytes, a.size);
        describe(&b, &t, wrong[i].version, wrong[i].name);
        assert_int_equal(b.status, CRD_EDAMAGED);
        crd_error_clear(ctx);
    }
    crdi_archive_clear(&a);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(anything_else_is_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
