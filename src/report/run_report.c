/* run_report.c - the report of a run: what all sections share, and their order. */
#include "report/run_report_impl.h"
#include "store/run_resumable.h"

#include <string.h>

void crdi_report_step(const struct report *r, const char *what)
{
    if (r->o->step)
        r->o->step(r->o->user, what);
}

void crdi_report_note(struct report *r, const char *text)
{
    crdi_html_add(&r->notes, "<li>$</li>\n", text, NULL);
}

crd_status crdi_report_forgive(struct report *r, const char *what, crd_status status)
{
    if (status != CRD_EUNSUPPORTED && status != CRD_EMISSING)
        return status;
    if (crd_error_status(r->ctx) != status) /* something failed before */
        return crd_error_status(r->ctx);
    const char *why = crd_error_message(r->ctx);
    size_t path = strlen(r->net->path);
    if (strncmp(why, r->net->path, path) == 0 && strncmp(why + path, ": ", 2) == 0)
        why += path + 2;
    crdi_html_add(&r->notes, "<li>Not shown: $: $.</li>\n", what, why, NULL);
    crd_error_clear(r->ctx);
    return CRD_OK;
}

crd_status crdi_report_figure(struct report *r, const char *figure, const crdi_run_figure_options *options,
                              const char *caption, const char *about)
{
    crdi_figure *f = NULL;
    if (!caption)
        return CRD_ENOMEM;
    crdi_report_step(r, caption);
    bool network = strcmp(figure, "network") == 0; /* brings the draws into canonical form */
    crd_status status = crdi_run_figure_make(network ? r->again : r->net, figure, options, &f);
    if (status == CRD_OK)
        crdi_html_figure_add(&r->html, f, caption, about);
    crdi_figure_destroy(&f);
    return crdi_report_forgive(r, caption, status);
}

void crdi_report_open(struct report *r, const char *id, const char *heading)
{
    crdi_html_add(&r->html.body, "<section id=\"$\" aria-labelledby=\"$-heading\">\n<h2 id=\"$-heading\">$</h2>\n", id,
                  id, id, heading, NULL);
}

void crdi_report_close(struct report *r)
{
    crdi_string_append(&r->html.body, "</section>\n");
}

/* ---- what the run is ------------------------------------------------------------------------------------------- */

static crd_status read_text(struct report *r, const char *key, const char **out)
{
    char *text = NULL;
    *out = "";
    if (!crdi_run_has(r->net->run, key))
        return CRD_OK;
    CRD_TRY(crdi_run_get_text(r->net->run, key, &text));
    *out = crdi_arena_strdup(r->arena, text);
    crdi_free(r->ctx, text);
    return *out ? CRD_OK : CRD_ENOMEM;
}

static crd_status count_draws(struct report *r)
{
    int chains = crd_run_chains(r->net->run);
    r->drawn = crdi_arena_alloc(r->arena, (size_t)(chains + 1) * sizeof *r->drawn);
    if (!r->drawn)
        return CRD_ENOMEM;
    for (int c = 0; c < chains; c++)
        CRD_TRY(crd_run_draws(r->net->run, c, &r->drawn[c]));
    CRD_TRY(crdi_run_part_find(r->ctx, r->net->run, &r->part));
    r->has_draws = r->part.chains > 0 && r->part.draws > 0;
    return CRD_OK;
}

/* What the diagnosis has computed of each row need not be computed again. */
static crd_status find_quality(struct report *r)
{
    const crdi_run_summary *s = r->summary;
    const crdi_diagnosis *d = r->diagnosis;
    r->quality = s->diagnostic;
    if (r->quality)
        return CRD_OK;
    crdi_diagnostic_row *rows = crdi_arena_alloc(r->arena, (size_t)(s->count + 1) * sizeof *rows);
    if (!rows)
        return CRD_ENOMEM;
    CRDI_ASSERT(d->element_count == s->count);
    for (int64_t i = 0; i < s->count; i++) {
        const crdi_element *e = &d->element[i];
        rows[i] = (crdi_diagnostic_row){.site = s->row[i].site,
                                        .label = s->row[i].label,
                                        .mcse_mean = e->mcse * e->sd,
                                        .ess_bulk = e->ess_bulk,
                                        .ess_tail = e->ess_tail,
                                        .r_hat = e->r_hat};
    }
    r->quality = rows;
    return CRD_OK;
}

