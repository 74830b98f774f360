/* variational.c - the tutorial's model with a prior of standard deviation 10, fitted by variational inference: the loss, the
 * bound of the evidence, and the prediction at a few inputs. */
#include <credence/credence.h>
#include <math.h>
#include <stdio.h>

enum { N = 40, TEST = 7, DRAWS = 1000 };

struct table {
    crd_array x; /* (n, 1) */
    crd_array *y; /* (n) or NULL */
};

static crd_node regression(crd_trace *t, void *user)
{
    const struct table *d = user;
    crd_node x = crd_data(t, "x", &d->x);
    const crd_module *net = crd_mlp(t, (int64_t[]){10}, 1, 1, "tanh");
    crd_node f = crd_random_module(t, "net", net, x, crd_prior(t, "normal:0,10"));
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

static void print_predictions(const double *x, const crd_array *f)
{
    for (int i = 0; i < TEST; i++) {
        double sum = 0, sum2 = 0;
        for (int d = 0; d < DRAWS; d++) {
            sum += f->data[d * TEST + i];
            sum2 += f->data[d * TEST + i] * f->data[d * TEST + i];
        }
        double mean = sum / DRAWS;
        printf("f(%4.1f) = %6.2f +- %.2f\n", x[i], mean, sqrt(sum2 / DRAWS - mean * mean));
    }
}

static crd_status run(crd_context *ctx)
{
    double x[N], y[N], x_test[TEST], elbo, error;
    make_data(crd_key_make(0), x, y);
    for (int i = 0; i < TEST; i++)
        x_test[i] = -1.5 + 0.5 * i;
    crd_array observed = crd_array_borrow(y, crd_shape_1(N));
    struct table train = {crd_array_borrow(x, crd_shape_2(N, 1)), &observed};
    struct table test = {crd_array_borrow(x_test, crd_shape_2(TEST, 1)), NULL};
    crd_svi_options options = {.guide = "normal",
                               .loss = "trace_mean_field",
                               .particles = 10,
                               .init_scale = 1e-3,
                               .optimizer = "clip_by_global_norm:10,adam,scale:-1e-2",
                               .restarts = 5};
    crd_svi *svi;
    crd_posterior *posterior;
    crd_array f;

    CRD_TRY(crd_svi_fit(ctx, regression, &train, &options, crd_key_make(1234), &svi));
    const crd_svi_history *h = crd_svi_history_of(svi);
    CRD_TRY(crd_svi_elbo(svi, DRAWS, crd_key_make(1), &elbo, &error));
    printf("loss %.1f after %lld steps, ELBO %.1f +- %.1f, %.1f us a step\n", h->final_loss[h->restart],
           (long long)h->steps, elbo, error, 1e6 * h->seconds / (double)h->steps);
    CRD_TRY(crd_svi_draw(svi, DRAWS, NULL, 0, crd_key_make(2), &posterior));
    CRD_TRY(crd_svi_predict(svi, posterior, &test, "f", crd_key_make(3), &f)); /* (1, 1000, 7) */
    print_predictions(x_test, &f);
    crd_array_clear(&f);
    crd_posterior_destroy(&posterior);
    crd_svi_destroy(&svi);
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
