/* sqlite.h - the only door to SQLite: connections and queries whose errors are credence's statuses.
 *
 * sqlite.c alone includes sqlite3.h. A failed call leaves "PATH: reason" in the connection and, unless the connection
 * is quiet, raises it in the context. One connection serves one thread at a time; the caller sees to that. */
#ifndef CRDI_SQLITE_H
#define CRDI_SQLITE_H

#include "base/base.h"

enum { CRDI_DB_MESSAGE = 512 };

typedef enum crdi_db_mode {
    CRDI_DB_READ, /* an existing file that nothing is written to, however hostile its contents */
    CRDI_DB_WRITE, /* an existing file */
    CRDI_DB_CREATE /* a file that is made if it is not there */
} crdi_db_mode;

typedef struct crdi_db {
    crd_context *ctx;
    void *handle; /* sqlite3 */
    char *path; /* as messages name it */
    crdi_db_mode mode;
    uint64_t device, file; /* of CRDI_DB_READ: which file stood at the path when it was opened */
    char *real; /* of that file, whatever becomes of links and of the folder that we are in; NULL: not known */
    bool quiet; /* errors stay here: the connection is used by a background thread */
    char message[CRDI_DB_MESSAGE]; /* of the last error */
    crd_status failed; /* set by a call that answers without a status: queries fail from then on */
} crdi_db;

/* A statement with its parameters. Binding is sticky: a failure is kept and comes out of the next step. */
typedef struct crdi_query {
    crdi_db *db;
    void *statement; /* sqlite3_stmt */
    int bound; /* the first failure of a bind, in SQLite's numbers; 0 if none */
} crdi_query;

typedef enum crdi_value_type {
    CRDI_VALUE_INTEGER = 1,
    CRDI_VALUE_REAL,
    CRDI_VALUE_TEXT,
    CRDI_VALUE_BLOB,
    CRDI_VALUE_NULL
} crdi_value_type;

/* Opens a database. `shown` is the path that messages name (NULL: path itself; always of CRDI_DB_READ). Where another file is put in
 * the place of one that is read, queries fail from then on with CRD_EIO: SQLite would apply the other's log to it.
 * CRD_EMISSING: no such file or directory; CRD_EDAMAGED: not a database; CRD_EIO: it cannot be read or written. */
crd_status crdi_db_open(crd_context *ctx, const char *path, const char *shown, crdi_db_mode mode, crdi_db **out);
void crdi_db_close(crdi_db **db);

/* Waits this long for a lock of another process before it gives up. */
void crdi_db_set_patience(crdi_db *db, double seconds);

/* Whether the log stays beside the file when the last connection is closed, instead of being folded in. */
void crdi_db_keep_log(crdi_db *db, bool keep);

crd_status crdi_db_run(crdi_db *db, const char *sql); /* statements without results */
crd_status crdi_db_integer(crdi_db *db, const char *sql, int64_t *out); /* the first value of the first row */
crd_status crdi_db_begin(crdi_db *db, bool write);
/* Commits if status is a success and rolls back otherwise; returns the first error of the two. */
crd_status crdi_db_end(crdi_db *db, crd_status status);
/* Write-ahead log if `log`, else a rollback journal. out: whether there is a log now; another connection may be in the
 * way, or the file system, and that is no error. */
crd_status crdi_db_journal(crdi_db *db, bool log, bool *out);
/* Raises CRD_EDAMAGED "PATH: ..." (or leaves it in a quiet connection). */
crd_status crdi_db_damaged(crdi_db *db, const char *format, ...) CRD_PRINTF(2, 3);

crd_status crdi_query_open(crdi_db *db, const char *sql, crdi_query *out);
void crdi_query_close(crdi_query *query); /* an empty query is accepted */
void crdi_bind_integer(crdi_query *query, int i, int64_t value); /* i counts from 1 */
void crdi_bind_real(crdi_query *query, int i, double value);
void crdi_bind_text(crdi_query *query, int i, const char *text); /* borrowed until the query is run */
void crdi_bind_blob(crdi_query *query, int i, const void *bytes, size_t size);
crd_status crdi_query_next(crdi_query *query, bool *row);
/* Whether the values taken from the row were all there: to hand one over may take memory. The next query fails, too. */
crd_status crdi_query_status(const crdi_query *query);
crd_status crdi_query_run(crdi_query *query); /* to the end; ready for the next bind */
void crdi_query_reset(crdi_query *query);

/* Values of the row; i counts from 0. Text and bytes are borrowed until the next call on the query. */
crdi_value_type crdi_value_type_of(const crdi_query *query, int i);
int64_t crdi_value_integer(const crdi_query *query, int i);
double crdi_value_real(const crdi_query *query, int i);
const char *crdi_value_text(const crdi_query *query, int i); /* "" when there is none */
const void *crdi_value_blob(const crdi_query *query, int i, size_t *size);

const char *crdi_sqlite_version(void); /* of the library in use: "3.40.1". Static storage */

#endif
