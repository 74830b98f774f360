/* run_resume.c - a run file that is written on: what stands behind the states of its chains is removed, and the writer
 * starts again.
 *
 * The order matters: the lock first, so that what is read then is not changed by another; the draws are cut in the one
 * transaction that says "running" again, so that a kill at any moment leaves a file that can be resumed. */
#include "store/run_impl.h"
#include "store/run_path.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ---- opening ------------------------------------------------------------------------------------------------ */

bool crdi_run_has_newer(crd_context *ctx, const char *path, char *part)
{
    struct stat file;
    int64_t states = 0;
    crdi_db *db = NULL;
    if (!crdi_run_path_beside(path, ".part", part) || stat(part, &file) != 0 || file.st_size == 0)
        return false;
    bool clear = crd_error_status(ctx) == CRD_OK;
    bool good = crdi_db_open(ctx, part, NULL, CRDI_DB_READ, &db) == CRD_OK &&
                crdi_db_integer(db, "SELECT count(*) FROM state", &states) == CRD_OK && states > 0;
    crdi_db_close(&db);
    if (clear)
        crd_error_clear(ctx);
    return good;
}

crd_status crdi_run_check_newer(crd_context *ctx, const char *path)
{
    char part[PATH_MAX];
    if (!crdi_run_has_newer(ctx, path, part))
        return CRD_OK;
    return crdi_raise(
        ctx, CRD_EEXISTS,
        "%s: a run that is to stand there was stopped, and is at %s; 'credence resume %s' goes on with it, "
        "--force drops it",
        path, part, path);
}

static crd_status open_again(crdi_run *run)
{
    char message[CRDI_DB_MESSAGE], part[PATH_MAX];
    struct stat file;
    int64_t states = 0;
    CRD_TRY(crdi_run_check_lock(run));
    CRD_TRY(crdi_run_raise_text(run, crdi_run_take_lock(run, message), message));
    run->placed = !crdi_run_has_newer(run->ctx, run->path, part);
    if (run->placed && stat(run->path, &file) != 0)
        return crdi_raise(run->ctx, CRD_EMISSING, "%s: %s", run->path, strerror_r(errno, message, sizeof message));
    if (run->placed && file.st_nlink > 1)
        return crdi_raise(run->ctx, CRD_EUNSUPPORTED,
                          "%s: the file has other names (hard links), under which another process may write it; go on "
                          "with a copy (cp)",
                          run->path);
    CRD_TRY(crdi_db_open(run->ctx, crdi_run_file(run), run->path, CRDI_DB_WRITE, &run->db));
    crdi_db_set_patience(run->db, 60);
    crdi_db_keep_log(run->db, true); /* until it is known to be its own: what is refused stays as it is */
    if (run->placed)
        crdi_run_note_file(run);
    run->db->quiet = true; /* whether it is a run at all is for its reader to say */
    run->has_state = crdi_db_integer(run->db, "SELECT EXISTS(SELECT 1 FROM state)", &states) == CRD_OK && states != 0;
    run->db->quiet = false;
    return CRD_OK;
}

crd_status crdi_run_reopen(crd_context *ctx, const char *path, crdi_run **out)
{
    crdi_run *run;
    CRD_TRY(crdi_run_new(ctx, path, NULL, &run));
    run->again = run->force = run->keep_part = true;
    crd_status status = open_again(run);
    if (status < 0)
        crdi_run_destroy(run);
    else
        *out = run;
    return status;
}

const char *crdi_run_file(const crdi_run *run)
{
    return run->placed ? run->path : run->part;
}

/* ---- cutting ------------------------------------------------------------------------------------------------ */

/* Makes a row end before draw `draws`. */
static crd_status shorten(crdi_run *run, int column, int chain, const crdi_query *row, int64_t draws)
{
    size_t size, kept;
    int64_t id = crdi_value_integer(row, 0), first = crdi_value_integer(row, 1), count = draws - first;
    const void *bytes = crdi_value_blob(row, 2, &size);
    crdi_query update = {0};
    kept = (size_t)(count * run->column_size[column]) * sizeof(double);
    if (first < 0 || kept > size)
        return crdi_db_damaged(run->db, "a row of draws of chain %d has another size than it says", chain);
    CRD_TRY(crdi_query_open(run->db, "UPDATE block SET count = ?, draws = ?, check_sum = ? WHERE rowid = ?", &update));
    crdi_bind_integer(&update, 1, count);
    crdi_bind_blob(&update, 2, bytes, kept);
    crdi_bind_integer(&update, 3, (int64_t)crdi_check_block(column, chain, first, count, bytes, kept));
    crdi_bind_integer(&update, 4, id);
    crd_status status = crdi_query_run(&update);
    crdi_query_close(&update);
    return status;
}

