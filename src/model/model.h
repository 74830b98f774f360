/* model.h - traces and models from the inside. */
#ifndef CRDI_MODEL_H
#define CRDI_MODEL_H

#include <credence/handler.h>
#include <credence/model.h>
#include "base/base.h"
#include "graph/graph.h"

enum { CRDI_MAX_PLATES = CRD_MAX_DIMS };

/* A plate that is entered now. */
struct crdi_plate {
    crd_plate_info *info;
    int dim; /* chosen: -1, -2, ...; 0: none */
    crd_where where; /* it was entered */
};

/* Rows that a plate takes, whatever it was entered with. */
typedef struct crdi_plate_batch {
    const char *plate; /* NULL: no plate is meant */
    int64_t rows;
    crd_node row; /* (rows) their numbers */
} crdi_plate_batch;

struct crd_trace {
    crd_context *ctx;
    crd_graph *graph;
    bool borrowed_graph;
    crdi_arena *arena; /* names, recorded messages, plates */
    crd_handler **handler; /* the outermost first */
    int64_t handler_count, handler_capacity;
    crd_message **site;
    int64_t site_count, site_capacity;
    crd_plate_info **known_plate; /* all that were ever entered */
    int64_t known_plate_count, known_plate_capacity;
    struct crdi_plate plate[CRDI_MAX_PLATES];
    int plate_count;
    crdi_plate_batch batch;
    crd_node log_density; /* of all sites and factors so far */
    crd_node log_prior, log_likelihood; /* its parts: of latent sites; of observed ones and factors */
    crd_status status; /* of the first failure */
};

/* ---- messages (trace.c) ------------------------------------------------------------------------------------- */

bool crdi_trace_failed(const crd_trace *t);
crd_node crdi_trace_bad(const crd_trace *t);
/* Sends a message through the handlers below number `level`, records it, and returns its value. */
crd_node crdi_trace_send(crd_trace *t, crd_message *m, int64_t level);
/* Checks the distribution of a sample message, and sets its batch and shape from it and, if `plates`, those around. */
bool crdi_check_dist(crd_trace *t, crd_message *m, bool plates);

/* ---- plates (plate.c) --------------------------------------------------------------------------------------- */

/* The shape that the plates around a statement make of a batch shape. False: the trace has failed. */
bool crdi_plated_shape(crd_trace *t, const char *name, crd_shape batch, crd_shape *out, crd_where where);
/* The plate that an axis of a plated shape belongs to; NULL if to none. */
const crd_plate_info *crdi_plate_of_axis(const crd_trace *t, crd_shape batch, int axis);
/* 0, 1, ... as a constant. */
crd_node crdi_first_rows(crd_trace *t, int64_t rows);
/* Notes the plates in a message, and scales it by their subsamples. */
void crdi_plate_message(const crd_trace *t, crd_message *m);

/* ---- densities (density.c) ---------------------------------------------------------------------------------- */

/* Checks that the observed values that are known now are possible. */
bool crdi_check_observed(crd_trace *t, const crd_message *m);
/* Sets log_prob and log_density of a message, and adds to the trace's. */
void crdi_add_density(crd_trace *t, crd_message *m);

/* ---- models ------------------------------------------------------------------------------------------------- */

struct crd_model {
    crd_context *ctx;
    crd_model_fn fn;
    void *user;
    crdi_arena *arena; /* names of sites */
    crd_site *site;
    int site_count;
    crd_site *observed;
    int observed_count;
    int64_t dim;
    crd_program *density;
};

bool crdi_is_latent(const crd_message *m);
/* The values of the model's latent sites in a trace, in the model's order. */
void crdi_model_values(const crd_model *model, const crd_trace *trace, crd_node *out);
/* The values of named sites of a trace. */
crd_status crdi_find_sites(crd_context *ctx, const crd_trace *trace, const char *const *names, int count,
                           bool deterministic, crd_shape *shapes, crd_node *out);
/* A program of the model run forwards, as crd_model_compile_predictive's: its input is a key (2) and the latent sites. `outputs`
 * makes its `count` outputs from the trace, in which what was observed has been drawn. */
typedef crd_status (*crdi_outputs_fn)(void *user, crd_trace *trace, crd_node key, crd_node *out);
crd_status crdi_model_compile_forwards(const crd_model *model, void *user, crdi_outputs_fn outputs, void *outputs_user,
                                       int count, crd_program **out);
/* A program of the tempered log density: (u, beta) -> log prior + beta log likelihood, its gradient in u, the log prior, which has
 * the bijections' log |dx/du| in it, and the log likelihood: that of observed sites and factors. The first are
 * coordinates (crdi_program_coordinates). CRD_EUNSUPPORTED names a latent site whose density is no prior that draws are made from. */
crd_status crdi_model_compile_tempered(const crd_model *model, crd_program **out);
/* The number of a latent site; -1: there is none of this name. */
int crdi_model_find(const crd_model *model, const char *name);

/* ---- handlers ----------------------------------------------------------------------------------------------- */

/* Whether a name is one of the patterns between commas; NULL: all are. */
bool crdi_names_match(const char *patterns, const char *name);
/* Fails a run if a value of crd_lookup_values was not asked for. */
void crdi_check_used(crd_trace *t, const char *handler, crd_lookup_fn lookup, const void *user);

#endif
