/* regression.c - the tutorial's model as a C program: a network whose every weight has a prior, drawn from with NUTS.
 * Without arguments it makes its data from a key; it prints the noise level and the prediction at a few inputs. */
#include <credence/credence.h>
#include <math.h>
#include <stdio.h>

enum { N = 40, TEST = 7 };

struct table {
    crd_array x; /* (n, 1) */
    crd_array *y; /* (n) or NULL */
};

static crd_node regression(crd_trace *t, void *user)
{
    const struct table *d = user;
    crd_node x = crd_data(t, "x", &d->x);
    const crd_module *net = crd_mlp(t, (int64_t[]){10}, 1, 1, "tanh");
    crd_node f = crd_random_module(t, "net", net, x, crd_prior(t, "normal:0,1"));
    crd_node s = crd_sample(t, "s", crd_half_cauchy(crd_num(0.5)));
    crd_plate data = crd_plate_enter(t, "data", d->x.shape.dim[0]);
    f = crd_deterministic(t, "f", crd_take(f, 1, 0));
    crd_observe(t, "y", crd_normal(f, s), d->y);
    crd_plate_leave(data);
    return f;
}

static void make_data(crd_key key, double *x, double *y)
{
    crd_key keys[2];
    crd_key_split(key, 2, keys);
    crd_random_uniform_between(keys[0], -1, 1, N, x);
    crd_random_normal(keys[1], N, y);
    for (int i = 0; i < N; i++)
        y[i] = x[i] * sin(5 * x[i]) + 0.1 * y[i];
}

static crd_status run(crd_context *ctx)
{
    double x[N], y[N], x_test[TEST];
    make_data(crd_key_make(0), x, y);
    for (int i = 0; i < TEST; i++)
        x_test[i] = -1.5 + 0.5 * i;
    crd_array observed = crd_array_borrow(y, crd_shape_1(N));
    struct table train = {crd_array_borrow(x, crd_shape_2(N, 1)), &observed};
    struct table test = {crd_array_borrow(x_test, crd_shape_2(TEST, 1)), NULL};
    crd_model *model;
    crd_posterior *posterior;
    crd_array f;

    CRD_TRY(crd_model_create(&model, ctx, regression, &train));
    CRD_TRY(crd_nuts_run(model, &(crd_nuts_options){.chains = 2, .warmup = 200, .draws = 2000}, crd_key_make(1234),
                         &posterior));
    const crd_column *s = crd_posterior_find(posterior, "s");
    int64_t draws = posterior->chains * posterior->draws;
    printf("s: %.3f +- %.3f, %lld divergences, %.2f s, %.2f us a gradient\n", crd_diag_mean(s->draws, draws),
           crd_diag_sd(s->draws, draws), (long long)crd_posterior_divergences(posterior),
           posterior->warmup_seconds + posterior->sampling_seconds,
           1e6 * posterior->gradient_seconds / (double)posterior->gradient_evaluations);
    CRD_TRY(crd_predict(model, posterior, &test, "f", crd_key_make(1), &f)); /* (2, 2000, 7) */
    for (int i = 0; i < TEST; i++) {
        double sum = 0, sum2 = 0;
        for (int64_t d = 0; d < draws; d++) {
            sum += f.data[d * TEST + i];
            sum2 += f.data[d * TEST + i] * f.data[d * TEST + i];
        }
        double mean = sum / (double)draws;
        printf("f(%4.1f) = %6.2f +- %.2f\n", x_test[i], mean, sqrt(sum2 / (double)draws - mean * mean));
    }
    crd_array_clear(&f);
    crd_posterior_destroy(&posterior);
    crd_model_destroy(&model);
    return CRD_OK;
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
