/* move.h - copies that change order: views, gathers. extra points at a crdi_view. */

static inline int64_t view_offset(const crdi_view *view, int64_t index[CRDI_VIEW_DIMS])
{
    int64_t at = view->offset;
    for (int d = 0; d < view->ndim; d++)
        at += index[d] * view->stride[d];
    return at;
}

/* Goes to the next index except the last dimension's; false at the end. */
static inline int view_next(const crdi_view *view, int64_t index[CRDI_VIEW_DIMS])
{
    for (int d = view->ndim - 2; d >= 0; d--) {
        if (++index[d] < view->dim[d])
            return 1;
        index[d] = 0;
    }
    return 0;
}

enum { FEW_COLUMNS = 8 };

/* Whether a view is many short rows: then the rows are the inner loop. */
static inline int is_tall(const crdi_view *view)
{
    return view->ndim == 2 && view->dim[1] <= FEW_COLUMNS && view->dim[0] > view->dim[1];
}

/* out, contiguous with the view's extents, = a seen through the view (transpose, slice, broadcast). */
static void k_copy_strided(const crdi_call *call)
{
    const crdi_view *view = call->extra;
    if (is_tall(view)) {
        for (int64_t c = 0; c < view->dim[1]; c++) {
            const real *a = call->IN[0] + view->offset + c * view->stride[1];
            real *out = call->OUT + c;
            for (int64_t r = 0; r < view->dim[0]; r++)
                out[r * view->dim[1]] = a[r * view->stride[0]];
        }
        return;
    }
    int64_t index[CRDI_VIEW_DIMS] = {0}, n = view->dim[view->ndim - 1], step = view->stride[view->ndim - 1];
    real *out = call->OUT;
    if (view->size == 0)
        return;
    do {
        const real *a = call->IN[0] + view_offset(view, index);
        for (int64_t i = 0; i < n; i++)
            out[i] = a[i * step];
        out += n;
    } while (view_next(view, index));
}

/* out (n[0] elements) = 0, then out seen through the view = a, contiguous: the transpose of a slice. */
static void k_scatter_strided(const crdi_call *call)
{
    const crdi_view *view = call->extra;
    int64_t index[CRDI_VIEW_DIMS] = {0}, n = view->dim[view->ndim - 1], step = view->stride[view->ndim - 1];
    const real *a = call->IN[0];
    memset(call->OUT, 0, (size_t)call->n[0] * sizeof(real));
    if (is_tall(view)) {
        for (int64_t c = 0; c < view->dim[1]; c++) {
            real *out = call->OUT + view->offset + c * view->stride[1];
            for (int64_t r = 0; r < view->dim[0]; r++)
                out[r * view->stride[0]] = a[r * view->dim[1] + c];
        }
        return;
    }
    if (view->size == 0)
        return;
    do {
        real *out = call->OUT + view_offset(view, index);
        for (int64_t i = 0; i < n; i++)
            out[i * step] = a[i];
        a += n;
    } while (view_next(view, index));
}

/* out[j, m, i] = a[j, index[m], i]; n = {inner, rows picked, outer, rows of a}; an index outside gives NaN.
 * Indices are doubles in either precision: floats count to 2^24 only. */
static void k_gather(const crdi_call *call)
{
    int64_t inner = call->n[0], picked = call->n[1], rows = call->n[3];
    const double *index = call->in[1];
    for (int64_t j = 0; j < call->n[2]; j++)
        for (int64_t m = 0; m < picked; m++) {
            real *out = call->OUT + (j * picked + m) * inner;
            int good = index[m] >= 0 && index[m] < (double)rows;
            const real *a = good ? call->IN[0] + (j * rows + (int64_t)index[m]) * inner : NULL;
            for (int64_t i = 0; i < inner; i++)
                out[i] = good ? a[i] : NAN;
        }
}

/* out[j, r, i] = sum over the m with index[m] == r of a[j, m, i]: the transpose of gather. n as there. */
static void k_scatter_add(const crdi_call *call)
{
    int64_t inner = call->n[0], picked = call->n[1], rows = call->n[3];
    const double *index = call->in[1];
    memset(call->OUT, 0, (size_t)(call->n[2] * rows * inner) * sizeof(real));
    for (int64_t j = 0; j < call->n[2]; j++)
        for (int64_t m = 0; m < picked; m++) {
            if (!(index[m] >= 0 && index[m] < (double)rows))
                continue;
            real *out = call->OUT + (j * rows + (int64_t)index[m]) * inner;
            const real *a = call->IN[0] + (j * picked + m) * inner;
            for (int64_t i = 0; i < inner; i++)
                out[i] += a[i];
        }
}
