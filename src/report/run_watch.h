/* run_watch.h - how a run that is being written is coming along, from its file alone: what `credence watch` shows. */
#ifndef CRDI_REPORT_RUN_WATCH_H
#define CRDI_REPORT_RUN_WATCH_H

#include "report/progress.h"
#include "report/run_summary.h"

typedef enum crdi_watch_state {
    CRDI_WATCH_RUNNING, /* somebody writes it */
    CRDI_WATCH_KILLED, /* it says that it runs, and nobody writes it */
    CRDI_WATCH_ENDED
} crdi_watch_state;

/* The last draws of an element, each chain's own. */
typedef struct crdi_watch_trace {
    const char *label;
    int64_t points; /* draws of a chain at most */
    int64_t *count; /* (chains) that there are */
    double *value; /* (chains, points) */
} crdi_watch_trace;

/* A moment of a run. What it takes to know how fast it is stands in the moment before. */
typedef struct crdi_run_watch {
    crd_context *ctx;
    crdi_arena *arena; /* texts and arrays */
    const char *path, *method, *status, *started, *network, *rule, *ending; /* "" where not known */
    crdi_watch_state state;
    bool resumable; /* if it does not run */
    bool fit; /* made in steps: no chains but restarts or members */
    bool particles; /* runs of particles behind a pilot run: iterations are temperatures */
    double at; /* when this was read: crdi_seconds */
    double seconds; /* that the run has taken so far */
    int chains;
    crdi_chain_progress *chain; /* (chains) */
    int64_t *draws; /* (chains) in the file */
    int64_t asked; /* draws a chain; -1: not known */
    double speed; /* iterations or steps a second, of all together; NaN: not known */
    double
        seconds_left; /* until all are done, those that wait for a thread counted; NaN: not known, or it does not run */
    crdi_run_summary *summary; /* NULL: there are no draws yet, or it was not asked for */
    int traces;
    crdi_watch_trace *trace; /* (traces) */
} crdi_run_watch;

typedef struct crdi_watch_request {
    const char *path;
    const char *const *site; /* (sites) patterns of what is traced; none: s, where there is one */
    int64_t sites;
    int64_t points; /* draws of a trace at most; 0: no traces */
    bool summary; /* to be made anew; else that of the moment before is taken over */
    crdi_run_watch *before; /* NULL: this is the first. Its summary is taken from it */
} crdi_watch_request;

enum { CRDI_WATCH_TRACES = 8 };

/* Reads the file, and closes it again. A run that waits to replace an older file is read where it is made (PATH.part).
 * CRD_EMISSING: no such file; CRD_ENAME: a pattern matches nothing; errors of reading. */
crd_status crdi_run_watch_make(crd_context *ctx, const crdi_watch_request *request, crdi_run_watch **out);
void crdi_run_watch_destroy(crdi_run_watch **watch);

/* ---- in words (run_watch_text.c) ---- */

/* All that is known, as lines of at most `width` columns and at most `height` (0: any number); `live`: chains with bars. */
crd_status crdi_run_watch_block(crdi_string *out, const crdi_run_watch *watch, int width, int height, bool live);
/* One line: for files and pipes, again and again. */
crd_status crdi_run_watch_line(crdi_string *out, const crdi_run_watch *watch);
crd_status crdi_run_watch_json(crdi_string *out, const crdi_run_watch *watch);
/* How it ended, or that it was killed and what to do; nothing while it runs. */
crd_status crdi_run_watch_end(crdi_string *out, const crdi_run_watch *watch);
/* The means of `points` numbers in at most `width` parts, drawn between `low` and `high`; `blocks`: as bars of UTF-8, else as
 * digits 0 to 7. What is no number is a question mark. */
void crdi_sparkline(crdi_string *out, const double *value, int64_t points, int width, double low, double high,
                    bool blocks);

#endif
