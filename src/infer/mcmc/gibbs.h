/* gibbs.h - blocks: sites that are drawn from their conditional distribution between the transitions of a kernel: scales of normal
 * sites (model/scale_sites.h), by a conjugate draw where there is one, else by slice sampling (Neal 2003) of the logarithm of each
 * element. Where standard normals are multiplied by a scale their products are held: a kernel moves the scale with the normals
 * held, and the two moves together mix where either alone does not (Yu & Meng 2011, interweaving). */
#ifndef CRDI_GIBBS_H
#define CRDI_GIBBS_H

#include "model/scale_sites.h"

#include <credence/random.h>

typedef struct crdi_gibbs crdi_gibbs;

/* The sites of option blocks, "scales" or "all". CRD_EINVAL: the model has none. */
crd_status crdi_scale_sites_need(const crd_model *model, const char *blocks, crdi_scale_sites *out);
/* One for each chain. @param scales borrowed. */
crd_status crdi_gibbs_create(crd_context *ctx, const crdi_scale_sites *scales, int64_t dim, crdi_gibbs **out);
void crdi_gibbs_destroy(crdi_gibbs **gibbs);
/* Draws all sites in turn, in place: u (dim). Allocates nothing. Draws: from `key`; how many depends on what is drawn. */
void crdi_gibbs_draw(crdi_gibbs *gibbs, crd_key key, double *u);

#endif
