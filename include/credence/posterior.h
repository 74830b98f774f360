/* posterior.h - draws by chain: what a sampler leaves behind, what summaries, predictions and figures start from. */
#ifndef CREDENCE_POSTERIOR_H
#define CREDENCE_POSTERIOR_H

#include <credence/array.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a column of a posterior is. */
typedef enum crd_column_kind {
    CRD_COLUMN_LATENT = 0, /**< a sampled site, on its own (constrained) scale */
    CRD_COLUMN_DETERMINISTIC = 1, /**< a deterministic site that was kept */
    CRD_COLUMN_STATISTIC = 2 /**< of the sampler: accept_prob, tree_depth, n_steps, energy, diverging, step_size */
} crd_column_kind;

/** One site or statistic and all its draws. */
typedef struct crd_column {
    char *name; /**< the site's name: "net/Dense_0.kernel", "s" */
    crd_column_kind kind; /**< what it is */
    crd_shape shape; /**< of one draw; () for a scalar */
    int64_t size; /**< elements of one draw: the product of shape */
    double *draws; /**< (chains, draws, *shape), row-major */
} crd_column;

/** Draws of all chains after warm-up. The struct is open for reading; crd_posterior_create and _destroy manage it. */
typedef struct crd_posterior {
    crd_context *ctx; /**< it was made in */
    int chains; /**< 1 or more */
    int64_t draws; /**< kept draws a chain (the same for all; shorter chains are cut) */
    int64_t warmup; /**< iterations of warm-up a chain */
    int column_count; /**< of column */
    crd_column *column; /**< latent and deterministic sites in alphabetical order, then the statistics */
    double warmup_seconds; /**< wall time of warm-up and of sampling */
    double sampling_seconds; /**< wall time of sampling */
    int64_t gradient_evaluations; /**< of all chains, warm-up included */
    double gradient_seconds; /**< seconds of all chains spent in transitions, summed over chains */
} crd_posterior;

/** Makes a posterior of zeros with the given columns (their `draws` are ignored, names are copied).
 *  @param out  returns owned, written only on success. @param ctx  borrowed: it must outlive the posterior.
 *  @param chains, draws  1 or more. @param columns  [column_count], borrowed during the call.
 *  @param column_count  how many.
 *  @return CRD_OK; CRD_ENOMEM. */
CRD_API CRD_MUST_CHECK crd_status crd_posterior_create(crd_posterior **out, crd_context *ctx, int chains, int64_t draws,
                                                       const crd_column *columns, int column_count);

/** Destroys a posterior and nulls the pointer; NULL is accepted.
 *  @param posterior  the pointer to set to NULL. */
CRD_API void crd_posterior_destroy(crd_posterior **posterior);

/** Finds a column by name; NULL if there is none. Borrowed from the posterior.
 *  @param posterior  borrowed. @param name  of a site or a statistic. */
CRD_API const crd_column *crd_posterior_find(const crd_posterior *posterior, const char *name);

/** The draws of one element of one column as (chains, draws), copied into `out` (chains * draws doubles).
 *  @param posterior  borrowed. @param column  of the posterior. @param element  from 0, in row-major order.
 *  @param out  [chains * draws]. */
CRD_API void crd_posterior_series(const crd_posterior *posterior, const crd_column *column, int64_t element,
                                  double *out);

/** Writes "name[0,3]" (or "name" for a scalar) for an element of a column. buffer of `size` bytes; returns buffer.
 *  @param column  borrowed. @param element  from 0, in row-major order.
 *  @param buffer  is cut short rather than overrun. @param size  of the buffer in bytes. */
CRD_API const char *crd_column_label(const crd_column *column, int64_t element, char *buffer, size_t size);

/** The number of divergent transitions among the kept draws; 0 if the sampler has no such statistic.
 *  @param posterior  borrowed. */
CRD_API int64_t crd_posterior_divergences(const crd_posterior *posterior);

#ifdef __cplusplus
}
#endif
#endif
