/* variational.h - how a variational fit went, in words. */
#ifndef CRDI_REPORT_VARIATIONAL_H
#define CRDI_REPORT_VARIATIONAL_H

#include "store/json.h"
#include "store/network_svi.h"

/* Guide, steps, loss with its parts, bound, k_hat: a line each. */
void crdi_variational_lines(crdi_string *out, const crdi_variational *v);
void crdi_variational_json(crdi_json_writer *w, const crdi_variational *v);
/* Lines "note: ..." for what speaks against the guide, with what to try. */
void crdi_variational_notes(crdi_string *out, const crdi_variational *v);

#endif
