/* prior_check.c - the figure "prior_check": data that the prior makes up beside the data. A prior that rules the data out, or that makes
 * up what cannot be, shows before any sampling. Source: Gabry et al. 2019, doi:10.1111/rssa.12378, sec. 3. */
#include "report/check_panels.h"

crd_status crdi_figure_prior_check(crdi_figure **out, crd_context *ctx, const crdi_figure_source *source)
{
    return crdi_figure_checks(out, ctx, source, "prior_check", true);
}
