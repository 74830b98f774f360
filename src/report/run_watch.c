/* run_watch.c - see run_watch.h. */
#include "report/run_watch.h"
#include "report/run_ending.h"
#include "report/run_site.h"
#include "store/json.h"
#include "store/network_tempered.h"
#include "store/run_format.h"
#include "store/run_list.h"
#include "store/run_path.h"
#include "store/run_resumable.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- entries ------------------------------------------------------------------------------------------------- */

static crd_status text_of(crdi_run_watch *w, crd_run *run, const char *key, const char **out)
{
    char *text;
    *out = "";
    if (!crdi_run_has(run, key))
        return CRD_OK;
    CRD_TRY(crdi_run_get_text(run, key, &text));
    *out = crdi_arena_strdup(w->arena, text);
    crdi_free(w->ctx, text);
    return *out ? CRD_OK : CRD_ENOMEM;
}

static crd_status number_of(crd_run *run, const char *key, double *out)
{
    return crdi_run_has(run, key) ? crdi_run_get_number(run, key, out) : CRD_OK;
}

static crd_status integer_of(crd_run *run, const char *key, int64_t *out)
{
    return crdi_run_has(run, key) ? crdi_run_get_integer(run, key, out) : CRD_OK;
}

/* What was asked for that only the record of the options says. */
struct asked {
    int64_t warmup, draws, thin, steps, restarts, members;
    bool going_on; /* steps are added to the one restart that was kept */
    int64_t
        temperatures; /* of runs of particles: the pilot run has found so many; 0: it has not ended, or all is done */
};

static crd_status read_options(crdi_run_watch *w, crd_run *run, struct asked *a)
{
    const struct {
        const char *name;
        int64_t *value;
    } option[] = {{"thin", &a->thin}, {"steps", &a->steps}, {"restarts", &a->restarts}, {"members", &a->members}};
    char *text, buffer[32];
    crdi_json *json;
    if (!crdi_run_has(run, "options"))
        return CRD_OK;
    CRD_TRY(crdi_run_get_text(run, "options", &text));
    crd_status status = crdi_json_parse(w->ctx, "options", text, &json);
    crdi_free(w->ctx, text);
    CRD_TRY(status);
    for (int i = 0; i < CRDI_COUNT(option); i++) {
        const char *number = crdi_json_scalar(crdi_json_get(json, option[i].name), buffer);
        if (number)
            crdi_parse_int(number, option[i].value);
    }
    crdi_json_destroy(&json);
    return CRD_OK;
}

static crd_status describe_ending(crdi_run_watch *w, crd_run *run)
{
    crdi_string text;
    crdi_string_init(&text, w->ctx);
    crd_status status = crdi_run_ending(&text, run);
    w->ending = crdi_arena_strdup(w->arena, crdi_string_text(&text));
    crdi_string_clear(&text);
    return status < 0 ? status : w->ending ? CRD_OK : CRD_ENOMEM;
}

static crd_status describe(crdi_run_watch *w, const crdi_network_run *net, bool written, struct asked *a)
{
    crd_run *run = net->run;
    double warmup = 0, sampling = 0;
    *a = (struct asked){.thin = 1, .draws = -1};
    CRD_TRY(text_of(w, run, "method", &w->method));
    CRD_TRY(text_of(w, run, "status", &w->status));
    CRD_TRY(text_of(w, run, "started", &w->started));
    CRD_TRY(text_of(w, run, "stop_rule", &w->rule));
    CRD_TRY(describe_ending(w, run));
    CRD_TRY(integer_of(run, "warmup", &a->warmup));
    CRD_TRY(integer_of(run, "draws", &a->draws));
    CRD_TRY(number_of(run, "warmup_seconds", &warmup));
    CRD_TRY(number_of(run, "sampling_seconds", &sampling));
    CRD_TRY(read_options(w, run, a));
    a->going_on = crdi_run_has(run, "continue/steps");
    a->restarts = a->going_on ? 1 : a->restarts;
    CRD_TRY(integer_of(run, "continue/steps", &a->steps));
    w->seconds = warmup + sampling;
    w->asked = a->draws;
    w->network =
        net->is_network ? crdi_arena_printf(w->arena, "%s %s", net->network.hidden, net->network.activation) : "";
    w->particles = crdi_method_of_particles(w->method);
    w->fit = crdi_method_in_steps(w->method);
    bool runs = strcmp(w->status, "running") == 0;
    written = written || (runs && crdi_run_is_written(w->path)); /* resumed since */
    w->state = written ? CRDI_WATCH_RUNNING : runs ? CRDI_WATCH_KILLED : CRDI_WATCH_ENDED;
    return w->network ? CRD_OK : CRD_ENOMEM;
}

