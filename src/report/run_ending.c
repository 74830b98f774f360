/* run_ending.c - see run_ending.h. */
#include "report/run_ending.h"
#include "report/text.h"

#include <stdio.h>
#include <string.h>

const char crdi_modes_advice[] =
    "; r_hat does not fall as draws are added: chains stay in modes of their own, and more draws would not help; "
    "credence fit --method smc draws from all modes by their weight, where parameters are few; "
    "credence loo RUN.crd --by-chain weighs chains by what they predict";

void crdi_rule_outcome(crdi_string *out, const char *rule, const crdi_fit_verdict *v)
{
    crdi_text_printable(out, rule);
    crdi_string_append(out, " %s %lld draws a chain: ess %.1f, r_hat %.3f (",
                       v->holds ? "holds at" : "does not hold at all", (long long)v->draws, v->ess, v->r_hat);
    crdi_text_printable(out, v->where);
    crdi_string_append(out, ")");
}

/* "" where there is none; owned. */
static crd_status text_of(crd_context *ctx, crd_run *run, const char *key, char **out)
{
    if (crdi_run_has(run, key))
        return crdi_run_get_text(run, key, out);
    *out = crdi_strdup(ctx, "");
    return *out ? CRD_OK : CRD_ENOMEM;
}

static crd_status read_verdict(crd_context *ctx, crd_run *run, crdi_fit_verdict *out)
{
    int64_t holds;
    char *where;
    CRD_TRY(crdi_run_get_integer(run, "stop_draws", &out->draws));
    if (out->draws == 0)
        return CRD_OK;
    CRD_TRY(crdi_run_get_integer(run, "stop_holds", &holds));
    CRD_TRY(crdi_run_get_number(run, "stop_ess", &out->ess));
    CRD_TRY(crdi_run_get_number(run, "stop_r_hat", &out->r_hat));
    CRD_TRY(text_of(ctx, run, "stop_where", &where));
    snprintf(out->where, sizeof out->where, "%s", where);
    crdi_free(ctx, where);
    out->holds = holds != 0;
    return CRD_OK;
}

static crd_status append_rule(crdi_string *out, crd_run *run)
{
    char *rule;
    crdi_fit_verdict verdict = {0};
    CRD_TRY(text_of(out->ctx, run, "stop_rule", &rule));
    crd_status status = *rule ? read_verdict(out->ctx, run, &verdict) : CRD_OK;
    if (status == CRD_OK && verdict.draws > 0)
        crdi_rule_outcome(out, rule, &verdict);
    crdi_free(out->ctx, rule);
    return status;
}

crd_status crdi_run_ending(crdi_string *out, crd_run *run)
{
    char *reason = NULL, *status_text;
    CRD_TRY(text_of(out->ctx, run, "status", &status_text));
    bool runs = strcmp(status_text, "running") == 0;
    crdi_free(out->ctx, status_text);
    if (runs || !crdi_run_has(run, "stop_reason"))
        return CRD_OK;
    CRD_TRY(crdi_run_get_text(run, "stop_reason", &reason));
    crd_status status = CRD_OK;
    if (strcmp(reason, "time") == 0)
        crdi_string_append(out, "its time was over");
    else if (strcmp(reason, "change") == 0)
        crdi_string_append(out, "its kernel was to change; credence resume goes on");
    else if (strcmp(reason, "signal") == 0)
        crdi_string_append(out, "it was told to stop");
    else
        status = append_rule(out, run);
    if (strcmp(reason, "modes") == 0)
        crdi_string_append(out, "%s", crdi_modes_advice);
    crdi_free(out->ctx, reason);
    return status < 0 ? status : out->status;
}
