/* sqlite.c - see sqlite.h.
 *
 * Statuses: a damaged file is told apart from a failing disk, because the user's next step differs (use another file;
 * make room). Extended result codes are on, and the system's own reason is added where there is one.
 *
 * A file that is only read may come from anyone: its schema is not trusted (no functions or triggers of its making run)
 * and cells are checked before they are used. */
#include "store/sqlite.h"
#include "store/room.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- errors ------------------------------------------------------------------------------------------------- */

static bool is_full(int code, int system)
{
    return (code & 0xff) == SQLITE_FULL || ((code & 0xff) == SQLITE_IOERR && crdi_lack_of_room(system));
}

/* The system's reason of a failure. SQLite forgets the one of a commit; errno, which is set to 0 before each step, still has it. */
static int reason_of(const crdi_db *db)
{
    int now = errno, known = db->handle ? sqlite3_system_errno(db->handle) : 0;
    return !known && crdi_lack_of_room(now) ? now : known;
}

static crd_status status_of(const crdi_db *db, int code, int system)
{
    if (is_full(code, system))
        return CRD_EFULL;
    switch (code) {
    case SQLITE_IOERR_NOMEM:
        return CRD_ENOMEM;
    case SQLITE_IOERR_SHORT_READ:
    case SQLITE_IOERR_CORRUPTFS:
        return CRD_EDAMAGED;
    default:
        break;
    }
    switch (code & 0xff) {
    case SQLITE_NOMEM:
        return CRD_ENOMEM;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_MISMATCH:
        return CRD_EDAMAGED;
    case SQLITE_ERROR: /* a table or column that is not there: of the file's making, or of ours */
    case SQLITE_SCHEMA:
    case SQLITE_AUTH:
        return db->mode == CRDI_DB_READ ? CRD_EDAMAGED : CRD_EINTERNAL;
    case SQLITE_TOOBIG:
        return db->mode == CRDI_DB_READ ? CRD_EDAMAGED : CRD_EUNSUPPORTED;
    case SQLITE_CANTOPEN:
        return db->mode == CRDI_DB_CREATE && system == ENOENT ? CRD_EMISSING : CRD_EIO;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
        return CRD_EINTERNAL;
    default: /* read-only, locked, permissions, I/O */
        return CRD_EIO;
    }
}

/* What is behind the reason; "" if there is nothing to say. */
static const char *advice(int code, int system)
{
    const char *room = crdi_lack_of_room(system);
    if (is_full(code, system))
        return room ? room : crdi_lack_of_room(ENOSPC);
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return "another process holds it";
    case SQLITE_TOOBIG:
        return "one array, state or piece of draws may have 1 GB in a run file";
    default:
        return "";
    }
}

static crd_status report(crdi_db *db, crd_status status)
{
    if (!db->quiet)
        crdi_raise(db->ctx, status, "%s", db->message);
    return status;
}

/* Whether the path has another file now than the one that was opened. */
static bool is_replaced(const crdi_db *db)
{
    struct stat now;
    return db->real && stat(db->real, &now) == 0 && (now.st_ino != (ino_t)db->file || now.st_dev != (dev_t)db->device);
}

static crd_status fail_replaced(crdi_db *db)
{
    snprintf(db->message, sizeof db->message, "%s: another run has taken its place while it was read; try again",
             db->path);
    return report(db, CRD_EIO);
}

static crd_status fail(crdi_db *db, int code, const char *reason)
{
    if (is_replaced(db))
        return fail_replaced(db);
    int system = reason_of(db);
    char text[128] = "";
    bool of_system = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
    if (of_system && system)
        snprintf(text, sizeof text, " (%s)", strerror_r(system, (char[96]){""}, 96));
    const char *help = advice(code, system);
    snprintf(db->message, sizeof db->message, "%s: %s%s%s%s", db->path, reason, text, *help ? "; " : "", help);
    return report(db, status_of(db, code, system));
}

static crd_status fail_handle(crdi_db *db, int code)
{
    if ((code & 0xff) == SQLITE_NOTADB && db->mode == CRDI_DB_READ)
        return fail(db, code, "this is no run file of credence (file is not a database)");
    if (code == SQLITE_READONLY_DBMOVED)
        return fail(db, code, "the file was moved or deleted while it was being written");
    if ((code & 0xff) == SQLITE_READONLY && db->mode != CRDI_DB_READ)
        return fail(db, code, "may not be written: the permissions of the file or of its folder forbid it");
    if ((code & 0xff) == SQLITE_CORRUPT && db->mode == CRDI_DB_READ)
        return fail(db, code,
                    "a damaged or cut-off run file (database disk image is malformed); of one that was killed or "
                    "copied while it was written, its log (-wal) belongs beside it");
    return fail(db, code, db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(code));
}

