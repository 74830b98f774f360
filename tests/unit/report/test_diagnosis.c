/* test_diagnosis.c - runs whose trouble is known, written as run files, and the verdict on each. */
#include "report/diagnosis.h"
#include "testing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHAINS = 4, MOST = 1000 };

static char folder[64], path[96];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s", "/tmp/credence-diagnosis-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/run.crd", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

/* ---- a run of two sites ----------------------------------------------------------------------------------------- */

static uint64_t seed;

static double uniform(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return ((double)(seed >> 11) + 0.5) * 0x1p-53;
}

static double normal(void)
{
    return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform());
}

/* log_tau and theta (2) of every chain, with energy and diverging. */
struct draws {
    int chains;
    int64_t count;
    double log_tau[CHAINS][MOST], theta[CHAINS][2 * MOST], energy[CHAINS][MOST], diverging[CHAINS][MOST];
};

static struct draws *make_draws(int chains, int64_t count)
{
    static struct draws d;
    memset(&d, 0, sizeof d);
    seed = 5;
    d.chains = chains;
    d.count = count;
    for (int c = 0; c < chains; c++)
        for (int64_t i = 0; i < count; i++) {
            d.log_tau[c][i] = normal();
            d.theta[c][2 * i] = normal();
            d.theta[c][2 * i + 1] = normal();
            d.energy[c][i] = 3 + normal();
        }
    return &d;
}

static void write_run(crd_context *ctx, const struct draws *d)
{
    static char names[][12] = {"log_tau", "theta", "diverging", "energy"};
    const crd_column columns[] = {
        {.name = names[0], .kind = CRD_COLUMN_LATENT, .shape = {.ndim = 0}, .size = 1},
        {.name = names[1], .kind = CRD_COLUMN_LATENT, .shape = {.ndim = 1, .dim = {2}}, .size = 2},
        {.name = names[2], .kind = CRD_COLUMN_STATISTIC, .shape = {.ndim = 0}, .size = 1},
        {.name = names[3], .kind = CRD_COLUMN_STATISTIC, .shape = {.ndim = 0}, .size = 1},
    };
    crdi_run *run;
    assert_ok(ctx, crdi_run_create(ctx, path, true, &run));
    assert_ok(ctx, crdi_run_set_text(run, "model", "funnel"));
    assert_ok(ctx, crdi_run_set_text(run, "method", "nuts"));
    assert_ok(ctx, crdi_run_set_integer(run, "warmup", 1000));
    assert_ok(ctx, crdi_run_begin(run, columns, CRDI_COUNT(columns), d->chains));
    for (int c = 0; c < d->chains; c++) {
        const double *values[] = {d->log_tau[c], d->theta[c], d->diverging[c], d->energy[c]};
        crdi_sink sink = crdi_run_sink(run);
        assert_ok(ctx, sink.draws(sink.user, c, 0, d->count, values));
    }
    assert_ok(ctx, crdi_run_close(&run, CRD_OK));
}

static crdi_diagnosis *diagnose(crd_context *ctx, const struct draws *d, crdi_network_run **net)
{
    crdi_diagnosis *out;
    write_run(ctx, d);
    assert_ok(ctx, crdi_network_run_open(ctx, path, net));
    assert_ok(ctx, crdi_diagnose(*net, &(crdi_function_request){.rows = 200}, &out));
    return out;
}

static const crdi_finding *find(const crdi_diagnosis *d, const char *id)
{
    for (int i = 0; i < d->finding_count; i++)
        if (strcmp(d->finding[i].id, id) == 0)
            return &d->finding[i];
    return NULL;
}

