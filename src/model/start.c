/* start.c - points to start from.
 *
 * All strategies are one program, (key) -> u: a handler gives each latent site its value (uniform on the unconstrained
 * scale, a draw, or what is given) and notes the u that belongs to it. The median is that of u, which for single numbers
 * is the u of the median, and for vectors whose elements hang together (a simplex) still a point of their set. */
#include "model/start.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MEDIAN_DRAWS = 15 };
static const double RADIUS = 2;

struct chooser {
    crd_handler handler;
    const crd_model *model;
    const crd_start *start;
    crd_node key;
    uint32_t next;
    crd_node *u; /* by site */
    bool random;
};

static crd_node uniform_u(struct chooser *c, crd_support support, const crd_message *m, uint32_t number)
{
    double radius = c->start->radius > 0 ? c->start->radius : RADIUS;
    crd_node share =
        crd_random_uniform_node(crd_key_fold_in_node(c->key, number), crd_bijection_shape(support, m->shape));
    c->random = true;
    return crd_mul(crd_num(radius), crd_sub(crd_mul(crd_num(2), share), crd_num(1)));
}

/* Where a site's elements are among the values of all latent sites. */
static const double *given_values(const struct chooser *c, int site)
{
    const double *values = c->start->values;
    for (int i = 0; i < site; i++)
        values += c->model->site[i].size;
    for (int64_t k = 0; k < c->model->site[site].size; k++)
        if (isnan(values[k]))
            return NULL;
    return values;
}

/* The value that is given, checked, as a node; or a bad node. */
static crd_node given_value(crd_trace *t, const crd_message *m, const double *values)
{
    crd_support support = m->dist.type->support(&m->dist);
    double low = support.low.number, high = support.high.number;
    if (support.low.graph && !crdi_is_number(support.low, &low))
        low = -INFINITY;
    if (support.high.graph && !crdi_is_number(support.high, &high))
        high = INFINITY;
    for (int64_t i = 0; i < crd_shape_size(m->shape); i++)
        if (!crd_constraint_holds(support.kind, values[i], low, high)) {
            crd_trace_fail(t, CRD_EDOMAIN, m->where, "site %s: element %lld of its start value is %g, it must be %s",
                           m->name, (long long)i, values[i], crd_constraint_text(support.kind));
            return crdi_trace_bad(t);
        }
    crd_array array = {.shape = m->shape, .data = (double *)values};
    return crd_constant(t->graph, &array);
}

/* Gives a latent site its value, and returns the u of it. */
static crd_node choose(struct chooser *c, crd_trace *t, crd_message *m, int site, uint32_t number)
{
    crd_support support = m->dist.type->support(&m->dist);
    crd_node u, value = {0};
    bool draws = c->start->kind == CRD_START_PRIOR || c->start->kind == CRD_START_MEDIAN, have = false;
    if (draws && m->dist.type->draw) {
        value =
            crd_broadcast_to(m->dist.type->draw(&m->dist, crd_key_fold_in_node(c->key, number), m->shape), m->shape);
        c->random = have = true;
    } else if (c->start->kind == CRD_START_VALUE) {
        const double *values = given_values(c, site);
        if (values)
            value = given_value(t, m, values);
        have = values != NULL;
    }
    u = have ? crd_bijection_inverse(support, value) : uniform_u(c, support, m, number);
    if (!have)
        value = crd_bijection_forward(support, u);
    crd_message_give(t, m, value);
    m->inside = 1;
    return u;
}

static void process(crd_handler *self, crd_trace *trace, crd_message *m)
{
    struct chooser *c = self->user;
    if (m->kind != CRD_MESSAGE_SAMPLE)
        return;
    uint32_t number = c->next++;
    int site = m->has_value ? -1 : crdi_model_find(c->model, m->name);
    if (site >= 0)
        c->u[site] = choose(c, trace, m, site, number);
}

