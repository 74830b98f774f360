/* run_function.h - diagnostics in function space: of what a network says, not of weights that can say it in many ways. */
#ifndef CRDI_REPORT_RUN_FUNCTION_H
#define CRDI_REPORT_RUN_FUNCTION_H

#include "store/network_run.h"

/* One number that each draw has: an output at an input, or the log likelihood of a row. Classes: outputs are the
 * logarithms of their probabilities, as a common shift of all outputs changes nothing. */
typedef struct crdi_function_number {
    int64_t row; /* of the data, or of the probes */
    int64_t output; /* 0, or the class or target */
    double sd; /* over all draws; of f in the target's own units */
    double r_hat; /* rank-normalised; of one chain split_gelman_rubin. NaN: it does not vary, or is not finite */
    double ess_bulk, ess_tail;
    double between, drift; /* crd_diag_take_apart */
} crdi_function_number;

typedef enum crdi_function_place {
    CRDI_F_AT_DATA, /* at rows of the fit */
    CRDI_F_OUTSIDE, /* at probes: inputs outside the data */
    CRDI_LIKELIHOOD, /* log p(y) of these rows */
    CRDI_FUNCTION_PLACES
} crdi_function_place;

typedef struct crdi_function_part {
    int64_t count;
    crdi_function_number *number; /* (count) by row, then output */
    double *chain_mean; /* (count, chains), in the target's own units */
    /* Of those that are numbers: */
    const crdi_function_number *worst; /* largest r_hat; NULL: none is a number */
    int64_t above_101, above_105; /* r_hat */
    double ess_bulk, ess_tail; /* least; NaN: there is none */
    double between[2], drift[2]; /* median and largest */
} crdi_function_part;

typedef struct crdi_function_space {
    crd_context *ctx;
    int chains;
    int64_t draws; /* a chain */
    int64_t rows, rows_used; /* of the fit; spread evenly where not all are used */
    int64_t outputs;
    crd_array probes; /* (probes, features) as the network sees them */
    crdi_function_part part[CRDI_FUNCTION_PLACES];
} crdi_function_space;

typedef struct crdi_function_request {
    int64_t rows; /* of the fit to use at most; 0: all */
    const crd_array *probes; /* prepared by the run's recipe, borrowed; NULL: made as crdi_run_probes says */
    int threads;
    bool only_f; /* no log likelihood */
} crdi_function_request;

/* Rows go through the network in blocks, so that memory is bounded (by_row.h). Cost a number: three sorts and two
 * Fourier transforms of all draws. CRD_EMISSING: no draws; CRD_EUNSUPPORTED: a model written in C. */
crd_status crdi_run_function_space(const crdi_network_run *net, const crdi_function_request *request,
                                   crdi_function_space **out);
void crdi_function_space_destroy(crdi_function_space **space);

enum { CRDI_PROBES = 96, CRDI_PROBES_EACH = 6 };
/* Inputs outside the data: the row of the fit that is nearest to the median of all, with one numerical input moved below its
 * least and above its greatest value by 1/4, 1/2 and once its range. More than CRDI_PROBES / CRDI_PROBES_EACH inputs: some,
 * spread evenly. Without numerical inputs none. */
crd_status crdi_run_probes(const crdi_network_run *net, crd_array *out);

/* Appends where a number stands, in the table's own units: "row 3 (x = 0.2)", "x = -1.5"; of several outputs with the
 * class or the target. At most `most` inputs are named. */
void crdi_function_where(crdi_string *out, const crdi_network_run *net, const crdi_function_space *space,
                         crdi_function_place place, const crdi_function_number *number, int most);

#endif
