/* optim.c - the registries of transformations and schedules, and chains at work. */
#include "infer/svi/optim.h"
#include "graph/tiny.h"
#include "infer/svi/optim_parse.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- registries --------------------------------------------------------------------------------------------- */

static const struct {
    const crdi_transform_type *type;
    const char *help;
} transforms[] = {
#define TRANSFORM(name, text) {&crdi_transform_##name, text},
#include "infer/svi/optim.def"
#undef TRANSFORM
};

static const struct {
    const crdi_schedule_type *type;
    const char *help;
} schedules[] = {
#define SCHEDULE(name, text) {&crdi_schedule_##name, text},
#include "infer/svi/schedules.def"
#undef SCHEDULE
};

int crdi_transform_types(void)
{
    return CRDI_COUNT(transforms);
}

const crdi_transform_type *crdi_transform_type_get(int i)
{
    return transforms[i].type;
}

const char *crdi_transform_type_help(int i)
{
    return transforms[i].help;
}

const crdi_transform_type *crdi_transform_type_find(const char *name)
{
    for (int i = 0; i < CRDI_COUNT(transforms); i++)
        if (strcmp(transforms[i].type->name, name) == 0)
            return transforms[i].type;
    return NULL;
}

int crdi_schedule_types(void)
{
    return CRDI_COUNT(schedules);
}

const crdi_schedule_type *crdi_schedule_type_get(int i)
{
    return schedules[i].type;
}

const char *crdi_schedule_type_help(int i)
{
    return schedules[i].help;
}

const crdi_schedule_type *crdi_schedule_type_find(const char *name)
{
    for (int i = 0; i < CRDI_COUNT(schedules); i++)
        if (strcmp(schedules[i].type->name, name) == 0)
            return schedules[i].type;
    return NULL;
}

static const char *transform_name(const void *list, int64_t i)
{
    (void)list;
    return transforms[i].type->name;
}

static const char *schedule_name(const void *list, int64_t i)
{
    (void)list;
    return schedules[i].type->name;
}

crd_status crdi_raise_unknown_transform(crd_context *ctx, const char *name)
{
    return crdi_raise_unknown(ctx, "optimiser", name, transform_name, NULL, CRDI_COUNT(transforms));
}

crd_status crdi_raise_unknown_schedule(crd_context *ctx, const char *name)
{
    return crdi_raise_unknown(ctx, "schedule", name, schedule_name, NULL, CRDI_COUNT(schedules));
}

/* ---- numbers ------------------------------------------------------------------------------------------------ */

double crdi_norm_raw(const crdi_kernel_table *kernels, int64_t n, const double *x)
{
    double sum = kernels->vector.dot(n, x, x);
    if (isnan(sum) || (sum >= DBL_MIN / DBL_EPSILON && sum <= DBL_MAX))
        return sqrt(sum);
    /* Squares that leave the range of doubles: once more, with the largest element as the unit. */
    double largest = 0, scaled = 0;
    for (int64_t i = 0; i < n; i++)
        largest = fabs(x[i]) > largest ? fabs(x[i]) : largest;
    if (largest == 0 || isinf(largest))
        return largest;
    for (int64_t i = 0; i < n; i++)
        scaled += (x[i] / largest) * (x[i] / largest);
    return largest * sqrt(scaled);
}

double crdi_kernel_value(const crdi_kernel_table *kernels, enum crdi_kernel kernel, double a, double b)
{
    double out;
    crdi_call call = {.out = &out, .in = {&a, &b}, .n = {1, 1}};
    kernels->kernel[kernel](&call);
    return out;
}

/* ---- a chain ------------------------------------------------------------------------------------------------ */

struct crdi_optimiser {
    crd_context *ctx;
    char *text;
    crdi_chain_parts chain;
    crdi_transform_step step; /* params and loss are of the step at work */
    int64_t *block;
    double *state; /* of all parts, one after the other */
    int64_t state_count;
    double *u; /* (dim) the update */
};

static crd_status check_blocks(crd_context *ctx, int64_t dim, const int64_t *block, int64_t blocks)
{
    if (dim < 1)
        return crdi_raise(ctx, CRD_ESHAPE, "an optimiser of %lld parameters; there must be at least 1", (long long)dim);
    if (!block)
        return CRD_OK;
    int64_t sum = 0;
    for (int64_t b = 0; b < blocks; b++) {
        if (block[b] < 0 || block[b] > dim - sum)
            return crdi_raise(ctx, CRD_ESHAPE, "block %lld of the parameters has the size %lld; %lld of %lld are left",
                              (long long)b, (long long)block[b], (long long)(dim - sum), (long long)dim);
        sum += block[b];
    }
    if (sum != dim)
        return crdi_raise(ctx, CRD_ESHAPE, "blocks of %lld parameters in all; there are %lld", (long long)sum,
                          (long long)dim);
    return CRD_OK;
}

static int64_t state_count(const crdi_transform_type *type, int64_t dim)
{
    return type->scalars + type->vectors * dim;
}

static crd_status allocate(crdi_optimiser *o, const char *text, const int64_t *block, int64_t blocks)
{
    int64_t dim = o->step.dim;
    for (int i = 0; i < o->chain.parts; i++)
        o->state_count += state_count(o->chain.part[i].type, dim);
    o->step.blocks = block ? blocks : 1;
    o->text = crdi_strdup(o->ctx, text);
    o->block = crdi_alloc_array(o->ctx, o->step.blocks, sizeof *o->block);
    o->state = crdi_alloc_array(o->ctx, o->state_count + 1, sizeof(double)); /* at least one: sgd has none */
    o->u = crdi_alloc_array(o->ctx, dim, sizeof(double));
    if (!o->text || !o->block || !o->state || !o->u)
        return CRD_ENOMEM;
    if (block)
        memcpy(o->block, block, sizeof *block * (size_t)blocks);
    else
        o->block[0] = dim;
    o->step.block = o->block;
    return CRD_OK;
}

