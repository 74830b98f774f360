/* guide.h - guides: families of approximate posteriors.
 *
 * An automatic guide is a formula over the unconstrained vector u of the sites that it has: of its parameters and of
 * standard normal noise it makes a draw u and log q(u). All are reparameterised, so that the gradient of an expectation
 * is the expectation of a gradient (Kingma & Welling 2014). A new one is a file in guides/ and a row in guides.def.
 *
 * A whole guide is a list of such parts, each over some sites, and the statements of a guide written by hand, if there is
 * one. Its parameters are one flat vector: those of the parts in order, then those of crd_param statements, of guide and
 * model, on the unconstrained scale. */
#ifndef CRDI_GUIDE_H
#define CRDI_GUIDE_H

#include <credence/graph.h>
#include <credence/model.h>
#include "base/base.h"

enum { CRDI_GUIDE_VALUES = 128 }; /* arrays that a family makes of its parameters */

typedef struct crdi_guide_part crdi_guide_part;

/* What a family says of one draw. */
typedef struct crdi_guide_draw {
    crd_node u; /* (dim) */
    crd_node log_q; /* log q(u), a scalar */
    /* Of a family whose elements are independent normals, else crdi_nothing: for losses with analytic divergences. */
    crd_node loc, scale; /* (dim) */
    crd_node log_q_element; /* (dim) log q of each element */
} crdi_guide_draw;

typedef struct crdi_guide_type {
    const char *name;
    const char *argument; /* what the number behind the colon is ("rank"); NULL: it takes none */
    int64_t standard, most; /* the argument's default, and its largest value; the smallest is 1 */
    bool point; /* a single point: log q is 0 */
    bool jacobian; /* of a point: the density is that of u (with log |dx/du|), not that of the values */
    int64_t most_params; /* CRD_EUNSUPPORTED above: a number of sites for which it is not made; 0: no limit */
    const char *fitted; /* the family that it becomes after the fit; NULL: it stays what it is */
    int64_t (*params)(const crdi_guide_part *part);
    /* Standard normal numbers that a draw needs. */
    int64_t (*noise)(const crdi_guide_part *part);
    /* Parameters that put it at u with standard deviations init_scale. Those that must not be equal draw from key.
     * `params` may begin where u does: read u first. */
    void (*start)(const crdi_guide_part *part, const double *u, double init_scale, crd_key key, double *params);
    /* What draws are made of (locations, scales, weights) from the parameters: once for all particles. Returns how many. */
    int (*values)(const crdi_guide_part *part, crd_node params, crd_node *value);
    crdi_guide_draw (*draw)(const crdi_guide_part *part, const crd_node *value, crd_node noise);
} crdi_guide_type;

/* One family over some of the sites. */
struct crdi_guide_part {
    const crdi_guide_type *type;
    int64_t argument;
    int64_t dim; /* numbers of u */
    int64_t params_at; /* where its parameters begin */
};

/* A crd_param statement of the guide or the model. */
typedef struct crdi_guide_param {
    const char *name;
    crd_support support;
    crd_shape shape, unconstrained;
    int64_t at, size; /* among the parameters: unconstrained */
    const double *initial; /* unconstrained; in the guide's arena */
} crdi_guide_param;

/* A site that the guide written by hand has. */
typedef struct crdi_guide_site {
    const char *name;
    crd_shape shape;
} crdi_guide_site;

typedef struct crdi_guide {
    crd_context *ctx;
    crdi_arena *arena;
    crd_model_fn fn; /* the model */
    void *user;
    crd_model_fn hand; /* NULL: none */
    void *hand_user;
    crdi_guide_site *hand_site; /* in alphabetical order */
    int hand_sites;
    const char *left; /* a latent site of the model that the hand-written guide does not have; NULL: there is none */
    crdi_guide_param *param;
    int param_count;
    /* The sites that automatic parts have, with the layout of u; NULL: none is left to them. Its function is `fn` with
     * the hand-written guide's sites held. */
    crd_model *model;
    struct crdi_guide_held *held;
    crdi_guide_part *part;
    int part_count;
    int *part_of; /* by site of `model` */
    int64_t *place; /* by site: where its numbers begin in its part's u */
    int64_t params; /* of all */
    struct crdi_guide_plate {
        const char *name;
        int64_t size, rows;
    } * plate; /* of the model, those of which a run takes some rows */
    int plate_count;
    bool subsampled; /* there are some: the loss has noise whatever the guide */
} crdi_guide;

