/* network_continue.c - a variational fit read from its run file, to go on with; and one that does, and was stopped. */
#include "infer/svi/svi.h"
#include "store/json.h"
#include "store/network_fit.h"
#include "store/run_format.h"
#include "store/run_path.h"

#include <string.h>

static crd_status refuse(const crdi_network_continue *c, const char *why)
{
    return crdi_raise(c->ctx, CRD_EUNSUPPORTED, "%s: %s", c->net->path, why);
}

static crd_status read_text(crdi_network_continue *c, const char *key, const char **out)
{
    char *text;
    CRD_TRY(crdi_run_get_text(c->net->run, key, &text));
    *out = crdi_arena_strdup(c->arena, text);
    crdi_free(c->ctx, text);
    return *out ? CRD_OK : CRD_ENOMEM;
}

/* Only fits that go on leave a state. */
static crd_status check_kind(crdi_network_continue *c)
{
    const char *method;
    CRD_TRY(crdi_network_run_need(c->net, "more steps"));
    CRD_TRY(read_text(c, "method", &method));
    if (strcmp(method, "svi") != 0)
        return refuse(c, "more steps are for fits of --method svi, and this is a run by another method");
    const char *guide, *optimizer, *status;
    CRD_TRY(read_text(c, "status", &status));
    if (strcmp(status, "complete") != 0)
        return crdi_raise(c->ctx, CRD_EUNSUPPORTED,
                          "%s: the fit has not made the steps that it was asked for; 'credence resume %s' makes them, "
                          "or with --finish ends with those that it has",
                          c->net->path, c->net->path);
    CRD_TRY(read_text(c, "svi_guide", &guide));
    CRD_TRY(read_text(c, "svi_optimizer", &optimizer));
    if (strcmp(guide, "laplace") == 0 || strcmp(optimizer, "lbfgs") == 0)
        return refuse(
            c, "a fit by guide laplace or optimizer lbfgs cannot go on when it has ended; fit again with more steps");
    if (crdi_run_has(c->net->run, "svi_epoch"))
        return refuse(c, "a fit with rows held out has kept its best parameters; fit again with more steps");
    return CRD_OK;
}

static crd_status read_state(crdi_network_continue *c)
{
    crd_run *run = c->net->run;
    bool clear = crd_error_status(c->ctx) == CRD_OK;
    crd_status status = crdi_run_read_state(run, 0, &c->steps, &c->own, &c->state_size);
    if (status == CRD_EMISSING) {
        if (clear)
            crd_error_clear(c->ctx);
        return refuse(c, "it holds no state to go on from: it was made before credence kept one");
    }
    CRD_TRY(status);
    c->state = c->own;
    CRD_TRY(crdi_run_get_array(run, "svi_loss", &c->loss));
    CRD_TRY(crdi_run_get_array(run, "svi_divergence", &c->divergence));
    CRD_TRY(crdi_run_get_array(run, "svi_likelihood", &c->likelihood));
    CRD_TRY(crdi_run_get_array(run, "svi_restarts", &c->restarts));
    CRD_TRY(crdi_run_get_number(run, "sampling_seconds", &c->seconds));
    int64_t size = crd_shape_size(c->loss.shape);
    if (c->steps != size || crd_shape_size(c->divergence.shape) != size || crd_shape_size(c->likelihood.shape) != size)
        return crdi_raise(c->ctx, CRD_EDAMAGED, "%s: its state and its losses are of different steps", c->net->path);
    return CRD_OK;
}

/* It is saved as often as the older one was. */
static crd_status read_pause(const crdi_network_continue *c, crdi_network_fit *fit)
{
    crdi_json *json;
    CRD_TRY(crdi_json_parse(c->ctx, "options", fit->options, &json));
    crdi_network_pause_read(json, &fit->save_every);
    crdi_json_destroy(&json);
    return CRD_OK;
}

