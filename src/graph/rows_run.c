/* rows_run.c - a lane: the program of a block of rows, run for block after block, its results added up in that order.
 *
 * The block's program reads its inputs where they are: the operands of its calls that would point into the exec's input
 * point into the lane's operands instead, those of arrays with rows one block further each time. */
#include "graph/program.h"
#include "graph/rows.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

/* What one call needs to know; lives with the program. */
struct lane {
    const crdi_rows_plan *plan;
    int64_t first, count; /* blocks */
};

/* A pointer of an exec's call that follows a source. */
struct follower {
    const double **at;
    int64_t offset; /* from the start of the source's block */
};

/* An exec for one of the plan's programs, and its pointers by source. */
struct runner {
    crd_exec *exec;
    struct follower *follower;
    int64_t *first; /* (sources + 1) into `follower`: those of source k */
};

/* Execs for all blocks but the last, and for that one if it is shorter. */
struct worker {
    struct runner runner[2];
    atomic_bool busy;
};

/* The workers of all lanes of one plan in an exec. A lane takes one that is free: a thread the same each time, so that its
 * memory is in that thread's cache. There are as many as lanes, so one is always free. */
struct pool {
    const crdi_rows_plan *plan;
    struct worker **worker;
    int64_t count, lanes; /* workers; lanes that are bound */
    struct pool *next;
};

struct state {
    const struct lane *lane;
    struct pool *pool;
};

/* ---- running ------------------------------------------------------------------------------------------------- */

static bool is_copied(const crdi_rows_source *source)
{
    return source->cut && source->outer > 1;
}

static double *copy_strips(const crdi_rows_source *source, const double *from, int64_t rows, double *to)
{
    int64_t strip = rows * source->inner;
    for (int64_t i = 0; i < source->outer; i++, to += strip, from += source->stride)
        memcpy(to, from, sizeof *to * (size_t)strip);
    return to;
}

static const double *place_of(const crdi_rows_source *source, const crdi_call *call, int64_t block)
{
    return call->in[source->operand] + source->offset + (source->cut ? block * source->step : 0);
}

static void follow(const struct runner *runner, int64_t k, const double *base)
{
    for (int64_t i = runner->first[k]; i < runner->first[k + 1]; i++)
        *runner->follower[i].at = base + runner->follower[i].offset;
}

/* What all blocks share stays where it is. */
static void follow_shared(const crdi_rows_plan *plan, const struct worker *worker, const crdi_call *call)
{
    for (int64_t k = 0; k < plan->sources; k++)
        for (int r = 0; r < 2 && !plan->source[k].cut; r++)
            if (worker->runner[r].exec)
                follow(&worker->runner[r], k, place_of(&plan->source[k], call, 0));
}

static int64_t rows_of_block(const crdi_rows_plan *plan, int64_t block)
{
    int64_t left = plan->rows - block * plan->block;
    return left < plan->block ? left : plan->block;
}

static const double *run_block(const crdi_rows_plan *plan, const struct worker *worker, const crdi_call *call,
                               int64_t block)
{
    int64_t rows = rows_of_block(plan, block);
    const struct runner *runner = &worker->runner[rows < plan->block];
    double *input = crd_exec_input(runner->exec);
    for (int64_t k = 0; k < plan->sources; k++) {
        const crdi_rows_source *source = &plan->source[k];
        if (is_copied(source))
            input = copy_strips(source, place_of(source, call, block), rows, input);
        else if (source->cut)
            follow(runner, k, place_of(source, call, block));
    }
    crd_exec_run(runner->exec);
    return crd_exec_output(runner->exec);
}

static struct worker *take_worker(const struct pool *pool)
{
    uint64_t thread = (uint64_t)(uintptr_t)pthread_self();
    for (uint64_t k = (thread >> 12) * 0x9e3779b97f4a7c15u >> 32;; k++) {
        struct worker *worker = pool->worker[k % (uint64_t)pool->count];
        if (!atomic_exchange_explicit(&worker->busy, true, memory_order_acquire))
            return worker;
    }
}

static void run_lane(const crdi_call *call)
{
    const struct state *state = call->extra;
    const struct lane *lane = state->lane;
    struct worker *worker = take_worker(state->pool);
    int64_t size = lane->plan->size;
    follow_shared(lane->plan, worker, call);
    memcpy(call->out, run_block(lane->plan, worker, call, lane->first), sizeof *call->out * (size_t)size);
    for (int64_t b = lane->first + 1; b < lane->first + lane->count; b++) {
        const double *result = run_block(lane->plan, worker, call, b);
        for (int64_t i = 0; i < size; i++)
            call->out[i] += result[i];
    }
    atomic_store_explicit(&worker->busy, false, memory_order_release);
}

/* ---- binding ------------------------------------------------------------------------------------------------- */

/* A list of followers that is being made; counted first, without memory. */
struct list {
    struct follower *follower;
    int64_t count;
    int64_t start, end; /* of the source in the exec's input, in bytes */
};

static void add_followers(struct list *list, const double **in, const crdi_place *place, int count)
{
    for (int i = 0; i < count; i++) {
        if (place[i].region != CRDI_INPUT || place[i].offset < list->start || place[i].offset >= list->end)
            continue;
        if (list->follower)
            list->follower[list->count] =
                (struct follower){&in[i], (place[i].offset - list->start) / (int64_t)sizeof(double)};
        list->count++;
    }
}

