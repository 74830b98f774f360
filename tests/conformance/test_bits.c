/* test_bits.c - the same seed gives the same bits: for every instruction set that this processor has, for 1, 2, 4 and 8 threads, in
 * every build, for chains, fits and predictions. The hashes in tests/data/bits.txt were made by the optimised build of gcc 12 with
 * AVX-512; CREDENCE_RECORD_BITS=FILE writes the lines of this build instead. */
#include "base/base.h"
#include "kernel/kernel.h"
#include "nn/tutorial.h"
#include "store/sha256.h"
#include "testing.h"

#include <credence/mcmc.h>
#include <credence/nn.h>
#include <credence/svi.h>
#include <stdlib.h>
#include <string.h>

/* One of the things that are done; hashes all numbers that come out. */
typedef void (*work_fn)(crd_context *ctx, crd_precision precision, int64_t threads, crdi_sha256 *hash);

static void add(crdi_sha256 *hash, const double *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        crdi_sha256_add_double(hash, values[i]);
}

static void add_posterior(crdi_sha256 *hash, const crd_posterior *p)
{
    for (int c = 0; c < p->column_count; c++)
        add(hash, p->column[c].draws, p->chains * p->draws * p->column[c].size);
}

/* ---- data and networks -------------------------------------------------------------------------------------- */

struct regression {
    double x[CRDI_TUTORIAL_ROWS], y[CRDI_TUTORIAL_ROWS];
    crd_array target;
    crd_network network;
};

static void regression_init(struct regression *r)
{
    crdi_tutorial_regression(r->x, r->y);
    r->target = crd_array_borrow(r->y, crd_shape_1(CRDI_TUTORIAL_ROWS));
    r->network = (crd_network){.hidden = "10", .activation = "tanh", .prior = "normal:0,1", .noise = "half_cauchy:0.5"};
    r->network.likelihood = "normal";
    r->network.x = crd_array_borrow(r->x, crd_shape_2(CRDI_TUTORIAL_ROWS, 1));
    r->network.y = &r->target;
}

enum { ARM = 30, POINTS = CRDI_TUTORIAL_CLASSES * ARM };

struct spiral {
    double x[2 * POINTS], y[POINTS];
    crd_array target;
    crd_network network;
};

static void spiral_init(struct spiral *s)
{
    crdi_tutorial_spiral(crd_key_make(1), ARM, s->x, s->y);
    s->target = crd_array_borrow(s->y, crd_shape_1(POINTS));
    s->network = (crd_network){.hidden = "16,16", .activation = "relu", .prior = "normal:0,1"};
    s->network.likelihood = "categorical";
    s->network.classes = CRDI_TUTORIAL_CLASSES;
    s->network.x = crd_array_borrow(s->x, crd_shape_2(POINTS, 2));
    s->network.y = &s->target;
}

/* ---- what is done ------------------------------------------------------------------------------------------- */

static void chains(crd_context *ctx, crd_precision precision, int64_t threads, const char *kernel, const char *metric,
                   crdi_sha256 *hash)
{
    struct regression r;
    crd_model *model;
    crd_posterior *p;
    regression_init(&r);
    r.network.precision = precision;
    crd_nuts_options options = {
        .chains = 3, .warmup = 60, .draws = 20, .thin = 2, .threads = threads, .kernel = kernel, .metric = metric};
    options.max_depth = 6;
    assert_ok(ctx, crd_model_create(&model, ctx, crd_network_model, &r.network));
    assert_ok(ctx, crd_nuts_run(model, &options, crd_key_make(5), &p));
    add_posterior(hash, p);
    crd_posterior_destroy(&p);
    crd_model_destroy(&model);
}

static void nuts(crd_context *ctx, crd_precision precision, int64_t threads, crdi_sha256 *hash)
{
    chains(ctx, precision, threads, "nuts", "diagonal", hash);
}

static void hmc(crd_context *ctx, crd_precision precision, int64_t threads, crdi_sha256 *hash)
{
    chains(ctx, precision, threads, "hmc", "dense", hash);
}

static void fit(crd_context *ctx, crd_precision precision, int64_t threads, const crd_svi_options *wanted,
                crdi_sha256 *hash)
{
    struct spiral s;
    crd_svi *svi;
    crd_posterior *p;
    crd_svi_options options = *wanted;
    options.threads = threads;
    spiral_init(&s);
    s.network.precision = precision;
    assert_ok(ctx, crd_svi_fit(ctx, crd_network_model, &s.network, &options, crd_key_make(6), &svi));
    const crd_svi_history *h = crd_svi_history_of(svi);
    add(hash, h->loss, h->steps);
    assert_ok(ctx, crd_svi_draw(svi, 10, NULL, 0, crd_key_make(7), &p));
    add_posterior(hash, p);
    crd_posterior_destroy(&p);
    crd_svi_destroy(&svi);
}

static void svi(crd_context *ctx, crd_precision precision, int64_t threads, crdi_sha256 *hash)
{
    fit(ctx, precision, threads, &(crd_svi_options){.steps = 25, .particles = 6, .restarts = 2}, hash);
}

