/* network_fit.c - see network_fit.h. */
#include "store/network_fit.h"
#include "store/network_looks.h"
#include "store/network_stop.h"
#include "store/run_path.h"
#include "infer/svi/svi.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define METHOD(name, implementation) extern const crdi_network_method crdi_network_##implementation;
#include "store/network_methods.def"
#undef METHOD

static const struct named_method {
    const char *name;
    const crdi_network_method *type;
} methods[] = {
#define METHOD(name, implementation) {#name, &crdi_network_##implementation},
#include "store/network_methods.def"
#undef METHOD
};

static const crdi_option train_rows[] = {
#define OPT(...) CRDI_OPTION_ROW(crdi_train_options, __VA_ARGS__)
#include "store/train_options.def"
#undef OPT
};
const crdi_option_table crdi_train_option_table = CRDI_OPTION_TABLE("train", crdi_train_options, train_rows);

crd_key crdi_network_key(const crdi_network_fit *fit, uint32_t which)
{
    return crd_key_fold_in(crd_key_make((uint64_t)fit->seed), which);
}

static const char *method_name(const void *list, int64_t i)
{
    (void)list;
    return methods[i].name;
}

static const crdi_network_method *find_method(const char *name)
{
    for (int i = 0; i < CRDI_COUNT(methods); i++)
        if (strcmp(methods[i].name, name) == 0)
            return methods[i].type;
    return NULL;
}

bool crdi_method_of_particles(const char *method)
{
    const crdi_network_method *type = method ? find_method(method) : NULL;
    return type && type->particles;
}

bool crdi_method_in_steps(const char *method)
{
    const crdi_network_method *type = method ? find_method(method) : NULL;
    return type && type->steps;
}

crd_status crdi_network_method_find(crd_context *ctx, const char *name, const crdi_network_method **out)
{
    *out = find_method(name);
    if (*out)
        return CRD_OK;
    return crdi_raise_unknown(ctx, "method", name, method_name, NULL, CRDI_COUNT(methods));
}

static crd_status describe(crdi_network_fit *fit)
{
    return crdi_network_run_describe(
        fit->run, &(crdi_network_description){.network = &fit->network,
                                              .recipe = fit->dataset->recipe,
                                              .data_name = fit->data_name,
                                              .data_sha256 = fit->dataset->sha256,
                                              .options = fit->options,
                                              .method = fit->method,
                                              .seed = fit->seed,
                                              .warmup = fit->type->draws_behind ? fit->mcmc.warmup : 0,
                                              .draws = fit->mcmc.draws});
}

/* Of a run that had a rule before, also that it has none now. */
static crd_status describe_rule(crdi_network_fit *fit)
{
    if (!fit->rule && !(fit->resume && fit->resume->rule))
        return CRD_OK;
    if (fit->rule && fit->rule->first > 0)
        CRD_TRY(crdi_run_set_integer(fit->run, "stop_first", fit->rule->first));
    else
        CRD_TRY(crdi_run_unset(fit->run, "stop_first"));
    for (int c = 0; c < fit->chains && !fit->rule; c++)
        CRD_TRY(crdi_run_looks_write(fit->ctx, fit->run, c, NULL, 0));
    CRD_TRY(crdi_run_set_integer(fit->run, "stop_draws", 0));
    return crdi_run_set_text(fit->run, "stop_rule", fit->rule ? fit->rule->text : "");
}

static crd_status describe_plan(crdi_network_fit *fit)
{
    if (!fit->plan)
        return CRD_OK;
    CRD_TRY(crdi_run_set_text(fit->run, "plan_rule", fit->plan_rule));
    CRD_TRY(crdi_run_set_integer(fit->run, "plan_may_change", fit->may_change));
    return crdi_run_set_text(fit->run, "plan", fit->plan);
}

static crd_status describe_rows(crdi_network_fit *fit)
{
    CRD_TRY(crdi_run_put_array(fit->run, "held_out_rows", &fit->rows->held_row));
    CRD_TRY(crdi_run_put_array(fit->run, "x_held_out", &fit->rows->held_x));
    return crdi_run_put_array(fit->run, "y_held_out", &fit->rows->held_y);
}

/* Draws of all chains that are still to be made. */
static double draws_left(const crdi_network_fit *fit)
{
    double left = 0;
    for (int c = 0; c < fit->chains; c++) {
        int64_t there = fit->resume ? fit->resume->draws[c] : 0;
        left += there < fit->mcmc.draws ? (double)(fit->mcmc.draws - there) : 0;
    }
    return left;
}

