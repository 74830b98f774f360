/* model_run.c - a run of a C program's own model into a run file, and on from there. The file holds what was asked for, not the
 * model: the program has it. */
#include "store/json.h"
#include "store/run_path.h"
#include "store/run_states.h"
#include "infer/mcmc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct model_run {
    crd_context *ctx;
    const crd_model *model;
    const char *path;
    const crd_run_how *how;
    crd_nuts_options options; /* completed */
    crd_key key;
    crdi_arena *arena;
    crdi_mcmc_columns columns;
    crdi_string asked; /* the options as JSON */
    crdi_run *run;
    crdi_mcmc_before before;
    crdi_run_states states;
    int64_t *draws; /* (chains) behind the states */
    int64_t asked_before; /* of a run that goes on: draws that it was asked for */
    bool was_complete;
};

/* ---- what was asked for ------------------------------------------------------------------------------------- */

static void write_options(struct model_run *m)
{
    bool given = false;
    crdi_options set = {.ctx = m->ctx, .table = &crdi_mcmc_option_table, .values = &m->options, .given = &given};
    crdi_options_json(&set, 1, &m->asked);
}

static crd_status describe(struct model_run *m)
{
    char key[48];
    snprintf(key, sizeof key, "%u %u", (unsigned)m->key.word[0], (unsigned)m->key.word[1]);
    CRD_TRY(crdi_run_set_text(m->run, "model", m->how->name ? m->how->name : "model"));
    CRD_TRY(crdi_run_set_text(m->run, "method", m->options.kernel));
    CRD_TRY(crdi_run_set_text(m->run, "key", key));
    CRD_TRY(crdi_run_set_text(m->run, "options", crdi_string_text(&m->asked)));
    CRD_TRY(crdi_run_set_integer(m->run, "warmup", m->options.warmup));
    return crdi_run_set_integer(m->run, "draws", m->options.draws);
}

/* An entry of the file must be what is asked for now. */
static crd_status same_text(struct model_run *m, crd_run *run, const char *entry, const char *now)
{
    char *then;
    CRD_TRY(crdi_run_get_text(run, entry, &then));
    crd_status status = strcmp(then, now) == 0
                            ? CRD_OK
                            : crdi_raise(m->ctx, CRD_EINVAL, "%s: the run was made with %s %s, and now it is %s",
                                         m->path, entry, then, now);
    crdi_free(m->ctx, then);
    return status;
}

/* What the draws do not depend on, and what may grow. */
static bool may_differ(const char *option)
{
    return strcmp(option, "threads") == 0 || strcmp(option, "draws") == 0;
}

static crd_status same_options(struct model_run *m, crd_run *run)
{
    char *text;
    crdi_json *then = NULL, *now = NULL;
    CRD_TRY(crdi_run_get_text(run, "options", &text));
    crd_status status = crdi_json_parse(m->ctx, "options", text, &then);
    crdi_free(m->ctx, text);
    if (status == CRD_OK)
        status = crdi_json_parse(m->ctx, "options", crdi_string_text(&m->asked), &now);
    for (int i = 0; status == CRD_OK && i < crdi_mcmc_option_table.count; i++) {
        char a[32], b[32];
        const char *name = crdi_mcmc_option_table.option[i].name;
        const char *old = crdi_json_scalar(crdi_json_get(then, name), a),
                   *new = crdi_json_scalar(crdi_json_get(now, name), b);
        if (old && new && !may_differ(name) && strcmp(old, new) != 0)
            status = crdi_raise(m->ctx, CRD_EINVAL, "%s: the run was made with %s %s, and now it is %s", m->path, name,
                                old, new);
    }
    crdi_json_destroy(&then);
    crdi_json_destroy(&now);
    return status;
}

static crd_status same_columns(struct model_run *m, crd_run *run)
{
    bool same = crd_run_column_count(run) == m->columns.count && crd_run_chains(run) == m->options.chains;
    for (int c = 0; same && c < m->columns.count; c++)
        same = strcmp(crd_run_column(run, c)->name, m->columns.column[c].name) == 0 &&
               crdi_shape_equal(crd_run_column(run, c)->shape, m->columns.column[c].shape);
    return same ? CRD_OK
                : crdi_raise(m->ctx, CRD_EINVAL, "%s: its sites or chains are not those of the model", m->path);
}

static crd_status check_same(struct model_run *m, crd_run *run)
{
    char key[48];
    char *status;
    snprintf(key, sizeof key, "%u %u", (unsigned)m->key.word[0], (unsigned)m->key.word[1]);
    CRD_TRY(same_columns(m, run));
    CRD_TRY(same_text(m, run, "method", m->options.kernel));
    CRD_TRY(same_text(m, run, "key", key));
    CRD_TRY(same_options(m, run));
    CRD_TRY(crdi_run_get_integer(run, "draws", &m->asked_before));
    CRD_TRY(crdi_run_get_text(run, "status", &status));
    m->was_complete = strcmp(status, "complete") == 0;
    crdi_free(m->ctx, status);
    if (m->asked_before > m->options.draws)
        return crdi_raise(m->ctx, CRD_EINVAL,
                          "%s: the run was asked for %lld draws a chain; %lld would throw some away", m->path,
                          (long long)m->asked_before, (long long)m->options.draws);
    return CRD_OK;
}

