/* prior_form.h - reading one prior. */
#ifndef CRDI_PRIOR_FORM_H
#define CRDI_PRIOR_FORM_H

#include "nn/nn.h"

/* "normal:0,1", "fan_in(normal:0,1)", "ard:half_cauchy:1". False after a failure, which the trace keeps: CRD_EPRIOR, or what
 * crd_dist_parse says. What is read lives as long as the trace. */
bool crdi_prior_read(crd_trace *trace, const char *text, crd_where where, crdi_prior_term *out);

/* Whether a rule has just this name, and no pattern. */
bool crdi_prior_names(const crd_prior *prior, const char *name);

#endif
