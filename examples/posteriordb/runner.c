/* runner.c - see runner.h. Variables come from JSON as posteriordb and Stan have it: an object of numbers and (nested)
 * arrays of numbers. The columns of a reference are called "mu" or "theta[3]", counted from 1, after a "chain" column. */
#include "runner.h"
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_VARIABLES = 32, EXIT_DISAGREES = 1 };
static const double AGREES = 5; /* Monte Carlo standard errors */

/* ---- data --------------------------------------------------------------------------------------------------- */

struct data {
    crd_context *ctx;
    json_t *json; /* owns the names */
    int count;
    struct {
        const char *name;
        crd_array array;
    } variable[MOST_VARIABLES];
};

static const crd_array nothing = {.shape = {.ndim = 1}};

const crd_array *array_of(crd_trace *trace, const void *user, const char *name)
{
    const struct data *data = user;
    for (int i = 0; i < data->count; i++)
        if (strcmp(data->variable[i].name, name) == 0)
            return &data->variable[i].array;
    crd_trace_fail(trace, CRD_EDATA, CRD_HERE, "the data have no %s", name);
    return &nothing;
}

double number_of(crd_trace *trace, const void *user, const char *name)
{
    const crd_array *array = array_of(trace, user, name);
    if (array != &nothing && array->shape.ndim == 0)
        return array->data[0];
    crd_trace_fail(trace, CRD_EDATA, CRD_HERE, "%s of the data is no number", name);
    return 0;
}

/* Copies a number or a rectangle of numbers, row by row; 0 if it is something else. */
static int copy_numbers(const json_t *value, crd_shape shape, double **out)
{
    if (shape.ndim == 0) {
        *(*out)++ = json_number_value(value);
        return json_is_number(value);
    }
    crd_shape row = {.ndim = shape.ndim - 1};
    memcpy(row.dim, &shape.dim[1], sizeof row.dim[0] * (size_t)row.ndim);
    if (!json_is_array(value) || (int64_t)json_array_size(value) != shape.dim[0])
        return 0;
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!copy_numbers(json_array_get(value, i), row, out))
            return 0;
    return 1;
}

static crd_status read_data(struct data *data, const char *path)
{
    json_error_t error;
    const char *name;
    json_t *value;
    if (!(data->json = json_load_file(path, 0, &error))) {
        fprintf(stderr, "%s: %s (line %d)\n", path, error.text, error.line);
        return json_error_code(&error) == json_error_cannot_open_file ? CRD_EMISSING : CRD_EDATA;
    }
    json_object_foreach(data->json, name, value)
    {
        crd_shape shape = {0};
        for (const json_t *row = value; json_is_array(row) && shape.ndim < CRD_MAX_DIMS; row = json_array_get(row, 0))
            shape.dim[shape.ndim++] = (int64_t)json_array_size(row);
        if (data->count == MOST_VARIABLES) {
            fprintf(stderr, "%s: more than %d variables\n", path, MOST_VARIABLES);
            return CRD_EDATA;
        }
        crd_array *array = &data->variable[data->count].array;
        CRD_TRY(crd_array_init(data->ctx, array, shape));
        data->variable[data->count++].name = name;
        double *next = array->data;
        if (!copy_numbers(value, shape, &next)) {
            fprintf(stderr, "%s: %s is no number and no rectangle of numbers\n", path, name);
            return CRD_EDATA;
        }
    }
    return CRD_OK;
}

static void clear_data(struct data *data)
{
    for (int i = 0; i < data->count; i++)
        crd_array_clear(&data->variable[i].array);
    json_decref(data->json);
}

/* ---- summaries and comparison ------------------------------------------------------------------------------- */

struct estimate {
    double mean, sd, mean_error, sd_error;
};

static crd_status estimate(crd_context *ctx, const double *x, int64_t chains, int64_t draws, struct estimate *out)
{
    out->mean = crd_diag_mean(x, chains * draws);
    out->sd = crd_diag_sd(x, chains * draws);
    CRD_TRY(crd_diag_mcse_mean(ctx, x, chains, draws, &out->mean_error));
    return crd_diag_mcse_sd(ctx, x, chains, draws, &out->sd_error);
}

