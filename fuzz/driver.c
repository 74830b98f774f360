/* driver.c - main for a target where the compiler brings none: runs files, folders of files, or standard input. With AFL++ it
 * takes its inputs from the fuzzer, many in one process. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static long inputs;

static int run_stream(FILE *in)
{
    size_t size = 0, room = 1 << 16;
    uint8_t *bytes = malloc(room);
    for (size_t got; bytes && (got = fread(bytes + size, 1, room - size, in)) > 0;) {
        size += got;
        if (size == room)
            bytes = realloc(bytes, room *= 2);
    }
    if (!bytes)
        return 1;
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    inputs++;
    return 0;
}

static int run_path(const char *path)
{
    struct stat what;
    if (stat(path, &what) != 0) {
        fprintf(stderr, "%s: cannot be read\n", path);
        return 1;
    }
    if (S_ISDIR(what.st_mode)) {
        struct dirent **entry;
        int failed = 0, count = scandir(path, &entry, NULL, alphasort);
        for (int i = 0; i < count; i++) {
            char name[4096];
            snprintf(name, sizeof name, "%s/%s", path, entry[i]->d_name);
            if (entry[i]->d_name[0] != '.')
                failed |= run_path(name);
            free(entry[i]);
        }
        free(entry);
        return failed || count < 0;
    }
    FILE *in = fopen(path, "rb");
    if (!in)
        return 1;
    fprintf(stderr, "%s\n", path); /* the last line names the input that ended the program */
    int failed = run_stream(in);
    fclose(in);
    return failed;
}

#ifdef __AFL_FUZZ_TESTCASE_LEN
/* What AFL++ puts here is not plain C. */
#pragma clang diagnostic ignored "-Wextra-semi"
#pragma clang diagnostic ignored "-Wgnu-statement-expression"
__AFL_FUZZ_INIT();
#endif

int main(int argc, char **argv)
{
    int failed = 0;
#ifdef __AFL_FUZZ_TESTCASE_LEN
    if (argc < 2) {
        __AFL_INIT();
        unsigned char *bytes = __AFL_FUZZ_TESTCASE_BUF;
        while (__AFL_LOOP(10000))
            LLVMFuzzerTestOneInput(bytes, (size_t)__AFL_FUZZ_TESTCASE_LEN);
        return 0;
    }
#endif
    if (argc < 2)
        return run_stream(stdin);
    for (int i = 1; i < argc; i++)
        failed |= run_path(argv[i]);
    printf("%ld inputs\n", inputs);
    return failed || inputs == 0;
}
