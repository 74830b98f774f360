/* likelihood.h - what the network of the command line says about y. */
#ifndef CRDI_LIKELIHOOD_H
#define CRDI_LIKELIHOOD_H

#include <credence/nn.h>
#include <stdbool.h>

/* What y is. */
typedef enum crdi_outcome {
    CRDI_OUTCOME_NUMBER, /* f is its middle */
    CRDI_OUTCOME_COUNT, /* exp(f) is its mean */
    CRDI_OUTCOME_CLASS /* f has logits: of the second of two classes, or one for each */
} crdi_outcome;

typedef struct crdi_likelihood {
    const char *name, *dist, *what;
    crdi_outcome outcome;
    bool noisy; /* y has a standard deviation or scale s */
    /* The distribution of y for the network's outputs f and, where it has noise, s. Samples what else it needs. */
    crd_dist (*make)(crd_trace *trace, const crd_network *network, const crd_dist_type *type, crd_node f, crd_node s);
} crdi_likelihood;

/* By name; NULL means normal. NULL with CRD_ENAME raised for an unknown one. */
const crdi_likelihood *crdi_likelihood_find(crd_context *ctx, const char *name);
/* Whether the network has a second output, the noise. */
bool crdi_network_heteroscedastic(const crd_network *network);
/* Whether it is trained without priors. */
bool crdi_network_plain(const crd_network *network);
/* Whether its loss is the squared error: s is then no parameter of the fit, but comes from the residuals. */
bool crdi_network_squares(const crd_network *network);
/* What the loss of plain training is: "squared error", "cross-entropy", "minus log likelihood". */
const char *crdi_network_loss_name(const crd_network *network);
/* The sum of the class weights of all rows; their number without weights. */
double crdi_network_weight(const crd_network *network);
/* Columns of y, at least 1. */
int64_t crdi_network_targets(const crd_network *network);
/* Numbers a row of f: the classes of a categorical one, else the targets. */
int64_t crdi_network_width(const crd_network *network);

#endif
