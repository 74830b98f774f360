/* fit_print.c - what credence fit says before it runs, or instead. */
#include "cli/fit.h"
#include "cli/terminal.h"
#include "report/model_check.h"
#include "store/dataset.h"

#include <stdio.h>
#include <string.h>

static void describe_weights(const crdi_fit *f, crdi_string *out)
{
    enum { LISTED = 20 };
    const crd_recipe *r = f->dataset->recipe;
    char shown[CRDI_SHOWN];
    for (int64_t k = 0; k < r->class_count && k < LISTED; k++)
        crdi_string_append(out, "%s%s %.4g", k ? ", " : "weight: ", crdi_csv_show(shown, r->class_name[k]),
                           f->net.network.class_weight[k]);
    crdi_string_append(out, "%s\n", r->class_count > LISTED ? ", ..." : "");
}

/* How the draws are made. */
static crd_status describe_method(crdi_fit *f, crdi_string *out)
{
    const crdi_network_method *type;
    CRD_TRY(crdi_network_method_find(f->cli->ctx, f->net.method, &type));
    crdi_string_append(out, "method: %s%s, ", f->net.method, crdi_fit_is_auto(f) ? " (auto)" : "");
    type->plan(&f->net, out);
    if (f->net.network.precision == CRD_SINGLE)
        crdi_string_append(out, ", single precision");
    crdi_string_append(out, "\n");
    crdi_auto_lines(out, &f->automatic);
    return out->status;
}

crd_status crdi_fit_print_plan(crdi_fit *f)
{
    crdi_string out;
    crdi_string_init(&out, f->cli->ctx);
    crd_status status = crdi_dataset_describe(f->dataset, &out);
    bool linear = strcmp(f->o->hidden, "none") == 0;
    crdi_fit_hint(f, &out);
    crdi_string_append(&out, "model:  hidden %s%s%s, likelihood %s, %lld parameters\nprior:  ", f->o->hidden,
                       linear ? "" : ", ", linear ? "" : f->o->activation, f->net.network.likelihood,
                       (long long)f->net.dim);
    if (status == CRD_OK)
        status = crdi_network_priors_text(f->cli->ctx, &f->net.network, 8, &out);
    if (f->net.network.class_weight)
        describe_weights(f, &out);
    if (status == CRD_OK)
        status = describe_method(f, &out);
    crdi_string_append(&out, "seed:   %lld%s\n", (long long)f->net.seed, f->random_seed ? " (random)" : "");
    status = status < 0 ? status : out.status;
    return crdi_terminal_put(stderr, &out, status);
}

/* --check: the data and the model, and nothing is written. */
crd_status crdi_fit_print_check(crdi_fit *f)
{
    crdi_string out;
    bool json = strcmp(f->o->format, "json") == 0;
    crdi_string_init(&out, f->cli->ctx);
    crd_status status = json ? CRD_OK : crdi_dataset_describe(f->dataset, &out);
    if (status == CRD_OK)
        status = crdi_model_check(f->cli->ctx,
                                  &(crdi_model_check_request){.network = &f->net.network,
                                                              .dataset = f->dataset,
                                                              .draws = 1000,
                                                              .key = crd_key_make((uint64_t)f->net.seed),
                                                              .json = json,
                                                              .plan = f->net.plan,
                                                              .plan_rule = f->net.plan_rule},
                                  &out);
    if (status == CRD_OK && !json) {
        crdi_string_append(&out, "\n");
        status = describe_method(f, &out);
    }
    return crdi_terminal_put(stdout, &out, status);
}

static void print_call(void *user, const char *line)
{
    (void)user;
    puts(line);
}

/* --show-plan: what runs for every gradient, and nothing is written. */
crd_status crdi_fit_print_program(crdi_fit *f)
{
    const crd_program *program = crdi_network_fit_program(&f->net);
    if (!program)
        return crdi_raise(f->cli->ctx, CRD_EUNSUPPORTED, "option --show-plan: method %s has no single program",
                          f->net.method);
    int64_t workspace = crd_program_workspace(program) * (int64_t)sizeof(double);
    printf("%s with its gradient, kernels %s%s: %lld calls, %lld numbers in, %lld out, %lld bytes of workspace\n",
           f->net.fitted ? "loss" : "log density", crd_context_kernels(f->cli->ctx),
           crd_program_precision(program) == CRD_SINGLE ? ", single precision" : "",
           (long long)crd_program_calls(program), (long long)crd_program_input_size(program),
           (long long)crd_program_output_size(program), (long long)workspace);
    crd_program_print(program, print_call, NULL);
    return CRD_OK;
}
