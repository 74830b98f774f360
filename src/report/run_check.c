/* run_check.c - see run_check.h. */
#include "report/run_check.h"
#include "store/network_fit.h"
#include "report/run_ending.h"
#include "report/text.h"
#include "store/json.h"
#include "store/run_list.h"
#include "store/run_path.h"

#include <string.h>
#include <sys/stat.h>

/* ---- reading ------------------------------------------------------------------------------------------------- */

/* A text entry, "" where there is none. */
static crd_status text_of(crdi_run_check *c, crd_run *run, const char *key, const char **out)
{
    char *text;
    *out = "";
    if (!crdi_run_has(run, key))
        return CRD_OK;
    CRD_TRY(crdi_run_get_text(run, key, &text));
    *out = crdi_arena_strdup(c->arena, text);
    crdi_free(c->ctx, text);
    return *out ? CRD_OK : CRD_ENOMEM;
}

static crd_status integer_of(crd_run *run, const char *key, int64_t *out)
{
    return crdi_run_has(run, key) ? crdi_run_get_integer(run, key, out) : CRD_OK;
}

static crd_status describe_ending(crdi_run_check *c, crd_run *run)
{
    crdi_string text;
    crdi_string_init(&text, c->ctx);
    crd_status status = crdi_run_ending(&text, run);
    c->ending = crdi_arena_strdup(c->arena, crdi_string_text(&text));
    crdi_string_clear(&text);
    return status < 0 ? status : c->ending ? CRD_OK : CRD_ENOMEM;
}

static crd_status describe(crdi_run_check *c, const crdi_network_run *net)
{
    crd_run *run = net->run;
    CRD_TRY(text_of(c, run, "version", &c->version));
    CRD_TRY(text_of(c, run, "started", &c->started));
    CRD_TRY(text_of(c, run, "status", &c->status));
    CRD_TRY(text_of(c, run, "method", &c->method));
    CRD_TRY(text_of(c, run, "data_name", &c->data_name));
    CRD_TRY(text_of(c, run, "data_sha256", &c->data_sha256));
    CRD_TRY(describe_ending(c, run));
    c->seed = 0;
    c->warmup = c->asked = c->rows = -1;
    c->has_seed = crdi_run_has(run, "seed");
    CRD_TRY(integer_of(run, "seed", &c->seed));
    CRD_TRY(integer_of(run, "warmup", &c->warmup));
    CRD_TRY(integer_of(run, "draws", &c->asked));
    c->model = crdi_arena_strdup(c->arena, net->model);
    c->network = "";
    if (net->is_network) {
        c->rows = net->x.shape.dim[0];
        c->network = crdi_arena_printf(c->arena, "%s %s, prior %s", net->network.hidden, net->network.activation,
                                       net->network.prior);
    }
    return c->model && c->network ? CRD_OK : CRD_ENOMEM;
}

static crd_status count(crdi_run_check *c, crd_run *run)
{
    c->columns = crd_run_column_count(run);
    for (int i = 0; i < c->columns; i++)
        c->sites += crd_run_column(run, i)->kind == CRD_COLUMN_LATENT;
    c->chains = crd_run_chains(run);
    c->chain = crdi_arena_alloc(c->arena, (size_t)c->chains * sizeof *c->chain);
    if (!c->chain)
        return CRD_ENOMEM;
    for (int i = 0; i < c->chains; i++) {
        crdi_run_check_chain *chain = &c->chain[i];
        CRD_TRY(crd_run_draws(run, i, &chain->draws));
        CRD_TRY(crdi_run_find_state(run, i, &chain->has_state, &chain->iteration, &chain->state_bytes));
    }
    return CRD_OK;
}

/* The description of a network makes its model, and the columns are that model's sites. */
static crd_status check_model(const crdi_network_run *net)
{
    crd_model *model = NULL;
    if (!net->is_network)
        return CRD_OK;
    crd_status status = crdi_network_run_model(net, &model);
    crd_model_destroy(&model);
    return status;
}

static int64_t log_bytes(const char *path)
{
    char log[PATH_MAX];
    struct stat file;
    return crdi_run_path_beside(path, "-wal", log) && stat(log, &file) == 0 ? (int64_t)file.st_size : 0;
}

