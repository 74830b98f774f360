/* network_resume.c - a fit of a network taken up again from its run file: everything that it was asked for, and where it was. */
#include "infer/pathfinder/pathfinder.h"
#include "infer/svi/svi.h"
#include "infer/tempered/tempered.h"
#include "store/json.h"
#include "store/network_fit.h"
#include "store/network_looks.h"
#include "store/network_warmup.h"

#include <string.h>

/* ---- what was asked for ------------------------------------------------------------------------------------- */

static crd_status read_text(crdi_network_resume *r, const char *key, const char **out)
{
    char *text;
    CRD_TRY(crdi_run_get_text(r->net->run, key, &text));
    *out = crdi_arena_strdup(r->arena, text);
    crdi_free(r->ctx, text);
    return *out ? CRD_OK : CRD_ENOMEM;
}

static crd_status set_option(crdi_options *set, const crdi_option *option, const crdi_json *value)
{
    char buffer[32];
    const char *text = crdi_json_scalar(value, buffer);
    if (text)
        return crdi_options_set_option(set, option, text);
    for (int64_t i = 0; i < crdi_json_count(value); i++)
        if ((text = crdi_json_scalar(crdi_json_at(value, i), buffer)))
            CRD_TRY(crdi_options_set_option(set, option, text));
    return CRD_OK;
}

/* Options that the file does not know have come since: their defaults are what the run did. */
static crd_status fill_table(crdi_network_resume *r, const crdi_json *json, const crdi_option_table *table,
                             void *values)
{
    crdi_options *set = &r->set[r->sets++];
    CRD_TRY(crdi_options_init(set, r->ctx, table, values));
    for (int i = 0; i < table->count; i++) {
        const crdi_json *value = crdi_json_get(json, table->option[i].name);
        if (value)
            CRD_TRY(set_option(set, &table->option[i], value));
    }
    return CRD_OK;
}

void crdi_network_pause_read(const crdi_json *options, double *seconds)
{
    char buffer[32];
    const char *pause = crdi_json_scalar(crdi_json_get(options, "save_every"), buffer);
    if (pause)
        crdi_parse_double(pause, seconds);
}

static crd_status fill_options(crdi_network_resume *r, crdi_network_fit *fit)
{
    crdi_json *json;
    char buffer[32];
    CRD_TRY(crdi_json_parse(r->ctx, "options", fit->options, &json));
    crd_status status = fill_table(r, json, &crdi_mcmc_option_table, &fit->mcmc);
    if (status == CRD_OK)
        status = fill_table(r, json, &crdi_svi_option_table, &fit->svi);
    if (status == CRD_OK)
        status = fill_table(r, json, &crdi_train_option_table, &fit->train);
    if (status == CRD_OK)
        status = fill_table(r, json, &crdi_pathfinder_option_table, &fit->pathfinder);
    if (status == CRD_OK)
        status = fill_table(r, json, &crdi_laplace_option_table, &fit->laplace);
    if (status == CRD_OK)
        status = fill_table(r, json, &crdi_tempered_option_table, &fit->tempered);
    crdi_network_pause_read(json, &fit->save_every);
    const char *saved = crdi_json_scalar(crdi_json_get(json, "save_warmup"), buffer);
    fit->save_warmup = saved && strcmp(saved, "true") == 0;
    crdi_json_destroy(&json);
    return status < 0 ? crdi_error_prefix(r->ctx, status, "%s: its options", r->net->path) : CRD_OK;
}

/* The deterministic sites that were kept, and the columns, to compare. */
static crd_status fill_columns(crdi_network_resume *r, crdi_network_fit *fit)
{
    int count = crd_run_column_count(r->net->run);
    const char **keep = crdi_arena_alloc(r->arena, sizeof *keep * (size_t)(count + 1));
    r->column = crdi_arena_alloc(r->arena, sizeof *r->column * (size_t)(count + 1));
    if (!keep || !r->column)
        return CRD_ENOMEM;
    for (; r->columns < count; r->columns++) {
        crd_column *column = &r->column[r->columns];
        *column = *crd_run_column(r->net->run, r->columns);
        column->name = crdi_arena_strdup(r->arena, column->name);
        if (!column->name)
            return CRD_ENOMEM;
        if (column->kind == CRD_COLUMN_DETERMINISTIC)
            keep[fit->mcmc.keep_count++] = column->name;
    }
    fit->mcmc.keep = keep;
    return CRD_OK;
}

