/* network_run.h - the run file of a network from the command line: what describes it, written and read again.
 *
 * Such a file holds all that predictions and figures need: the network's settings, the recipe that prepares data, and the
 * data. The run of a model that was written in C holds its name and its columns only; what works without the model
 * (summary, export, traces) works on it too. Entries are listed in docs/dev/run_file.md. */
#ifndef CRDI_NETWORK_RUN_H
#define CRDI_NETWORK_RUN_H

#include <credence/dataset.h>
#include <credence/nn.h>
#include "store/run.h"

/* ---- writing (network_run_write.c) -------------------------------------------------------------------------- */

typedef struct crdi_network_description {
    const crd_network *network; /* its settings, x and y */
    const crd_recipe *recipe;
    const char *data_name, *data_sha256;
    const char *options; /* JSON: every option of the run */
    const char *method; /* "nuts" */
    int64_t seed, warmup, draws; /* asked for, a chain */
} crdi_network_description;

/* Sets the entries and arrays of a run that was created and not begun. */
crd_status crdi_network_run_describe(crdi_run *run, const crdi_network_description *description);

/* Sets again what says of the network's settings, where a fit has changed them: entries "network" and "priors". */
crd_status crdi_network_run_settings(crdi_run *run, const crd_recipe *recipe, const crd_network *network);

/* The prior of every site, resolved. As text: a line a distribution with the sites that have it ("normal:0,1 on
 * net/Dense_0.bias (10), ..."), `indent` blanks before all but the first line; as JSON: an array of site, shape, prior. */
crd_status crdi_network_priors_text(crd_context *ctx, const crd_network *network, int indent, crdi_string *out);
crd_status crdi_network_priors_json(crd_context *ctx, const crd_network *network, crdi_string *out);

/* ---- reading (network_run_read.c) --------------------------------------------------------------------------- */

typedef struct crdi_network_run {
    crd_context *ctx;
    char *path;
    crd_run *run;
    char *model; /* "network", or the name of a model written in C; "" if the file does not say */
    bool is_network; /* the rest is there */
    crdi_arena *arena;
    crd_network network; /* with the data of the fit */
    int64_t weights; /* class weights that the file has */
    crd_array x, y;
    crd_array
        laplace_map; /* of a Laplace approximation: its most probable weights, which the network is linear about */
    crd_recipe *recipe;
} crdi_network_run;

/* Opens any run file; is_network says whether the command line made it. Errors as crd_run_open; CRD_EDAMAGED for a
 * description that contradicts itself. */
crd_status crdi_network_run_open(crd_context *ctx, const char *path, crdi_network_run **out);
void crdi_network_run_close(crdi_network_run **net);
/* Whether f is the network's first-order expansion about the most probable weights (linear, the default of a run that has them) or
 * what the network says at the draws. CRD_EINVAL: linear is asked for, and the run is no Laplace approximation. */
crd_status crdi_network_run_linear(crdi_network_run *net, bool linear);
/* CRD_EUNSUPPORTED for a model written in C: `what` ("predictions") goes through the program that has it. */
crd_status crdi_network_run_need(const crdi_network_run *net, const char *what);
/* Compiles the model again and checks that the file's columns are its sites. It borrows from net. */
crd_status crdi_network_run_model(const crdi_network_run *net, crd_model **out);

/* ---- draws that go together, element by element (run_elements.c) -------------------------------------------- */

/* Chains and a number of draws that each of them has. A run that was stopped may have chains that are shorter than
 * others, or never began: of all cuts this is the one that uses most draws. For a complete run it is all. */
typedef struct crdi_run_part {
    int chains; /* used; 0: there are no draws at all */
    int *chain; /* (chains), owned */
    int64_t draws; /* of each */
} crdi_run_part;
crd_status crdi_run_part_find(crd_context *ctx, crd_run *run, crdi_run_part *out);
void crdi_run_part_clear(crd_context *ctx, crdi_run_part *part);

/* The draws of elements first .. first + count - 1 of a column, each element as (chains, draws) of the part:
 * (count, chains, draws). Reads in pieces: memory beyond `out` stays below 8 MiB, or one draw. */
crd_status crdi_run_read_elements(crd_context *ctx, crd_run *run, const crd_column *column, const crdi_run_part *part,
                                  int64_t first, int64_t count, double *out);

#endif
