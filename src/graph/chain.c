/* chain.c - chains: element-wise steps, and sums, over the same number of elements become one call (kernel/impl/chain.h).
 *
 * A chain begins at a step and takes in what follows, as far as it can be done at the same time: a step that needs a sum
 * of the chain, or what comes of it by another way, has to wait, and so has all that needs that step. What others read goes
 * to memory; the rest is there for one tile at a time. Steps need not be of one formula: sums over as many weights go together,
 * too. The bits stay. */
#include "graph/graph.h"

#include <string.h>

/* A chain goes past other steps of so many elements together and no more: what was in the first-level cache would be gone when it is
 * read, and more arrays would have to be kept. (The spiral's fit of ten particles took 38 % more time without this.) */
enum { MOST_LINKS = 48, WINDOW = 256, MOST_PASSED = 2048 };

enum { NOTHING = -2 }; /* the kernel of a step that is in a chain now */

struct chains {
    crdi_emitter *e;
    const bool *kept; /* by buffer, of those that were there */
    int64_t buffers; /* that were there */
    int32_t *writers; /* by result (vertices, then scratch areas): the steps that write it */
    int32_t *readers; /* by buffer: operands that read it */
    int64_t *written,
        *tainted; /* by buffer: the last chain, by number, that writes it, and that it depends on from outside */
    int64_t number; /* of the chain */
    /* Of a window of steps: those that depend on the chain, and which they are. */
    crdi_step *order;
    bool depends[WINDOW];
};

/* A chain that is being made. */
struct chain {
    int64_t n; /* elements */
    int64_t member[MOST_LINKS]; /* steps */
    int count, sums;
};

static int64_t buffer_of(const struct chains *c, int32_t operand)
{
    return crdi_buffer_of(c->e, operand);
}

static bool is_sum(int kernel)
{
    return kernel == CRDI_K_sum || kernel == CRDI_K_sumsq || kernel == CRDI_K_dot || kernel == CRDI_K_sum_rows;
}

/* By kernel: a bit for each operand that is an array. The others are one number. */
static const unsigned char arrays[] = {
#define UNARY(name) 1,
#define BINARY(name) 3, 1, 2,
#define OTHER(name) 7,
#define FUSED(name) 0,
#include "kernel/kernels.def"
};

/* Elements of the array that an operand is. */
static int64_t size_of(const struct chains *c, int32_t operand)
{
    return operand < 0 ? c->e->scratch[-1 - operand].size : c->e->graph->vertex[operand]->size;
}

/* Whether a step can be a link of some chain. */
static bool is_link(const struct chains *c, const crdi_step *step)
{
    bool element = step->kernel >= 0 && step->kernel <= CRDI_K_select;
    if (!element && !is_sum(step->kernel))
        return false;
    int64_t result = step->out >= 0 ? step->out : buffer_of(c, step->out);
    return step->call.n[0] > 1 && step->call.n[1] == 1 && step->out != INT32_MIN && step->out_offset == 0 &&
           c->writers[result] == 1 && size_of(c, step->out) == (element ? step->call.n[0] : 1);
}

/* The link of a chain whose result an operand is; -1: none. */
static int link_of(const struct chains *c, const struct chain *chain, int32_t operand)
{
    for (int i = 0; i < chain->count; i++) {
        int32_t out = c->e->step[chain->member[i]].out;
        if (buffer_of(c, out) == buffer_of(c, operand) && crdi_offset_of(c->e, out) == crdi_offset_of(c->e, operand) &&
            size_of(c, out) == chain->n)
            return i;
    }
    return -1;
}

