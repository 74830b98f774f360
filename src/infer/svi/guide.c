/* guide.c - the registry of families, what they share, and whole guides made from text. */
#include "infer/svi/guide.h"

#include "graph/graph.h"
#include "model/model.h"

#include <math.h>
#include <string.h>

#define GUIDE(name, what) extern const crdi_guide_type crdi_guide_##name;
#include "infer/svi/guides.def"
#undef GUIDE

static const struct {
    const crdi_guide_type *type;
    const char *what;
} types[] = {
#define GUIDE(name, what) {&crdi_guide_##name, what},
#include "infer/svi/guides.def"
#undef GUIDE
};

/* ---- the registry ------------------------------------------------------------------------------------------- */

static const char *type_name(const void *list, int64_t i)
{
    (void)list;
    return types[i].type->name;
}

const crdi_guide_type *crdi_guide_type_get(int i)
{
    return i >= 0 && i < CRDI_COUNT(types) ? types[i].type : NULL;
}

const char *crdi_guide_type_help(int i)
{
    return i >= 0 && i < CRDI_COUNT(types) ? types[i].what : NULL;
}

crd_status crdi_guide_type_find(crd_context *ctx, const char *name, const crdi_guide_type **out)
{
    for (int i = 0; i < CRDI_COUNT(types); i++)
        if (strcmp(types[i].type->name, name) == 0) {
            *out = types[i].type;
            return CRD_OK;
        }
    return crdi_raise_unknown(ctx, "guide", name, type_name, NULL, CRDI_COUNT(types));
}

/* ---- what families share ------------------------------------------------------------------------------------ */

double crdi_softplus_inverse(double scale)
{
    return scale > 30 ? scale : log(expm1(scale));
}

static const double HALF_LOG_2PI = 0.91893853320467274178;

crdi_guide_draw crdi_guide_independent(crd_node loc, crd_node scale, crd_node eps)
{
    crd_node element = crd_sub(crd_mul(crd_num(-0.5), crd_square(eps)), crd_add(crd_log(scale), crd_num(HALF_LOG_2PI)));
    return (crdi_guide_draw){.u = crd_add(loc, crd_mul(scale, eps)),
                             .log_q = crd_sum(element),
                             .loc = loc,
                             .scale = scale,
                             .log_q_element = element};
}

crd_node crdi_guide_log_noise(crd_node eps, int64_t count, crd_node extra)
{
    crd_node square = crd_mul(crd_num(-0.5), crd_sum(crd_square(eps)));
    return crd_sub(square, crd_add(extra, crd_num((double)count * HALF_LOG_2PI)));
}

/* A square matrix of which the entries (r, c) with low <= c - r <= high are one. */
static crd_node banded(crd_graph *g, int64_t n, int64_t low, int64_t high)
{
    crd_array mask;
    if (crd_array_init(crd_graph_context(g), &mask, crd_shape_2(n, n)) < 0)
        return (crd_node){g, -1, 0};
    for (int64_t r = 0; r < n; r++)
        for (int64_t c = 0; c < n; c++)
            mask.data[r * n + c] = c - r >= low && c - r <= high;
    crd_node node = crd_constant(g, &mask);
    crd_array_clear(&mask);
    return node;
}

crd_node crdi_guide_identity(crd_graph *graph, int64_t n)
{
    return banded(graph, n, 0, 0);
}

crd_node crdi_guide_strictly_lower(crd_graph *graph, int64_t n)
{
    return banded(graph, n, -n, -1);
}

/* ---- text --------------------------------------------------------------------------------------------------- */

/* Reads "normal" or "low_rank_multivariate_normal:5"; `text` is cut at the colon. */
static crd_status parse_type(crd_context *ctx, char *text, crdi_guide_part *part)
{
    char *colon = strchr(text, ':');
    if (colon)
        *colon = 0;
    CRD_TRY(crdi_guide_type_find(ctx, text, &part->type));
    part->argument = part->type->standard;
    if (!colon)
        return CRD_OK;
    if (!part->type->argument)
        return crdi_raise(ctx, CRD_EINVAL, "guide %s: it takes no number, '%s' was given", text, colon + 1);
    if (!crdi_parse_int(colon + 1, &part->argument) || part->argument < 1 || part->argument > part->type->most)
        return crdi_raise(ctx, CRD_EINVAL, "guide %s: its %s must be a whole number from 1 to %lld, not '%s'", text,
                          part->type->argument, (long long)part->type->most, colon + 1);
    return CRD_OK;
}

