/* optim.h - optimisers: chains of gradient transformations, as in optax. Array code, no input or output.
 *
 * A chain turns a gradient of the loss into an update, one transformation after the other, and the update is added to
 * the parameters. It is written as text:
 *
 *   chain     := element { ',' element }
 *   element   := name { ':' argument }                 clip_by_global_norm:10,adam,scale:-1e-2
 *   argument  := [ parameter '=' ] value               adam:0.01:b2=0.99
 *   value     := number | schedule                     a schedule stands for a rate or for the factor of scale
 *   schedule  := name '(' number { ',' number } ')'    adam:cosine(0.1,1000)
 *
 * Blanks between them do not matter. Arguments without a name are taken in the order of the parameters and come first.
 *
 * Optimisers (sgd, momentum, nesterov, adam, adamw, clipped_adam, adabelief, rmsprop, adagrad) have a rate as their
 * first parameter, which may be left out. With a rate, a step downhill of that size is the result: 'adam:0.01' is
 * 'adam,scale:-0.01'. Without one only the direction is (optax's scale_by_adam), and the chain needs a scale below 0.
 * A chain that goes uphill, with no rate and no such scale or with two that cancel, is refused.
 *
 * A gradient that is not finite is for the caller to find: it skips the update, and the state is as before. Given to
 * crdi_optimiser_update it makes parameters (and the state) NaN; no transformation hides it.
 *
 * Bits do not depend on the instruction set: element loops use + - * / and sqrt, each rounded once; sums, powers and
 * cosines are those of the kernels. */
#ifndef CRDI_OPTIM_H
#define CRDI_OPTIM_H

#include "base/archive.h"
#include "kernel/kernel.h"

enum { CRDI_TRANSFORM_ARGUMENTS = 8, CRDI_SCHEDULE_ARGUMENTS = 32, CRDI_SCHEDULE_STATE = 6, CRDI_CHAIN_PARTS = 16 };

/* ---- parameters of transformations and schedules ------------------------------------------------------------ */

typedef enum crdi_range {
    CRDI_RATE, /* above 0, or a schedule; the first parameter of an optimiser; may be left out */
    CRDI_FACTOR, /* not 0, or a schedule */
    CRDI_VALUE, /* the first parameter of a schedule: the range of what it stands for */
    CRDI_POSITIVE,
    CRDI_NON_NEGATIVE,
    CRDI_DECAY, /* 0 <= x < 1 */
    CRDI_SHARE, /* 0 <= x <= 1 */
    CRDI_COUNT_POSITIVE, /* a whole number, 1 or more */
    CRDI_COUNT_ANY /* a whole number, 0 or more */
} crdi_range;

typedef struct crdi_parameter {
    const char *name;
    double standard; /* the default; NAN: must be given */
    crdi_range range;
} crdi_parameter;

/* What a transformation sees of one step. */
typedef struct crdi_transform_step {
    int64_t dim;
    const int64_t *block; /* sizes of the parameter blocks, whose sum is dim */
    int64_t blocks;
    const double *params; /* (dim) before the step */
    double loss; /* for schedules that watch it; NAN: none is known */
    const crdi_kernel_table *kernels;
} crdi_transform_step;

/* ---- schedules ---------------------------------------------------------------------------------------------- */

typedef struct crdi_schedule crdi_schedule;

/* A rate that changes: its first argument times a factor, which is 0 or more. */
typedef struct crdi_schedule_type {
    const char *name;
    const char *example; /* as text; for messages and tests */
    const crdi_parameter *parameter;
    int parameters;
    int repeat; /* the last so many parameters may be given again and again */
    void (*init)(double *state); /* NULL: zeros */
    /* `count` steps were made before this one. `state` has CRDI_SCHEDULE_STATE numbers. */
    double (*factor)(const crdi_schedule *s, const crdi_transform_step *step, double count, double *state);
} crdi_schedule_type;

struct crdi_schedule {
    const crdi_schedule_type *type;
    double argument[CRDI_SCHEDULE_ARGUMENTS];
    int arguments;
};

/* ---- transformations ---------------------------------------------------------------------------------------- */

typedef struct crdi_transform crdi_transform;
typedef struct crdi_transform_type crdi_transform_type;

/* One of the transformations that another is made of: its k-th argument is the from[k]-th of the whole; -1: none. */
typedef struct crdi_transform_part {
    const crdi_transform_type *type;
    signed char from[CRDI_TRANSFORM_ARGUMENTS];
} crdi_transform_part;

/* A transformation. A new one is a file and a row in optim.def. Its state is `scalars` numbers, then `vectors` arrays of
 * dim numbers; saving and loading it is the chain's work. */
