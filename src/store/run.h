/* run.h - the run file: how a run writes it, and what reading it offers beyond <credence/run.h>.
 *
 * Writing: create, set what describes the run, begin with the columns, hand crdi_run_sink to the sampler, close.
 * Before begin nothing stands at the path itself. An older file there is replaced in one step, when the first draws are
 * written: a run that is stopped before it has any costs no older file. */
#ifndef CRDI_RUN_H
#define CRDI_RUN_H

#include <credence/run.h>
#include "base/base.h"
#include "infer/sink.h"

/* ---- writing (run_writer.c, run_queue.c) -------------------------------------------------------------------- */

typedef struct crdi_run crdi_run;

/* Bytes that one entry, array or state may have: SQLite's limit of a row, less its head. */
enum { CRDI_RUN_PIECE = 1000000000 - 65536 };

/* How the writer works; zero means the default. */
typedef struct crdi_run_tuning {
    size_t queue_bytes; /* draws that wait at most before a chain is held up; 2 MiB */
    size_t batch_bytes; /* that make a transaction due; 1 MiB */
    double batch_seconds; /* the same, since the first draw that waits; 0.5 */
    bool rollback_journal; /* do without shared memory, whatever the file system */
    bool keep_stopped; /* refuse as without `force` where a run was stopped on its way to this place */
} crdi_run_tuning;

/* Starts a run file. CRD_EEXISTS: there is a file and `force` is false, or another run writes it; CRD_EMISSING: no such
 * directory; CRD_EIO: not writable. tuning: NULL means the defaults. */
crd_status crdi_run_create(crd_context *ctx, const char *path, bool force, crdi_run **out);
crd_status crdi_run_create_tuned(crd_context *ctx, const char *path, bool force, const crdi_run_tuning *tuning,
                                 crdi_run **out);

/* Entries that describe the run; setting a key again replaces it. Possible from create to close; of one key, from one
 * thread. Keys that readers know are listed in docs/dev/run_file.md;
 * those that begin with "continue/", and arrays too, are removed in the step that says that the run is complete. */
crd_status crdi_run_set_text(crdi_run *run, const char *key, const char *text);
crd_status crdi_run_set_number(crdi_run *run, const char *key, double value);
crd_status crdi_run_set_integer(crdi_run *run, const char *key, int64_t value);
crd_status crdi_run_set_blob(crdi_run *run, const char *key, const void *bytes, size_t size);
crd_status crdi_run_unset(crdi_run *run, const char *key); /* CRD_OK too if there is none */
crd_status crdi_run_put_array(crdi_run *run, const char *name, const crd_array *array);
/* Calls set(user), and what it sets by the calls above reaches the file together: a kill leaves all of it or nothing, and so does a
 * failure of `set`, which is returned. It may call nothing else of the run. */
crd_status crdi_run_together(crdi_run *run, crd_status (*set)(void *user), void *user);

/* Declares the columns (their `draws` are ignored), puts the file in its place unless an older one stands there, and
 * starts the writer thread. Once; after a failure only crdi_run_close is left. */
crd_status crdi_run_begin(crdi_run *run, const crd_column *columns, int column_count, int chains);

/* Before begin: so many lanes leave states, if more than chains do: the restarts of a fit. A state of no bytes removes
 * the lane's state. */
void crdi_run_set_lanes(crdi_run *run, int lanes);
/* Before begin, as the tuning's batch_seconds. */
void crdi_run_set_pause(crdi_run *run, double seconds);
/* Whether there is a state in the file, from which one can go on. */
bool crdi_run_has_state(crdi_run *run);

/* ---- writing on (run_resume.c) ---- */

/* Whether a run that was to replace the file, and was stopped before it had draws, stands beside it with a state to go on from; `part`
 * (PATH_MAX bytes) returns where. */
bool crdi_run_has_newer(crd_context *ctx, const char *path, char *part);
/* CRD_EEXISTS if it does: what was stopped is not thrown away unasked. */
crd_status crdi_run_check_newer(crd_context *ctx, const char *path);
/* Takes the lock of a run file that is there, and opens it to write on. If there is a newer run beside it,
 * that is what is opened. Entries may be set from now on.
 * CRD_EMISSING: no such file; CRD_EEXISTS: another run writes it; CRD_EIO: it cannot be written. */
crd_status crdi_run_reopen(crd_context *ctx, const char *path, crdi_run **out);
/* Where it stands, for a reader. */
const char *crdi_run_file(const crdi_run *run);
/* crdi_run_begin for such a run; the columns and chains must be those of the file. Of each chain the first draws[chain] are
 * kept, those after them removed: a state is behind them. In the same transaction `describe` (which may be NULL) is called, to set
 * what the run is asked for now. A newer run beside the file that has draws is put in its place. CRD_EDAMAGED: a chain has fewer. */
