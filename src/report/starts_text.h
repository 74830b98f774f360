/* starts_text.h - starts of chains that were trained, in words. */
#ifndef CRDI_REPORT_STARTS_TEXT_H
#define CRDI_REPORT_STARTS_TEXT_H

#include "store/json.h"
#include "store/network_starts.h"

/* A line, or nothing. */
void crdi_starts_lines(crdi_string *out, const crdi_run_starts *starts);
/* A member "starts": a list with one for each chain; or nothing. */
void crdi_starts_json(crdi_json_writer *w, const crdi_run_starts *starts);

#endif
