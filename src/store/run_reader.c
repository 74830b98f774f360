/* run_reader.c - reading a run file, which may be damaged, hostile, or being written at this moment.
 *
 * Nothing is believed: the tables must be ours word for word, every row carries a checksum over its key and contents,
 * and extents are checked against each other and against the size of the file before memory is asked for. What belongs
 * together is read in one transaction, that is, from one state of the file. */
#include "store/run_read.h"

#include <math.h>
#include <string.h>

enum { MOST_LANES = 1 << 20 };
enum { SMALL_FILE = 16 << 20 }; /* checked as a whole when it is opened */

/* ---- entries ------------------------------------------------------------------------------------------------ */

crd_status crdi_run_check_entry(crd_run *run, const crdi_query *query, const char *key, int i)
{
    crdi_value_type type = crdi_value_type_of(query, i);
    unsigned char bytes[8];
    const void *start = bytes;
    size_t size = sizeof bytes;
    double real = crdi_value_real(query, i);
    uint64_t integer = (uint64_t)crdi_value_integer(query, i);
    if (type == CRDI_VALUE_TEXT || type == CRDI_VALUE_BLOB)
        start = crdi_value_blob(query, i, &size);
    else if (type == CRDI_VALUE_REAL)
        crdi_encode(bytes, &real, 1);
    else if (type == CRDI_VALUE_NULL)
        size = 0;
    for (int k = 0; type == CRDI_VALUE_INTEGER && k < 8; k++)
        bytes[k] = (unsigned char)(integer >> (8 * k));
    if (crdi_value_integer(query, i + 1) == (int64_t)crdi_check_meta(key, type, start, size))
        return CRD_OK;
    return crdi_db_damaged(run->db, "the entry '%s' does not match its checksum", key);
}

static crd_status check_meta_row(crd_run *run, const crdi_query *query)
{
    return crdi_run_check_entry(run, query, crdi_value_text(query, 0), 1);
}

crd_status crdi_run_check_entries(crd_run *run)
{
    return crdi_run_check_rows(run, "SELECT key, value, check_sum FROM meta", check_meta_row);
}

crd_status crdi_run_find_entry(crd_run *run, const char *key, crdi_query *query, bool *found)
{
    CRD_TRY(crdi_query_open(run->db, "SELECT value, check_sum FROM meta WHERE key = ?", query));
    crdi_bind_text(query, 1, key);
    crd_status status = crdi_query_next(query, found);
    if (status == CRD_OK && *found)
        status = crdi_run_check_entry(run, query, key, 0);
    if (status < 0)
        crdi_query_close(query);
    return status;
}

/* The same, of a type that fits. */
static crd_status need_entry(crd_run *run, const char *key, const char *type, bool (*fits)(crdi_value_type),
                             crdi_query *query)
{
    bool found = false;
    CRD_TRY(crdi_run_find_entry(run, key, query, &found));
    if (found && fits(crdi_value_type_of(query, 0)))
        return CRD_OK;
    crdi_query_close(query);
    if (found)
        return crdi_db_damaged(run->db, "the entry '%s' is no %s", key, type);
    return crdi_raise(run->ctx, CRD_EMISSING, "%s: there is no entry '%s'", run->db->path, key);
}

static bool is_text(crdi_value_type type)
{
    return type == CRDI_VALUE_TEXT;
}

static bool is_blob(crdi_value_type type)
{
    return type == CRDI_VALUE_BLOB;
}

static bool is_integer(crdi_value_type type)
{
    return type == CRDI_VALUE_INTEGER;
}

static bool is_number(crdi_value_type type)
{
    return type == CRDI_VALUE_REAL || type == CRDI_VALUE_INTEGER || type == CRDI_VALUE_NULL;
}

bool crdi_run_has(crd_run *run, const char *key)
{
    crdi_query query = {0};
    bool found = false;
    crd_status status = crdi_run_find_entry(run, key, &query, &found);
    if (status < 0) { /* not known: whoever goes on reading learns of it */
        run->db->failed = status;
        return false;
    }
    crdi_query_close(&query);
    return found;
}

crd_status crdi_run_failure_of(const crd_run *run)
{
    return run->db->failed;
}

crd_status crdi_run_get_text(crd_run *run, const char *key, char **out)
{
    crdi_query query = {0};
    CRD_TRY(need_entry(run, key, "text", is_text, &query));
    char *text = crdi_strdup(run->ctx, crdi_value_text(&query, 0));
    crd_status status = text ? crdi_query_status(&query) : CRD_ENOMEM;
    crdi_query_close(&query);
    if (status < 0)
        crdi_free(run->ctx, text);
    else
        *out = text;
    return status;
}

static double number_of(const crdi_query *query)
{
    return crdi_value_type_of(query, 0) == CRDI_VALUE_NULL ? NAN : crdi_value_real(query, 0);
}

