/* test_network_looks.c - a run that is stopped while its rule still looks at draws that chains have left behind. */
#include "store/network_fit.h"
#include "store/network_looks.h"
#include "testing.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 30, CHAINS = 2, WARMUP = 20, DRAWS = 2000, HOLDS = 225 };
/* Transitions of both chains: one makes no more than all of its own, so the other has made enough. */
enum { FAR = WARMUP + DRAWS + 1 + WARMUP + HOLDS + 50 };
static const char options[] = "{\"chains\":2,\"warmup\":20,\"draws\":2000,\"max_depth\":5}";

/* The rule holds at HOLDS draws. Its first look ends when the chains are far behind that, and then the run is stopped. */
struct fixture {
    crd_context *ctx;
    char folder[64], path[96];
    crd_dataset *dataset;
    pthread_mutex_t lock;
    pthread_cond_t news;
    int polls; /* how often chains asked whether to stop: before each transition */
    bool waits, stops;
};

static crd_status look(void *user, const char *path, int64_t draws, bool all, crdi_fit_verdict *out)
{
    (void)path;
    (void)all;
    struct fixture *t = user;
    *out = (crdi_fit_verdict){.holds = draws >= HOLDS, .draws = draws, .ess = 10, .r_hat = 1.1, .steps = 3};
    pthread_mutex_lock(&t->lock);
    while (t->waits && t->polls < FAR)
        pthread_cond_wait(&t->news, &t->lock);
    t->stops = t->waits;
    pthread_mutex_unlock(&t->lock);
    return CRD_OK;
}

static void done(void *user)
{
    (void)user;
}

static int stop(void *user)
{
    struct fixture *t = user;
    pthread_mutex_lock(&t->lock);
    t->polls++;
    pthread_cond_signal(&t->news);
    int stops = t->stops;
    pthread_mutex_unlock(&t->lock);
    return stops;
}

static void make(struct fixture *t)
{
    char csv[96];
    crd_table *table;
    *t = (struct fixture){.ctx = testing_context(), .folder = "/tmp/credence-looks-XXXXXX"};
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->news, NULL);
    assert_non_null(mkdtemp(t->folder));
    snprintf(t->path, sizeof t->path, "%s/run.crd", t->folder);
    snprintf(csv, sizeof csv, "%s/data.csv", t->folder);
    FILE *file = fopen(csv, "w");
    assert_non_null(file);
    fprintf(file, "x,y\n");
    for (int i = 0; i < ROWS; i++)
        fprintf(file, "%d,%d\n", i, i * i % 7);
    fclose(file);
    assert_ok(t->ctx, crd_csv_read(t->ctx, csv, NULL, &table));
    assert_ok(t->ctx,
              crd_dataset_make(t->ctx, table, &(crd_dataset_options){.target = "y", .scale = CRD_SCALE_STANDARD},
                               &t->dataset));
    crd_table_destroy(&table);
    unlink(csv);
}

static void clear(struct fixture *t)
{
    unlink(t->path);
    rmdir(t->folder);
    crd_dataset_destroy(&t->dataset);
    pthread_cond_destroy(&t->news);
    pthread_mutex_destroy(&t->lock);
    testing_context_destroy(&t->ctx);
}

static crd_status run(struct fixture *t, crdi_network_fit *fit)
{
    crdi_mcmc_report report;
    crdi_fit_rule rule = {.text = "ess=1", .look = look, .done = done, .user = t, .ess = 1};
    fit->rule = &rule;
    fit->mcmc.stop = stop;
    fit->mcmc.stop_user = t;
    assert_ok(t->ctx, crdi_network_fit_prepare(fit));
    crd_status status = crdi_network_fit_run(fit, &report);
    crdi_network_fit_clear(fit);
    return status;
}

static crd_status begin(struct fixture *t)
{
    crdi_network_fit fit = {
        .ctx = t->ctx,
        .method = "nuts",
        .dataset = t->dataset,
        .network = {.hidden = "none", .activation = "tanh", .prior = "normal:0,1", .noise = "half_cauchy:0.5"},
        .mcmc = {.chains = CHAINS, .warmup = WARMUP, .draws = DRAWS, .kernel = "nuts", .max_depth = 5},
        .data_name = "data",
        .options = options,
        .path = t->path,
        .seed = 3,
        .force = true};
    return run(t, &fit);
}

