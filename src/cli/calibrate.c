/* calibrate.c - see calibrate.h. */
#include "cli/calibrate.h"
#include "store/csv.h"

#include <string.h>

static const crdi_option rows_of_table[] = {
#define OPT(...) CRDI_OPTION_ROW(crdi_calibrate_options, __VA_ARGS__)
#include "cli/calibrate.def"
#undef OPT
};

const crdi_option_table crdi_calibrate_table = CRDI_OPTION_TABLE("calibrate", crdi_calibrate_options, rows_of_table);

/* ---- tables ----------------------------------------------------------------------------------------------------- */

static void warn_of_extra(crd_context *ctx, const crdi_cli_rows *rows)
{
    crdi_string names;
    crdi_string_init(&names, ctx);
    for (int64_t i = 0; i < rows->inputs->extra_count; i++) {
        char shown[CRDI_SHOWN];
        crdi_string_append(&names, "%s'%s'", i ? ", " : "", crdi_csv_show(shown, rows->inputs->extra[i]));
    }
    if (rows->inputs->extra_count > 0)
        crdi_log(ctx, "%s: columns that the fit did not use are ignored: %s", rows->table->name,
                 crdi_string_text(&names));
    crdi_string_clear(&names);
}

crd_status crdi_cli_rows_read(crdi_cli *cli, const crdi_cli_call *call, const crdi_network_run *net, const char *path,
                              crd_apply_target target, const char *rows, crdi_cli_rows *out)
{
    CRD_TRY(crdi_cli_read_table(cli, call, path, &out->table));
    crd_apply_options options = {.rows = rows, .na = crdi_cli_na(call), .target = target};
    CRD_TRY(crd_dataset_apply(cli->ctx, net->recipe, out->table, &options, &out->inputs));
    warn_of_extra(cli->ctx, out);
    return CRD_OK;
}

void crdi_cli_rows_clear(crdi_cli_rows *rows)
{
    crd_inputs_destroy(&rows->inputs);
    crd_table_destroy(&rows->table);
}

/* ---- calibration ------------------------------------------------------------------------------------------------ */

static crd_status check(crd_context *ctx, const crdi_calibrate_options *o, bool score_given)
{
    bool none = strcmp(o->calibrate, "none") == 0;
    if (none && o->calibration_data)
        return crdi_raise(ctx, CRD_EINVAL, "option --calibration-data needs --calibrate temperature or conformal");
    if (!none && !o->calibration_data)
        return crdi_raise(ctx, CRD_EMISSING,
                          "--calibrate %s needs --calibration-data FILE: rows that the fit did not see, "
                          "and other ones than those to be predicted",
                          o->calibrate);
    if (score_given && strcmp(o->calibrate, "conformal") != 0)
        return crdi_raise(ctx, CRD_EINVAL, "option --conformal-score goes with --calibrate conformal");
    return CRD_OK;
}

crd_status crdi_cli_calibrate(crdi_cli *cli, crdi_cli_call *call, const crdi_outlook_request *request,
                              crdi_calibration **out)
{
    const crdi_calibrate_options *o = crdi_cli_values(call, &crdi_calibrate_table);
    crdi_cli_rows rows = {0};
    CRD_TRY(check(cli->ctx, o, crdi_options_given(crdi_cli_options(call, &crdi_calibrate_table), "conformal_score")));
    *out = NULL;
    if (!o->calibration_data)
        return CRD_OK;
    crd_status status =
        crdi_cli_rows_read(cli, call, request->net, o->calibration_data, CRD_APPLY_TARGET_NEEDED, NULL, &rows);
    if (status == CRD_OK) {
        crdi_outlook_request with = *request;
        with.what = "calibration";
        with.x = &rows.inputs->x;
        with.y = &rows.inputs->y;
        status = crdi_calibration_make(&with, o->calibrate, o->conformal_score, out);
    }
    crdi_cli_rows_clear(&rows);
    return status;
}
