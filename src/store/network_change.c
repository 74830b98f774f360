/* network_change.c - a run that `--method auto` has begun goes on by another kernel.
 *
 * The file of the run so far stays where it is until the next has draws: what is stopped in between is taken up from there, looks
 * at the same draws, finds the same change, and begins the next kernel with the same points and metrics. So points come from the
 * draws in the file, not from states, which may be further on; metrics are those of any state, since no chain learns behind
 * its warm-up. */
#include "store/json.h"
#include "store/network_fit.h"

#include <string.h>

/* ---- where chains are --------------------------------------------------------------------------------------- */

/* The last draw that was looked at, of all latent sites of a chain, one after the other as the model has them. */
static crd_status read_draw(crdi_network_fit *fit, crd_run *run, int chain, double *values)
{
    for (int i = 0; i < crd_model_site_count(fit->model); i++) {
        const crd_site *site = crd_model_site(fit->model, i);
        const crd_column *column;
        CRD_TRY(crd_run_find(run, site->name, &column));
        CRD_TRY(crdi_run_read_range(run, column, chain, fit->verdict.draws - 1, 1, values));
        values += site->size;
    }
    return CRD_OK;
}

static crd_status find_points(crdi_network_fit *fit, crd_run *run, double *values)
{
    crdi_network_warm *w = &fit->warm;
    w->points_size = sizeof(double) * (size_t)(fit->chains * fit->dim);
    w->points = crdi_alloc(fit->ctx, w->points_size);
    if (!w->points)
        return CRD_ENOMEM;
    for (int c = 0; c < fit->chains; c++) {
        CRD_TRY(read_draw(fit, run, c, values));
        crd_start start = {.kind = CRD_START_VALUE, .values = values};
        CRD_TRY(crd_model_start(fit->model, &start, crdi_network_key(fit, CRDI_KEY_FIT), w->points + c * fit->dim));
    }
    return CRD_OK;
}

static crd_status take_points(crdi_network_fit *fit)
{
    crd_run *run;
    int64_t size = 0;
    for (int i = 0; i < crd_model_site_count(fit->model); i++)
        size += crd_model_site(fit->model, i)->size;
    double *values = crdi_alloc_array(fit->ctx, size, sizeof *values);
    if (!values)
        return CRD_ENOMEM;
    crd_status status = crd_run_open(fit->ctx, fit->path, &run);
    if (status == CRD_OK) {
        status = find_points(fit, run, values);
        crd_run_close(&run);
    }
    crdi_free(fit->ctx, values);
    return status;
}

/* ---- what it is from now on --------------------------------------------------------------------------------- */

/* An option's new value, as a text of JSON; NULL: it stays. */
static const char *new_value(const crdi_network_fit *fit, const char *key, char *buffer, size_t size)
{
    const struct {
        const char *key, *text;
        int64_t number;
    } changed[] = {{"metric", fit->mcmc.metric, 0},
                   {"start", fit->mcmc.start, 0},
                   {"warmup", NULL, fit->mcmc.warmup},
                   {"draws", NULL, fit->mcmc.draws}};
    for (int i = 0; i < CRDI_COUNT(changed); i++) {
        if (strcmp(key, changed[i].key) != 0)
            continue;
        if (changed[i].text)
            crdi_format(buffer, size, "\"%s\"", changed[i].text);
        else
            crdi_format(buffer, size, "%lld", (long long)changed[i].number);
        return buffer;
    }
    return NULL;
}

struct record {
    const crdi_network_fit *fit;
    crdi_string out;
};

static void add_member(void *user, const char *key, const crdi_json *value)
{
    struct record *r = user;
    char buffer[64];
    const char *text = new_value(r->fit, key, buffer, sizeof buffer);
    char *old = text ? NULL : crdi_json_dump(r->fit->ctx, value);
    if (!text && !old)
        r->out.status = CRD_ENOMEM;
    crdi_string_append(&r->out, "%s\"%s\":%s", r->out.length > 1 ? "," : "", key, text ? text : old ? old : "null");
    crdi_free(r->fit->ctx, old);
}

/* The record of the options, from which a run is taken up again. */
static crd_status renew_options(crdi_network_fit *fit)
{
    struct record r = {.fit = fit};
    crdi_json *json;
    CRD_TRY(crdi_json_parse(fit->ctx, "options", fit->options, &json));
    crdi_string_init(&r.out, fit->ctx);
    crdi_string_append(&r.out, "{");
    crdi_json_each(json, add_member, &r);
    crdi_string_append(&r.out, "}");
    crdi_json_destroy(&json);
    crd_status status = r.out.status;
    if (status == CRD_OK && !(fit->options = crdi_arena_strdup(fit->changes, crdi_string_text(&r.out))))
        status = CRD_ENOMEM;
    crdi_string_clear(&r.out);
    return status;
}

static crd_status renew_plan(crdi_network_fit *fit)
{
    const crdi_plan_change *change = fit->change;
    const crdi_fit_verdict *v = &fit->verdict;
    const char *line = crdi_arena_printf(
        fit->changes, "changed from %s to %s after %lld draws a chain (ess %.0f, r_hat %.3f): %s; %s: %s", fit->method,
        change->method, (long long)v->draws, v->ess, v->r_hat, change->reason, change->method, change->bias);
    fit->plan = crdi_arena_printf(fit->changes, "%s; %s", fit->plan, line);
    if (!line || !fit->plan)
        return CRD_ENOMEM;
    if (fit->changed)
        fit->changed(fit->changed_user, line);
    fit->method = change->method;
    fit->mcmc.metric = change->metric;
    fit->mcmc.start = "uniform"; /* there are points */
    fit->mcmc.warmup = change->warmup;
    fit->mcmc.draws = crdi_plan_draws(change->draws, fit->rule->ess, fit->dim, fit->chains);
    return CRD_OK;
}

/* What the first half of prepare made. */
static void forget(crdi_network_fit *fit)
{
    crdi_network_clear(fit);
    crdi_arena_destroy(&fit->arena);
    fit->columns = (crdi_mcmc_columns){0};
    fit->resume = NULL;
    fit->change = NULL;
    fit->verdict = (crdi_fit_verdict){0};
    fit->ending = CRDI_ENDED_DONE;
}

crd_status crdi_network_fit_change(crdi_network_fit *fit)
{
    if (!fit->changes)
        CRD_TRY(crdi_arena_create(&fit->changes, fit->ctx));
    CRD_TRY(take_points(fit));
    CRD_TRY(renew_plan(fit));
    CRD_TRY(renew_options(fit));
    forget(fit);
    fit->force = true; /* of its own file */
    return crdi_network_fit_prepare(fit);
}