static crd_status resume(struct fixture *t)
{
    crdi_network_fit fit;
    crdi_network_resume *again;
    assert_ok(t->ctx, crdi_network_resume_open(t->ctx, t->path, &fit, &again));
    crd_status status = run(t, &fit);
    crdi_network_resume_close(&again);
    return status;
}

/* The states of the file, whose chains stand behind `draws` draws; 0: wherever. */
static crdi_run_states read_states(struct fixture *t, int64_t draws)
{
    crdi_network_run *net;
    crdi_run_states states;
    assert_ok(t->ctx, crdi_network_run_open(t->ctx, t->path, &net));
    assert_ok(t->ctx, crdi_run_states_read(t->ctx, net->run, &states));
    assert_int_equal(states.lanes, CHAINS);
    for (int c = 0; c < CHAINS && draws > 0; c++) {
        assert_non_null(states.saved[c].bytes);
        assert_int_equal(states.iteration[c], WARMUP + draws);
    }
    crdi_network_run_close(&net);
    return states;
}

/* The chains were beyond the draws at which the rule holds: their states there are in the file all the same. */
static void a_run_that_is_stopped_beyond_its_end_keeps_the_states_there(void **state)
{
    (void)state;
    struct fixture t;
    make(&t);
    assert_ok(t.ctx, begin(&t));
    crdi_run_states whole = read_states(&t, HOLDS);
    t.waits = true;
    t.polls = 0;
    assert_int_equal(begin(&t), CRD_INTERRUPTED);
    crdi_run_states stopped = read_states(&t, 0);
    for (int c = 0; c < CHAINS; c++)
        assert_true(stopped.iteration[c] > WARMUP + HOLDS);
    t.waits = t.stops = false;
    assert_ok(t.ctx, resume(&t));
    crdi_run_states again = read_states(&t, HOLDS);
    for (int c = 0; c < CHAINS; c++) {
        assert_int_equal(whole.saved[c].size, again.saved[c].size);
        assert_memory_equal(whole.saved[c].bytes, again.saved[c].bytes, whole.saved[c].size);
    }
    crdi_run_states_clear(&whole);
    crdi_run_states_clear(&stopped);
    crdi_run_states_clear(&again);
    clear(&t);
}

static crd_status count(void *user, const crdi_look_state *s)
{
    int64_t *seen = user;
    seen[s->chain] += s->draws;
    return CRD_OK;
}

/* What was cut or is none is refused, wherever that is. */
static void damaged_states_of_looks_are_refused(void **state)
{
    (void)state;
    struct fixture t;
    crdi_network_run *net;
    crdi_mcmc_saved looks = {0};
    int64_t seen[CHAINS] = {0};
    make(&t);
    t.waits = true;
    assert_int_equal(begin(&t), CRD_INTERRUPTED);
    assert_ok(t.ctx, crdi_network_run_open(t.ctx, t.path, &net));
    for (int c = 0; c < CHAINS; c++) {
        crdi_free(t.ctx, looks.bytes);
        assert_ok(t.ctx, crdi_run_looks_read(net->run, c, &looks));
        assert_ok(t.ctx, crdi_run_looks_each(t.ctx, looks.bytes, looks.size, count, seen));
    }
    assert_true(seen[0] >= 150 + HOLDS && seen[1] >= 150 + HOLDS);
    for (size_t cut = 1; cut < looks.size; cut += looks.size / 50) {
        assert_int_equal(crdi_run_looks_each(t.ctx, looks.bytes, looks.size - cut, count, seen) == CRD_OK, false);
        crd_error_clear(t.ctx);
    }
    crdi_free(t.ctx, looks.bytes);
    crdi_network_run_close(&net);
    clear(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_that_is_stopped_beyond_its_end_keeps_the_states_there),
        cmocka_unit_test(damaged_states_of_looks_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
