/* laplace.c - Laplace's approximation: the most probable u (with log |dx/du|: the maximum of the density of u), and there
 * the normal whose precision is minus the curvature of the log density (MacKay 1992). While it is fitted it is a point;
 * then laplace.c of the room above makes it a multivariate_normal. */
#include "infer/svi/guides/point.h"

const crdi_guide_type crdi_guide_laplace = {.name = "laplace",
                                            .point = true,
                                            .jacobian = true,
                                            .fitted = "multivariate_normal",
                                            .params = crdi_point_params,
                                            .noise = crdi_point_noise,
                                            .start = crdi_point_start,
                                            .values = crdi_point_values,
                                            .draw = crdi_point_draw};
