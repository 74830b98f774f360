/* run_report_run.c - what was run: data, model with its priors, method, time, and every option. */
#include "report/run_report_impl.h"
#include "report/laplace_text.h"
#include "report/starts_text.h"
#include "report/variational.h"
#include "store/json.h"

#include <math.h>
#include <string.h>

/* ---- lists of facts ---------------------------------------------------------------------------------------------- */

/* Returns where it begins, for close_facts. */
static size_t open_facts(struct report *r, const char *heading)
{
    size_t start = r->html.body.length;
    crdi_html_add(&r->html.body, "<div class=\"facts\"><h3>$</h3><dl>\n", heading, NULL);
    return start;
}

/* A list without facts goes again. */
static void close_facts(struct report *r, size_t start)
{
    crdi_string *out = &r->html.body;
    if (out->status == CRD_OK && !strstr(out->text + start, "<dt>")) {
        out->length = start;
        out->text[start] = 0;
        return;
    }
    crdi_string_append(&r->html.body, "</dl></div>\n");
}

static void fact(struct report *r, const char *what, const char *value)
{
    if (value && *value)
        crdi_html_add(&r->html.body, "<div><dt>$</dt><dd>$</dd></div>\n", what, value, NULL);
}

static crd_status entry(struct report *r, const char *what, const char *key)
{
    char *text;
    if (!crdi_run_has(r->net->run, key))
        return CRD_OK;
    CRD_TRY(crdi_run_get_text(r->net->run, key, &text));
    fact(r, what, text);
    crdi_free(r->ctx, text);
    return CRD_OK;
}

static crd_status whole(struct report *r, const char *what, const char *key)
{
    int64_t value;
    if (!crdi_run_has(r->net->run, key))
        return CRD_OK;
    CRD_TRY(crdi_run_get_integer(r->net->run, key, &value));
    fact(r, what, crdi_report_print(r, "%lld", (long long)value));
    return CRD_OK;
}

static crd_status number(const struct report *r, const char *key, double *out)
{
    *out = NAN;
    return crdi_run_has(r->net->run, key) ? crdi_run_get_number(r->net->run, key, out) : CRD_OK;
}

/* "a, b, c and 7 more" */
static const char *listed(struct report *r, const char *before, const char *name, int64_t i, int64_t count)
{
    enum { SHOWN = 12 };
    if (i == SHOWN)
        return crdi_report_print(r, "%s and %lld more", before, (long long)(count - SHOWN));
    return i > SHOWN || !before ? before : crdi_report_print(r, "%s%s%s", before, i ? ", " : "", name);
}

/* ---- the data --------------------------------------------------------------------------------------------------- */

static crd_status add_data(struct report *r)
{
    static const char *const kinds[] = {
        [CRD_TARGET_NUMBER] = "a number", [CRD_TARGET_CLASS] = "classes", [CRD_TARGET_COUNT] = "counts"};
    size_t start = open_facts(r, "Data");
    CRD_TRY(entry(r, "File", "data_name"));
    if (r->net->is_network) {
        const crd_recipe *recipe = r->net->recipe;
        const char *inputs = "", *targets = "", *classes = "", *constant = "";
        int64_t columns = 0, at = 0;
        for (int64_t j = 0; j < recipe->feature_count; j++)
            columns += j == 0 || strcmp(recipe->feature[j].column, recipe->feature[j - 1].column) != 0;
        for (int64_t j = 0; j < recipe->feature_count; j++)
            if (j == 0 || strcmp(recipe->feature[j].column, recipe->feature[j - 1].column) != 0)
                inputs = listed(r, inputs, recipe->feature[j].column, at++, columns);
        for (int64_t j = 0; j < recipe->target_count; j++)
            targets = listed(r, targets, recipe->targets[j].name, j, recipe->target_count);
        for (int64_t j = 0; j < recipe->class_count; j++)
            classes = listed(r, classes, recipe->class_name[j], j, recipe->class_count);
        for (int64_t j = 0; j < recipe->constant_count; j++)
            constant = listed(r, constant, recipe->constant[j], j, recipe->constant_count);
        fact(r, "Rows", crdi_report_print(r, "%lld", (long long)r->net->x.shape.dim[0]));
        fact(r, recipe->target_count > 1 ? "Targets" : "Target", targets);
        fact(r, "Read as", recipe->target_count > 1 ? "numbers" : kinds[recipe->target_kind]);
        fact(r, "Classes", classes);
        fact(r, columns == 1 ? "Input" : "Inputs", inputs);
        fact(r, "Left out", constant && *constant ? crdi_report_print(r, "%s: constant", constant) : NULL);
        fact(r, "Scaled",
             recipe->scale == CRD_SCALE_NONE            ? "no"
             : recipe->target_kind == CRD_TARGET_NUMBER ? "inputs and target, to mean 0 and sd 1"
                                                        : "inputs, to mean 0 and sd 1");
    }
    CRD_TRY(entry(r, "SHA-256", "data_sha256"));
    close_facts(r, start);
    return CRD_OK;
}

