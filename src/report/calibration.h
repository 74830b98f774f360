/* calibration.h - what rows that the fit did not see teach about a run's predictions: a temperature, or conformal limits. */
#ifndef CRDI_REPORT_CALIBRATION_H
#define CRDI_REPORT_CALIBRATION_H

#include "report/outlook.h"

typedef enum crdi_conformal {
    CRDI_CONFORMAL_NONE = 0,
    CRDI_CONFORMAL_ABSOLUTE, /* numbers: |y - mean| */
    CRDI_CONFORMAL_NORMALISED, /* numbers: |y - mean| / predictive sd */
    CRDI_CONFORMAL_PROBABILITY, /* classes: 1 - p */
    CRDI_CONFORMAL_ADAPTIVE /* classes: the probability of all that are as likely or likelier */
} crdi_conformal;

typedef struct crdi_calibration {
    crd_context *ctx;
    double temperature, temperature_se; /* 1 and NaN unless fitted */
    crdi_conformal conformal;
    int64_t rows, targets;
    double *sorted; /* (targets, rows) scores of the calibration rows */
} crdi_calibration;

/* "none", "temperature", "conformal"; score: "auto", "absolute", "normalised", "probability", "adaptive". x and y of the request are the
 * calibration rows.
 *
 * The temperature T makes p_k^(1/T) / sum of these of the mean probabilities p, the draws pooled first (Guo, Pleiss, Sun & Weinberger
 * 2017, arXiv:1706.04599, sec. 4.2; Rahaman & Thiery 2021, arXiv:2007.08792, why pooled first), and maximises the density of the
 * calibration rows, which is concave in 1/T, between 1/32 and 32; its error is from the curvature there. Cost: a prediction of the rows.
 * CRD_EUNSUPPORTED: a temperature for numbers, a score that is not of the target's kind. */
crd_status crdi_calibration_make(const crdi_outlook_request *request, const char *method, const char *score,
                                 crdi_calibration **out);
void crdi_calibration_destroy(crdi_calibration **calibration);

/* Applies the temperature to logs of mean probabilities [classes], in place. NULL: nothing. */
void crdi_calibration_soften(const crdi_calibration *calibration, double *log_p, int64_t classes);

/* How far scores of a target may go for a coverage; infinity where there are too few calibration rows. */
double crdi_calibration_limit(const crdi_calibration *calibration, int64_t target, double coverage);
/* Half the width of the interval round the mean of a prediction of that variance. */
double crdi_calibration_half_width(const crdi_calibration *calibration, double limit, double variance);
/* Whether a class is in the set. */
bool crdi_calibration_in_set(const crdi_calibration *calibration, double limit, const double *probability,
                             int64_t classes, int64_t k);

#endif
