/* cmd_evaluate.c - credence evaluate RUN.crd TEST.csv */
#include "cli/calibrate.h"
#include "cli/predictive.h"
#include "cli/terminal.h"
#include "report/evaluation.h"
#include "store/output.h"

#include <string.h>

typedef struct evaluate_options {
#define OPT CRDI_OPTION_FIELD
#include "cli/evaluate.def"
#undef OPT
} evaluate_options;

static const crdi_option rows[] = {
#define OPT(...) CRDI_OPTION_ROW(evaluate_options, __VA_ARGS__)
#include "cli/evaluate.def"
#undef OPT
};

static const crdi_option_table table = CRDI_OPTION_TABLE("evaluate", evaluate_options, rows);

struct evaluate {
    crdi_cli *cli;
    crdi_cli_call *call;
    const evaluate_options *o;
    crdi_network_run *net;
    double *weight;
    crdi_cli_rows test, ood;
    crdi_calibration *calibration;
    crdi_evaluation *evaluation, *other;
    crdi_scores *scores;
};

static crd_status print(const struct evaluate *e, const crdi_score_options *options)
{
    crdi_string out;
    crd_status status;
    crdi_string_init(&out, e->cli->ctx);
    if (strcmp(e->o->format, "json") == 0)
        status = crdi_evaluation_json(&out, e->evaluation, e->scores, options);
    else if (strcmp(e->o->format, "csv") == 0)
        status = crdi_evaluation_csv(&out, e->evaluation, e->scores);
    else
        status = crdi_evaluation_text(&out, e->evaluation, e->scores, options);
    return crdi_terminal_put(stdout, &out, status);
}

static crd_status draw(const struct evaluate *e, const crdi_score_options *options)
{
    crdi_figure *figure;
    CRD_TRY(crdi_evaluation_figure(e->evaluation, e->scores, options, &figure));
    crd_status status = crdi_figure_save(figure, e->o->reliability, e->o->force);
    crdi_figure_destroy(&figure);
    return status;
}

/* The table by row is no file that is read, and does not exist. */
static crd_status check_by_row(const struct evaluate *e)
{
    crd_context *ctx = e->cli->ctx;
    const char *path = e->o->by_row;
    const crdi_csv_options *csv = crdi_cli_values(e->call, &crdi_csv_table);
    const crdi_calibrate_options *calibrate = crdi_cli_values(e->call, &crdi_calibrate_table);
    const char *const input[][2] = {{crdi_cli_argument(e->call, 0), "the run file"},
                                    {crdi_cli_argument(e->call, 1), "the table of rows"},
                                    {e->o->ood, "the table of other rows"},
                                    {e->o->draw_weights, "the file of weights"},
                                    {calibrate->calibration_data, "the table to calibrate by"},
                                    {csv->rows, "the file of --rows"}};
    crdi_output *output;
    if (!path)
        return CRD_OK;
    for (int i = 0; i < CRDI_COUNT(input); i++)
        CRD_TRY(crdi_cli_refuse_same(ctx, path, input[i][0], input[i][1]));
    CRD_TRY(crdi_output_open(&output, ctx, path, e->o->force));
    crdi_output_abort(&output);
    return CRD_OK;
}

/* Everything that can be refused is, before the work. */
static crd_status check(const struct evaluate *e)
{
    crd_context *ctx = e->cli->ctx;
    CRD_TRY(crdi_cli_check_order(ctx, e->call));
    CRD_TRY(check_by_row(e));
    if (!e->o->reliability)
        return CRD_OK;
    return crdi_figure_check(ctx, e->o->reliability, e->o->force);
}

static crd_status read_all(struct evaluate *e)
{
    const crdi_csv_options *csv = crdi_cli_values(e->call, &crdi_csv_table);
    CRD_TRY(crdi_network_run_open(e->cli->ctx, crdi_cli_argument(e->call, 0), &e->net));
    CRD_TRY(crdi_network_run_need(e->net, "scores"));
    CRD_TRY(crdi_cli_predictive(e->cli, e->call, e->net, NULL));
    CRD_TRY(crdi_cli_rows_read(e->cli, e->call, e->net, crdi_cli_argument(e->call, 1), CRD_APPLY_TARGET_NEEDED,
                               csv->rows, &e->test));
    if (e->o->ood)
        CRD_TRY(crdi_cli_rows_read(e->cli, e->call, e->net, e->o->ood, CRD_APPLY_TARGET_IGNORED, NULL, &e->ood));
    if (e->o->draw_weights)
        CRD_TRY(crdi_draw_weights_read(e->net, e->o->draw_weights, &e->weight));
    return CRD_OK;
}

static crd_status evaluate(struct evaluate *e)
{
    crdi_score_options options = {.bins = (int)e->o->bins,
                                  .binning = strcmp(e->o->binning, "count") == 0 ? CRD_BINS_EQUAL_COUNT
                                                                                 : CRD_BINS_EQUAL_WIDTH};
    CRD_TRY(check(e));
    CRD_TRY(read_all(e));
    crdi_outlook_request request = {.net = e->net,
                                    .what = "scores",
                                    .x = &e->test.inputs->x,
                                    .y = &e->test.inputs->y,
                                    .weight = e->weight,
                                    .key = crd_key_make((uint64_t)e->o->seed),
                                    .threads = (int)e->o->threads};
    CRD_TRY(crdi_cli_calibrate(e->cli, e->call, &request, &e->calibration));
    CRD_TRY(crdi_evaluation_make(&request, e->calibration, &e->evaluation));
    if (e->o->ood) {
        request.x = &e->ood.inputs->x;
        request.y = NULL;
        CRD_TRY(crdi_evaluation_make(&request, e->calibration, &e->other));
    }
    CRD_TRY(crdi_scores_make(e->evaluation, e->other, &options, &e->scores));
    if (e->o->reliability)
        CRD_TRY(draw(e, &options));
    if (e->o->by_row)
        CRD_TRY(crdi_evaluation_rows(e->evaluation, e->test.inputs->row, e->o->by_row, e->o->force));
    return print(e, &options);
}

static crd_status run(crdi_cli *cli, crdi_cli_call *call)
{
    struct evaluate e = {.cli = cli, .call = call, .o = crdi_cli_values(call, &table)};
    crd_status status = evaluate(&e);
    crdi_scores_destroy(&e.scores);
    crdi_evaluation_destroy(&e.evaluation);
    crdi_evaluation_destroy(&e.other);
    crdi_calibration_destroy(&e.calibration);
    crdi_cli_rows_clear(&e.test);
    crdi_cli_rows_clear(&e.ood);
    crdi_free(cli->ctx, e.weight);
    crdi_network_run_close(&e.net);
    return status;
}

const crdi_command_body crdi_command_evaluate = {
    .positional = {{"RUN.crd", "a run file of 'credence fit'", CRDI_ONE},
                   {"TEST.csv", "rows that the fit did not see, with the target", CRDI_ONE}},
    .table = {&table, &crdi_calibrate_table, &crdi_csv_table, &crdi_predictive_table},
    .more = "Columns are found by name. Densities, errors and widths are in the target's own units,\n"
            "whatever --scale was: runs with and without it can be compared. docs/scores.md says what\n"
            "each score is.\n",
    .run = run,
};
