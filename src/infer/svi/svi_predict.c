/* svi_predict.c - predictions from a fitted guide: the model run with other data, its crd_param statements at their fitted
 * values. */
#include "infer/svi/svi.h"

#include "graph/graph.h"
#include "model/model.h"

#include <string.h>

struct prediction {
    const crd_svi *svi;
    const crd_posterior *draws;
    crd_graph *graph;
    const char **site; /* latent sites of the guide, */
    const crd_column **column; /* their draws, */
    crd_node *input; /* and where these go */
    int sites;
    crd_shape shape; /* of what is predicted */
    crd_program *program;
};

/* ---- what is known ------------------------------------------------------------------------------------------ */

/* The sites that the guide has, written by hand or not. */
static crd_status list_sites(struct prediction *p, crdi_arena *arena)
{
    const crdi_guide *g = p->svi->guide;
    int automatic = g->model ? crd_model_site_count(g->model) : 0, most = automatic + g->hand_sites;
    p->site = crdi_arena_alloc(arena, sizeof *p->site * (size_t)(most + 1));
    p->column = crdi_arena_alloc(arena, sizeof *p->column * (size_t)(most + 1));
    p->input = crdi_arena_alloc(arena, sizeof *p->input * (size_t)(most + 2));
    if (!p->site || !p->column || !p->input)
        return CRD_ENOMEM;
    for (int i = 0; i < most; i++) {
        const char *name = i < automatic ? crd_model_site(g->model, i)->name : g->hand_site[i - automatic].name;
        p->column[i] = crd_posterior_find(p->draws, name);
        if (!p->column[i])
            return crdi_raise(p->svi->ctx, CRD_EMISSING, "predict: the draws have no site %s", name);
        p->site[p->sites++] = name;
    }
    return CRD_OK;
}

static crd_node param_value(const struct prediction *p, const crdi_guide_param *param)
{
    crd_array u = {.shape = param->unconstrained, .data = (double *)crdi_svi_params(p->svi, 0) + param->at};
    return crd_bijection_forward(param->support, crd_constant(p->graph, &u));
}

static int lookup(void *user, const crd_message *m, crd_node *value)
{
    const struct prediction *p = user;
    const crdi_guide *g = p->svi->guide;
    if (m->kind == CRD_MESSAGE_PARAM)
        for (int i = 0; i < g->param_count; i++)
            if (strcmp(g->param[i].name, m->name) == 0) {
                *value = param_value(p, &g->param[i]);
                return 1;
            }
    for (int i = 0; m->kind == CRD_MESSAGE_SAMPLE && i < p->sites; i++)
        if (strcmp(p->site[i], m->name) == 0) {
            *value = p->input[1 + i];
            return 1;
        }
    return 0;
}

/* ---- the program: (key, latent sites) -> the site wanted ----------------------------------------------------- */

static crd_status run_model(struct prediction *p, crd_trace *trace, void *user)
{
    crd_seed_handler seed;
    crd_substitute_handler substitute;
    crd_uncondition_handler forgetful;
    p->input[0] = crd_input(p->graph, "key", crd_shape_1(2));
    for (int i = 0; i < p->sites; i++)
        p->input[1 + i] = crd_input(p->graph, p->site[i], p->column[i]->shape);
    crd_seed_init(&seed, p->input[0]);
    crd_substitute_init(&substitute, lookup, p);
    crd_uncondition_init(&forgetful, NULL);
    CRD_TRY(crd_trace_push(trace, &seed.handler));
    CRD_TRY(crd_trace_push(trace, &substitute.handler));
    CRD_TRY(crd_trace_push(trace, &forgetful.handler));
    return crd_trace_run(trace, p->svi->guide->fn, user);
}

static crd_status compile(struct prediction *p, void *user, const char *name)
{
    crd_trace *trace;
    crd_node output;
    CRD_TRY(crd_graph_create(&p->graph, p->svi->ctx));
    crd_status status = crd_trace_create_in(&trace, p->graph);
    if (status == CRD_OK) {
        status = run_model(p, trace, user);
        if (status == CRD_OK)
            status = crdi_find_sites(p->svi->ctx, trace, &name, 1, false, &p->shape, &output);
        if (status == CRD_OK)
            status = crd_compile(p->graph, p->input, p->sites + 1, &output, 1, &p->program);
        crd_trace_destroy(&trace);
    }
    crd_graph_destroy(&p->graph);
    return status;
}

/* ---- draws -------------------------------------------------------------------------------------------------- */

static void run_all(const struct prediction *p, crd_exec *exec, crd_key key, double *out)
{
    int64_t size = crd_shape_size(p->shape);
    for (int64_t d = 0; d < p->draws->chains * p->draws->draws; d++) {
        double *input = crd_exec_input(exec);
        crd_key own = crd_key_fold_in(key, (uint32_t)d);
        *input++ = own.word[0];
        *input++ = own.word[1];
        for (int i = 0; i < p->sites; i++) {
            int64_t count = p->column[i]->size;
            memcpy(input, p->column[i]->draws + d * count, sizeof *input * (size_t)count);
            input += count;
        }
        crd_exec_run(exec);
        memcpy(out + d * size, crd_exec_output(exec), sizeof *out * (size_t)size);
    }
}

static crd_status predict(struct prediction *p, const char *name, crd_key key, crd_array *out)
{
    crd_exec *exec;
    crd_array values = {0};
    crd_shape shape = {.ndim = p->shape.ndim + 2, .dim = {p->draws->chains, p->draws->draws}};
    if (shape.ndim > CRD_MAX_DIMS)
        return crdi_raise(p->svi->ctx, CRD_EUNSUPPORTED, "predict: site %s has too many axes", name);
    memcpy(&shape.dim[2], p->shape.dim, sizeof p->shape.dim[0] * (size_t)p->shape.ndim);
    CRD_TRY(crd_exec_create(&exec, p->program));
    crd_status status = crd_array_init(p->svi->ctx, &values, shape);
    if (status == CRD_OK) {
        run_all(p, exec, key, values.data);
        *out = values;
    }
    crd_exec_destroy(&exec);
    return status;
}

crd_status crd_svi_predict(const crd_svi *svi, const crd_posterior *draws, void *user, const char *name, crd_key key,
                           crd_array *out)
{
    struct prediction p = {.svi = svi, .draws = draws};
    crdi_arena *arena;
    if (svi->members > 1 && svi->guide->param_count > 0)
        return crdi_raise(svi->ctx, CRD_EUNSUPPORTED,
                          "predict: the members of an ensemble have parameters (crd_param) of their own");
    CRD_TRY(crdi_arena_create(&arena, svi->ctx));
    crd_status status = list_sites(&p, arena);
    if (status == CRD_OK)
        status = compile(&p, user, name);
    if (status == CRD_OK)
        status = predict(&p, name, key, out);
    crd_program_destroy(&p.program);
    crdi_arena_destroy(&arena);
    return status;
}