/* ---- chains -------------------------------------------------------------------------------------------------- */

static const crd_column *find_statistic(crd_run *run, const char *name)
{
    for (int c = 0; c < crd_run_column_count(run); c++)
        if (strcmp(crd_run_column(run, c)->name, name) == 0 && crd_run_column(run, c)->size == 1)
            return crd_run_column(run, c);
    return NULL;
}

/* Divergences among the draws that have come since the moment before, and the step size of the last. */
static crd_status read_statistics(crdi_run_watch *w, crd_run *run, int chain, const crdi_run_watch *before)
{
    enum { PIECE = 4096 };
    double piece[PIECE];
    crdi_chain_progress *c = &w->chain[chain];
    const crd_column *diverging = find_statistic(run, "diverging"), *step = find_statistic(run, "step_size");
    bool known = before && chain < before->chains && before->draws[chain] <= w->draws[chain];
    int64_t at = known ? before->draws[chain] : 0, n = w->draws[chain];
    c->divergences = known ? before->chain[chain].divergences : 0;
    for (; diverging && at < n; at += PIECE) {
        int64_t count = n - at < PIECE ? n - at : PIECE;
        CRD_TRY(crdi_run_read_range(run, diverging, chain, at, count, piece));
        for (int64_t i = 0; i < count; i++)
            c->divergences += piece[i] > 0.5;
    }
    return step && n > 0 ? crdi_run_read_range(run, step, chain, n - 1, 1, &c->step_size) : CRD_OK;
}

static crdi_phase phase_of(const crdi_run_watch *w, const crdi_chain_progress *c, bool begun)
{
    if (c->total > 0 && c->iteration >= c->total)
        return CRDI_PHASE_DONE;
    if (w->state != CRDI_WATCH_RUNNING) /* a rule, or a plateau, may have ended it early */
        return strcmp(w->status, "complete") == 0 ? CRDI_PHASE_DONE : CRDI_PHASE_STOPPED;
    if (!begun)
        return CRDI_PHASE_WAITING;
    return w->fit ? CRDI_PHASE_FITTING : c->iteration < c->warmup ? CRDI_PHASE_WARMUP : CRDI_PHASE_SAMPLING;
}

static crd_status read_chain(crdi_run_watch *w, crd_run *run, int chain, const struct asked *a,
                             const crdi_run_watch *before)
{
    bool found = false;
    size_t bytes;
    int64_t iteration = 0;
    crdi_chain_progress *c = &w->chain[chain];
    *c = (crdi_chain_progress){.fit = w->fit, .loss = NAN, .held_out = NAN, .seconds = w->seconds, .seconds_left = NAN};
    CRD_TRY(crdi_run_find_state(run, chain, &found, &iteration, &bytes));
    c->iteration = found ? iteration : 0;
    c->total = w->fit ? a->steps : a->draws >= 0 ? a->warmup + a->draws * a->thin : 0;
    c->warmup = w->fit ? 0 : a->warmup;
    if (w->fit && c->iteration > c->total) /* steps were added */
        c->total = c->iteration;
    if (chain < crd_run_chains(run))
        CRD_TRY(crd_run_draws(run, chain, &w->draws[chain]));
    if (w->particles && (a->temperatures > 0 || w->draws[chain] == 0))
        c->total = a->temperatures;
    if (w->particles && w->draws[chain] > 0)
        c->iteration = c->total;
    if (!w->fit && !w->particles && w->draws[chain] > 0 && a->warmup + w->draws[chain] * a->thin > c->iteration)
        c->iteration = a->warmup + w->draws[chain] * a->thin;
    if (w->fit && !found && (strcmp(w->status, "complete") == 0 || w->draws[0] > 0))
        c->iteration = c->total; /* what is kept is one state, of the best */
    if (!w->fit)
        CRD_TRY(read_statistics(w, run, chain, before));
    c->phase = phase_of(w, c, found || w->draws[chain] > 0);
    return CRD_OK;
}

