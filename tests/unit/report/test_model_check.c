/* test_model_check.c - the check of a model before it is fitted: the ranges are those of the prior in the target's units, what
 * overflows is counted, a large table is thinned, and every allocation may fail. */
#include "report/model_check.h"
#include "testing.h"

#include <math.h>
#include <string.h>

/* y = 10 + 2 x, standardised or not. */
static crd_dataset *make_dataset(crd_context *ctx, int rows, crd_scale scale)
{
    crd_table *table;
    crd_dataset *dataset;
    crdi_string csv;
    crdi_string_init(&csv, ctx);
    crdi_string_append(&csv, "x,y\n");
    for (int i = 0; i < rows; i++)
        crdi_string_append(&csv, "%d,%d\n", i, 10 + 2 * i);
    assert_ok(ctx, crd_csv_parse(ctx, "table", csv.text, csv.length, NULL, &table));
    assert_ok(ctx, crd_dataset_make(ctx, table, &(crd_dataset_options){.target = "y", .scale = scale}, &dataset));
    crd_table_destroy(&table);
    crdi_string_clear(&csv);
    return dataset;
}

static crd_network linear(const char *prior)
{
    return (crd_network){.hidden = "none", .activation = "tanh", .prior = prior, .noise = "half_normal:1e-9"};
}

static crd_status check(crd_context *ctx, const crd_network *network, const crd_dataset *dataset, bool json,
                        crdi_string *out)
{
    return crdi_model_check(
        ctx,
        &(crdi_model_check_request){
            .network = network, .dataset = dataset, .draws = 1000, .key = crd_key_make(4), .json = json},
        out);
}

static double number_at(const json_t *json, const char *key, size_t i)
{
    return testing_number(json_array_get(json_object_get(json, key), i));
}

static json_t *check_json(crd_context *ctx, const crd_network *network, const crd_dataset *dataset)
{
    crdi_string out;
    crdi_string_init(&out, ctx);
    assert_ok(ctx, check(ctx, network, dataset, true, &out));
    json_t *json = json_loads(out.text, 0, NULL);
    assert_non_null(json);
    crdi_string_clear(&out);
    return json;
}

/* f = mean + sd b with b ~ Normal(0, 1): its quantiles are known. */
static void ranges_are_those_of_the_prior(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_dataset *dataset = make_dataset(ctx, 5, CRD_SCALE_STANDARD);
    crd_network network = linear("*.bias=normal:0,1;*.kernel=normal:0,1e-9");
    json_t *json = check_json(ctx, &network, dataset);
    const double sd = sqrt(8), z = 1.959963984540054; /* y = 10, 12, .., 18 */
    for (int k = -1; k <= 1; k++) {
        double error = k == 0 ? 1.2533 / sqrt(1000) : 0.0845; /* standard errors of quantiles of 1000 normals */
        assert_close(number_at(json, "f", (size_t)(2 + k)), 14 + k * z * sd, 0, 4 * error * sd);
        assert_close(number_at(json, "y", (size_t)(2 + k)), number_at(json, "f", (size_t)(2 + k)), 0, 1e-6);
    }
    assert_close(number_at(json, "target", 2), 14, 1e-14, 0);
    assert_close(number_at(json, "target", 1), 10 + 0.025 * 8, 1e-14, 0);
    assert_int_equal(json_integer_value(json_object_get(json, "parameters")), 3);
    assert_int_equal(json_integer_value(json_object_get(json, "rows")), 5);
    assert_true(testing_number(json_object_get(json, "not_finite")) == 0);
    json_decref(json);
    crd_dataset_destroy(&dataset);
    testing_context_destroy(&ctx);
}

/* With f = x exactly, the quantiles are those of the rows: all of a small table, every second of a large one. */
static void large_tables_are_thinned_evenly(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_dataset *dataset = make_dataset(ctx, 1000, CRD_SCALE_NONE);
    crd_network network = linear("*.bias=normal:0,1e-12;*.kernel=uniform:0.999999999,1.000000001");
    json_t *json = check_json(ctx, &network, dataset);
    assert_int_equal(json_integer_value(json_object_get(json, "rows")), 500);
    assert_close(number_at(json, "f", 2), 499, 0, 1.01); /* rows 0, 2, .., 998 */
    assert_close(number_at(json, "f", 4), 993, 0, 2.01);
    json_decref(json);
    crd_dataset_destroy(&dataset);
    testing_context_destroy(&ctx);
}

/* exp(x) of a wide prior overflows for about half of the draws: counted, not averaged. */
static void overflow_is_counted(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_dataset *dataset = make_dataset(ctx, 3, CRD_SCALE_STANDARD);
    crd_network network = linear("normal:0,1e6");
    network.hidden = "1";
    network.activation = "exp";
    json_t *json = check_json(ctx, &network, dataset);
    double lost = testing_number(json_object_get(json, "not_finite"));
    assert_true(lost > 0.4 && lost < 0.6);
    assert_true(isfinite(number_at(json, "f", 4)));
    json_decref(json);
    crdi_string out;
    crdi_string_init(&out, ctx);
    assert_ok(ctx, check(ctx, &network, dataset, false, &out));
    assert_non_null(strstr(out.text, "% of the predictions overflow and are left out\n"));
    crdi_string_clear(&out);
    crd_dataset_destroy(&dataset);
    testing_context_destroy(&ctx);
}

static void what_is_wrong_comes_out(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_dataset *dataset = make_dataset(ctx, 3, CRD_SCALE_STANDARD);
    crd_network network = linear("*.bias=normal:0,1");
    crdi_string out;
    crdi_string_init(&out, ctx);
    assert_int_equal(check(ctx, &network, dataset, false, &out), CRD_EPRIOR);
    crdi_string_clear(&out);
    crd_dataset_destroy(&dataset);
    testing_context_destroy(&ctx);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_dataset *dataset = make_dataset(ctx, 3, CRD_SCALE_STANDARD);
    crd_network network = linear("*.bias=normal:0,1;*.kernel=noncentered(ard:half_cauchy:1)");
    crd_status status = CRD_ENOMEM;
    int k = 0;
    while (status == CRD_ENOMEM) {
        crdi_string out;
        crdi_string_init(&out, ctx);
        crd_error_clear(ctx);
        testing_fail_allocation(++k);
        status = crdi_model_check(ctx, &(crdi_model_check_request){.network = &network, .dataset = dataset, .draws = 2},
                                  &out);
        testing_fail_allocation(0);
        crdi_string_clear(&out);
    }
    assert_ok(ctx, status);
    assert_true(k > 30);
    crd_dataset_destroy(&dataset);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_those_of_the_prior), cmocka_unit_test(large_tables_are_thinned_evenly),
        cmocka_unit_test(overflow_is_counted),           cmocka_unit_test(what_is_wrong_comes_out),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
