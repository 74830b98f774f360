/* posterior_check.c - the figure "posterior_check": data that the fit makes up beside the data, and their means and sds.
 * Source: Gelman, Meng & Stern 1996, Statistica Sinica 6; Gabry et al. 2019, doi:10.1111/rssa.12378, sec. 5. */
#include "report/check_panels.h"

crd_status crdi_figure_posterior_check(crdi_figure **out, crd_context *ctx, const crdi_figure_source *source)
{
    return crdi_figure_checks(out, ctx, source, "posterior_check", false);
}