crd_status crdi_run_get_number(crd_run *run, const char *key, double *out)
{
    crdi_query query = {0};
    CRD_TRY(need_entry(run, key, "number", is_number, &query));
    *out = number_of(&query);
    crdi_query_close(&query);
    return CRD_OK;
}

crd_status crdi_run_optional_number(crd_run *run, const char *key, double *out)
{
    crdi_query query = {0};
    bool found = false;
    CRD_TRY(crdi_run_find_entry(run, key, &query, &found));
    if (found && is_number(crdi_value_type_of(&query, 0)))
        *out = number_of(&query);
    crdi_query_close(&query);
    return CRD_OK;
}

crd_status crdi_run_get_integer(crd_run *run, const char *key, int64_t *out)
{
    crdi_query query = {0};
    CRD_TRY(need_entry(run, key, "whole number", is_integer, &query));
    *out = crdi_value_integer(&query, 0);
    crdi_query_close(&query);
    return CRD_OK;
}

/* Copies the blob of a row; an empty one gives a block of no bytes. */
static crd_status copy_blob(crd_run *run, const crdi_query *query, int i, void **out, size_t *out_size)
{
    size_t size;
    const void *bytes = crdi_value_blob(query, i, &size);
    CRD_TRY(crdi_query_status(query));
    void *copy = crdi_alloc(run->ctx, size);
    if (!copy)
        return CRD_ENOMEM;
    if (size)
        memcpy(copy, bytes, size);
    *out = copy;
    *out_size = size;
    return CRD_OK;
}

crd_status crdi_run_get_blob(crd_run *run, const char *key, void **out, size_t *size)
{
    crdi_query query = {0};
    CRD_TRY(need_entry(run, key, "blob", is_blob, &query));
    crd_status status = copy_blob(run, &query, 0, out, size);
    crdi_query_close(&query);
    return status;
}

/* ---- arrays and states -------------------------------------------------------------------------------------- */

crd_status crdi_run_check_data(crd_run *run, const crdi_query *query, crd_shape *shape)
{
    size_t size;
    const void *bytes = crdi_value_blob(query, 2, &size);
    const char *name = crdi_value_text(query, 0), *text = crdi_value_text(query, 1);
    if (crdi_value_integer(query, 3) != (int64_t)crdi_check_data(name, text, bytes, size))
        return crdi_db_damaged(run->db, "the data '%s' do not match their checksum", name);
    if (!crdi_shape_read(text, shape) || (uint64_t)crd_shape_size(*shape) * sizeof(double) != size)
        return crdi_db_damaged(run->db, "the data '%s' are not of shape (%s)", name, text);
    return CRD_OK;
}

static crd_status copy_array(crd_run *run, const crdi_query *query, crd_array *out)
{
    crd_shape shape;
    crd_array array;
    size_t size;
    CRD_TRY(crdi_run_check_data(run, query, &shape));
    CRD_TRY(crd_array_init(run->ctx, &array, shape));
    crdi_decode(array.data, crdi_value_blob(query, 2, &size), crd_shape_size(shape));
    *out = array;
    return CRD_OK;
}

crd_status crdi_run_get_array(crd_run *run, const char *name, crd_array *out)
{
    crdi_query query = {0};
    bool row = false;
    CRD_TRY(crdi_query_open(run->db, "SELECT name, shape, numbers, check_sum FROM data WHERE name = ?", &query));
    crdi_bind_text(&query, 1, name);
    crd_status status = crdi_query_next(&query, &row);
    if (status == CRD_OK && !row)
        status = crdi_raise(run->ctx, CRD_EMISSING, "%s: there are no data '%s'", run->db->path, name);
    if (status == CRD_OK)
        status = copy_array(run, &query, out);
    crdi_query_close(&query);
    return status;
}

crd_status crdi_run_check_state(crd_run *run, const crdi_query *query)
{
    size_t size;
    const void *bytes = crdi_value_blob(query, 2, &size);
    int64_t chain = crdi_value_integer(query, 0), iteration = crdi_value_integer(query, 1);
    if (crdi_value_integer(query, 3) == (int64_t)crdi_check_state(chain, iteration, bytes, size))
        return CRD_OK;
    return crdi_db_damaged(run->db, "the state of chain %lld does not match its checksum", (long long)chain);
}

crd_status crdi_run_count_states(crd_run *run, int *lanes)
{
    int64_t count;
    CRD_TRY(crdi_db_integer(run->db, "SELECT coalesce(max(chain) + 1, 0) FROM state", &count));
    if (count < 0 || count > MOST_LANES)
        return crdi_db_damaged(run->db, "it has the state of a chain %lld", (long long)count - 1);
    *lanes = (int)count;
    return CRD_OK;
}