static crd_status compile(crdi_starter *starter, struct chooser *c)
{
    crd_trace *trace;
    CRD_TRY(crd_trace_create(&trace, starter->ctx));
    c->key = crd_input(crd_trace_graph(trace), "key", crd_shape_1(2));
    crd_status status = crd_trace_push(trace, &c->handler);
    if (status == CRD_OK)
        status = crd_trace_run(trace, c->model->fn, c->model->user);
    if (status == CRD_OK)
        status = crd_compile(crd_trace_graph(trace), &c->key, 1, c->u, c->model->site_count, &starter->program);
    starter->random = c->random;
    crd_trace_destroy(&trace);
    return status;
}

/* A given point needs no trace: the program's output is a constant. */
static crd_status compile_point(crdi_starter *starter, const double *point)
{
    crd_graph *graph;
    CRD_TRY(crd_graph_create(&graph, starter->ctx));
    crd_node key = crd_input(graph, "key", crd_shape_1(2));
    crd_array array = {.shape = crd_shape_1(starter->dim), .data = (double *)point};
    crd_node u = crd_constant(graph, &array);
    crd_status status = crd_compile(graph, &key, 1, &u, 1, &starter->program);
    crd_graph_destroy(&graph);
    return status;
}

crd_status crdi_starter_create(crdi_starter *starter, const crd_model *model, const crd_start *start)
{
    static const crd_start standard = {0};
    crd_context *ctx = model->ctx;
    struct chooser c = {.model = model, .start = start ? start : &standard};
    *starter = (crdi_starter){.ctx = ctx, .dim = model->dim, .draws = 1};
    bool given = c.start->kind == CRD_START_VALUE || c.start->kind == CRD_START_POINT;
    if (given && !c.start->values)
        return crdi_raise(ctx, CRD_EINVAL, "start: there are no values to start from");
    if (c.start->kind == CRD_START_POINT)
        return compile_point(starter, c.start->values);
    c.handler = (crd_handler){.process = process, .user = &c};
    if (!(c.u = crdi_alloc_array(ctx, model->site_count, sizeof *c.u)))
        return CRD_ENOMEM;
    if (c.start->kind == CRD_START_MEDIAN)
        starter->draws = MEDIAN_DRAWS;
    crd_status status = compile(starter, &c);
    crdi_free(ctx, c.u);
    return status;
}

void crdi_starter_destroy(crdi_starter *starter)
{
    crd_program_destroy(&starter->program);
}

static int by_size(const void *a, const void *b)
{
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

crd_status crdi_starter_run(const crdi_starter *starter, crd_key key, double *u)
{
    crd_exec *exec;
    int64_t draws = starter->draws, dim = starter->dim;
    double *point = crdi_alloc_array(starter->ctx, draws * dim, sizeof *point); /* (dim, draws) */
    if (!point)
        return CRD_ENOMEM;
    crd_status status = crd_exec_create(&exec, starter->program);
    if (status < 0) {
        crdi_free(starter->ctx, point);
        return status;
    }
    for (int64_t d = 0; d < draws; d++) {
        crd_key drawn = crd_key_fold_in(key, (uint32_t)d);
        crd_exec_input(exec)[0] = drawn.word[0];
        crd_exec_input(exec)[1] = drawn.word[1];
        crd_exec_run(exec);
        for (int64_t i = 0; i < dim; i++)
            point[i * draws + d] = crd_exec_output(exec)[i];
    }
    for (int64_t i = 0; i < dim; i++) {
        qsort(point + i * draws, (size_t)draws, sizeof *point, by_size);
        u[i] = point[i * draws + draws / 2];
    }
    crd_exec_destroy(&exec);
    crdi_free(starter->ctx, point);
    return CRD_OK;
}

crd_status crd_model_start(const crd_model *model, const crd_start *start, crd_key key, double *u)
{
    crdi_starter starter;
    crd_status status = crdi_starter_create(&starter, model, start);
    if (status == CRD_OK)
        status = crdi_starter_run(&starter, key, u);
    crdi_starter_destroy(&starter);
    return status;
}
