/* cmd_compare.c - credence compare RUN.crd OTHER.crd ... --data TEST.csv */
#include "cli/calibrate.h"
#include "cli/terminal.h"
#include "report/comparison.h"

#include <string.h>

typedef struct compare_options {
#define OPT CRDI_OPTION_FIELD
#include "cli/compare.def"
#undef OPT
} compare_options;

static const crdi_option rows[] = {
#define OPT(...) CRDI_OPTION_ROW(compare_options, __VA_ARGS__)
#include "cli/compare.def"
#undef OPT
};

static const crdi_option_table table = CRDI_OPTION_TABLE("compare", compare_options, rows);

/* One run and what it owns. */
struct one {
    crdi_network_run *net;
    crdi_calibration *calibration;
    crdi_evaluation *evaluation;
    crdi_scores *scores;
};

static crd_status score(crdi_cli *cli, crdi_cli_call *call, struct one *one, const crdi_cli_rows *test,
                        const crdi_cli_rows *ood)
{
    const compare_options *o = crdi_cli_values(call, &table);
    crdi_score_options options = {.bins = (int)o->bins,
                                  .binning =
                                      strcmp(o->binning, "count") == 0 ? CRD_BINS_EQUAL_COUNT : CRD_BINS_EQUAL_WIDTH};
    crdi_outlook_request request = {.net = one->net,
                                    .what = "scores",
                                    .x = &test->inputs->x,
                                    .y = &test->inputs->y,
                                    .key = crd_key_make((uint64_t)o->seed),
                                    .threads = (int)o->threads};
    crdi_evaluation *other = NULL;
    CRD_TRY(crdi_cli_calibrate(cli, call, &request, &one->calibration));
    CRD_TRY(crdi_evaluation_make(&request, one->calibration, &one->evaluation));
    if (ood->inputs) {
        request.x = &ood->inputs->x;
        request.y = NULL;
        CRD_TRY(crdi_evaluation_make(&request, one->calibration, &other));
    }
    crd_status status = crdi_scores_make(one->evaluation, other, &options, &one->scores);
    crdi_evaluation_destroy(&other);
    return status;
}

/* Each run has its own recipe: the tables are read for it anew. */
static crd_status open_and_score(crdi_cli *cli, crdi_cli_call *call, const char *path, struct one *one)
{
    const compare_options *o = crdi_cli_values(call, &table);
    const crdi_csv_options *csv = crdi_cli_values(call, &crdi_csv_table);
    crdi_cli_rows test = {0}, ood = {0};
    CRD_TRY(crdi_network_run_open(cli->ctx, path, &one->net));
    CRD_TRY(crdi_network_run_need(one->net, "scores"));
    crd_status status = crdi_cli_rows_read(cli, call, one->net, o->data, CRD_APPLY_TARGET_NEEDED, csv->rows, &test);
    if (status == CRD_OK && o->ood)
        status = crdi_cli_rows_read(cli, call, one->net, o->ood, CRD_APPLY_TARGET_IGNORED, NULL, &ood);
    if (status == CRD_OK)
        status = score(cli, call, one, &test, &ood);
    crdi_cli_rows_clear(&test);
    crdi_cli_rows_clear(&ood);
    return status;
}

static crd_status print(crd_context *ctx, const crdi_compared *run, int count, const crdi_bayes *bayes,
                        const char *format)
{
    crdi_string out;
    crdi_string_init(&out, ctx);
    bool json = strcmp(format, "json") == 0, csv = strcmp(format, "csv") == 0;
    crd_status status = (json  ? crdi_comparison_json
                         : csv ? crdi_comparison_csv
                               : crdi_comparison_text)(&out, run, count, bayes);
    return crdi_terminal_put(stdout, &out, status);
}

