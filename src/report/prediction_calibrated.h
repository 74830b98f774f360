/* prediction_calibrated.h - predictions that rows held back have corrected: a temperature, conformal intervals and sets. */
#ifndef CRDI_REPORT_PREDICTION_CALIBRATED_H
#define CRDI_REPORT_PREDICTION_CALIBRATED_H

#include "report/calibration.h"
#include "report/prediction.h"

/* Applies a calibration to a prediction of all draws, of the rows x of the request, without quantiles of probabilities. A temperature
 * changes the mean probabilities and their entropy, of which the expected entropy keeps its share; conformal limits add
 * intervals round the mean of y, or sets of classes, that cover with that probability. Cost: for numbers another prediction. */
crd_status crdi_prediction_calibrate(crdi_prediction *prediction, const crdi_outlook_request *request,
                                     const crdi_calibration *calibration, double coverage);

#endif
