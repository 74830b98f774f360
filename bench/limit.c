/* limit.c - the tutorial's model in loops written by hand for it alone, and in credence, by turns in one run, in processor time.
 *
 *     limit [--repeat N] [--kernels NAME] [--format text|json]
 *
 * For each width and instruction set: the log density with its gradient, and a leapfrog step (credence: of NUTS, with
 * everything in a transition counted), credence's in double and in single precision. All take turns of a few milliseconds, so that both meet the same noise; the
 * ratio printed is the median of the ratios of turns. */
#include <credence/nn.h>
#include <credence/random.h>
#include "base/base.h"
#include "hand/hand.h"
#include "infer/mcmc/chain.h"
#include "nn/tutorial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_TURNS = 1001, WARMUP = 60, PRECISIONS = 2 };

/* credence in one precision. */
typedef struct side {
    crd_model *model;
    crdi_chain chain;
    crd_exec *exec;
    double gradient[MOST_TURNS], step[MOST_TURNS];
} side;

typedef struct limit {
    const char *kernels; /* NULL: all that this processor has */
    bool json;
    int turns;
    int units;
    int batch; /* gradients a turn: some 5 ms of those by hand */
    const hand_model *hand;
    hand_work *work;
    side side[PRECISIONS];
    double hand_gradient[MOST_TURNS], hand_step[MOST_TURNS];
} limit;

/* Of this thread: other programs take the processor away, not this time. */
static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *values, int count)
{
    double sorted[MOST_TURNS];
    memcpy(sorted, values, sizeof *values * (size_t)count);
    qsort(sorted, (size_t)count, sizeof *sorted, ascending);
    return sorted[count / 2];
}

static double median_ratio(const double *a, const double *b, int count)
{
    double ratio[MOST_TURNS];
    for (int i = 0; i < count; i++)
        ratio[i] = a[i] / b[i];
    return median(ratio, count);
}

/* ---- turns ------------------------------------------------------------------------------------------------------ */

static double time_hand_gradient(limit *l, const double *u)
{
    double gradient[HAND_DIM], start = cpu_seconds();
    for (int i = 0; i < l->batch; i++)
        l->hand->gradient(l->work, u, gradient);
    return (cpu_seconds() - start) / l->batch;
}

static double time_gradient(limit *l, crd_exec *exec)
{
    double start = cpu_seconds();
    for (int i = 0; i < l->batch; i++)
        crd_exec_run(exec);
    return (cpu_seconds() - start) / l->batch;
}

/* Trajectories of 63 steps from where the chain is, with its step size and metric. */
static double time_hand_step(limit *l, const crdi_chain *chain)
{
    enum { LENGTH = 63 };
    double u[HAND_DIM], p[HAND_DIM], gradient[HAND_DIM];
    size_t bytes = sizeof(double) * (size_t)chain->h.dim;
    int count = l->batch / LENGTH;
    double start = cpu_seconds();
    for (int i = 0; i < count; i++) {
        memcpy(u, chain->h.q, bytes);
        memcpy(p, chain->h.p, bytes);
        memcpy(gradient, chain->h.grad, bytes);
        l->hand->leapfrog(l->work, chain->h.step_size, chain->h.metric.inverse_mass, LENGTH, u, p, gradient);
    }
    return (cpu_seconds() - start) / (count * LENGTH);
}

static double time_step(limit *l, crdi_chain *chain)
{
    crdi_transition t;
    int64_t before = chain->h.gradients;
    double start = cpu_seconds();
    while (chain->h.gradients - before < l->batch)
        crdi_chain_advance(chain, &t);
    return (cpu_seconds() - start) / (double)(chain->h.gradients - before);
}

static void take_turns(limit *l)
{
    double *u = crd_exec_input(l->side[0].exec);
    l->batch = 1000;
    l->batch = (int)(5e-3 / time_hand_gradient(l, u)) + 100;
    time_hand_gradient(l, u); /* to get warm */
    for (int p = 0; p < PRECISIONS; p++)
        time_gradient(l, l->side[p].exec);
    for (int i = 0; i < l->turns; i++) {
        l->hand_gradient[i] = time_hand_gradient(l, u);
        for (int p = 0; p < PRECISIONS; p++)
            l->side[p].gradient[i] = time_gradient(l, l->side[p].exec);
        l->hand_step[i] = time_hand_step(l, &l->side[0].chain);
        for (int p = 0; p < PRECISIONS; p++)
            l->side[p].step[i] = time_step(l, &l->side[p].chain);
    }
}

static const crd_nuts_options options = {.warmup = WARMUP,
                                         .draws = 1,
                                         .kernel = "nuts",
                                         .metric = "diagonal",
                                         .target_accept = 0.8,
                                         .max_depth = 10,
                                         .max_energy_change = 1000,
                                         .init_radius = 2};

/* A chain behind its warm-up, and an exec at its point. */
static crd_status make_side(side *s, crd_context *ctx, crd_network *network, crd_precision precision)
{
    crdi_transition t;
    network->precision = precision;
    CRD_TRY(crd_model_create(&s->model, ctx, crd_network_model, network));
    CRD_TRY(crdi_chain_create(&s->chain, ctx, crd_model_density(s->model), &options, crd_key_make(1234)));
    CRD_TRY(crd_exec_create(&s->exec, crd_model_density(s->model)));
    CRD_TRY(crdi_chain_start(&s->chain, 0));
    for (int i = 0; i < WARMUP; i++)
        crdi_chain_advance(&s->chain, &t);
    memcpy(crd_exec_input(s->exec), s->chain.h.q, sizeof(double) * (size_t)s->chain.h.dim);
    return CRD_OK;
}