static crd_status compare(crdi_cli *cli, crdi_cli_call *call, struct one *one, crdi_compared *run)
{
    int count = call->argument_count;
    for (int i = 0; i < count; i++) {
        run[i].name = crdi_cli_argument(call, i);
        CRD_TRY(open_and_score(cli, call, run[i].name, &one[i]));
        run[i].evaluation = one[i].evaluation;
        run[i].scores = one[i].scores;
        if (i > 0)
            CRD_TRY(crdi_comparison_same_rows(&run[0], &run[i]));
    }
    return CRD_OK;
}

/* Without rows that no run saw. */
static crd_status need_evidences(crdi_cli *cli, const crdi_bayes *bayes)
{
    if (bayes->known < bayes->count || bayes->count < 2)
        return crdi_raise(cli->ctx, CRD_EMISSING,
                          "compare needs --data FILE: rows that no run saw, with the target "
                          "(credence loo compares runs on the rows of their fit; those of smc, ais, tempering and "
                          "laplace are also compared by their log evidences, and not all of these have one)");
    if (*bayes->why)
        return crdi_raise(cli->ctx, CRD_EDATA, "%s", bayes->why);
    return CRD_OK;
}

static crd_status compare_all(crdi_cli *cli, crdi_cli_call *call, struct one *one, crdi_compared *run)
{
    const compare_options *o = crdi_cli_values(call, &table);
    int count = call->argument_count;
    crdi_bayes bayes = {0};
    crdi_network_run **net = crdi_alloc_array(cli->ctx, count, sizeof *net);
    const char **name = crdi_alloc_array(cli->ctx, count, sizeof *name);
    crd_status status = net && name ? CRD_OK : CRD_ENOMEM;
    if (status == CRD_OK && o->data)
        status = compare(cli, call, one, run);
    for (int i = 0; i < count && status == CRD_OK; i++) {
        name[i] = crdi_cli_argument(call, i);
        if (!o->data)
            status = crdi_network_run_open(cli->ctx, name[i], &one[i].net);
        net[i] = one[i].net;
    }
    if (status == CRD_OK)
        status = crdi_bayes_make(cli->ctx, net, name, count, &bayes);
    if (status == CRD_OK && !o->data)
        status = need_evidences(cli, &bayes);
    if (status == CRD_OK)
        status = print(cli->ctx, o->data ? run : NULL, count, &bayes, o->format);
    crdi_bayes_clear(&bayes);
    crdi_free(cli->ctx, net);
    crdi_free(cli->ctx, name);
    return status;
}

static crd_status run(crdi_cli *cli, crdi_cli_call *call)
{
    int count = call->argument_count;
    struct one *one = crdi_alloc_array(cli->ctx, count, sizeof *one);
    crdi_compared *compared = crdi_alloc_array(cli->ctx, count, sizeof *compared);
    crd_status status = one && compared ? compare_all(cli, call, one, compared) : CRD_ENOMEM;
    for (int i = 0; one && i < count; i++) {
        crdi_scores_destroy(&one[i].scores);
        crdi_evaluation_destroy(&one[i].evaluation);
        crdi_calibration_destroy(&one[i].calibration);
        crdi_network_run_close(&one[i].net);
    }
    crdi_free(cli->ctx, one);
    crdi_free(cli->ctx, compared);
    return status;
}

const crdi_command_body crdi_command_compare = {
    .positional = {{"RUN.crd", "a run file of 'credence fit': what the others are compared with", CRDI_ONE},
                   {"OTHER.crd", "others with the same target", CRDI_MANY}},
    .table = {&table, &crdi_calibrate_table, &crdi_csv_table},
    .more = "Each run prepares the rows as its own fit did. Differences are taken row by row: rows that\n"
            "are hard for both runs do not make them uncertain. docs/scores.md says what each score is.\n"
            "Runs that have a log evidence (smc, ais, tempering, laplace) are also compared by that: their\n"
            "log Bayes factors over the first. Without --data those alone are printed (docs/evidence.md).\n",
    .run = run,
};
