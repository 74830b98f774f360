/* delta.c - a point: u = parameters, log q = 0. The loss is then -log p(x, y) without log |dx/du|: its minimum is the
 * most probable point on the values' own scale, as with NumPyro's AutoDelta. */
#include "infer/svi/guides/point.h"

const crdi_guide_type crdi_guide_delta = {.name = "delta",
                                          .point = true,
                                          .params = crdi_point_params,
                                          .noise = crdi_point_noise,
                                          .start = crdi_point_start,
                                          .values = crdi_point_values,
                                          .draw = crdi_point_draw};
