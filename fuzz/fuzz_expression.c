/* fuzz_expression.c - expressions that are typed: a distribution, an optimiser, a loss, a list of probabilities, a prior's form.
 * The first byte says which. */
#include "fuzz.h"
#include "infer/svi/elbo.h"
#include "infer/svi/optim_parse.h"
#include "report/run_csv.h"

#include <credence/dist.h>
#include <math.h>
#include <stdlib.h>

static void distribution(crd_context *ctx, const char *text)
{
    crd_dist dist;
    crd_status status = crd_dist_parse(ctx, text, &dist);
    fuzz_check(ctx, status);
    if (status == CRD_OK)
        fuzz_check(ctx, crd_dist_check(ctx, &dist, "input"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    char *text = fuzz_text(data + 1, size - 1);
    crd_context *ctx = fuzz_context();
    switch (data[0] % 4) {
    case 0:
        distribution(ctx, text);
        break;
    case 1: {
        crdi_chain_parts parts;
        fuzz_check(ctx, crdi_optimiser_parse(ctx, text, &parts));
        break;
    }
    case 2: {
        crdi_loss loss;
        fuzz_check(ctx, crdi_loss_parse(ctx, text, &loss));
        break;
    }
    default: {
        double prob[16];
        int count = crdi_probabilities_read(ctx, text, prob, 16);
        for (int i = 0; i < count; i++)
            if (!(prob[i] >= 0 && prob[i] <= 1))
                abort();
        fuzz_check(ctx, count < 0 ? crd_error_status(ctx) : CRD_OK);
    }
    }
    fuzz_context_destroy(ctx);
    free(text);
    return 0;
}
