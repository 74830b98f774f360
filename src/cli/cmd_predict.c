/* cmd_predict.c - credence predict RUN.crd NEW.csv */
#include "cli/calibrate.h"
#include "cli/csv.h"
#include "cli/predictive.h"
#include "report/prediction_calibrated.h"
#include "report/run_csv.h"

#include <string.h>
#include <unistd.h>

typedef struct predict_options {
#define OPT CRDI_OPTION_FIELD
#include "cli/predict.def"
#undef OPT
} predict_options;

static const crdi_option rows[] = {
#define OPT(...) CRDI_OPTION_ROW(predict_options, __VA_ARGS__)
#include "cli/predict.def"
#undef OPT
};

static const crdi_option_table table = CRDI_OPTION_TABLE("predict", predict_options, rows);

enum { MOST_QUANTILES = 100 };

struct predict {
    crdi_cli *cli;
    crdi_cli_call *call;
    const predict_options *o;
    double prob[MOST_QUANTILES];
    int prob_count;
    crdi_network_run *net;
    crdi_cli_rows rows;
    crdi_rows_out *table;
    crdi_calibration *calibration;
    crdi_prediction *prediction;
};

/* Classes have quantiles where they are asked for. */
static crd_status find_columns(struct predict *p, crdi_prediction_columns *columns)
{
    const crdi_likelihood *likelihood = crdi_likelihood_find(p->cli->ctx, p->net->network.likelihood);
    if (!likelihood)
        return CRD_ENAME;
    columns->outcome = likelihood->outcome;
    if (columns->outcome == CRDI_OUTCOME_CLASS && !crdi_options_given(crdi_cli_options(p->call, &table), "quantiles"))
        p->prob_count = 0;
    columns->prob_count = p->prob_count;
    columns->conformal = p->calibration && p->calibration->conformal != CRDI_CONFORMAL_NONE;
    return CRD_OK;
}

static crdi_outlook_request outlook_of(const struct predict *p)
{
    return (crdi_outlook_request){.net = p->net,
                                  .what = "predictions",
                                  .x = &p->rows.inputs->x,
                                  .key = crd_key_make((uint64_t)p->o->seed),
                                  .threads = (int)p->o->threads};
}

/* Calibration and predictions must be by the same draws in the same way. */
static crd_status calibrate(struct predict *p, bool probit)
{
    crd_context *ctx = p->cli->ctx;
    crdi_outlook_request request = outlook_of(p);
    const crdi_calibrate_options *c = crdi_cli_values(p->call, &crdi_calibrate_table);
    bool wanted = strcmp(c->calibrate, "none") != 0, conformal = strcmp(c->calibrate, "conformal") == 0;
    if (crdi_options_given(crdi_cli_options(p->call, &table), "coverage") && !conformal)
        return crdi_raise(ctx, CRD_EINVAL, "option --coverage goes with --calibrate conformal");
    if (wanted && (p->o->draws > 0 || probit))
        return crdi_raise(ctx, CRD_EINVAL, "option --calibrate does not go with %s",
                          probit ? "--predictive probit" : "--draws: it uses all of them");
    if (strcmp(c->calibrate, "temperature") == 0 &&
        (p->o->samples > 0 || crdi_options_given(crdi_cli_options(p->call, &table), "quantiles")))
        return crdi_raise(
            ctx, CRD_EINVAL,
            "option --calibrate temperature does not go with --%s: it softens the mean probabilities, not the draws",
            p->o->samples > 0 ? "samples" : "quantiles");
    CRD_TRY(crdi_cli_refuse_same(ctx, p->o->out, c->calibration_data, "the table to calibrate by"));
    return crdi_cli_calibrate(p->cli, p->call, &request, &p->calibration);
}

/* People get few digits, programs all of them. */
static crdi_rows_form form_of(const predict_options *o)
{
    if (strcmp(o->format, "json") == 0)
        return CRDI_ROWS_JSON;
    bool text = strcmp(o->format, "text") == 0 || (strcmp(o->format, "auto") == 0 && !o->out && isatty(STDOUT_FILENO));
    return text ? CRDI_ROWS_TEXT : CRDI_ROWS_CSV;
}

