/* handlers.c - every handler of the language in use, around a whole model or around a part of one (docs/model.md). */
#include <credence/credence.h>
#include <math.h>
#include <stdio.h>

enum { SCHOOLS = 8 };

struct schools {
    double effect[SCHOOLS], error[SCHOOLS];
    int64_t batch; /* schools taken at a time; 0: all */
};

static const struct schools eight = {{28, 8, -3, 7, -1, 1, 18, 12}, {15, 10, 16, 11, 9, 11, 10, 18}, 0};

static crd_node schools(crd_trace *t, void *user)
{
    struct schools *d = user;
    crd_array effects = crd_array_borrow(d->effect, crd_shape_1(SCHOOLS));
    crd_array errors = crd_array_borrow(d->error, crd_shape_1(SCHOOLS));
    crd_node mu = crd_sample(t, "mu", crd_normal(crd_num(0), crd_num(5)));
    crd_node tau = crd_sample(t, "tau", crd_half_cauchy(crd_num(5)));
    crd_plate school = crd_plate_enter_with(t, "school", SCHOOLS, &(crd_plate_options){.subsample_size = d->batch});
    crd_node y = crd_subsample(school, crd_data(t, "y", &effects), 0);
    crd_node sigma = crd_subsample(school, crd_data(t, "sigma", &errors), 0);
    crd_node theta = crd_sample(t, "theta", crd_normal(mu, tau));
    crd_observe_value(t, "effect", crd_normal(theta, sigma), y);
    crd_plate_leave(school);
    return theta;
}

static crd_node schools_not_centred(crd_trace *t, void *user)
{
    crd_reparam_handler reparam;
    crd_reparam_init_loc_scale(&reparam, "theta", 0);
    crd_trace_push(t, &reparam.handler);
    crd_node theta = schools(t, user); /* theta is deterministic now, of theta_decentered */
    crd_trace_pop(t, &reparam.handler);
    return theta;
}

static crd_node transformed(crd_trace *t, void *user)
{
    (void)user;
    crd_reparam_handler reparam;
    crd_reparam_init_transform(&reparam, "scale*");
    crd_trace_push(t, &reparam.handler);
    crd_node scale = crd_sample(t, "scale", crd_log_normal(crd_num(0), crd_num(3))); /* exp of scale_base */
    crd_trace_pop(t, &reparam.handler);
    return scale;
}

static crd_node with_missing_values(crd_trace *t, void *user)
{
    (void)user;
    double y[] = {1.2, NAN, 0.7}, there[] = {1, 0, 1};
    crd_array data = crd_array_borrow(y, crd_shape_1(3)), mask = crd_array_borrow(there, crd_shape_1(3));
    crd_mask_handler known;
    crd_mask_init(&known, crd_data(t, "there", &mask));
    crd_node mean = crd_sample(t, "mean", crd_normal(crd_num(0), crd_num(1)));
    crd_plate rows = crd_plate_enter(t, "rows", 3);
    crd_trace_push(t, &known.handler);
    crd_observe(t, "y", crd_normal(mean, crd_num(1)), &data);
    crd_trace_pop(t, &known.handler);
    crd_plate_leave(rows);
    return mean;
}

static crd_node tempered(crd_trace *t, void *user)
{
    crd_scale_handler half;
    crd_scale_init(&half, 0.5); /* every site and factor inside counts half */
    crd_trace_push(t, &half.handler);
    crd_node theta = schools(t, user);
    crd_trace_pop(t, &half.handler);
    return theta;
}

static crd_node without_tau(crd_trace *t, void *user)
{
    crd_value values[] = {{"tau", crd_num(5), 0}, {0}};
    crd_substitute_handler fixed;
    crd_block_handler hidden;
    crd_substitute_init(&fixed, crd_lookup_values, values);
    crd_block_init(&hidden, "tau"); /* neither a latent site nor in the density; its value comes from inside */
    crd_trace_push(t, &hidden.handler);
    crd_trace_push(t, &fixed.handler);
    crd_node theta = schools(t, user);
    crd_trace_pop(t, &fixed.handler);
    crd_trace_pop(t, &hidden.handler);
    return theta;
}

static crd_node what_if(crd_trace *t, void *user)
{
    crd_value values[] = {{"mu", crd_num(50), 0}, {0}};
    crd_do_handler intervention;
    crd_do_init(&intervention, crd_lookup_values, values); /* theta sees 50; mu keeps its prior, and learns nothing */
    crd_trace_push(t, &intervention.handler);
    crd_node theta = schools(t, user);
    crd_trace_pop(t, &intervention.handler);
    return theta;
}

static crd_node mu_is_known(crd_trace *t, void *user)
{
    crd_value values[] = {{"mu", crd_num(8), 0}, {0}};
    crd_substitute_handler condition;
    crd_condition_init(&condition, crd_lookup_values, values); /* mu is data: it adds log p(8) */
    crd_trace_push(t, &condition.handler);
    crd_node theta = schools(t, user);
    crd_trace_pop(t, &condition.handler);
    return theta;
}

static crd_node line(crd_trace *t, void *user)
{
    (void)user;
    crd_node slope = crd_param(t, "slope", crd_num(1), CRD_REAL);
    crd_node noise = crd_param(t, "noise", crd_num(0.5), CRD_POSITIVE);
    return crd_sample(t, "y", crd_normal(slope, noise));
}

static crd_node bayesian_line(crd_trace *t, void *user)
{
    crd_lift_prior priors[] = {
        {"slope", crd_normal(crd_num(0), crd_num(2)), 0}, {"noise", crd_half_normal(crd_num(1)), 0}, {0}};
    crd_lift_handler lift;
    crd_lift_init(&lift, priors);
    crd_trace_push(t, &lift.handler);
    crd_node y = line(t, user);
    crd_trace_pop(t, &lift.handler);
    return y;
}