struct rule {
    char *pattern; /* NULL: all sites */
    char *text;
};

/* Cuts a text at ';' and each rule at '='. */
static crd_status split(crdi_guide *g, const char *text, struct rule **out, int *count)
{
    char *at = crdi_arena_strdup(g->arena, text), *next;
    int most = 1;
    for (const char *c = text; *c; c++)
        most += *c == ';';
    *out = crdi_arena_alloc(g->arena, sizeof **out * (size_t)most);
    *count = 0;
    if (!at || !*out)
        return CRD_ENOMEM;
    for (; at; at = next) {
        next = strchr(at, ';');
        if (next)
            *next++ = 0;
        char *equals = strchr(at, '=');
        if (equals)
            *equals = 0;
        (*out)[*count] = (struct rule){equals ? at : NULL, equals ? equals + 1 : at};
        if (!*(*out)[*count].text)
            return crdi_raise(g->ctx, CRD_EINVAL,
                              "guide '%s': a rule is empty; write a name ('normal') or PATTERN=NAME with ';' between",
                              text);
        (*count)++;
    }
    return CRD_OK;
}

/* Gives each site its part, its place in it, and each part its dim. */
static crd_status give_sites(crdi_guide *g, const struct rule *rule, int count)
{
    int sites = g->model ? crd_model_site_count(g->model) : 0;
    bool *used = crdi_arena_alloc(g->arena, sizeof *used * (size_t)(count + 1));
    g->part_of = crdi_arena_alloc(g->arena, sizeof *g->part_of * (size_t)(sites + 1));
    g->place = crdi_arena_alloc(g->arena, sizeof *g->place * (size_t)(sites + 1));
    if (!used || !g->part_of || !g->place)
        return CRD_ENOMEM;
    for (int i = 0; i < sites; i++) {
        const crd_site *site = crd_model_site(g->model, i);
        int k = 0;
        while (k < count && rule[k].pattern && !crdi_names_match(rule[k].pattern, site->name))
            k++;
        if (k == count)
            return crdi_raise(
                g->ctx, CRD_EMISSING,
                "site %s: no rule of the guide has it; a last rule without a pattern takes all that is left",
                site->name);
        used[k] = true;
        g->part_of[i] = k;
        g->place[i] = g->part[k].dim;
        g->part[k].dim += site->unconstrained_size;
    }
    for (int k = 0; k < count; k++)
        if (!used[k] && rule[k].pattern)
            return crdi_raise(g->ctx, CRD_ENAME, "guide rule '%s=%s': no site is left that the pattern names",
                              rule[k].pattern, g->part[k].type->name);
    return CRD_OK;
}

/* Networks whose size goes with the square of dim: refused before anything is allocated for them. */
static crd_status check_size(const crdi_guide *g, const crdi_guide_part *part)
{
    int64_t most = part->type->most_params;
    /* Such a family has more than dim parameters; beyond that the count could overflow. */
    if (most == 0 || (part->dim <= most && part->type->params(part) <= most))
        return CRD_OK;
    return crdi_raise(g->ctx, CRD_EUNSUPPORTED,
                      "guide %s: more than %lld parameters for %lld unconstrained numbers; give it fewer sites (as in "
                      "'PATTERN=%s;normal'), or take low_rank_multivariate_normal",
                      part->type->name, (long long)most, (long long)part->dim, part->type->name);
}

/* Parts without a site go; parameters get their places. */
static crd_status close_up(crdi_guide *g, int count)
{
    int sites = g->model ? crd_model_site_count(g->model) : 0, kept = 0;
    for (int k = 0; k < count; k++) {
        if (g->part[k].dim == 0)
            continue;
        for (int i = 0; i < sites; i++)
            if (g->part_of[i] == k)
                g->part_of[i] = kept;
        CRD_TRY(check_size(g, &g->part[k]));
        g->part[kept] = g->part[k];
        g->part[kept].params_at = g->params;
        g->params += g->part[kept].type->params(&g->part[kept]);
        kept++;
    }
    g->part_count = kept;
    for (int i = 0; i < g->param_count; i++) {
        g->param[i].at = g->params;
        g->params += g->param[i].size;
    }
    return CRD_OK;
}