/* The summary before the diagnosis, which may bring weights into another form. */
static crd_status look(struct report *r)
{
    const char *slash = strrchr(r->net->path, '/');
    r->name = slash ? slash + 1 : r->net->path;
    CRD_TRY(read_text(r, "method", &r->method));
    CRD_TRY(read_text(r, "status", &r->status));
    r->alive = strcmp(r->status, "running") == 0 && crdi_run_is_written(r->net->path);
    CRD_TRY(count_draws(r));
    if (!r->has_draws)
        return CRD_OK;
    bool independent = crdi_run_is_variational(r->net->run) || crdi_run_is_laplace(r->net->run);
    crdi_report_step(r, "the summary");
    bool twice = r->o->canonical && !independent; /* the diagnosis is of weights as they were drawn */
    CRD_TRY((twice ? crdi_run_diagnostics_make : crdi_run_summary_make)(r->net, NULL, r->o->prob, &r->summary));
    crdi_report_step(r, "the verdict");
    CRD_TRY(crdi_network_run_open(r->ctx, r->net->path, &r->again));
    for (int c = 0; c < crd_run_chains(r->again->run) && c < crd_run_chains(r->net->run); c++)
        CRD_TRY(crdi_run_hold(r->again->run, c, r->drawn[c])); /* the run may be growing */
    if (r->net->is_network && crdi_run_is_laplace(r->net->run))
        CRD_TRY(crdi_network_run_linear(r->again, r->net->network.linear_about != NULL));
    CRD_TRY(crdi_diagnose(r->again, &(crdi_function_request){.rows = 200, .threads = r->o->threads}, &r->diagnosis));
    if (!independent)
        CRD_TRY(find_quality(r));
    return crdi_report_find_loo(r);
}

/* ---- the page -------------------------------------------------------------------------------------------------- */

static void add_notes(struct report *r)
{
    char count[32];
    if (r->html.points_left_out > 0) {
        crdi_format(count, sizeof count, "%lld", (long long)r->html.points_left_out);
        crdi_html_add(&r->notes,
                      "<li>Long curves and clouds of points are thinned: figures leave out $ points. Lines keep the "
                      "least and the "
                      "greatest value of each stretch.</li>\n",
                      count, NULL);
    }
    crdi_report_note(r,
                     "This page is one file. It asks nothing of any network, and its policy lets nothing be fetched.");
    crdi_report_open(r, "notes", "Notes");
    crdi_string_append(&r->html.body, "<ul class=\"notes\">\n");
    crdi_string_add(&r->html.body, crdi_string_text(&r->notes), r->notes.length);
    crdi_string_append(&r->html.body, "</ul>\n");
    crdi_report_close(r);
}

static const char *status_word(const struct report *r)
{
    if (strcmp(r->status, "running") == 0)
        return r->alive ? "running" : "killed";
    return *r->status ? r->status : "unknown";
}