/* Whether a step can be done together with the chain. */
static bool can_join(const struct chains *c, const struct chain *chain, int64_t s)
{
    const crdi_step *step = &c->e->step[s], *first = &c->e->step[chain->member[0]];
    if (chain->count == MOST_LINKS || step->floats != first->floats || step->call.n[0] != chain->n ||
        !is_link(c, step) || (is_sum(step->kernel) && chain->sums == CRDI_CHAIN_SUMS))
        return false;
    for (int k = 0; k < 3 && step->in[k] != INT32_MIN; k++) {
        int64_t b = buffer_of(c, step->in[k]);
        bool array = arrays[step->kernel] >> k & 1;
        if (c->tainted[b] == c->number ||
            (c->written[b] == c->number && (!array || link_of(c, chain, step->in[k]) < 0)))
            return false;
    }
    return true;
}

static void join(struct chains *c, struct chain *chain, int64_t s)
{
    const crdi_step *step = &c->e->step[s];
    chain->member[chain->count++] = s;
    chain->sums += is_sum(step->kernel);
    c->written[buffer_of(c, step->out)] = c->number;
}

/* Whether a step that is not of the chain depends on it; what it writes then does, too. */
static bool taint(struct chains *c, const crdi_step *step)
{
    bool depends = false;
    for (int i = 0; i < crdi_step_reads(step); i++) {
        int32_t operand = crdi_step_read(step, i);
        int64_t b = operand == INT32_MIN ? -1 : buffer_of(c, operand);
        depends = depends || (b >= 0 && (c->written[b] == c->number || c->tainted[b] == c->number));
    }
    for (int i = 0; depends && i < crdi_step_writes(step); i++) {
        int32_t operand = crdi_step_written(step, i);
        if (operand != INT32_MIN)
            c->tainted[buffer_of(c, operand)] = c->number;
    }
    return depends;
}

/* ---- one step in place of the members ------------------------------------------------------------------------- */

/* Whether somebody else sees the result of a member. */
static bool is_seen(const struct chains *c, const struct chain *chain, int i)
{
    int32_t out = c->e->step[chain->member[i]].out;
    int64_t b = buffer_of(c, out);
    int32_t own = 0;
    for (int m = i + 1; m < chain->count; m++) {
        const crdi_step *reader = &c->e->step[chain->member[m]];
        for (int k = 0; k < 3 && reader->in[k] != INT32_MIN; k++)
            own += buffer_of(c, reader->in[k]) == b;
    }
    return (b < c->buffers && c->kept[b]) || (out >= 0 && b != out) || size_of(c, out) != chain->n ||
           c->readers[b] != own;
}

static int last_use(const struct chains *c, const struct chain *chain, int i)
{
    int last = i;
    for (int m = i + 1; m < chain->count; m++) {
        const crdi_step *reader = &c->e->step[chain->member[m]];
        for (int k = 0; k < 3 && reader->in[k] != INT32_MIN; k++)
            if (buffer_of(c, reader->in[k]) == buffer_of(c, c->e->step[chain->member[i]].out))
                last = m;
    }
    return last;
}

/* Rooms for a tile each, for results that no one else sees: room[i] of member i, -1: it goes to memory. How many. */
static int assign_rooms(const struct chains *c, const struct chain *chain, int *room)
{
    int until[MOST_LINKS], rooms = 0; /* by room: the last link that reads what is there */
    for (int i = 0; i < chain->count; i++) {
        room[i] = -1;
        if (is_seen(c, chain, i))
            continue;
        int r = 0;
        while (r < rooms && until[r] > i)
            r++;
        rooms += r == rooms;
        until[r] = last_use(c, chain, i);
        room[i] = r;
    }
    return rooms;
}

static void note(const struct chains *c, int32_t *list, int *count, int32_t operand)
{
    for (int i = 0; i < *count; i++)
        if (buffer_of(c, list[i]) == buffer_of(c, operand))
            return;
    list[(*count)++] = operand;
}

static int64_t room_size(const struct chain *chain)
{
    int64_t n = chain->n < CRDI_CHAIN_TILE ? chain->n : CRDI_CHAIN_TILE;
    return (n + CRDI_LANES_SINGLE - 1) / CRDI_LANES_SINGLE * CRDI_LANES_SINGLE;
}

