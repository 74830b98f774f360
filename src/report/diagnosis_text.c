/* diagnosis_text.c - a diagnosis as text, JSON and CSV. */
#include "report/diagnosis.h"
#include "report/table.h"

#include <math.h>
#include <string.h>

static const char *const state_word[] = {[CRDI_HOLDS] = "holds", [CRDI_CARE] = "care", [CRDI_FAILS] = "fails"};

/* ---- text ------------------------------------------------------------------------------------------------------- */

enum { WIDTH = 100, INDENT = 7 };

/* Words of `text` in lines of WIDTH, all but the first begun with blanks. The cursor stands at column INDENT. */
static void wrap(crdi_string *out, const char *text)
{
    int column = INDENT;
    for (const char *at = text; *at;) {
        size_t length = strcspn(at, " ");
        while (at[length] == ' ' && at[length + 1] == '%') /* stays with its number */
            length += 1 + strcspn(at + length + 1, " ");
        if (column > INDENT && column + 1 + (int)length > WIDTH) {
            crdi_string_append(out, "\n%*s", INDENT, "");
            column = INDENT;
        } else if (column > INDENT) {
            crdi_string_append(out, " ");
            column++;
        }
        crdi_string_add(out, at, length);
        column += (int)length;
        at += length + (at[length] == ' ');
    }
    crdi_string_append(out, "\n");
}

crd_status crdi_diagnosis_text(crdi_string *out, const crdi_diagnosis *d)
{
    int number = 0;
    crdi_string_append(out, "Verdict: %s.\n\n", d->sentence);
    for (int s = CRDI_FAILS; s >= CRDI_HOLDS; s--)
        for (int i = 0; i < d->finding_count; i++)
            if ((int)d->finding[i].state == s) {
                crdi_string_append(out, "%-*s", INDENT, state_word[s]);
                wrap(out, d->finding[i].text);
            }
    for (int s = CRDI_FAILS; s >= CRDI_HOLDS; s--)
        for (int i = 0; i < d->finding_count; i++) {
            const crdi_finding *f = &d->finding[i];
            bool said = false;
            for (int k = 0; k < d->finding_count && f->advice; k++)
                said = said || (d->finding[k].advice && strcmp(d->finding[k].advice, f->advice) == 0 &&
                                (d->finding[k].state > f->state || (d->finding[k].state == f->state && k < i)));
            if ((int)f->state != s || !f->advice || said)
                continue;
            crdi_string_append(out, "%s%4d.  ", number == 0 ? "\nTo try next:\n" : "", number + 1);
            number++;
            wrap(out, f->advice);
        }
    return out->status;
}

/* ---- JSON ------------------------------------------------------------------------------------------------------- */

static void put_findings(crdi_json_writer *w, const crdi_diagnosis *d)
{
    crdi_json_open(w, "findings", '[');
    for (int i = 0; i < d->finding_count; i++) {
        w->line = true;
        crdi_json_open(w, NULL, '{');
        crdi_json_put_text(w, "id", d->finding[i].id);
        crdi_json_put_text(w, "state", state_word[d->finding[i].state]);
        crdi_json_put_text(w, "text", d->finding[i].text);
        crdi_json_put_text(w, "advice", d->finding[i].advice);
        crdi_json_close(w, '}');
    }
    crdi_json_close(w, ']');
}

static void put_elements(crdi_json_writer *w, const crdi_diagnosis *d)
{
    crdi_json_open(w, "parameters", '[');
    for (int64_t i = 0; i < d->element_count; i++) {
        const crdi_element *e = &d->element[i];
        w->line = true;
        crdi_json_open(w, NULL, '{');
        crdi_json_put_text(w, "name", e->label);
        crdi_json_put_bool(w, "weight", e->weight);
        crdi_json_put_number_or_null(w, "r_hat", e->r_hat);
        crdi_json_put_number_or_null(w, "ess_bulk", e->ess_bulk);
        crdi_json_put_number_or_null(w, "ess_tail", e->ess_tail);
        crdi_json_put_number_or_null(w, "mcse_of_sd", e->mcse);
        crdi_json_put_number_or_null(w, "between", e->between);
        crdi_json_put_number_or_null(w, "drift", e->drift);
        crdi_json_put_number_or_null(w, "divergent_low", e->separation);
        crdi_json_close(w, '}');
    }
    crdi_json_close(w, ']');
}

static const char *const place_name[] = {
    [CRDI_F_AT_DATA] = "f", [CRDI_F_OUTSIDE] = "f outside", [CRDI_LIKELIHOOD] = "log likelihood"};
static const char *const place_key[] = {
    [CRDI_F_AT_DATA] = "f", [CRDI_F_OUTSIDE] = "f_outside", [CRDI_LIKELIHOOD] = "log_likelihood"};

