/* classes.c - the guide's classification in C: a network with three logits for spiral.csv (see data.c), by variational
 * inference, and what it knows at four places: the probabilities, and where their uncertainty comes from. */
#include <credence/credence.h>
#include <math.h>
#include <stdio.h>

enum { PLACES = 4, CLASSES = 3, DRAWS = 100 };

struct problem {
    crd_array x; /* (n, 2) */
    crd_array *y; /* (n): 0, 1 or 2; NULL: to be predicted */
};

static crd_node spiral(crd_trace *t, void *user)
{
    const struct problem *p = user;
    crd_node x = crd_data(t, "x", &p->x);
    const crd_module *mlp = crd_mlp(t, (int64_t[]){100}, 1, CLASSES, "relu");
    crd_node logits = crd_random_module(t, "net", mlp, x, crd_prior(t, "normal:0,10")); /* (n, 3) */

    crd_plate data = crd_plate_enter(t, "data", p->x.shape.dim[0]);
    crd_observe(t, "y", crd_categorical_logits(logits), p->y);
    crd_plate_leave(data);
    return crd_deterministic(t, "logits", logits);
}

/* logits is (1, DRAWS, PLACES, CLASSES). */
static void print_places(const crd_array *x, const crd_array *logits)
{
    for (int i = 0; i < PLACES; i++) {
        double p[DRAWS * CLASSES], mean[CLASSES];
        for (int d = 0; d < DRAWS; d++) {
            const double *z = logits->data + (d * PLACES + i) * CLASSES;
            double most = fmax(z[0], fmax(z[1], z[2])), sum = 0;
            for (int k = 0; k < CLASSES; k++)
                sum += p[d * CLASSES + k] = exp(z[k] - most);
            for (int k = 0; k < CLASSES; k++)
                p[d * CLASSES + k] /= sum;
        }
        crd_uncertainty u = crd_uncertainty_of_classes(p, NULL, DRAWS, CLASSES, mean);
        printf("(%4.1f, %4.1f): A %.2f, B %.2f, C %.2f; entropy %.3f = %.3f of the classes + %.3f of the weights\n",
               x->data[2 * i], x->data[2 * i + 1], mean[0], mean[1], mean[2], u.total, u.aleatoric, u.epistemic);
    }
}

static crd_status by_svi(crd_context *ctx, struct problem *train, struct problem *places)
{
    crd_svi *svi = NULL;
    crd_posterior *draws = NULL;
    crd_array logits = {0};
    crd_svi_options options = {.loss = "trace_mean_field",
                               .particles = 10,
                               .init_scale = 1e-2,
                               .optimizer = "clip_by_global_norm:10,adam,scale:-1e-2",
                               .steps = 3000};
    CRD_TRY(crd_svi_fit(ctx, spiral, train, &options, crd_key_make(1234), &svi));
    crd_status status = crd_svi_draw(svi, DRAWS, NULL, 0, crd_key_make(2), &draws);
    if (status == CRD_OK)
        status = crd_svi_predict(svi, draws, places, "logits", crd_key_make(3), &logits);
    if (status == CRD_OK)
        print_places(&places->x, &logits);
    crd_array_clear(&logits);
    crd_posterior_destroy(&draws);
    crd_svi_destroy(&svi);
    return status;
}

static crd_status run(crd_context *ctx)
{
    crd_table *table = NULL;
    crd_dataset *data = NULL;
    CRD_TRY(crd_csv_read(ctx, "spiral.csv", NULL, &table));
    crd_status status = crd_dataset_make(ctx, table, &(crd_dataset_options){.target = "arm"}, &data);
    if (status == CRD_OK) {
        double inputs[2 * PLACES] = {0.1, 0.1, 0, 0, 1, 1, -1, -0.4};
        struct problem train = {data->x, &data->y};
        struct problem places = {crd_array_borrow(inputs, crd_shape_2(PLACES, 2)), NULL};
        status = by_svi(ctx, &train, &places);
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
