/* evidence_text.h - a log evidence, and how it was come to, in words. */
#ifndef CRDI_REPORT_EVIDENCE_TEXT_H
#define CRDI_REPORT_EVIDENCE_TEXT_H

#include "store/json.h"
#include "store/network_tempered.h"

/* The evidence with its error; the temperatures: a line each. */
void crdi_evidence_lines(crdi_string *out, const crd_evidence *evidence);
/* A member "evidence". */
void crdi_evidence_json(crdi_json_writer *w, const crd_evidence *evidence);
/* Whether its particles came late to the posterior: its lag is above 0 by more than the runs' scatter explains in 39 of 40 cases. */
bool crdi_evidence_comes_late(const crd_evidence *evidence);
/* Lines "note: ...; try ..." for what speaks against it. `method`: smc, ais or tempering. */
void crdi_evidence_notes(crdi_string *out, const crd_evidence *evidence, const char *method);
/* "-19.44 +- 0.012": as many digits as the error has two of. */
void crdi_evidence_number(crdi_string *out, double log_evidence, double error);
/* A number with as many digits as that error has a use for. */
void crdi_evidence_digits(crdi_string *out, double value, double error);

#endif
