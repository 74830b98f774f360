/* durable.c - a model of one's own whose run survives: stop this program by Ctrl-C or kill -9 and start it again; it goes on where
 * it was. Started once more with more draws, it makes those.
 *
 *   ./example_durable FILE.crd [DRAWS] */
#include <credence/credence.h>
#include <stdio.h>
#include <stdlib.h>

/* Eight schools (Rubin 1981): effects around a common mean. */
static crd_node schools(crd_trace *t, void *user)
{
    static double effect[] = {28, 8, -3, 7, -1, 1, 18, 12}, error[] = {15, 10, 16, 11, 9, 11, 10, 18};
    crd_array y = crd_array_borrow(effect, crd_shape_1(8)), sigma = crd_array_borrow(error, crd_shape_1(8));
    (void)user;
    crd_node mu = crd_sample(t, "mu", crd_normal(crd_num(0), crd_num(5)));
    crd_node tau = crd_sample(t, "tau", crd_half_cauchy(crd_num(5)));
    crd_node z = crd_sample(t, "z", crd_dist_expand(crd_normal(crd_num(0), crd_num(1)), crd_shape_1(8)));
    crd_node theta = crd_deterministic(t, "theta", crd_add(mu, crd_mul(tau, z)));
    crd_observe(t, "y", crd_normal(theta, crd_data(t, "sigma", &sigma)), &y);
    return theta;
}

static crd_status run(crd_context *ctx, const char *path, int64_t draws)
{
    static const char *const keep[] = {"theta"};
    crd_model *model;
    crd_nuts_options options = {.draws = draws, .keep = keep, .keep_count = 1};
    CRD_TRY(crd_model_create(&model, ctx, schools, NULL));
    crd_status status =
        crd_run_nuts(model, &options, crd_key_make(1), path, &(crd_run_how){.name = "eight schools", .resume = 1});
    crd_model_destroy(&model);
    return status;
}

int main(int argc, char **argv)
{
    crd_context *ctx;
    if (argc < 2 || crd_context_create(&ctx, NULL) < 0) {
        fprintf(stderr, "usage: %s FILE.crd [DRAWS]\n", argv[0]);
        return 2;
    }
    crd_status status = run(ctx, argv[1], argc > 2 ? atoll(argv[2]) : 1000);
    if (status < 0)
        fprintf(stderr, "%s\n", crd_error_message(ctx));
    else
        printf("%s is complete: 'credence summary %s' tells what it says\n", argv[1], argv[1]);
    crd_context_destroy(&ctx);
    return crd_status_exit_code(status);
}
