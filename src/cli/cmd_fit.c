/* cmd_fit.c - credence fit DATA.csv --target COL
 *
 * What can be refused is refused before anything is written: options, data, model, and the place of the run file. */
#include "cli/csv.h"
#include "cli/fit.h"
#include "cli/fit_display.h"
#include "cli/fit_end.h"
#include "cli/interrupt.h"
#include "cli/stop.h"
#include "infer/laplace/laplace.h"
#include "infer/pathfinder/pathfinder.h"
#include "infer/svi/svi.h"
#include "infer/tempered/tempered.h"
#include "store/dataset.h"

#include <string.h>
#include <sys/random.h>

static const crdi_option fit_rows[] = {
#define OPT(...) CRDI_OPTION_ROW(crdi_fit_options, __VA_ARGS__)
#include "cli/fit.def"
#undef OPT
};

const crdi_option_table crdi_fit_table = CRDI_OPTION_TABLE("fit", crdi_fit_options, fit_rows);

/* ---- what was typed ------------------------------------------------------------------------------------------- */

struct names {
    const char **item;
    int64_t count;
};

/* Columns of a repeatable option, each value a name or names with commas between. A column whose name has a comma is
 * taken as it stands. */
static crd_status split_names(crdi_fit *f, const crd_table *table, const crdi_text_list *list, struct names *out)
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

static crd_status read_data(crdi_fit *f, const crd_table *table)
{
    const crdi_fit_options *o = f->o;
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

static crd_status make_dataset(crdi_fit *f, const char *path)
{
    crd_table *table;
    if (f->o->target.count == 0)
        return crdi_raise(f->cli->ctx, CRD_EMISSING, "fit needs --target COL, the column to learn");
    CRD_TRY(crdi_cli_read_table(f->cli, f->call, path, &table));
    crd_status status = read_data(f, table);
    crd_table_destroy(&table);
    return status;
}

static crd_status make_seed(crdi_fit *f)
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
static const char *default_out(crdi_fit *f, const char *data)
{
    const char *slash = strrchr(data, '/'), *base = slash ? slash + 1 : data, *dot = strrchr(base, '.');
    int length = dot && dot > base ? (int)(dot - base) : (int)strlen(base);
    return crdi_arena_printf(f->arena, "%.*s.crd", length, base);
}

/* Before anything is read, and --force or not. */
static crd_status check_place(crdi_fit *f, const char *data)
{
    const crdi_csv_options *csv = crdi_cli_values(f->call, &crdi_csv_table);
    CRD_TRY(crdi_cli_refuse_same(f->cli->ctx, f->net.path, data, "the table to learn from"));
    return crdi_cli_refuse_same(f->cli->ctx, f->net.path, csv->rows, "the file of --rows");
}

static crd_status join_priors(crdi_fit *f)
{
    const crdi_text_list *list = &f->o->prior;
    const char *joined = list->count ? list->item[0] : "";
    for (int64_t i = 1; i < list->count && joined; i++)
        joined = crdi_arena_printf(f->arena, "%s;%s", joined, list->item[i]);
    f->net.network.prior = joined;
    return joined ? CRD_OK : CRD_ENOMEM;
}

static crd_status prepare(crdi_fit *f)
{
    const crdi_fit_options *o = f->o;
    const char *data = crdi_cli_argument(f->call, 0);
    CRD_TRY(make_seed(f));
    CRD_TRY(join_priors(f));
    CRD_TRY(crdi_fit_read_likelihood(f));
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
    CRD_TRY(crdi_fit_settle_method(f));
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
    CRD_TRY(crdi_fit_settle_likelihood(f));
    CRD_TRY(crdi_fit_settle_weights(f));
    f->net.dataset = f->dataset;
    CRD_TRY(crdi_fit_settle_auto(f));
    CRD_TRY(crdi_fit_record_settled(f));
    crdi_options_json(f->call->set, f->call->set_count, &f->record);
    CRD_TRY(f->record.status);
    f->net.options = crdi_string_text(&f->record);
    if (f->o->warm_from)
        CRD_TRY(crdi_fit_read_warm(f));
    if (f->o->check)
        return CRD_OK;
    return f->o->show_plan ? crdi_network_fit_compile(&f->net) : crdi_network_fit_prepare(&f->net);
}

/* ---- the run -------------------------------------------------------------------------------------------------- */

static int stop(void *user)
{
    (void)user;
    return atomic_load_explicit(crdi_interrupt_flag(), memory_order_relaxed);
}

static crd_status watch_progress(crdi_fit *f, crdi_fit_display *display)
{
    CRD_TRY(crdi_fit_display_begin(display, f->cli, crdi_fit_is_in_steps(f) ? crdi_fits_at_once(f) : f->net.chains));
    f->net.mcmc.progress = crdi_fit_display_update;
    f->net.svi.progress = crdi_fit_display_update_fit;
    f->net.mcmc.progress_user = f->net.svi.progress_user = display;
    f->net.changed = crdi_fit_display_line;
    f->net.changed_user = display;
    return CRD_OK;
}

static crd_status run_fit(crdi_fit *f)
{
    crdi_fit_display display = {0};
    crdi_mcmc_report cost = {0};
    CRD_TRY(prepare(f));
    if (f->o->check)
        return crdi_fit_print_check(f);
    if (f->o->show_plan)
        return crdi_fit_print_program(f);
    if (!f->o->quiet) {
        CRD_TRY(crdi_fit_print_plan(f));
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
    crdi_fit f = {.cli = cli, .call = call, .o = crdi_cli_values(call, &crdi_fit_table)};
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
    .table = {&crdi_fit_table, &crdi_csv_table, &crdi_mcmc_option_table, &crdi_svi_option_table,
              &crdi_train_option_table, &crdi_pathfinder_option_table, &crdi_laplace_option_table,
              &crdi_tempered_option_table, &crdi_stop_table},
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
