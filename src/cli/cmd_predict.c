/* cmd_predict.c - credence predict RUN.crd NEW.csv */
#include "cli/csv.h"
#include "cli/predictive.h"
#include "report/run_csv.h"

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
    crd_table *table;
    crd_inputs *inputs;
    crdi_csv_writer *writer;
    crdi_prediction *prediction;
};

static void warn_of_extra(const struct predict *p)
{
    crdi_string names;
    crdi_string_init(&names, p->cli->ctx);
    for (int64_t i = 0; i < p->inputs->extra_count; i++) {
        char shown[CRDI_SHOWN];
        crdi_string_append(&names, "%s'%s'", i ? ", " : "", crdi_csv_show(shown, p->inputs->extra[i]));
    }
    if (p->inputs->extra_count > 0)
        crdi_log(p->cli->ctx, "%s: columns that the fit did not use are ignored: %s", p->table->name,
                 crdi_string_text(&names));
    crdi_string_clear(&names);
}

static crd_status read_inputs(struct predict *p)
{
    const crdi_csv_options *csv = crdi_cli_values(p->call, &crdi_csv_table);
    CRD_TRY(crdi_cli_read_table(p->cli, p->call, crdi_cli_argument(p->call, 1), &p->table));
    CRD_TRY(crd_dataset_apply(p->cli->ctx, p->net->recipe, p->table,
                              &(crd_apply_options){.rows = csv->rows, .na = crdi_cli_na(p->call)}, &p->inputs));
    warn_of_extra(p);
    return CRD_OK;
}

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
    return CRD_OK;
}

static crd_status predict(struct predict *p)
{
    crd_context *ctx = p->cli->ctx;
    crdi_prediction_columns columns = {.prob = p->prob, .samples = p->o->samples};
    bool probit = false;
    p->prob_count = crdi_probabilities_read(ctx, p->o->quantiles, p->prob, MOST_QUANTILES);
    if (p->prob_count < 0)
        return CRD_EINVAL;
    CRD_TRY(crdi_cli_check_order(ctx, p->call));
    CRD_TRY(crdi_cli_refuse_same(ctx, p->o->out, crdi_cli_argument(p->call, 0), "the run file"));
    CRD_TRY(crdi_cli_refuse_same(ctx, p->o->out, crdi_cli_argument(p->call, 1), "the table of inputs"));
    CRD_TRY(crdi_cli_refuse_same(ctx, p->o->out,
                                 ((const crdi_csv_options *)crdi_cli_values(p->call, &crdi_csv_table))->rows,
                                 "the file of --rows"));
    CRD_TRY(crdi_network_run_open(ctx, crdi_cli_argument(p->call, 0), &p->net));
    CRD_TRY(crdi_network_run_need(p->net, "predictions"));
    CRD_TRY(crdi_cli_predictive(p->cli, p->call, p->net, &probit));
    CRD_TRY(read_inputs(p));
    CRD_TRY(find_columns(p, &columns));
    crdi_csv_place place = {.path = p->o->out, .force = p->o->force, .file = STDOUT_FILENO, .name = "standard output"};
    /* A file is claimed before the work; standard output gets its first line when there is something to say. */
    if (place.path)
        CRD_TRY(crdi_prediction_csv_open(ctx, p->net->recipe, &columns, &place, &p->writer));
    CRD_TRY(crdi_prediction_make(p->net,
                                 &(crdi_prediction_request){.x = &p->inputs->x,
                                                            .prob = p->prob,
                                                            .prob_count = p->prob_count,
                                                            .key = crd_key_make((uint64_t)p->o->seed),
                                                            .draws = p->o->draws,
                                                            .samples = p->o->samples,
                                                            .probit = probit,
                                                            .threads = (int)p->o->threads},
                                 &p->prediction));
    if (!place.path)
        CRD_TRY(crdi_prediction_csv_open(ctx, p->net->recipe, &columns, &place, &p->writer));
    CRD_TRY(crdi_prediction_csv_write(p->writer, p->net->recipe, p->table, p->inputs->row, p->prediction));
    return crdi_csv_writer_commit(&p->writer);
}

static crd_status run(crdi_cli *cli, crdi_cli_call *call)
{
    struct predict p = {.cli = cli, .call = call, .o = crdi_cli_values(call, &table)};
    crd_status status = predict(&p);
    crdi_csv_writer_abort(&p.writer);
    crdi_prediction_destroy(&p.prediction);
    crd_inputs_destroy(&p.inputs);
    crd_table_destroy(&p.table);
    crdi_network_run_close(&p.net);
    return status;
}

const crdi_command_body crdi_command_predict = {
    .positional = {{"RUN.crd", "a run file of 'credence fit'", CRDI_ONE}, {"NEW.csv", "new inputs", CRDI_ONE}},
    .table = {&table, &crdi_csv_table, &crdi_predictive_table},
    .more = "Columns are found by name. The table has the input columns, then for numbers f_mean, f_sd and\n"
            "quantiles of f (the network's output) and y (with the noise), in the target's own units; for\n"
            "counts the same of their rate; for each of several targets f_NAME_mean and so on; for classes the\n"
            "likeliest (mode), the probability of each, the entropy of these, the mean entropy of the draws,\n"
            "and the difference: mutual information.\n",
    .run = run,
};
