/* comparison.h - several runs' scores on the same rows, and how they differ. */
#ifndef CRDI_REPORT_COMPARISON_H
#define CRDI_REPORT_COMPARISON_H

#include "report/bayes_factor.h"
#include "report/evaluation.h"

/* One run; all borrowed. */
typedef struct crdi_compared {
    const char *name;
    const crdi_evaluation *evaluation;
    const crdi_scores *scores;
} crdi_compared;

/* Runs can be compared if their targets have the same names and kind, and the rows the same values of them: CRD_EDATA says where they
 * differ. */
crd_status crdi_comparison_same_rows(const crdi_compared *a, const crdi_compared *b);

/* The scores of all, and the differences of the second and later ones from the first, with the standard errors that
 * crd_score_difference gives. Scores that not all have are left out. CSV and JSON: a row a run and score. Behind them the evidences,
 * where the runs have some. `run` NULL: those alone. */
crd_status crdi_comparison_text(crdi_string *out, const crdi_compared *run, int count, const crdi_bayes *bayes);
crd_status crdi_comparison_csv(crdi_string *out, const crdi_compared *run, int count, const crdi_bayes *bayes);
crd_status crdi_comparison_json(crdi_string *out, const crdi_compared *run, int count, const crdi_bayes *bayes);

#endif
