/* fuzz_prior.c - a line: hidden layers; the others: rules of priors. The network's model is made of them, and their text again. */
#include "fuzz.h"
#include "store/network_run.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static double x[] = {0, 1, 2, 3}, y[] = {0.5, -1};
    static const char *const hidden[] = {"2", "3,2", "none"};
    if (size < 1 || size > 4000)
        return 0;
    char *text = fuzz_text(data + 1, size - 1);
    crd_context *ctx = fuzz_context();
    crd_array target = crd_array_borrow(y, crd_shape_1(2));
    crd_network network = {.hidden = hidden[data[0] % 3],
                           .activation = "tanh",
                           .prior = text,
                           .noise = "half_cauchy:0.5",
                           .x = crd_array_borrow(x, crd_shape_2(2, 2)),
                           .y = &target};
    crd_model *model = NULL;
    crdi_string out;
    crdi_string_init(&out, ctx);
    crd_status status = crd_model_create(&model, ctx, crd_network_model, &network);
    fuzz_check(ctx, status);
    if (status == CRD_OK)
        fuzz_check(ctx, crdi_network_priors_json(ctx, &network, &out));
    crdi_string_clear(&out);
    crd_model_destroy(&model);
    fuzz_context_destroy(ctx);
    free(text);
    return 0;
}
