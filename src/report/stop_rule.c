/* stop_rule.c - see stop_rule.h. */
#include "report/stop_rule.h"
#include "report/run_function.h"

#include <credence/diag.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const int64_t MOST_NUMBERS = 1 << 20; /* draws in memory, unless one element has more */
enum { FEW_ROWS = 8 };

/* ---- words -------------------------------------------------------------------------------------------------- */

static crd_status read_limit(crd_context *ctx, const char *name, const char *text, double above, double *out)
{
    double value;
    if (*out > 0)
        return crdi_raise(ctx, CRD_EINVAL, "option --until: %s is there twice", name);
    if (!crdi_parse_double(text, &value) || !(value > above) || !isfinite(value))
        return crdi_raise(ctx, CRD_EINVAL, "option --until: %s=%s; a number above %g is needed, as in %s", name, text,
                          above, above > 0 ? "rhat=1.01" : "ess=400");
    *out = value;
    return CRD_OK;
}

static crd_status read_word(crdi_stop_rule *r, char *word)
{
    char *value = strchr(word, '=');
    if (value)
        *value++ = 0;
    if (value && strcmp(word, "ess") == 0)
        return read_limit(r->ctx, word, value, 0, &r->ess);
    if (value && (strcmp(word, "rhat") == 0 || strcmp(word, "r_hat") == 0))
        return read_limit(r->ctx, "rhat", value, 1, &r->r_hat);
    if (value && strcmp(word, "of") == 0 && (strcmp(value, "f") == 0 || strcmp(value, "sites") == 0)) {
        r->function = *value == 'f';
        return CRD_OK;
    }
    if (value && strcmp(word, "of") == 0)
        return crdi_raise(
            r->ctx, CRD_EINVAL,
            "option --until: of=%s; of=sites (every site) and of=f (the network's outputs at the data) are "
            "known",
            value);
    return crdi_raise(r->ctx, CRD_EINVAL,
                      "option --until: '%s' is no condition; ess=NUMBER, rhat=NUMBER and of=sites or of=f are, with "
                      "commas between: ess=400,rhat=1.01",
                      word);
}

static crd_status read_words(crdi_stop_rule *r, char *at)
{
    for (char *next; at; at = next) {
        next = strchr(at, ',');
        if (next)
            *next++ = 0;
        CRD_TRY(read_word(r, at));
    }
    if (r->ess > 0 || r->r_hat > 0)
        return CRD_OK;
    return crdi_raise(r->ctx, CRD_EINVAL,
                      "option --until: ess=NUMBER or rhat=NUMBER is needed, as in ess=400,rhat=1.01");
}

/* ---- one number --------------------------------------------------------------------------------------------- */

/* What a number's draws say. */
static bool note(const crdi_stop_rule *r, crdi_fit_verdict *v, double ess, double r_hat, const char *where)
{
    bool few = r->ess > 0 && !(ess >= r->ess), apart = r->r_hat > 0 && !(r_hat <= r->r_hat); /* NaN breaks it */
    bool least = isnan(v->ess) || ess < v->ess || isnan(ess);
    if (r->ess > 0 ? least : isnan(v->r_hat) || r_hat > v->r_hat)
        snprintf(v->where, sizeof v->where, "%s", where);
    v->ess = least ? ess : v->ess;
    v->r_hat = isnan(v->r_hat) || r_hat > v->r_hat || isnan(r_hat) ? r_hat : v->r_hat;
    v->holds = v->holds && !few && !apart;
    return !few && !apart;
}

/* Larger than any: nothing was seen yet. */
static void begin_verdict(crdi_fit_verdict *v, int64_t draws)
{
    *v = (crdi_fit_verdict){.holds = true, .draws = draws, .ess = INFINITY, .r_hat = -INFINITY};
}

/* ---- sites -------------------------------------------------------------------------------------------------- */

