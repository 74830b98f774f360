/* run_list.h - what stands in a run file, without knowing beforehand: its entries, arrays and states, one by one. */
#ifndef CRDI_RUN_LIST_H
#define CRDI_RUN_LIST_H

#include "store/run.h"

/* The keys of all entries (or, with `arrays`, the names of all arrays), in the order of their bytes. Owned:
 * crdi_run_names_clear. */
typedef struct crdi_run_names {
    char **name;
    int64_t count, capacity;
} crdi_run_names;
crd_status crdi_run_list(crd_context *ctx, crd_run *run, bool arrays, crdi_run_names *out);
void crdi_run_names_clear(crd_context *ctx, crdi_run_names *names);

/* An entry of any type. Owned: crdi_run_entry_clear. CRD_EMISSING if there is none. */
typedef enum crdi_entry_type {
    CRDI_ENTRY_NAN,
    CRDI_ENTRY_INTEGER,
    CRDI_ENTRY_REAL,
    CRDI_ENTRY_TEXT,
    CRDI_ENTRY_BLOB
} crdi_entry_type;
typedef struct crdi_run_entry {
    crdi_entry_type type;
    int64_t integer;
    double real;
    char *bytes; /* of a text or a blob, with a zero byte behind them */
    size_t size;
} crdi_run_entry;
crd_status crdi_run_get_entry(crd_context *ctx, crd_run *run, const char *key, crdi_run_entry *out);
void crdi_run_entry_clear(crd_context *ctx, crdi_run_entry *entry);

/* Whether a chain left a state, verified; after how many iterations, and of how many bytes. */
crd_status crdi_run_find_state(crd_run *run, int chain, bool *found, int64_t *iteration, size_t *size);

/* Version of the format, and bytes of the file. */
crd_status crdi_run_extent(crd_run *run, int64_t *version, int64_t *bytes);

#endif