static crd_status put_space(crdi_json_writer *w, const crdi_diagnosis *d)
{
    crd_status status = CRD_OK;
    crdi_json_open(w, "function_space", '{');
    crdi_json_put_integer(w, "rows", d->space->rows);
    crdi_json_put_integer(w, "rows_used", d->space->rows_used);
    for (int k = 0; k < CRDI_FUNCTION_PLACES; k++) {
        const crdi_function_part *p = &d->space->part[k];
        w->line = true;
        crdi_json_open(w, place_key[k], '[');
        for (int64_t i = 0; i < p->count && status == CRD_OK; i++) {
            const crdi_function_number *n = &p->number[i];
            crdi_string where;
            crdi_string_init(&where, d->ctx);
            crdi_function_where(&where, d->net, d->space, (crdi_function_place)k, n, 8);
            w->line = true;
            crdi_json_open(w, NULL, '{');
            crdi_json_put_integer(w, "row", n->row);
            crdi_json_put_integer(w, "output", n->output);
            crdi_json_put_text(w, "at", crdi_string_text(&where));
            crdi_json_put_number_or_null(w, "sd", n->sd);
            crdi_json_put_number_or_null(w, "r_hat", n->r_hat);
            crdi_json_put_number_or_null(w, "ess_bulk", n->ess_bulk);
            crdi_json_put_number_or_null(w, "ess_tail", n->ess_tail);
            crdi_json_put_number_or_null(w, "between", n->between);
            crdi_json_put_number_or_null(w, "drift", n->drift);
            crdi_json_close(w, '}');
            status = where.status;
            crdi_string_clear(&where);
        }
        crdi_json_close(w, ']');
    }
    crdi_json_close(w, '}');
    return status;
}

crd_status crdi_diagnosis_json(crdi_string *out, const crdi_diagnosis *d)
{
    crdi_json_writer w = {.out = out};
    crd_status status = CRD_OK;
    crdi_json_open(&w, NULL, '{');
    crdi_json_put_text(&w, "run", d->net->path);
    crdi_json_put_text(&w, "verdict", d->verdict);
    crdi_json_put_text(&w, "state", state_word[d->state]);
    crdi_json_put_text(&w, "sentence", d->sentence);
    crdi_json_put_text(&w, "method", d->method);
    crdi_json_put_integer(&w, "chains", d->part.chains);
    crdi_json_put_integer(&w, "draws", d->part.draws);
    if (d->divergences >= 0)
        crdi_json_put_integer(&w, "divergences", d->divergences);
    if (d->max_depth > 0)
        crdi_json_put_integer(&w, "at_largest_depth", d->deepest);
    if (d->ebfmi) {
        crdi_json_open(&w, "ebfmi", '[');
        for (int c = 0; c < d->part.chains; c++)
            crdi_json_put_number_or_null(&w, NULL, d->ebfmi[c]);
        crdi_json_close(&w, ']');
    }
    put_findings(&w, d);
    if (d->element_count > 0)
        put_elements(&w, d);
    if (d->space)
        status = put_space(&w, d);
    crdi_json_close(&w, '}');
    crdi_string_append(out, "\n");
    return status < 0 ? status : out->status;
}

/* ---- CSV -------------------------------------------------------------------------------------------------------- */

static void csv_numbers(crdi_string *out, const double *value, int count)
{
    char text[32];
    for (int k = 0; k < count; k++)
        crdi_string_append(out, ",%s", crdi_format_double(text, value[k]));
    crdi_string_append(out, "\n");
}

crd_status crdi_diagnosis_csv(crdi_string *out, const crdi_diagnosis *d)
{
    crdi_string_append(out, "what,at,sd,r_hat,ess_bulk,ess_tail,between,drift\n");
    for (int64_t i = 0; i < d->element_count; i++) {
        const crdi_element *e = &d->element[i];
        crdi_string_append(out, "%s,", e->weight ? "weight" : "parameter");
        crdi_table_csv_cell(out, e->label);
        csv_numbers(out, (const double[]){e->sd, e->r_hat, e->ess_bulk, e->ess_tail, e->between, e->drift}, 6);
    }
    for (int k = 0; d->space && k < CRDI_FUNCTION_PLACES; k++)
        for (int64_t i = 0; i < d->space->part[k].count; i++) {
            const crdi_function_number *n = &d->space->part[k].number[i];
            crdi_string where;
            crdi_string_init(&where, d->ctx);
            crdi_function_where(&where, d->net, d->space, (crdi_function_place)k, n, 8);
            crdi_string_append(out, "%s,", place_name[k]);
            crdi_table_csv_cell(out, crdi_string_text(&where));
            csv_numbers(out, (const double[]){n->sd, n->r_hat, n->ess_bulk, n->ess_tail, n->between, n->drift}, 6);
            crd_status status = where.status;
            crdi_string_clear(&where);
            CRD_TRY(status);
        }
    return out->status;
}