/* The rows are divided already. */
static crd_status fill_rows(crdi_network_resume *r, crdi_network_fit *fit)
{
    crd_run *run = r->net->run;
    const char *sha256;
    r->dataset = (crd_dataset){.ctx = r->ctx,
                               .recipe = r->net->recipe,
                               .x = crd_array_borrow(r->net->x.data, r->net->x.shape),
                               .y = crd_array_borrow(r->net->y.data, r->net->y.shape)};
    CRD_TRY(read_text(r, "data_sha256", &sha256));
    memcpy(r->dataset.sha256, sha256, strnlen(sha256, sizeof r->dataset.sha256 - 1));
    fit->dataset = &r->dataset;
    if (fit->train.validation <= 0)
        return CRD_OK;
    if (!(fit->rows = crdi_alloc(r->ctx, sizeof *fit->rows)))
        return CRD_ENOMEM;
    CRD_TRY(crdi_run_get_array(run, "x_held_out", &fit->rows->held_x));
    CRD_TRY(crdi_run_get_array(run, "y_held_out", &fit->rows->held_y));
    return crdi_run_get_array(run, "held_out_rows", &fit->rows->held_row);
}

static crd_status fill(crdi_network_resume *r, crdi_network_fit *fit)
{
    crd_run *run = r->net->run;
    *fit = (crdi_network_fit){.ctx = r->ctx, .resume = r};
    fit->network = r->net->network;
    CRD_TRY(read_text(r, "method", &fit->method));
    CRD_TRY(read_text(r, "data_name", &fit->data_name));
    CRD_TRY(read_text(r, "options", &fit->options));
    CRD_TRY(fill_options(r, fit));
    CRD_TRY(fill_columns(r, fit));
    if (crdi_run_has(run, "laplace_prior_asked")) /* what it was to be tuned from */
        CRD_TRY(read_text(r, "laplace_prior_asked", &fit->network.prior));
    if (crdi_run_has(run, "plan"))
        CRD_TRY(read_text(r, "plan", &fit->plan));
    if (crdi_run_has(run, "plan_rule"))
        CRD_TRY(read_text(r, "plan_rule", &fit->plan_rule));
    int64_t may_change = 0;
    if (crdi_run_has(run, "plan_may_change"))
        CRD_TRY(crdi_run_get_integer(run, "plan_may_change", &may_change));
    fit->may_change = may_change != 0;
    CRD_TRY(crdi_run_get_integer(run, "seed", &fit->seed));
    CRD_TRY(crdi_run_get_integer(run, "draws", &fit->mcmc.draws));
    CRD_TRY(crdi_network_warm_again(&fit->warm, r->ctx, run));
    return fill_rows(r, fit);
}

/* ---- where it was ------------------------------------------------------------------------------------------- */

static crd_status read_states(crdi_network_resume *r)
{
    CRD_TRY(crdi_run_states_read(r->ctx, r->net->run, &r->states));
    r->has_warmup = crdi_arena_alloc(r->arena, sizeof *r->has_warmup * (size_t)(r->states.lanes + 1));
    r->looks = crdi_alloc_array(r->ctx, r->states.lanes, sizeof *r->looks);
    if (!r->has_warmup || !r->looks)
        return CRD_ENOMEM;
    for (int lane = 0; lane < r->states.lanes; lane++) {
        int64_t iterations;
        CRD_TRY(crdi_run_looks_read(r->net->run, lane, &r->looks[lane]));
        r->has_warmup[lane] = crdi_network_warmup_has_chain(r->ctx, r->net->run, lane, &iterations);
    }
    return CRD_OK;
}

static crd_status read_rule(crdi_network_resume *r)
{
    const char *reason = "";
    if (crdi_run_has(r->net->run, "stop_rule"))
        CRD_TRY(read_text(r, "stop_rule", &r->rule));
    if (r->rule && !*r->rule)
        r->rule = NULL;
    if (r->rule && crdi_run_has(r->net->run, "stop_first"))
        CRD_TRY(crdi_run_get_integer(r->net->run, "stop_first", &r->first));
    if (crdi_run_has(r->net->run, "stop_reason"))
        CRD_TRY(read_text(r, "stop_reason", &reason));
    r->gave_up = r->complete && r->rule && strcmp(reason, "modes") == 0;
    r->held = r->gave_up || (r->complete && r->rule && strcmp(reason, "rule") == 0);
    return CRD_OK;
}

