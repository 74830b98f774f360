/* fuse.c - patterns of steps that one kernel does better: it reads what they share once, and what they hand to each other
 * never leaves the registers. A fused kernel gives the bits of the steps that it stands for.
 *
 * The gradient of a dense layer (kernel/impl/dense.h), from the step T = act_vjp(matmul(L, R), H): with it go the products
 * of T's rows with the inputs' and of H's with R's, and the sums of T's rows. */
#include "graph/graph.h"

#include <string.h>

enum { MOST_OUTS = 4, FEW_INPUTS = 4, MOST_INPUTS = 64 };

struct fuse {
    crdi_emitter *e;
    const bool *kept;
    int64_t buffers;
    int64_t *writer; /* by buffer: the last step that writes it; -1: none */
    int64_t *writers; /* by buffer: how many */
    int64_t *first, *next; /* by buffer and by (step, operand): the steps that read it */
    int64_t *readers; /* by buffer: how many operands */
    bool *gone; /* by step */
};

static int64_t buffer_of(const struct fuse *f, int32_t operand)
{
    return crdi_buffer_of(f->e, operand);
}

static crdi_step *step_at(const struct fuse *f, int64_t s)
{
    return &f->e->step[s];
}

/* What is read by whom. */
static void index_steps(struct fuse *f)
{
    for (int64_t b = 0; b < f->buffers; b++)
        f->writer[b] = f->first[b] = -1;
    for (int64_t s = f->e->count - 1; s >= 0; s--) {
        const crdi_step *step = step_at(f, s);
        for (int i = 4; i >= 0; i--) {
            if (step->in[i] == INT32_MIN)
                continue;
            int64_t b = buffer_of(f, step->in[i]);
            f->next[s * 5 + i] = f->first[b];
            f->first[b] = s * 5 + i;
            f->readers[b]++;
        }
        if (step->out != INT32_MIN) {
            int64_t b = buffer_of(f, step->out);
            f->writer[b] = f->writer[b] == -1 ? s : f->writer[b];
            f->writers[b]++;
        }
    }
}

static bool same_place(const struct fuse *f, int32_t a, int32_t b)
{
    return buffer_of(f, a) == buffer_of(f, b) && crdi_offset_of(f->e, a) == crdi_offset_of(f->e, b);
}

static const crdi_step *writer_of(const struct fuse *f, int32_t operand)
{
    int64_t b = buffer_of(f, operand), s = f->writer[b];
    return f->writers[b] == 1 && !f->gone[s] ? step_at(f, s) : NULL;
}

/* ---- the gradient of a dense layer --------------------------------------------------------------------------- */

struct dense {
    int64_t t, g; /* steps: act_vjp, the product before it */
    int64_t dk, db, dl; /* -1: there is none */
    int64_t n, units, inputs, outs;
    bool store; /* T is read by others */
    int kernel;
};

static int back_kernel(int vjp)
{
    switch (vjp) {
    case CRDI_K_tanh_vjp_vv:
        return CRDI_K_dense_back_tanh;
    case CRDI_K_sigmoid_vjp_vv:
        return CRDI_K_dense_back_sigmoid;
    case CRDI_K_relu_vjp_vv:
        return CRDI_K_dense_back_relu;
    default:
        return -1;
    }
}

/* Rows of A against rows of B, both n long and without gaps, the result being all of a buffer. */
static bool is_row_product(const crdi_step *step, int64_t n)
{
    return step->kernel == CRDI_K_matmul_nt && step->call.n[2] == n && step->call.n[3] == 1 && step->call.s[0] == n &&
           step->call.s[1] == n && step->out_offset == 0;
}

static bool take_product(struct fuse *f, struct dense *d)
{
    const crdi_step *t = step_at(f, d->t);
    const crdi_step *g = writer_of(f, t->in[0]);
    int64_t b = buffer_of(f, t->in[0]);
    if (!g || g->segment != t->segment || g->kernel != CRDI_K_matmul || g->call.n[3] != 1 || f->readers[b] != 1 ||
        f->kept[b] || t->in[0] < 0)
        return false;
    d->g = f->writer[b];
    d->n = g->call.n[0];
    d->units = g->call.n[1];
    d->outs = g->call.n[2];
    return d->outs >= 1 && d->outs <= MOST_OUTS && d->n > 0 && t->call.n[0] * t->call.n[1] == d->n * d->units &&
           (t->call.n[1] == 1 || (t->call.s[0] == t->call.n[0] && t->call.s[1] == t->call.n[0]));
}

