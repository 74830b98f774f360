/* count.c - work whose instructions are counted: a gradient, and transitions of NUTS, of three models.
 *
 * What callgrind counts are the functions region_*, one part of its output a call. A line of standard output names each
 * call, in order, with the number that its count is to be divided by: gradients, or leapfrog steps (how many steps a
 * transition makes hangs on the last bits, what one costs does not). Sizes of steps are fixed: there is no warm-up. */
#include <credence/nn.h>
#include <credence/random.h>
#include "infer/mcmc/chain.h"
#include "nn/tutorial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SPIRAL_ROWS = 300, TRANSITIONS = 2 };

/* Out of line, under its own name. */
#if defined(__clang__)
#define REGION __attribute__((noinline))
#else
#define REGION __attribute__((noinline, noclone))
#endif
void region_gradient(crd_exec *exec, int count);
void region_transition(crdi_chain *chain, int count);

REGION void region_gradient(crd_exec *exec, int count)
{
    for (int i = 0; i < count; i++)
        crd_exec_run(exec);
}

REGION void region_transition(crdi_chain *chain, int count)
{
    crdi_transition t;
    for (int i = 0; i < count; i++)
        crdi_chain_advance(chain, &t);
}

static crd_status count_gradient(const char *name, const crd_model *model, int count)
{
    crd_exec *exec;
    CRD_TRY(crd_exec_create(&exec, crd_model_density(model)));
    crd_random_normal(crd_key_make(1), crd_model_dim(model), crd_exec_input(exec));
    crd_exec_run(exec);
    region_gradient(exec, count);
    crd_exec_destroy(&exec);
    printf("%s gradient %d\n", name, count);
    return CRD_OK;
}

static crd_status count_transition(const char *name, const crd_model *model, double step)
{
    crdi_chain chain;
    crdi_transition t;
    crd_nuts_options options = {.warmup = 0,
                                .draws = 1,
                                .kernel = "nuts",
                                .metric = "diagonal",
                                .step_size = step,
                                .target_accept = 0.8,
                                .max_depth = 4,
                                .max_energy_change = 1000,
                                .init_radius = 0.5};
    crd_status status =
        crdi_chain_create(&chain, crd_model_context(model), crd_model_density(model), &options, crd_key_make(1));
    if (status == CRD_OK)
        status = crdi_chain_start(&chain, 0);
    if (status == CRD_OK) {
        crdi_chain_advance(&chain, &t);
        int64_t before = chain.h.gradients;
        region_transition(&chain, TRANSITIONS);
        printf("%s transition %lld\n", name, (long long)(chain.h.gradients - before));
    }
    crdi_chain_destroy(&chain);
    return status;
}

static crd_status count_model(const char *name, crd_context *ctx, crd_model_fn fn, void *user, int gradients,
                              double step)
{
    crd_model *model;
    CRD_TRY(crd_model_create(&model, ctx, fn, user));
    crd_status status = count_gradient(name, model, gradients);
    if (status == CRD_OK)
        status = count_transition(name, model, step);
    crd_model_destroy(&model);
    return status;
}

/* ---- models ------------------------------------------------------------------------------------------------------- */

static crd_status tutorial(crd_context *ctx)
{
    double x[CRDI_TUTORIAL_ROWS], y[CRDI_TUTORIAL_ROWS];
    crdi_tutorial_regression(x, y);
    crd_array observed = crd_array_borrow(y, crd_shape_1(CRDI_TUTORIAL_ROWS));
    crd_network network = {.hidden = "10",
                           .activation = "tanh",
                           .prior = "normal:0,1",
                           .noise = "half_cauchy:0.5",
                           .x = crd_array_borrow(x, crd_shape_2(CRDI_TUTORIAL_ROWS, 1)),
                           .y = &observed};
    return count_model("tutorial", ctx, crd_network_model, &network, 20, 0.02);
}

/* posteriordb's eight_schools_noncentered. */
static crd_node schools_model(crd_trace *t, void *user)
{
    static double y[] = {28, 8, -3, 7, -1, 1, 18, 12}, sigma[] = {15, 10, 16, 11, 9, 11, 10, 18};
    crd_array observed = crd_array_borrow(y, crd_shape_1(8)), errors = crd_array_borrow(sigma, crd_shape_1(8));
    (void)user;
    crd_node mu = crd_sample(t, "mu", crd_normal(crd_num(0), crd_num(5)));
    crd_node tau = crd_sample(t, "tau", crd_half_cauchy(crd_num(5)));
    crd_plate schools = crd_plate_enter(t, "schools", 8);
    crd_node theta_trans = crd_sample(t, "theta_trans", crd_normal(crd_num(0), crd_num(1)));
    crd_node theta = crd_deterministic(t, "theta", crd_add(mu, crd_mul(tau, theta_trans)));
    crd_observe(t, "y", crd_normal(theta, crd_data(t, "sigma", &errors)), &observed);
    crd_plate_leave(schools);
    return theta;
}

static crd_status schools(crd_context *ctx)
{
    return count_model("eight_schools", ctx, schools_model, NULL, 20, 0.2);
}

/* The spiral in its size: what the numbers are does not change what is done with them. */
static crd_status spiral(crd_context *ctx)
{
    static double x[SPIRAL_ROWS][2], y[SPIRAL_ROWS];
    crd_random_normal(crd_key_make(3), 2 * SPIRAL_ROWS, &x[0][0]);
    for (int i = 0; i < SPIRAL_ROWS; i++)
        y[i] = i % 3;
    crd_array observed = crd_array_borrow(y, crd_shape_1(SPIRAL_ROWS));
    crd_network network = {.hidden = "100",
                           .activation = "relu",
                           .prior = "normal:0,10",
                           .noise = "half_cauchy:0.5",
                           .likelihood = "categorical",
                           .classes = 3,
                           .x = crd_array_borrow(&x[0][0], crd_shape_2(SPIRAL_ROWS, 2)),
                           .y = &observed};
    return count_model("spiral", ctx, crd_network_model, &network, 2, 0.02);
}

int main(void)
{
    crd_context *ctx;
    if (crd_context_create(&ctx, &(crd_context_options){.kernels = "avx2"}) < 0) {
        puts("no AVX2");
        return 77;
    }
    crd_status status = tutorial(ctx);
    if (status == CRD_OK)
        status = schools(ctx);
    if (status == CRD_OK)
        status = spiral(ctx);
    if (status < 0)
        fprintf(stderr, "count: %s\n", crd_error_message(ctx));
    crd_context_destroy(&ctx);
    return status < 0 ? 1 : 0;
}
