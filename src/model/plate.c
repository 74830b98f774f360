/* plate.c - axes along which sites are independent: where they stand, and which of their rows are taken.
 *
 * Positions are counted from the last axis. A plate with a dim stands there; the others, from the innermost outwards,
 * take the last positions that are free. */
#include "model/model.h"

#include <string.h>

/* ---- positions ---------------------------------------------------------------------------------------------- */

/* The position from the end (1 is the last axis) of each plate. Returns the largest. */
static int positions(const crd_trace *t, int *out)
{
    bool taken[2 * CRD_MAX_DIMS + 1] = {false};
    int next = 1, largest = 0;
    for (int i = 0; i < t->plate_count; i++)
        if (t->plate[i].dim < 0)
            taken[out[i] = -t->plate[i].dim] = true;
    for (int i = t->plate_count - 1; i >= 0; i--) {
        if (t->plate[i].dim == 0) {
            while (taken[next])
                next++;
            taken[out[i] = next] = true;
        }
        if (out[i] > largest)
            largest = out[i];
    }
    return largest;
}

bool crdi_plated_shape(crd_trace *t, const char *name, crd_shape batch, crd_shape *out, crd_where where)
{
    crd_shape shape = batch;
    int position[CRDI_MAX_PLATES], axes = positions(t, position);
    if (axes > CRD_MAX_DIMS) {
        crd_trace_fail(t, CRD_ESHAPE, where, "site %s: its plates need more than %d axes", name, CRD_MAX_DIMS);
        return false;
    }
    if (axes > shape.ndim) {
        int more = axes - shape.ndim;
        memmove(&shape.dim[more], &shape.dim[0], sizeof shape.dim[0] * (size_t)shape.ndim);
        for (int d = 0; d < more; d++)
            shape.dim[d] = 1;
        shape.ndim = axes;
    }
    for (int i = 0; i < t->plate_count; i++) {
        int64_t *extent = &shape.dim[shape.ndim - position[i]], rows = t->plate[i].info->rows;
        if (*extent != 1 && *extent != rows) {
            crd_trace_fail(t, CRD_ESHAPE, where, "site %s: plate %s has %lld rows, the distribution has %lld", name,
                           t->plate[i].info->name, (long long)rows, (long long)*extent);
            return false;
        }
        *extent = rows;
    }
    *out = shape;
    return true;
}

const crd_plate_info *crdi_plate_of_axis(const crd_trace *t, crd_shape batch, int axis)
{
    int position[CRDI_MAX_PLATES];
    positions(t, position);
    for (int i = 0; i < t->plate_count; i++)
        if (batch.ndim - position[i] == axis)
            return t->plate[i].info;
    return NULL;
}

void crdi_plate_message(const crd_trace *t, crd_message *m)
{
    m->plate_count = t->plate_count;
    for (int i = 0; i < t->plate_count; i++) {
        m->plate[i] = t->plate[i].info;
        if (m->plate[i]->rows > 0)
            m->scale *= (double)m->plate[i]->size / (double)m->plate[i]->rows;
    }
}

/* ---- rows --------------------------------------------------------------------------------------------------- */

crd_node crdi_first_rows(crd_trace *t, int64_t rows)
{
    crd_array array;
    if (crd_array_init(t->ctx, &array, crd_shape_1(rows)) < 0) {
        t->status = CRD_ENOMEM;
        return crdi_trace_bad(t);
    }
    for (int64_t i = 0; i < rows; i++)
        array.data[i] = (double)i;
    crd_node node = crd_constant(t->graph, &array);
    crd_array_clear(&array);
    return node;
}

/* Which rows of a subsampled plate are taken: the handlers are asked. */
static crd_node choose_rows(crd_trace *t, const crd_plate_info *plate, crd_where where)
{
    crd_message m = {.kind = CRD_MESSAGE_PLATE, .name = plate->name, .where = where, .scale = 1, .hidden = 1};
    const double *row;
    m.shape = m.batch = crd_shape_1(plate->rows);
    m.population = plate->size;
    if (t->batch.plate && strcmp(t->batch.plate, plate->name) == 0)
        return t->batch.row;
    crd_node rows = crdi_trace_send(t, &m, t->handler_count);
    if (!crd_node_ok(rows) || !crd_node_known(rows, &row))
        return rows;
    for (int64_t i = 0; i < plate->rows; i++)
        if (!(row[i] >= 0 && row[i] < (double)plate->size && row[i] == (double)(int64_t)row[i])) {
            crd_trace_fail(t, CRD_EDOMAIN, where, "plate %s: row %g is to be taken, there are 0 to %lld", plate->name,
                           row[i], (long long)plate->size - 1);
            return crdi_trace_bad(t);
        }
    return rows;
}

static crd_plate_info *find_plate(crd_trace *t, const char *name, int64_t size, int64_t rows, crd_where where)
{
    for (int64_t i = 0; i < t->known_plate_count; i++) {
        crd_plate_info *known = t->known_plate[i];
        if (strcmp(known->name, name) == 0 && known->size == size && known->rows == rows)
            return known;
    }
    crd_plate_info *plate = crdi_arena_alloc(t->arena, sizeof *plate);
    if (!plate || !(plate->name = crdi_arena_strdup(t->arena, name)) ||
        crdi_grow(t->ctx, &t->known_plate, &t->known_plate_capacity, t->known_plate_count, sizeof *t->known_plate) <
            0) {
        t->status = CRD_ENOMEM;
        return NULL;
    }
    plate->size = size;
    plate->rows = rows;
    plate->indices = rows < size ? choose_rows(t, plate, where) : crdi_nothing;
    if (crdi_trace_failed(t))
        return NULL;
    return t->known_plate[t->known_plate_count++] = plate;
}