static void count(crd_handler *self, crd_trace *trace, crd_message *m)
{
    (void)trace;
    if (m->kind == CRD_MESSAGE_SAMPLE)
        ++*(int *)self->user;
}

static void print_line(void *user, const char *text)
{
    fprintf(user, "%s\n", text);
}

static crd_status trace_and_replay(crd_context *ctx, void *user)
{
    crd_trace *first = NULL, *again = NULL;
    crd_seed_handler seed;
    crd_replay_handler replay;
    int sites = 0;
    crd_handler counter = {.process = count, .user = &sites};
    CRD_TRY(crd_trace_create(&first, ctx));
    crd_seed_init(&seed, crd_key_node(crd_trace_graph(first), crd_key_make(1)));
    crd_trace_push(first, &seed.handler); /* draws what has no value */
    crd_trace_push(first, &counter);
    crd_status status = crd_trace_run(first, schools, user);
    if (status == CRD_OK)
        status = crd_trace_create(&again, ctx);
    if (status == CRD_OK) {
        crd_replay_init(&replay, first); /* the same values, and the same schools of a batch */
        crd_trace_push(again, &replay.handler);
        status = crd_trace_run(again, schools, user);
    }
    if (status == CRD_OK) {
        const double *a, *b;
        crd_node_known(crd_trace_log_density(first), &a);
        crd_node_known(crd_trace_log_density(again), &b);
        printf("%d sites; log density %.4f, replayed %.4f\n", sites, *a, *b);
    }
    crd_trace_destroy(&again);
    crd_trace_destroy(&first);
    return status;
}

static crd_status picture(crd_context *ctx, crd_model_fn model, void *user)
{
    crd_trace *trace;
    crd_handler inputs;
    CRD_TRY(crd_trace_create(&trace, ctx));
    crd_input_init(&inputs); /* values stay open, so that dependencies can be seen */
    crd_trace_push(trace, &inputs);
    crd_status status = crd_trace_run(trace, model, user);
    if (status == CRD_OK) {
        crd_trace_print_shapes(trace, print_line, stdout);
        status = crd_trace_print_dot(trace, print_line, stdout);
    }
    crd_trace_destroy(&trace);
    return status;
}

static crd_status density_at_a_start(crd_context *ctx, const char *name, crd_model_fn fn, void *user)
{
    crd_model *model;
    double u[16], density;
    CRD_TRY(crd_model_create(&model, ctx, fn, user));
    crd_status status = crd_model_start(model, &(crd_start){.kind = CRD_START_MEDIAN}, crd_key_make(3), u);
    if (status == CRD_OK)
        status = crd_model_log_density(model, u, &density, NULL);
    if (status == CRD_OK)
        printf("%-20s %2lld parameters, log density %8.3f at the prior's median\n", name,
               (long long)crd_model_dim(model), density);
    crd_model_destroy(&model);
    return status;
}

static crd_status pointwise(crd_context *ctx, void *user)
{
    crd_model *model;
    crd_program *program = NULL;
    crd_exec *exec = NULL;
    crd_shape shape;
    const char *effect = "effect";
    CRD_TRY(crd_model_create(&model, ctx, schools, user));
    crd_status status = crd_model_compile_log_likelihood(model, user, &effect, 1, &shape, &program);
    if (status == CRD_OK)
        status = crd_exec_create(&exec, program);
    if (status == CRD_OK) {
        double *values = crd_exec_input(exec); /* mu, tau, theta: in alphabetical order */
        values[1] = 1;
        for (int i = 0; i < SCHOOLS; i++)
            values[2 + i] = 8;
        crd_exec_run(exec);
        printf("log p(effect | theta = 8):");
        for (int i = 0; i < SCHOOLS; i++)
            printf(" %.2f", crd_exec_output(exec)[i]);
        printf("\n");
    }
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
    crd_model_destroy(&model);
    return status;
}

static crd_status run(crd_context *ctx)
{
    struct schools all = eight, batch = eight;
    batch.batch = 3;
    CRD_TRY(picture(ctx, schools, &all));
    CRD_TRY(trace_and_replay(ctx, &all));
    CRD_TRY(trace_and_replay(ctx, &batch));
    CRD_TRY(density_at_a_start(ctx, "centred", schools, &all));
    CRD_TRY(density_at_a_start(ctx, "not centred", schools_not_centred, &all));
    CRD_TRY(density_at_a_start(ctx, "transformed", transformed, NULL));
    CRD_TRY(density_at_a_start(ctx, "missing values", with_missing_values, NULL));
    CRD_TRY(density_at_a_start(ctx, "tempered", tempered, &all));
    CRD_TRY(density_at_a_start(ctx, "tau blocked", without_tau, &all));
    CRD_TRY(density_at_a_start(ctx, "do(mu = 50)", what_if, &all));
    CRD_TRY(density_at_a_start(ctx, "mu = 8 observed", mu_is_known, &all));
    CRD_TRY(density_at_a_start(ctx, "parameters held", line, NULL));
    CRD_TRY(density_at_a_start(ctx, "parameters lifted", bayesian_line, NULL));
    return pointwise(ctx, &all);
}

int main(void)
{
    crd_context *ctx;
    if (crd_context_create(&ctx, NULL) < 0)
        return 1;
    crd_status status = run(ctx);
    if (status < 0)
        fprintf(stderr, "%s: %s\n", crd_status_name(status), crd_error_message(ctx));
    crd_context_destroy(&ctx);
    return crd_status_exit_code(status);
}
