/* nn.h - modules and priors from the inside. */
#ifndef CRDI_NN_H
#define CRDI_NN_H

#include <credence/nn.h>
#include "model/model.h"

/* ---- modules ------------------------------------------------------------------------------------------------- */

/* Memory of a module, owned by the trace; NULL (CRD_ENOMEM) with the trace failed. The module is its first member. */
void *crdi_module_alloc(crd_trace *trace, size_t size, crd_node (*apply)(const crd_module *, crd_scope *, crd_node));
static inline crd_node crdi_bad(const crd_scope *scope)
{
    return (crd_node){scope->trace->graph, -1, 0};
}
/* Copies a window after its numbers are checked; false after a failure. */
bool crdi_window_check(crd_trace *trace, const crd_window *window, const char *what, crd_where where);
/* The last extent; fails the scope's trace if there is none before it ("a dense layer needs ..."). */
bool crdi_features(crd_scope *scope, crd_node x, const char *what, int64_t *out);

/* x K + b for x (..., in); kernel and bias are the parameters of Dense_N. */
crd_node crdi_dense(crd_scope *scope, crd_node x, int64_t units);
/* An activation that applies to what a transposition holds, so that arrays stay (features, rows) between layers. */
crd_node crdi_activate(crd_scope *scope, const char *activation, crd_node x);

/* The module of the command line's network; NULL with the trace failed. */
const crd_module *crdi_network_module(crd_trace *trace, const crd_network *network);

/* ---- priors -------------------------------------------------------------------------------------------------- */

typedef struct crdi_prior_term crdi_prior_term;

/* One parameter that wants its prior. */
typedef struct crdi_prior_request {
    crd_trace *trace;
    crd_where where;
    const char *module; /* "net" */
    const char *path; /* "net/Dense_0.kernel" */
    crd_shape shape;
    int64_t fan_in;
    double factor; /* of the value: from fan_in() */
    bool noncentered;
} crdi_prior_request;

/* A form of priors: src/nn/priors/NAME.c. */
typedef struct crdi_prior_form {
    const char *name;
    bool scales; /* it has scales of its own, so that it can be non-centred */
    int numbers; /* numbers in its argument */
    bool named; /* its argument begins with a name */
    bool nested; /* its argument is a prior; else, without numbers, a distribution of positive numbers */
    crd_node (*draw)(const crdi_prior_term *term, crdi_prior_request *request);
} crdi_prior_form;

/* A prior as read: a form and its argument. form NULL: the distribution itself. */
struct crdi_prior_term {
    const crdi_prior_form *form;
    const char *text; /* as typed */
    const char *name; /* of a named form */
    crd_dist dist;
    double number[3];
    const crdi_prior_term *inner; /* of a nested form */
};

crd_node crdi_prior_draw(const crdi_prior_term *term, crdi_prior_request *request);
/* w ~ normal(0, factor scale) of the request's shape, centred or not; scale broadcasts to it. */
crd_node crdi_prior_normal(crdi_prior_request *request, crd_node scale);
/* Samples PATH.SUFFIX. */
crd_node crdi_prior_sample(crdi_prior_request *request, const char *suffix, crd_dist dist);

/* The prior of a recorded sample site as it is typed, "normal:0,1"; a parameter that is computed from other sites is said
 * by their names: "normal:0,f(net/Dense_0.kernel.scale)". */
void crdi_prior_text(const crd_trace *trace, const crd_message *site, crdi_string *out);

#endif
