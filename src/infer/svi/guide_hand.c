/* guide_hand.c - guides written by hand, and parameters: what the statements of guide and model are, and whether the two
 * belong together. */
#include "infer/svi/guide.h"

#include "graph/graph.h"
#include "model/model.h"

#include <stdlib.h>
#include <string.h>

/* ---- sites held at some value of their support -------------------------------------------------------------- */

struct hold {
    crd_handler handler;
    const crdi_guide *guide; /* only sites of its hand-written guide; NULL: all */
    uint32_t next;
};

static bool has_hand_site(const crdi_guide *g, const char *name)
{
    for (int i = 0; i < g->hand_sites; i++)
        if (strcmp(g->hand_site[i].name, name) == 0)
            return true;
    return false;
}

static crd_node zeros(crd_graph *g, crd_shape shape)
{
    crd_array array;
    if (crd_array_init(crd_graph_context(g), &array, shape) < 0)
        return (crd_node){g, -1, 0};
    crd_node node = crd_constant(g, &array);
    crd_array_clear(&array);
    return node;
}

static void hold(crd_handler *self, crd_trace *t, crd_message *m)
{
    struct hold *h = self->user;
    if (m->kind != CRD_MESSAGE_SAMPLE || m->has_value || (h->guide && !has_hand_site(h->guide, m->name)))
        return;
    crd_support support = m->dist.type->support(&m->dist);
    if (crd_bijection_exists(support)) {
        m->value = crd_bijection_forward(support, zeros(t->graph, crd_bijection_shape(support, m->shape)));
        m->has_value = 1;
    } else if (m->dist.type->draw) {
        crd_node key = crd_key_node(t->graph, crd_key_fold_in(crd_key_make(0), h->next++));
        m->value = m->dist.type->draw(&m->dist, key, m->shape);
        m->has_value = 1;
    }
    if (h->guide && m->has_value)
        m->observed = 1; /* no latent site of the model that is made of the others */
}

crd_node crdi_guide_held_model(crd_trace *t, void *user)
{
    const struct crdi_guide_held *held = user;
    struct hold h = {.handler = {.process = hold, .user = &h}, .guide = held->guide};
    if (crd_trace_push(t, &h.handler) < 0)
        return crdi_trace_bad(t);
    crd_node result = held->fn(t, held->user);
    crd_trace_pop(t, &h.handler);
    return result;
}

/* ---- parameters --------------------------------------------------------------------------------------------- */

static crd_status add_param(crdi_guide *g, crd_graph *graph, const crd_message *m)
{
    crd_support support = {.kind = m->constraint, .low = crdi_nothing, .high = crdi_nothing};
    const double *initial;
    for (int i = 0; i < g->param_count; i++)
        if (strcmp(g->param[i].name, m->name) == 0) {
            if (crdi_shape_equal(g->param[i].shape, m->shape) && g->param[i].support.kind == m->constraint)
                return CRD_OK; /* one parameter for model and guide */
            return crdi_raise(g->ctx, CRD_ESHAPE, "param %s: model and guide give it different shapes or sets",
                              m->name);
        }
    crd_node u = m->initial.graph ? m->initial : crdi_constant_scalar(graph, m->initial.number);
    u = crd_bijection_inverse(support, u);
    if (!crd_node_known(u, &initial))
        return crdi_raise(g->ctx, CRD_EDOMAIN, "param %s: its initial value has no unconstrained form", m->name);
    crdi_guide_param *p = &g->param[g->param_count++];
    *p = (crdi_guide_param){.name = crdi_arena_strdup(g->arena, m->name),
                            .support = support,
                            .shape = m->shape,
                            .unconstrained = crd_node_shape(u),
                            .size = crd_shape_size(crd_node_shape(u))};
    double *copy = crdi_arena_alloc(g->arena, sizeof *copy * (size_t)(p->size > 0 ? p->size : 1));
    if (!p->name || !copy)
        return CRD_ENOMEM;
    memcpy(copy, initial, sizeof *copy * (size_t)p->size);
    p->initial = copy;
    return CRD_OK;
}

static crd_status add_params(crdi_guide *g, const crd_trace *trace)
{
    for (int i = 0; trace && i < crd_trace_count(trace); i++)
        if (crd_trace_site(trace, i)->kind == CRD_MESSAGE_PARAM)
            CRD_TRY(add_param(g, trace->graph, crd_trace_site(trace, i)));
    return CRD_OK;
}

/* ---- sites -------------------------------------------------------------------------------------------------- */

static crd_status check_sites(const crdi_guide *g, const crd_trace *hand, const crd_trace *model)
{
    for (int i = 0; hand && i < crd_trace_count(hand); i++) {
        const crd_message *q = crd_trace_site(hand, i);
        if (crdi_is_latent(q))
            CRD_TRY(crdi_guide_check_site(g->ctx, q, crd_trace_find(model, q->name)));
    }
    return CRD_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const crdi_guide_site *)a)->name, ((const crdi_guide_site *)b)->name);
}

