/* run_report_impl.h - shared by the files run_report*.c. */
#ifndef CRDI_REPORT_RUN_REPORT_IMPL_H
#define CRDI_REPORT_RUN_REPORT_IMPL_H

#include "report/html.h"
#include "report/run_figure.h"
#include "report/run_loo.h"
#include "report/run_report.h"
#include "report/run_summary.h"

struct report {
    crd_context *ctx;
    crdi_network_run *net;
    crdi_network_run *again; /* the same file: its draws may be in canonical form, those of `net` are as asked for */
    const crdi_run_report_options *o;
    crdi_arena *arena;
    crdi_html html;
    crdi_string notes; /* HTML: items of a list */
    const char *name, *method, *status; /* of the run; "" where the file does not say */
    bool alive; /* it is being written */
    crdi_run_part part;
    int64_t *drawn; /* by chain */
    bool has_draws;
    crdi_run_summary *summary; /* these NULL without draws */
    crdi_diagnosis *diagnosis;
    const crdi_diagnostic_row *quality; /* by row of the summary; NULL for draws that are independent */
    crdi_run_loo *loo; /* NULL: none */
};

/* Sections, in the page's order: each opens and closes its own element. */
crd_status crdi_report_verdict(struct report *r);
crd_status crdi_report_run(struct report *r);
crd_status crdi_report_predictions(struct report *r);
crd_status crdi_report_diagnostics(struct report *r);
crd_status crdi_report_parameters(struct report *r);

/* Computes leave-one-out where it applies; the verdict's figures show it. */
crd_status crdi_report_find_loo(struct report *r);

/* Tells who waits. */
void crdi_report_step(const struct report *r, const char *what);
/* A text in the report's arena. NULL with CRD_ENOMEM raised, which ends the report in the end. */
#define crdi_report_print(r, ...) crdi_arena_printf((r)->arena, __VA_ARGS__)
/* Adds an item to the notes. */
void crdi_report_note(struct report *r, const char *text);
/* What a run has no answer to is said in the notes, and CRD_OK returned; other failures stay. */
crd_status crdi_report_forgive(struct report *r, const char *what, crd_status status);
/* A figure of `credence plot`; one that cannot be made is a note. */
crd_status crdi_report_figure(struct report *r, const char *figure, const crdi_run_figure_options *options,
                              const char *caption, const char *about);
/* Opens a section with its heading. */
void crdi_report_open(struct report *r, const char *id, const char *heading);
void crdi_report_close(struct report *r);

#endif