crd_status crdi_run_read_state(crd_run *run, int chain, int64_t *iteration, void **bytes, size_t *size)
{
    crdi_query query = {0};
    bool row = false;
    CRD_TRY(crdi_query_open(run->db, "SELECT chain, iteration, bytes, check_sum FROM state WHERE chain = ?", &query));
    crdi_bind_integer(&query, 1, chain);
    crd_status status = crdi_query_next(&query, &row);
    if (status == CRD_OK && !row)
        status = crdi_raise(run->ctx, CRD_EMISSING, "%s: chain %d left no state", run->db->path, chain);
    if (status == CRD_OK)
        status = crdi_run_check_state(run, &query);
    if (status == CRD_OK)
        status = copy_blob(run, &query, 2, bytes, size);
    if (status == CRD_OK)
        *iteration = crdi_value_integer(&query, 1);
    crdi_query_close(&query);
    return status;
}

/* ---- opening ------------------------------------------------------------------------------------------------ */

static crd_status check_identity(crd_run *run)
{
    int64_t application = 0, version = 0;
    CRD_TRY(crdi_db_integer(run->db, "PRAGMA application_id", &application));
    if (application != CRDI_RUN_APPLICATION)
        return crdi_db_damaged(run->db, "this is no run file of credence");
    CRD_TRY(crdi_db_integer(run->db, "PRAGMA user_version", &version));
    if (version > CRDI_RUN_VERSION)
        return crdi_raise(run->ctx, CRD_EVERSION, "%s: has format %lld; this version of credence (%s) reads up to %d",
                          run->db->path, (long long)version, crd_version(), CRDI_RUN_VERSION);
    return version < 1 ? crdi_db_damaged(run->db, "has format %lld", (long long)version) : CRD_OK;
}

/* The tables are ours and there is nothing else: no view, no trigger that a query would run. */
static crd_status check_schema(crd_run *run)
{
    crdi_query query = {0};
    bool row = false;
    int64_t there = 0, ours = 0;
    CRD_TRY(crdi_db_integer(run->db, "SELECT COUNT(*) FROM sqlite_schema WHERE sql IS NOT NULL", &there));
    CRD_TRY(crdi_query_open(run->db, "SELECT 1 FROM sqlite_schema WHERE sql = ?", &query));
    crd_status status = CRD_OK;
    for (int i = 0; status == CRD_OK && i < CRDI_RUN_SCHEMA_COUNT; i++) {
        crdi_bind_text(&query, 1, crdi_run_schema[i]);
        status = crdi_query_next(&query, &row);
        ours += row;
        crdi_query_reset(&query);
    }
    crdi_query_close(&query);
    if (status == CRD_OK && (ours != CRDI_RUN_SCHEMA_COUNT || there != ours))
        return crdi_db_damaged(run->db, "its tables are not those of a run file");
    return status;
}

crd_status crdi_run_check_structure(crd_run *run, const char *pragma)
{
    crdi_query query = {0};
    bool row = false;
    CRD_TRY(crdi_query_open(run->db, pragma, &query));
    crd_status status = crdi_query_next(&query, &row);
    const char *text = status == CRD_OK && row ? crdi_value_text(&query, 0) : "no answer";
    const char *first = strncmp(text, "*** in database", 15) == 0 && strchr(text, '\n') ? strchr(text, '\n') + 1 : text;
    if (status == CRD_OK && strcmp(text, "ok") != 0)
        status = crdi_db_damaged(run->db, "the file is damaged: %.*s", (int)strcspn(first, "\n"), first);
    crdi_query_close(&query);
    return status;
}

crd_status crdi_run_file_size(crd_run *run, int64_t *out)
{
    int64_t pages = 0, page = 0;
    CRD_TRY(crdi_db_integer(run->db, "PRAGMA page_count", &pages));
    CRD_TRY(crdi_db_integer(run->db, "PRAGMA page_size", &page));
    *out = pages * page;
    return CRD_OK;
}

/* An entry without which there is no run. */
static crd_status load_extent(crd_run *run, const char *key, int64_t *out)
{
    crdi_query query = {0};
    bool found = false;
    CRD_TRY(crdi_run_find_entry(run, key, &query, &found));
    found = found && is_integer(crdi_value_type_of(&query, 0));
    if (found)
        *out = crdi_value_integer(&query, 0);
    crdi_query_close(&query);
    return found ? CRD_OK : crdi_db_damaged(run->db, "the entry '%s' is missing", key);
}