static void write_link(const struct chains *c, const struct chain *chain, int i, const int *room, int32_t scratch,
                       crdi_step_chain *out)
{
    const crdi_step *step = &c->e->step[chain->member[i]];
    crdi_step_link *link = &out->link[i];
    *link = (crdi_step_link){.kernel = step->kernel, .sum = CRDI_CHAIN_SUMS, .out = step->out, .label = step->label};
    if (room[i] >= 0) {
        link->out = scratch;
        link->out_offset = room[i] * room_size(chain);
    } else {
        link->moves[3] = is_sum(step->kernel) ? 0 : -1;
        note(c, out->written, &out->writes, step->out);
    }
    for (int k = 0; k < 3; k++) {
        link->in[k] = step->in[k];
        int from = step->in[k] == INT32_MIN ? -1 : link_of(c, chain, step->in[k]);
        if (from >= 0 && room[from] >= 0) {
            link->in[k] = scratch;
            link->in_offset[k] = room[from] * room_size(chain);
        } else if (step->in[k] != INT32_MIN) {
            link->moves[k] = -(int64_t)(arrays[step->kernel] >> k & 1);
            note(c, out->read, &out->reads, step->in[k]);
        }
    }
}

/* Its memory: of all links, and of what they read and write. NULL: there is none. */
static crdi_step_chain *make_room(const struct chains *c, int links)
{
    crdi_arena *arena = c->e->arena;
    crdi_step_chain *chain = crdi_arena_alloc(arena, sizeof *chain);
    if (!chain)
        return NULL;
    *chain = (crdi_step_chain){.count = links};
    chain->link = crdi_arena_alloc(arena, sizeof *chain->link * (size_t)links);
    chain->read = crdi_arena_alloc(arena, sizeof *chain->read * (size_t)(3 * links + 1));
    chain->written = crdi_arena_alloc(arena, sizeof *chain->written * (size_t)(links + 1));
    return chain->link && chain->read && chain->written ? chain : NULL;
}

static crd_status make_step(struct chains *c, const struct chain *chain, crdi_step *step)
{
    const crdi_step *first = &c->e->step[chain->member[0]];
    crdi_step_chain *links = make_room(c, chain->count);
    int room[MOST_LINKS], rooms = assign_rooms(c, chain, room);
    int32_t scratch = 0;
    if (!links)
        return CRD_ENOMEM;
    *step = (crdi_step){.out = INT32_MIN, .vertex = first->vertex, .segment = first->segment, .floats = first->floats};
    for (int i = 0; i < 5; i++)
        step->in[i] = INT32_MIN;
    for (int i = 0; i < CRDI_COUNT(step->more); i++)
        step->more[i] = INT32_MIN;
    if (rooms > 0) {
        scratch = crdi_emit_scratch(c->e, rooms * room_size(chain));
        if (c->e->status < 0)
            return c->e->status;
        c->e->scratch[-1 - scratch].floats = step->floats;
        links->written[links->writes++] = links->read[links->reads++] = scratch;
    }
    int sums = 0;
    for (int i = 0; i < chain->count; i++) {
        write_link(c, chain, i, room, scratch, links);
        if (is_sum(links->link[i].kernel))
            links->link[i].sum = sums++;
    }
    crdi_step_set_kernel(c->e, step, CRDI_K_chain);
    step->chain = links;
    memcpy(step->call.n, (int64_t[4]){chain->n, chain->count, 1, sums}, sizeof step->call.n);
    return CRD_OK;
}

/* In place of steps s .. last, which the chain is a part of: those that do not depend on it, the chain, those that do; and steps
 * that do nothing for the members but one, which close_up takes out when all chains are made: moving what follows each time would
 * take as long as the square of the steps. */
