/* test_networks_page.c - the tables of docs/networks.md are those that the registries give; with CREDENCE_UPDATE set in the
 * environment this writes them. What stands outside the marked parts is written by hand and stays. */
#include "base/base.h"
#include "testing.h"

#include <credence/nn.h>
#include <stdlib.h>
#include <string.h>

static const char path[] = TEST_DATA "/../../docs/networks.md";

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
        for (const char *c = crd_activation_what(i); *c; c++)
            crdi_string_append(out, *c == '|' ? "\\|" : "%c", *c);
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

static const struct {
    const char *begin;
    void (*add)(crdi_string *out);
} parts[] = {
    {"<!-- modules -->\n", add_modules},           {"<!-- activations -->\n", add_activations},
    {"<!-- initialisers -->\n", add_initialisers}, {"<!-- priors -->\n", add_priors},
    {"<!-- likelihoods -->\n", add_likelihoods},
};

/* The page with its tables made anew. */
static void make_page(const char *found, crdi_string *page)
{
    static const char end[] = "<!-- end -->\n";
    const char *at = found;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const char *begin = strstr(at, parts[i].begin);
        assert_non_null(begin);
        begin += strlen(parts[i].begin);
        crdi_string_add(page, at, (size_t)(begin - at));
        parts[i].add(page);
        at = strstr(begin, end);
        assert_non_null(at);
    }
    crdi_string_append(page, "%s", at);
}

static void the_page_lists_the_registries(void **state)
{
    (void)state;
    static char found[1 << 16];
    crd_context *ctx = testing_context();
    crdi_string page;
    crdi_string_init(&page, ctx);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    found[fread(found, 1, sizeof found - 1, file)] = 0;
    fclose(file);
    make_page(found, &page);
    assert_ok(ctx, page.status);
    if (getenv("CREDENCE_UPDATE")) {
        assert_non_null(file = fopen(path, "w"));
        assert_true(fputs(page.text, file) >= 0);
        fclose(file);
    } else {
        assert_string_equal(found, page.text);
    }
    crdi_string_clear(&page);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_page_lists_the_registries)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