/* Draws of one quantity, which is called as in Stan. Shows a row; *worst becomes the largest |z| so far. */
static crd_status show(const crd_posterior *p, const char *name, const double *x, const struct estimate *reference,
                       double *worst)
{
    struct estimate e;
    double n_eff;
    CRD_TRY(estimate(p->ctx, x, p->chains, p->draws, &e));
    CRD_TRY(crd_diag_n_eff(p->ctx, x, p->chains, p->draws, &n_eff));
    printf("%-16s %12.6g %12.6g %8.0f %7.3f", name, e.mean, e.sd, n_eff,
           crd_diag_split_gelman_rubin(x, p->chains, p->draws));
    if (reference) {
        double z_mean = (e.mean - reference->mean) / hypot(e.mean_error, reference->mean_error);
        double z_sd = (e.sd - reference->sd) / hypot(e.sd_error, reference->sd_error);
        printf(" %12.6g %12.6g %7.2f %7.2f", reference->mean, reference->sd, z_mean, z_sd);
        *worst = fmax(*worst, isfinite(z_mean) && isfinite(z_sd) ? fmax(fabs(z_mean), fabs(z_sd)) : INFINITY);
    }
    printf("\n");
    return CRD_OK;
}

/* The draws of the element that Stan calls "name[i]" or "name"; 0 if the posterior lacks it. */
static int find_series(const crd_posterior *p, const char *stan_name, double *out)
{
    char name[64];
    const char *bracket = strchr(stan_name, '[');
    size_t length = bracket ? (size_t)(bracket - stan_name) : strlen(stan_name);
    snprintf(name, sizeof name, "%.*s", (int)length, stan_name);
    const crd_column *column = crd_posterior_find(p, name);
    int64_t element = bracket ? strtoll(bracket + 1, NULL, 10) - 1 : 0;
    if (!column || column->shape.ndim != (bracket ? 1 : 0) || element < 0 || element >= column->size)
        return 0;
    crd_posterior_series(p, column, element, out);
    return 1;
}

static crd_status compare(const crd_posterior *p, const crd_table *reference, double *series, double *worst)
{
    int64_t column = crd_table_find(reference, "chain"), chains = 1;
    for (int64_t row = 1; column >= 0 && row < reference->row_count; row++)
        chains += reference->column[column].number[row] != reference->column[column].number[row - 1];
    if (column < 0 || reference->row_count % chains) {
        fprintf(stderr, "%s: no column \"chain\", or chains of different lengths\n", reference->name);
        return CRD_EDATA;
    }
    for (int64_t k = 0; k < reference->column_count; k++) {
        struct estimate e;
        const crd_table_column *c = &reference->column[k];
        if (k == column)
            continue;
        if (!find_series(p, c->name, series)) {
            fprintf(stderr, "%s: the model has no %s\n", reference->name, c->name);
            return CRD_ENAME;
        }
        CRD_TRY(estimate(p->ctx, c->number, chains, reference->row_count / chains, &e));
        CRD_TRY(show(p, c->name, series, &e, worst));
    }
    return CRD_OK;
}

static crd_status show_all(const crd_posterior *p, double *series)
{
    for (int c = 0; c < p->column_count; c++)
        for (int64_t i = 0; p->column[c].kind != CRD_COLUMN_STATISTIC && i < p->column[c].size; i++) {
            char name[96] = "";
            snprintf(name, sizeof name, p->column[c].size > 1 ? "%s[%lld]" : "%s", p->column[c].name, (long long)i + 1);
            crd_posterior_series(p, &p->column[c], i, series);
            CRD_TRY(show(p, name, series, NULL, NULL));
        }
    return CRD_OK;
}

static crd_status report(const crd_posterior *p, const char *reference, double *worst)
{
    crd_table *table = NULL;
    double *series = malloc(sizeof *series * (size_t)(p->chains * p->draws));
    crd_status status = series ? CRD_OK : CRD_ENOMEM;
    if (status == CRD_OK && reference)
        status = crd_csv_read(p->ctx, reference, NULL, &table);
    if (status == CRD_OK) {
        printf("%-16s %12s %12s %8s %7s%s\n", "", "mean", "sd", "n_eff", "r_hat",
               table ? "     ref mean       ref sd  z mean    z sd" : "");
        status = table ? compare(p, table, series, worst) : show_all(p, series);
    }
    free(series);
    crd_table_destroy(&table);
    return status;
}

