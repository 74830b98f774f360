/* run_list.c - see run_list.h. */
#include "store/run_list.h"
#include "store/run_read.h"

#include <string.h>

static crd_status add_name(crd_context *ctx, crdi_run_names *names, const char *name)
{
    CRD_TRY(crdi_grow(ctx, &names->name, &names->capacity, names->count, sizeof *names->name));
    names->name[names->count] = crdi_strdup(ctx, name);
    return names->name[names->count] ? (names->count++, CRD_OK) : CRD_ENOMEM;
}

crd_status crdi_run_list(crd_context *ctx, crd_run *run, bool arrays, crdi_run_names *out)
{
    crdi_query query = {0};
    crdi_run_names names = {0};
    bool row = true;
    CRD_TRY(crdi_query_open(
        run->db, arrays ? "SELECT name FROM data ORDER BY name" : "SELECT key FROM meta ORDER BY key", &query));
    crd_status status = crdi_query_next(&query, &row);
    while (status == CRD_OK && row) {
        status = add_name(ctx, &names, crdi_value_text(&query, 0));
        if (status == CRD_OK)
            status = crdi_query_next(&query, &row);
    }
    crdi_query_close(&query);
    if (status < 0)
        crdi_run_names_clear(ctx, &names);
    else
        *out = names;
    return status;
}

void crdi_run_names_clear(crd_context *ctx, crdi_run_names *names)
{
    for (int64_t i = 0; i < names->count; i++)
        crdi_free(ctx, names->name[i]);
    crdi_free(ctx, names->name);
    *names = (crdi_run_names){0};
}

static crd_status copy_entry(crd_context *ctx, const crdi_query *query, crdi_run_entry *out)
{
    static const crdi_entry_type types[] = {[CRDI_VALUE_NULL] = CRDI_ENTRY_NAN,
                                            [CRDI_VALUE_INTEGER] = CRDI_ENTRY_INTEGER,
                                            [CRDI_VALUE_REAL] = CRDI_ENTRY_REAL,
                                            [CRDI_VALUE_TEXT] = CRDI_ENTRY_TEXT,
                                            [CRDI_VALUE_BLOB] = CRDI_ENTRY_BLOB};
    crdi_run_entry entry = {.type = types[crdi_value_type_of(query, 0)]};
    if (entry.type == CRDI_ENTRY_INTEGER)
        entry.integer = crdi_value_integer(query, 0);
    if (entry.type == CRDI_ENTRY_REAL)
        entry.real = crdi_value_real(query, 0);
    if (entry.type == CRDI_ENTRY_TEXT || entry.type == CRDI_ENTRY_BLOB) {
        const void *bytes = crdi_value_blob(query, 0, &entry.size);
        CRD_TRY(crdi_query_status(query));
        entry.bytes = crdi_alloc(ctx, entry.size + 1);
        if (!entry.bytes)
            return CRD_ENOMEM;
        if (entry.size)
            memcpy(entry.bytes, bytes, entry.size);
    }
    *out = entry;
    return CRD_OK;
}

crd_status crdi_run_get_entry(crd_context *ctx, crd_run *run, const char *key, crdi_run_entry *out)
{
    crdi_query query = {0};
    bool found = false;
    CRD_TRY(crdi_run_find_entry(run, key, &query, &found));
    crd_status status = found ? copy_entry(ctx, &query, out)
                              : crdi_raise(ctx, CRD_EMISSING, "%s: there is no entry '%s'", run->db->path, key);
    crdi_query_close(&query);
    return status;
}

void crdi_run_entry_clear(crd_context *ctx, crdi_run_entry *entry)
{
    crdi_free(ctx, entry->bytes);
    *entry = (crdi_run_entry){0};
}

crd_status crdi_run_find_state(crd_run *run, int chain, bool *found, int64_t *iteration, size_t *size)
{
    crdi_query query = {0};
    CRD_TRY(crdi_query_open(run->db, "SELECT chain, iteration, bytes, check_sum FROM state WHERE chain = ?", &query));
    crdi_bind_integer(&query, 1, chain);
    bool row = false;
    crd_status status = crdi_query_next(&query, &row);
    if (status == CRD_OK && row)
        status = crdi_run_check_state(run, &query);
    if (status == CRD_OK) {
        *found = row;
        *iteration = row ? crdi_value_integer(&query, 1) : 0;
        *size = 0;
        if (row)
            (void)crdi_value_blob(&query, 2, size);
        status = crdi_query_status(&query);
    }
    crdi_query_close(&query);
    return status;
}

crd_status crdi_run_extent(crd_run *run, int64_t *version, int64_t *bytes)
{
    CRD_TRY(crdi_db_integer(run->db, "PRAGMA user_version", version));
    return crdi_run_file_size(run, bytes);
}