crd_status crdi_optimiser_create(crd_context *ctx, const char *text, int64_t dim, const int64_t *block, int64_t blocks,
                                 crdi_optimiser **out)
{
    CRD_TRY(check_blocks(ctx, dim, block, blocks));
    crdi_optimiser *o = crdi_alloc(ctx, sizeof *o);
    if (!o)
        return CRD_ENOMEM;
    o->ctx = ctx;
    o->step.dim = dim;
    o->step.kernels = crdi_context_kernels(ctx);
    crd_status status = crdi_optimiser_parse(ctx, text, &o->chain);
    if (status == CRD_OK)
        status = allocate(o, text, block, blocks);
    if (status != CRD_OK) {
        crdi_optimiser_destroy(&o);
        return status;
    }
    double *state = o->state;
    for (int i = 0; i < o->chain.parts; i++) {
        o->chain.part[i].state = state;
        state += state_count(o->chain.part[i].type, dim);
    }
    crdi_optimiser_reset(o);
    *out = o;
    return CRD_OK;
}

void crdi_optimiser_destroy(crdi_optimiser **optimiser)
{
    crdi_optimiser *o = *optimiser;
    if (!o)
        return;
    crdi_free(o->ctx, o->text);
    crdi_free(o->ctx, o->block);
    crdi_free(o->ctx, o->state);
    crdi_free(o->ctx, o->u);
    crdi_free(o->ctx, o);
    *optimiser = NULL;
}

crd_status crdi_optimiser_check(crd_context *ctx, const char *text)
{
    crdi_chain_parts chain;
    return crdi_optimiser_parse(ctx, text, &chain);
}

void crdi_optimiser_reset(crdi_optimiser *o)
{
    memset(o->state, 0, sizeof(double) * (size_t)o->state_count);
    for (int i = 0; i < o->chain.parts; i++)
        if (o->chain.part[i].type->init)
            o->chain.part[i].type->init(&o->chain.part[i], o->step.dim);
}

void crdi_optimiser_update(crdi_optimiser *o, const double *gradient, double *params, double loss)
{
    int64_t dim = o->step.dim;
    double *restrict u = o->u, *restrict x = params;
    crdi_tiny before = crdi_tiny_off(); /* moments of a gradient that stays 0 would go through subnormal numbers */
    memcpy(u, gradient, sizeof(double) * (size_t)dim);
    o->step.params = params;
    o->step.loss = loss;
    for (int i = 0; i < o->chain.parts; i++)
        o->chain.part[i].type->update(&o->chain.part[i], &o->step, u);
    for (int64_t i = 0; i < dim; i++)
        x[i] += u[i];
    crdi_tiny_restore(before);
}

/* ---- the state as bytes ------------------------------------------------------------------------------------- */

/* What stands before the numbers of a state. */
struct head {
    uint64_t chain; /* a hash of the names in the chain */
    int64_t dim;
};

static uint64_t hash_text(uint64_t hash, const char *text) /* FNV-1a; the zero byte ends a name */
{
    do {
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    } while (*text++);
    return hash;
}

static struct head head_of(const crdi_optimiser *o)
{
    struct head head = {0xcbf29ce484222325u, o->step.dim};
    for (int i = 0; i < o->chain.parts; i++) {
        const crdi_schedule_type *schedule = o->chain.part[i].schedule.type;
        head.chain = hash_text(head.chain, o->chain.part[i].type->name);
        head.chain = hash_text(head.chain, schedule ? schedule->name : "");
    }
    return head;
}

void crdi_optimiser_archive(crdi_optimiser *o, crdi_archive *a)
{
    struct head mine = head_of(o);
    crdi_archive_same(a, (int64_t)mine.chain, "optimiser");
    crdi_archive_same(a, mine.dim, "number of parameters");
    crdi_archive_reals(a, o->state, o->state_count);
}

size_t crdi_optimiser_state_size(const crdi_optimiser *o)
{
    return sizeof(struct head) + sizeof(double) * (size_t)o->state_count;
}

void crdi_optimiser_save(const crdi_optimiser *o, void *out)
{
    struct head head = head_of(o);
    memcpy(out, &head, sizeof head);
    memcpy((char *)out + sizeof head, o->state, sizeof(double) * (size_t)o->state_count);
}

crd_status crdi_optimiser_load(crdi_optimiser *o, const void *state, size_t size)
{
    struct head head, mine = head_of(o);
    if (size != crdi_optimiser_state_size(o))
        return crdi_raise(o->ctx, CRD_EDAMAGED,
                          "the state of an optimiser has %zu bytes; that of '%s' with %lld parameters has %zu", size,
                          o->text, (long long)o->step.dim, crdi_optimiser_state_size(o));
    memcpy(&head, state, sizeof head);
    if (head.chain != mine.chain || head.dim != mine.dim)
        return crdi_raise(o->ctx, CRD_EDAMAGED, "the state of another optimiser than '%s' with %lld parameters",
                          o->text, (long long)o->step.dim);
    memcpy(o->state, (const char *)state + sizeof head, sizeof(double) * (size_t)o->state_count);
    return CRD_OK;
}
