/* test_formats.c - draws that leave a run file and come back: InferenceData, CmdStan, NumPy; and files that are refused. */
#include "report/formats.h"
#include "report/run_loo.h"
#include "report/run_summary.h"
#include "store/dataset.h"
#include "store/netcdf.h"
#include "store/network_fit.h"
#include "testing.h"

#include <credence/mcmc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 150, CHAINS = 3, DRAWS = 12 };

static char folder[64], run_path[96], other[96], file[96], chain_path[CHAINS][96];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s", "/tmp/credence-formats-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(run_path, sizeof run_path, "%s/run.crd", folder);
    snprintf(other, sizeof other, "%s/other.crd", folder);
    snprintf(file, sizeof file, "%s/out", folder);
    for (int c = 0; c < CHAINS; c++)
        snprintf(chain_path[c], sizeof chain_path[c], "%s/out_%d.csv", folder, c + 1);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(run_path);
    unlink(other);
    unlink(file);
    for (int c = 0; c < CHAINS; c++)
        unlink(chain_path[c]);
    return rmdir(folder);
}

static crd_dataset *make_dataset(crd_context *ctx)
{
    crdi_string text;
    crd_table *table;
    crd_dataset *dataset;
    crdi_string_init(&text, ctx);
    crdi_string_append(&text, "x,z,y\n");
    for (int i = 0; i < ROWS; i++)
        crdi_string_append(&text, "%d,%.17g,%.17g\n", 5 + 3 * i, cos(i), 50 + 9 * sin(0.05 * i) + 2 * cos(11.0 * i));
    assert_ok(ctx, crd_csv_parse(ctx, "table", crdi_string_text(&text), text.length, NULL, &table));
    crdi_string_clear(&text);
    assert_ok(ctx, crd_dataset_make(ctx, table, &(crd_dataset_options){.target = "y", .scale = CRD_SCALE_STANDARD},
                                    &dataset));
    crd_table_destroy(&table);
    return dataset;
}

static crdi_network_run *open_run(crd_context *ctx)
{
    static const char *const kept[] = {"f"};
    crdi_mcmc_report report;
    crdi_network_run *net;
    crd_dataset *dataset = make_dataset(ctx);
    crdi_network_fit fit = {
        .ctx = ctx,
        .method = "nuts",
        .dataset = dataset,
        .network = {.hidden = "3,2", .activation = "tanh", .prior = "normal:0,1", .noise = "half_cauchy:0.5"},
        .mcmc = {.chains = CHAINS,
                 .warmup = 10,
                 .draws = DRAWS,
                 .kernel = "nuts",
                 .max_depth = 3,
                 .keep = kept,
                 .keep_count = 1},
        .data_name = "table",
        .options = "{}",
        .path = run_path,
        .seed = 3};
    assert_ok(ctx, crdi_network_fit_prepare(&fit));
    assert_ok(ctx, crdi_network_fit_run(&fit, &report));
    crdi_network_fit_clear(&fit);
    crd_dataset_destroy(&dataset);
    assert_ok(ctx, crdi_network_run_open(ctx, run_path, &net));
    return net;
}

static const crdi_draws_format *format_of(crd_context *ctx, const char *name)
{
    const crdi_draws_format *format = NULL;
    assert_ok(ctx, crdi_format_find(ctx, "--to", name, &format));
    return format;
}

static void write_as(crd_context *ctx, crdi_network_run *net, const char *name)
{
    assert_ok(ctx, crdi_export_write(format_of(ctx, name), &(crdi_export){.ctx = ctx, .net = net, .path = file}));
}

/* The same columns with the same draws; kinds too unless the format loses them. */
static void assert_same_draws(crd_context *ctx, crdi_network_run *net, const char *path, bool kinds)
{
    crd_run *run;
    crd_posterior *a, *b;
    assert_ok(ctx, crd_run_open(ctx, path, &run));
    assert_ok(ctx, crd_run_posterior(net->run, &a));
    assert_ok(ctx, crd_run_posterior(run, &b));
    assert_true(a->column_count == b->column_count && a->chains == b->chains && a->draws == b->draws);
    for (int c = 0; c < a->column_count; c++) {
        assert_string_equal(a->column[c].name, b->column[c].name);
        assert_true(crdi_shape_equal(a->column[c].shape, b->column[c].shape));
        assert_true(!kinds || a->column[c].kind == b->column[c].kind);
        assert_memory_equal(a->column[c].draws, b->column[c].draws,
                            (size_t)(a->chains * a->draws * a->column[c].size) * sizeof(double));
    }
    assert_int_equal(b->warmup, 10);
    crd_posterior_destroy(&a);
    crd_posterior_destroy(&b);
    crd_run_close(&run);
}