static crd_status build(crdi_guide *g, const crdi_guide_request *request)
{
    struct rule *rule;
    int count;
    CRD_TRY(split(g, request->text ? request->text : "normal", &rule, &count));
    g->part = crdi_arena_alloc(g->arena, sizeof *g->part * (size_t)count);
    if (!g->part)
        return CRD_ENOMEM;
    for (int k = 0; k < count; k++)
        CRD_TRY(parse_type(g->ctx, rule[k].text, &g->part[k]));
    CRD_TRY(crdi_guide_discover(g));
    if (g->left && g->hand && !request->text)
        return crdi_raise(
            g->ctx, CRD_EMISSING,
            "site %s: the guide written by hand does not have it; `guide` (\"normal\") names the family of what "
            "it leaves",
            g->left);
    if (g->left) {
        g->held = crdi_arena_alloc(g->arena, sizeof *g->held);
        if (!g->held)
            return CRD_ENOMEM;
        *g->held = (struct crdi_guide_held){g->fn, g->user, g};
        CRD_TRY(crd_model_create(&g->model, g->ctx, crdi_guide_held_model, g->held));
    }
    CRD_TRY(give_sites(g, rule, count));
    CRD_TRY(close_up(g, count));
    for (int k = 0; k < g->part_count; k++)
        if (g->part[k].type->fitted && (g->part_count > 1 || g->hand || g->param_count > 0))
            return crdi_raise(g->ctx, CRD_EUNSUPPORTED,
                              "guide %s: it is made from the whole posterior; it takes all sites, alone",
                              g->part[k].type->name);
    if (g->params == 0)
        return crdi_raise(g->ctx, CRD_EINVAL, "the guide has no parameters: there is nothing to fit");
    return CRD_OK;
}

crd_status crdi_guide_create(crd_context *ctx, const crdi_guide_request *request, crdi_guide **out)
{
    crdi_guide *g = crdi_alloc(ctx, sizeof *g);
    if (!g)
        return CRD_ENOMEM;
    *g = (crdi_guide){
        .ctx = ctx, .fn = request->fn, .user = request->user, .hand = request->hand, .hand_user = request->hand_user};
    crd_status status = crdi_arena_create(&g->arena, ctx);
    if (status == CRD_OK)
        status = build(g, request);
    if (status < 0) {
        crdi_guide_destroy(&g);
        return status;
    }
    *out = g;
    return CRD_OK;
}

void crdi_guide_destroy(crdi_guide **guide)
{
    if (!guide || !*guide)
        return;
    crdi_guide *g = *guide;
    crd_model_destroy(&g->model);
    crdi_arena_destroy(&g->arena);
    crdi_free(g->ctx, g);
    *guide = NULL;
}

bool crdi_guide_is_point(const crdi_guide *guide)
{
    for (int k = 0; k < guide->part_count; k++)
        if (!guide->part[k].type->point)
            return false;
    return guide->hand == NULL && !guide->subsampled;
}

bool crdi_guide_has_density(const crdi_guide *guide)
{
    for (int k = 0; k < guide->part_count; k++)
        if (guide->part[k].type->point)
            return false;
    return true;
}

void crdi_guide_start(const crdi_guide *guide, const double *u, double init_scale, crd_key key, double *params)
{
    int sites = guide->model ? crd_model_site_count(guide->model) : 0;
    for (int k = 0; k < guide->part_count; k++) {
        const crdi_guide_part *part = &guide->part[k];
        double *own = params + part->params_at; /* its first numbers hold the part's u for a moment */
        for (int i = 0; i < sites; i++)
            if (guide->part_of[i] == k)
                memcpy(own + guide->place[i], u + crd_model_site(guide->model, i)->offset,
                       sizeof *u * (size_t)crd_model_site(guide->model, i)->unconstrained_size);
        part->type->start(part, own, init_scale, crd_key_fold_in(key, (uint32_t)k), own);
    }
    for (int i = 0; i < guide->param_count; i++)
        memcpy(params + guide->param[i].at, guide->param[i].initial, sizeof *params * (size_t)guide->param[i].size);
}