/* The deterministic sites that were kept. */
static crd_status read_keep(crdi_network_continue *c, crdi_network_fit *fit)
{
    int columns = crd_run_column_count(c->net->run);
    const char **keep = crdi_arena_alloc(c->arena, sizeof *keep * (size_t)(columns + 1));
    if (!keep)
        return CRD_ENOMEM;
    for (int i = 0; i < columns; i++) {
        const crd_column *column = crd_run_column(c->net->run, i);
        if (column->kind != CRD_COLUMN_DETERMINISTIC)
            continue;
        keep[fit->mcmc.keep_count] = crdi_arena_strdup(c->arena, column->name);
        if (!keep[fit->mcmc.keep_count++])
            return CRD_ENOMEM;
    }
    fit->mcmc.keep = keep;
    return CRD_OK;
}

static crd_status fill(crdi_network_continue *c, crdi_network_fit *fit)
{
    crd_run *run = c->net->run;
    const char *sha256;
    *fit = (crdi_network_fit){.ctx = c->ctx, .method = "svi", .dataset = &c->dataset, .from = c};
    fit->network = c->net->network;
    c->dataset = (crd_dataset){.ctx = c->ctx,
                               .recipe = c->net->recipe,
                               .x = crd_array_borrow(c->net->x.data, c->net->x.shape),
                               .y = crd_array_borrow(c->net->y.data, c->net->y.shape)};
    CRD_TRY(read_text(c, "data_sha256", &sha256));
    memcpy(c->dataset.sha256, sha256, strnlen(sha256, sizeof c->dataset.sha256 - 1));
    CRD_TRY(read_text(c, "data_name", &fit->data_name));
    CRD_TRY(read_text(c, "options", &fit->options));
    CRD_TRY(read_text(c, "svi_guide", &fit->svi.guide));
    CRD_TRY(read_text(c, "svi_loss", &fit->svi.loss));
    CRD_TRY(read_text(c, "svi_optimizer", &fit->svi.optimizer));
    CRD_TRY(crdi_run_get_integer(run, "svi_particles", &fit->svi.particles));
    CRD_TRY(crdi_run_get_integer(run, "seed", &fit->seed));
    CRD_TRY(crdi_run_get_integer(run, "draws", &fit->mcmc.draws));
    if (crdi_run_has(run, "svi_batch"))
        CRD_TRY(crdi_run_get_integer(run, "svi_batch", &fit->train.batch));
    fit->svi.restarts = crd_shape_size(c->restarts.shape);
    CRD_TRY(read_pause(c, fit));
    return read_keep(c, fit);
}

static crd_status open_all(crdi_network_continue *c, const char *path, crdi_network_fit *fit)
{
    CRD_TRY(crdi_run_path_check(c->ctx, path));
    CRD_TRY(crdi_arena_create(&c->arena, c->ctx));
    CRD_TRY(crdi_network_run_open(c->ctx, path, &c->net));
    CRD_TRY(check_kind(c));
    CRD_TRY(read_state(c));
    CRD_TRY(fill(c, fit));
    crd_run_close(&c->net->run);
    return CRD_OK;
}

crd_status crdi_network_continue_open(crd_context *ctx, const char *path, crdi_network_fit *fit,
                                      crdi_network_continue **out)
{
    crdi_network_continue *c = crdi_alloc(ctx, sizeof *c);
    if (!c)
        return CRD_ENOMEM;
    c->ctx = ctx;
    crd_status status = open_all(c, path, fit);
    if (status < 0)
        crdi_network_continue_close(&c);
    else
        *out = c;
    return status;
}

void crdi_network_continue_close(crdi_network_continue **from)
{
    if (!from || !*from)
        return;
    crdi_network_continue *c = *from;
    crd_context *ctx = c->ctx;
    crdi_network_run_close(&c->net);
    crdi_arena_destroy(&c->arena);
    crdi_network_continue_clear(c);
    crdi_free(ctx, c);
    *from = NULL;
}

