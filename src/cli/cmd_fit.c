/* cmd_fit.c - credence fit DATA.csv --target COL
 *
 * What can be refused is refused before anything is written: options, data, model, and the place of the run file. */
#include "cli/auto.h"
#include "cli/csv.h"
#include "cli/fit_display.h"
#include "cli/fit_end.h"
#include "cli/interrupt.h"
#include "cli/stop.h"
#include "cli/terminal.h"
#include "infer/laplace/laplace.h"
#include "infer/pathfinder/pathfinder.h"
#include "infer/svi/svi.h"
#include "infer/tempered/tempered.h"
#include "nn/likelihood.h"
#include "report/model_check.h"
#include "store/dataset.h"
#include "store/network_fit.h"

#include <math.h>
#include <string.h>
#include <sys/random.h>

typedef struct fit_options {
#define OPT CRDI_OPTION_FIELD
#include "cli/fit.def"
#undef OPT
} fit_options;

static const crdi_option fit_rows[] = {
#define OPT(...) CRDI_OPTION_ROW(fit_options, __VA_ARGS__)
#include "cli/fit.def"
#undef OPT
};

static const crdi_option_table fit_table = CRDI_OPTION_TABLE("fit", fit_options, fit_rows);

struct fit {
    crdi_cli *cli;
    crdi_cli_call *call;
    const fit_options *o;
    crdi_arena *arena;
    crdi_string record; /* the options as JSON */
    crd_target_kind target_kind;
    crd_dataset *dataset;
    crdi_network_fit net;
    crdi_stop_rule rule;
    crdi_auto automatic;
    bool random_seed;
};

/* ---- what was typed ------------------------------------------------------------------------------------------- */

struct names {
    const char **item;
    int64_t count;
};

/* Columns of a repeatable option, each value a name or names with commas between. A column whose name has a comma is
 * taken as it stands. */
static crd_status split_names(struct fit *f, const crd_table *table, const crdi_text_list *list, struct names *out)
{
    int64_t most = 0;
    for (int64_t i = 0; i < list->count; i++)
        most += (int64_t)strlen(list->item[i]) + 1;
    *out = (struct names){crdi_arena_alloc(f->arena, (size_t)(most + 1) * sizeof *out->item), 0};
    if (!out->item)
        return CRD_ENOMEM;
    for (int64_t i = 0; i < list->count; i++) {
        char *at = crdi_arena_strdup(f->arena, list->item[i]), *next;
        if (!at)
            return CRD_ENOMEM;
        for (bool whole = crd_table_find(table, at) >= 0; at; at = next) {
            next = whole ? NULL : strchr(at, ',');
            if (next)
                *next++ = 0;
            out->item[out->count++] = at;
        }
    }
    return CRD_OK;
}

static crd_status read_data(struct fit *f, const crd_table *table)
{
    const fit_options *o = f->o;
    const crdi_csv_options *csv = crdi_cli_values(f->call, &crdi_csv_table);
    struct names target, features, drop, categorical;
    CRD_TRY(split_names(f, table, &o->target, &target));
    CRD_TRY(split_names(f, table, &o->features, &features));
    CRD_TRY(split_names(f, table, &o->drop, &drop));
    CRD_TRY(split_names(f, table, &o->categorical, &categorical));
    if (target.count > 1 && f->target_kind != CRD_TARGET_AUTO && f->target_kind != CRD_TARGET_NUMBER)
        return crdi_raise(f->cli->ctx, CRD_EINVAL,
                          "likelihood %s takes one target, and --target names %lld; normal and student_t take several",
                          o->likelihood, (long long)target.count);
    return crd_dataset_make(
        f->cli->ctx, table,
        &(crd_dataset_options){.targets = target.item,
                               .target_count = target.count,
                               .features = features.count ? features.item : NULL,
                               .feature_count = features.count,
                               .drop = drop.item,
                               .drop_count = drop.count,
                               .categorical = categorical.item,
                               .categorical_count = categorical.count,
                               .rows = csv->rows,
                               .na = crdi_cli_na(f->call),
                               .scale = strcmp(o->scale, "standard") == 0 ? CRD_SCALE_STANDARD : CRD_SCALE_NONE,
                               .target_kind = f->target_kind},
        &f->dataset);
}

static crd_status make_dataset(struct fit *f, const char *path)
{
    crd_table *table;
    if (f->o->target.count == 0)
        return crdi_raise(f->cli->ctx, CRD_EMISSING, "fit needs --target COL, the column to learn");
    CRD_TRY(crdi_cli_read_table(f->cli, f->call, path, &table));
    crd_status status = read_data(f, table);
    crd_table_destroy(&table);
    return status;
}