/* ---- the program -------------------------------------------------------------------------------------------- */

struct arguments {
    const char *data, *reference;
    int64_t seed;
    crd_nuts_options nuts;
};

static int parse(int argc, char **argv, struct arguments *a)
{
    struct {
        const char *name;
        int64_t *value;
    } numbers[] = {{"--chains", &a->nuts.chains},
                   {"--warmup", &a->nuts.warmup},
                   {"--draws", &a->nuts.draws},
                   {"--seed", &a->seed},
                   {"--threads", &a->nuts.threads}};
    struct {
        const char *name, **value;
    } words[] = {{"--reference", &a->reference}, {"--metric", &a->nuts.metric}, {"--adaptation", &a->nuts.adaptation}};
    for (int i = 1; i < argc; i++) {
        int known = 0;
        for (size_t k = 0; k < sizeof words / sizeof *words && i + 1 < argc && !known; k++)
            if ((known = strcmp(argv[i], words[k].name) == 0))
                *words[k].value = argv[++i];
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers && i + 1 < argc && !known; k++)
            if ((known = strcmp(argv[i], numbers[k].name) == 0))
                *numbers[k].value = strtoll(argv[++i], NULL, 10);
        if (known)
            continue;
        if (!a->data && argv[i][0] != '-')
            a->data = argv[i];
        else
            return 0;
    }
    return a->data != NULL;
}

static crd_status run(crd_context *ctx, const struct example *example, const struct arguments *arguments, double *worst)
{
    struct data data = {.ctx = ctx};
    crd_model *model = NULL;
    crd_posterior *p = NULL;
    crd_status status = read_data(&data, arguments->data);
    if (status == CRD_OK)
        status = crd_model_create(&model, ctx, example->model, &data);
    if (status == CRD_OK)
        status = crd_nuts_run(model, &arguments->nuts, crd_key_make((uint64_t)arguments->seed), &p);
    if (status == CRD_OK)
        status = report(p, arguments->reference, worst);
    if (status == CRD_OK)
        printf("target_accept %g, max_depth %lld, %lld divergences, %lld gradients, %.2f s\n",
               arguments->nuts.target_accept, (long long)arguments->nuts.max_depth,
               (long long)crd_posterior_divergences(p), (long long)p->gradient_evaluations,
               p->warmup_seconds + p->sampling_seconds);
    crd_posterior_destroy(&p);
    crd_model_destroy(&model);
    clear_data(&data);
    return status;
}

int example_main(int argc, char **argv, const struct example *example)
{
    crd_context *ctx;
    double worst = 0;
    struct arguments arguments = {.seed = 1234,
                                  .nuts = {.target_accept = example->target_accept ? example->target_accept : 0.8,
                                           .max_depth = example->max_depth ? example->max_depth : 10,
                                           .keep = example->keep}};
    while (example->keep[arguments.nuts.keep_count])
        arguments.nuts.keep_count++;
    if (!parse(argc, argv, &arguments)) {
        fprintf(stderr,
                "usage: %s DATA.json [--reference DRAWS.csv] [--chains N] [--warmup N] [--draws N] [--seed N]"
                " [--threads N] [--metric NAME] [--adaptation NAME]\n",
                argv[0]);
        return crd_status_exit_code(CRD_EINVAL);
    }
    if (crd_context_create(&ctx, NULL) < 0)
        return crd_status_exit_code(CRD_ENOMEM);
    crd_status status = run(ctx, example, &arguments, &worst);
    fflush(stdout); /* what was shown comes before what is said of it */
    if (status < 0 && *crd_error_message(ctx)) /* what is wrong with files was said where they are read */
        fprintf(stderr, "%s: %s\n", crd_status_name(status), crd_error_message(ctx));
    crd_context_destroy(&ctx);
    if (status == CRD_OK && worst > AGREES) {
        fprintf(stderr, "does not agree with the reference: a difference of %.1f standard errors\n", worst);
        return EXIT_DISAGREES;
    }
    return crd_status_exit_code(status);
}