crd_status crdi_network_fit_check_room(const crdi_network_fit *fit)
{
    if (fit->rule) /* nobody knows how many draws it will be */
        return CRD_OK;
    char folder[PATH_MAX], file[PATH_MAX];
    struct statvfs system;
    (void)crdi_run_path_follow(fit->path, file);
    const char *slash = strrchr(file, '/');
    double elements = 0;
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - file) + 1 : 1, slash ? file : ".");
    if (statvfs(folder, &system) != 0 || system.f_blocks == 0)
        return CRD_OK; /* some file systems do not say */
    for (int c = 0; c < fit->columns.count; c++)
        elements += (double)crd_shape_size(fit->columns.column[c].shape);
    double need = sizeof(double) * elements * draws_left(fit);
    double free_bytes = (double)system.f_bavail * (double)system.f_frsize;
    if (need <= 0.9 * free_bytes)
        return CRD_OK;
    return crdi_raise(
        fit->ctx, CRD_EINVAL,
        "%s: %lld draws of %lld chain%s take %.3g GB%s, and its file system has %.3g GB free; ask for fewer%s",
        fit->path, (long long)fit->mcmc.draws, (long long)fit->chains, fit->chains == 1 ? "" : "s", need / 1e9,
        fit->resume ? " more" : "", free_bytes / 1e9, fit->resume ? "" : ", or for another place by --out");
}

crd_status crdi_network_fit_compile(crdi_network_fit *fit)
{
    fit->network.x = crd_array_borrow(fit->dataset->x.data, fit->dataset->x.shape);
    fit->network.y = &fit->dataset->y;
    fit->network.classes = fit->dataset->recipe->class_count;
    fit->network.targets = fit->dataset->recipe->target_count;
    CRD_TRY(crdi_network_method_find(fit->ctx, fit->method, &fit->type));
    if (fit->type->doubles && fit->network.precision == CRD_SINGLE)
        return crdi_raise(fit->ctx, CRD_EUNSUPPORTED,
                          "precision single: method %s computes in double; nuts, hmc, svi, map and ensemble know both",
                          fit->method);
    CRD_TRY(crdi_arena_create(&fit->arena, fit->ctx));
    if (fit->train.validation > 0 && !fit->resume)
        CRD_TRY(crdi_network_rows_split(fit));
    return fit->type->prepare(fit);
}

const crd_program *crdi_network_fit_program(const crdi_network_fit *fit)
{
    return fit->fitted ? fit->fitted->elbo.program : fit->model ? crd_model_density(fit->model) : NULL;
}

crd_status crdi_network_fit_prepare(crdi_network_fit *fit)
{
    if (fit->resume)
        return crdi_network_resume_prepare(fit);
    CRD_TRY(crdi_network_fit_compile(fit));
    CRD_TRY(crdi_network_fit_check_room(fit));
    crdi_run_tuning tuning = {.batch_seconds = fit->save_every, .keep_stopped = fit->keep_stopped};
    CRD_TRY(crdi_run_create_tuned(fit->ctx, fit->path, fit->force, &tuning, &fit->run));
    CRD_TRY(describe(fit));
    CRD_TRY(crdi_network_warm_write(&fit->warm, fit->run));
    CRD_TRY(describe_rule(fit));
    CRD_TRY(describe_plan(fit));
    if (fit->from)
        CRD_TRY(crdi_network_continue_describe(fit));
    return fit->rows ? describe_rows(fit) : CRD_OK;
}

/* A sink that knows whether it was used. */
struct counting {
    crdi_sink sink;
    bool *any;
};

static crd_status pass_draws(void *user, int chain, int64_t first, int64_t count, const double *const *values)
{
    struct counting *c = user;
    CRD_TRY(c->sink.draws(c->sink.user, chain, first, count, values));
    c->any[chain] = true; /* a place a chain: chains are threads */
    return CRD_OK;
}

static crd_status pass_state(void *user, int chain, const crdi_sampler_state *state)
{
    struct counting *c = user;
    return c->sink.state(c->sink.user, chain, state);
}

/* Why it ended, and what the rule came to. A stop that was none of these is the error that the run ends with. */
static crd_status write_ending(void *user)
{
    crdi_network_fit *fit = user;
    const crdi_fit_verdict *v = &fit->verdict;
    CRD_TRY(crdi_run_set_text(fit->run, "stop_reason", crdi_fit_ending_name(fit->ending)));
    if (!fit->rule || v->draws == 0)
        return CRD_OK;
    CRD_TRY(crdi_run_set_integer(fit->run, "stop_holds", v->holds));
    CRD_TRY(crdi_run_set_integer(fit->run, "stop_draws", v->draws));
    CRD_TRY(crdi_run_set_number(fit->run, "stop_ess", v->ess));
    CRD_TRY(crdi_run_set_number(fit->run, "stop_r_hat", v->r_hat));
    return crdi_run_set_text(fit->run, "stop_where", v->where);
}

