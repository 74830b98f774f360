/* window_loops.h - the loops of window.c over REAL: doubles, or floats. NAME(f) is the name of function f for them; IN and OUT are
 * the members of a call that hold them. All four are defined before this is included, and undefined behind it. */

static REAL *NAME(fill)(REAL *out, int64_t count, REAL value)
{
    for (int64_t i = 0; i < count; i++)
        out[i] = value;
    return out + count;
}

/* One window's elements, in order; gives the place behind them. */
static REAL *NAME(copy_window)(const struct plan *p, const REAL *a, int64_t row, int64_t column, REAL *out)
{
    int64_t from, to, c = p->features;
    inside(p, column, &from, &to);
    for (int64_t k = row; k < row + p->size[0]; k++) {
        bool there = k >= 0 && k < p->extent[0];
        out = NAME(fill)(out, there ? from * c : p->size[1] * c, (REAL)p->fill);
        if (!there)
            continue;
        memcpy(out, a + (k * p->extent[1] + column + from) * c, sizeof *out * (size_t)((to - from) * c));
        out = NAME(fill)(out + (to - from) * c, (p->size[1] - to) * c, (REAL)p->fill);
    }
    return out;
}

/* Adds a window's elements to where they came from; gives the place behind them. */
static const REAL *NAME(add_window)(const struct plan *p, const REAL *a, int64_t row, int64_t column, REAL *out)
{
    int64_t from, to, c = p->features;
    inside(p, column, &from, &to);
    for (int64_t k = row; k < row + p->size[0]; k++, a += p->size[1] * c) {
        if (k < 0 || k >= p->extent[0])
            continue;
        REAL *to_here = out + (k * p->extent[1] + column + from) * c;
        for (int64_t i = 0; i < (to - from) * c; i++)
            to_here[i] += a[from * c + i];
    }
    return a;
}

static void NAME(run_windows)(const crdi_call *call)
{
    const struct plan *p = call->extra;
    const REAL *a = call->IN[0];
    REAL *out = call->OUT;
    for (int64_t r = 0; r < p->rows; r++, a += p->extent[0] * p->extent[1] * p->features)
        for (int64_t i = 0; i < p->places[0]; i++)
            for (int64_t j = 0; j < p->places[1]; j++)
                out = NAME(copy_window)(p, a, i * p->stride[0] - p->before[0], j * p->stride[1] - p->before[1], out);
}

static void NAME(run_windows_sum)(const crdi_call *call)
{
    const struct plan *p = call->extra;
    const REAL *a = call->IN[0];
    REAL *out = call->OUT;
    int64_t row = p->extent[0] * p->extent[1] * p->features;
    memset(out, 0, sizeof *out * (size_t)(p->rows * row));
    for (int64_t r = 0; r < p->rows; r++, out += row)
        for (int64_t i = 0; i < p->places[0]; i++)
            for (int64_t j = 0; j < p->places[1]; j++)
                a = NAME(add_window)(p, a, i * p->stride[0] - p->before[0], j * p->stride[1] - p->before[1], out);
}

#undef REAL
#undef NAME
#undef IN
#undef OUT
