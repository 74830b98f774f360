/* test_posterior.c - a posterior is whole or is not there. */
#include "base/base.h"
#include "testing.h"

#include <string.h>

enum { CHAINS = 2, DRAWS = 3, COLUMNS = 2 };

static void make_columns(crd_column columns[COLUMNS], char names[COLUMNS][16])
{
    strcpy(names[0], "w");
    strcpy(names[1], "diverging");
    columns[0] = (crd_column){.name = names[0], .shape = {2, {2, 4}}};
    columns[1] = (crd_column){.name = names[1], .kind = CRD_COLUMN_STATISTIC};
}

static void columns_are_copied_and_start_at_zero(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_column columns[COLUMNS];
    char names[COLUMNS][16], label[32];
    make_columns(columns, names);
    crd_posterior *p = NULL;
    assert_ok(ctx, crd_posterior_create(&p, ctx, CHAINS, DRAWS, columns, COLUMNS));
    strcpy(names[0], "?");
    const crd_column *w = crd_posterior_find(p, "w");
    assert_non_null(w);
    assert_int_equal(w->size, 8);
    for (int i = 0; i < CHAINS * DRAWS * 8; i++)
        assert_true(w->draws[i] == 0);
    assert_string_equal(crd_column_label(w, 6, label, sizeof label), "w[1,2]");
    p->column[0].draws[8 * 4 + 6] = 5;
    p->column[1].draws[1] = p->column[1].draws[5] = 1;
    double series[CHAINS * DRAWS];
    crd_posterior_series(p, w, 6, series);
    for (int i = 0; i < CHAINS * DRAWS; i++)
        assert_true(series[i] == (i == 4 ? 5 : 0));
    assert_int_equal(crd_posterior_divergences(p), 2);
    crd_posterior_destroy(&p);
    assert_null(p);
    testing_context_destroy(&ctx);
}

static void an_earlier_error_is_none_of_its_business(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_column columns[COLUMNS];
    char names[COLUMNS][16];
    make_columns(columns, names);
    crd_posterior *p = NULL;
    crdi_raise(ctx, CRD_ENOMEM, "earlier");
    assert_int_equal(crd_posterior_create(&p, ctx, CHAINS, DRAWS, columns, COLUMNS), CRD_OK);
    assert_non_null(p);
    crd_posterior_destroy(&p);
    testing_context_destroy(&ctx);
}

/* Behind another error as well, which the context keeps in place of the lack of memory. */
static void running_out_of_memory_is_said_and_leaks_nothing(void **state)
{
    (void)state;
    crd_column columns[COLUMNS];
    char names[COLUMNS][16];
    make_columns(columns, names);
    for (int earlier = 0; earlier < 2; earlier++)
        for (int64_t k = 1;; k++) {
            crd_context *ctx = testing_context();
            crd_posterior *p = NULL;
            if (earlier)
                crdi_raise(ctx, CRD_EIO, "earlier");
            testing_fail_allocation(k);
            crd_status status = crd_posterior_create(&p, ctx, CHAINS, DRAWS, columns, COLUMNS);
            testing_fail_allocation(0);
            assert_int_equal(p == NULL, status == CRD_ENOMEM);
            crd_posterior_destroy(&p);
            testing_context_destroy(&ctx);
            assert_int_equal(status, k <= 2 + 2 * COLUMNS ? CRD_ENOMEM : CRD_OK);
            if (status == CRD_OK)
                break;
        }
}

static void more_draws_than_can_be_counted_are_refused(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_column columns[COLUMNS];
    char names[COLUMNS][16];
    make_columns(columns, names);
    crd_posterior *p = NULL;
    assert_int_equal(crd_posterior_create(&p, ctx, 16, INT64_C(1) << 60, columns, COLUMNS), CRD_ENOMEM);
    assert_null(p);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_copied_and_start_at_zero),
        cmocka_unit_test(an_earlier_error_is_none_of_its_business),
        cmocka_unit_test(running_out_of_memory_is_said_and_leaks_nothing),
        cmocka_unit_test(more_draws_than_can_be_counted_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
