/* fit_method.c - which method fits, and which options go with it. */
#include "cli/fit.h"
#include "infer/laplace/laplace.h"
#include "infer/mcmc/chain.h"
#include "infer/pathfinder/pathfinder.h"
#include "infer/svi/svi.h"
#include "infer/tempered/tempered.h"

#include <string.h>

/* Whether a word is among others. `kernels` stands for all of the kernel table. */
static bool is_one_of(const char *name, const char *words)
{
    size_t length = strlen(name);
    for (const char *at = words; (at = strstr(at, name)); at += length)
        if ((at == words || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
            return true;
    if (strncmp(words, "kernels", 7) != 0)
        return false;
    for (int k = 0; crdi_mcmc_kernel_get(k); k++)
        if (strcmp(name, crdi_mcmc_kernel_get(k)->name) == 0)
            return true;
    return false;
}

void crdi_fit_list_methods(const char *words, crdi_string *out)
{
    const char *rest = words;
    for (int k = 0; strncmp(words, "kernels", 7) == 0 && crdi_mcmc_kernel_get(k); k++) {
        bool last = !crdi_mcmc_kernel_get(k + 1) && !words[7];
        crdi_string_append(out, "%s%s", k == 0 ? "" : last ? " and " : ", ", crdi_mcmc_kernel_get(k)->name);
        rest = words[7] ? words + 8 : "";
    }
    while (*rest) {
        const char *space = strchr(rest, ' ');
        int length = space ? (int)(space - rest) : (int)strlen(rest);
        crdi_string_append(out, "%s%.*s", rest == words ? "" : space ? ", " : " and ", length, rest);
        rest += length + (space ? 1 : 0);
    }
}

/* Made in steps of an optimiser, with restarts or members instead of chains. */
bool crdi_fit_is_in_steps(const crdi_fit *f)
{
    return is_one_of(f->net.method, "svi map ensemble");
}

int crdi_fits_at_once(const crdi_fit *f)
{
    return (int)(strcmp(f->net.method, "ensemble") == 0 ? f->net.train.members : f->net.svi.restarts);
}

/* Which methods an option is of, where not those of its table. */
static const struct {
    const char *option, *methods;
    const char *told; /* NULL: the methods */
} own_methods[] = {{"draws", "kernels svi pathfinder laplace", NULL},
                   {"chains", "kernels smc ais", NULL},
                   {"target_accept", "nuts hmc mams split_hmc tempering smc ais", NULL},
                   {"max_depth", "nuts hmc mclmc mams split_hmc tempering", NULL},
                   {"max_energy_change", "nuts hmc mclmc mams split_hmc tempering", NULL},
                   {"adaptation", "nuts hmc mclmc mams split_hmc tempering", NULL},
                   {"blocks", "kernels smc ais", NULL},
                   {"particles", "svi smc ais", NULL},
                   {"anneal", "smc ais", NULL},
                   {"temperatures", "tempering", NULL},
                   {"batch", "svi map ensemble sgld sghmc", NULL},
                   {"batch_steps", "sgld sghmc", NULL},
                   {"bias", "sgld sghmc", NULL},
                   {"cyclical", "sgld sghmc", NULL},
                   {"cycle_heat", "sgld sghmc", "sgld and sghmc, and --cyclical"},
                   {"friction", "sghmc", NULL},
                   {"window", "hmc", NULL},
                   {"persistence", "hmc", NULL},
                   {"temper", "hmc", NULL},
                   {"batches", "split_hmc", NULL},
                   {"control_variates", "sgld sghmc", NULL},
                   {"integrator", "mclmc mams", NULL},
                   {"decoherence", "mclmc mams", NULL},
                   {"energy_variance", "mclmc", NULL},
                   {"trajectory", "mams", NULL},
                   {"optimizer", "svi map ensemble", NULL},
                   {"steps", "svi map ensemble", NULL},
                   {"patience", "svi map ensemble", NULL},
                   {"restarts", "svi map", NULL},
                   {"members", "ensemble", NULL},
                   {"weight_decay", "map ensemble", "map and ensemble, and --prior none"},
                   {"threads", "", NULL}, /* of any */
                   {"init_radius", "", NULL},
                   {"start", "", NULL}};

static crd_status check_method_option(crdi_fit *f, const crdi_option *option, const char *methods)
{
    char flag[CRDI_OPTION_NAME];
    const char *told = NULL;
    for (int k = 0; k < CRDI_COUNT(own_methods); k++)
        if (strcmp(option->name, own_methods[k].option) == 0) {
            methods = own_methods[k].methods;
            told = own_methods[k].told;
        }
    if (!*methods || is_one_of(f->net.method, methods))
        return CRD_OK;
    crdi_string list;
    crdi_string_init(&list, f->cli->ctx);
    crdi_fit_list_methods(methods, &list);
    crd_status status = crdi_raise(f->cli->ctx, CRD_EINVAL, "option %s goes with --method %s",
                                   crdi_option_flag(option, flag), told ? told : crdi_string_text(&list));
    crdi_string_clear(&list);
    return status;
}

/* Methods that go from the prior to the posterior. */
static crd_status check_tempered(crdi_fit *f)
{
    crd_context *ctx = f->cli->ctx;
    const char *method = f->net.method;
    const crdi_options *mcmc = crdi_cli_options(f->call, &crdi_mcmc_option_table);
    if (!is_one_of(method, "smc ais tempering"))
        return CRD_OK;
    if (f->net.svi.particles < 2 && crdi_options_given(crdi_cli_options(f->call, &crdi_svi_option_table), "particles"))
        return crdi_raise(ctx, CRD_EINVAL, "option --particles: method %s needs 2 or more", method);
    if (strcmp(method, "tempering") == 0 && f->net.tempered.temperatures == 1)
        return crdi_raise(
            ctx, CRD_EINVAL,
            "option --temperatures: 1, and the prior and the posterior make two; 0, or 2 and more, are taken");
    bool trained = strcmp(method, "tempering") == 0 && strcmp(f->net.mcmc.start, "ensemble") == 0;
    bool start = crdi_options_given(mcmc, "start") && !trained;
    if (start || crdi_options_given(mcmc, "init_radius"))
        return crdi_raise(ctx, CRD_EINVAL, "option --%s: method %s begins at draws from the prior%s",
                          start ? "start" : "init-radius", method,
                          start && strcmp(method, "tempering") == 0
                              ? "; --start ensemble has its last temperature begin at trained networks"
                              : "");
    return CRD_OK;
}

/* Points that are given are given in C; what training the starts needs goes with such starts. */
static crd_status check_starts(crdi_fit *f)
{
    static const char *const options[] = {"start_steps", "start_validation", "start_patience"};
    const crdi_options *mcmc = crdi_cli_options(f->call, &crdi_mcmc_option_table);
    char flag[CRDI_OPTION_NAME];
    if (is_one_of(f->net.mcmc.start, "value point") && strcmp(f->net.method, "laplace") != 0)
        return crdi_raise(f->cli->ctx, CRD_EINVAL,
                          "option --start %s is for C programs, which give the numbers (start_values); uniform, prior, "
                          "median, map, pathfinder, ensemble and init need none",
                          f->net.mcmc.start);
    for (int i = 0; i < CRDI_COUNT(options) && strcmp(f->net.mcmc.start, "ensemble") != 0; i++)
        if (crdi_options_given(mcmc, options[i]))
            return crdi_raise(f->cli->ctx, CRD_EINVAL, "option %s goes with --start ensemble",
                              crdi_option_flag(crdi_option_find(&crdi_mcmc_option_table, options[i]), flag));
    return CRD_OK;
}

/* Options of a method that was not chosen are no options. */
static crd_status check_method_options(crdi_fit *f)
{
    const struct {
        const crdi_option_table *table;
        const char *methods;
    } sets[] = {{&crdi_mcmc_option_table, "kernels"},           {&crdi_svi_option_table, "svi"},
                {&crdi_train_option_table, "svi map ensemble"}, {&crdi_pathfinder_option_table, "pathfinder"},
                {&crdi_laplace_option_table, "laplace"},        {&crdi_tempered_option_table, "smc ais tempering"}};
    for (int k = 0; k < CRDI_COUNT(sets); k++) {
        const crdi_options *given = crdi_cli_options(f->call, sets[k].table);
        for (int i = 0; i < sets[k].table->count; i++)
            if (crdi_options_given(given, sets[k].table->option[i].name))
                CRD_TRY(check_method_option(f, &sets[k].table->option[i], sets[k].methods));
    }
    CRD_TRY(check_tempered(f));
    CRD_TRY(check_starts(f));
    if (is_one_of(f->net.method, "sgld sghmc") && !is_one_of(f->net.mcmc.metric, "diagonal unit"))
        return crdi_raise(f->cli->ctx, CRD_EINVAL,
                          "option --metric %s goes with --method nuts, hmc, mclmc, mams, split_hmc and tempering; "
                          "diagonal and unit with %s",
                          f->net.mcmc.metric, f->net.method);
    if (!crdi_fit_is_in_steps(f) && strcmp(f->net.mcmc.start, "init") == 0)
        return crdi_raise(f->cli->ctx, CRD_EINVAL, "option --start init goes with --method svi, map and ensemble");
    return CRD_OK;
}

/* What goes without priors: points. Their options are then those of training as deep learning has it. */
static crd_status settle_plain(crdi_fit *f)
{
    crd_context *ctx = f->cli->ctx;
    const crdi_options *given = crdi_cli_options(f->call, &crdi_fit_table);
    bool plain = crdi_network_plain(&f->net.network);
    if (!plain && f->net.train.weight_decay > 0)
        return crdi_raise(ctx, CRD_EINVAL,
                          "option --weight-decay goes with --prior none; a prior normal:0,S decays weights by 1/S^2");
    if (!plain)
        return CRD_OK;
    if (!is_one_of(f->net.method, "map ensemble"))
        return crdi_raise(ctx, CRD_EINVAL,
                          "prior none goes with --method map and ensemble: without a prior there is no posterior to "
                          "draw from; normal:0,100 is a prior that says little");
    if (crdi_options_given(given, "noise") && !crdi_network_heteroscedastic(&f->net.network))
        return crdi_raise(ctx, CRD_EINVAL, "option --noise: with --prior none s has no prior either");
    if (crdi_options_given(given, "df") || crdi_options_given(given, "concentration"))
        return crdi_raise(ctx, CRD_EINVAL,
                          "option --df and --concentration: with --prior none they have no prior either");
    if (!crdi_options_given(crdi_cli_options(f->call, &crdi_svi_option_table), "optimizer"))
        f->net.svi.optimizer = "clip_by_global_norm:10,adam,scale:-1e-2";
    return CRD_OK;
}

bool crdi_fit_is_auto(const crdi_fit *f)
{
    return strcmp(f->o->method, "auto") == 0;
}

/* What auto means waits for the data; options are checked as for its likeliest meaning. */
crd_status crdi_fit_settle_method(crdi_fit *f)
{
    f->net.method = f->o->method;
    if (crdi_fit_is_auto(f))
        f->net.method = crdi_network_plain(&f->net.network) ? "map" : "nuts";
    if (is_one_of(f->net.method, "map ensemble") &&
        !crdi_options_given(crdi_cli_options(f->call, &crdi_mcmc_option_table), "start"))
        f->net.mcmc.start = "init";
    CRD_TRY(check_method_options(f));
    return settle_plain(f);
}

/* The plan, which needs the data. */
crd_status crdi_fit_settle_auto(crdi_fit *f)
{
    const crdi_fit_options *o = f->o;
    if (!crdi_fit_is_auto(f))
        return CRD_OK;
    f->automatic.dataset = f->dataset;
    f->automatic.chains = o->save_warmup || o->warm_from || o->keep.count > 0;
    f->automatic.keeps_kernel = o->save_warmup || o->warm_from;
    CRD_TRY(crdi_auto_settle(&f->automatic));
    if (crdi_fit_is_in_steps(f) && !crdi_options_given(crdi_cli_options(f->call, &crdi_mcmc_option_table), "start"))
        f->net.mcmc.start = "init";
    return CRD_OK;
}

/* What was settled by the method is recorded as if it had been typed: a run that is taken up again does the same. */
crd_status crdi_fit_record_settled(crdi_fit *f)
{
    crdi_options *mcmc = crdi_cli_options(f->call, &crdi_mcmc_option_table),
                 *svi = crdi_cli_options(f->call, &crdi_svi_option_table);
    CRD_TRY(crdi_options_set(mcmc, "start", f->net.mcmc.start));
    return f->net.svi.optimizer ? crdi_options_set(svi, "optimizer", f->net.svi.optimizer) : CRD_OK;
}

/* Chain c begins with what chain c of the other run has learned. */
crd_status crdi_fit_read_warm(crdi_fit *f)
{
    if (!is_one_of(f->net.method, "nuts hmc"))
        return crdi_raise(f->cli->ctx, CRD_EINVAL, "option --warm-from goes with --method nuts and hmc");
    CRD_TRY(crdi_cli_refuse_same(f->cli->ctx, f->net.path, f->o->warm_from, "the run of --warm-from"));
    return crdi_network_warm_read(&f->net.warm, f->cli->ctx, f->o->warm_from);
}