static crd_status make_seed(struct fit *f)
{
    const char *text = f->o->seed;
    if (text) {
        if (crdi_parse_int(text, &f->net.seed) && f->net.seed >= 0)
            return CRD_OK;
        return crdi_raise(f->cli->ctx, CRD_EINVAL, "option --seed: '%s' is no whole number from 0 to 2^63 - 1", text);
    }
    uint64_t bits;
    if (getrandom(&bits, sizeof bits, 0) != (ssize_t)sizeof bits)
        return crdi_raise(f->cli->ctx, CRD_EIO, "the system gives no random seed; --seed sets one");
    f->net.seed = (int64_t)(bits >> 1);
    f->random_seed = true;
    return CRD_OK;
}

/* The file's name with another ending, in the current folder. */
static const char *default_out(struct fit *f, const char *data)
{
    const char *slash = strrchr(data, '/'), *base = slash ? slash + 1 : data, *dot = strrchr(base, '.');
    int length = dot && dot > base ? (int)(dot - base) : (int)strlen(base);
    return crdi_arena_printf(f->arena, "%.*s.crd", length, base);
}

/* Before anything is read, and --force or not. */
static crd_status check_place(struct fit *f, const char *data)
{
    const crdi_csv_options *csv = crdi_cli_values(f->call, &crdi_csv_table);
    CRD_TRY(crdi_cli_refuse_same(f->cli->ctx, f->net.path, data, "the table to learn from"));
    return crdi_cli_refuse_same(f->cli->ctx, f->net.path, csv->rows, "the file of --rows");
}

static crd_status join_priors(struct fit *f)
{
    const crdi_text_list *list = &f->o->prior;
    const char *joined = list->count ? list->item[0] : "";
    for (int64_t i = 1; i < list->count && joined; i++)
        joined = crdi_arena_printf(f->arena, "%s;%s", joined, list->item[i]);
    f->net.network.prior = joined;
    return joined ? CRD_OK : CRD_ENOMEM;
}

/* ---- the likelihood --------------------------------------------------------------------------------------------- */

/* An option that goes with some likelihoods only. */
static crd_status check_goes_with(struct fit *f, const char *option, bool right, const char *which)
{
    if (right || !crdi_options_given(crdi_cli_options(f->call, &fit_table), option))
        return CRD_OK;
    return crdi_raise(f->cli->ctx, CRD_EINVAL, "option --%s goes with --likelihood %s", option, which);
}

/* How the target is to be read; auto waits for the data. */
static crd_status read_likelihood(struct fit *f)
{
    static const crd_target_kind kind[] = {CRD_TARGET_NUMBER, CRD_TARGET_COUNT, CRD_TARGET_CLASS}; /* by crdi_outcome */
    if (strcmp(f->o->likelihood, "auto") == 0)
        return CRD_OK;
    const crdi_likelihood *likelihood = crdi_likelihood_find(f->cli->ctx, f->o->likelihood);
    if (!likelihood)
        return CRD_ENAME;
    f->net.network.likelihood = likelihood->name;
    f->target_kind = kind[likelihood->outcome];
    return CRD_OK;
}

/* Numbers that were said to be names of classes. A few halves may be names; many different ones are measurements. */
static crd_status check_classes(const struct fit *f)
{
    enum { FEW = 10 };
    const crd_recipe *r = f->dataset->recipe;
    char shown[CRDI_SHOWN];
    double value;
    if (strcmp(f->o->likelihood, "auto") == 0 || r->target_kind != CRD_TARGET_CLASS ||
        (r->class_count <= FEW && 2 * r->class_count <= f->dataset->y.shape.dim[0]))
        return CRD_OK;
    for (int64_t k = 0; k < r->class_count; k++)
        if (crdi_parse_double(r->class_name[k], &value) && value != floor(value))
            return crdi_raise(f->cli->ctx, CRD_EDATA,
                              "likelihood %s is for classes, and the target '%s' holds %lld different numbers that are "
                              "not whole, as %s; a number is fitted with --likelihood normal or student_t",
                              f->o->likelihood, crdi_csv_show(shown, r->target), (long long)r->class_count,
                              r->class_name[k]);
    return CRD_OK;
}