static crd_status draw_until(crdi_network_fit *fit, const crdi_sink *sink, crdi_mcmc_report *report)
{
    crdi_network_stop *stop;
    CRD_TRY(crdi_network_stop_begin(fit, sink, &stop));
    crdi_sink stopping = crdi_network_stop_sink(stop);
    crd_status status = crdi_network_stop_settle(stop, fit->type->draw(fit, &stopping, report), report);
    if (status >= 0 && fit->type->conclude) {
        int64_t held;
        const crdi_mcmc_saved *states = crdi_network_stop_held(stop, &held);
        crd_status concluded = held > 0 && !states ? CRD_ENOMEM : fit->type->conclude(fit, held, states);
        status = concluded < 0 ? concluded : status;
    }
    crdi_network_stop_end(&stop);
    return status;
}

static crd_status draw(crdi_network_fit *fit, bool *any, crdi_mcmc_report *report)
{
    struct counting counting = {crdi_run_sink(fit->run), any};
    crdi_sink sink = {.user = &counting,
                      .draws = pass_draws,
                      .state = counting.sink.state ? pass_state : NULL,
                      .pause = counting.sink.pause};
    crd_status status = draw_until(fit, &sink, report);
    if (status >= 0) {
        crd_status written = crdi_run_cost_write(fit->run, report);
        written = written < 0 ? written : crdi_run_together(fit->run, write_ending, fit);
        status = written < 0 ? written : status;
    }
    return status;
}

static crd_status describe_again(void *user)
{
    crdi_network_fit *fit = user;
    CRD_TRY(crdi_run_set_integer(fit->run, "draws", fit->mcmc.draws));
    return describe_rule(fit);
}

static crd_status begin(crdi_network_fit *fit)
{
    const crdi_mcmc_columns *columns = &fit->columns;
    if (fit->resume)
        return crdi_run_begin_again(fit->run, columns->column, columns->count, fit->chains, fit->resume->draws,
                                    describe_again, fit);
    return crdi_run_begin(fit->run, columns->column, columns->count, fit->chains);
}

/* Whether what it has written is there: in its place, or beside the older file that it has not come to replace. */
static bool is_left(const crdi_network_fit *fit)
{
    char part[PATH_MAX];
    return fit->kept_older ? crdi_run_has_newer(fit->ctx, fit->path, part) : access(fit->path, F_OK) == 0;
}

static crd_status run_once(crdi_network_fit *fit, crdi_mcmc_report *report)
{
    int chains = fit->chains;
    bool *any = crdi_alloc_array(fit->ctx, chains, sizeof *any), drawn = fit->resume;
    if (!any)
        return CRD_ENOMEM;
    crdi_run_set_lanes(fit->run, fit->lanes);
    crd_status status = begin(fit);
    bool begun = status == CRD_OK;
    if (begun)
        status = draw(fit, any, report);
    for (int c = 0; c < chains; c++)
        drawn = drawn || any[c];
    fit->resumable = (begun || fit->resume) && crdi_run_has_state(fit->run);
    bool outside = status == CRD_EIO || status == CRD_EFULL || status == CRD_ENOMEM; /* it is not the run that failed */
    bool of_use = drawn || (fit->resumable && outside);
    bool stands;
    crd_status closed = crdi_run_close_told(&fit->run, status, &stands);
    fit->kept_older = (begun || fit->resume) && !stands;
    if (outside && of_use && fit->resumable && is_left(fit)) /* it may have been moved away */
        crdi_error_suffix(fit->ctx, "what was written before stays; 'credence resume %s' goes on", fit->path);
    else if (outside && of_use && is_left(fit))
        crdi_error_suffix(fit->ctx, "'credence resume %s' begins again, with the same keys", fit->path);
    if (status < 0 && begun && !of_use && !fit->kept_older)
        crdi_run_path_remove(fit->path);
    crdi_free(fit->ctx, any);
    return closed < 0 && status >= 0 ? closed : status;
}

crd_status crdi_network_fit_run(crdi_network_fit *fit, crdi_mcmc_report *report)
{
    fit->begun = crdi_seconds();
    crd_status status = run_once(fit, report);
    while (status == CRD_INTERRUPTED && fit->ending == CRDI_ENDED_CHANGE) {
        CRD_TRY(crdi_network_fit_change(fit));
        status = run_once(fit, report);
        fit->resumable = fit->resumable || fit->kept_older; /* what was there before the change */
    }
    return status;
}

void crdi_network_clear(crdi_network_fit *fit)
{
    if (fit->type->clear)
        fit->type->clear(fit);
    crdi_network_start_clear(&fit->start);
    crd_model_destroy(&fit->model);
}

void crdi_network_fit_clear(crdi_network_fit *fit)
{
    (void)!crdi_run_close(&fit->run, CRD_INTERRUPTED);
    if (fit->type)
        crdi_network_clear(fit);
    crdi_network_rows_clear(fit);
    crdi_network_warm_clear(&fit->warm);
    crdi_arena_destroy(&fit->changes);
    crdi_arena_destroy(&fit->arena);
}