/* ---- the model --------------------------------------------------------------------------------------------------- */

static int64_t count_latent(const struct report *r)
{
    int64_t count = 0;
    for (int c = 0; c < crd_run_column_count(r->net->run); c++) {
        const crd_column *column = crd_run_column(r->net->run, c);
        count += column->kind == CRD_COLUMN_LATENT ? column->size : 0;
    }
    return count;
}

static crd_status add_model(struct report *r)
{
    const crd_network *n = &r->net->network;
    size_t start = open_facts(r, "Model");
    if (r->net->is_network) {
        fact(r, "Network",
             strcmp(n->hidden, "none") == 0 ? "linear: no hidden layer"
                                            : crdi_report_print(r, "hidden units %s, %s", n->hidden, n->activation));
        fact(r, "Likelihood", n->likelihood ? n->likelihood : "normal");
        fact(r, "Prior", n->prior);
        fact(r, "Noise", r->net->recipe->target_kind == CRD_TARGET_NUMBER ? n->noise : NULL);
    } else {
        fact(r, "Name", *r->net->model ? r->net->model : "not named in the file");
        fact(r, "Kind", "a program's own model, or imported draws: the file holds its draws, not the model");
    }
    fact(r, "Parameters", crdi_report_print(r, "%lld numbers", (long long)count_latent(r)));
    close_facts(r, start);
    return CRD_OK;
}

/* ---- the method --------------------------------------------------------------------------------------------------- */

/* Lines "what:   how" of the texts that other commands print. */
static void add_lines(struct report *r, char *line)
{
    for (char *next; line && *line; line = next) {
        char *colon = strstr(line, ": ");
        next = strchr(line, '\n');
        if (next)
            *next++ = 0;
        if (!colon)
            continue;
        *colon = 0;
        if (*line >= 'a' && *line <= 'z')
            *line = (char)(*line - 'a' + 'A');
        fact(r, line, colon + 2 + strspn(colon + 2, " "));
    }
}

static crd_status add_method(struct report *r)
{
    crdi_string lines;
    bool chains = !r->summary || !r->summary->independent;
    size_t start = open_facts(r, "Method");
    fact(r, "Method", r->method);
    fact(r, "Status", r->alive ? "running" : r->status);
    CRD_TRY(entry(r, "Chosen by auto", "plan"));
    fact(r, "Ended", r->summary ? r->summary->ending : NULL);
    if (chains) {
        fact(r, "Chains", crdi_report_print(r, "%d", crd_run_chains(r->net->run)));
        CRD_TRY(whole(r, "Warm-up", "warmup"));
    }
    CRD_TRY(whole(r, chains ? "Draws a chain" : "Draws", "draws"));
    crdi_string_init(&lines, r->ctx);
    if (r->summary && r->summary->laplace.hessian)
        crdi_laplace_lines(&lines, &r->summary->laplace);
    else if (r->summary && r->summary->independent)
        crdi_variational_lines(&lines, &r->summary->svi);
    else if (r->summary)
        crdi_starts_lines(&lines, &r->summary->starts);
    add_lines(r, lines.text);
    crd_status status = lines.status;
    crdi_string_clear(&lines);
    CRD_TRY(status);
    CRD_TRY(whole(r, "Seed", "seed"));
    close_facts(r, start);
    return CRD_OK;
}