void crdi_network_continue_clear(crdi_network_continue *c)
{
    if (!c->ctx)
        return;
    crdi_free(c->ctx, c->own);
    crd_array_clear(&c->loss);
    crd_array_clear(&c->divergence);
    crd_array_clear(&c->likelihood);
    crd_array_clear(&c->restarts);
    *c = (crdi_network_continue){0};
}

/* ---- one that was stopped ----------------------------------------------------------------------------------- */

/* An array, whatever its numbers are, and no entry: it is large, and whoever looks for any entry would read it. */
static crd_status put_from(const crdi_network_fit *fit)
{
    crdi_archive archive = {0};
    crdi_archive_write(&archive, fit->ctx);
    crdi_svi_going_state(fit->fitted, &archive);
    crd_status status = archive.status;
    int64_t words = (int64_t)(archive.size / sizeof(double));
    double *numbers = status == CRD_OK ? crdi_alloc_array(fit->ctx, words, sizeof *numbers) : NULL;
    if (numbers) {
        crdi_decode(numbers, archive.bytes, words);
        crd_array array = crd_array_borrow(numbers, crd_shape_1(words));
        status = crdi_run_put_array(fit->run, "continue/from", &array);
    } else if (status == CRD_OK) {
        status = CRD_ENOMEM;
    }
    crdi_free(fit->ctx, numbers);
    crdi_archive_clear(&archive);
    return status;
}

static crd_status get_from(crd_run *run, crdi_network_continue *from)
{
    crd_array array;
    CRD_TRY(crdi_run_get_array(run, "continue/from", &array));
    int64_t words = crd_shape_size(array.shape);
    from->own = crdi_alloc_array(from->ctx, words, sizeof(double));
    from->state_size = (size_t)words * sizeof(double);
    if (from->own)
        crdi_encode(from->own, array.data, words);
    crd_array_clear(&array);
    from->state = from->own;
    return from->own ? CRD_OK : CRD_ENOMEM;
}

crd_status crdi_network_continue_describe(const crdi_network_fit *fit)
{
    crdi_run *run = fit->run;
    CRD_TRY(put_from(fit));
    CRD_TRY(crdi_run_set_integer(run, "continue/steps", fit->steps_before + fit->svi.steps));
    CRD_TRY(crdi_run_set_integer(run, "continue/patience", fit->svi.patience));
    CRD_TRY(crdi_run_set_text(run, "continue/optimizer", fit->svi.optimizer));
    return crdi_run_set_number(run, "sampling_seconds", fit->from->seconds);
}

/* The state of its lane; where there is none yet, the one that it began with. */
static crd_status find_state(crd_run *run, const crdi_run_states *states, crdi_network_continue *from)
{
    const crdi_mcmc_saved *saved = states->lanes > 0 ? &states->saved[0] : NULL;
    if (saved && saved->bytes && crdi_svi_is_going_state(saved->bytes, saved->size)) {
        from->state = saved->bytes;
        from->state_size = saved->size;
        return CRD_OK;
    }
    return get_from(run, from);
}

crd_status crdi_network_continue_again(crd_run *run, const crdi_run_states *states, crdi_arena *arena,
                                       crdi_network_fit *fit, crdi_network_continue *from)
{
    char *optimizer;
    if (!crdi_run_has(run, "continue/steps"))
        return crdi_run_failure_of(run);
    *from = (crdi_network_continue){.ctx = fit->ctx};
    CRD_TRY(find_state(run, states, from));
    CRD_TRY(crdi_run_get_integer(run, "continue/steps", &from->total));
    CRD_TRY(crdi_run_get_integer(run, "continue/patience", &fit->svi.patience));
    CRD_TRY(crdi_run_get_number(run, "sampling_seconds", &from->seconds));
    CRD_TRY(crdi_run_get_text(run, "continue/optimizer", &optimizer));
    fit->svi.optimizer = crdi_arena_strdup(arena, optimizer);
    crdi_free(fit->ctx, optimizer);
    fit->from = from;
    return fit->svi.optimizer ? CRD_OK : CRD_ENOMEM;
}
