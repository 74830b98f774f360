/* hessian_last_layer.c - the whole matrix of the last layer's weights, those before it held: a linear model of the features that
 * the hidden layers make (Snoek et al. 2015; Kristiadi, Hein & Hennig 2020). */
#include "infer/laplace/full.h"

const crdi_hessian_type crdi_hessian_last_layer = {.name = "last_layer",
                                                   .last_layer = true,
                                                   .create = crdi_full_create,
                                                   .begin = crdi_full_begin,
                                                   .add = crdi_full_add,
                                                   .end = crdi_full_end,
                                                   .solve = crdi_full_solve,
                                                   .draw = crdi_full_draw,
                                                   .whiten = crdi_full_whiten,
                                                   .unwhiten = crdi_full_unwhiten,
                                                   .variance = crdi_full_variance};
