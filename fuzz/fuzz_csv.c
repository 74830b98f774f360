/* fuzz_csv.c - a table from CSV, and a data set of its last column. The first byte chooses options. */
#include "fuzz.h"

#include <credence/dataset.h>
#include <credence/table.h>
#include <stdlib.h>

static void make_dataset(crd_context *ctx, const crd_table *table, unsigned choice)
{
    const char *categorical[] = {table->column[0].name};
    crd_dataset_options options = {.target = table->column[table->column_count - 1].name,
                                   .categorical = categorical,
                                   .categorical_count = choice & 1,
                                   .na = choice & 2 ? CRD_NA_DROP : CRD_NA_ERROR,
                                   .scale = choice & 4 ? CRD_SCALE_NONE : CRD_SCALE_STANDARD};
    crd_dataset *dataset = NULL;
    crd_inputs *inputs = NULL;
    crd_status status = crd_dataset_make(ctx, table, &options, &dataset);
    fuzz_check(ctx, status);
    if (status == CRD_OK)
        fuzz_check(ctx, crd_dataset_apply(ctx, dataset->recipe, table, NULL, &inputs));
    crd_inputs_destroy(&inputs);
    crd_dataset_destroy(&dataset);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char separators[] = {0, ',', ';', '\t', ' '};
    if (size < 1)
        return 0;
    crd_context *ctx = fuzz_context();
    unsigned choice = data[0];
    crd_csv_options options = {.separator = separators[choice % 5], .no_header = choice & 8};
    crd_table *table = NULL;
    crd_status status = crd_csv_parse(ctx, "input", (const char *)data + 1, size - 1, &options, &table);
    fuzz_check(ctx, status);
    if (status == CRD_OK && table->column_count > 0)
        make_dataset(ctx, table, choice >> 4);
    crd_table_destroy(&table);
    fuzz_context_destroy(ctx);
    return 0;
}
