/* fuzz_network.c - a network's settings, one a line: hidden, activation, noise, likelihood, df, concentration, prior. Its log
 * density and gradient are computed at a point. */
#include "fuzz.h"

#include <credence/model.h>
#include <credence/nn.h>
#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static double x[] = {0, 1, 2, 3}, y[] = {1, 0};
    if (size < 1 || size > 4000)
        return 0;
    char *text = fuzz_text(data + 1, size - 1), *rest = text;
    crd_context *ctx = fuzz_context();
    crd_array target = crd_array_borrow(y, crd_shape_1(2));
    crd_network network = {.hidden = fuzz_line(&rest), .x = crd_array_borrow(x, crd_shape_2(2, 2)), .y = &target};
    network.activation = fuzz_line(&rest);
    network.noise = fuzz_line(&rest);
    network.likelihood = fuzz_line(&rest);
    network.df = fuzz_line(&rest);
    network.concentration = fuzz_line(&rest);
    network.prior = *rest ? rest : "normal:0,1";
    network.classes = 2 + data[0] % 3;
    network.df = *network.df ? network.df : NULL;
    network.concentration = *network.concentration ? network.concentration : NULL;
    network.likelihood = *network.likelihood ? network.likelihood : NULL;
    crd_model *model = NULL;
    crd_status status = crd_model_create(&model, ctx, crd_network_model, &network);
    fuzz_check(ctx, status);
    if (status == CRD_OK && crd_model_dim(model) < 10000) {
        double value, *z = calloc((size_t)crd_model_dim(model) + 1, sizeof *z),
                      *gradient = calloc((size_t)crd_model_dim(model) + 1, sizeof *z);
        fuzz_check(ctx, crd_model_log_density(model, z, &value, gradient));
        free(z);
        free(gradient);
    }
    crd_model_destroy(&model);
    fuzz_context_destroy(ctx);
    free(text);
    return 0;
}