/* What the network says of the target, once it was read. */
static crd_status settle_likelihood(struct fit *f)
{
    crd_context *ctx = f->cli->ctx;
    crd_network *network = &f->net.network;
    const crd_recipe *r = f->dataset->recipe;
    bool classes = r->target_kind == CRD_TARGET_CLASS;
    char shown[CRDI_SHOWN];
    if (!network->likelihood)
        network->likelihood = !classes ? "normal" : r->class_count == 2 ? "bernoulli" : "categorical";
    const char *name = network->likelihood;
    CRD_TRY(check_classes(f));
    if (strcmp(name, "bernoulli") == 0 && r->class_count != 2)
        return crdi_raise(ctx, CRD_EDATA,
                          "likelihood bernoulli: the target '%s' has %lld classes, not 2; categorical fits any "
                          "number",
                          crdi_csv_show(shown, r->target), (long long)r->class_count);
    const crdi_likelihood *likelihood = crdi_likelihood_find(ctx, name);
    bool student_t = strcmp(name, "student_t") == 0, negative_binomial = strcmp(name, "negative_binomial") == 0;
    CRD_TRY(check_goes_with(f, "df", student_t, "student_t"));
    CRD_TRY(check_goes_with(f, "concentration", negative_binomial, "negative_binomial"));
    CRD_TRY(check_goes_with(f, "noise", likelihood && likelihood->noisy, "normal and student_t"));
    network->df = student_t ? f->o->df : NULL;
    network->concentration = negative_binomial ? f->o->concentration : NULL;
    return CRD_OK;
}

/* rows / classes / rows of the class. */
static void balance(struct fit *f, double *weight)
{
    const crd_array *y = &f->dataset->y;
    int64_t rows = y->shape.dim[0], classes = f->dataset->recipe->class_count;
    for (int64_t k = 0; k < classes; k++) {
        int64_t count = 0;
        for (int64_t i = 0; i < rows; i++)
            count += y->data[i] == (double)k;
        weight[k] = (double)rows / (double)classes / (double)count;
    }
}

static const char *class_name(const void *list, int64_t i)
{
    return ((const crd_recipe *)list)->class_name[i];
}

/* The class that a text begins with, with a colon behind it; the longest. */
static int64_t find_class(const crd_recipe *r, const char *text, size_t *length)
{
    int64_t found = -1;
    *length = 0;
    for (int64_t k = 0; k < r->class_count; k++) {
        size_t n = strlen(r->class_name[k]);
        if (strncmp(text, r->class_name[k], n) == 0 && text[n] == ':' && (found < 0 || n > *length)) {
            found = k;
            *length = n;
        }
    }
    return found;
}

/* "name:weight,name:weight". */
static crd_status read_weights(struct fit *f, char *text, double *weight)
{
    const crd_recipe *r = f->dataset->recipe;
    for (char *next; text; text = next) {
        size_t length;
        int64_t k = find_class(r, text, &length);
        next = strchr(k < 0 ? text : text + length, ',');
        if (next)
            *next++ = 0;
        if (k < 0 && !strchr(text, ':'))
            return crdi_raise(f->cli->ctx, CRD_EINVAL,
                              "option --class-weights: '%s'; 'balanced' or NAME:WEIGHT,... is needed", text);
        if (k < 0) {
            *strrchr(text, ':') = 0;
            return crdi_raise_unknown(f->cli->ctx, "class", text, class_name, r, r->class_count);
        }
        if (!crdi_parse_double(text + length + 1, &weight[k]) || !(weight[k] > 0) || !isfinite(weight[k]))
            return crdi_raise(f->cli->ctx, CRD_EINVAL, "option --class-weights: '%s' is no weight above 0",
                              text + length + 1);
    }
    return CRD_OK;
}

static crd_status settle_weights(struct fit *f)
{
    const crd_recipe *r = f->dataset->recipe;
    if (!f->o->class_weights)
        return CRD_OK;
    if (r->target_kind != CRD_TARGET_CLASS)
        return crdi_raise(f->cli->ctx, CRD_EINVAL,
                          "option --class-weights goes with classes: --likelihood bernoulli "
                          "and categorical");
    char *text = crdi_arena_strdup(f->arena, f->o->class_weights);
    double *weight = crdi_arena_alloc(f->arena, sizeof *weight * (size_t)r->class_count);
    if (!text || !weight)
        return CRD_ENOMEM;
    f->net.network.class_weight = weight;
    for (int64_t k = 0; k < r->class_count; k++)
        weight[k] = 1;
    if (strcmp(text, "balanced") != 0)
        return read_weights(f, text, weight);
    balance(f, weight);
    return CRD_OK;
}

