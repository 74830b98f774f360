/* fitted.c - see fitted.h. */
#include "fitted.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH = 512 };
static char folder[64];
char fitted_path[PATH];

const char *fitted_beside(const char *name)
{
    static char path[PATH];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

int fitted_begin(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s", "/tmp/credence-fitted-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(fitted_path, sizeof fitted_path, "%s", fitted_beside("run.crd"));
    return 0;
}

int fitted_end(void **state)
{
    (void)state;
    DIR *files = opendir(folder);
    for (struct dirent *file; files && (file = readdir(files));)
        unlink(fitted_beside(file->d_name)); /* not "." and "..", which are folders */
    if (files)
        closedir(files);
    return rmdir(folder);
}

crd_dataset *fitted_dataset(crd_context *ctx, crdi_string *csv, const crd_dataset_options *options)
{
    crd_table *table;
    crd_dataset *dataset;
    assert_ok(ctx, csv->status);
    assert_ok(ctx, crd_csv_parse(ctx, "table", crdi_string_text(csv), csv->length, NULL, &table));
    crdi_string_clear(csv);
    assert_ok(ctx, crd_dataset_make(ctx, table, options, &dataset));
    crd_table_destroy(&table);
    return dataset;
}

crdi_network_fit fitted_settings(crd_context *ctx, const crd_network *network, int chains, int warmup, int draws)
{
    static const char *const kept[] = {"f"};
    crdi_network_fit fit = {.ctx = ctx,
                            .method = "nuts",
                            .network = *network,
                            .mcmc = {.chains = chains,
                                     .warmup = warmup,
                                     .draws = draws,
                                     .kernel = "nuts",
                                     .max_depth = 4,
                                     .keep = kept,
                                     .keep_count = 1},
                            .data_name = "table",
                            .options = "{}",
                            .path = fitted_path,
                            .seed = 3,
                            .force = true};
    if (!fit.network.activation)
        fit.network.activation = "tanh";
    if (!fit.network.prior)
        fit.network.prior = "normal:0,1";
    if (!fit.network.noise)
        fit.network.noise = "half_cauchy:0.5";
    return fit;
}

void fitted_fit(crdi_network_fit *fit, const crd_dataset *dataset)
{
    crdi_mcmc_report report;
    fit->dataset = dataset;
    assert_ok(fit->ctx, crdi_network_fit_prepare(fit));
    assert_ok(fit->ctx, crdi_network_fit_run(fit, &report));
}

crdi_network_run *fitted_open(crdi_network_fit *fit, crd_dataset *dataset)
{
    crdi_network_run *net;
    crdi_network_fit_clear(fit);
    crd_dataset_destroy(&dataset);
    assert_ok(fit->ctx, crdi_network_run_open(fit->ctx, fit->path, &net));
    return net;
}

crdi_network_run *fitted_run(crdi_network_fit *fit, crd_dataset *dataset)
{
    fitted_fit(fit, dataset);
    return fitted_open(fit, dataset);
}