/* The verdict on draws; `id` names a finding that must fail, with a piece of its text. NULL: none fails. */
static void check(const struct draws *draws, const char *verdict, crdi_state state, const char *id, const char *piece)
{
    crd_context *ctx = testing_context();
    crdi_network_run *net;
    crdi_diagnosis *d = diagnose(ctx, draws, &net);
    crdi_string text;
    assert_string_equal(d->verdict, verdict);
    assert_int_equal(d->state, state);
    if (id) {
        const crdi_finding *f = find(d, id);
        assert_non_null(f);
        assert_int_equal(f->state, state);
        assert_non_null(f->advice);
        if (!strstr(f->text, piece))
            fail_msg("'%s' is not in: %s", piece, f->text);
    }
    for (int i = 0; !id && i < d->finding_count; i++)
        assert_int_equal(d->finding[i].state, CRDI_HOLDS);
    crdi_string_init(&text, ctx);
    assert_ok(ctx, crdi_diagnosis_text(&text, d));
    assert_true(strncmp(crdi_string_text(&text), "Verdict: ", 9) == 0);
    assert_non_null(strstr(crdi_string_text(&text), d->sentence));
    assert_true((strstr(crdi_string_text(&text), "To try next:") != NULL) == (id != NULL));
    crdi_string_clear(&text);
    assert_ok(ctx, crdi_diagnosis_json(&text, d));
    json_t *json = json_loads(crdi_string_text(&text), 0, NULL);
    assert_non_null(json);
    assert_string_equal(json_string_value(json_object_get(json, "verdict")), verdict);
    assert_int_equal(json_array_size(json_object_get(json, "parameters")), 3);
    assert_int_equal(json_array_size(json_object_get(json, "findings")), d->finding_count);
    json_decref(json);
    crdi_string_clear(&text);
    crdi_diagnosis_destroy(&d);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

/* ---- the six ------------------------------------------------------------------------------------------------------ */

static void a_good_run(void **state)
{
    (void)state;
    check(make_draws(CHAINS, 1000), "good", CRDI_HOLDS, NULL, NULL);
}

static void a_run_that_is_too_short(void **state)
{
    (void)state;
    check(make_draws(CHAINS, 30), "too_short", CRDI_FAILS, "draws", "4 chains of 30 draws");
}

/* Slow chains: many draws, few independent ones. */
static void draws_that_are_worth_too_little(void **state)
{
    (void)state;
    struct draws *d = make_draws(CHAINS, 1000);
    for (int c = 0; c < CHAINS; c++)
        for (int64_t i = 1; i < d->count; i++)
            d->log_tau[c][i] = 0.95 * d->log_tau[c][i - 1] + sqrt(1 - 0.95 * 0.95) * d->log_tau[c][i];
    check(d, "too_short", CRDI_FAILS, "ess", "(log_tau)");
}

static void a_funnel_that_diverges(void **state)
{
    (void)state;
    struct draws *d = make_draws(CHAINS, 1000);
    for (int c = 0; c < CHAINS; c++)
        for (int64_t i = 0; i < d->count; i++) {
            d->theta[c][2 * i] *= exp(d->log_tau[c][i] / 2);
            d->theta[c][2 * i + 1] *= exp(d->log_tau[c][i] / 2);
            d->diverging[c][i] = d->log_tau[c][i] < -1 && uniform() < 0.2;
        }
    check(d, "divergences", CRDI_FAILS, "divergences", "there log_tau is low");
}

static void a_chain_that_is_stuck(void **state)
{
    (void)state;
    struct draws *d = make_draws(CHAINS, 1000);
    for (int64_t i = 0; i < d->count; i++) {
        d->log_tau[2][i] = 0.5;
        d->theta[2][2 * i] = 0.1 + 1e-4 * normal();
        d->theta[2][2 * i + 1] = -0.1;
    }
    check(d, "stuck_chain", CRDI_FAILS, "stuck", "chain 2 hardly moves");
}

static void two_modes(void **state)
{
    (void)state;
    struct draws *d = make_draws(CHAINS, 1000);
    for (int64_t i = 0; i < d->count; i++) {
        d->log_tau[1][i] += 5;
        d->log_tau[3][i] += 5;
    }
    check(d, "two_modes", CRDI_FAILS, "r_hat", "chains 0, 2 are near");
}

static void a_run_that_is_constant(void **state)
{
    (void)state;
    struct draws *d = make_draws(CHAINS, 1000);
    for (int c = 0; c < CHAINS; c++)
        for (int64_t i = 0; i < d->count; i++)
            d->log_tau[c][i] = d->theta[c][2 * i] = d->theta[c][2 * i + 1] = 0.7;
    check(d, "constant", CRDI_FAILS, "constant", "3 of 3 parameters never change, as log_tau");
}

/* ---- others ------------------------------------------------------------------------------------------------------- */

static void chains_that_drift(void **state)
{
    (void)state;
    struct draws *d = make_draws(CHAINS, 1000);
    for (int c = 0; c < CHAINS; c++)
        for (int64_t i = 0; i < d->count; i++)
            d->log_tau[c][i] += 2 * (double)i / 1000;
    check(d, "not_mixed", CRDI_FAILS, "r_hat", "drift within them");
}

static void energy_that_hardly_moves(void **state)
{
    (void)state;
    struct draws *d = make_draws(CHAINS, 1000);
    for (int c = 0; c < CHAINS; c++)
        for (int64_t i = 1; i < d->count; i++)
            d->energy[c][i] = 3 + 0.95 * (d->energy[c][i - 1] - 3) + 0.1 * normal();
    check(d, "energy", CRDI_FAILS, "energy", "E-BFMI 0.");
}

static void one_chain_alone(void **state)
{
    (void)state;
    check(make_draws(1, 1000), "care", CRDI_CARE, "draws", "nothing shows whether other chains would agree");
}

static void a_few_divergences(void **state)
{
    (void)state;
    struct draws *d = make_draws(CHAINS, 1000);
    d->diverging[1][7] = d->diverging[3][9] = 1;
    check(d, "care", CRDI_CARE, "divergences", "2 of 4000 draws diverged (by chain 0 1 0 1)");
}

/* One draw that is no number makes all of its parameter unknown. */
static void draws_that_are_not_finite(void **state)
{
    (void)state;
    struct draws *d = make_draws(CHAINS, 1000);
    d->theta[0][20] = NAN;
    check(d, "constant", CRDI_FAILS, "constant", "draws of theta[0] are not finite");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_good_run),
        TEST(a_run_that_is_too_short),
        TEST(draws_that_are_worth_too_little),
        TEST(a_funnel_that_diverges),
        TEST(a_chain_that_is_stuck),
        TEST(two_modes),
        TEST(a_run_that_is_constant),
        TEST(chains_that_drift),
        TEST(energy_that_hardly_moves),
        TEST(one_chain_alone),
        TEST(a_few_divergences),
        TEST(draws_that_are_not_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