crd_status crdi_db_damaged(crdi_db *db, const char *format, ...)
{
    va_list arguments;
    if (db->failed < 0) /* what looks damaged is what could not be read */
        return report(db, db->failed);
    if (is_replaced(db))
        return fail_replaced(db);
    va_start(arguments, format);
    int used = snprintf(db->message, sizeof db->message, "%s: ", db->path);
    if (used > 0 && (size_t)used < sizeof db->message)
        vsnprintf(db->message + used, sizeof db->message - (size_t)used, format, arguments);
    va_end(arguments);
    return report(db, CRD_EDAMAGED);
}

/* ---- connections -------------------------------------------------------------------------------------------- */

/* Whether something stands beside the database that must be applied to it before it can be read. */
static bool has_companion(const char *path)
{
    static const char *const suffix[] = {"-wal", "-journal"};
    char companion[PATH_MAX];
    struct stat file;
    for (int i = 0; i < CRDI_COUNT(suffix); i++) {
        int length = snprintf(companion, sizeof companion, "%s%s", path, suffix[i]);
        if (length < (int)sizeof companion && stat(companion, &file) == 0 && file.st_size > 0)
            return true;
    }
    return false;
}

/* A file with the mark of a write-ahead log cannot be opened from a directory that is not writable, although there may
 * be no log any more. Then it is read as a file that nobody changes. */
static crd_status open_immutable(crdi_db *db, const char *path)
{
    crdi_string uri;
    crdi_string_init(&uri, db->ctx);
    crdi_string_append(&uri, "file:");
    for (const char *p = path; *p; p++)
        crdi_string_append(&uri, strchr("?#%", *p) ? "%%%02x" : "%c", (unsigned char)*p);
    crdi_string_append(&uri, "?immutable=1");
    sqlite3_close(db->handle);
    db->handle = NULL;
    crd_status status = uri.status;
    if (status == CRD_OK) {
        sqlite3 *handle = NULL;
        int code =
            sqlite3_open_v2(uri.text, &handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
        db->handle = handle;
        status = code == SQLITE_OK ? CRD_OK : fail_handle(db, code);
    }
    crdi_string_clear(&uri);
    return status;
}

/* The first read: SQLite opens nothing before it. */
static int touch(sqlite3 *handle)
{
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_busy_timeout(handle, 10000);
    return sqlite3_exec(handle, "PRAGMA schema_version", NULL, NULL, NULL);
}

/* A writer with a rollback journal was killed in a transaction: whoever may write to the file undoes it. */
static int roll_back(const char *path)
{
    sqlite3 *handle = NULL;
    int code = sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK)
        code = touch(handle);
    sqlite3_close(handle);
    return code;
}

