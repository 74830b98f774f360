/* linearised.h - what predictions of a Laplace approximation have in closed form. */
#ifndef CRDI_REPORT_LINEARISED_H
#define CRDI_REPORT_LINEARISED_H

#include "report/prediction.h"

/* Probabilities of classes whose logits f are normal with a variance, (outputs, outputs): p (classes), for two classes of one
 * logit, which is that of the second. MacKay's (1992) sigmoid(f / sqrt(1 + pi v / 8)); for more classes the same for every
 * pair, p_k ~ 1 / sum over j of exp(-(f_k - f_j) / sqrt(1 + pi v_kj / 8)) with v_kj the variance of f_k - f_j (Lu, Ie & Sha
 * 2020, arXiv:2006.07584, eq. 9), made to sum to 1. */
void crdi_probit_probabilities(const double *f, const double *variance, int64_t outputs, double *p);

/* Overwrites in a prediction of a run that is linear in its weights what does not need draws: for numbers mean, sd and all quantiles; for
 * classes with request->probit the probabilities and their entropy. */
crd_status crdi_linearised_apply(const crdi_network_run *net, const crdi_prediction_request *request,
                                 crdi_prediction *out);

#endif
