/* test_diag_arviz.c - the diagnostics of ArviZ's two example files, centred and non-centred eight schools. */
#include "diag/diag.h"
#include "testing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHAINS = 4, DRAWS = 500, COLUMNS = 13 };

/* Reads NAME.posterior.csv: chain, draw, then a column a variable. Returns the column of `variable`, (chain, draw). */
static bool read_column(const char *path, const char *variable, double *out)
{
    char line[4096];
    int column = -1, rows = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    int i = 0;
    for (char *word = strtok(line, ",\r\n"); word; word = strtok(NULL, ",\r\n"), i++)
        if (strcmp(word, variable) == 0)
            column = i;
    while (column >= 0 && fgets(line, sizeof line, file)) {
        double cell[COLUMNS] = {0};
        char *at = line;
        for (i = 0; i <= column; i++, at += *at == ',')
            cell[i] = strtod(at, &at);
        assert_int_equal((int)cell[0] * DRAWS + (int)cell[1], rows);
        out[rows++] = cell[column];
    }
    fclose(file);
    return column >= 0 && rows == CHAINS * DRAWS;
}

typedef crd_status (*diagnostic_fn)(crd_context *, const double *, int64_t, int64_t, double *);

static crd_status r_hat_split(crd_context *ctx, const double *x, int64_t chains, int64_t draws, double *out)
{
    (void)ctx;
    *out = crd_diag_r_hat_split(x, chains, draws);
    return CRD_OK;
}

static crd_status r_hat_identity(crd_context *ctx, const double *x, int64_t chains, int64_t draws, double *out)
{
    (void)ctx;
    *out = crd_diag_gelman_rubin(x, chains, draws);
    return CRD_OK;
}

/* Split chains, then ranks, without the folded draws. */
static crd_status r_hat_z_scale(crd_context *ctx, const double *x, int64_t chains, int64_t draws, double *out)
{
    static double split[CHAINS * DRAWS];
    crdi_diag_split(x, chains, draws, split);
    CRD_TRY(crdi_diag_rank_normalise(ctx, split, chains * draws));
    *out = crd_diag_gelman_rubin(split, 2 * chains, draws / 2);
    return CRD_OK;
}

static crd_status ess_median(crd_context *ctx, const double *x, int64_t chains, int64_t draws, double *out)
{
    return crd_diag_ess_quantile(ctx, x, chains, draws, 0.5, out);
}

static const struct {
    const char *key;
    diagnostic_fn diagnostic;
} rows[] = {{"rank", crd_diag_r_hat_rank},     {"rhat_rank", crd_diag_r_hat_rank}, {"split", r_hat_split},
            {"folded", crd_diag_r_hat_folded}, {"identity", r_hat_identity},       {"ess_bulk", crd_diag_ess_bulk},
            {"ess_tail", crd_diag_ess_tail},   {"ess_mean", crd_diag_ess_mean},    {"ess_sd", crd_diag_ess_sd},
            {"ess_median", ess_median},        {"mcse_mean", crd_diag_mcse_mean},  {"mcse_sd", crd_diag_mcse_sd},
            {"z_scale", r_hat_z_scale}};

static int check_variable(crd_context *ctx, const json_t *expected, const double *x)
{
    double value, interval[2], hdi[2];
    int checked = 0;
    for (int i = 0; i < CRDI_COUNT(rows); i++) {
        const json_t *number = json_object_get(expected, rows[i].key);
        if (!number)
            continue;
        assert_ok(ctx, rows[i].diagnostic(ctx, x, CHAINS, DRAWS, &value));
        testing_close(value, testing_number(number), 1e-6, 0, rows[i].key, __FILE__, __LINE__);
        checked++;
    }
    if (json_object_get(expected, "hdi94")) {
        assert_int_equal(testing_numbers(json_object_get(expected, "hdi94"), hdi), 2);
        assert_ok(ctx, crd_diag_hpdi(ctx, x, CHAINS * DRAWS, 0.94, interval));
        assert_close(interval[0], hdi[0], 1e-6, 0);
        assert_close(interval[1], hdi[1], 1e-6, 0);
        checked++;
    }
    return checked;
}

static void check_file(const char *name)
{
    char path[256], draws[1024];
    static double x[CHAINS * DRAWS];
    snprintf(path, sizeof path, "arviz/%s.posterior.csv", name);
    if (!testing_shared(path))
        testing_skip("skipped: the shared reference %s is not here\n", path);
    snprintf(draws, sizeof draws, "%s", testing_shared(path));
    snprintf(path, sizeof path, "arviz/%s.az_diagnostics.json", name);
    if (!testing_shared(path))
        testing_skip("skipped: the shared reference %s is not here\n", path);
    crd_context *ctx = testing_context();
    json_t *reference = testing_json(testing_shared(path)), *expected;
    const char *variable;
    int checked = 0;
    json_object_foreach(reference, variable, expected)
    {
        if (!json_is_object(expected))
            continue;
        assert_true(read_column(draws, variable, x));
        checked += check_variable(ctx, expected, x);
    }
    assert_true(checked >= 22);
    json_decref(reference);
    testing_context_destroy(&ctx);
}

