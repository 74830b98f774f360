/* run_writer.c - a run file from its creation to its end: files and entries. The draws are run_queue.c's.
 *
 * The database is made beside its place (PATH.part). Where nothing stands at the path it is renamed when the run begins,
 * so that others can watch; where it replaces a file, by the writer thread behind the first draws, so that a run that is
 * stopped in its warm-up costs no older file. The write-ahead log belongs to the name: the connection is closed before
 * the rename and opened again after it. At the end the log is folded in and the file set back to a rollback journal, so that one file remains
 * that can be read from a directory where nothing can be written.
 *
 * PATH-lock is held with flock while the run is written: a second writer is refused. A killed run leaves the file
 * behind, unlocked, and the next one takes it over. */
#include "store/run_impl.h"
#include "store/run_path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

static char *joined(crd_context *ctx, const char *path, const char *suffix)
{
    size_t size = strlen(path) + strlen(suffix) + 1;
    char *text = crdi_alloc(ctx, size);
    if (text)
        snprintf(text, size, "%s%s", path, suffix);
    return text;
}

/* The directory of the run file, opened; -1 if it cannot be. */
static int open_directory(const crdi_run *run)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(run->path, '/');
    int length = slash ? (int)(slash - run->path) + 1 : 1;
    snprintf(directory, sizeof directory, "%.*s", length, slash ? run->path : ".");
    return open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* What follows leaves its errors as text: it also runs in the writer thread, which raises none. */
crd_status crdi_run_fail_system(const crdi_run *run, char message[CRDI_DB_MESSAGE], const char *what)
{
    int reason = errno, folder = reason == ENOENT ? open_directory(run) : 0;
    if (folder < 0) {
        const char *slash = strrchr(run->path, '/');
        snprintf(message, CRDI_DB_MESSAGE, "%.*s: no such folder", slash ? (int)(slash - run->path) : 1,
                 slash ? run->path : ".");
        return CRD_EMISSING;
    }
    if (folder > 0)
        close(folder);
    snprintf(message, CRDI_DB_MESSAGE, "%s: %s: %s", run->path, what, strerror_r(reason, (char[96]){""}, 96));
    return reason == ENOENT || reason == ENOTDIR ? CRD_EMISSING : CRD_EIO;
}

crd_status crdi_run_raise_text(const crdi_run *run, crd_status status, const char *message)
{
    return status < 0 ? crdi_raise(run->ctx, status, "%s", message) : status;
}

/* ---- files -------------------------------------------------------------------------------------------------- */

static crd_status check_place(const crdi_run *run, bool *exists, char message[CRDI_DB_MESSAGE])
{
    struct stat file;
    *exists = stat(run->path, &file) == 0;
    if (!*exists)
        return errno == ENOENT ? CRD_OK : crdi_run_fail_system(run, message, "cannot create");
    if (S_ISREG(file.st_mode) && run->force)
        return CRD_OK;
    snprintf(message, CRDI_DB_MESSAGE, S_ISREG(file.st_mode) ? "%s: exists; --force replaces it" : "%s: is no file",
             run->path);
    return CRD_EEXISTS;
}