static crd_status predict(struct predict *p)
{
    crd_context *ctx = p->cli->ctx;
    crdi_prediction_columns columns = {.prob = p->prob, .samples = p->o->samples};
    const crdi_csv_options *csv = crdi_cli_values(p->call, &crdi_csv_table);
    bool probit = false;
    p->prob_count = crdi_probabilities_read(ctx, p->o->quantiles, p->prob, MOST_QUANTILES);
    if (p->prob_count < 0)
        return CRD_EINVAL;
    CRD_TRY(crdi_cli_check_order(ctx, p->call));
    CRD_TRY(crdi_cli_refuse_same(ctx, p->o->out, crdi_cli_argument(p->call, 0), "the run file"));
    CRD_TRY(crdi_cli_refuse_same(ctx, p->o->out, crdi_cli_argument(p->call, 1), "the table of inputs"));
    CRD_TRY(crdi_cli_refuse_same(ctx, p->o->out, csv->rows, "the file of --rows"));
    CRD_TRY(crdi_network_run_open(ctx, crdi_cli_argument(p->call, 0), &p->net));
    CRD_TRY(crdi_network_run_need(p->net, "predictions"));
    CRD_TRY(crdi_cli_predictive(p->cli, p->call, p->net, &probit));
    CRD_TRY(crdi_cli_rows_read(p->cli, p->call, p->net, crdi_cli_argument(p->call, 1), CRD_APPLY_TARGET_IF_THERE,
                               csv->rows, &p->rows));
    CRD_TRY(calibrate(p, probit));
    CRD_TRY(find_columns(p, &columns));
    crdi_csv_place place = {.path = p->o->out,
                            .force = p->o->force,
                            .file = STDOUT_FILENO,
                            .name = "standard output",
                            .form = form_of(p->o)};
    /* A file is claimed before the work; standard output gets its first line when there is something to say. */
    if (place.path)
        CRD_TRY(crdi_prediction_rows_open(ctx, p->net->recipe, &columns, &place, &p->table));
    CRD_TRY(crdi_prediction_make(p->net,
                                 &(crdi_prediction_request){.x = &p->rows.inputs->x,
                                                            .prob = p->prob,
                                                            .prob_count = p->prob_count,
                                                            .key = crd_key_make((uint64_t)p->o->seed),
                                                            .draws = p->o->draws,
                                                            .samples = p->o->samples,
                                                            .probit = probit,
                                                            .threads = (int)p->o->threads},
                                 &p->prediction));
    if (p->calibration) {
        crdi_outlook_request request = outlook_of(p);
        CRD_TRY(crdi_prediction_calibrate(p->prediction, &request, p->calibration, p->o->coverage));
    }
    if (!place.path)
        CRD_TRY(crdi_prediction_rows_open(ctx, p->net->recipe, &columns, &place, &p->table));
    CRD_TRY(crdi_prediction_rows_write(p->table, p->net->recipe, p->rows.table, p->rows.inputs->row, p->prediction));
    return crdi_rows_out_commit(&p->table);
}

static crd_status run(crdi_cli *cli, crdi_cli_call *call)
{
    struct predict p = {.cli = cli, .call = call, .o = crdi_cli_values(call, &table)};
    crd_status status = predict(&p);
    crdi_rows_out_abort(&p.table);
    crdi_prediction_destroy(&p.prediction);
    crdi_calibration_destroy(&p.calibration);
    crdi_cli_rows_clear(&p.rows);
    crdi_network_run_close(&p.net);
    return status;
}

const crdi_command_body crdi_command_predict = {
    .positional = {{"RUN.crd", "a run file of 'credence fit'", CRDI_ONE}, {"NEW.csv", "new inputs", CRDI_ONE}},
    .table = {&table, &crdi_calibrate_table, &crdi_csv_table, &crdi_predictive_table},
    .more = "Columns are found by name. The table has the input columns, then for numbers f_mean, f_sd and\n"
            "quantiles of f (the network's output) and y (with the noise), then the variance of y and its parts:\n"
            "the noise (aleatoric) and the draws' differences (epistemic); all in the target's own units. For\n"
            "counts the same of their rate; for each of several targets f_NAME_mean and so on; for classes the\n"
            "likeliest (mode), the probability of each, the entropy of these, the mean entropy of the draws,\n"
            "and the difference: mutual information.\n",
    .run = run,
};