static void replace(struct chains *c, const struct chain *chain, int64_t s, int64_t last, const crdi_step *step)
{
    crdi_step *steps = c->e->step, nothing = *step;
    int64_t before = s, behind = 0;
    int m = 0;
    for (int64_t t = s; t <= last; t++) {
        if (m < chain->count && t == chain->member[m])
            m++;
        else if (c->depends[t - s])
            c->order[behind++] = steps[t];
        else
            steps[before++] = steps[t];
    }
    steps[before++] = *step;
    memcpy(steps + before, c->order, sizeof *steps * (size_t)behind);
    nothing.kernel = NOTHING;
    nothing.chain = NULL;
    memset(nothing.call.n, 0, sizeof nothing.call.n);
    for (int64_t t = before + behind; t <= last; t++)
        steps[t] = nothing;
}

static void close_up(crdi_emitter *e)
{
    int64_t count = 0;
    for (int64_t s = 0; s < e->count; s++)
        if (e->step[s].kernel != NOTHING)
            e->step[count++] = e->step[s];
    e->count = count;
}

/* The chain that begins at step s, if any; true if the steps have changed. */
static bool try_chain(struct chains *c, int64_t s)
{
    struct chain chain = {.n = c->e->step[s].call.n[0]};
    crdi_step step;
    if (!is_link(c, &c->e->step[s]))
        return false;
    c->number++;
    join(c, &chain, s);
    int64_t passed = 0;
    for (int64_t t = s + 1;
         t < c->e->count && t < s + WINDOW && passed <= MOST_PASSED && c->e->step[t].segment == c->e->step[s].segment;
         t++) {
        c->depends[t - s] = false;
        if (can_join(c, &chain, t)) {
            join(c, &chain, t);
            continue;
        }
        c->depends[t - s] = taint(c, &c->e->step[t]);
        passed += c->e->step[t].call.n[0] * c->e->step[t].call.n[1];
    }
    if (chain.count < 2)
        return false;
    crd_status status = make_step(c, &chain, &step);
    if (status < 0)
        c->e->status = status;
    else
        replace(c, &chain, s, chain.member[chain.count - 1], &step);
    return status == CRD_OK;
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

static bool allocate(struct chains *c)
{
    crd_context *ctx = c->e->graph->ctx;
    int64_t room = c->buffers + c->e->count + 1; /* each chain may have a scratch area of its own */
    c->writers = crdi_alloc_array(ctx, room, sizeof *c->writers);
    c->readers = crdi_alloc_array(ctx, room, sizeof *c->readers);
    c->written = crdi_alloc_array(ctx, room, sizeof *c->written);
    c->tainted = crdi_alloc_array(ctx, room, sizeof *c->tainted);
    c->order = crdi_alloc_array(ctx, WINDOW, sizeof *c->order);
    return c->writers && c->readers && c->written && c->tainted && c->order;
}

static void count_uses(struct chains *c)
{
    for (int64_t s = 0; s < c->e->count; s++) {
        const crdi_step *step = &c->e->step[s];
        for (int i = 0; i < crdi_step_writes(step); i++) {
            int32_t operand = crdi_step_written(step, i);
            if (operand != INT32_MIN)
                c->writers[operand >= 0 ? operand : buffer_of(c, operand)]++;
        }
        for (int i = 0; i < crdi_step_reads(step); i++)
            if (crdi_step_read(step, i) != INT32_MIN)
                c->readers[buffer_of(c, crdi_step_read(step, i))]++;
    }
}

crd_status crdi_chain_steps(crdi_emitter *e, const bool *kept)
{
    crd_context *ctx = e->graph->ctx;
    struct chains c = {.e = e, .kept = kept, .buffers = e->graph->count + e->scratch_count};
    bool room = allocate(&c);
    if (room) {
        count_uses(&c);
        for (int64_t s = 0; s < e->count && e->status == CRD_OK;)
            s += !try_chain(&c, s);
        close_up(e);
    }
    crdi_free(ctx, c.writers);
    crdi_free(ctx, c.readers);
    crdi_free(ctx, c.written);
    crdi_free(ctx, c.tainted);
    crdi_free(ctx, c.order);
    return room ? e->status : CRD_ENOMEM;
}