/* ---- InferenceData ---------------------------------------------------------------------------------------------- */

static void netcdf_comes_back(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = open_run(ctx);
    const crdi_draws_format *format;
    crdi_imported in;
    const char *path = file;
    write_as(ctx, net, "netcdf");
    assert_ok(ctx, crdi_format_detect(ctx, file, &format));
    assert_ptr_equal(format, &crdi_format_netcdf);
    assert_ok(ctx, format->read(ctx, &path, 1, &in));
    assert_string_equal(in.model, "network");
    assert_string_equal(in.method, "nuts");
    assert_ok(ctx, crdi_imported_write(ctx, &in, other, false));
    assert_same_draws(ctx, net, other, true);
    assert_int_equal(crdi_imported_write(ctx, &in, other, false), CRD_EEXISTS);
    crd_error_clear(ctx);
    assert_ok(ctx, crdi_imported_write(ctx, &in, other, true));
    crdi_imported_clear(ctx, &in);
    assert_int_equal(crdi_export_write(format, &(crdi_export){.ctx = ctx, .net = net, .path = file}), CRD_EEXISTS);
    crd_error_clear(ctx);
    assert_int_equal(crdi_export_write(format, &(crdi_export){.ctx = ctx, .net = net}), CRD_EMISSING);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

static double *read_variable(crd_context *ctx, const char *group_name, const char *name, int64_t *size)
{
    crdi_netcdf *nc;
    crdi_netcdf_variable v;
    int group, count;
    double *out = NULL;
    assert_ok(ctx, crdi_netcdf_open(ctx, file, &nc));
    assert_true(crdi_netcdf_find_group(nc, group_name, &group));
    assert_ok(ctx, crdi_netcdf_count_variables(nc, group, &count));
    for (int i = 0; i < count; i++) {
        assert_ok(ctx, crdi_netcdf_variable_at(nc, group, i, &v));
        if (strcmp(v.name, name) != 0)
            continue;
        *size = 1;
        for (int k = 0; k < v.ndim; k++)
            *size *= v.extent[k];
        out = malloc((size_t)*size * sizeof *out);
        assert_non_null(out);
        assert_ok(ctx, crdi_netcdf_read(nc, group, &v, out));
    }
    assert_non_null(out);
    assert_ok(ctx, crdi_netcdf_close(&nc));
    return out;
}

/* The file's log likelihood gives the leave-one-out of the run; its data are those of the table. */
static void netcdf_holds_the_data_and_their_likelihood(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = open_run(ctx);
    crdi_run_loo *l;
    crd_elpd loo;
    int64_t size;
    write_as(ctx, net, "netcdf");
    assert_ok(ctx, crdi_run_loo_make(net, 0, 1, &l));
    double *x = read_variable(ctx, "log_likelihood", "y", &size);
    assert_int_equal(size, CHAINS * DRAWS * ROWS);
    assert_ok(ctx, crd_loo(ctx, x, CHAINS * DRAWS, ROWS, l->reff, NULL, NULL, &loo));
    assert_close(loo.elpd, l->loo.elpd, 1e-12, 0);
    free(x);
    x = read_variable(ctx, "observed_data", "y", &size);
    assert_int_equal(size, ROWS);
    for (int i = 0; i < ROWS; i++)
        assert_close(x[i], 50 + 9 * sin(0.05 * i) + 2 * cos(11.0 * i), 1e-12, 0);
    free(x);
    x = read_variable(ctx, "constant_data", "x", &size);
    assert_int_equal(size, 2 * ROWS);
    for (int i = 0; i < ROWS; i++) {
        assert_close(x[2 * i], 5 + 3 * i, 1e-12, 0);
        assert_close(x[2 * i + 1], cos(i), 1e-12, 1e-14);
    }
    free(x);
    x = read_variable(ctx, "sample_stats", "diverging", &size);
    assert_int_equal(size, CHAINS * DRAWS);
    free(x);
    x = read_variable(ctx, "posterior", "draw", &size);
    assert_true(size == DRAWS && x[0] == 0 && x[DRAWS - 1] == DRAWS - 1);
    free(x);
    crdi_run_loo_destroy(&l);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

/* The replications are f plus noise of standard deviation s, each draw with its own. */
static void netcdf_holds_replications(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = open_run(ctx);
    int64_t size;
    double sum = 0, squares = 0;
    write_as(ctx, net, "netcdf");
    double *y = read_variable(ctx, "posterior_predictive", "y", &size),
           *f = read_variable(ctx, "posterior", "f", &size);
    double *s = read_variable(ctx, "posterior", "s", &size);
    enum { ALL = CHAINS * DRAWS * ROWS };
    for (int i = 0; i < ALL; i++) {
        double z = (y[i] - net->recipe->target_mean) / net->recipe->target_sd - f[i];
        z /= s[i / ROWS];
        sum += z;
        squares += z * z;
    }
    assert_close(sum / ALL, 0, 0, 4 / sqrt(ALL));
    assert_close(squares / ALL, 1, 0, 4 * sqrt(2.0 / ALL));
    free(y);
    free(f);
    free(s);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

static void netcdf_that_is_no_inference_data(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    const char *paths[] = {file, file};
    crdi_netcdf *nc;
    crdi_imported in;
    int group, dim[2], id;
    const crdi_draws_format *format = format_of(ctx, "netcdf");
    assert_ok(ctx, crdi_netcdf_create(ctx, file, file, &nc));
    assert_ok(ctx, crdi_netcdf_add_group(nc, "prior", &group));
    assert_ok(ctx, crdi_netcdf_close(&nc));
    assert_int_equal(format->read(ctx, paths, 1, &in), CRD_EDATA);
    assert_non_null(strstr(crd_error_message(ctx), "no group 'posterior'"));
    crd_error_clear(ctx);
    assert_int_equal(format->read(ctx, paths, 2, &in), CRD_EINVAL);
    crd_error_clear(ctx);
    assert_ok(ctx, crdi_netcdf_create(ctx, file, file, &nc));
    assert_ok(ctx, crdi_netcdf_add_group(nc, "posterior", &group));
    assert_ok(ctx, crdi_netcdf_add_dimension(nc, group, "draw", 3, &dim[0]));
    assert_ok(ctx, crdi_netcdf_add_dimension(nc, group, "chain", 2, &dim[1]));
    assert_ok(ctx, crdi_netcdf_add_variable(nc, group, "mu", CRDI_NETCDF_DOUBLE, 2, dim, &id));
    assert_ok(ctx, crdi_netcdf_close(&nc));
    assert_int_equal(format->read(ctx, paths, 1, &in), CRD_EDATA);
    assert_non_null(strstr(crd_error_message(ctx), "the axes of mu must begin with chain and draw"));
    testing_context_destroy(&ctx);
}

/* ---- ArviZ's own file --------------------------------------------------------------------------------------------- */

/* The row of ArviZ's table: name, then nine numbers. Names of schools are numbered in ours, in the table's order. */
static void check_row(const crdi_run_summary *s, const char *line, int *schools)
{
    char label[32];
    double expected[9];
    const char *at = strchr(line, ',');
    snprintf(label, sizeof label, "%.*s", (int)(at - line), line);
    if (strncmp(label, "theta[", 6) == 0)
        snprintf(label, sizeof label, "theta[%d]", (*schools)++);
    for (int k = 0; k < 9; k++)
        expected[k] = strtod(at + 1, (char **)&at);
    for (int64_t i = 0; i < s->count; i++) {
        const crdi_diagnostic_row *d = &s->diagnostic[i];
        if (strcmp(d->label, label) != 0)
            continue;
        const double ours[] = {d->mean,    d->sd,       d->low,      d->high, d->mcse_mean,
                               d->mcse_sd, d->ess_bulk, d->ess_tail, d->r_hat};
        for (int k = 0; k < 9; k++)
            testing_close(ours[k], expected[k], 1e-6, 1e-8, label, __FILE__, __LINE__); /* it has eight decimals */
        return;
    }
    fail_msg("no row %s", label);
}

static void arviz_file_is_read(void **state)
{
    (void)state;
    char line[256], table[512];
    const char *path = testing_shared("arviz/centered_eight.nc");
    if (!path)
        testing_skip("skipped: the shared reference arviz/centered_eight.nc is not here\n");
    crd_context *ctx = testing_context();
    crdi_imported in;
    crdi_network_run *net;
    crdi_run_summary *s;
    int rows = 0, schools = 0;
    assert_ok(ctx, format_of(ctx, "netcdf")->read(ctx, &path, 1, &in));
    assert_string_equal(in.method, "pymc");
    assert_ok(ctx, crdi_imported_write(ctx, &in, other, false));
    crdi_imported_clear(ctx, &in);
    assert_ok(ctx, crdi_network_run_open(ctx, other, &net));
    assert_ok(ctx, crdi_run_diagnostics_make(net, NULL, 0.94, &s));
    snprintf(table, sizeof table, "%s", testing_shared("arviz/centered_eight.az_summary.csv"));
    FILE *csv = fopen(table, "r");
    assert_non_null(csv);
    assert_non_null(fgets(line, sizeof line, csv));
    for (; fgets(line, sizeof line, csv); rows++)
        check_row(s, line, &schools);
    fclose(csv);
    assert_int_equal(rows, 10);
    assert_int_equal(s->divergences, 48);
    crdi_run_summary_destroy(&s);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

/* ---- CmdStan ------------------------------------------------------------------------------------------------------ */

static void cmdstan_comes_back(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = open_run(ctx);
    const crdi_draws_format *format;
    crdi_imported in;
    const char *paths[CHAINS] = {chain_path[0], chain_path[1], chain_path[2]};
    write_as(ctx, net, "cmdstan");
    assert_ok(ctx, crdi_format_detect(ctx, chain_path[0], &format));
    assert_ptr_equal(format, &crdi_format_cmdstan);
    assert_ok(ctx, format->read(ctx, paths, CHAINS, &in));
    assert_ok(ctx, crdi_imported_write(ctx, &in, other, false));
    crdi_imported_clear(ctx, &in);
    assert_same_draws(ctx, net, other, false);
    assert_int_equal(crdi_export_write(format, &(crdi_export){.ctx = ctx, .net = net, .path = file}), CRD_EEXISTS);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

static crd_status read_stan(crd_context *ctx, const char *first, const char *second, crdi_imported *out)
{
    const char *const text[] = {first, second}, *const paths[] = {chain_path[0], chain_path[1]};
    for (int i = 0; i < (second ? 2 : 1); i++) {
        FILE *out_file = fopen(chain_path[i], "w");
        assert_non_null(out_file);
        fputs(text[i], out_file);
        fclose(out_file);
    }
    return crdi_format_cmdstan.read(ctx, paths, second ? 2 : 1, out);
}

/* Saved warm-up draws are left out, thinned ones counted as such; the second index is the slow one. */
static void cmdstan_as_others_write_it(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_imported in;
    assert_ok(ctx, read_stan(ctx,
                             "# model = eight\n#     num_samples = 4\n#     num_warmup = 3\n#     save_warmup = true\n"
                             "#     thin = 2\nlp__,stepsize__,mu,w.1.1,w.2.1,w.1.2,w.2.2,w.1.3,w.2.3\r\n"
                             "9,9,9,9,9,9,9,9,9\n9,9,9,9,9,9,9,9,9\n# Adaptation terminated\n# Step size = 0.5\n"
                             "-1,0.5,1.5,11,21,12,22,13,23\n-2,0.5,nan,110,210,120,220,130,230\n# \n",
                             NULL, &in));
    const crd_posterior *p = in.posterior;
    assert_true(p->chains == 1 && p->draws == 2 && in.warmup == 3 && p->column_count == 4);
    assert_string_equal(p->column[0].name, "log_density");
    assert_true(p->column[0].kind == CRD_COLUMN_STATISTIC && p->column[0].draws[1] == -2);
    assert_string_equal(p->column[1].name, "step_size");
    assert_true(p->column[2].kind == CRD_COLUMN_LATENT && isnan(p->column[2].draws[1]));
    const crd_column *w = &p->column[3];
    assert_true(w->shape.ndim == 2 && w->shape.dim[0] == 2 && w->shape.dim[1] == 3);
    const double expected[] = {11, 12, 13, 21, 22, 23, 110, 120, 130, 210, 220, 230};
    assert_memory_equal(w->draws, expected, sizeof expected);
    crdi_imported_clear(ctx, &in);
    testing_context_destroy(&ctx);
}

static void cmdstan_that_cannot_be_read(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second, *message;
    } bad[] = {
        {"# model = a\n", NULL, "no line of names"},
        {"lp__,mu\n", NULL, "holds no draws"},
        {"# num_warmup = -1\n# save_warmup = 1\nlp__,mu\n1,2\n", NULL, "num_warmup = -1, which is no number of draws"},
        {"# num_warmup = 9223372036854775807\nlp__,mu\n1,2\n", NULL, "num_warmup = 9223372036854775807, which"},
        {"# thin = 0\nlp__,mu\n1,2\n", NULL, "thin = 0; it must be 1 or more"},
        {"lp__,mu\n1,2\n3\n", NULL, "out_1.csv:3: a draw that does not have a number for every name"},
        {"lp__,mu\n1,2,3\n", NULL, "out_1.csv:2: a draw that"},
        {"lp__,mu\n1,two\n", NULL, "out_1.csv:2: a draw that"},
        {"lp__,w.1,w.3\n1,2,3\n", NULL, "w has 2 elements"},
        {"lp__,w.2000000000.2000000000\n1,2\n", NULL, "w has 1 elements"},
        {"lp__,w.0\n1,2\n", NULL, "a name of the first line"},
        {"lp__,w.1,w.1.1\n1,2,3\n", NULL, "different numbers of indices"},
        {"lp__,mu\n1,2\n", "lp__,nu\n1,2\n", "out_2.csv:1: other names"},
        {"lp__,mu\n1,2\n", "lp__,mu\n1,2\n3,4\n", "2 draws; the first file has 1"},
    };
    crd_context *ctx = testing_context();
    crdi_imported in;
    for (int i = 0; i < CRDI_COUNT(bad); i++) {
        assert_int_equal(read_stan(ctx, bad[i].first, bad[i].second, &in), CRD_EDATA);
        if (!strstr(crd_error_message(ctx), bad[i].message))
            fail_msg("'%s' lacks '%s'", crd_error_message(ctx), bad[i].message);
        crd_error_clear(ctx);
    }
    assert_ok(ctx, read_stan(ctx, "lp__,mu,mu\n1,2,3\n", NULL, &in));
    assert_int_equal(crdi_imported_write(ctx, &in, other, false), CRD_EDATA);
    assert_int_equal(access(other, F_OK), -1);
    crdi_imported_clear(ctx, &in);
    testing_context_destroy(&ctx);
}

/* ---- NumPy -------------------------------------------------------------------------------------------------------- */

static uint32_t number(const unsigned char *at, int bytes)
{
    uint32_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint32_t)at[i] << 8 * i;
    return value;
}

/* The checksum bit by bit, over the message as a polynomial. */
static uint32_t checksum(const unsigned char *bytes, size_t length)
{
    uint32_t c = 0xFFFFFFFFU;
    for (size_t i = 0; i < 8 * length; i++) {
        uint32_t bit = (c ^ (uint32_t)bytes[i / 8] >> i % 8) & 1;
        c = c >> 1 ^ (bit ? 0xEDB88320U : 0);
    }
    return ~c;
}

static void npz_is_an_archive_of_arrays(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = open_run(ctx);
    crd_posterior *p;
    assert_int_equal(checksum((const unsigned char *)"123456789", 9), 0xCBF43926U); /* zip's known answer */
    assert_ok(ctx, crd_run_posterior(net->run, &p));
    write_as(ctx, net, "npz");
    FILE *in = fopen(file, "rb");
    assert_non_null(in);
    static unsigned char bytes[1 << 20];
    size_t length = fread(bytes, 1, sizeof bytes, in);
    fclose(in);
    const unsigned char *end = bytes + length - 22, *at = bytes + number(end + 16, 4);
    assert_int_equal(number(end, 4), 0x06054b50);
    assert_int_equal(number(end + 10, 2), p->column_count);
    assert_int_equal(number(end + 16, 4) + number(end + 12, 4), length - 22);
    for (int c = 0; c < p->column_count; c++) {
        const crd_column *column = &p->column[c];
        uint32_t name = number(at + 28, 2), size = number(at + 24, 4);
        const unsigned char *local = bytes + number(at + 42, 4), *array = local + 30 + name;
        assert_int_equal(number(at, 4), 0x02014b50);
        assert_int_equal(name, strlen(column->name) + 4);
        assert_memory_equal(at + 46, column->name, strlen(column->name));
        assert_memory_equal(local + 30, column->name, strlen(column->name));
        assert_int_equal(number(local, 4), 0x04034b50);
        assert_int_equal(number(at + 16, 4), checksum(array, size));
        assert_int_equal(number(array + size, 4), 0x08074b50);
        assert_int_equal(number(array + size + 4, 4), checksum(array, size));
        assert_memory_equal(array, "\x93NUMPY\x01\x00\xf6\x00{'descr': '<f8', 'fortran_order': False, 'shape': (3, 12",
                            strlen("xNUMPYxxxx{'descr': '<f8', 'fortran_order': False, 'shape': (3, 12"));
        size_t numbers = (size_t)(CHAINS * DRAWS * column->size) * sizeof(double);
        assert_int_equal(size, 256 + numbers);
        assert_int_equal(array[255], '\n');
        assert_memory_equal(array + 256, column->draws, numbers);
        at += 46 + name;
    }
    crd_posterior_destroy(&p);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

/* ---- the table ------------------------------------------------------------------------------------------------------ */

static void formats_are_found(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    const crdi_draws_format *format = NULL;
    for (int i = 0; crdi_format_name(i); i++) {
        assert_ok(ctx, crdi_format_find(ctx, "--to", crdi_format_name(i), &format));
        assert_non_null(format->write);
        assert_true((format->is == NULL) == (format->read == NULL) && strlen(crdi_format_what(i)) > 10);
    }
    assert_int_equal(crdi_format_find(ctx, "--to", "netdcf", &format), CRD_ENAME);
    assert_non_null(strstr(crd_error_message(ctx), "unknown --to 'netdcf'; did you mean 'netcdf'?"));
    crd_error_clear(ctx);
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    fputs("chain,draw,mu\n0,0,1\n", out);
    fclose(out);
    assert_int_equal(crdi_format_detect(ctx, file, &format), CRD_EDATA);
    crd_error_clear(ctx);
    assert_int_equal(crdi_format_detect(ctx, other, &format), CRD_EMISSING);
    testing_context_destroy(&ctx);
}

/* Every allocation that can fail: nothing leaks, nothing half written stays. */
static void memory_that_fails_leaves_nothing(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = open_run(ctx);
    static const char *const names[] = {"npz", "cmdstan"};
    for (int i = 0; i < CRDI_COUNT(names); i++) {
        const crdi_draws_format *format = format_of(ctx, names[i]);
        crd_status status = CRD_ENOMEM;
        for (int k = 1; status != CRD_OK; k += 1 + k / 32) { /* each of the first, and some of those of every draw */
            assert_true(k < 1000000);
            testing_fail_allocation(k);
            status = crdi_export_write(format, &(crdi_export){.ctx = ctx, .net = net, .path = file, .threads = 1});
            testing_fail_allocation(0);
            crd_error_clear(ctx);
            assert_true((access(i ? chain_path[0] : file, F_OK) == 0) == (status == CRD_OK));
        }
    }
    const char *paths[CHAINS] = {chain_path[0], chain_path[1], chain_path[2]};
    crd_status status = CRD_ENOMEM;
    for (int k = 1; status != CRD_OK; k++) {
        crdi_imported in;
        testing_fail_allocation(k);
        status = crdi_format_cmdstan.read(ctx, paths, CHAINS, &in);
        testing_fail_allocation(0);
        crd_error_clear(ctx);
        if (status == CRD_OK)
            crdi_imported_clear(ctx, &in);
    }
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(netcdf_comes_back),
        TEST(netcdf_holds_the_data_and_their_likelihood),
        TEST(netcdf_holds_replications),
        TEST(netcdf_that_is_no_inference_data),
        TEST(arviz_file_is_read),
        TEST(cmdstan_comes_back),
        TEST(cmdstan_as_others_write_it),
        TEST(cmdstan_that_cannot_be_read),
        TEST(npz_is_an_archive_of_arrays),
        TEST(formats_are_found),
        TEST(memory_that_fails_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
