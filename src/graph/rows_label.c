/* rows_label.c - what has rows: every node of a graph is cut into blocks of rows, a sum over them, or whole (rows.c, 1). */
#include "graph/rows_cut.h"

#include <string.h>

void crdi_rows_mark_needed(struct crdi_rows_cutter *c, const crd_node *outputs, int count)
{
    for (int i = 0; i < count; i++)
        c->needed[outputs[i].id] = true;
    for (int64_t id = c->count - 1; id >= 0; id--) {
        const crdi_vertex *v = c->g->vertex[id];
        for (int i = 0; c->needed[id] && !v->known && i < v->arg_count; i++)
            c->needed[v->arg[i]] = true;
    }
}

static bool is_leaf(const crdi_vertex *v)
{
    return v->known || v->op == &crdi_op_input;
}

/* Whether the arguments can be used as the rule asks for. */
static bool fits(const struct crdi_rows_cutter *c, const crdi_vertex *v, const crdi_rows_use *use)
{
    crd_shape shape;
    for (int i = 0; i < v->arg_count; i++) {
        int32_t arg = v->arg[i];
        if (c->after[arg])
            return false;
        if (c->kind[arg] == CRDI_ROW_CUT && !use[i].cut)
            return false;
        if (use[i].cut && !crdi_rows_block_shape(c->g->vertex[arg]->shape, &use[i], c->rows, CRDI_ROWS_UNIT, &shape))
            return false;
    }
    return true;
}

static enum crdi_rows_kind ask_rule(const struct crdi_rows_cutter *c, const crdi_vertex *v, crdi_rows_use *use,
                                    crdi_rows_use *result)
{
    crd_shape shape;
    enum crdi_rows_kind kind = v->op->rows->kind(c->g, v, c->rows, use, result);
    if (kind == CRDI_ROWS_CANNOT || !fits(c, v, use))
        return CRDI_ROWS_CANNOT;
    if (kind == CRDI_ROWS_CUT && !crdi_rows_block_shape(v->shape, result, c->rows, CRDI_ROWS_UNIT, &shape))
        return CRDI_ROWS_CANNOT;
    return kind;
}

/* How a node uses its arguments that are cut already; whether there are any. */
static bool uses_of(const struct crdi_rows_cutter *c, const crdi_vertex *v, crdi_rows_use *use)
{
    bool any = false;
    for (int i = 0; i < v->arg_count; i++) {
        bool cut = c->kind[v->arg[i]] == CRDI_ROW_CUT;
        use[i] = cut ? c->use[v->arg[i]] : (crdi_rows_use){0};
        any = any || cut;
    }
    return any;
}

/* What the shape of an array says of its rows: the one axis with so many elements, or data's first axis, joined with others
 * (what windows show of a row, for one). False: nothing, or several things. */
static bool guess_use(const crdi_vertex *v, int64_t rows, crdi_rows_use *use)
{
    int axis = -1, found = 0;
    for (int d = 0; d < v->shape.ndim; d++)
        if (v->shape.dim[d] == rows) {
            axis = d;
            found++;
        }
    if (found == 1)
        *use = crdi_rows_along_axis(v->shape, axis);
    else if (found == 0 && v->known && v->shape.ndim > 0 && v->shape.dim[0] > 0 && v->shape.dim[0] % rows == 0)
        *use = (crdi_rows_use){true, 1, v->size / rows};
    else
        return false;
    return true;
}

/* Cuts an operation whose arguments are all whole, if one of them has rows that the result has too. */
static bool start(const struct crdi_rows_cutter *c, const crdi_vertex *v, crdi_rows_use *use, crdi_rows_use *result)
{
    for (int i = 0; i < v->arg_count; i++) {
        crdi_rows_use guess;
        if (!guess_use(c->g->vertex[v->arg[i]], c->rows, &guess))
            continue;
        memset(use, 0, sizeof *use * (size_t)v->arg_count);
        use[i] = guess;
        if (ask_rule(c, v, use, result) == CRDI_ROWS_CUT)
            return true;
    }
    return false;
}

/* False: the graph cannot be cut. */
static bool label(struct crdi_rows_cutter *c, int32_t id, crdi_rows_use *use)
{
    const crdi_vertex *v = c->g->vertex[id];
    bool after = false;
    for (int i = 0; i < v->arg_count; i++)
        after = after || c->after[v->arg[i]];
    if (!uses_of(c, v, use)) {
        if (!after && v->op->rows && v->op->rows->starts && start(c, v, use, &c->use[id]))
            c->kind[id] = CRDI_ROW_CUT;
        c->after[id] = after;
        return true;
    }
    enum crdi_rows_kind kind = v->op->rows ? ask_rule(c, v, use, &c->use[id]) : CRDI_ROWS_CANNOT;
    c->kind[id] = kind == CRDI_ROWS_CUT ? CRDI_ROW_CUT : CRDI_ROW_SUM;
    c->after[id] = kind == CRDI_ROWS_SUM;
    return kind != CRDI_ROWS_CANNOT;
}

bool crdi_rows_label(struct crdi_rows_cutter *c, const crd_node *outputs, int count)
{
    crdi_rows_use use[CRDI_MOST_ARGS];
    bool any = false;
    memset(c->kind, 0, sizeof *c->kind * (size_t)c->count);
    memset(c->after, 0, sizeof *c->after * (size_t)c->count);
    for (int32_t id = 0; id < c->count; id++) {
        if (!c->needed[id] || is_leaf(c->g->vertex[id]))
            continue;
        if (!label(c, id, use))
            return false;
        any = any || c->kind[id] == CRDI_ROW_SUM;
    }
    for (int i = 0; i < count; i++)
        if (c->kind[outputs[i].id] == CRDI_ROW_CUT)
            return false;
    return any;
}

/* How a node that is cut uses its arguments. */
void crdi_rows_uses(const struct crdi_rows_cutter *c, const crdi_vertex *v, crdi_rows_use *use)
{
    crdi_rows_use result;
    if (uses_of(c, v, use))
        ask_rule(c, v, use, &result);
    else
        start(c, v, use, &result);
}
