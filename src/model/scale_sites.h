/* scale_sites.h - latent sites that are scales of normal sites: what is needed to draw them anew given all others.
 *
 * A site S is one if the log density depends on it through its own prior and through sites Normal(loc, c S^p) or
 * HalfNormal(c S^p) alone, where c, loc and the sites' values do not depend on S. Then the others tell of each element of S
 * only how many normals it scales, n, and the sum of the squares of their (x - loc) / (c S^p). p is 1 of a standard deviation,
 * 1/2 of a variance, -1/2 of a precision. Or the sites are standard normals z, and all that depends on S or z does so through
 * x = c S^p z (a non-centred prior). That is read from the model's graph; sites that cannot be shown to be of this form
 * are not in the list. */
#ifndef CRDI_SCALE_SITES_H
#define CRDI_SCALE_SITES_H

#include "model/model.h"

typedef struct crdi_scale_site {
    int64_t offset, size; /* of the site in u, unconstrained */
    bool noise; /* some of the normals are observed */
    double power; /* p */
    double *count; /* (size) n; a subsample's scale counts */
    /* Conjugate: (u, key) -> (size) the site's u drawn given the others. NULL: the two that follow are there. */
    crd_program *draw;
    crd_program *squares; /* (u) -> (size) */
    crd_program *prior; /* (u) -> (size) log prior of each element's u, (size) log S */
} crdi_scale_site;

typedef struct crdi_scale_sites {
    crd_context *ctx;
    crdi_scale_site *site; /* in the order of the model's sites */
    int count;
    /* (u) -> (dim) log(c S^p) of each coordinate that is a standard normal z multiplied by it, 0 of all others. NULL without such: when
     * S is drawn given x = c S^p z, z changes so that x does not. */
    crd_program *log_sd;
} crdi_scale_sites;

/* Finds them; `noise`: those of observed sites too. A count of 0 is no error. Runs the model function once. */
crd_status crdi_scale_sites_create(const crd_model *model, bool noise, crdi_scale_sites *out);
void crdi_scale_sites_destroy(crdi_scale_sites *scales);

#endif