/* The readers of T that can go along. */
static void take_readers(struct fuse *f, struct dense *d)
{
    int64_t t = buffer_of(f, step_at(f, d->t)->out);
    d->store = f->kept[t];
    for (int64_t at = f->first[t]; at >= 0; at = f->next[at]) {
        int64_t s = at / 5;
        const crdi_step *step = step_at(f, s);
        if (f->gone[s])
            continue;
        if (step->segment != step_at(f, d->t)->segment)
            d->store = true;
        else if (d->dk < 0 && at % 5 == 1 && is_row_product(step, d->n) && step->call.n[0] == d->units &&
                 step->call.n[1] <= MOST_INPUTS && buffer_of(f, step->in[0]) != t) {
            d->dk = s;
            d->inputs = step->call.n[1];
        } else if (d->db < 0 && step->kernel == CRDI_K_sum_rows && step->call.n[0] == d->n &&
                   step->call.n[1] == d->units && step->out_offset == 0) {
            d->db = s;
        } else {
            d->store = true;
        }
    }
}

/* H's rows against R's, which may come earlier than T. */
static void take_outs(struct fuse *f, struct dense *d)
{
    int32_t h = step_at(f, d->t)->in[1], r = step_at(f, d->g)->in[1];
    if (step_at(f, d->g)->call.s[2] != d->n)
        return;
    for (int64_t at = f->first[buffer_of(f, h)]; at >= 0; at = f->next[at]) {
        int64_t s = at / 5;
        const crdi_step *step = step_at(f, s);
        if (!f->gone[s] && step->segment == step_at(f, d->t)->segment && at % 5 == 0 && is_row_product(step, d->n) &&
            step->call.n[0] == d->outs && step->call.n[1] == d->units && same_place(f, step->in[0], h) &&
            same_place(f, step->in[1], r))
            d->dl = s;
    }
}

static bool written_before(const struct fuse *f, int32_t operand, int64_t s)
{
    return f->writer[buffer_of(f, operand)] < s;
}

static bool can_stand_at(const struct fuse *f, const struct dense *d, int64_t s)
{
    const crdi_step *g = step_at(f, d->g), *t = step_at(f, d->t), *dk = step_at(f, d->dk);
    return written_before(f, g->in[0], s) && written_before(f, g->in[1], s) && written_before(f, t->in[1], s) &&
           written_before(f, dk->in[0], s);
}

/* One step in place of the others, at the place of the earliest. */
static void replace(struct fuse *f, const struct dense *d)
{
    int64_t at = d->dl >= 0 && d->dl < d->g ? d->dl : d->g;
    const crdi_step g = *step_at(f, d->g), t = *step_at(f, d->t), dk = *step_at(f, d->dk);
    crdi_step fused = {.out = dk.out, .vertex = dk.vertex, .segment = g.segment, .floats = t.floats};
    crdi_step_set_kernel(f->e, &fused, d->kernel);
    memcpy(fused.in, (int32_t[5]){g.in[0], g.in[1], t.in[1], dk.in[0], INT32_MIN}, sizeof fused.in);
    fused.more[0] = d->db >= 0 ? step_at(f, d->db)->out : INT32_MIN;
    fused.more[1] = d->store ? t.out : INT32_MIN;
    fused.more[2] = d->dl >= 0 ? step_at(f, d->dl)->out : INT32_MIN;
    memcpy(fused.call.n, (int64_t[4]){d->n, d->units, d->inputs, d->outs}, sizeof fused.call.n);
    memcpy(fused.call.s, (int64_t[4]){g.call.s[0], g.call.s[1], g.call.s[2], d->n}, 4 * sizeof(int64_t));
    if (!d->store && d->inputs > FEW_INPUTS) {
        f->e->vertex = t.vertex;
        fused.more[1] = crdi_emit_scratch(f->e, d->n);
        fused.call.s[3] = 0;
    }
    f->gone[d->g] = f->gone[d->t] = f->gone[d->dk] = true;
    if (d->db >= 0)
        f->gone[d->db] = true;
    if (d->dl >= 0)
        f->gone[d->dl] = true;
    *step_at(f, at) = fused;
    f->gone[at] = false;
}

static void try_dense(struct fuse *f, int64_t s)
{
    struct dense d = {.t = s, .dk = -1, .db = -1, .dl = -1, .kernel = back_kernel(step_at(f, s)->kernel)};
    if (d.kernel < 0 || f->gone[s] || !take_product(f, &d))
        return;
    take_readers(f, &d);
    if (d.dk < 0)
        return;
    take_outs(f, &d);
    if (d.dl >= 0 && d.dl < d.g && !can_stand_at(f, &d, d.dl))
        d.dl = -1;
    if (can_stand_at(f, &d, d.g))
        replace(f, &d);
}

/* ---- a layer with its activation ------------------------------------------------------------------------------ */

static void try_affine_relu(struct fuse *f, int64_t s)
{
    crdi_step *relu = step_at(f, s);
    if (relu->kernel != CRDI_K_relu || f->gone[s] || relu->out_offset != 0)
        return;
    const crdi_step *affine = writer_of(f, relu->in[0]);
    int64_t b = buffer_of(f, relu->in[0]);
    if (!affine || affine->segment != relu->segment || affine->kernel != CRDI_K_affine || f->readers[b] != 1 ||
        f->kept[b] || relu->call.n[0] != affine->call.n[0] * affine->call.n[1])
        return;
    crdi_step fused = *affine;
    crdi_step_set_kernel(f->e, &fused, CRDI_K_affine_relu);
    fused.out = fused.vertex = relu->out;
    f->gone[f->writer[b]] = true;
    *relu = fused;
}