/* CRD_ENAME names the nearest. */
crd_status crdi_guide_type_find(crd_context *ctx, const char *name, const crdi_guide_type **out);
const crdi_guide_type *crdi_guide_type_get(int i);
const char *crdi_guide_type_help(int i);

/* What a whole guide is made from. */
typedef struct crdi_guide_request {
    crd_model_fn fn; /* the model */
    void *user;
    const char
        *text; /* "normal"; "low_rank_multivariate_normal:5"; "net/X*=normal;s=delta": the first that fits counts. NULL:
                  "normal", or with a guide by hand nothing: it must have all sites */
    crd_model_fn hand;
    void *hand_user;
} crdi_guide_request;

/* Traces model and guide, and checks that they belong together. Owned: crdi_guide_destroy.
 * CRD_ENAME: an unknown family, a pattern without a site, a site of the guide that the model has not; CRD_EMISSING: a site
 * without a guide; CRD_ESHAPE; CRD_EDOMAIN: supports that differ; CRD_EUNSUPPORTED: discrete sites left to a family; what
 * tracing gives. */
crd_status crdi_guide_create(crd_context *ctx, const crdi_guide_request *request, crdi_guide **out);
void crdi_guide_destroy(crdi_guide **guide);

/* Whether all parts are points, nothing is written by hand and nothing subsampled: the loss has no noise. */
bool crdi_guide_is_point(const crdi_guide *guide);
/* Whether draws have a density q with which importance weights can be made: no part is a point. */
bool crdi_guide_has_density(const crdi_guide *guide);
/* Sets params (guide->params) to the start: automatic parts at u (NULL: there are none), others at their initial values. */
void crdi_guide_start(const crdi_guide *guide, const double *u, double init_scale, crd_key key, double *params);

/* ---- hand-written guides and parameters (guide_hand.c) ------------------------------------------------------ */

/* The model's function with the sites of the guide written by hand held at constants: what is left has the layout of u. */
struct crdi_guide_held {
    crd_model_fn fn;
    void *user;
    const crdi_guide *guide;
};
crd_node crdi_guide_held_model(crd_trace *trace, void *held);

/* Finds the sites and parameters of both functions: fills hand_site, left and param (at 0 so far). */
crd_status crdi_guide_discover(crdi_guide *guide);

/* Whether a site of such a guide can stand for that of the model; p NULL: the model has none of its name (guide_match.c). */
crd_status crdi_guide_check_site(crd_context *ctx, const crd_message *q, const crd_message *p);
/* CRD_EUNSUPPORTED: a site of the model that is discrete, or in a plate of which a run takes some rows. */
crd_status crdi_guide_check_automatic(crd_context *ctx, const crd_message *p);

/* ---- what families share ------------------------------------------------------------------------------------- */

/* Standard deviations as softplus of parameters, as NumPyro's AutoNormal has them. */
double crdi_softplus_inverse(double scale);
/* A draw loc + scale eps of independent normals, and its densities. */
crdi_guide_draw crdi_guide_independent(crd_node loc, crd_node scale, crd_node eps);
/* sum of log Normal(eps_i; 0, 1) - extra. */
crd_node crdi_guide_log_noise(crd_node eps, int64_t count, crd_node extra);
/* (n, n) constants. */
crd_node crdi_guide_identity(crd_graph *graph, int64_t n);
crd_node crdi_guide_strictly_lower(crd_graph *graph, int64_t n);

#endif
