/* run_site.h - sites of a run as a user names them: a name, one element of it, or a pattern for either. */
#ifndef CRDI_REPORT_RUN_SITE_H
#define CRDI_REPORT_RUN_SITE_H

#include "store/network_run.h"

/* Whether a pattern ("net/Dense_0.*", "s", "net/Dense_1.kernel[0,0]") means this element, whose label is given. Statistics
 * of the sampler are meant by their whole name only. */
bool crdi_run_site_is(const char *pattern, const crd_column *column, const char *label);

/* For a pattern that means nothing: CRD_ENAME, with the nearest name, the shape of an element that is not there, or the
 * option that would have kept f. */
crd_status crdi_run_raise_unknown_site(const crdi_network_run *net, const char *pattern);

#endif
