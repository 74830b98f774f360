/* fuzz_entry.c - a run file whose checksums are right and whose contents are not: the first byte names an entry of
 * a good file, the rest replaces its text. What is behind the checksums must be sound by itself. */
#include "fuzz.h"
#include "report/prediction.h"
#include "report/run_check.h"
#include "report/run_summary.h"
#include "store/run_format.h"
#include "store/sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const keys[] = {"network", "recipe",      "options", "method",
                                   "priors",  "data_sha256", "model",   "status"};

static uint8_t *good;
static size_t good_size;

static void read_good(void)
{
    FILE *in = fopen(FUZZ_RUN, "rb");
    good = malloc(1 << 16);
    if (!in || !good)
        abort();
    good_size = fread(good, 1, 1 << 16, in);
    fclose(in);
}

static crd_status doctor(crd_context *ctx, const char *path, const char *key, const char *text)
{
    crdi_db *db = NULL;
    crdi_query query = {0};
    CRD_TRY(crdi_db_open(ctx, path, NULL, CRDI_DB_WRITE, &db));
    crd_status status = crdi_db_run(db, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF");
    if (status == CRD_OK)
        status = crdi_query_open(db, "INSERT OR REPLACE INTO meta VALUES(?, ?, ?)", &query);
    if (status == CRD_OK) {
        crdi_bind_text(&query, 1, key);
        crdi_bind_text(&query, 2, text);
        crdi_bind_integer(&query, 3, (int64_t)crdi_check_meta(key, CRDI_VALUE_TEXT, text, strlen(text)));
        status = crdi_query_run(&query);
    }
    crdi_query_close(&query);
    crdi_db_close(&db);
    return status;
}

static void predict(crd_context *ctx, crdi_network_run *net)
{
    crdi_prediction *prediction = NULL;
    const double prob[] = {0.5};
    if (!net->is_network)
        return;
    fuzz_check(ctx, crdi_prediction_make(
                        net, &(crdi_prediction_request){.x = &net->x, .prob = prob, .prob_count = 1, .threads = 1},
                        &prediction));
    crdi_prediction_destroy(&prediction);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    if (!good)
        read_good();
    const char *path = fuzz_file(good, good_size);
    char *text = fuzz_text(data + 1, size - 1);
    crd_context *ctx = fuzz_context();
    crdi_run_check *check = NULL;
    crdi_network_run *net = NULL;
    crdi_run_summary *summary = NULL;
    if (doctor(ctx, path, keys[data[0] % CRDI_COUNT(keys)], text) < 0)
        abort();
    fuzz_check(ctx, crdi_run_check_make(ctx, path, &check));
    crd_status status = crdi_network_run_open(ctx, path, &net);
    fuzz_check(ctx, status);
    if (status == CRD_OK) {
        fuzz_check(ctx, crdi_run_summary_make(net, NULL, 0.9, &summary));
        predict(ctx, net);
    }
    crdi_run_summary_destroy(&summary);
    crdi_network_run_close(&net);
    crdi_run_check_destroy(&check);
    fuzz_context_destroy(ctx);
    free(text);
    return 0;
}