static crd_status make(crdi_run_check *c, const char *path)
{
    crdi_network_run *net;
    CRD_TRY(crdi_arena_create(&c->arena, c->ctx));
    c->path = crdi_arena_strdup(c->arena, path);
    if (!c->path)
        return CRD_ENOMEM;
    CRD_TRY(crdi_network_run_open(c->ctx, path, &net));
    c->log = log_bytes(path);
    crd_status status = crd_run_check(net->run);
    if (status == CRD_OK)
        status = check_model(net);
    if (status == CRD_OK)
        status = crdi_run_extent(net->run, &c->format, &c->bytes);
    if (status == CRD_OK)
        status = describe(c, net);
    if (status == CRD_OK)
        status = count(c, net->run);
    if (status == CRD_OK)
        status = crdi_run_resumable_find(net, &c->resumable);
    if (status == CRD_OK && c->resumable.can && crdi_run_path_is_part(c->path)) {
        c->resumable.can = false;
        crdi_format(c->resumable.why, sizeof c->resumable.why,
                    "it is on its way to its place, and goes by the name of that");
    }
    const crdi_network_method *method;
    c->finished = status == CRD_OK && strcmp(c->status, "complete") == 0;
    if (c->finished && c->resumable.can && crdi_network_method_find(c->ctx, c->method, &method) == CRD_OK)
        c->more = method->draws_behind;
    else if (c->finished)
        crd_error_clear(c->ctx);
    c->killed = status == CRD_OK && strcmp(c->status, "running") == 0 && !c->resumable.is_written;
    crdi_network_run_close(&net);
    return status;
}

crd_status crdi_run_check_make(crd_context *ctx, const char *path, crdi_run_check **out)
{
    crdi_run_check *c = crdi_alloc(ctx, sizeof *c);
    if (!c)
        return CRD_ENOMEM;
    c->ctx = ctx;
    crd_status status = make(c, path);
    if (status < 0)
        crdi_run_check_destroy(&c);
    else
        *out = c;
    return status;
}

void crdi_run_check_destroy(crdi_run_check **check)
{
    if (!check || !*check)
        return;
    crd_context *ctx = (*check)->ctx;
    crdi_arena_destroy(&(*check)->arena);
    crdi_free(ctx, *check);
    *check = NULL;
}

/* ---- text ---------------------------------------------------------------------------------------------------- */

static void line(crdi_string *out, const char *what, const char *text)
{
    crdi_string_append(out, "%-12s", what);
    crdi_text_printable(out, text);
}

static const char *state_of(const crdi_run_check *c)
{
    if (c->resumable.beside)
        return "as it was: another process writes a run beside it that is to replace it";
    if (c->resumable.is_written)
        return "running: another process writes it";
    if (c->killed)
        return "killed: it says that it runs, and nobody writes it";
    return *c->status ? c->status : "not known";
}

static void put_run(crdi_string *out, const crdi_run_check *c)
{
    line(out, "run:", *c->method ? c->method : "a method that the file does not name");
    if (*c->network) {
        crdi_string_append(out, ", network ");
        crdi_text_printable(out, c->network);
    } else {
        crdi_string_append(out, ", model '");
        crdi_text_printable(out, c->model);
        crdi_string_append(out, "'");
    }
    if (c->has_seed)
        crdi_string_append(out, ", seed %lld", (long long)c->seed);
    crdi_string_append(out, "; %d site%s, %d columns\n", c->sites, c->sites == 1 ? "" : "s", c->columns);
    if (*c->data_name) {
        line(out, "data:", c->data_name);
        if (c->rows >= 0)
            crdi_string_append(out, ", %lld rows", (long long)c->rows);
        if (*c->data_sha256) {
            crdi_string_append(out, ", sha256 ");
            crdi_text_printable(out, c->data_sha256);
        }
        crdi_string_append(out, "\n");
    }
}

/* Chains that are alike share a line. */
static bool alike(const crdi_run_check_chain *a, const crdi_run_check_chain *b)
{
    return a->draws == b->draws && a->has_state == b->has_state && a->iteration == b->iteration;
}

static void put_chains(crdi_string *out, const crdi_run_check *c)
{
    for (int first = 0, end; first < c->chains; first = end) {
        const crdi_run_check_chain *chain = &c->chain[first];
        char name[40];
        for (end = first + 1; end < c->chains && alike(chain, &c->chain[end]);)
            end++;
        if (end == first + 1)
            crdi_format(name, sizeof name, "chain %d:", first);
        else
            crdi_format(name, sizeof name, "chains %d-%d:", first, end - 1);
        crdi_string_append(out, "%-12s%lld draws", name, (long long)chain->draws);
        if (c->asked > 0 && chain->draws != c->asked)
            crdi_string_append(out, " of %lld", (long long)c->asked);
        if (chain->has_state)
            crdi_string_append(out, "; state after %lld iterations, %zu bytes", (long long)chain->iteration,
                               chain->state_bytes);
        else
            crdi_string_append(out, "; no state");
        crdi_string_append(out, "\n");
    }
}