/* ---- where it was ------------------------------------------------------------------------------------------- */

static crd_status read_place(struct model_run *m, crd_run *run)
{
    crdi_mcmc_report cost;
    CRD_TRY(crdi_run_states_read(m->ctx, run, &m->states));
    for (int c = 0; c < m->options.chains; c++)
        m->draws[c] = m->states.saved[c].bytes ? crdi_mcmc_draws_of(&m->options, m->states.iteration[c]) : 0;
    CRD_TRY(crdi_run_cost_read(run, &cost));
    m->before = (crdi_mcmc_before){.chain = m->states.saved,
                                   .warmup_seconds = cost.warmup_seconds,
                                   .sampling_seconds = cost.sampling_seconds,
                                   .gradient_seconds = cost.gradient_seconds};
    return CRD_OK;
}

static crd_status set_draws(void *user)
{
    const struct model_run *m = user;
    return crdi_run_set_integer(m->run, "draws", m->options.draws);
}

static crd_status open_again(struct model_run *m)
{
    crd_run *run;
    CRD_TRY(crdi_run_reopen(m->ctx, m->path, &m->run));
    CRD_TRY(crd_run_open(m->ctx, crdi_run_file(m->run), &run));
    crd_status status = crd_run_check(run);
    if (status == CRD_OK)
        status = check_same(m, run);
    if (status == CRD_OK)
        status = read_place(m, run);
    crd_run_close(&run);
    CRD_TRY(status);
    crdi_run_set_pause(m->run, m->how->save_every);
    return crdi_run_begin_again(m->run, m->columns.column, m->columns.count, (int)m->options.chains, m->draws,
                                set_draws, m);
}

static crd_status open_new(struct model_run *m)
{
    crdi_run_tuning tuning = {.batch_seconds = m->how->save_every};
    CRD_TRY(crdi_run_create_tuned(m->ctx, m->path, m->how->force, &tuning, &m->run));
    CRD_TRY(describe(m));
    return crdi_run_begin(m->run, m->columns.column, m->columns.count, (int)m->options.chains);
}

/* ---- the run ------------------------------------------------------------------------------------------------ */

static bool exists(const struct model_run *m)
{
    char part[PATH_MAX];
    struct stat file;
    return stat(m->path, &file) == 0 || crdi_run_has_newer(m->ctx, m->path, part);
}

static crd_status run_all(struct model_run *m)
{
    crdi_mcmc_report report;
    CRD_TRY(crdi_arena_create(&m->arena, m->ctx));
    CRD_TRY(crdi_mcmc_columns_of(m->model, &m->options, m->arena, &m->columns));
    m->draws = crdi_arena_alloc(m->arena, sizeof *m->draws * (size_t)m->options.chains);
    if (!m->draws)
        return CRD_ENOMEM;
    write_options(m);
    CRD_TRY(m->asked.status);
    CRD_TRY(m->how->resume && exists(m) ? open_again(m) : open_new(m));
    crdi_sink sink = crdi_run_sink(m->run);
    crd_nuts_options options = m->options;
    options.warmup = options.warmup > 0 ? options.warmup : -1; /* there 0 stands for the default */
    crd_status status = crdi_mcmc_run(m->model, &options, m->key, &m->before, &sink, &report);
    if (status >= 0) {
        crd_status written = crdi_run_cost_write(m->run, &report);
        status = written < 0 ? written : status;
    }
    return status;
}

crd_status crd_run_nuts(const crd_model *model, const crd_nuts_options *options, crd_key key, const char *path,
                        const crd_run_how *how)
{
    static const crd_run_how plain = {0};
    crd_context *ctx = crd_model_context(model);
    struct model_run m = {.ctx = ctx, .model = model, .path = path, .key = key, .how = how ? how : &plain};
    CRD_TRY(crdi_mcmc_complete(ctx, options, &m.options));
    crdi_string_init(&m.asked, ctx);
    crd_status status = run_all(&m);
    bool untouched = status == CRD_EINVAL && m.was_complete; /* another model: the file is as it was */
    if (untouched)
        (void)!crdi_run_set_integer(m.run, "draws", m.asked_before);
    crd_status closed = crdi_run_close(&m.run, untouched ? CRD_OK : status);
    crdi_run_states_clear(&m.states);
    crdi_string_clear(&m.asked);
    crdi_arena_destroy(&m.arena);
    return closed < 0 && status >= 0 ? closed : status;
}