/* ---- entering ----------------------------------------------------------------------------------------------- */

static bool check_plate(crd_trace *t, const char *name, int64_t size, const crd_plate_options *o, crd_where where)
{
    if (size < 0)
        crd_trace_fail(t, CRD_EINVAL, where, "plate %s: its size is %lld", name, (long long)size);
    else if (t->plate_count == CRDI_MAX_PLATES)
        crd_trace_fail(t, CRD_EUNSUPPORTED, where, "plate %s: more than %d plates are nested", name, CRDI_MAX_PLATES);
    else if (o->subsample_size < 0 || o->subsample_size > size)
        crd_trace_fail(t, CRD_EINVAL, where, "plate %s: a subsample of %lld rows is to be taken from %lld", name,
                       (long long)o->subsample_size, (long long)size);
    else if (o->dim > 0 || o->dim < -CRD_MAX_DIMS)
        crd_trace_fail(t, CRD_EINVAL, where,
                       "plate %s: its dim is %d, it must be from -%d (the first of %d axes) to -1", name, o->dim,
                       CRD_MAX_DIMS, CRD_MAX_DIMS);
    for (int i = 0; i < t->plate_count && o->dim < 0; i++)
        if (t->plate[i].dim == o->dim)
            crd_trace_fail(t, CRD_EINVAL, where, "plate %s: dim %d is that of plate %s around it", name, o->dim,
                           t->plate[i].info->name);
    return !crdi_trace_failed(t);
}

crd_plate crd_plate_enter_with_at(crd_trace *t, const char *name, int64_t size, const crd_plate_options *options,
                                  crd_where where)
{
    static const crd_plate_options standard = {0};
    const crd_plate_options *o = options ? options : &standard;
    crd_plate plate = {t, t->plate_count};
    int64_t rows = o->subsample_size > 0 ? o->subsample_size : size;
    if (!check_plate(t, name, size, o, where))
        return plate;
    if (t->batch.plate && strcmp(t->batch.plate, name) == 0)
        rows = t->batch.rows < size ? t->batch.rows : size;
    crd_plate_info *info = find_plate(t, name, size, rows, where);
    if (info)
        t->plate[t->plate_count++] = (struct crdi_plate){info, o->dim, where};
    return plate;
}

crd_plate crd_plate_enter_at(crd_trace *t, const char *name, int64_t size, crd_where where)
{
    return crd_plate_enter_with_at(t, name, size, NULL, where);
}

void crd_plate_leave(crd_plate plate)
{
    if (plate.trace->plate_count > plate.depth)
        plate.trace->plate_count = plate.depth;
}

/* ---- what a plate's rows are for ---------------------------------------------------------------------------- */

crd_node crd_plate_indices(crd_plate plate)
{
    crd_trace *t = plate.trace;
    if (crdi_trace_failed(t) || plate.depth >= t->plate_count)
        return crdi_trace_bad(t);
    crd_plate_info *info = t->plate[plate.depth].info;
    if (crdi_is_nothing(info->indices)) /* all rows: many, and seldom asked for */
        info->indices = crdi_first_rows(t, info->rows);
    return info->indices;
}

/* The rows `index` of the middle axis of (before, n, after): that of a gather on (before * n, after). */
static crd_node gather_middle(crd_node array, crd_node index, crd_shape shape, int axis)
{
    int64_t before = 1, after = 1, rows = crd_node_shape(index).dim[0];
    for (int d = 0; d < shape.ndim; d++)
        *(d < axis ? &before : &after) *= d == axis ? 1 : shape.dim[d];
    crd_array start;
    if (crd_array_init(crd_graph_context(index.graph), &start, crd_shape_2(before, 1)) < 0)
        return crdi_fail(index.graph, CRD_ENOMEM, CRD_HERE, "subsample: no memory");
    for (int64_t i = 0; i < before; i++)
        start.data[i] = (double)(i * shape.dim[axis]);
    crd_node flat = crd_reshape(crd_add(crd_constant(index.graph, &start), index), crd_shape_1(before * rows));
    crd_array_clear(&start);
    crd_node taken = crd_gather(crd_reshape(array, crd_shape_2(before * shape.dim[axis], after)), flat);
    shape.dim[axis] = rows;
    return crd_reshape(taken, shape);
}

crd_node crd_subsample_at(crd_plate plate, crd_node array, int axis, crd_where where)
{
    crd_trace *t = plate.trace;
    if (crdi_trace_failed(t) || !crd_node_ok(array) || plate.depth >= t->plate_count)
        return crdi_trace_bad(t);
    const crd_plate_info *info = t->plate[plate.depth].info;
    crd_shape shape = crd_node_shape(array);
    int from_start = axis < 0 ? axis + shape.ndim : axis;
    if (from_start < 0 || from_start >= shape.ndim || shape.dim[from_start] != info->size) {
        char text[96];
        crd_trace_fail(t, CRD_ESHAPE, where, "plate %s: it has %lld rows, an array of shape %s has not along axis %d",
                       info->name, (long long)info->size, crdi_shape_text(shape, text, sizeof text), axis);
        return crdi_trace_bad(t);
    }
    if (info->rows == info->size)
        return array;
    crd_where before = t->graph->where;
    crdi_graph_set_where(t->graph, where);
    crd_node taken =
        from_start == 0 ? crd_gather(array, info->indices) : gather_middle(array, info->indices, shape, from_start);
    crdi_graph_set_where(t->graph, before);
    return taken;
}