static crd_status load_column(crd_run *run, const crdi_query *query, int64_t expected)
{
    int64_t id = crdi_value_integer(query, 0), kind = crdi_value_integer(query, 2), size = crdi_value_integer(query, 4);
    const char *name = crdi_value_text(query, 1), *text = crdi_value_text(query, 3);
    crd_shape shape;
    if (crdi_value_integer(query, 5) != (int64_t)crdi_check_column(id, name, kind, text, size) || id != expected)
        return crdi_db_damaged(run->db, "column %lld does not match its checksum", (long long)expected);
    if (!crdi_shape_read(text, &shape) || crd_shape_size(shape) != size || kind < 0 || kind > CRD_COLUMN_STATISTIC ||
        size > CRDI_RUN_DRAW_BYTES / (int64_t)sizeof(double))
        return crdi_db_damaged(run->db, "column %lld has shape (%s) and kind %lld", (long long)expected, text,
                               (long long)kind);
    char *copy = crdi_strdup(run->ctx, name);
    if (!copy)
        return CRD_ENOMEM;
    run->column[run->column_count++] =
        (crd_column){.name = copy, .kind = (crd_column_kind)kind, .shape = shape, .size = size};
    return CRD_OK;
}

static crd_status load_columns(crd_run *run)
{
    crdi_query query = {0};
    bool row = true;
    int64_t count = 0, entry = 0;
    CRD_TRY(crdi_db_integer(run->db, "SELECT COUNT(*) FROM site", &count));
    CRD_TRY(load_extent(run, "columns", &entry));
    if (count != entry || count > INT32_MAX)
        return crdi_db_damaged(run->db, "has %lld columns of %lld", (long long)count, (long long)entry);
    run->column = crdi_alloc_array(run->ctx, count, sizeof *run->column);
    if (!run->column)
        return CRD_ENOMEM;
    CRD_TRY(crdi_query_open(run->db, "SELECT id, name, kind, shape, size, check_sum FROM site ORDER BY id", &query));
    crd_status status = crdi_query_next(&query, &row);
    while (status == CRD_OK && row && run->column_count < count) {
        status = load_column(run, &query, run->column_count);
        if (status == CRD_OK)
            status = crdi_query_next(&query, &row);
    }
    crdi_query_close(&query);
    if (status == CRD_OK && run->column_count != count)
        return crdi_db_damaged(run->db, "has %d columns of %lld", run->column_count, (long long)count);
    return status;
}

static crd_status load(crd_run *run)
{
    int64_t size = 0, chains = 0;
    CRD_TRY(check_identity(run));
    CRD_TRY(crdi_run_file_size(run, &size));
    if (size <= SMALL_FILE)
        CRD_TRY(crdi_run_check_structure(run, "PRAGMA quick_check(1)"));
    CRD_TRY(check_schema(run));
    CRD_TRY(crdi_run_check_entries(run)); /* they are short, and no command reads them all: options, say */
    CRD_TRY(load_extent(run, "chains", &chains));
    if (chains < 1 || chains > INT16_MAX)
        return crdi_db_damaged(run->db, "has %lld chains", (long long)chains);
    run->chains = (int)chains;
    return load_columns(run);
}

crd_status crd_run_open(crd_context *ctx, const char *path, crd_run **out)
{
    crd_run *run = crdi_alloc(ctx, sizeof *run);
    if (!run)
        return CRD_ENOMEM;
    run->ctx = ctx;
    crd_status status = crdi_db_open(ctx, path, NULL, CRDI_DB_READ, &run->db);
    if (status == CRD_OK)
        status = crdi_db_begin(run->db, false);
    if (status == CRD_OK)
        status = crdi_db_end(run->db, load(run));
    if (status < 0) {
        crd_run_close(&run);
        return status;
    }
    *out = run;
    return CRD_OK;
}

void crd_run_close(crd_run **run)
{
    if (!run || !*run)
        return;
    crd_run *r = *run;
    for (int c = 0; c < r->column_count; c++)
        crdi_free(r->ctx, r->column[c].name);
    for (int i = 0; r->instead && i < r->column_count * r->chains; i++)
        crdi_free(r->ctx, r->instead[i]);
    crdi_free(r->ctx, r->instead);
    crdi_free(r->ctx, r->shown);
    crdi_free(r->ctx, r->column);
    crdi_db_close(&r->db);
    crdi_free(r->ctx, r);
    *run = NULL;
}

int crd_run_chains(const crd_run *run)
{
    return run->chains;
}

int crd_run_column_count(const crd_run *run)
{
    return run->column_count;
}

const crd_column *crd_run_column(const crd_run *run, int i)
{
    return i >= 0 && i < run->column_count ? &run->column[i] : NULL;
}

static const char *column_name(const void *list, int64_t i)
{
    return ((const crd_column *)list)[i].name;
}

crd_status crd_run_find(const crd_run *run, const char *name, const crd_column **out)
{
    for (int c = 0; c < run->column_count; c++) {
        if (strcmp(run->column[c].name, name) == 0) {
            *out = &run->column[c];
            return CRD_OK;
        }
    }
    return crdi_raise_unknown(run->ctx, "column", name, column_name, run->column, run->column_count);
}