/* Draws that the rows of a column and chain reach to. */
static crd_status find_end(crdi_run *run, int column, int chain, int64_t *end)
{
    char sql[160];
    snprintf(sql, sizeof sql, "SELECT coalesce(max(first + count), 0) FROM block WHERE site = %d AND chain = %d",
             column, chain);
    return crdi_db_integer(run->db, sql, end);
}

static crd_status cut_column(crdi_run *run, int column, int chain, int64_t draws)
{
    char sql[160];
    int64_t end;
    bool found = false;
    crdi_query straddling = {0};
    CRD_TRY(find_end(run, column, chain, &end));
    if (end < draws)
        return crdi_db_damaged(run->db, "chain %d has %lld draws, and its state is behind draw %lld", chain,
                               (long long)end, (long long)draws);
    snprintf(sql, sizeof sql, "DELETE FROM block WHERE site = %d AND chain = %d AND first >= %lld", column, chain,
             (long long)draws);
    CRD_TRY(crdi_db_run(run->db, sql));
    snprintf(sql, sizeof sql,
             "SELECT rowid, first, draws FROM block WHERE site = %d AND chain = %d AND first + count > %lld", column,
             chain, (long long)draws);
    CRD_TRY(crdi_query_open(run->db, sql, &straddling));
    crd_status status = crdi_query_next(&straddling, &found);
    if (status == CRD_OK && found)
        status = shorten(run, column, chain, &straddling, draws);
    crdi_query_close(&straddling);
    return status;
}

static crd_status cut(crdi_run *run, const int64_t *draws)
{
    static const char running[] = "running";
    for (int chain = 0; chain < run->chains; chain++)
        for (int column = 0; column < run->column_count; column++)
            CRD_TRY(cut_column(run, column, chain, draws[chain]));
    return crdi_run_put_entry(run, "status", CRDI_VALUE_TEXT, running, strlen(running), 0, 0);
}

static crd_status cut_all(crdi_run *run, int64_t draws)
{
    for (int chain = 0; chain < run->chains; chain++)
        for (int column = 0; column < run->column_count; column++)
            CRD_TRY(cut_column(run, column, chain, draws));
    return CRD_OK;
}

crd_status crdi_run_cut(crdi_run *run, int64_t draws)
{
    pthread_mutex_lock(&run->database);
    crd_status status = run->db ? crdi_db_begin(run->db, true) : crdi_run_failure(run);
    if (status == CRD_OK && run->db)
        status = crdi_db_end(run->db, cut_all(run, draws));
    pthread_mutex_unlock(&run->database);
    return status;
}

/* Where each lane was, so that the sum is right from the first that writes; older versions wrote the sum alone. */
static crd_status read_gradients(crdi_run *run)
{
    crdi_query query = {0};
    bool found = false;
    size_t size;
    CRD_TRY(crdi_query_open(run->db, "SELECT value FROM meta WHERE key = 'gradients_now'", &query));
    crd_status status = crdi_query_next(&query, &found);
    const char *bytes = status == CRD_OK && found ? crdi_value_blob(&query, 0, &size) : NULL;
    run->has_gradients = bytes && size == (size_t)run->lanes * sizeof(double);
    for (int c = 0; run->has_gradients && c < run->lanes; c++) {
        double number;
        crdi_decode(&number, bytes + (size_t)c * sizeof number, 1);
        run->cost[c].gradient_evaluations = number >= 0 && number < 9e15 ? (int64_t)number : 0;
    }
    crdi_query_close(&query);
    return status;
}

bool crdi_run_gradients(const crdi_run *run, int lane, int64_t *out)
{
    if (run->has_gradients)
        *out = run->cost[lane].gradient_evaluations;
    return run->has_gradients;
}

crd_status crdi_run_begin_again(crdi_run *run, const crd_column *columns, int column_count, int chains,
                                const int64_t *draws, crd_status (*describe)(void *user), void *user)
{
    char message[CRDI_DB_MESSAGE];
    bool drawn = false;
    CRDI_ASSERT(run->again && !run->begun && chains > 0);
    CRD_TRY(crdi_run_set_journal(run));
    CRD_TRY(crdi_run_measure_columns(run, columns, column_count, chains));
    CRD_TRY(read_gradients(run));
    CRD_TRY(crdi_db_begin(run->db, true));
    crd_status changed = describe ? describe(user) : CRD_OK;
    CRD_TRY(crdi_db_end(run->db, changed == CRD_OK ? cut(run, draws) : changed));
    for (int chain = 0; chain < chains; chain++) {
        run->lane[chain].next_draw = draws[chain];
        drawn = drawn || draws[chain] > 0;
    }
    run->begun = true;
    crdi_db_keep_log(run->db, false);
    /* It was stopped between its first draws and the rename: who looks at draws looks there. */
    if (!run->placed && drawn)
        CRD_TRY(crdi_run_raise_text(run, crdi_run_place(run, message), message));
    return crdi_run_queue_start(run);
}
