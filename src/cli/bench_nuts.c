/* bench_nuts.c - leapfrog steps of NUTS. */
#include "cli/bench.h"
#include "infer/mcmc/chain.h"

/* Leapfrog steps as the sampler makes them: everything in a transition counted, after warm-up. */
static crd_status time_steps(const crdi_bench *bench, const crd_model *model)
{
    enum { WARMUP = 200, DRAWS = 100 };
    crdi_chain chain;
    crdi_transition t;
    crd_nuts_options options = {.warmup = WARMUP,
                                .draws = 1,
                                .kernel = "nuts",
                                .metric = "diagonal",
                                .target_accept = 0.8,
                                .max_depth = 10,
                                .max_energy_change = 1000,
                                .init_radius = 2};
    crd_status status =
        crdi_chain_create(&chain, crd_model_context(model), crd_model_density(model), &options, crd_key_make(1234));
    if (status == CRD_OK)
        status = crdi_chain_start(&chain, 0);
    for (int i = 0; status == CRD_OK && i < WARMUP; i++)
        crdi_chain_advance(&chain, &t);
    for (int64_t r = 0; status == CRD_OK && r < bench->options->repeat; r++) {
        int64_t before = chain.h.gradients;
        double start = crdi_bench_clock();
        for (int i = 0; i < DRAWS; i++)
            crdi_chain_advance(&chain, &t);
        bench->times[r] = (crdi_bench_clock() - start) / (double)(chain.h.gradients - before);
    }
    crdi_chain_destroy(&chain);
    return status;
}

crd_status crdi_bench_nuts(const crdi_bench *bench)
{
    crd_model *model;
    CRD_TRY(crd_model_create(&model, bench->ctx, crd_network_model, bench->network));
    crd_status status = time_steps(bench, model);
    if (status == CRD_OK)
        crdi_bench_print(bench, "leapfrog step of NUTS, everything counted");
    crd_model_destroy(&model);
    return status;
}
