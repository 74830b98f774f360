/* test_variational_page.c - the tables of docs/variational.md are those that the registries give. */
#include "infer/svi/elbo.h"
#include "infer/svi/optim.h"
#include "page.h"

#include <string.h>

static void add_guides(crdi_string *out)
{
    crdi_string_append(out, "| guide | what it is |\n|---|---|\n");
    for (int i = 0; crdi_guide_type_get(i); i++) {
        const crdi_guide_type *type = crdi_guide_type_get(i);
        crdi_string_append(out, "| `%s", type->name);
        if (type->argument)
            crdi_string_append(out, "[:%s]", type->argument);
        crdi_string_append(out, "` | %s |\n", crdi_guide_type_help(i));
    }
}

static void add_losses(crdi_string *out)
{
    crdi_string_append(out, "| loss | what it is |\n|---|---|\n");
    for (int i = 0; crdi_loss_get(i); i++) {
        crdi_string_append(out, "| `%s` | ", crdi_loss_get(i)->name);
        page_add_cell(out, crdi_loss_get(i)->what);
        crdi_string_append(out, " |\n");
    }
}

/* Which go together; test_guides.c fits all that do and has the others refused. */
static void add_pairs(crdi_string *out)
{
    crd_context *ctx = out->ctx;
    crdi_string_append(out, "| guide |");
    for (int i = 0; crdi_loss_get(i); i++)
        crdi_string_append(out, " `%s` |", crdi_loss_get(i)->name);
    crdi_string_append(out, "\n|---|");
    for (int i = 0; crdi_loss_get(i); i++)
        crdi_string_append(out, "---|");
    crdi_string_append(out, "\n");
    for (int g = 0; crdi_guide_type_get(g); g++) {
        crdi_guide_part part = {.type = crdi_guide_type_get(g)};
        crdi_guide guide = {.ctx = ctx, .part = &part, .part_count = 1};
        crdi_string_append(out, "| `%s` |", part.type->name);
        for (int i = 0; crdi_loss_get(i); i++) {
            crdi_loss loss = {crdi_loss_get(i), crdi_loss_get(i)->alpha};
            crd_status status = crdi_loss_check(&guide, &loss);
            assert_true(status == CRD_OK || status == CRD_EUNSUPPORTED);
            crdi_string_append(out, status == CRD_OK ? " yes |" : " no |");
            crd_error_clear(ctx);
        }
        crdi_string_append(out, "\n");
    }
}

static void add_optimisers(crdi_string *out)
{
    crdi_string_append(out, "| element | what it does to a gradient |\n|---|---|\n");
    for (int i = 0; i < crdi_transform_types(); i++) {
        crdi_string_append(out, "| `");
        crdi_transform_form(crdi_transform_type_get(i), out);
        crdi_string_append(out, "` | %s |\n", crdi_transform_type_help(i));
    }
}

static void add_schedules(crdi_string *out)
{
    crdi_string_append(out, "| schedule | the rate over the steps |\n|---|---|\n");
    for (int i = 0; i < crdi_schedule_types(); i++) {
        crdi_string_append(out, "| `");
        crdi_schedule_form(crdi_schedule_type_get(i), out);
        crdi_string_append(out, "` | %s |\n", crdi_schedule_type_help(i));
    }
}

static void the_page_lists_the_registries(void **state)
{
    (void)state;
    static const struct page_part parts[] = {{"guides", add_guides},
                                             {"losses", add_losses},
                                             {"pairs", add_pairs},
                                             {"optimisers", add_optimisers},
                                             {"schedules", add_schedules}};
    page_check("variational.md", parts, CRDI_COUNT(parts));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_page_lists_the_registries)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
