/* fuzz_run.c - the bytes are a run file: opened, checked, described, summarised. */
#include "fuzz.h"
#include "report/run_check.h"
#include "report/run_summary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(data, size);
    crd_context *ctx = fuzz_context();
    crdi_run_check *check = NULL;
    crdi_network_run *net = NULL;
    crdi_run_summary *summary = NULL;
    fuzz_check(ctx, crdi_run_check_make(ctx, path, &check));
    crd_status status = crdi_network_run_open(ctx, path, &net);
    fuzz_check(ctx, status);
    if (status == CRD_OK) {
        crdi_string text;
        crdi_string_init(&text, ctx);
        status = crdi_run_summary_make(net, NULL, 0.9, &summary);
        fuzz_check(ctx, status);
        if (status == CRD_OK)
            fuzz_check(ctx, crdi_run_notes(&text, summary));
        crdi_string_clear(&text);
    }
    crdi_run_summary_destroy(&summary);
    crdi_network_run_close(&net);
    crdi_run_check_destroy(&check);
    fuzz_context_destroy(ctx);
    return 0;
}
