/* regression.c - the guide's regression in C: a Bayesian network for regression.csv (see data.c), by NUTS and by variational
 * inference. It prints the noise, whether the chains agree, and the predictions at a few inputs. */
#include <credence/credence.h>
#include <stdio.h>

enum { TEST = 7 };

struct problem {
    crd_array x; /* (n, 1) */
    crd_array *y; /* (n); NULL: to be predicted */
    const char *prior;
};

static crd_node regression(crd_trace *t, void *user)
{
    const struct problem *p = user;
    crd_node x = crd_data(t, "x", &p->x);
    const crd_module *mlp = crd_mlp(t, (int64_t[]){10}, 1, 1, "tanh");
    crd_node output = crd_random_module(t, "net", mlp, x, crd_prior(t, p->prior)); /* (n, 1) */
    crd_node s = crd_sample(t, "s", crd_half_cauchy(crd_num(0.5)));

    crd_plate data = crd_plate_enter(t, "data", p->x.shape.dim[0]);
    crd_node f = crd_deterministic(t, "f", crd_take(output, 1, 0)); /* (n) */
    crd_observe(t, "y", crd_normal(f, s), p->y);
    crd_plate_leave(data);
    return f;
}

/* f is (chains, draws, TEST): the median and the 95 % interval of each input, over all draws. */
static crd_status print_bands(crd_context *ctx, const crd_array *x, const crd_array *f)
{
    int64_t draws = f->shape.dim[0] * f->shape.dim[1];
    crd_array column;
    CRD_TRY(crd_array_init(ctx, &column, crd_shape_1(draws)));
    crd_status status = CRD_OK;
    for (int i = 0; i < TEST && status == CRD_OK; i++) {
        double band[3];
        for (int64_t d = 0; d < draws; d++)
            column.data[d] = f->data[d * TEST + i];
        status = crd_diag_quantile(ctx, column.data, draws, (double[]){0.025, 0.5, 0.975}, 3, band);
        if (status == CRD_OK)
            printf("f(%4.1f) = %5.2f, 95 %% between %5.2f and %5.2f\n", x->data[i], band[1], band[0], band[2]);
    }
    crd_array_clear(&column);
    return status;
}

/* r_hat of f at the worst of the inputs: near 1 if the chains tell the same story about the function. */
static crd_status worst_r_hat(crd_context *ctx, const crd_array *f, double *worst)
{
    int64_t chains = f->shape.dim[0], draws = f->shape.dim[1];
    crd_array column;
    CRD_TRY(crd_array_init(ctx, &column, crd_shape_2(chains, draws)));
    crd_status status = CRD_OK;
    *worst = 0;
    for (int i = 0; i < TEST && status == CRD_OK; i++) {
        double r_hat = 0;
        for (int64_t d = 0; d < chains * draws; d++)
            column.data[d] = f->data[d * TEST + i];
        status = crd_diag_r_hat_rank(ctx, column.data, chains, draws, &r_hat);
        *worst = r_hat > *worst ? r_hat : *worst;
    }
    crd_array_clear(&column);
    return status;
}

static crd_status by_nuts(crd_context *ctx, struct problem *train, struct problem *test)
{
    crd_model *model = NULL;
    crd_posterior *posterior = NULL;
    crd_array f = {0};
    crd_nuts_options options = {.chains = 2, .warmup = 200, .draws = 2000};
    CRD_TRY(crd_model_create(&model, ctx, regression, train));
    crd_status status = crd_nuts_run(model, &options, crd_key_make(1234), &posterior);
    if (status == CRD_OK)
        status = crd_predict(model, posterior, test, "f", crd_key_make(1), &f);
    double r_hat = 0;
    if (status == CRD_OK)
        status = worst_r_hat(ctx, &f, &r_hat);
    if (status == CRD_OK) {
        const crd_column *s = crd_posterior_find(posterior, "s");
        int64_t all = posterior->chains * posterior->draws;
        printf("NUTS: s = %.3f +- %.3f, r_hat of f up to %.3f, %lld divergences\n", crd_diag_mean(s->draws, all),
               crd_diag_sd(s->draws, all), r_hat, (long long)crd_posterior_divergences(posterior));
        status = print_bands(ctx, &test->x, &f);
    }
    crd_array_clear(&f);
    crd_posterior_destroy(&posterior);
    crd_model_destroy(&model);
    return status;
}

static crd_status by_svi(crd_context *ctx, struct problem *train, struct problem *test)
{
    crd_svi *svi = NULL;
    crd_posterior *draws = NULL;
    crd_array f = {0};
    crd_svi_options options = {.guide = "normal",
                               .loss = "trace_mean_field",
                               .particles = 10,
                               .init_scale = 1e-3,
                               .optimizer = "clip_by_global_norm:10,adam,scale:-1e-2",
                               .steps = 10000};
    CRD_TRY(crd_svi_fit(ctx, regression, train, &options, crd_key_make(1234), &svi));
    crd_status status = crd_svi_draw(svi, 1000, NULL, 0, crd_key_make(2), &draws);
    if (status == CRD_OK)
        status = crd_svi_predict(svi, draws, test, "f", crd_key_make(3), &f);
    if (status == CRD_OK) {
        const crd_svi_history *history = crd_svi_history_of(svi);
        printf("SVI: loss %.1f after %lld steps\n", history->final_loss[history->restart], (long long)history->steps);
        status = print_bands(ctx, &test->x, &f);
    }
    crd_array_clear(&f);
    crd_posterior_destroy(&draws);
    crd_svi_destroy(&svi);
    return status;
}

static crd_status run(crd_context *ctx)
{
    crd_table *table = NULL;
    crd_dataset *data = NULL;
    CRD_TRY(crd_csv_read(ctx, "regression.csv", NULL, &table));
    crd_status status = crd_dataset_make(ctx, table, &(crd_dataset_options){.target = "y"}, &data);
    if (status == CRD_OK) {
        double inputs[TEST] = {-1.5, -1, -0.5, 0, 0.5, 1, 1.5};
        struct problem train = {data->x, &data->y, "normal:0,1"};
        struct problem test = {crd_array_borrow(inputs, crd_shape_2(TEST, 1)), NULL, "normal:0,1"};
        status = by_nuts(ctx, &train, &test);
        train.prior = test.prior = "normal:0,10";
        if (status == CRD_OK)
            status = by_svi(ctx, &train, &test);
    }
    crd_dataset_destroy(&data);
    crd_table_destroy(&table);
    return status;
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
