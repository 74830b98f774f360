/* test_network_plan.c - the rules of --method auto: each is reached by some facts, names what exists, and comes from the facts alone. */
#include "store/network_fit.h"
#include "store/network_plan.h"
#include "testing.h"

#include <math.h>
#include <string.h>

/* Facts, and the rule that they are for. */
static const struct {
    crdi_plan_facts facts;
    const char *rule;
} cases[] = {
    {{.rows = 40, .plain = true, .layers = 1}, "plain"},
    {{.rows = 40, .plain = true, .chains = true, .layers = 1}, "plain"},
    {{.rows = 1000, .parameters = 200000, .layers = 2}, "many_parameters"},
    {{.rows = 1000, .parameters = 200000, .layers = 2, .chains = true}, "slow"},
    {{.rows = 1, .parameters = 200000, .layers = 2, .chains = true}, "network"},
    {{.rows = 10000000, .parameters = 501, .layers = 1}, "many_rows"},
    {{.rows = 10000000, .parameters = 501, .layers = 1, .chains = true}, "slow"},
    {{.rows = 9568, .parameters = 301, .layers = 1}, "slow"},
    {{.rows = 9568, .parameters = 6}, "linear"},
    {{.rows = 10000000, .parameters = 6}, "linear"},
    {{.rows = 1030, .parameters = 10}, "linear"},
    {{.rows = 40, .parameters = 32, .layers = 1}, "network"},
    {{.rows = 1030, .parameters = 501, .layers = 1}, "slow"},
    {{.rows = 300, .parameters = 501, .layers = 1}, "network"},
};

static void facts_lead_to_their_rule(void **state)
{
    (void)state;
    for (int i = 0; i < (int)(sizeof cases / sizeof *cases); i++)
        assert_string_equal(crdi_plan_find(&cases[i].facts)->name, cases[i].rule);
}

/* A row that is added to the table needs a case above. */
static void every_rule_is_reached_and_names_what_exists(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    int count = 0;
    for (const crdi_plan_rule *rule; (rule = crdi_plan_rule_get(count)); count++) {
        const crdi_network_method *type;
        bool reached = false;
        for (int i = 0; i < (int)(sizeof cases / sizeof *cases); i++)
            reached = reached || strcmp(cases[i].rule, rule->name) == 0;
        if (!reached)
            fail_msg("no case of this test is for rule %s", rule->name);
        assert_ok(ctx, crdi_network_method_find(ctx, rule->method, &type));
        assert_int_equal(type->draws_behind != NULL,
                         rule->draws > 0); /* chains have a length and may be stopped by a rule */
        assert_true(*rule->reason && rule->reason[strlen(rule->reason) - 1] != '.');
        crd_nuts_options o = {
            .kernel = rule->method, .metric = rule->metric, .start = rule->start, .warmup = rule->warmup};
        if (rule->draws > 0)
            assert_ok(ctx, crdi_mcmc_complete(ctx, &o, &o));
    }
    assert_true(count >= 5);
    testing_context_destroy(&ctx);
}

static void facts_are_counted_without_the_rows(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_table *table;
    crd_dataset *dataset;
    crdi_plan_facts facts;
    crd_network network = {.hidden = "16,8", .activation = "tanh", .prior = "normal:0,1", .noise = "half_cauchy:0.5"};
    assert_ok(ctx, crd_csv_read(ctx, TEST_DATA "/regression.csv", NULL, &table));
    assert_ok(ctx, crd_dataset_make(ctx, table, &(crd_dataset_options){.target = "y"}, &dataset));
    int64_t inputs = dataset->x.shape.dim[1];
    assert_ok(ctx, crdi_plan_facts_of(ctx, &network, dataset, true, &facts));
    assert_int_equal(facts.parameters, 16 * (inputs + 1) + 8 * 17 + 9 + 1); /* weights, biases, s */
    assert_int_equal(facts.rows, dataset->x.shape.dim[0]);
    assert_int_equal(facts.layers, 2);
    assert_true(facts.chains && !facts.plain);
    network.hidden = "none";
    network.prior = "none";
    assert_ok(ctx, crdi_plan_facts_of(ctx, &network, dataset, false, &facts));
    assert_true(facts.plain && !facts.chains && facts.layers == 0);
    network.hidden = "3,x";
    assert_int_equal(crdi_plan_facts_of(ctx, &network, dataset, false, &facts), CRD_EINVAL);
    crd_dataset_destroy(&dataset);
    crd_table_destroy(&table);
    testing_context_destroy(&ctx);
}

static void draws_are_fewer_where_they_would_fill_a_disk(void **state)
{
    (void)state;
    assert_int_equal(crdi_plan_draws(10000, 0, 32, 4), 10000);
    assert_int_equal(crdi_plan_draws(10000, 100, 32, 4), 10000);
    assert_int_equal(crdi_plan_draws(10000, 4000, 32, 4), 100000); /* a goal of ten times as much */
    assert_int_equal(crdi_plan_draws(10000, 0, 12499, 4), 5000); /* 2 GB */
    assert_int_equal(crdi_plan_draws(10000, 4000, 10000000, 4), 1000);
}