/* ---- a layer, its activation and a narrow layer -------------------------------------------------------------- */

/* The step that writes an operand, if that goes to step s alone. */
static crdi_step *only_source(const struct fuse *f, int64_t s, int operand)
{
    const crdi_step *step = step_at(f, s), *source = writer_of(f, step->in[operand]);
    int64_t b = buffer_of(f, step->in[operand]);
    bool alone = source && step->in[operand] >= 0 && source->segment == step->segment &&
                 source->floats == step->floats && source->out_offset == 0 && f->readers[b] == 1 && !f->kept[b];
    return alone ? step_at(f, f->writer[b]) : NULL;
}

static int layers_kernel(int activation)
{
    switch (activation) {
    case CRDI_K_tanh:
        return CRDI_K_layers_tanh;
    case CRDI_K_sigmoid:
        return CRDI_K_layers_sigmoid;
    default:
        return -1;
    }
}

/* What a gradient needs of a layer goes to others too, so this is for what is computed forwards alone: predictions. */
static void try_layers(struct fuse *f, int64_t s)
{
    crdi_step *narrow = step_at(f, s);
    if (f->gone[s] || narrow->kernel != CRDI_K_affine || narrow->call.n[1] < 1 || narrow->call.n[1] > CRDI_LAYERS_OUTS)
        return;
    crdi_step *act = only_source(f, s, 1);
    int kernel = act ? layers_kernel(act->kernel) : -1;
    crdi_step *first = kernel >= 0 ? only_source(f, act - f->e->step, 0) : NULL;
    if (!first || first->kernel != CRDI_K_affine || first->call.n[2] > CRDI_LAYERS_INPUTS ||
        first->call.n[0] != narrow->call.n[0] || first->call.n[1] != narrow->call.n[2] ||
        act->call.n[0] != first->call.n[0] * first->call.n[1])
        return;
    crdi_step fused = *narrow;
    crdi_step_set_kernel(f->e, &fused, (enum crdi_kernel)kernel);
    memcpy(fused.in, (int32_t[5]){first->in[0], first->in[1], first->in[2], narrow->in[0], narrow->in[2]},
           sizeof fused.in);
    memcpy(fused.call.n, (int64_t[4]){narrow->call.n[0], first->call.n[1], first->call.n[2], narrow->call.n[1]},
           sizeof fused.call.n);
    f->gone[first - f->e->step] = f->gone[act - f->e->step] = true;
    *narrow = fused;
}

/* ---- all ----------------------------------------------------------------------------------------------------- */

static bool make_room(struct fuse *f)
{
    crd_context *ctx = f->e->graph->ctx;
    f->buffers = f->e->graph->count + f->e->scratch_count;
    f->writer = crdi_alloc_array(ctx, f->buffers + 1, sizeof *f->writer);
    f->writers = crdi_alloc_array(ctx, f->buffers + 1, sizeof *f->writers);
    f->first = crdi_alloc_array(ctx, f->buffers + 1, sizeof *f->first);
    f->readers = crdi_alloc_array(ctx, f->buffers + 1, sizeof *f->readers);
    f->next = crdi_alloc_array(ctx, 5 * f->e->count + 1, sizeof *f->next);
    f->gone = crdi_alloc_array(ctx, f->e->count + 1, sizeof *f->gone);
    return f->writer && f->writers && f->first && f->readers && f->next && f->gone;
}

static void close_up(struct fuse *f)
{
    int64_t count = 0;
    for (int64_t s = 0; s < f->e->count; s++)
        if (!f->gone[s])
            f->e->step[count++] = f->e->step[s];
    f->e->count = count;
}

crd_status crdi_fuse(crdi_emitter *e, const bool *kept)
{
    crd_context *ctx = e->graph->ctx;
    struct fuse f = {.e = e, .kept = kept};
    bool room = make_room(&f);
    if (room) {
        index_steps(&f);
        for (int64_t s = 0; s < e->count && e->status == CRD_OK; s++)
            try_dense(&f, s);
        for (int64_t s = 0; s < e->count; s++)
            try_affine_relu(&f, s);
        for (int64_t s = 0; s < e->count; s++)
            try_layers(&f, s);
        close_up(&f);
    }
    crdi_free(ctx, f.writer);
    crdi_free(ctx, f.writers);
    crdi_free(ctx, f.first);
    crdi_free(ctx, f.readers);
    crdi_free(ctx, f.next);
    crdi_free(ctx, f.gone);
    return room ? e->status : CRD_ENOMEM;
}