static void clear_sides(limit *l)
{
    for (int p = 0; p < PRECISIONS; p++) {
        crd_exec_destroy(&l->side[p].exec);
        if (l->side[p].model)
            crdi_chain_destroy(&l->side[p].chain);
        crd_model_destroy(&l->side[p].model);
    }
}

/* ---- what is printed ---------------------------------------------------------------------------------------------- */

static void print_row(const limit *l, const char *what, const double *ours, const double *hand, const double *base)
{
    double limit_ns = 1e9 * median(hand, l->turns), ours_ns = 1e9 * median(ours, l->turns);
    double ratio = median_ratio(ours, hand, l->turns), to_gradient = median_ratio(ours, base, l->turns);
    if (l->json)
        printf("{\"kernels\": \"%s\", \"units\": %d, \"what\": \"%s\", \"hand_ns\": %.1f, \"credence_ns\": %.1f, "
               "\"ratio\": %.3f, \"to_hand_gradient\": %.3f}\n",
               l->hand->kernels, l->units, what, limit_ns, ours_ns, ratio, to_gradient);
    else
        printf("%-9s %5d  %-21s %9.1f %10.1f %7.2f %18.2f\n", l->hand->kernels, l->units, what, limit_ns, ours_ns,
               ratio, to_gradient);
}

static crd_status run_width(limit *l, crd_context *ctx, int units)
{
    double y[CRDI_TUTORIAL_ROWS], x[CRDI_TUTORIAL_ROWS];
    char hidden[16];
    crdi_tutorial_regression(x, y);
    crd_array observed = crd_array_borrow(y, crd_shape_1(HAND_ROWS));
    snprintf(hidden, sizeof hidden, "%d", units);
    crd_network network = {.hidden = hidden,
                           .activation = "tanh",
                           .prior = "normal:0,1",
                           .noise = "half_cauchy:0.5",
                           .x = crd_array_borrow(x, crd_shape_2(HAND_ROWS, 1)),
                           .y = &observed};
    memcpy(l->work->x, x, sizeof x);
    memcpy(l->work->y, y, sizeof y);
    l->units = units;
    l->hand = hand_find(crd_context_kernels(ctx), units);
    crd_status status = make_side(&l->side[0], ctx, &network, CRD_DOUBLE);
    if (status == CRD_OK)
        status = make_side(&l->side[1], ctx, &network, CRD_SINGLE);
    if (status == CRD_OK) {
        take_turns(l);
        print_row(l, "gradient", l->side[0].gradient, l->hand_gradient, l->hand_gradient);
        print_row(l, "leapfrog step", l->side[0].step, l->hand_step, l->hand_gradient);
        print_row(l, "gradient, single", l->side[1].gradient, l->hand_gradient, l->hand_gradient);
        print_row(l, "leapfrog step, single", l->side[1].step, l->hand_step, l->hand_gradient);
    }
    clear_sides(l);
    return status;
}

static int run(limit *l)
{
    int tables = 0;
    if (!l->json)
        printf("%-9s %5s  %-21s %9s %10s %7s %18s\n", "kernels", "units", "ns of", "by hand", "credence", "ratio",
               "to hand's gradient");
    for (int i = 0; i < crdi_kernels_count(); i++) {
        const crdi_kernel_table *table = crdi_kernels_get(i);
        crd_context *ctx;
        if ((l->kernels && strcmp(l->kernels, table->name) != 0) || !crdi_kernels_usable(table))
            continue;
        tables++;
        if (crd_context_create(&ctx, &(crd_context_options){.kernels = table->name}) < 0)
            return 1;
        crd_status status = run_width(l, ctx, 10);
        if (status == CRD_OK)
            status = run_width(l, ctx, 100);
        if (status < 0)
            fprintf(stderr, "limit: %s\n", crd_error_message(ctx));
        crd_context_destroy(&ctx);
        if (status < 0)
            return 1;
    }
    if (!tables)
        fprintf(stderr, "limit: no kernels '%s' here; there are avx512, avx2, portable where the processor has them\n",
                l->kernels);
    return tables ? 0 : 2;
}

int main(int count, char **argument)
{
    static hand_work work;
    static limit l = {.turns = 21, .work = &work};
    for (int i = 1; i < count; i += 2) {
        const char *value = i + 1 < count ? argument[i + 1] : "";
        if (strcmp(argument[i], "--repeat") == 0)
            l.turns = atoi(value);
        else if (strcmp(argument[i], "--kernels") == 0)
            l.kernels = value;
        else if (strcmp(argument[i], "--format") == 0 && (strcmp(value, "json") == 0 || strcmp(value, "text") == 0))
            l.json = strcmp(value, "json") == 0;
        else
            l.turns = 0;
    }
    if (l.turns < 1 || l.turns > MOST_TURNS) {
        fprintf(stderr, "usage: limit [--repeat 1..%d] [--kernels NAME] [--format text|json]\n", MOST_TURNS);
        return 2;
    }
    return run(&l);
}