/* How many steps each restart has made; a file of an older version does not say, nor one to which steps were added of the others. */
static crd_status read_steps(crdi_run_watch *w, crd_run *run)
{
    crd_array steps = {0};
    bool clear = crd_error_status(w->ctx) == CRD_OK;
    crd_status status = crdi_run_get_array(run, "svi_steps", &steps);
    for (int c = 0; status == CRD_OK && c < w->chains && c < crd_shape_size(steps.shape); c++) {
        crdi_chain_progress *p = &w->chain[c];
        if (!(steps.data[c] >= 0 && steps.data[c] < 9e15))
            continue;
        p->iteration = (int64_t)steps.data[c];
        if (strcmp(w->status, "complete") == 0 || p->iteration > p->total)
            p->total = p->iteration;
        p->phase = phase_of(w, p, p->iteration > 0);
    }
    crd_array_clear(&steps);
    if (status == CRD_EMISSING && clear)
        crd_error_clear(w->ctx);
    return status == CRD_EMISSING ? CRD_OK : status;
}

/* What each restart has come to, where the fit is over. */
static crd_status read_final_losses(crdi_run_watch *w, crd_run *run, bool going_on)
{
    crd_array loss;
    int64_t kept = 0;
    CRD_TRY(integer_of(run, "svi_restart", &kept));
    CRD_TRY(crdi_run_get_array(run, "svi_restarts", &loss));
    if (going_on && kept >= 0 && kept < crd_shape_size(loss.shape))
        w->chain[0].loss = loss.data[kept];
    else if (kept > 0 && kept < w->chains &&
             strcmp(w->status, "complete") == 0) { /* the one state that is left is of it */
        crdi_chain_progress first = w->chain[0];
        w->chain[0] = w->chain[kept];
        w->chain[kept] = first;
    }
    for (int c = 0; c < w->chains && c < crd_shape_size(loss.shape) && !going_on; c++)
        w->chain[c].loss = loss.data[c];
    crd_array_clear(&loss);
    return going_on ? CRD_OK : read_steps(w, run);
}

/* The loss of each restart behind its state; a run of an older version does not say. */
static crd_status read_losses(crdi_run_watch *w, crd_run *run, bool going_on)
{
    crdi_run_entry entry;
    if (w->fit && w->draws[0] > 0)
        return read_final_losses(w, run, going_on);
    if (!w->fit || !crdi_run_has(run, "svi_losses_now"))
        return CRD_OK;
    CRD_TRY(crdi_run_get_entry(w->ctx, run, "svi_losses_now", &entry));
    for (int c = 0; c < w->chains && (size_t)c < entry.size / sizeof(double); c++)
        crdi_decode(&w->chain[c].loss, (const unsigned char *)entry.bytes + (size_t)c * sizeof(double), 1);
    crdi_run_entry_clear(w->ctx, &entry);
    return CRD_OK;
}

/* Of the time since the moment before, where something has come since; else of all that the run has taken. */
static void measure(crdi_run_watch *w, const crdi_run_watch *before)
{
    int64_t done = 0, was = 0, left = 0;
    int busy = 0;
    for (int c = 0; c < w->chains; c++) {
        const crdi_chain_progress *p = &w->chain[c];
        done += p->iteration;
        was += before && c < before->chains ? before->chain[c].iteration : 0;
        left += p->total > p->iteration ? p->total - p->iteration : 0;
        busy += p->phase == CRDI_PHASE_WARMUP || p->phase == CRDI_PHASE_SAMPLING || p->phase == CRDI_PHASE_FITTING;
    }
    w->speed = w->seconds > 0 ? (double)done / w->seconds : NAN;
    if (before && done > was && w->at - before->at > 0.1) {
        double now = (double)(done - was) / (w->at - before->at);
        w->speed = isfinite(before->speed) ? 0.8 * before->speed + 0.2 * now : now; /* states come in steps */
    }
    w->seconds_left = NAN;
    if (w->state != CRDI_WATCH_RUNNING || busy == 0)
        return;
    w->seconds_left = (double)left / w->speed;
    for (int c = 0; c < w->chains; c++) {
        crdi_chain_progress *p = &w->chain[c];
        if (p->total > p->iteration && p->phase != CRDI_PHASE_WAITING)
            p->seconds_left = (double)(p->total - p->iteration) / (w->speed / busy);
        w->seconds_left = fmax(w->seconds_left, p->seconds_left); /* the slowest, of those that are known */
    }
}