crd_status crdi_run_check_text(crdi_string *out, const crdi_run_check *c)
{
    crdi_text_printable(out, c->path);
    crdi_string_append(out, ": whole: every row matches its checksum\n");
    crdi_string_append(out, "%-12s%lld, written by credence ", "format:", (long long)c->format);
    crdi_text_printable(out, *c->version ? c->version : "of a version not known");
    if (*c->started) {
        crdi_string_append(out, ", started ");
        crdi_text_printable(out, c->started);
    }
    crdi_string_append(out, ", %lld bytes", (long long)c->bytes);
    if (c->log > 0)
        crdi_string_append(out, "; its log beside it, -wal, is a part of it: %lld bytes", (long long)c->log);
    crdi_string_append(out, "\n");
    put_run(out, c);
    line(out, "status:", state_of(c));
    crdi_string_append(out, "\n");
    if (*c->ending) {
        line(out, "ended:", c->ending);
        crdi_string_append(out, "\n");
    }
    put_chains(out, c);
    bool newer = c->resumable.newer && c->resumable.can;
    bool nothing = c->finished && c->resumable.can && !newer;
    line(out, "resume:",
         newer              ? "goes on with "
         : nothing          ? "there is nothing left to do"
         : c->resumable.can ? "possible"
                            : "not possible: ");
    if (nothing && c->more)
        crdi_string_append(out, "; --draws +N makes more");
    if (newer) {
        char file[PATH_MAX];
        (void)crdi_run_path_follow(c->path, file);
        crdi_text_printable(out, file);
        crdi_string_append(out, ".part, a newer run (--force, continue, or a plan that auto changed) that takes this "
                                "one's place at its first draws");
    } else if (!c->resumable.can) {
        crdi_text_printable(out, c->resumable.why);
    }
    crdi_string_append(out, "\n");
    if (c->resumable.lost)
        crdi_string_append(out,
                           "%-12s.part, of a run that was killed before there was anything to go on from, or is "
                           "damaged; the next replaces it\n",
                           "beside:");
    return out->status;
}

/* ---- JSON ---------------------------------------------------------------------------------------------------- */

static void put_known(crdi_json_writer *w, const char *key, int64_t value)
{
    if (value >= 0)
        crdi_json_put_integer(w, key, value);
    else
        crdi_json_put_text(w, key, NULL);
}

static void put_text(crdi_json_writer *w, const char *key, const char *text)
{
    crdi_json_put_text(w, key, *text ? text : NULL);
}

static void put_chains_json(crdi_json_writer *w, const crdi_run_check *c)
{
    crdi_json_open(w, "by_chain", '[');
    for (int i = 0; i < c->chains; i++) {
        crdi_json_open(w, NULL, '{');
        crdi_json_put_integer(w, "draws", c->chain[i].draws);
        crdi_json_put_bool(w, "state", c->chain[i].has_state);
        put_known(w, "iteration", c->chain[i].has_state ? c->chain[i].iteration : -1);
        crdi_json_close(w, '}');
    }
    crdi_json_close(w, ']');
}

crd_status crdi_run_check_json(crdi_string *out, const crdi_run_check *c)
{
    crdi_json_writer w = {.out = out};
    crdi_json_open(&w, NULL, '{');
    crdi_json_put_text(&w, "run", c->path);
    crdi_json_put_bool(&w, "whole", true);
    crdi_json_put_integer(&w, "format", c->format);
    put_text(&w, "version", c->version);
    put_text(&w, "started", c->started);
    crdi_json_put_integer(&w, "bytes", c->bytes);
    crdi_json_put_integer(&w, "log_bytes", c->log);
    put_text(&w, "method", c->method);
    put_text(&w, "model", c->model);
    put_text(&w, "network", c->network);
    if (c->has_seed)
        crdi_json_put_integer(&w, "seed", c->seed);
    put_text(&w, "data", c->data_name);
    put_text(&w, "data_sha256", c->data_sha256);
    put_known(&w, "rows", c->rows);
    put_text(&w, "status", c->status);
    crdi_json_put_bool(&w, "being_written", c->resumable.is_written);
    crdi_json_put_bool(&w, "killed", c->killed);
    if (*c->ending)
        crdi_json_put_text(&w, "ended", c->ending);
    put_known(&w, "warmup", c->warmup);
    put_known(&w, "draws_asked", c->asked);
    crdi_json_put_integer(&w, "chains", c->chains);
    put_chains_json(&w, c);
    crdi_json_put_bool(&w, "resumable", c->resumable.can);
    crdi_json_put_bool(&w, "newer_without_draws", c->resumable.newer);
    put_text(&w, "not_resumable_because", c->resumable.why);
    crdi_json_close(&w, '}');
    crdi_string_append(out, "\n");
    return out->status;
}

crd_status crdi_run_check_failed_json(crdi_string *out, const char *path, crd_status status, const char *message)
{
    crdi_json_writer w = {.out = out};
    crdi_json_open(&w, NULL, '{');
    crdi_json_put_text(&w, "run", path);
    crdi_json_put_bool(&w, "whole", false);
    crdi_json_put_text(&w, "error", crd_status_name(status));
    crdi_json_put_text(&w, "message", message);
    crdi_json_close(&w, '}');
    crdi_string_append(out, "\n");
    return out->status;
}