static const char *seconds(struct report *r, double s)
{
    if (isnan(s))
        return NULL;
    if (s < 120)
        return crdi_report_print(r, "%.3g s", s);
    if (s < 7200)
        return crdi_report_print(r, "%.0f min %.0f s", floor(s / 60), s - 60 * floor(s / 60));
    return crdi_report_print(r, "%.0f h %.0f min", floor(s / 3600), floor((s - 3600 * floor(s / 3600)) / 60));
}

static crd_status add_time(struct report *r)
{
    double warmup, sampling, gradients, spent;
    CRD_TRY(number(r, "warmup_seconds", &warmup));
    CRD_TRY(number(r, "sampling_seconds", &sampling));
    CRD_TRY(number(r, "gradient_evaluations", &gradients));
    CRD_TRY(number(r, "gradient_seconds", &spent));
    size_t start = open_facts(r, "Time and program");
    CRD_TRY(entry(r, "Started", "started"));
    if (warmup > 0)
        fact(r, "Warm-up", seconds(r, warmup));
    if (r->has_draws)
        fact(r, r->summary->independent ? "Fit" : "Sampling", seconds(r, sampling));
    if (gradients > 0) {
        fact(r, "Gradients", crdi_report_print(r, "%.0f", gradients));
        fact(r, "A gradient", spent > 0 ? crdi_report_print(r, "%.3g µs a core", 1e6 * spent / gradients) : NULL);
    }
    CRD_TRY(entry(r, "credence", "version"));
    CRD_TRY(entry(r, "Kernels", "kernels"));
    close_facts(r, start);
    return CRD_OK;
}

/* ---- priors and options ------------------------------------------------------------------------------------------- */

struct texts {
    struct report *r;
    const char **name, **value, **more; /* columns */
    int64_t count, most;
    bool failed; /* there was no memory for one of them */
};

static crd_status begin(struct report *r, int64_t most, struct texts *t)
{
    *t = (struct texts){.r = r, .most = most};
    size_t bytes = (size_t)(most + 1) * sizeof *t->name;
    t->name = crdi_arena_alloc(r->arena, bytes);
    t->value = crdi_arena_alloc(r->arena, bytes);
    t->more = crdi_arena_alloc(r->arena, bytes);
    return t->name && t->value && t->more ? CRD_OK : CRD_ENOMEM;
}

static const char *plain(struct texts *t, const crdi_json *value)
{
    crdi_string text;
    crdi_string_init(&text, t->r->ctx);
    crdi_json_plain(&text, value);
    const char *out = text.status == CRD_OK ? crdi_arena_strdup(t->r->arena, crdi_string_text(&text)) : NULL;
    crdi_string_clear(&text);
    t->failed = t->failed || !out;
    return out;
}

static void add_option(void *user, const char *key, const crdi_json *value)
{
    struct texts *t = user;
    char *name = crdi_report_print(t->r, "--%s", key);
    t->failed = t->failed || !name;
    if (t->count == t->most || t->failed)
        return;
    for (char *c = name + 2; *c; c++)
        *c = *c == '_' ? '-' : *c;
    t->name[t->count] = name;
    t->value[t->count++] = plain(t, value);
}

static crd_status parse(struct report *r, const char *key, crdi_json **out)
{
    char *text;
    CRD_TRY(crdi_run_get_text(r->net->run, key, &text));
    crd_status status = crdi_json_parse(r->ctx, key, text, out);
    crdi_free(r->ctx, text);
    return status;
}