static void add_head(struct report *r)
{
    crdi_string *out = &r->html.body;
    crdi_string_append(out, "<a class=\"skip\" href=\"#main\">Skip to the report</a>\n<header>\n"
                            "<p class=\"mark\">credence <span>report</span></p>\n");
    crdi_html_add(out, "<h1>$</h1>\n<p class=\"status $\">$</p>\n", r->name, status_word(r), status_word(r), NULL);
    crdi_string_append(out, "<div class=\"theme\" id=\"theme\"></div>\n</header>\n<div class=\"page\">\n"
                            "<nav aria-label=\"Sections\"><ol>\n<li><a href=\"#verdict\">Verdict</a></li>\n"
                            "<li><a href=\"#run\">What was run</a></li>\n");
    if (r->net->is_network)
        crdi_string_append(out, "<li><a href=\"#predictions\">Data and predictions</a></li>\n");
    if (r->has_draws)
        crdi_string_append(out, "<li><a href=\"#diagnostics\">Diagnostics</a></li>\n"
                                "<li><a href=\"#parameters\">Parameters</a></li>\n");
    crdi_string_append(
        out, "<li><a href=\"#notes\">Notes</a></li>\n</ol></nav>\n<main id=\"main\" tabindex=\"-1\">\n"
             "<noscript><p class=\"banner\">Figures and tables of this page are drawn by its script, which does not "
             "run here. Verdict, settings and notes can be read without.</p></noscript>\n");
}

static void add_foot(struct report *r)
{
    crdi_string *out = &r->html.body;
    crdi_string_append(out, "</main>\n</div>\n<footer><p>");
    crdi_html_add(out, "Made by <code>credence report</code> $", crd_version(), NULL);
    if (r->o->made)
        crdi_html_add(out, " on $", r->o->made, NULL);
    crdi_html_add(out, " from <code>$</code>.</p></footer>\n", r->name, NULL);
}

static crd_status write_page(struct report *r, crdi_string *page)
{
    CRD_TRY(look(r));
    add_head(r);
    CRD_TRY(crdi_report_verdict(r));
    CRD_TRY(crdi_report_run(r));
    if (r->net->is_network)
        CRD_TRY(crdi_report_predictions(r));
    if (r->has_draws) {
        CRD_TRY(crdi_report_diagnostics(r));
        CRD_TRY(crdi_report_parameters(r));
    }
    add_notes(r);
    add_foot(r);
    CRD_TRY(r->notes.status);
    CRD_TRY(crd_error_status(r->ctx)); /* a text that there was no memory for was left out */
    const char *title = crdi_report_print(r, "%s - credence report", r->name);
    return title ? crdi_html_page(&r->html, title, page) : CRD_ENOMEM;
}

static void clear(struct report *r)
{
    crdi_run_loo_destroy(&r->loo);
    crdi_diagnosis_destroy(&r->diagnosis);
    crdi_run_summary_destroy(&r->summary);
    crdi_network_run_close(&r->again);
    crdi_run_part_clear(r->ctx, &r->part);
    crdi_string_clear(&r->notes);
    crdi_html_clear(&r->html);
    crdi_arena_destroy(&r->arena);
}

crd_status crdi_run_report_make(crdi_network_run *net, const crdi_run_report_options *options, crdi_run_report **out)
{
    struct report r = {.ctx = net->ctx, .net = net, .o = options};
    crdi_run_report *report = crdi_alloc(net->ctx, sizeof *report);
    if (!report)
        return CRD_ENOMEM;
    report->ctx = net->ctx;
    crdi_string_init(&report->page, net->ctx);
    crdi_html_init(&r.html, net->ctx);
    crdi_string_init(&r.notes, net->ctx);
    crd_status status = crdi_arena_create(&r.arena, net->ctx);
    if (status == CRD_OK)
        status = write_page(&r, &report->page);
    if (status == CRD_OK && r.diagnosis && !(report->sentence = crdi_strdup(net->ctx, r.diagnosis->sentence)))
        status = CRD_ENOMEM;
    clear(&r);
    if (status < 0)
        crdi_run_report_destroy(&report);
    else
        *out = report;
    return status;
}

void crdi_run_report_destroy(crdi_run_report **report)
{
    if (!report || !*report)
        return;
    crdi_string_clear(&(*report)->page);
    crdi_free((*report)->ctx, (*report)->sentence);
    crdi_free((*report)->ctx, *report);
    *report = NULL;
}