struct crdi_transform_type {
    const char *name;
    const char *example; /* as text; for messages and tests */
    const crdi_parameter *parameter;
    int parameters;
    const crdi_transform_part *part; /* made of others: update is NULL */
    int parts;
    int scalars, vectors;
    void (*init)(crdi_transform *t, int64_t dim); /* the state has zeros before; NULL: they are right */
    void (*update)(crdi_transform *t, const crdi_transform_step *step, double *restrict u); /* u in place */
};

struct crdi_transform {
    const crdi_transform_type *type;
    double argument[CRDI_TRANSFORM_ARGUMENTS]; /* one a parameter; 0 for a rate */
    double sign; /* of scale: -1 where it stands for a rate */
    crdi_schedule schedule; /* of scale: its factor */
    double *state;
};

#define TRANSFORM(name, text) extern const crdi_transform_type crdi_transform_##name;
#include "infer/svi/optim.def"
#undef TRANSFORM
#define SCHEDULE(name, text) extern const crdi_schedule_type crdi_schedule_##name;
#include "infer/svi/schedules.def"
#undef SCHEDULE

/* The registries, in the order of their rows; help is the row's text. */
int crdi_transform_types(void);
const crdi_transform_type *crdi_transform_type_get(int i);
const char *crdi_transform_type_help(int i);
const crdi_transform_type *crdi_transform_type_find(const char *name); /* NULL: none */
int crdi_schedule_types(void);
const crdi_schedule_type *crdi_schedule_type_get(int i);
const char *crdi_schedule_type_help(int i);
const crdi_schedule_type *crdi_schedule_type_find(const char *name);
crd_status crdi_raise_unknown_transform(crd_context *ctx, const char *name);
crd_status crdi_raise_unknown_schedule(crd_context *ctx, const char *name);

/* How each is written: "adam[:rate][:b1=0.9]...", "cosine(value,steps[,alpha=0])". */
void crdi_transform_form(const crdi_transform_type *type, crdi_string *out);
void crdi_schedule_form(const crdi_schedule_type *type, crdi_string *out);

/* Array k of a transformation's state. */
static inline double *crdi_transform_vector(const crdi_transform *t, const crdi_transform_step *step, int k)
{
    return t->state + t->type->scalars + k * step->dim;
}

/* The Euclidean norm; does not overflow before it must. */
double crdi_norm_raw(const crdi_kernel_table *kernels, int64_t n, const double *x);
/* One value of a unary or binary kernel. */
double crdi_kernel_value(const crdi_kernel_table *kernels, enum crdi_kernel kernel, double a, double b);

/* ---- optimisers --------------------------------------------------------------------------------------------- */

typedef struct crdi_optimiser crdi_optimiser;

/* Reads a chain and makes its state for `dim` parameters in blocks of the sizes block[0 .. blocks - 1] (copied); block
 * NULL: one block. Owned: crdi_optimiser_destroy.
 * CRD_ENAME: an unknown optimiser, schedule or parameter. CRD_EINVAL: text that does not follow the grammar, a wrong
 * number of arguments, one out of its range, a chain that goes uphill; each message says how it is written right.
 * CRD_ESHAPE: sizes of blocks that do not add up to dim, or dim < 1. CRD_ENOMEM. */
crd_status crdi_optimiser_create(crd_context *ctx, const char *text, int64_t dim, const int64_t *block, int64_t blocks,
                                 crdi_optimiser **out);
void crdi_optimiser_destroy(crdi_optimiser **optimiser);
/* Whether a text is a chain, with the errors of crdi_optimiser_create. */
crd_status crdi_optimiser_check(crd_context *ctx, const char *text);

/* One step: params += the transformed gradient. `loss` is watched by plateau; NAN if it is not known. Allocates nothing.
 * The gradient and the loss must be finite (see above). */
void crdi_optimiser_update(crdi_optimiser *optimiser, const double *gradient, double *params, double loss);

/* Back to the state before the first step. */
void crdi_optimiser_reset(crdi_optimiser *optimiser);

/* The state as plain bytes, in the byte order of this machine. What is loaded continues bit for bit. Loading into a
 * chain with the same transformations and schedules but other numbers (a smaller rate) is allowed; anything else is
 * CRD_EDAMAGED, and the state stays as it was. */
/* The state as part of another one. */
void crdi_optimiser_archive(crdi_optimiser *optimiser, crdi_archive *archive);
size_t crdi_optimiser_state_size(const crdi_optimiser *optimiser);
void crdi_optimiser_save(const crdi_optimiser *optimiser, void *out);
crd_status crdi_optimiser_load(crdi_optimiser *optimiser, const void *state, size_t size);

#endif