/* Takes the lock, or finds that it was taken from under us (its holder removes the file when it is done): again. */
crd_status crdi_run_take_lock(crdi_run *run, char message[CRDI_DB_MESSAGE])
{
    for (;;) {
        struct stat ours, there;
        int file = open(run->lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (file < 0)
            return crdi_run_fail_system(run, message, "its lock (-lock) cannot be made beside it");
        if (flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
            close(file);
            snprintf(message, CRDI_DB_MESSAGE, "%s: is being written by another run", run->path);
            return CRD_EEXISTS;
        }
        run->lock_file = file; /* a file system without locks: as if nobody else were there */
        if (fstat(file, &ours) == 0 && stat(run->lock_path, &there) == 0 && ours.st_ino == there.st_ino)
            return CRD_OK;
        close(file);
        run->lock_file = -1;
    }
}

static void release_lock(crdi_run *run)
{
    if (run->lock_file < 0)
        return;
    unlink(run->lock_path);
    close(run->lock_file);
    run->lock_file = -1;
}

/* What SQLite keeps beside a database. A leftover would be taken for the new file's and applied to it. Nothing is
 * allocated: this also runs where memory has just run out. */
static crd_status remove_companions(const crdi_run *run, const char *path, char message[CRDI_DB_MESSAGE])
{
    static const char *const suffix[] = {"-wal", "-shm", "-journal"};
    char companion[PATH_MAX];
    for (int i = 0; i < CRDI_COUNT(suffix); i++) {
        snprintf(companion, sizeof companion, "%s%s", path, suffix[i]);
        if (unlink(companion) != 0 && errno != ENOENT)
            return crdi_run_fail_system(run, message, "cannot remove what an older file left beside it");
    }
    return CRD_OK;
}

/* Whether the file system is one that several machines share: memory mapped there is not the same memory for all, and
 * a write-ahead log needs that. Numbers from statfs(2) and the file systems' own sources. */
static bool is_shared_file_system(const crdi_run *run)
{
    static const uint32_t shared[] = {
        0x6969, /* NFS */
        0x0bd00bd0, /* Lustre */
        0xff534d42, /* CIFS */
        0xfe534d42, /* SMB 2 */
        0x517b, /* SMB */
        0x47504653, /* GPFS */
        0x19830326, /* BeeGFS */
        0x00c36400, /* Ceph */
        0x5346414f, /* AFS */
        0x65735546, /* FUSE: sshfs and others */
        0x01021997, /* 9p */
        0xaad7aaea, /* PanFS */
    };
    struct statfs system;
    int directory = open_directory(run);
    bool known = directory >= 0 && fstatfs(directory, &system) == 0;
    if (directory >= 0)
        close(directory);
    for (int i = 0; known && i < CRDI_COUNT(shared); i++)
        if ((uint32_t)system.f_type == shared[i])
            return true;
    return false;
}

/* The new name reaches the disk with the directory. That a system cannot do it is no reason to stop. */
static void sync_directory(const crdi_run *run)
{
    int directory = open_directory(run);
    if (directory < 0)
        return;
    fsync(directory);
    close(directory);
}

/* ---- the database ------------------------------------------------------------------------------------------- */

static crd_status set_durability(crdi_run *run, bool log)
{
    /* With a log a commit need not wait for the disk: a power cut may take the last moments, never the file. */
    return crdi_db_run(run->db, log ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL");
}

static crd_status make_tables(crdi_run *run)
{
    char pragmas[96];
    snprintf(pragmas, sizeof pragmas, "PRAGMA application_id = %d; PRAGMA user_version = %d", CRDI_RUN_APPLICATION,
             CRDI_RUN_VERSION);
    CRD_TRY(crdi_db_begin(run->db, true)); /* open until crdi_run_begin: one write to disk for all entries */
    CRD_TRY(crdi_db_run(run->db, pragmas));
    for (int i = 0; i < CRDI_RUN_SCHEMA_COUNT; i++)
        CRD_TRY(crdi_db_run(run->db, crdi_run_schema[i]));
    return CRD_OK;
}

static crd_status describe(crdi_run *run)
{
    char start[32];
    time_t now = time(NULL);
    struct tm parts;
    gmtime_r(&now, &parts);
    strftime(start, sizeof start, "%Y-%m-%dT%H:%M:%SZ", &parts);
    CRD_TRY(crdi_run_set_text(run, "status", "running"));
    CRD_TRY(crdi_run_set_text(run, "version", crd_version()));
    CRD_TRY(crdi_run_set_text(run, "kernels", crd_context_kernels(run->ctx)));
    return crdi_run_set_text(run, "started", start);
}

crd_status crdi_run_set_journal(crdi_run *run)
{
    bool log = false, wanted = !run->tuning.rollback_journal && !is_shared_file_system(run);
    CRD_TRY(crdi_db_journal(run->db, wanted, &log));
    return set_durability(run, log);
}

static crd_status create_database(crdi_run *run)
{
    char message[CRDI_DB_MESSAGE];
    unlink(run->part); /* of a run that was killed before it began; the lock is ours */
    CRD_TRY(crdi_run_raise_text(run, remove_companions(run, run->part, message), message));
    CRD_TRY(crdi_db_open(run->ctx, run->part, run->path, CRDI_DB_CREATE, &run->db));
    CRD_TRY(crdi_run_set_journal(run));
    CRD_TRY(make_tables(run));
    return describe(run);
}

static crd_status name_files(crdi_run *run, const char *path)
{
    char file[PATH_MAX];
    if (!*path)
        return crdi_raise(run->ctx, CRD_EINVAL, "the name of the run file is empty");
    if (!crdi_run_path_follow(path, file) || strlen(file) + sizeof ".part-journal" > PATH_MAX)
        return crdi_raise(run->ctx, CRD_EIO, "%.100s...: the path is too long, or its links go round", path);
    CRD_TRY(crdi_run_path_check(run->ctx, file));
    run->path = crdi_strdup(run->ctx, file);
    run->part = joined(run->ctx, file, ".part");
    run->lock_path = joined(run->ctx, file, "-lock");
    return run->path && run->part && run->lock_path ? CRD_OK : CRD_ENOMEM;
}

/* Whether a file, which begins like this, is what a run of ours left of its making, or a power cut of that. */
static bool is_made_by_us(const unsigned char *start, size_t read, int64_t size)
{
    enum { APPLICATION = 68, PAGE = 4096 }; /* where SQLite's format has the application's number */
    uint32_t application = 0;
    if (read < APPLICATION + 4 || memcmp(start, "SQLite format 3", 16) != 0)
        return false;
    for (int k = 0; k < 4; k++)
        application = application << 8 | start[APPLICATION + k];
    return application == CRDI_RUN_APPLICATION || size <= PAGE; /* its number may still be in the log */
}

/* The files that are made beside the run, and removed, must not be somebody's own: a lock is empty. Zeros are what a power cut leaves. */
static crd_status check_beside(const crdi_run *run, const char *path, bool is_lock)
{
    static const unsigned char zeros[16];
    unsigned char start[100];
    struct stat about;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (file < 0)
        return CRD_OK; /* there is none, or what makes the run says why it cannot be */
    ssize_t size = read(file, start, sizeof start);
    bool ours = size == 0 || (size >= (ssize_t)sizeof zeros && memcmp(start, zeros, sizeof zeros) == 0) ||
                (size > 0 && !is_lock && fstat(file, &about) == 0 && is_made_by_us(start, (size_t)size, about.st_size));
    close(file);
    return ours ? CRD_OK
                : crdi_raise(
                      run->ctx, CRD_EEXISTS,
                      "%s: a run of %s needs this name while it is written, and the file there is not credence's; "
                      "move it, or give the run another name",
                      path, run->path);
}

crd_status crdi_run_check_lock(const crdi_run *run)
{
    return check_beside(run, run->lock_path, true);
}

static crd_status check_all_beside(const crdi_run *run)
{
    const char *slash = strrchr(run->path, '/'), *name = slash ? slash + 1 : run->path;
    if (strlen(name) + sizeof ".part-journal" > NAME_MAX + 1)
        return crdi_raise(run->ctx, CRD_EINVAL,
                          "%.100s...: the name has %zu letters; with what stands beside a run while it is written at "
                          "most %zu",
                          name, strlen(name), NAME_MAX + 1 - sizeof ".part-journal");
    CRD_TRY(check_beside(run, run->part, false)); /* SQLite's own beside it, -wal and -journal, are nobody else's */
    return crdi_run_check_lock(run);
}

static crd_status create(crdi_run *run)
{
    bool exists;
    char message[CRDI_DB_MESSAGE];
    CRD_TRY(crdi_run_raise_text(run, check_place(run, &exists, message), message));
    CRD_TRY(check_all_beside(run));
    CRD_TRY(crdi_run_raise_text(run, crdi_run_take_lock(run, message), message));
    run->keep_part = true;
    if (!run->force || run->tuning.keep_stopped)
        CRD_TRY(crdi_run_check_newer(run->ctx, run->path));
    run->keep_part = false; /* it is ours from now on */
    return create_database(run);
}

void crdi_run_destroy(crdi_run *run)
{
    crdi_db_close(&run->db);
    if (run->lock_file >= 0 && !run->placed && !run->keep_part) {
        char message[CRDI_DB_MESSAGE];
        unlink(run->part);
        (void)remove_companions(run, run->part, message);
    }
    release_lock(run);
    crdi_run_queue_clear(run);
    pthread_mutex_destroy(&run->database);
    crdi_free(run->ctx, run->path);
    crdi_free(run->ctx, run->part);
    crdi_free(run->ctx, run->lock_path);
    crdi_free(run->ctx, run->column_size);
    crdi_free(run->ctx, run->column_offset);
    crdi_free(run->ctx, run->scratch);
    crdi_free(run->ctx, run->last_bytes);
    crdi_free(run->ctx, run);
}

crd_status crdi_run_new(crd_context *ctx, const char *path, const crdi_run_tuning *tuning, crdi_run **out)
{
    crdi_run *run = crdi_alloc(ctx, sizeof *run);
    if (!run)
        return CRD_ENOMEM;
    run->ctx = ctx;
    run->lock_file = -1;
    if (tuning)
        run->tuning = *tuning;
    if (run->tuning.queue_bytes == 0)
        run->tuning.queue_bytes = (size_t)2 << 20;
    if (run->tuning.batch_bytes == 0)
        run->tuning.batch_bytes = (size_t)1 << 20;
    if (!(run->tuning.batch_seconds > 0))
        run->tuning.batch_seconds = 0.5;
    pthread_mutexattr_t recursive;
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&run->database, &recursive);
    pthread_mutexattr_destroy(&recursive);
    crdi_run_queue_init(run);
    crd_status status = name_files(run, path);
    if (status < 0)
        crdi_run_destroy(run);
    else
        *out = run;
    return status;
}

crd_status crdi_run_create_tuned(crd_context *ctx, const char *path, bool force, const crdi_run_tuning *tuning,
                                 crdi_run **out)
{
    crdi_run *run;
    CRD_TRY(crdi_run_new(ctx, path, tuning, &run));
    run->force = force;
    crd_status status = create(run);
    if (status < 0)
        crdi_run_destroy(run);
    else
        *out = run;
    return status;
}

crd_status crdi_run_create(crd_context *ctx, const char *path, bool force, crdi_run **out)
{
    return crdi_run_create_tuned(ctx, path, force, NULL, out);
}

/* ---- entries ------------------------------------------------------------------------------------------------ */

/* The writer thread could not open the file again at its path: its error says why, and is known to all in a moment. */
static crd_status raise_closed(crdi_run *run)
{
    pthread_mutex_lock(&run->queue);
    while (run->thread_runs && run->failed == CRD_OK)
        pthread_cond_wait(&run->done, &run->queue);
    pthread_mutex_unlock(&run->queue);
    crd_status status = crdi_run_failure(run);
    return status < 0 ? status : crdi_raise(run->ctx, CRD_EIO, "%s: cannot be written", run->path);
}

crd_status crdi_run_put_entry(crdi_run *run, const char *key, crdi_value_type type, const void *bytes, size_t size,
                              double real, int64_t integer)
{
    crdi_query query = {0};
    CRD_TRY(crdi_query_open(run->db, "INSERT OR REPLACE INTO meta VALUES(?, ?, ?)", &query));
    crdi_bind_text(&query, 1, key);
    if (type == CRDI_VALUE_TEXT)
        crdi_bind_text(&query, 2, bytes);
    else if (type == CRDI_VALUE_BLOB)
        crdi_bind_blob(&query, 2, bytes, size);
    else if (type == CRDI_VALUE_REAL)
        crdi_bind_real(&query, 2, real);
    else if (type == CRDI_VALUE_INTEGER)
        crdi_bind_integer(&query, 2, integer);
    crdi_bind_integer(&query, 3, (int64_t)crdi_check_meta(key, type, bytes, size));
    crd_status status = crdi_query_run(&query);
    crdi_query_close(&query);
    return status;
}

static crd_status set_entry(crdi_run *run, const char *key, crdi_value_type type, const void *bytes, size_t size,
                            double real, int64_t integer)
{
    pthread_mutex_lock(&run->database);
    crd_status status = run->db ? crdi_run_put_entry(run, key, type, bytes, size, real, integer) : raise_closed(run);
    pthread_mutex_unlock(&run->database);
    return status;
}

crd_status crdi_run_set_text(crdi_run *run, const char *key, const char *text)
{
    return set_entry(run, key, CRDI_VALUE_TEXT, text, strlen(text), 0, 0);
}

crd_status crdi_run_set_number(crdi_run *run, const char *key, double value)
{
    unsigned char bytes[8];
    if (value != value) /* SQLite knows no NaN: it stands as NULL */
        return set_entry(run, key, CRDI_VALUE_NULL, "", 0, 0, 0);
    crdi_encode(bytes, &value, 1);
    return set_entry(run, key, CRDI_VALUE_REAL, bytes, sizeof bytes, value, 0);
}

crd_status crdi_run_set_integer(crdi_run *run, const char *key, int64_t value)
{
    unsigned char bytes[8];
    for (int k = 0; k < 8; k++)
        bytes[k] = (unsigned char)((uint64_t)value >> (8 * k));
    return set_entry(run, key, CRDI_VALUE_INTEGER, bytes, sizeof bytes, 0, value);
}

crd_status crdi_run_set_blob(crdi_run *run, const char *key, const void *bytes, size_t size)
{
    return set_entry(run, key, CRDI_VALUE_BLOB, bytes, size, 0, 0);
}

static crd_status remove_entry(crdi_run *run, const char *key)
{
    crdi_query query = {0};
    CRD_TRY(crdi_query_open(run->db, "DELETE FROM meta WHERE key = ?", &query));
    crdi_bind_text(&query, 1, key);
    crd_status status = crdi_query_run(&query);
    crdi_query_close(&query);
    return status;
}

crd_status crdi_run_unset(crdi_run *run, const char *key)
{
    pthread_mutex_lock(&run->database);
    crd_status status = run->db ? remove_entry(run, key) : raise_closed(run);
    pthread_mutex_unlock(&run->database);
    return status;
}

crd_status crdi_run_together(crdi_run *run, crd_status (*set)(void *user), void *user)
{
    bool alone = run->begun || run->again; /* a run that is being made has its transaction open */
    pthread_mutex_lock(&run->database);
    crd_status status = !run->db ? raise_closed(run) : alone ? crdi_db_begin(run->db, true) : CRD_OK;
    if (status == CRD_OK) {
        status = set(user);
        if (alone)
            status = crdi_db_end(run->db, status);
    }
    pthread_mutex_unlock(&run->database);
    return status;
}

static crd_status put_bytes(crdi_run *run, const char *name, const char *shape, const void *bytes, size_t size)
{
    crdi_query query = {0};
    CRD_TRY(crdi_query_open(run->db, "INSERT OR REPLACE INTO data VALUES(?, ?, ?, ?)", &query));
    crdi_bind_text(&query, 1, name);
    crdi_bind_text(&query, 2, shape);
    crdi_bind_blob(&query, 3, bytes, size);
    crdi_bind_integer(&query, 4, (int64_t)crdi_check_data(name, shape, bytes, size));
    crd_status status = crdi_query_run(&query);
    crdi_query_close(&query);
    return status;
}

crd_status crdi_run_put_array(crdi_run *run, const char *name, const crd_array *array)
{
    char shape[CRDI_SHAPE_TEXT];
    int64_t count = crd_shape_size(array->shape);
    void *bytes = crdi_alloc_array(run->ctx, count, sizeof(double));
    if (!bytes)
        return CRD_ENOMEM;
    crdi_encode(bytes, array->data, count);
    crdi_shape_write(array->shape, shape);
    pthread_mutex_lock(&run->database);
    size_t size = (size_t)count * sizeof(double);
    crd_status status = run->db ? put_bytes(run, name, shape, bytes, size) : raise_closed(run);
    pthread_mutex_unlock(&run->database);
    crdi_free(run->ctx, bytes);
    return status;
}

/* ---- begin and end ------------------------------------------------------------------------------------------ */

crd_status crdi_run_measure_columns(crdi_run *run, const crd_column *columns, int column_count, int chains)
{
    int64_t largest = 0;
    int lanes = run->lanes > chains ? run->lanes : chains;
    run->column_size = crdi_alloc_array(run->ctx, column_count, sizeof *run->column_size);
    run->column_offset = crdi_alloc_array(run->ctx, column_count, sizeof *run->column_offset);
    run->lane = crdi_alloc_array(run->ctx, lanes, sizeof *run->lane);
    run->batch = crdi_alloc_array(run->ctx, lanes, sizeof *run->batch);
    run->cost = crdi_alloc_array(run->ctx, lanes, sizeof *run->cost);
    if (!run->column_size || !run->column_offset || !run->lane || !run->batch || !run->cost)
        return CRD_ENOMEM;
    run->lanes = lanes;
    run->chains = chains;
    run->column_count = column_count;
    for (int c = 0; c < column_count; c++) {
        int64_t size = crd_shape_size(columns[c].shape);
        if (size > CRDI_RUN_DRAW_BYTES / (int64_t)sizeof(double))
            return crdi_raise(run->ctx, CRD_EUNSUPPORTED, "%s: site %s has %lld elements; a run file takes %lld",
                              run->path, columns[c].name, (long long)size,
                              (long long)(CRDI_RUN_DRAW_BYTES / sizeof(double)));
        run->column_size[c] = size;
        run->column_offset[c] = run->draw_size;
        run->draw_size += size;
        if (crdi_run_row_draws(size) * size > largest)
            largest = crdi_run_row_draws(size) * size;
    }
    run->scratch = crdi_alloc_array(run->ctx, largest > lanes ? largest : lanes, sizeof(double));
    return run->scratch ? CRD_OK : CRD_ENOMEM;
}

static crd_status write_columns(crdi_run *run, const crd_column *columns)
{
    crdi_query query = {0};
    crd_status status = crdi_query_open(run->db, "INSERT INTO site VALUES(?, ?, ?, ?, ?, ?)", &query);
    if (status < 0)
        return status;
    for (int c = 0; status == CRD_OK && c < run->column_count; c++) {
        char shape[CRDI_SHAPE_TEXT];
        int64_t size = run->column_size[c];
        crdi_shape_write(columns[c].shape, shape);
        crdi_bind_integer(&query, 1, c);
        crdi_bind_text(&query, 2, columns[c].name);
        crdi_bind_integer(&query, 3, columns[c].kind);
        crdi_bind_text(&query, 4, shape);
        crdi_bind_integer(&query, 5, size);
        crdi_bind_integer(&query, 6, (int64_t)crdi_check_column(c, columns[c].name, columns[c].kind, shape, size));
        status = crdi_query_run(&query);
    }
    crdi_query_close(&query);
    return status;
}

static crd_status reopen(crdi_run *run)
{
    int64_t log = 0;
    CRD_TRY(crdi_db_open(run->ctx, run->path, NULL, CRDI_DB_WRITE, &run->db));
    CRD_TRY(crdi_db_integer(run->db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode", &log));
    crdi_db_set_patience(run->db, 60);
    return set_durability(run, log != 0);
}

crd_status crdi_run_place(crdi_run *run, char message[CRDI_DB_MESSAGE])
{
    bool exists;
    /* The log is folded in before anything is replaced: to close a database would do it too, but keeps silent when the disk
     * is full, and a file without its log is no run file. */
    bool quiet = run->db->quiet;
    run->db->quiet = true;
    crd_status folded = crdi_db_run(run->db, "PRAGMA wal_checkpoint(TRUNCATE)");
    run->db->quiet = quiet;
    if (folded < 0) {
        memcpy(message, run->db->message, CRDI_DB_MESSAGE);
        return folded;
    }
    crdi_db_close(&run->db);
    CRD_TRY(check_place(run, &exists, message)); /* somebody may have put a file there since */
    CRD_TRY(remove_companions(run, run->path, message));
    CRD_TRY(remove_companions(run, run->part, message)); /* a log that was folded in and could not be removed */
    if (rename(run->part, run->path) != 0)
        return crdi_run_fail_system(run, message, "cannot put the new file in its place");
    run->placed = true;
    crdi_run_note_file(run);
    sync_directory(run);
    crd_status status = reopen(run);
    if (status < 0)
        snprintf(message, CRDI_DB_MESSAGE, "%s: cannot be opened again in its place", run->path);
    return status;
}

void crdi_run_note_file(crdi_run *run)
{
    struct stat file;
    bool there = stat(run->path, &file) == 0;
    run->device = there ? file.st_dev : 0;
    run->inode = there ? file.st_ino : 0;
}

bool crdi_run_stands(const crdi_run *run)
{
    struct stat file;
    return run->placed && stat(run->path, &file) == 0 && file.st_dev == run->device && file.st_ino == run->inode;
}

bool crdi_run_is_placed(crdi_run *run)
{
    pthread_mutex_lock(&run->database);
    bool placed = run->placed;
    pthread_mutex_unlock(&run->database);
    return placed;
}

crd_status crdi_run_begin(crdi_run *run, const crd_column *columns, int column_count, int chains)
{
    bool exists;
    char message[CRDI_DB_MESSAGE];
    CRDI_ASSERT(!run->begun && !run->lane && chains > 0);
    CRD_TRY(crdi_run_measure_columns(run, columns, column_count, chains));
    CRD_TRY(crdi_run_set_integer(run, "chains", chains));
    CRD_TRY(crdi_run_set_integer(run, "columns", column_count));
    CRD_TRY(write_columns(run, columns));
    CRD_TRY(crdi_db_end(run->db, CRD_OK));
    CRD_TRY(crdi_run_raise_text(run, check_place(run, &exists, message), message));
    if (!exists)
        CRD_TRY(crdi_run_raise_text(run, crdi_run_place(run, message), message));
    run->begun = true;
    return crdi_run_queue_start(run);
}

/* One file in the end. A reader that has the file open keeps the log for as long as it does: those that look for a moment, again
 * and again, are waited for; to one that stays it is left. */
static crd_status fold(crdi_run *run)
{
    enum { TRIES = 40 };
    const struct timespec pause = {.tv_nsec = 25000000};
    bool log = true;
    crdi_db_set_patience(run->db, 2);
    CRD_TRY(crdi_db_run(run->db, "PRAGMA wal_checkpoint(TRUNCATE)"));
    crdi_db_set_patience(run->db, 0.1);
    for (int i = 0; i < TRIES && log; i++) {
        if (i > 0)
            nanosleep(&pause, NULL);
        CRD_TRY(crdi_db_journal(run->db, false, &log));
    }
    return CRD_OK;
}

void crdi_run_set_lanes(crdi_run *run, int lanes)
{
    run->lanes = lanes;
}

void crdi_run_set_pause(crdi_run *run, double seconds)
{
    if (seconds > 0)
        run->tuning.batch_seconds = seconds;
}

bool crdi_run_has_state(crdi_run *run)
{
    pthread_mutex_lock(&run->database);
    bool has = run->has_state;
    pthread_mutex_unlock(&run->database);
    return has;
}

/* Of one that needed nothing, and was killed when it had said that it is complete: its log is folded in. That it stays is no error. */
static void fold_left_over(crdi_run *run)
{
    char log[PATH_MAX];
    snprintf(log, sizeof log, "%s-wal", run->path);
    if (run->db && access(log, F_OK) == 0) {
        run->db->quiet = true;
        (void)!fold(run);
    }
}

crd_status crdi_run_set_last_state(crdi_run *run, int64_t iteration, const void *bytes, size_t size)
{
    crdi_free(run->ctx, run->last_bytes);
    run->last_bytes = crdi_alloc_array(run->ctx, (int64_t)size + 1, 1);
    if (!run->last_bytes)
        return CRD_ENOMEM;
    if (size)
        memcpy(run->last_bytes, bytes, size);
    run->last_size = size;
    run->last_iteration = iteration;
    return CRD_OK;
}

static crd_status write_last_state(crdi_run *run)
{
    crdi_query query = {0};
    if (!run->last_bytes)
        return CRD_OK;
    CRD_TRY(crdi_db_run(run->db, "DELETE FROM state"));
    if (run->last_size == 0)
        return CRD_OK;
    CRD_TRY(crdi_query_open(run->db, CRDI_STATE_PUT, &query));
    crd_status status = crdi_run_put_state(&query, 0, run->last_iteration, run->last_bytes, run->last_size);
    crdi_query_close(&query);
    return status;
}

/* Where a fit goes on from is of no use to a complete one. */
static crd_status say_complete(void *user)
{
    crdi_run *run = user;
    CRD_TRY(write_last_state(run));
    CRD_TRY(crdi_db_run(run->db, "DELETE FROM meta WHERE key GLOB 'continue/*'"));
    CRD_TRY(crdi_db_run(run->db, "DELETE FROM data WHERE name GLOB 'continue/*'"));
    return crdi_run_set_text(run, "status", "complete");
}

/* Of a run that was begun: how it ended, and one file in the end. */
static crd_status settle(crdi_run *run, bool complete)
{
    if (!run->db)
        return CRD_OK;
    crd_status set =
        complete ? crdi_run_together(run, say_complete, run) : crdi_run_set_text(run, "status", "interrupted");
    crd_status folded = fold(run);
    return set < 0 ? set : folded;
}

/* Whether one can go on from the states of a run that ended so: it was stopped, or what failed was not the run. */
static bool keeps_states(crd_status outcome)
{
    return outcome >= 0 || outcome == CRD_EIO || outcome == CRD_EFULL || outcome == CRD_ENOMEM;
}

crd_status crdi_run_close(crdi_run **run, crd_status outcome)
{
    bool stands;
    return crdi_run_close_told(run, outcome, &stands);
}

crd_status crdi_run_close_told(crdi_run **run_address, crd_status outcome, bool *stands)
{
    *stands = false;
    if (!run_address || !*run_address)
        return CRD_OK;
    crdi_run *run = *run_address;
    crdi_run_queue_stop(run);
    crd_status status = crdi_run_failure(run);
    bool complete = status == CRD_OK && outcome == CRD_OK;
    char message[CRDI_DB_MESSAGE];
    if (complete && run->begun && !run->placed) { /* in this order: what is in its place is whole */
        status = crdi_run_together(run, say_complete, run);
        if (status == CRD_OK)
            status = crdi_run_raise_text(run, crdi_run_place(run, message), message);
        complete = status == CRD_OK;
    }
    if (run->again && !run->begun && !run->placed && outcome == CRD_OK &&
        run->db) /* complete, and killed before it had its place */
        status = crdi_run_raise_text(run, crdi_run_place(run, message), message);
    run->keep_part = !run->placed && (run->again || (run->has_state && keeps_states(outcome)));
    if (run->again ? run->begun : run->placed || run->keep_part) {
        crd_status settled = settle(run, complete);
        status = status < 0 ? status : settled;
    } else if (run->again && run->placed && outcome == CRD_OK) {
        fold_left_over(run);
    }
    *stands = crdi_run_stands(run);
    crdi_run_destroy(run);
    *run_address = NULL;
    return status;
}