static crd_status judge(crdi_stop_rule *r, const crd_column *column, int64_t element, const crdi_run_part *part,
                        const double *draws, crdi_fit_verdict *v, bool *good)
{
    enum { LABEL = 512 };
    char label[LABEL];
    double bulk, tail, r_hat;
    CRD_TRY(crd_diag_ess_bulk(r->own, draws, part->chains, part->draws, &bulk));
    CRD_TRY(crd_diag_ess_tail(r->own, draws, part->chains, part->draws, &tail));
    CRD_TRY(crd_diag_r_hat_rank(r->own, draws, part->chains, part->draws, &r_hat));
    *good = note(r, v, isnan(bulk) || isnan(tail) ? NAN : fmin(bulk, tail), r_hat,
                 crd_column_label(column, element, label, sizeof label));
    return CRD_OK;
}

/* Elements first .. first + count - 1. */
static crd_status judge_elements(crdi_stop_rule *r, int c, int64_t first, int64_t count, const crdi_run_part *part,
                                 double *work, bool all, crdi_fit_verdict *v)
{
    const crd_column *column = crd_run_column(r->net->run, c);
    CRD_TRY(crdi_run_read_elements(r->own, r->net->run, column, part, first, count, work));
    for (int64_t e = first; e < first + count && (v->holds || all); e++) {
        bool good;
        CRD_TRY(judge(r, column, e, part, work + (e - first) * part->chains * part->draws, v, &good));
        if (!good) {
            r->column = c;
            r->element = e;
        }
    }
    return CRD_OK;
}

static crd_status judge_sites(crdi_stop_rule *r, const crdi_run_part *part, int64_t together, double *work, bool all,
                              crdi_fit_verdict *v)
{
    crd_run *run = r->net->run;
    if (!all && r->column >= 0)
        CRD_TRY(judge_elements(r, r->column, r->element, 1, part, work, false, v));
    for (int c = 0; c < crd_run_column_count(run); c++) {
        const crd_column *column = crd_run_column(run, c);
        if (column->kind != CRD_COLUMN_LATENT)
            continue;
        for (int64_t e = 0; e < column->size && (v->holds || all); e += together)
            CRD_TRY(
                judge_elements(r, c, e, together < column->size - e ? together : column->size - e, part, work, all, v));
    }
    return CRD_OK;
}

static crd_status look_at_sites(crdi_stop_rule *r, bool all, crdi_fit_verdict *v)
{
    crdi_run_part part;
    CRD_TRY(crdi_run_part_find(r->own, r->net->run, &part));
    int64_t n = part.chains * part.draws, together = n > 0 && MOST_NUMBERS / n > 1 ? MOST_NUMBERS / n : 1, largest = 1;
    for (int c = 0; c < crd_run_column_count(r->net->run); c++)
        if (crd_run_column(r->net->run, c)->size > largest)
            largest = crd_run_column(r->net->run, c)->size;
    together = together < largest ? together : largest;
    double *work = crdi_alloc_array(r->own, together * n, sizeof *work);
    crd_status status = work ? judge_sites(r, &part, together, work, all, v) : CRD_ENOMEM;
    crdi_free(r->own, work);
    crdi_run_part_clear(r->own, &part);
    return status;
}

/* ---- f ------------------------------------------------------------------------------------------------------ */