/* A numeric target of few whole numbers may be meant as classes or counts. */
static void hint_at_likelihood(const struct fit *f, crdi_string *out)
{
    enum { FEW = 10 };
    const crd_recipe *r = f->dataset->recipe;
    double seen[FEW];
    int count = 0;
    int64_t rows = f->dataset->y.shape.dim[0];
    if (r->target_kind == CRD_TARGET_CLASS && r->class_count > FEW && 4 * r->class_count > rows)
        crdi_string_append(
            out, "        %lld classes in %lld rows: if they are counts, --likelihood poisson; numbers: normal\n",
            (long long)r->class_count, (long long)rows);
    if (strcmp(f->o->likelihood, "auto") != 0 || r->target_kind != CRD_TARGET_NUMBER || r->target_count > 1)
        return;
    for (int64_t i = 0; i < f->dataset->y.shape.dim[0]; i++) {
        double value = r->target_mean + r->target_sd * f->dataset->y.data[i], whole = round(value);
        if (fabs(value - whole) > 1e-9 * fmax(1, fabs(whole)))
            return;
        int k = 0;
        while (k < count && seen[k] != whole)
            k++;
        if (k == FEW)
            return;
        seen[k] = whole;
        count = k == count ? count + 1 : count;
    }
    crdi_string_append(
        out,
        "        only %d different whole numbers: if they are classes or counts, --likelihood categorical\n"
        "        (bernoulli for two) or poisson says so\n",
        count);
}

/* ---- options ---------------------------------------------------------------------------------------------------- */

