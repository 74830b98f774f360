/* laplace_text.h - how a Laplace approximation went, in words. */
#ifndef CRDI_REPORT_LAPLACE_TEXT_H
#define CRDI_REPORT_LAPLACE_TEXT_H

#include "store/json.h"
#include "store/network_laplace.h"

/* Search, form, settings by the evidence, the evidence: a line each. */
void crdi_laplace_lines(crdi_string *out, const crdi_laplace_record *record);
void crdi_laplace_json(crdi_json_writer *w, const crdi_laplace_record *record);
/* Lines "note: ..." for what speaks against it, with what to try. */
void crdi_laplace_notes(crdi_string *out, const crdi_laplace_record *record);

#endif