static void what_a_goal_takes(void **state)
{
    (void)state;
    assert_close(crdi_plan_needed(100, 50, 1.04, 400, 0), 800, 1e-12, 0);
    assert_close(crdi_plan_needed(100, 50, 1.2, 400, 1.01), 2000, 1e-12, 0); /* r_hat - 1 falls as draws are added */
    assert_close(crdi_plan_needed(100, 800, 1.001, 400, 1.01), 100, 1e-12, 0);
    assert_true(isinf(crdi_plan_needed(100, NAN, 1.2, 400, 0)));
    assert_true(isinf(crdi_plan_needed(100, 10, NAN, 0, 1.01)));
}

/* Progress, and the change that is made of it. */
static const struct {
    crdi_plan_progress p;
    const char *change;
} changes[] = {
    {{.method = "nuts", .draws = 100, .most = 10000, .needed = 400, .seconds = 1}, NULL},
    {{.method = "nuts", .draws = 225, .most = 10000, .needed = 4000, .seconds = 7000},
     NULL}, /* docs/auto.md: mclmc takes no less */
    {{.method = "nuts", .draws = 100, .most = 10000, .needed = 11000, .seconds = 7}, NULL},
    {{.method = "nuts", .draws = 225, .most = 10000, .needed = 11000, .seconds = 7}, "long"},
    {{.method = "mclmc", .draws = 225, .most = 10000, .needed = 11000, .seconds = 700}, NULL},
    {{.method = "mclmc", .draws = 757, .most = 20000, .r_hat = 1.7, .before = 1.71}, "modes"},
    {{.method = "mclmc", .draws = 757, .most = 20000, .r_hat = 1.3, .before = 1.71}, NULL}, /* it falls */
    {{.method = "mclmc", .draws = 757, .most = 20000, .r_hat = 1.05, .before = 1.05}, NULL},
    {{.method = "mclmc", .draws = 757, .most = 20000, .r_hat = 1.7}, NULL},
    {{.method = "mclmc", .draws = 505, .most = 20000, .r_hat = 1.7, .before = 1.71}, NULL},
};

static void progress_leads_to_its_change(void **state)
{
    (void)state;
    for (int i = 0; i < (int)(sizeof changes / sizeof *changes); i++) {
        const crdi_plan_change *change = crdi_plan_change_find(&changes[i].p);
        if (changes[i].change)
            assert_string_equal(change ? change->name : "none", changes[i].change);
        else
            assert_null(change);
    }
}

static void every_change_is_reached_and_names_what_exists(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    int count = 0;
    for (const crdi_plan_change *change; (change = crdi_plan_change_get(count)); count++) {
        bool reached = false;
        for (int i = 0; i < (int)(sizeof changes / sizeof *changes); i++)
            reached = reached || (changes[i].change && strcmp(changes[i].change, change->name) == 0);
        if (!reached)
            fail_msg("no case of this test is for change %s", change->name);
        assert_non_null(change->reason);
        if (!change->method)
            continue;
        crd_nuts_options o = {
            .kernel = change->method, .metric = change->metric, .warmup = change->warmup, .draws = change->draws};
        assert_ok(ctx, crdi_mcmc_complete(ctx, &o, &o));
        assert_true(change->warmup > 0 && change->draws > 0);
    }
    assert_true(count >= 2);
    testing_context_destroy(&ctx);
}

static void a_gradient_grows_with_rows_and_parameters(void **state)
{
    (void)state;
    crdi_plan_facts one = {.rows = 40, .parameters = 32}, more = {.rows = 80000, .parameters = 32},
                    wider = {.rows = 40, .parameters = 64000};
    assert_true(crdi_plan_gradient(&one) > 1e-7 && crdi_plan_gradient(&one) < 1e-5);
    assert_close(crdi_plan_gradient(&more), crdi_plan_gradient(&wider), 1e-12, 0);
    assert_true(crdi_plan_gradient(&more) > 500 * crdi_plan_gradient(&one));
    crdi_plan_facts deep = more; /* of as many numbers, in products of matrices */
    deep.layers = 2;
    assert_true(crdi_plan_gradient(&deep) < 0.6 * crdi_plan_gradient(&more));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_lead_to_their_rule),
        cmocka_unit_test(every_rule_is_reached_and_names_what_exists),
        cmocka_unit_test(facts_are_counted_without_the_rows),
        cmocka_unit_test(draws_are_fewer_where_they_would_fill_a_disk),
        cmocka_unit_test(what_a_goal_takes),
        cmocka_unit_test(progress_leads_to_its_change),
        cmocka_unit_test(every_change_is_reached_and_names_what_exists),
        cmocka_unit_test(a_gradient_grows_with_rows_and_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