static crd_status read_place(crdi_network_resume *r, crdi_network_fit *fit)
{
    const char *status;
    CRD_TRY(read_text(r, "status", &status));
    r->complete = strcmp(status, "complete") == 0;
    CRD_TRY(read_rule(r));
    CRD_TRY(crdi_run_cost_read(r->net->run, &r->cost));
    CRD_TRY(read_states(r));
    return crdi_network_continue_again(r->net->run, &r->states, r->arena, fit, &r->going);
}

/* ---- opening ------------------------------------------------------------------------------------------------ */

static crd_status open_all(crdi_network_resume *r, const char *path, crdi_network_fit *fit)
{
    CRD_TRY(crdi_arena_create(&r->arena, r->ctx));
    CRD_TRY(crdi_run_reopen(r->ctx, path, &r->run));
    CRD_TRY(crdi_network_run_open(r->ctx, crdi_run_file(r->run), &r->net));
    CRD_TRY(crd_run_check(r->net->run)); /* nothing is added to a damaged file */
    if (!r->net->is_network)
        return crdi_raise(r->ctx, CRD_EUNSUPPORTED,
                          "%s: a run of %s; a run of a model written in C goes on by the program that has the model",
                          path, *r->net->model ? r->net->model : "another program");
    CRD_TRY(fill(r, fit));
    CRD_TRY(read_place(r, fit));
    fit->path = crdi_arena_strdup(r->arena, path);
    crd_run_close(&r->net->run); /* the file is the writer's from now on */
    return fit->path ? CRD_OK : CRD_ENOMEM;
}

crd_status crdi_network_resume_open(crd_context *ctx, const char *path, crdi_network_fit *fit,
                                    crdi_network_resume **out)
{
    crdi_network_resume *r = crdi_alloc(ctx, sizeof *r);
    if (!r)
        return CRD_ENOMEM;
    r->ctx = ctx;
    crd_status status = open_all(r, path, fit);
    if (status < 0) {
        crdi_network_rows_clear(fit);
        crdi_network_warm_clear(&fit->warm);
        crdi_network_resume_close(&r);
    } else {
        *out = r;
    }
    return status;
}

crd_status crdi_network_resume_leave(crdi_network_resume *r)
{
    return crdi_run_close(&r->run, r->complete ? CRD_OK : CRD_INTERRUPTED);
}

void crdi_network_resume_close(crdi_network_resume **resume)
{
    if (!resume || !*resume)
        return;
    crdi_network_resume *r = *resume;
    (void)!crdi_network_resume_leave(r); /* nobody went on with it */
    for (int lane = 0; r->looks && lane < r->states.lanes; lane++)
        crdi_free(r->ctx, r->looks[lane].bytes);
    crdi_free(r->ctx, r->looks);
    crdi_network_continue_clear(&r->going);
    crdi_run_states_clear(&r->states);
    for (int i = 0; i < r->sets; i++)
        crdi_options_clear(&r->set[i]);
    crdi_network_run_close(&r->net);
    crdi_arena_destroy(&r->arena);
    crdi_free(r->ctx, r);
    *resume = NULL;
}

/* ---- beginning again ---------------------------------------------------------------------------------------- */

static crd_status check_columns(const crdi_network_fit *fit, const crdi_network_resume *r)
{
    bool same = r->columns == fit->columns.count;
    for (int c = 0; same && c < r->columns; c++)
        same = strcmp(r->column[c].name, fit->columns.column[c].name) == 0 &&
               crdi_shape_equal(r->column[c].shape, fit->columns.column[c].shape);
    return same ? CRD_OK : crdi_raise(fit->ctx, CRD_EDAMAGED, "%s: its sites are not those of its model", fit->path);
}

crd_status crdi_network_resume_prepare(crdi_network_fit *fit)
{
    crdi_network_resume *r = fit->resume;
    CRD_TRY(crdi_network_fit_compile(fit));
    CRD_TRY(check_columns(fit, r));
    r->draws = crdi_arena_alloc(r->arena, sizeof *r->draws * (size_t)fit->chains);
    if (!r->draws)
        return CRD_ENOMEM;
    for (int c = 0; c < fit->chains && fit->type->draws_behind; c++)
        r->draws[c] =
            c < r->states.lanes && r->states.saved[c].bytes ? fit->type->draws_behind(fit, r->states.iteration[c]) : 0;
    CRD_TRY(crdi_network_fit_check_room(fit));
    crdi_run_set_pause(r->run, fit->save_every);
    fit->run = r->run; /* its to close from now on */
    r->run = NULL;
    return CRD_OK;
}