crd_status crdi_run_begin_again(crdi_run *run, const crd_column *columns, int column_count, int chains,
                                const int64_t *draws, crd_status (*describe)(void *user), void *user);

/* Behind begin_again, before anything is given to the sink: the gradients that a lane had taken behind its state. false, and `out` stays:
 * the file, of an older version, has the sum alone. */
bool crdi_run_gradients(const crdi_run *run, int lane, int64_t *out);

/* Removes all but the first `draws` draws of every chain; nothing may wait to be written (crdi_run_flush). States are the caller's
 * to set before: a state stands behind the draws that are kept, or is removed. */
crd_status crdi_run_cut(crdi_run *run, int64_t draws);

/* The sink: valid from begin to close. Its calls copy and return; they wait only while the queue is full. */
crdi_sink crdi_run_sink(crdi_run *run);
/* Behind begin, of lanes that are of no use to a complete run: the step that says so replaces the states of all by this one, of lane 0 (a
 * copy); size 0: by none. Until then a kill leaves what one can go on from. */
crd_status crdi_run_set_last_state(crdi_run *run, int64_t iteration, const void *bytes, size_t size);
/* Waits until all that the sink was given is in the file. */
crd_status crdi_run_flush(crdi_run *run);
/* Whether the file stands at its path: from begin on, or, where it replaces another, from the first draws on. */
bool crdi_run_is_placed(crdi_run *run);
/* The largest number of bytes that have waited. */
size_t crdi_run_queue_peak(crdi_run *run);

/* Writes what waits, sets the entry "status" ("complete" for CRD_OK, else "interrupted"), folds the log into the file
 * and frees the run, whatever happens. Returns the first error since create that was not reported. A run that was never
 * begun leaves no trace, nor does one that was to replace a file and came to no draws, unless its outcome is CRD_OK. NULL and a pointer to NULL are accepted. */
crd_status crdi_run_close(crdi_run **run, crd_status outcome);
/* The same; `stands` returns whether the run stands at its path, and not an older file, or one that was put there meanwhile. */
crd_status crdi_run_close_told(crdi_run **run, crd_status outcome, bool *stands);

/* ---- reading (run_reader.c) --------------------------------------------------------------------------------- */

/* Entries; CRD_EMISSING if there is none of this name, CRD_EDAMAGED if it is of another type. Text returns owned. */
crd_status crdi_run_get_text(crd_run *run, const char *key, char **out);
crd_status crdi_run_get_number(crd_run *run, const char *key, double *out);
crd_status crdi_run_get_integer(crd_run *run, const char *key, int64_t *out);
crd_status crdi_run_get_blob(crd_run *run, const char *key, void **out, size_t *size);
/* Whether there is one. Where that cannot be read the answer is false, crdi_run_failure_of returns why, and so does whatever is
 * read next. */
bool crdi_run_has(crd_run *run, const char *key);
crd_status crdi_run_failure_of(const crd_run *run);
crd_status crdi_run_get_array(crd_run *run, const char *name, crd_array *out);

/* Draws first .. first + count - 1 of one chain of a column: (count, *shape). CRD_EDAMAGED if they are not there. */
crd_status crdi_run_read_range(crd_run *run, const crd_column *column, int chain, int64_t first, int64_t count,
                               double *out);
/* From now on the draws that are there when they are first counted are all that there are: what a command says is of one moment,
 * although a writer goes on. Not with crdi_run_limit. */
void crdi_run_moment(crd_run *run);
/* From now on a chain has so many draws, also if a writer adds more: what stands in for some must have them all. */
crd_status crdi_run_hold(crd_run *run, int chain, int64_t draws);
/* From now on draws of a chain of a column are these, (draws, *shape) with as many draws as the file has, instead of those of the
 * file. Takes `values` over, whatever it returns. The file is not changed. */
crd_status crdi_run_stand_in(crd_run *run, const crd_column *column, int chain, double *values);
/* From now on no chain has more than so many draws for who reads this: the others may be cut soon. 0: no limit. */
void crdi_run_limit(crd_run *run, int64_t draws);
/* The first `draws` of every chain: (chains, draws, *shape). */
crd_status crdi_run_read_column(crd_run *run, const crd_column *column, int64_t draws, double *out);
/* How many lanes may have left a state: the greatest number among them and one. */
crd_status crdi_run_count_states(crd_run *run, int *lanes);
/* The last state that a chain left; CRD_EMISSING if it left none. bytes returns owned. */
crd_status crdi_run_read_state(crd_run *run, int chain, int64_t *iteration, void **bytes, size_t *size);

#endif