static crd_status read_chains(crdi_run_watch *w, crd_run *run, struct asked *a, const crdi_run_watch *before)
{
    int lanes = 0;
    bool piloted;
    size_t bytes;
    CRD_TRY(crdi_run_count_states(run, &lanes));
    w->chains = crd_run_chains(run);
    if (w->particles && lanes > w->chains) {
        CRD_TRY(crdi_run_find_state(run, w->chains, &piloted, &a->temperatures, &bytes));
        lanes = w->chains;
    }
    if (w->fit)
        w->chains = (int)(strcmp(w->method, "ensemble") == 0 ? a->members : a->restarts);
    w->chains = lanes > w->chains ? lanes : w->chains;
    w->chains = w->chains < 1 ? 1 : w->chains;
    w->chain = crdi_arena_alloc(w->arena, sizeof *w->chain * (size_t)w->chains);
    w->draws = crdi_arena_alloc(w->arena, sizeof *w->draws * (size_t)w->chains);
    if (!w->chain || !w->draws)
        return CRD_ENOMEM;
    for (int c = 0; c < w->chains; c++)
        CRD_TRY(read_chain(w, run, c, a, before));
    CRD_TRY(read_losses(w, run, a->going_on));
    measure(w, before);
    return CRD_OK;
}

/* ---- traces -------------------------------------------------------------------------------------------------- */

/* The last draws of one chain. */
static crd_status read_last(crdi_run_watch *w, crd_run *run, const crd_column *column, int64_t element, int chain,
                            double *piece, int64_t rows, crdi_watch_trace *t)
{
    int64_t draws = chain < w->chains ? w->draws[chain] : 0, n = draws < t->points ? draws : t->points;
    double *value = t->value + chain * t->points;
    t->count[chain] = n;
    for (int64_t at = 0; at < n; at += rows) {
        int64_t count = n - at < rows ? n - at : rows;
        CRD_TRY(crdi_run_read_range(run, column, chain, draws - n + at, count, piece));
        for (int64_t i = 0; i < count; i++)
            value[at + i] = piece[i * column->size + element];
    }
    return CRD_OK;
}

static crd_status read_trace(crdi_run_watch *w, crd_run *run, const crd_column *column, int64_t element,
                             const char *label, int64_t points)
{
    enum { PIECE = 65536 };
    crdi_watch_trace *t = &w->trace[w->traces];
    int chains = crd_run_chains(run);
    int64_t rows = column->size < PIECE ? PIECE / column->size : 1;
    double *piece = crdi_arena_alloc(w->arena, sizeof *piece * (size_t)(rows * column->size));
    *t = (crdi_watch_trace){.label = crdi_arena_strdup(w->arena, label), .points = points};
    t->count = crdi_arena_alloc(w->arena, sizeof *t->count * (size_t)chains);
    t->value = crdi_arena_alloc(w->arena, sizeof *t->value * (size_t)(chains * points));
    if (!piece || !t->label || !t->count || !t->value)
        return CRD_ENOMEM;
    for (int c = 0; c < chains; c++)
        CRD_TRY(read_last(w, run, column, element, c, piece, rows, t));
    w->traces++;
    return CRD_OK;
}