static crd_status probe(crdi_db *db, const char *path)
{
    int code = touch(db->handle);
    if (db->mode == CRDI_DB_READ && code == SQLITE_READONLY_ROLLBACK) {
        int undone = roll_back(path);
        if ((undone & 0xff) == SQLITE_FULL || (undone & 0xff) == SQLITE_IOERR)
            return fail(db, undone, "an unfinished transaction stands beside it and cannot be undone");
        code = touch(db->handle);
    }
    bool shut = (code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_READONLY;
    if (shut && db->mode == CRDI_DB_READ && access(path, R_OK) == 0) {
        if (has_companion(path))
            return fail(db, code,
                        "its log stands beside it and must be applied first, which needs leave to write in its folder; "
                        "copy both to one of your own");
        CRD_TRY(open_immutable(db, path));
        code = touch(db->handle);
    }
    return code == SQLITE_OK ? CRD_OK : fail_handle(db, code);
}

/* Whether the file itself says that it keeps a write-ahead log (SQLite's file format: byte 19, from 0, is 2). */
static bool keeps_log(const char *path)
{
    enum { READ_VERSION = 19 };
    unsigned char start[READ_VERSION + 1] = {0};
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    ssize_t size = file >= 0 ? read(file, start, sizeof start) : 0;
    if (file >= 0)
        close(file);
    return size < (ssize_t)sizeof start || start[READ_VERSION] != 1; /* too short to tell: as SQLite takes it */
}

static bool has_log(const char *real)
{
    char log[PATH_MAX];
    struct stat file;
    int length = snprintf(log, sizeof log, "%s-wal", real);
    return length < (int)sizeof log && stat(log, &file) == 0 && file.st_size > 0;
}

/* A log beside a file that keeps none is that of another file, which stood there before: SQLite would apply it all the same. A log goes before the
 * mark in the file, and comes after it: where both are asked for twice, a run that ends or begins meanwhile is not taken for that. */
static crd_status check_log(crdi_db *db, const char *real)
{
    if (!has_log(real) || keeps_log(real) || !has_log(real) || keeps_log(real))
        return CRD_OK;
    snprintf(db->message, sizeof db->message,
             "%s: %.200s-wal beside it is not its log, but of a run that stood here and was killed, or somebody's own; "
             "move it away, or the file",
             db->path, strrchr(real, '/') + 1);
    return report(db, CRD_EDAMAGED);
}

static crd_status open_handle(crdi_db *db, const char *path)
{
    static const int flags[] = {[CRDI_DB_READ] = SQLITE_OPEN_READONLY,
                                [CRDI_DB_WRITE] = SQLITE_OPEN_READWRITE,
                                [CRDI_DB_CREATE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE};
    struct stat file;
    if (db->mode != CRDI_DB_CREATE && stat(path, &file) != 0) {
        int reason = errno;
        bool missing = reason == ENOENT || reason == ENOTDIR;
        snprintf(db->message, sizeof db->message, "%s: %s", db->path,
                 missing ? "no such file" : strerror_r(reason, (char[96]){""}, 96));
        return report(db, missing ? CRD_EMISSING : CRD_EIO);
    }
    if (db->mode != CRDI_DB_CREATE && !S_ISREG(file.st_mode))
        return crdi_db_damaged(db, "this is not a file");
    char real[PATH_MAX];
    bool known = db->mode != CRDI_DB_CREATE && realpath(path, real);
    if (known)
        CRD_TRY(check_log(db, real));
    if (known && db->mode == CRDI_DB_READ) {
        if (!(db->real = crdi_strdup(db->ctx, real)))
            return CRD_ENOMEM;
        db->device = (uint64_t)file.st_dev;
        db->file = (uint64_t)file.st_ino;
    }
    sqlite3 *handle = NULL;
    int code = sqlite3_open_v2(path, &handle, flags[db->mode] | SQLITE_OPEN_NOMUTEX, NULL);
    db->handle = handle;
    if (code != SQLITE_OK)
        return fail_handle(db, code);
    return probe(db, path);
}

static crd_status set_up(crdi_db *db)
{
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return crdi_db_run(db, "PRAGMA cell_size_check = ON");
}

crd_status crdi_db_open(crd_context *ctx, const char *path, const char *shown, crdi_db_mode mode, crdi_db **out)
{
    crdi_db *db = crdi_alloc(ctx, sizeof *db);
    if (!db)
        return CRD_ENOMEM;
    *db = (crdi_db){.ctx = ctx, .mode = mode, .path = crdi_strdup(ctx, shown ? shown : path)};
    crd_status status = db->path ? open_handle(db, path) : CRD_ENOMEM;
    if (status == CRD_OK)
        status = set_up(db);
    if (status < 0) {
        crdi_db_close(&db);
        return status;
    }
    *out = db;
    return CRD_OK;
}

void crdi_db_close(crdi_db **db)
{
    if (!db || !*db)
        return;
    sqlite3_close_v2((*db)->handle);
    crdi_free((*db)->ctx, (*db)->path);
    crdi_free((*db)->ctx, (*db)->real);
    crdi_free((*db)->ctx, *db);
    *db = NULL;
}

void crdi_db_keep_log(crdi_db *db, bool keep)
{
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, (int)keep, NULL);
}

void crdi_db_set_patience(crdi_db *db, double seconds)
{
    sqlite3_busy_timeout(db->handle, (int)(1000 * seconds));
}

crd_status crdi_db_run(crdi_db *db, const char *sql)
{
    errno = 0;
    int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? CRD_OK : fail_handle(db, code);
}

crd_status crdi_db_integer(crdi_db *db, const char *sql, int64_t *out)
{
    crdi_query query = {0};
    bool row = false;
    CRD_TRY(crdi_query_open(db, sql, &query));
    crd_status status = crdi_query_next(&query, &row);
    if (status == CRD_OK && !row)
        status = crdi_db_damaged(db, "no answer to %s", sql);
    if (status == CRD_OK)
        *out = crdi_value_integer(&query, 0);
    crdi_query_close(&query);
    return status;
}

crd_status crdi_db_begin(crdi_db *db, bool write)
{
    return crdi_db_run(db, write ? "BEGIN IMMEDIATE" : "BEGIN");
}

crd_status crdi_db_end(crdi_db *db, crd_status status)
{
    if (status == CRD_OK)
        status = crdi_db_run(db, "COMMIT");
    if (status < 0 && !sqlite3_get_autocommit(db->handle))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

crd_status crdi_db_journal(crdi_db *db, bool log, bool *out)
{
    crdi_query query = {0};
    bool row = false;
    CRD_TRY(crdi_query_open(db, log ? "PRAGMA journal_mode = WAL" : "PRAGMA journal_mode = DELETE", &query));
    int code = sqlite3_step(query.statement);
    crd_status status = CRD_OK;
    if ((code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED || (code & 0xff) == SQLITE_CANTOPEN) {
        crdi_query_close(&query); /* somebody is in the way: as before */
        CRD_TRY(crdi_query_open(db, "PRAGMA journal_mode", &query));
        status = crdi_query_next(&query, &row);
    } else if (code != SQLITE_ROW) {
        status = fail_handle(db, code);
    }
    if (status == CRD_OK)
        *out = strcmp(crdi_value_text(&query, 0), "wal") == 0;
    crdi_query_close(&query);
    return status;
}

/* ---- queries ------------------------------------------------------------------------------------------------ */

crd_status crdi_query_open(crdi_db *db, const char *sql, crdi_query *out)
{
    sqlite3_stmt *statement = NULL;
    if (db->failed < 0)
        return report(db, db->failed);
    int code = sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL);
    if (code != SQLITE_OK)
        return fail_handle(db, code);
    *out = (crdi_query){.db = db, .statement = statement};
    return CRD_OK;
}

void crdi_query_close(crdi_query *query)
{
    sqlite3_finalize(query->statement);
    *query = (crdi_query){0};
}

static void keep(crdi_query *query, int code)
{
    if (query->bound == SQLITE_OK)
        query->bound = code;
}

void crdi_bind_integer(crdi_query *query, int i, int64_t value)
{
    keep(query, sqlite3_bind_int64(query->statement, i, value));
}

void crdi_bind_real(crdi_query *query, int i, double value)
{
    keep(query, sqlite3_bind_double(query->statement, i, value));
}

void crdi_bind_text(crdi_query *query, int i, const char *text)
{
    keep(query, sqlite3_bind_text(query->statement, i, text, -1, SQLITE_STATIC));
}

void crdi_bind_blob(crdi_query *query, int i, const void *bytes, size_t size)
{
    /* A null pointer would bind NULL where an empty blob is meant. */
    keep(query, sqlite3_bind_blob64(query->statement, i, size ? bytes : "", size, SQLITE_STATIC));
}

crd_status crdi_query_status(const crdi_query *query)
{
    return query->db->failed < 0 ? report(query->db, query->db->failed) : CRD_OK;
}

crd_status crdi_query_next(crdi_query *query, bool *row)
{
    if (query->bound != SQLITE_OK)
        return fail(query->db, query->bound, sqlite3_errstr(query->bound));
    CRD_TRY(crdi_query_status(query));
    bool begins = !sqlite3_stmt_busy(query->statement);
    errno = 0;
    int code = sqlite3_step(query->statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return fail_handle(query->db, code);
    if (begins && is_replaced(query->db)) /* asked behind the step: from there on SQLite looks at no file anew */
        return fail_replaced(query->db);
    *row = code == SQLITE_ROW;
    return CRD_OK;
}

crd_status crdi_query_run(crdi_query *query)
{
    bool row = true;
    crd_status status = CRD_OK;
    while (status == CRD_OK && row)
        status = crdi_query_next(query, &row);
    crdi_query_reset(query);
    return status;
}

void crdi_query_reset(crdi_query *query)
{
    sqlite3_reset(query->statement);
    query->bound = SQLITE_OK;
}

crdi_value_type crdi_value_type_of(const crdi_query *query, int i)
{
    switch (sqlite3_column_type(query->statement, i)) {
    case SQLITE_INTEGER:
        return CRDI_VALUE_INTEGER;
    case SQLITE_FLOAT:
        return CRDI_VALUE_REAL;
    case SQLITE_TEXT:
        return CRDI_VALUE_TEXT;
    case SQLITE_BLOB:
        return CRDI_VALUE_BLOB;
    default:
        return CRDI_VALUE_NULL;
    }
}

int64_t crdi_value_integer(const crdi_query *query, int i)
{
    return sqlite3_column_int64(query->statement, i);
}

double crdi_value_real(const crdi_query *query, int i)
{
    return sqlite3_column_double(query->statement, i);
}

/* Even to hand a value over may take memory. */
static void note_lack(const crdi_query *query)
{
    if (sqlite3_errcode(query->db->handle) == SQLITE_NOMEM && query->db->failed == CRD_OK)
        query->db->failed = fail_handle(query->db, SQLITE_NOMEM);
}

const char *crdi_value_text(const crdi_query *query, int i)
{
    const char *text = (const char *)sqlite3_column_text(query->statement, i);
    if (!text)
        note_lack(query);
    return text ? text : "";
}

const void *crdi_value_blob(const crdi_query *query, int i, size_t *size)
{
    const void *bytes = sqlite3_column_blob(query->statement, i);
    if (!bytes)
        note_lack(query);
    *size = bytes ? (size_t)sqlite3_column_bytes(query->statement, i) : 0;
    return bytes;
}

const char *crdi_sqlite_version(void)
{
    return sqlite3_libversion();
}