static crd_status add_options(struct report *r)
{
    enum { MOST = 500 };
    struct texts t;
    crdi_json *json;
    if (!crdi_run_has(r->net->run, "options"))
        return CRD_OK;
    CRD_TRY(begin(r, MOST, &t));
    CRD_TRY(parse(r, "options", &json));
    crdi_json_each(json, add_option, &t);
    crdi_json_destroy(&json);
    CRD_TRY(t.failed ? CRD_ENOMEM : CRD_OK);
    const crdi_html_column columns[] = {{.name = "option", .text = t.name}, {.name = "value", .text = t.value}};
    crdi_string_append(&r->html.body, "<details><summary>Every option of the run</summary>\n");
    crdi_html_table_add(&r->html,
                        &(crdi_html_table){.caption = "Options", .columns = 2, .column = columns, .rows = t.count});
    crdi_string_append(&r->html.body, "</details>\n");
    return CRD_OK;
}

static crd_status add_priors(struct report *r)
{
    struct texts t;
    crdi_json *json;
    if (!crdi_run_has(r->net->run, "priors"))
        return CRD_OK;
    CRD_TRY(parse(r, "priors", &json));
    int64_t count = crdi_json_count(json);
    crd_status status = begin(r, count > 0 ? count : 0, &t);
    for (int64_t i = 0; status == CRD_OK && i < count; i++) {
        const crdi_json *one = crdi_json_at(json, i);
        t.name[i] = plain(&t, crdi_json_get(one, "site"));
        t.value[i] = plain(&t, crdi_json_get(one, "shape"));
        t.more[i] = plain(&t, crdi_json_get(one, "prior"));
    }
    crdi_json_destroy(&json);
    CRD_TRY(t.failed ? CRD_ENOMEM : status);
    const crdi_html_column columns[] = {
        {.name = "site", .text = t.name}, {.name = "shape", .text = t.value}, {.name = "prior", .text = t.more}};
    crdi_html_table_add(
        &r->html, &(crdi_html_table){
                      .caption = "Priors as resolved, a row a site", .columns = 3, .column = columns, .rows = count});
    return CRD_OK;
}

/* Without priors: what the file knows of a program's own model. */
static crd_status add_sites(struct report *r)
{
    static const char *const kinds[] = {[CRD_COLUMN_LATENT] = "latent", [CRD_COLUMN_DETERMINISTIC] = "deterministic"};
    struct texts t;
    if (r->net->is_network)
        return CRD_OK;
    CRD_TRY(begin(r, crd_run_column_count(r->net->run), &t));
    for (int c = 0; c < crd_run_column_count(r->net->run); c++) {
        const crd_column *column = crd_run_column(r->net->run, c);
        char shape[96];
        if (column->kind == CRD_COLUMN_STATISTIC)
            continue;
        t.name[t.count] = column->name;
        t.value[t.count] = crdi_arena_strdup(r->arena, crdi_shape_text(column->shape, shape, sizeof shape));
        t.more[t.count] = kinds[column->kind];
        CRD_TRY(t.value[t.count++] ? CRD_OK : CRD_ENOMEM);
    }
    const crdi_html_column columns[] = {
        {.name = "site", .text = t.name}, {.name = "shape", .text = t.value}, {.name = "kind", .text = t.more}};
    crdi_html_table_add(
        &r->html,
        &(crdi_html_table){.caption = "Sites of the model", .columns = 3, .column = columns, .rows = t.count});
    return CRD_OK;
}

crd_status crdi_report_run(struct report *r)
{
    crdi_report_open(r, "run", "What was run");
    crdi_string_append(&r->html.body, "<div class=\"grid\">\n");
    CRD_TRY(add_data(r));
    CRD_TRY(add_model(r));
    CRD_TRY(add_method(r));
    CRD_TRY(add_time(r));
    crdi_string_append(&r->html.body, "</div>\n");
    CRD_TRY(add_priors(r));
    CRD_TRY(add_sites(r));
    CRD_TRY(add_options(r));
    crdi_report_close(r);
    return r->html.body.status;
}
