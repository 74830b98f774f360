/* model_check.h - a network's model before it is fitted: its sites and what its priors predict. */
#ifndef CRDI_REPORT_MODEL_CHECK_H
#define CRDI_REPORT_MODEL_CHECK_H

#include <credence/dataset.h>
#include <credence/nn.h>
#include "base/base.h"

typedef struct crdi_model_check_request {
    const crd_network *network; /* the settings; x and y come from the data set */
    const crd_dataset *dataset;
    int draws; /* from the prior; of a model of many parameters fewer: as many as make thirty million numbers, at least 100 */
    crd_key key;
    bool json;
    const char *plan, *plan_rule; /* members of the JSON; NULL: none */
} crdi_model_check_request;

/* Appends the resolved model: a line a site (shape, support, prior), the number of parameters, and quantiles over draws from
 * the prior, at up to 500 rows of the data spread evenly, of f and y in the target's units beside those of the target (of each, if there are several).
 * Errors: what crd_model_create says. */
crd_status crdi_model_check(crd_context *ctx, const crdi_model_check_request *request, crdi_string *out);

#endif
