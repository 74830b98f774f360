/* test_distributions_page.c - docs/distributions.md is the table that the registry gives; with CREDENCE_UPDATE set in the
 * environment this writes it. */
#include "base/base.h"
#include "distributions.h"

#include <stdio.h>

static const char path[] = TEST_DATA "/../../docs/distributions.md";

static void add_parameters(crdi_string *page, const crd_dist_type *type)
{
    crdi_string_append(page, "| `%s` | ", type->name);
    for (int i = 0; i < type->param_count; i++)
        crdi_string_append(page, "%s%s (%s)", i ? ", " : "", type->param[i].name,
                           crd_constraint_text(type->param[i].constraint));
}

static void add_compound(crdi_string *page, const crd_dist_type *type)
{
    add_parameters(page, type);
    crdi_string_append(page, " | %s |\n", crd_dist_type_what(type));
}

static void add_row(crdi_string *page, crd_graph *g, const crd_dist_type *type)
{
    crd_dist dist = constant_dist(g, type);
    add_parameters(page, type);
    crdi_string_append(page, " | %s | %s |", crd_constraint_text(type->support(&dist).kind), crd_dist_type_what(type));
    const char *const names[] = {"mean", "variance", "cdf", "entropy", "quantile"};
    const int offered[] = {type->mean != NULL, type->variance != NULL, type->cdf != NULL, type->entropy != NULL,
                           type->quantile != NULL};
    for (int i = 0, said = 0; i < 5; i++)
        if (offered[i])
            crdi_string_append(page, "%s%s", said++ ? ", " : " ", names[i]);
    crdi_string_append(page, " |\n");
}

static void add_pairs(crdi_string *page)
{
    static const char *const rows[][2] = {
#define KL(p, q) {#p, #q},
#include "dist/kl.def"
#undef KL
    };
    crdi_string_append(page,
                       "\n## Divergences\n\n`crd_kl(&p, &q)` is the Kullback-Leibler divergence of p from q where "
                       "there is a formula: both of one type,\n");
    for (int i = 0, said = 0; i < CRDI_COUNT(rows); i++)
        if (strcmp(rows[i][0], rows[i][1]) == 0)
            crdi_string_append(page, "%s`%s`", said++ ? ", " : "", rows[i][0]);
    crdi_string_append(page, ";\n");
    for (int i = 0; i < CRDI_COUNT(rows); i++)
        if (strcmp(rows[i][0], rows[i][1]) != 0)
            crdi_string_append(page, "`%s` from `%s`; ", rows[i][0], rows[i][1]);
    crdi_string_append(page, "`delta` from any.\n");
}

static void the_page_lists_the_registry(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_graph *g;
    crdi_string page;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    crdi_string_init(&page, ctx);
    crdi_string_append(
        &page, "# Distributions\n\n"
               "The constructor is `crd_NAME(parameters in order)`; as text `NAME:1,2`. Formulas, and how each is "
               "drawn, stand\nat the top of `src/dist/NAME.c`. (This page is made by "
               "`tests/conformance/test_distributions_page.c`.)\n\n"
               "| name | parameters | values | what it is | besides density and draws |\n|---|---|---|---|---|\n");
    for (int i = 0; crd_dist_type_get(i); i++)
        add_row(&page, g, crd_dist_type_get(i));
    crdi_string_append(
        &page, "\n## Made of another distribution\n\n"
               "The constructor is `crd_NAME(parameters in order, base)`; moments and cdf are there where the base has "
               "them. `crd_dist_mask(dist, mask)`\nmakes the log density 0 where the mask is 0;\n"
               "`crd_components(list, count)` puts distributions of several families beside each other, as the base of "
               "a mixture.\n\n"
               "| name | parameters | what it is |\n|---|---|---|\n");
    for (int i = 0; crd_dist_compound_get(i); i++)
        add_compound(&page, crd_dist_compound_get(i));
    add_pairs(&page);
    assert_ok(ctx, page.status);
    FILE *file = fopen(path, getenv("CREDENCE_UPDATE") ? "w" : "r");
    assert_non_null(file);
    if (getenv("CREDENCE_UPDATE")) {
        assert_true(fputs(page.text, file) >= 0);
    } else {
        static char found[1 << 16];
        found[fread(found, 1, sizeof found - 1, file)] = 0;
        assert_string_equal(found, page.text);
    }
    fclose(file);
    crdi_string_clear(&page);
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_page_lists_the_registry)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