static void ensemble(crd_context *ctx, crd_precision precision, int64_t threads, crdi_sha256 *hash)
{
    fit(ctx, precision, threads, &(crd_svi_options){.guide = "delta", .steps = 40, .members = 3}, hash);
}

/* f, and y with its noise, at rows that are not those of the fit. */
static void prediction(crd_context *ctx, crd_precision precision, int64_t threads, crdi_sha256 *hash)
{
    static const char *const site[] = {"f", "y"};
    struct regression r;
    crd_model *model;
    crd_posterior *p;
    crd_array out;
    double x[7] = {-2, -1, -0.5, 0, 0.25, 1, 3};
    regression_init(&r);
    r.network.precision = precision;
    crd_nuts_options options = {.chains = 2, .warmup = 40, .draws = 10, .threads = threads, .max_depth = 5};
    assert_ok(ctx, crd_model_create(&model, ctx, crd_network_model, &r.network));
    assert_ok(ctx, crd_nuts_run(model, &options, crd_key_make(8), &p));
    r.network.x = crd_array_borrow(x, crd_shape_2(7, 1));
    r.network.y = NULL;
    for (int i = 0; i < 2; i++) {
        assert_ok(ctx, crd_predict(model, p, &r.network, site[i], crd_key_make(9), &out));
        add(hash, out.data, crd_shape_size(out.shape));
        crd_array_clear(&out);
    }
    crd_posterior_destroy(&p);
    crd_model_destroy(&model);
}

static const struct {
    const char *name;
    work_fn run;
    crd_precision precision;
} works[] = {{"nuts", nuts, CRD_DOUBLE},
             {"hmc", hmc, CRD_DOUBLE},
             {"svi", svi, CRD_DOUBLE},
             {"ensemble", ensemble, CRD_DOUBLE},
             {"prediction", prediction, CRD_DOUBLE},
             {"nuts_single", nuts, CRD_SINGLE},
             {"svi_single", svi, CRD_SINGLE},
             {"ensemble_single", ensemble, CRD_SINGLE},
             {"prediction_single", prediction, CRD_SINGLE}};

/* ---- tests -------------------------------------------------------------------------------------------------- */

static void hash_of(int w, const char *kernels, int64_t threads, char hex[CRDI_SHA256_HEX])
{
    crdi_sha256 hash;
    crd_context *ctx;
    crd_context_options options = {.kernels = kernels};
    assert_int_equal(crd_context_create(&ctx, &options), CRD_OK);
    crdi_sha256_begin(&hash);
    works[w].run(ctx, works[w].precision, threads, &hash);
    crdi_sha256_end(&hash, hex);
    crd_context_destroy(&ctx);
}

/* The hash that tests/data/bits.txt has for a name. */
static void stored_hash(const char *name, char hex[CRDI_SHA256_HEX])
{
    char line[200], found[100], value[CRDI_SHA256_HEX];
    FILE *file = fopen(TEST_DATA "/bits.txt", "r");
    assert_non_null(file);
    *hex = 0;
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "%99s %64s", found, value) == 2 && strcmp(found, name) == 0)
            strcpy(hex, value);
    fclose(file);
}

static void instruction_sets_and_threads_change_no_bit(void **state)
{
    (void)state;
    static const int64_t threads[] = {1, 2, 4, 8};
    const char *record = getenv("CREDENCE_RECORD_BITS");
    FILE *out = record ? fopen(record, "w") : NULL;
    for (int w = 0; w < CRDI_COUNT(works); w++) {
        char first[CRDI_SHA256_HEX], hex[CRDI_SHA256_HEX];
        stored_hash(works[w].name, first);
        if (out) {
            hash_of(w, NULL, 1, first);
            fprintf(out, "%s %s\n", works[w].name, first);
        }
        for (int k = 0; k < crdi_kernels_count(); k++) {
            if (!crdi_kernels_usable(crdi_kernels_get(k)))
                continue;
            for (int t = 0; t < CRDI_COUNT(threads); t++) {
                hash_of(w, crdi_kernels_get(k)->name, threads[t], hex);
                if (strcmp(hex, first) != 0)
                    fail_msg("%s, %s, %d threads: %s, not %s", works[w].name, crdi_kernels_get(k)->name,
                             (int)threads[t], hex, first);
            }
        }
    }
    if (out)
        fclose(out);
}

/* A hash that does not see a difference would pass all of the above. */
static void a_last_bit_changes_the_hash(void **state)
{
    (void)state;
    char hex[2][CRDI_SHA256_HEX];
    double values[2][3] = {{1, 2, 3}, {1, 2.0000000000000004, 3}};
    for (int i = 0; i < 2; i++) {
        crdi_sha256 hash;
        crdi_sha256_begin(&hash);
        add(&hash, values[i], 3);
        crdi_sha256_end(&hash, hex[i]);
    }
    assert_string_not_equal(hex[0], hex[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instruction_sets_and_threads_change_no_bit),
        cmocka_unit_test(a_last_bit_changes_the_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
