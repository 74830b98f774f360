/* prediction_sets.h - predictions with conformal intervals and sets. */
#ifndef CRDI_REPORT_PREDICTION_SETS_H
#define CRDI_REPORT_PREDICTION_SETS_H

#include "report/calibration.h"
#include "report/prediction.h"

/* Adds to a prediction of all draws, of the rows x of the request, the intervals round the mean of y or the sets of classes that cover
 * with that probability. Cost: for numbers another prediction. */
crd_status crdi_prediction_add_sets(crdi_prediction *prediction, const crdi_outlook_request *request,
                                    const crdi_calibration *calibration, double coverage);

#endif
