/* faults.h - things that fail on purpose: the k-th allocation of SQLite, the k-th write of a database, a disk that is full from the k-th write on. Allocations of a context: testing_fail_allocation. */
#ifndef CRD_TESTING_FAULTS_H
#define CRD_TESTING_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum testing_fault {
    TESTING_FAULT_NONE,
    TESTING_FAULT_ALLOCATION, /* through the context's allocator */
    TESTING_FAULT_SQLITE_MEMORY,
    TESTING_FAULT_WRITE, /* the k-th write, truncation or sync of a database file fails, the next one does not */
    TESTING_FAULT_FULL, /* from the k-th write on there is no room */
    TESTING_FAULT_COUNT
} testing_fault;

/* Puts the shims in place, before anything uses SQLite; main() calls it. */
void testing_faults_install(void);
/* From now on the k-th call of this kind fails. Ends what was set before; TESTING_FAULT_NONE ends it alone. */
void testing_fault_set(testing_fault fault, int64_t k);
/* Whether the fault that was set last came to pass. */
bool testing_fault_fired(void);
const char *testing_fault_name(testing_fault fault);

/* Bytes that SQLite holds at this moment, of all connections. */
int64_t testing_sqlite_memory(void);

#endif