static crd_status add_hand_sites(crdi_guide *g, const crd_trace *hand)
{
    int count = hand ? crd_trace_count(hand) : 0;
    g->hand_site = crdi_arena_alloc(g->arena, sizeof *g->hand_site * (size_t)(count + 1));
    if (!g->hand_site)
        return CRD_ENOMEM;
    for (int i = 0; i < count; i++) {
        const crd_message *m = crd_trace_site(hand, i);
        if (!crdi_is_latent(m))
            continue;
        const char *name = crdi_arena_strdup(g->arena, m->name);
        if (!name)
            return CRD_ENOMEM;
        g->hand_site[g->hand_sites++] = (crdi_guide_site){name, m->shape};
    }
    qsort(g->hand_site, (size_t)g->hand_sites, sizeof *g->hand_site, by_name);
    return CRD_OK;
}

/* ---- discovery ---------------------------------------------------------------------------------------------- */

static crd_status trace_hand(const crdi_guide *g, crd_trace *trace)
{
    crd_seed_handler seed;
    crd_seed_init(&seed, crd_key_node(trace->graph, crd_key_make(0)));
    CRD_TRY(crd_trace_push(trace, &seed.handler));
    return crd_trace_run(trace, g->hand, g->hand_user);
}

/* The model with the guide's values, and any where the guide has none. */
static crd_status trace_model(const crdi_guide *g, crd_trace *trace, const crd_trace *hand)
{
    struct hold any = {.handler = {.process = hold, .user = &any}};
    crd_replay_handler replay;
    CRD_TRY(crd_trace_push(trace, &any.handler));
    if (hand) {
        crd_replay_init(&replay, hand);
        CRD_TRY(crd_trace_push(trace, &replay.handler));
    }
    return crd_trace_run(trace, g->fn, g->user);
}

/* What the hand-written guide leaves; without one all sites. */
static crd_status find_left(crdi_guide *g, const crd_trace *model)
{
    for (int i = 0; i < crd_trace_count(model); i++) {
        const crd_message *m = crd_trace_site(model, i);
        if (!crdi_is_latent(m) || has_hand_site(g, m->name))
            continue;
        CRD_TRY(crdi_guide_check_automatic(g->ctx, m));
        if (!g->left && !(g->left = crdi_arena_strdup(g->arena, m->name)))
            return CRD_ENOMEM;
    }
    return CRD_OK;
}

static crd_status add_plates(crdi_guide *g, const crd_trace *model)
{
    g->plate = crdi_arena_alloc(g->arena, sizeof *g->plate * (size_t)(crd_trace_plate_count(model) + 1));
    if (!g->plate)
        return CRD_ENOMEM;
    for (int i = 0; i < crd_trace_plate_count(model); i++) {
        const crd_plate_info *plate = crd_trace_plate(model, i);
        if (plate->rows == plate->size)
            continue;
        char *name = crdi_arena_strdup(g->arena, plate->name);
        if (!name)
            return CRD_ENOMEM;
        g->plate[g->plate_count++] = (struct crdi_guide_plate){name, plate->size, plate->rows};
        g->subsampled = true;
    }
    return CRD_OK;
}

static crd_status read_traces(crdi_guide *g, const crd_trace *hand, const crd_trace *model)
{
    int most = crd_trace_count(model) + (hand ? crd_trace_count(hand) : 0);
    CRD_TRY(check_sites(g, hand, model));
    CRD_TRY(add_hand_sites(g, hand));
    g->param = crdi_arena_alloc(g->arena, sizeof *g->param * (size_t)(most + 1));
    if (!g->param)
        return CRD_ENOMEM;
    CRD_TRY(add_params(g, hand));
    CRD_TRY(add_params(g, model));
    CRD_TRY(add_plates(g, model));
    return find_left(g, model);
}

crd_status crdi_guide_discover(crdi_guide *g)
{
    crd_trace *hand = NULL, *model = NULL;
    crd_graph *graph;
    CRD_TRY(crd_graph_create(&graph, g->ctx));
    crd_status status = CRD_OK;
    if (g->hand) {
        status = crd_trace_create_in(&hand, graph);
        if (status == CRD_OK)
            status = trace_hand(g, hand);
    }
    if (status == CRD_OK)
        status = crd_trace_create_in(&model, graph);
    if (status == CRD_OK)
        status = trace_model(g, model, hand);
    if (status == CRD_OK)
        status = read_traces(g, hand, model);
    crd_trace_destroy(&model);
    crd_trace_destroy(&hand);
    crd_graph_destroy(&graph);
    return status;
}
