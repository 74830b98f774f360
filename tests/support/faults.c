/* faults.c - see faults.h. */
#include "faults.h"
#include "testing.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static testing_fault armed;
static int64_t left;
static bool fired;

/* Counts a call; true: it is to fail. */
static bool strike(testing_fault fault)
{
    pthread_mutex_lock(&lock);
    bool hit = armed == fault && (left > 0 ? --left == 0 : fired && fault == TESTING_FAULT_FULL);
    fired = fired || hit;
    pthread_mutex_unlock(&lock);
    return hit;
}

void testing_fault_set(testing_fault fault, int64_t k)
{
    pthread_mutex_lock(&lock);
    armed = fault;
    left = k;
    fired = false;
    pthread_mutex_unlock(&lock);
    testing_fail_allocation(fault == TESTING_FAULT_ALLOCATION ? k : 0);
}

bool testing_fault_fired(void)
{
    return armed == TESTING_FAULT_ALLOCATION ? testing_allocation_failed() : fired;
}

const char *testing_fault_name(testing_fault fault)
{
    static const char *const names[] = {"nothing", "allocation", "SQLite's allocation", "write", "full disk"};
    return names[fault];
}

/* ---- SQLite's memory ----------------------------------------------------------------------------------------- */

static sqlite3_mem_methods memory;

static void *fail_malloc(int size)
{
    return strike(TESTING_FAULT_SQLITE_MEMORY) ? NULL : memory.xMalloc(size);
}

static void *fail_realloc(void *block, int size)
{
    return strike(TESTING_FAULT_SQLITE_MEMORY) ? NULL : memory.xRealloc(block, size);
}

int64_t testing_sqlite_memory(void)
{
    return sqlite3_memory_used();
}

/* ---- files: the default VFS, with some calls that fail ------------------------------------------------------- */

/* A file of ours stands before the true one, in one block. */
struct file {
    sqlite3_file base;
    sqlite3_file *true_file;
};

static sqlite3_vfs shim;
static sqlite3_vfs *true_vfs;

static sqlite3_file *behind(sqlite3_file *file)
{
    return ((struct file *)(void *)file)->true_file;
}

/* A full disk refuses what takes room; to make room is always possible. */
static int refuse(int code, bool takes_room)
{
    if (takes_room && strike(TESTING_FAULT_FULL))
        return SQLITE_FULL;
    return strike(TESTING_FAULT_WRITE) ? code : SQLITE_OK;
}

#define PASS(file, method, ...) (behind(file)->pMethods->method(behind(file), __VA_ARGS__))

static int x_close(sqlite3_file *f)
{
    return behind(f)->pMethods->xClose(behind(f));
}
static int x_read(sqlite3_file *f, void *to, int count, sqlite3_int64 at)
{
    return PASS(f, xRead, to, count, at);
}
static int x_write(sqlite3_file *f, const void *from, int count, sqlite3_int64 at)
{
    int code = refuse(SQLITE_IOERR_WRITE, true);
    return code ? code : PASS(f, xWrite, from, count, at);
}
static int x_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    int code = refuse(SQLITE_IOERR_TRUNCATE, false);
    return code ? code : PASS(f, xTruncate, size);
}
static int x_sync(sqlite3_file *f, int flags)
{
    int code = refuse(SQLITE_IOERR_FSYNC, true);
    return code ? code : PASS(f, xSync, flags);
}
static int x_size(sqlite3_file *f, sqlite3_int64 *size)
{
    return PASS(f, xFileSize, size);
}
static int x_lock(sqlite3_file *f, int level)
{
    return PASS(f, xLock, level);
}
static int x_unlock(sqlite3_file *f, int level)
{
    return PASS(f, xUnlock, level);
}
static int x_reserved(sqlite3_file *f, int *out)
{
    return PASS(f, xCheckReservedLock, out);
}
static int x_control(sqlite3_file *f, int what, void *argument)
{
    return PASS(f, xFileControl, what, argument);
}
static int x_sector(sqlite3_file *f)
{
    return behind(f)->pMethods->xSectorSize(behind(f));
}
static int x_traits(sqlite3_file *f)
{
    return behind(f)->pMethods->xDeviceCharacteristics(behind(f));
}
static int x_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    return PASS(f, xShmMap, page, size, extend, out);
}
static int x_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    return PASS(f, xShmLock, offset, n, flags);
}
static void x_shm_barrier(sqlite3_file *f)
{
    behind(f)->pMethods->xShmBarrier(behind(f));
}
static int x_shm_unmap(sqlite3_file *f, int delete)
{
    return PASS(f, xShmUnmap, delete);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = x_close,
    .xRead = x_read,
    .xWrite = x_write,
    .xTruncate = x_truncate,
    .xSync = x_sync,
    .xFileSize = x_size,
    .xLock = x_lock,
    .xUnlock = x_unlock,
    .xCheckReservedLock = x_reserved,
    .xFileControl = x_control,
    .xSectorSize = x_sector,
    .xDeviceCharacteristics = x_traits,
    .xShmMap = x_shm_map,
    .xShmLock = x_shm_lock,
    .xShmBarrier = x_shm_barrier,
    .xShmUnmap = x_shm_unmap,
};

static int x_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out_flags)
{
    struct file *file = (struct file *)(void *)f;
    (void)vfs;
    file->true_file = (sqlite3_file *)(void *)(file + 1);
    int code = true_vfs->xOpen(true_vfs, name, file->true_file, flags, out_flags);
    f->pMethods = file->true_file->pMethods ? &methods : NULL;
    return code;
}

static int x_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    (void)vfs;
    int code = refuse(SQLITE_IOERR_DELETE, false);
    return code ? code : true_vfs->xDelete(true_vfs, name, sync);
}

void testing_faults_install(void)
{
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory);
    sqlite3_mem_methods failing = memory;
    failing.xMalloc = fail_malloc;
    failing.xRealloc = fail_realloc;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &failing);
    sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0); /* so that every small block is one that can fail */
    sqlite3_initialize();
    true_vfs = sqlite3_vfs_find(NULL);
    shim = *true_vfs;
    shim.pNext = NULL;
    shim.zName = "failing";
    shim.szOsFile = (int)sizeof(struct file) + true_vfs->szOsFile;
    shim.xOpen = x_open;
    shim.xDelete = x_delete;
    sqlite3_vfs_register(&shim, 1);
}
