/* test_log_density.c - the unconstrained log density of networks and its gradient, against NumPyro's
 * (tests/data/log_density.json): all cases to 1e-10 relative, by every instruction set that the processor has. */
#include "kernel/kernel.h"
#include "testing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ROWS = 400 };

struct problem {
    const char *kind; /* "regression", "classification", "binary" */
    int64_t hidden[8];
    int layers;
    const char *activation;
    char prior[64];
    double x_data[2 * MAX_ROWS], y_data[MAX_ROWS];
    crd_array x, y;
};

static crd_node model(crd_trace *t, void *user)
{
    struct problem *p = user;
    bool classes = strcmp(p->kind, "classification") == 0, regression = strcmp(p->kind, "regression") == 0;
    const crd_module *mlp = crd_mlp(t, p->hidden, p->layers, classes ? 3 : 1, p->activation);
    crd_node out = crd_random_module(t, "net", mlp, crd_data(t, "x", &p->x), crd_prior(t, p->prior));
    crd_node s = regression ? crd_sample(t, "s", crd_half_cauchy(crd_num(0.5))) : out;
    crd_plate data = crd_plate_enter(t, "data", p->x.shape.dim[0]);
    if (classes)
        crd_observe(t, "y", crd_categorical_logits(out), &p->y);
    else if (regression)
        crd_observe(t, "y", crd_normal(crd_take(out, 1, 0), s), &p->y);
    else
        crd_observe(t, "y", crd_bernoulli_logits(crd_take(out, 1, 0)), &p->y);
    crd_plate_leave(data);
    return out;
}

/* Reads the data file of a case: "regression.csv", "spiral.csv" or "spiral.csv (label: y == 1)". */
static void read_data(struct problem *p, const char *file)
{
    char path[512], line[256];
    bool spiral = strncmp(file, "spiral", 6) == 0;
    int columns = spiral ? 2 : 1, rows = 0;
    snprintf(path, sizeof path, "%s/%s", TEST_DATA, spiral ? "spiral.csv" : "regression.csv");
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    while (fgets(line, sizeof line, f)) {
        char *at = line;
        for (int c = 0; c < columns; c++, at++)
            p->x_data[rows * columns + c] = strtod(at, &at);
        double y = strtod(at, NULL);
        p->y_data[rows++] = strcmp(p->kind, "binary") == 0 ? y == 1 : y;
    }
    fclose(f);
    p->x = crd_array_borrow(p->x_data, crd_shape_2(rows, columns));
    p->y = crd_array_borrow(p->y_data, crd_shape_1(rows));
}

static void check_case(crd_context *ctx, json_t *row)
{
    static struct problem p;
    memset(&p, 0, sizeof p);
    p.kind = json_string_value(json_object_get(row, "name"));
    p.activation = json_string_value(json_object_get(row, "act"));
    p.layers = (int)json_array_size(json_object_get(row, "hidden"));
    for (int i = 0; i < p.layers; i++)
        p.hidden[i] = json_integer_value(json_array_get(json_object_get(row, "hidden"), (size_t)i));
    snprintf(p.prior, sizeof p.prior, "normal:0,%.17g", testing_number(json_object_get(row, "prior_std")));
    read_data(&p, json_string_value(json_object_get(row, "data")));
    crd_model *m;
    assert_ok(ctx, crd_model_create(&m, ctx, model, &p));
    int64_t dim = crd_model_dim(m);
    double *z = calloc((size_t)dim, 8), *gradient = calloc((size_t)dim, 8), *expected = calloc((size_t)dim, 8), value;
    json_t *points = json_object_get(row, "points"), *names = json_object_get(row, "sites_in_order");
    for (size_t i = 0; i < json_array_size(names); i++)
        assert_string_equal(crd_model_site(m, (int)i)->name, json_string_value(json_array_get(names, i)));
    for (size_t i = 0; i < json_array_size(points); i++) {
        json_t *point = json_array_get(points, i);
        assert_int_equal(testing_numbers(json_object_get(point, "z"), NULL), dim);
        testing_numbers(json_object_get(point, "z"), z);
        testing_numbers(json_object_get(point, "grad"), expected);
        assert_ok(ctx, crd_model_log_density(m, z, &value, gradient));
        assert_close(value, testing_number(json_object_get(point, "log_density")), 1e-10, 0);
        /* Relative to the gradient's size: single elements may cancel to nothing. */
        double size = 0;
        for (int64_t d = 0; d < dim; d++)
            size = fmax(size, fabs(expected[d]));
        for (int64_t d = 0; d < dim; d++)
            assert_close(gradient[d], expected[d], 1e-10, 1e-13 * size);
    }
    free(z);
    free(gradient);
    free(expected);
    crd_model_destroy(&m);
}

static void densities_agree_with_numpyro(void **state)
{
    (void)state;
    for (int k = 0; k < crdi_kernels_count(); k++) {
        if (!crdi_kernels_usable(crdi_kernels_get(k)))
            continue;
        setenv("CREDENCE_KERNELS", crdi_kernels_get(k)->name, 1);
        crd_context *ctx = testing_context();
        json_t *file = testing_json("log_density.json"), *cases = json_object_get(file, "cases");
        assert_int_equal(json_array_size(cases), 14);
        for (size_t i = 0; i < json_array_size(cases); i++)
            check_case(ctx, json_array_get(cases, i));
        json_decref(file);
        testing_context_destroy(&ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(densities_agree_with_numpyro)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
