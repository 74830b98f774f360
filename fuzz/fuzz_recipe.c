/* fuzz_recipe.c - a recipe's JSON, as a run file keeps it; what was read is written and read again. */
#include "fuzz.h"
#include "store/dataset.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    crd_context *ctx = fuzz_context();
    crd_recipe *recipe = NULL, *again = NULL;
    crdi_string first, second;
    crdi_string_init(&first, ctx);
    crdi_string_init(&second, ctx);
    crd_status status = crdi_recipe_read(ctx, text, &recipe);
    fuzz_check(ctx, status);
    if (status == CRD_OK) {
        if (crdi_recipe_write(recipe, &first) < 0 || crdi_recipe_read(ctx, crdi_string_text(&first), &again) < 0 ||
            crdi_recipe_write(again, &second) < 0 || strcmp(crdi_string_text(&first), crdi_string_text(&second)) != 0)
            abort();
    }
    crdi_string_clear(&first);
    crdi_string_clear(&second);
    crd_recipe_destroy(&recipe);
    crd_recipe_destroy(&again);
    fuzz_context_destroy(ctx);
    free(text);
    return 0;
}