static crd_status read_pattern(crdi_run_watch *w, const crdi_network_run *net, const char *pattern, bool must,
                               int64_t points)
{
    enum { LABEL = 512 };
    char label[LABEL];
    bool found = false;
    for (int c = 0; c < crd_run_column_count(net->run); c++) {
        const crd_column *column = crd_run_column(net->run, c);
        for (int64_t e = 0; e < column->size; e++) {
            if (!crdi_run_site_is(pattern, column, crd_column_label(column, e, label, sizeof label)))
                continue;
            found = true;
            if (w->traces < CRDI_WATCH_TRACES)
                CRD_TRY(read_trace(w, net->run, column, e, label, points));
        }
    }
    return found || !must ? CRD_OK : crdi_run_raise_unknown_site(net, pattern);
}

static crd_status read_traces(crdi_run_watch *w, const crdi_network_run *net, const crdi_watch_request *r)
{
    w->trace = crdi_arena_alloc(w->arena, sizeof *w->trace * CRDI_WATCH_TRACES);
    if (!w->trace)
        return CRD_ENOMEM;
    if (w->fit || r->points <= 0)
        return CRD_OK;
    for (int64_t i = 0; i < r->sites; i++)
        CRD_TRY(read_pattern(w, net, r->site[i], true, r->points));
    return r->sites == 0 ? read_pattern(w, net, "s", false, r->points) : CRD_OK;
}

/* ---- all together -------------------------------------------------------------------------------------------- */

static crd_status read_summary(crdi_run_watch *w, crdi_network_run *net, const crdi_watch_request *r)
{
    int64_t most = 0;
    for (int c = 0; c < w->chains; c++)
        most = w->draws[c] > most ? w->draws[c] : most;
    if (!r->summary && r->before) {
        w->summary = r->before->summary;
        r->before->summary = NULL;
        return CRD_OK;
    }
    return most > 0 ? crdi_run_summary_make(net, NULL, 0.9, &w->summary) : CRD_OK;
}

static crd_status read_all(crdi_run_watch *w, crdi_network_run *net, bool written, const crdi_watch_request *r)
{
    struct asked asked;
    crdi_run_resumable resumable;
    CRD_TRY(describe(w, net, written, &asked));
    CRD_TRY(read_chains(w, net->run, &asked, r->before));
    CRD_TRY(read_traces(w, net, r));
    CRD_TRY(read_summary(w, net, r));
    CRD_TRY(crdi_run_resumable_find(net, &resumable));
    w->resumable = resumable.can;
    return CRD_OK;
}

/* The lock is asked for before the file is read: a run that ends in between is then seen once more, as one that has ended. */
static crd_status make(crdi_run_watch *w, const crdi_watch_request *r)
{
    char part[PATH_MAX], path[PATH_MAX];
    crdi_network_run *net;
    CRD_TRY(crdi_arena_create(&w->arena, w->ctx));
    w->at = crdi_seconds();
    crdi_run_path_of_part(r->path, path);
    if (!(w->path = crdi_arena_strdup(w->arena, path)))
        return CRD_ENOMEM;
    bool written = crdi_run_is_written(path);
    /* One that is to replace it; or was, and was stopped or killed before its first draws: what resume goes on with. */
    bool beside = written ? crdi_run_path_has(path, ".part", part) : crdi_run_has_newer(w->ctx, path, part);
    bool begun = beside && crdi_network_run_open(w->ctx, part, &net) == CRD_OK;
    if (beside && !begun) /* it has no tables yet, or has gone to its place */
        crd_error_clear(w->ctx);
    if (!begun)
        CRD_TRY(crdi_network_run_open(w->ctx, path, &net));
    crd_status status = read_all(w, net, written, r);
    crdi_network_run_close(&net);
    return status;
}

crd_status crdi_run_watch_make(crd_context *ctx, const crdi_watch_request *request, crdi_run_watch **out)
{
    crdi_run_watch *w = crdi_alloc(ctx, sizeof *w);
    if (!w)
        return CRD_ENOMEM;
    w->ctx = ctx;
    crd_status status = make(w, request);
    if (status < 0)
        crdi_run_watch_destroy(&w);
    else
        *out = w;
    return status;
}

void crdi_run_watch_destroy(crdi_run_watch **watch)
{
    if (!watch || !*watch)
        return;
    crd_context *ctx = (*watch)->ctx;
    crdi_run_summary_destroy(&(*watch)->summary);
    crdi_arena_destroy(&(*watch)->arena);
    crdi_free(ctx, *watch);
    *watch = NULL;
}