static crd_status look_at_rows(crdi_stop_rule *r, int64_t rows, crdi_fit_verdict *v)
{
    crdi_function_space *space;
    crdi_string where;
    int64_t seen = 0;
    crd_array none = {.shape = crd_shape_2(0, r->net->x.shape.dim[1])};
    CRD_TRY(crdi_run_function_space(
        r->net, &(crdi_function_request){.rows = rows, .probes = &none, .threads = 1, .only_f = true}, &space));
    const crdi_function_part *part = &space->part[CRDI_F_AT_DATA];
    crd_status status = CRD_OK;
    for (int64_t i = 0; i < part->count && status == CRD_OK; i++) {
        const crdi_function_number *n = &part->number[i];
        if (n->sd == 0)
            continue; /* there is nothing to know of it */
        crdi_string_init(&where, r->own);
        crdi_string_append(&where, "f at ");
        crdi_function_where(&where, r->net, space, CRDI_F_AT_DATA, n, 2);
        status = where.status;
        if (status == CRD_OK)
            note(r, v, isnan(n->ess_bulk) || isnan(n->ess_tail) ? NAN : fmin(n->ess_bulk, n->ess_tail), n->r_hat,
                 crdi_string_text(&where));
        crdi_string_clear(&where);
        seen++;
    }
    v->holds = v->holds && seen > 0;
    crdi_function_space_destroy(&space);
    return status;
}

static crd_status look_at_function(crdi_stop_rule *r, bool all, crdi_fit_verdict *v)
{
    CRD_TRY(look_at_rows(r, FEW_ROWS, v));
    if (!v->holds && !all)
        return CRD_OK;
    double steps = v->steps;
    begin_verdict(v, v->draws);
    v->steps = steps;
    return look_at_rows(r, CRDI_STOP_ROWS, v);
}

/* ---- a look ------------------------------------------------------------------------------------------------- */

static crd_status find_steps(crdi_stop_rule *r, crdi_fit_verdict *v)
{
    const crd_column *column;
    crdi_run_part part;
    CRD_TRY(crd_run_find(r->net->run, "n_steps", &column));
    CRD_TRY(crdi_run_part_find(r->own, r->net->run, &part));
    int64_t n = part.chains * part.draws;
    double *steps = crdi_alloc_array(r->own, n, sizeof *steps), sum = 0;
    crd_status status = steps ? crdi_run_read_elements(r->own, r->net->run, column, &part, 0, 1, steps) : CRD_ENOMEM;
    for (int64_t i = 0; i < n && status == CRD_OK; i++)
        sum += steps[i];
    v->steps = n > 0 ? sum / (double)n : 0;
    crdi_free(r->own, steps);
    crdi_run_part_clear(r->own, &part);
    return status;
}

static crd_status look_inside(crdi_stop_rule *r, const char *path, int64_t draws, bool all, crdi_fit_verdict *out)
{
    if (!r->net)
        CRD_TRY(crdi_network_run_open(r->own, path, &r->net));
    crdi_run_limit(r->net->run, draws);
    begin_verdict(out, draws);
    CRD_TRY(find_steps(r, out));
    return r->function ? look_at_function(r, all, out) : look_at_sites(r, all, out);
}

static crd_status look(void *user, const char *path, int64_t draws, bool all, crdi_fit_verdict *out)
{
    crdi_stop_rule *r = user;
    if (!r->own) {
        crd_status created =
            crd_context_create(&r->own, &(crd_context_options){.kernels = crd_context_kernels(r->ctx)});
        if (created < 0)
            return crdi_raise(r->ctx, created, "out of memory");
    }
    crd_status status = look_inside(r, path, draws, all, out);
    return status < 0 ? crdi_raise(r->ctx, status, "--until: %s", crd_error_message(r->own)) : CRD_OK;
}

static void done(void *user)
{
    crdi_stop_rule *r = user;
    crdi_network_run_close(&r->net);
    crd_context_destroy(&r->own);
}

crd_status crdi_stop_rule_parse(crd_context *ctx, const char *text, crdi_stop_rule *out)
{
    char *words = crdi_strdup(ctx, text);
    if (!words)
        return CRD_ENOMEM;
    *out = (crdi_stop_rule){.ctx = ctx, .column = -1};
    crd_status status = read_words(out, words);
    crdi_free(ctx, words);
    if (status == CRD_OK)
        out->rule = (crdi_fit_rule){
            .text = text, .look = look, .done = done, .user = out, .ess = out->ess, .r_hat = out->r_hat};
    return status;
}