/* All pointers of an exec into a source. */
static void add_source(struct list *list, const crd_exec *exec)
{
    for (int64_t c = 0; c < exec->count; c++) {
        const crdi_planned *planned = &exec->program->planned[c];
        if (!planned->scalars && !planned->links)
            add_followers(list, exec->call[c].in, planned->in, CRDI_COUNT(planned->in));
    }
    for (int64_t k = 0; k < exec->program->scalar_count; k++)
        add_followers(list, exec->scalar[k].in, exec->program->scalar[k].in, CRDI_COUNT(exec->scalar[k].in));
    for (int64_t k = 0; k < exec->program->link_count; k++)
        add_followers(list, exec->link[k].in, exec->program->link[k].in, CRDI_COUNT(exec->link[k].in));
}

static int64_t list_followers(const crdi_rows_plan *plan, int64_t rows, struct runner *runner)
{
    struct list list = {.follower = runner->follower};
    for (int64_t k = 0; k < plan->sources; k++) {
        const crdi_rows_source *source = &plan->source[k];
        runner->first[k] = list.count;
        list.start = list.end;
        list.end += (int64_t)sizeof(double) * (source->cut ? source->outer * rows * source->inner : source->inner);
        if (!is_copied(source))
            add_source(&list, runner->exec);
    }
    runner->first[plan->sources] = list.count;
    return list.count;
}

static void worker_destroy(crd_context *ctx, struct worker *worker)
{
    for (int r = 0; r < 2; r++) {
        crd_exec_destroy(&worker->runner[r].exec);
        crdi_free(ctx, worker->runner[r].follower);
        crdi_free(ctx, worker->runner[r].first);
    }
    crdi_free(ctx, worker);
}

static crd_status make_runner(crd_context *ctx, const crdi_rows_plan *plan, int which, struct runner *runner)
{
    int64_t rows = which == 0 ? plan->block : rows_of_block(plan, plan->blocks - 1);
    CRD_TRY(crd_exec_create(&runner->exec, plan->program[which]));
    if (!(runner->first = crdi_alloc_array(ctx, plan->sources + 1, sizeof *runner->first)))
        return CRD_ENOMEM;
    int64_t count = list_followers(plan, rows, runner);
    if (!(runner->follower = crdi_alloc_array(ctx, count + 1, sizeof *runner->follower)))
        return CRD_ENOMEM;
    list_followers(plan, rows, runner);
    return CRD_OK;
}

static crd_status add_worker(crd_context *ctx, struct pool *pool)
{
    struct worker *worker = crdi_alloc(ctx, sizeof *worker);
    crd_status status = worker ? make_runner(ctx, pool->plan, 0, &worker->runner[0]) : CRD_ENOMEM;
    if (status == CRD_OK && pool->plan->program[1])
        status = make_runner(ctx, pool->plan, 1, &worker->runner[1]);
    if (status == CRD_OK)
        pool->worker[pool->count++] = worker;
    else if (worker)
        worker_destroy(ctx, worker);
    return status;
}

/* The pool of a plan among those of an exec; NULL: no memory. */
static struct pool *pool_of(crd_context *ctx, void **shared, const crdi_rows_plan *plan)
{
    struct pool *pool = *shared;
    while (pool && pool->plan != plan)
        pool = pool->next;
    if (pool || !(pool = crdi_alloc(ctx, sizeof *pool)))
        return pool;
    *pool = (struct pool){.plan = plan, .next = *shared};
    if (!(pool->worker = crdi_alloc_array(ctx, plan->lanes, sizeof *pool->worker))) {
        crdi_free(ctx, pool);
        return NULL;
    }
    *shared = pool;
    return pool;
}

/* The last lane takes the pool with it: its exec ends. */
static void leave_pool(crd_context *ctx, struct pool *pool)
{
    if (--pool->lanes > 0)
        return;
    for (int64_t k = 0; k < pool->count; k++)
        worker_destroy(ctx, pool->worker[k]);
    crdi_free(ctx, pool->worker);
    crdi_free(ctx, pool);
}

static void unbind(crd_context *ctx, const void *extra)
{
    const struct state *state = extra;
    leave_pool(ctx, state->pool);
    crdi_free(ctx, state);
}

static const void *bind(crd_context *ctx, void **shared, const void *extra)
{
    const struct lane *lane = extra;
    struct pool *pool = pool_of(ctx, shared, lane->plan);
    struct state *state = pool ? crdi_alloc(ctx, sizeof *state) : NULL;
    if (!pool)
        return NULL;
    pool->lanes++;
    if (!state || add_worker(ctx, pool) < 0) {
        leave_pool(ctx, pool);
        crdi_free(ctx, state);
        return NULL;
    }
    *state = (struct state){lane, pool};
    return state;
}

/* ---- the node ------------------------------------------------------------------------------------------------ */

static void lower_lane(crdi_emitter *e, const crdi_vertex *v)
{
    struct lane *lane = crdi_arena_alloc(e->arena, sizeof *lane);
    if (!lane) {
        e->status = CRD_ENOMEM;
        return;
    }
    *lane = (struct lane){v->attribute.extra, v->attribute.whole[0], v->attribute.whole[1]};
    crdi_step *step = crdi_emit_fn(e, run_lane, "rows", v->arg, v->arg_count);
    if (!step)
        return;
    step->call.n[0] = lane->count; /* blocks, and the work for one */
    step->call.n[1] = crdi_program_work(lane->plan->program[0]);
    step->call.n[2] = 1;
    step->call.extra = lane;
    step->bind = bind;
    step->unbind = unbind;
}

static const crdi_op op_lane = {.name = "rows", .lower = lower_lane};

crd_node crdi_rows_lane(crd_graph *g, const crdi_rows_plan *plan, const crd_node *args, int arg_count, int64_t first,
                        int64_t count)
{
    crdi_attribute attribute = {.whole = {first, count}};
    attribute.extra = plan;
    CRDI_ASSERT(arg_count <= CRDI_ROWS_OPERANDS);
    return crdi_make(g, &op_lane, args, arg_count, crd_shape_1(plan->size), &attribute, (crd_where){0});
}
