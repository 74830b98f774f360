/* run_impl.h - the struct behind a run file that is being written, for run_writer.c and run_queue.c only. */
#ifndef CRDI_RUN_IMPL_H
#define CRDI_RUN_IMPL_H

#include "store/run.h"
#include "store/run_format.h"
#include "store/sqlite.h"

#include <pthread.h>
#include <sys/types.h>

/* What a chain has taken until its state. */
struct crdi_run_cost {
    double warmup_seconds, sampling_seconds, gradient_seconds;
    int64_t gradient_evaluations;
    bool has_loss; /* of a fit in steps, and what it was: not what it costs, but it comes the same way */
    double loss;
};

/* A block of draws, (column by column, each (count, *shape)), or a state, as it waits. */
struct crdi_run_item {
    struct crdi_run_item *next;
    bool is_state;
    int64_t first; /* number of the first draw; the iteration of a state */
    int64_t count; /* draws */
    size_t size; /* bytes of `data` */
    struct crdi_run_cost cost; /* of a state */
    double data[];
};

/* What waits of one chain, oldest first. */
struct crdi_run_lane {
    struct crdi_run_item *head, *tail;
    int64_t next_draw; /* the number that the chain's next draw must have */
};

struct crdi_run {
    crd_context *ctx;
    crdi_run_tuning tuning;
    bool force;
    bool begun;
    bool again; /* crdi_run_reopen: the file was there before */
    bool has_gradients; /* the file that was there had them by lane, and `cost` has them now */
    bool has_state; /* there is a state in the file; guarded by `database` */
    unsigned char *last_bytes; /* crdi_run_set_last_state; NULL: the states stay */
    size_t last_size;
    int64_t last_iteration;
    bool keep_part; /* at the end: it was to replace a file and has come to no draws, but one can go on from it */
    bool placed; /* the file stands at its path; the writer thread's from begin on, guarded by `database` */
    dev_t device; /* what stands at the path, once it is placed: */
    ino_t inode; /* 0 before */
    char *path, *part; /* where it will be, and where it is made until it is placed */
    char *lock_path;
    int lock_file; /* held with flock while this run lives; -1: none */

    /* The connection: the caller's until begin, from then on shared with the writer thread. */
    pthread_mutex_t database; /* recursive: see crdi_run_together */
    crdi_db *db;

    /* Set by begin, constant afterwards. */
    int chains, column_count;
    int lanes; /* that leave states: chains, or more */
    int64_t *column_size; /* elements of one draw */
    int64_t *column_offset; /* of the columns before it together */
    int64_t draw_size; /* of all columns */
    void *scratch; /* the largest row, or a number a lane; the writer thread's */
    pthread_t thread;
    bool thread_runs;

    /* The queue; everything below is guarded by `queue`. */
    pthread_mutex_t queue;
    pthread_cond_t work; /* something is due for the writer */
    pthread_cond_t room; /* bytes were given back, or the writer failed */
    pthread_cond_t done; /* a batch is in the file, or the writer failed */
    struct crdi_run_lane *lane; /* [lanes] */
    struct crdi_run_item **batch; /* [lanes], the writer's list while it writes */
    struct crdi_run_cost *cost; /* [lanes] of the last state each; the writer's */
    size_t held, waiting, peak; /* bytes: waiting and being written; waiting; the most ever held */
    int64_t appended, taken, committed, wanted; /* items: ever given, taken by the writer, in the file, flushed for */
    int held_up; /* chains that wait for room */
    double oldest; /* when the first of the waiting items came */
    bool stop;
    crd_status failed; /* the writer's first error and its message */
    char message[CRDI_DB_MESSAGE];
};

/* run_writer.c */
crd_status crdi_run_new(crd_context *ctx, const char *path, const crdi_run_tuning *tuning, crdi_run **out);
void crdi_run_destroy(crdi_run *run);
crd_status crdi_run_fail_system(const crdi_run *run, char message[CRDI_DB_MESSAGE], const char *what);
crd_status crdi_run_raise_text(const crdi_run *run, crd_status status, const char *message);
crd_status crdi_run_take_lock(crdi_run *run, char message[CRDI_DB_MESSAGE]);
crd_status crdi_run_measure_columns(crdi_run *run, const crd_column *columns, int column_count, int chains);
/* CRD_EEXISTS: at the lock's name, which is removed in the end, stands a file of somebody else's. */
crd_status crdi_run_check_lock(const crdi_run *run);
/* As the file system allows. */
crd_status crdi_run_set_journal(crdi_run *run);

/* Renames the database to its path and opens it there. Nothing is raised: the text of an error is left in
 * `message`. The database is the caller's, and there is no transaction. */
crd_status crdi_run_place(crdi_run *run, char message[CRDI_DB_MESSAGE]);
/* Takes note of which file stands at the path now, so that another in its place is noticed: then it does not stand there any more. */
void crdi_run_note_file(crdi_run *run);
bool crdi_run_stands(const crdi_run *run);

/* An entry, by whoever holds `database`. */
crd_status crdi_run_put_entry(crdi_run *run, const char *key, crdi_value_type type, const void *bytes, size_t size,
                              double real, int64_t integer);

/* run_queue.c */
#define CRDI_STATE_PUT "INSERT OR REPLACE INTO state VALUES(?, ?, ?, ?)"
crd_status crdi_run_put_state(crdi_query *put, int chain, int64_t iteration, const void *bytes, size_t size);
void crdi_run_queue_init(crdi_run *run);
void crdi_run_queue_clear(crdi_run *run); /* after the thread has ended */
crd_status crdi_run_queue_start(crdi_run *run); /* starts the writer thread */
void crdi_run_queue_stop(crdi_run *run); /* writes what waits and ends the thread */
/* Raises the writer's error again, if it has failed. */
crd_status crdi_run_failure(crdi_run *run);

#endif
