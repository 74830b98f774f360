/* fuzz_cmdstan.c - the bytes are a file of CmdStan: imported. */
#include "fuzz.h"
#include "report/formats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(data, size), *twice[] = {path, path};
    crd_context *ctx = fuzz_context();
    for (int files = 1; files <= 2; files++) {
        crdi_imported imported = {0};
        fuzz_check(ctx, crdi_format_cmdstan.read(ctx, twice, files, &imported));
        crdi_imported_clear(ctx, &imported);
    }
    fuzz_context_destroy(ctx);
    return 0;
}
