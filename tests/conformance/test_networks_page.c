/* test_networks_page.c - the tables of docs/networks.md are those that the registries give. */
#include "page.h"

#include <credence/nn.h>

static void add_modules(crdi_string *out)
{
    crdi_string_append(out, "| constructor | what it is | parameters |\n|---|---|---|\n");
    for (int i = 0; crd_layer_name(i); i++)
        crdi_string_append(out, "| `crd_%s(%s%s)` | %s | %s |\n", crd_layer_name(i),
                           crd_layer_arguments(i)[0] ? "trace, " : "trace", crd_layer_arguments(i), crd_layer_what(i),
                           crd_layer_params(i));
}

static void add_activations(crdi_string *out)
{
    crdi_string_append(out, "| name | value |\n|---|---|\n");
    for (int i = 0; crd_activation_name(i); i++) {
        crdi_string_append(out, "| `%s` | ", crd_activation_name(i));
        page_add_cell(out, crd_activation_what(i));
        crdi_string_append(out, " |\n");
    }
}

static void add_initialisers(crdi_string *out)
{
    crdi_string_append(out, "| name | values |\n|---|---|\n");
    for (int i = 0; crd_initializer_name(i); i++)
        crdi_string_append(out, "| `%s` | %s |\n", crd_initializer_name(i), crd_initializer_what(i));
}

static void add_priors(crdi_string *out)
{
    crdi_string_append(out, "| form | what it is |\n|---|---|\n");
    for (int i = 0; crd_prior_form_name(i); i++)
        crdi_string_append(out, "| `%s(%s)` | %s |\n", crd_prior_form_name(i), crd_prior_form_arguments(i),
                           crd_prior_form_what(i));
}

static void add_likelihoods(crdi_string *out)
{
    crdi_string_append(out, "| name | what it says |\n|---|---|\n");
    for (int i = 0; crd_likelihood_name(i); i++)
        crdi_string_append(out, "| `%s` | %s |\n", crd_likelihood_name(i), crd_likelihood_what(i));
}

static void the_page_lists_the_registries(void **state)
{
    (void)state;
    static const struct page_part parts[] = {{"modules", add_modules},
                                             {"activations", add_activations},
                                             {"initialisers", add_initialisers},
                                             {"priors", add_priors},
                                             {"likelihoods", add_likelihoods}};
    page_check("networks.md", parts, CRDI_COUNT(parts));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_page_lists_the_registries)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