static bool is_one_of(const char *name, const char *words)
{
    size_t length = strlen(name);
    for (const char *at = words; (at = strstr(at, name)); at += length)
        if ((at == words || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
            return true;
    return false;
}

/* Made in steps of an optimiser, with restarts or members instead of chains. */
static bool is_in_steps(const struct fit *f)
{
    return is_one_of(f->net.method, "svi map ensemble");
}

static int fits_at_once(const struct fit *f)
{
    return (int)(strcmp(f->net.method, "ensemble") == 0 ? f->net.train.members : f->net.svi.restarts);
}

/* Which methods an option is of, where not those of its table. */
static const struct {
    const char *option, *methods, *told;
} own_methods[] = {{"draws", "nuts hmc mclmc mams sgld sghmc split_hmc tempering svi pathfinder laplace",
                    "nuts, hmc, mclmc, mams, sgld, sghmc, split_hmc, tempering, svi, pathfinder and laplace"},
                   {"chains", "nuts hmc mclmc mams sgld sghmc split_hmc smc ais tempering",
                    "nuts, hmc, mclmc, mams, sgld, sghmc, split_hmc, smc, ais and tempering"},
                   {"target_accept", "nuts hmc mclmc mams sgld sghmc split_hmc smc ais tempering",
                    "nuts, hmc, mams, split_hmc, smc, ais and tempering"},
                   {"particles", "svi smc ais", "svi, smc and ais"},
                   {"anneal", "smc ais", "smc and ais"},
                   {"temperatures", "tempering", "tempering"},
                   {"batch", "svi map ensemble sgld sghmc", "svi, map, ensemble, sgld and sghmc"},
                   {"batch_steps", "sgld sghmc", "sgld and sghmc"},
                   {"bias", "sgld sghmc", "sgld and sghmc"},
                   {"cyclical", "sgld sghmc", "sgld and sghmc"},
                   {"cycle_heat", "sgld sghmc", "sgld and sghmc, and --cyclical"},
                   {"friction", "sghmc", "sghmc"},
                   {"window", "hmc", "hmc"},
                   {"persistence", "hmc", "hmc"},
                   {"temper", "hmc", "hmc"},
                   {"batches", "split_hmc", "split_hmc"},
                   {"control_variates", "sgld sghmc", "sgld and sghmc"},
                   {"integrator", "mclmc mams", "mclmc and mams"},
                   {"decoherence", "mclmc mams", "mclmc and mams"},
                   {"energy_variance", "mclmc", "mclmc"},
                   {"trajectory", "mams", "mams"},
                   {"optimizer", "svi map ensemble", "svi, map and ensemble"},
                   {"steps", "svi map ensemble", "svi, map and ensemble"},
                   {"patience", "svi map ensemble", "svi, map and ensemble"},
                   {"restarts", "svi map", "svi and map"},
                   {"members", "ensemble", "ensemble"},
                   {"weight_decay", "map ensemble", "map and ensemble, and --prior none"},
                   {"threads", NULL, NULL},
                   {"init_radius", NULL, NULL},
                   {"start", NULL, NULL}};

static crd_status check_method_option(struct fit *f, const crdi_option *option, const char *methods, const char *told)
{
    char flag[CRDI_OPTION_NAME];
    for (int k = 0; k < CRDI_COUNT(own_methods); k++)
        if (strcmp(option->name, own_methods[k].option) == 0) {
            methods = own_methods[k].methods;
            told = own_methods[k].told;
        }
    if (!methods || is_one_of(f->net.method, methods))
        return CRD_OK;
    return crdi_raise(f->cli->ctx, CRD_EINVAL, "option %s goes with --method %s", crdi_option_flag(option, flag), told);
}

/* Methods that go from the prior to the posterior. */
static crd_status check_tempered(struct fit *f)
{
    crd_context *ctx = f->cli->ctx;
    const char *method = f->net.method;
    const crdi_options *mcmc = crdi_cli_options(f->call, &crdi_mcmc_option_table);
    if (!is_one_of(method, "smc ais tempering"))
        return CRD_OK;
    if (f->net.svi.particles < 2 && crdi_options_given(crdi_cli_options(f->call, &crdi_svi_option_table), "particles"))
        return crdi_raise(ctx, CRD_EINVAL, "option --particles: method %s needs 2 or more", method);
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

/* What training the starts needs goes with such starts. */
static crd_status check_starts(struct fit *f)
{
    static const char *const options[] = {"start_steps", "start_validation", "start_patience"};
    const crdi_options *mcmc = crdi_cli_options(f->call, &crdi_mcmc_option_table);
    char flag[CRDI_OPTION_NAME];
    for (int i = 0; i < CRDI_COUNT(options) && strcmp(f->net.mcmc.start, "ensemble") != 0; i++)
        if (crdi_options_given(mcmc, options[i]))
            return crdi_raise(f->cli->ctx, CRD_EINVAL, "option %s goes with --start ensemble",
                              crdi_option_flag(crdi_option_find(&crdi_mcmc_option_table, options[i]), flag));
    return CRD_OK;
}

/* Options of a method that was not chosen are no options. */
static crd_status check_method_options(struct fit *f)
{
    const struct {
        const crdi_option_table *table;
        const char *methods, *told;
    } sets[] = {{&crdi_mcmc_option_table, "nuts hmc mclmc mams sgld sghmc split_hmc tempering",
                 "nuts, hmc, mclmc, mams, sgld, sghmc, split_hmc and tempering"},
                {&crdi_svi_option_table, "svi", "svi"},
                {&crdi_train_option_table, "svi map ensemble", "svi, map and ensemble"},
                {&crdi_pathfinder_option_table, "pathfinder", "pathfinder"},
                {&crdi_laplace_option_table, "laplace", "laplace"},
                {&crdi_tempered_option_table, "smc ais tempering", "smc, ais and tempering"}};
    for (int k = 0; k < CRDI_COUNT(sets); k++) {
        const crdi_options *given = crdi_cli_options(f->call, sets[k].table);
        for (int i = 0; i < sets[k].table->count; i++)
            if (crdi_options_given(given, sets[k].table->option[i].name))
                CRD_TRY(check_method_option(f, &sets[k].table->option[i], sets[k].methods, sets[k].told));
    }
    CRD_TRY(check_tempered(f));
    CRD_TRY(check_starts(f));
    if (is_one_of(f->net.method, "sgld sghmc") && !is_one_of(f->net.mcmc.metric, "diagonal unit"))
        return crdi_raise(
            f->cli->ctx, CRD_EINVAL,
            "option --metric %s goes with --method nuts, hmc, mclmc, mams and split_hmc; diagonal and unit with %s",
            f->net.mcmc.metric, f->net.method);
    if (!is_in_steps(f) && strcmp(f->net.mcmc.start, "init") == 0)
        return crdi_raise(f->cli->ctx, CRD_EINVAL, "option --start init goes with --method svi, map and ensemble");
    return CRD_OK;
}

/* What goes without priors: points. Their options are then those of training as deep learning has it. */
static crd_status settle_plain(struct fit *f)
{
    crd_context *ctx = f->cli->ctx;
    const crdi_options *given = crdi_cli_options(f->call, &fit_table);
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

static bool is_auto(const struct fit *f)
{
    return strcmp(f->o->method, "auto") == 0;
}

/* What auto means waits for the data; options are checked as for its likeliest meaning. */
static crd_status settle_method(struct fit *f)
{
    f->net.method = f->o->method;
    if (is_auto(f))
        f->net.method = crdi_network_plain(&f->net.network) ? "map" : "nuts";
    if (is_one_of(f->net.method, "map ensemble") &&
        !crdi_options_given(crdi_cli_options(f->call, &crdi_mcmc_option_table), "start"))
        f->net.mcmc.start = "init";
    CRD_TRY(check_method_options(f));
    return settle_plain(f);
}

/* The plan, which needs the data. */
static crd_status settle_auto(struct fit *f)
{
    const fit_options *o = f->o;
    if (!is_auto(f))
        return CRD_OK;
    f->automatic.dataset = f->dataset;
    f->automatic.chains = o->save_warmup || o->warm_from || o->keep.count > 0;
    f->automatic.keeps_kernel = o->save_warmup || o->warm_from;
    CRD_TRY(crdi_auto_settle(&f->automatic));
    if (is_in_steps(f) && !crdi_options_given(crdi_cli_options(f->call, &crdi_mcmc_option_table), "start"))
        f->net.mcmc.start = "init";
    return CRD_OK;
}

/* What was settled by the method is recorded as if it had been typed: a run that is taken up again does the same. */
static crd_status record_settled(struct fit *f)
{
    crdi_options *mcmc = crdi_cli_options(f->call, &crdi_mcmc_option_table),
                 *svi = crdi_cli_options(f->call, &crdi_svi_option_table);
    CRD_TRY(crdi_options_set(mcmc, "start", f->net.mcmc.start));
    return f->net.svi.optimizer ? crdi_options_set(svi, "optimizer", f->net.svi.optimizer) : CRD_OK;
}

/* Chain c begins with what chain c of the other run has learned. */
static crd_status read_warm(struct fit *f)
{
    if (!is_one_of(f->net.method, "nuts hmc"))
        return crdi_raise(f->cli->ctx, CRD_EINVAL, "option --warm-from goes with --method nuts and hmc");
    CRD_TRY(crdi_cli_refuse_same(f->cli->ctx, f->net.path, f->o->warm_from, "the run of --warm-from"));
    return crdi_network_warm_read(&f->net.warm, f->cli->ctx, f->o->warm_from);
}

static crd_status prepare(struct fit *f)
{
    const fit_options *o = f->o;
    const char *data = crdi_cli_argument(f->call, 0);
    CRD_TRY(make_seed(f));
    CRD_TRY(join_priors(f));
    CRD_TRY(read_likelihood(f));
    f->net.ctx = f->cli->ctx;
    f->net.network.hidden = o->hidden;
    f->net.network.precision = strcmp(o->precision, "single") == 0 ? CRD_SINGLE : CRD_DOUBLE;
    f->net.network.activation = o->activation;
    f->net.network.noise = o->noise;
    f->net.mcmc = *(const crd_nuts_options *)crdi_cli_values(f->call, &crdi_mcmc_option_table);
    f->net.svi = *(const crd_svi_options *)crdi_cli_values(f->call, &crdi_svi_option_table);
    f->net.pathfinder = *(const crd_pathfinder_options *)crdi_cli_values(f->call, &crdi_pathfinder_option_table);
    f->net.tempered = *(const crd_tempered_options *)crdi_cli_values(f->call, &crdi_tempered_option_table);
    f->net.laplace = *(const crdi_laplace_options *)crdi_cli_values(f->call, &crdi_laplace_option_table);
    f->net.train = *(const crdi_train_options *)crdi_cli_values(f->call, &crdi_train_option_table);
    CRD_TRY(settle_method(f));
    const crdi_stop_options *stopping = crdi_cli_values(f->call, &crdi_stop_table);
    CRD_TRY(crdi_stop_set(f->cli, stopping, stopping->until, &f->net, &f->rule));
    f->net.mcmc.keep = o->keep.item;
    f->net.mcmc.keep_count = (int)o->keep.count;
    f->net.data_name = data;
    f->net.force = o->force;
    f->net.save_every = o->save_every;
    f->net.save_warmup = o->save_warmup;
    f->net.path = o->out ? o->out : default_out(f, data);
    if (!f->net.path)
        return CRD_ENOMEM;
    CRD_TRY(check_place(f, data));
    CRD_TRY(make_dataset(f, data));
    CRD_TRY(settle_likelihood(f));
    CRD_TRY(settle_weights(f));
    f->net.dataset = f->dataset;
    CRD_TRY(settle_auto(f));
    CRD_TRY(record_settled(f));
    crdi_options_json(f->call->set, f->call->set_count, &f->record);
    CRD_TRY(f->record.status);
    f->net.options = crdi_string_text(&f->record);
    if (f->o->warm_from)
        CRD_TRY(read_warm(f));
    if (f->o->check)
        return CRD_OK;
    return f->o->show_plan ? crdi_network_fit_compile(&f->net) : crdi_network_fit_prepare(&f->net);
}

/* ---- what is printed ------------------------------------------------------------------------------------------ */

static void describe_weights(const struct fit *f, crdi_string *out)
{
    enum { LISTED = 20 };
    const crd_recipe *r = f->dataset->recipe;
    char shown[CRDI_SHOWN];
    for (int64_t k = 0; k < r->class_count && k < LISTED; k++)
        crdi_string_append(out, "%s%s %.4g", k ? ", " : "weight: ", crdi_csv_show(shown, r->class_name[k]),
                           f->net.network.class_weight[k]);
    crdi_string_append(out, "%s\n", r->class_count > LISTED ? ", ..." : "");
}

/* How the draws are made. */
static crd_status describe_method(struct fit *f, crdi_string *out)
{
    const crdi_network_method *type;
    CRD_TRY(crdi_network_method_find(f->cli->ctx, f->net.method, &type));
    crdi_string_append(out, "method: %s%s, ", f->net.method, is_auto(f) ? " (auto)" : "");
    type->plan(&f->net, out);
    if (f->net.network.precision == CRD_SINGLE)
        crdi_string_append(out, ", single precision");
    crdi_string_append(out, "\n");
    crdi_auto_lines(out, &f->automatic);
    return out->status;
}

static crd_status print_plan(struct fit *f)
{
    crdi_string out;
    crdi_string_init(&out, f->cli->ctx);
    crd_status status = crdi_dataset_describe(f->dataset, &out);
    bool linear = strcmp(f->o->hidden, "none") == 0;
    hint_at_likelihood(f, &out);
    crdi_string_append(&out, "model:  hidden %s%s%s, likelihood %s, %lld parameters\nprior:  ", f->o->hidden,
                       linear ? "" : ", ", linear ? "" : f->o->activation, f->net.network.likelihood,
                       (long long)f->net.dim);
    if (status == CRD_OK)
        status = crdi_network_priors_text(f->cli->ctx, &f->net.network, 8, &out);
    if (f->net.network.class_weight)
        describe_weights(f, &out);
    if (status == CRD_OK)
        status = describe_method(f, &out);
    crdi_string_append(&out, "seed:   %lld%s\n", (long long)f->net.seed, f->random_seed ? " (random)" : "");
    status = status < 0 ? status : out.status;
    if (status == CRD_OK)
        crdi_terminal_print(stderr, crdi_string_text(&out), false);
    crdi_string_clear(&out);
    return status;
}

/* --check: the data and the model, and nothing is written. */
static crd_status print_check(struct fit *f)
{
    crdi_string out;
    bool json = strcmp(f->o->format, "json") == 0;
    crdi_string_init(&out, f->cli->ctx);
    crd_status status = json ? CRD_OK : crdi_dataset_describe(f->dataset, &out);
    if (status == CRD_OK)
        status = crdi_model_check(f->cli->ctx,
                                  &(crdi_model_check_request){.network = &f->net.network,
                                                              .dataset = f->dataset,
                                                              .draws = 1000,
                                                              .key = crd_key_make((uint64_t)f->net.seed),
                                                              .json = json,
                                                              .plan = f->net.plan,
                                                              .plan_rule = f->net.plan_rule},
                                  &out);
    if (status == CRD_OK && !json) {
        crdi_string_append(&out, "\n");
        status = describe_method(f, &out);
    }
    if (status == CRD_OK)
        crdi_terminal_print(stdout, crdi_string_text(&out), false);
    crdi_string_clear(&out);
    return status;
}

static void print_call(void *user, const char *line)
{
    (void)user;
    puts(line);
}

/* --show-plan: what runs for every gradient, and nothing is written. */
static crd_status print_program(struct fit *f)
{
    const crd_program *program = crdi_network_fit_program(&f->net);
    if (!program)
        return crdi_raise(f->cli->ctx, CRD_EUNSUPPORTED, "option --show-plan: method %s has no single program",
                          f->net.method);
    int64_t workspace = crd_program_workspace(program) * (int64_t)sizeof(double);
    printf("%s with its gradient, kernels %s%s: %lld calls, %lld numbers in, %lld out, %lld bytes of workspace\n",
           f->net.fitted ? "loss" : "log density", crd_context_kernels(f->cli->ctx),
           crd_program_precision(program) == CRD_SINGLE ? ", single precision" : "",
           (long long)crd_program_calls(program), (long long)crd_program_input_size(program),
           (long long)crd_program_output_size(program), (long long)workspace);
    crd_program_print(program, print_call, NULL);
    return CRD_OK;
}

/* ---- the run -------------------------------------------------------------------------------------------------- */

static int stop(void *user)
{
    (void)user;
    return atomic_load_explicit(crdi_interrupt_flag(), memory_order_relaxed);
}

static crd_status watch_progress(struct fit *f, crdi_fit_display *display)
{
    CRD_TRY(crdi_fit_display_begin(display, f->cli, is_in_steps(f) ? fits_at_once(f) : f->net.chains));
    f->net.mcmc.progress = crdi_fit_display_update;
    f->net.svi.progress = crdi_fit_display_update_fit;
    f->net.mcmc.progress_user = f->net.svi.progress_user = display;
    f->net.changed = crdi_fit_display_line;
    f->net.changed_user = display;
    return CRD_OK;
}

static crd_status run_fit(struct fit *f)
{
    crdi_fit_display display = {0};
    crdi_mcmc_report cost = {0};
    CRD_TRY(prepare(f));
    if (f->o->check)
        return print_check(f);
    if (f->o->show_plan)
        return print_program(f);
    if (!f->o->quiet) {
        CRD_TRY(print_plan(f));
        if (strcmp(f->net.method, "pathfinder") != 0 && strcmp(f->net.method, "laplace") != 0) /* done in a moment */
            CRD_TRY(watch_progress(f, &display));
    }
    f->net.mcmc.stop = f->net.svi.stop = stop;
    crdi_interrupt_watch();
    crd_status status = crdi_network_fit_run(&f->net, &cost);
    crdi_interrupt_unwatch();
    crdi_fit_display_end(&display, f->net.ending == CRDI_ENDED_RULE || f->net.ending == CRDI_ENDED_MODES);
    if (status < 0)
        return status;
    crd_status finished = crdi_fit_end_print(&(crdi_fit_end){.cli = f->cli,
                                                             .net = &f->net,
                                                             .cost = cost,
                                                             .interrupted = status == CRD_INTERRUPTED,
                                                             .json = strcmp(f->o->format, "json") == 0,
                                                             .quiet = f->o->quiet});
    return finished < 0 ? finished : crdi_fit_end_status(&f->net, status);
}

static crd_status run(crdi_cli *cli, crdi_cli_call *call)
{
    struct fit f = {.cli = cli, .call = call, .o = crdi_cli_values(call, &fit_table)};
    crdi_string_init(&f.record, cli->ctx);
    crdi_auto_init(&f.automatic, cli, call, &f.net, &f.rule);
    CRD_TRY(crdi_arena_create(&f.arena, cli->ctx));
    crd_status status = run_fit(&f);
    crdi_network_fit_clear(&f.net);
    crdi_auto_clear(&f.automatic);
    crd_dataset_destroy(&f.dataset);
    crdi_string_clear(&f.record);
    crdi_arena_destroy(&f.arena);
    return status;
}

const crdi_command_body crdi_command_fit = {
    .positional = {{"DATA.csv", "the table to learn from", CRDI_ONE}},
    .table = {&fit_table, &crdi_csv_table, &crdi_mcmc_option_table, &crdi_svi_option_table, &crdi_train_option_table,
              &crdi_pathfinder_option_table, &crdi_laplace_option_table, &crdi_tempered_option_table, &crdi_stop_table},
    .more = "A prior is NAME:NUMBERS, a distribution, or one of these forms, each also written NAME:ARGUMENT:\n"
            "  fan_in(PRIOR)                 PRIOR of the parameter times sqrt(number of its inputs)\n"
            "  scale(DIST)                   normal(0, scale), one scale ~ DIST for the parameter\n"
            "  ard(DIST)                     one scale for each input: automatic relevance determination\n"
            "  group(NAME,DIST)              one scale for all parameters of the group\n"
            "  horseshoe(T)                  a global scale ~ half_cauchy(T), a local one for each weight\n"
            "  regularized_horseshoe(T,S,D)  with a slab of scale S and D degrees of freedom\n"
            "  noncentered(PRIOR)            those with scales, drawn as standard normals times the scales\n"
            "as in --prior 'net/Dense_0.kernel=ard:half_cauchy:1' --prior 'net/Dense_1.kernel=fan_in(normal:0,1)'\n"
            "--prior '*.bias=normal:0,1'. Scales are sites: net/Dense_0.kernel.scale.\n\n"
            "Example: credence fit data.csv --target y --hidden 16,16 --seed 1\n",
    .run = run,
};