/* ---- leave-one-out of eight schools ---------------------------------------------------------------------------- */

enum { SCHOOLS = 8, MOST_PARAMETERS = 2 + 2 * SCHOOLS };
static const double effect[SCHOOLS] = {28, 8, -3, 7, -1, 1, 18, 12},
                    effect_sd[SCHOOLS] = {15, 10, 16, 11, 9, 11, 10, 18};

/* All parameters, each (chain, draw): mu, tau, theta and, where it is one, theta_t = (theta - mu) / tau. */
static int read_parameters(const char *path, bool centred, double (*out)[CHAINS * DRAWS])
{
    char name[20];
    assert_true(read_column(path, "mu", out[0]));
    assert_true(read_column(path, "tau", out[1]));
    for (int j = 0; j < SCHOOLS; j++) {
        snprintf(name, sizeof name, "theta%d", j);
        assert_true(read_column(path, name, out[2 + j]));
        for (int i = 0; i < CHAINS * DRAWS; i++)
            out[2 + SCHOOLS + j][i] = (out[2 + j][i] - out[0][i]) / out[1][i];
    }
    return centred ? 2 + SCHOOLS : MOST_PARAMETERS;
}

static void check_loo(const char *name, bool centred)
{
    static double x[MOST_PARAMETERS][CHAINS * DRAWS], density[CHAINS * DRAWS * SCHOOLS];
    char path[256], draws[1024];
    double reff = 0, ess, pointwise[SCHOOLS], k_hat[SCHOOLS], expected[SCHOOLS];
    crd_elpd loo, waic;
    snprintf(path, sizeof path, "arviz/%s.posterior.csv", name);
    if (!testing_shared(path))
        testing_skip("skipped: the shared reference %s is not here\n", path);
    snprintf(draws, sizeof draws, "%s", testing_shared(path));
    snprintf(path, sizeof path, "arviz/%s.az_loo_waic.json", name);
    json_t *reference = testing_json(testing_shared(path));
    crd_context *ctx = testing_context();
    int count = read_parameters(draws, centred, x);
    for (int p = 0; p < count; p++) {
        assert_ok(ctx, crd_diag_ess_mean(ctx, x[p], CHAINS, DRAWS, &ess));
        reff += ess / count / (CHAINS * DRAWS);
    }
    for (int i = 0; i < CHAINS * DRAWS; i++)
        for (int j = 0; j < SCHOOLS; j++) {
            double z = (effect[j] - x[2 + j][i]) / effect_sd[j];
            density[i * SCHOOLS + j] = -z * z / 2 - log(effect_sd[j]) - 0.91893853320467274178;
        }
    assert_ok(ctx, crd_loo(ctx, density, CHAINS * DRAWS, SCHOOLS, reff, pointwise, k_hat, &loo));
    assert_ok(ctx, crd_waic(ctx, density, CHAINS * DRAWS, SCHOOLS, NULL, &waic));
    assert_close(loo.elpd, testing_number(json_object_get(reference, "elpd_loo")), 1e-6, 0);
    assert_close(loo.se, testing_number(json_object_get(reference, "se")), 1e-6, 0);
    assert_close(loo.p, testing_number(json_object_get(reference, "p_loo")), 1e-6, 0);
    assert_close(waic.elpd, testing_number(json_object_get(reference, "elpd_waic")), 1e-6, 0);
    assert_close(waic.se, testing_number(json_object_get(reference, "waic_se")), 1e-6, 0);
    assert_close(waic.p, testing_number(json_object_get(reference, "p_waic")), 1e-6, 0);
    testing_numbers(json_object_get(reference, "loo_i"), expected);
    for (int j = 0; j < SCHOOLS; j++)
        assert_close(pointwise[j], expected[j], 1e-6, 0);
    testing_numbers(json_object_get(reference, "pareto_k"), expected);
    for (int j = 0; j < SCHOOLS; j++)
        assert_close(k_hat[j], expected[j], 1e-6, 0);
    json_decref(reference);
    testing_context_destroy(&ctx);
}

static void loo_of_centred_eight_schools(void **state)
{
    (void)state;
    check_loo("centered_eight", true);
}

static void loo_of_non_centred_eight_schools(void **state)
{
    (void)state;
    check_loo("non_centered_eight", false);
}

static void centred_eight_schools(void **state)
{
    (void)state;
    check_file("centered_eight");
}

static void non_centred_eight_schools(void **state)
{
    (void)state;
    check_file("non_centered_eight");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(centred_eight_schools),
        cmocka_unit_test(non_centred_eight_schools),
        cmocka_unit_test(loo_of_centred_eight_schools),
        cmocka_unit_test(loo_of_non_centred_eight_schools),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
