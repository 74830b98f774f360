/* stop.c - see stop.h. */
#include "cli/stop.h"
#include "cli/fit.h"

#include <math.h>
#include <string.h>

static const crdi_option rows[] = {
#define OPT(...) CRDI_OPTION_ROW(crdi_stop_options, __VA_ARGS__)
#include "cli/stop.def"
#undef OPT
};

const crdi_option_table crdi_stop_table = CRDI_OPTION_TABLE("stop", crdi_stop_options, rows);

static const struct {
    char name;
    double seconds;
} units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};

/* A number and its unit, each unit below the one before. */
static bool read_part(const char **at, int *unit, double *sum)
{
    char number[32];
    double value;
    size_t length = strspn(*at, "0123456789.");
    if (length == 0 || length >= sizeof number)
        return false;
    memcpy(number, *at, length);
    number[length] = 0;
    if (!crdi_parse_double(number, &value))
        return false;
    *at += length;
    bool named = **at;
    char name = named ? *(*at)++ : 's';
    int k = *unit;
    if (!named && k > 0) /* 1h30: of what? */
        return false;
    while (k < CRDI_COUNT(units) && units[k].name != name)
        k++;
    if (k == CRDI_COUNT(units))
        return false;
    *sum += value * units[k].seconds;
    *unit = k + 1;
    return true;
}

crd_status crdi_stop_seconds(crd_context *ctx, const char *text, double *out)
{
    double sum = 0;
    int unit = 0;
    bool good = *text;
    for (const char *at = text; good && *at;)
        good = read_part(&at, &unit, &sum);
    if (!good || !(sum > 0) || !isfinite(sum))
        return crdi_raise(ctx, CRD_EINVAL,
                          "option --time: '%s' is no time; seconds, or numbers with d, h, m and s are: 90, 10m, 1h30m",
                          text);
    *out = sum;
    return CRD_OK;
}

static crd_status raise_without_chains(crd_context *ctx, const char *method, bool particles)
{
    bool steps = !particles && strcmp(method, "laplace") != 0 && strcmp(method, "pathfinder") != 0;
    crdi_string kernels;
    crdi_string_init(&kernels, ctx);
    crdi_fit_list_methods("kernels", &kernels);
    crd_status status = crdi_raise(ctx, CRD_EINVAL, "option --until goes with --method %s%s",
                                   crdi_string_text(&kernels), steps ? "; fits in steps end by --patience" : "");
    crdi_string_clear(&kernels);
    return status;
}

crd_status crdi_stop_set(crdi_cli *cli, const crdi_stop_options *o, const char *text, crdi_network_fit *net,
                         crdi_stop_rule *rule)
{
    const crdi_network_method *method;
    if (o->time)
        CRD_TRY(crdi_stop_seconds(cli->ctx, o->time, &net->seconds));
    if (!text)
        return CRD_OK;
    CRD_TRY(crdi_network_method_find(cli->ctx, net->method, &method));
    if (!method->draws_behind)
        return raise_without_chains(cli->ctx, net->method, method->particles);
    CRD_TRY(crdi_stop_rule_parse(cli->ctx, text, rule));
    net->rule = &rule->rule;
    return CRD_OK;
}
