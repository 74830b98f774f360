/* command.c - see command.h. */
#include "command.h"
#include "cli/command.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_WORDS = 80 };

static int split(char *at, char **word)
{
    int count = 1;
    word[0] = NULL;
    while (*at) {
        char end = *at == '\'' ? '\'' : ' ';
        at += end == '\'';
        word[count++] = at;
        assert_true(count < MOST_WORDS);
        while (*at && *at != end)
            at++;
        if (*at)
            *at++ = 0;
        while (*at == ' ')
            at++;
    }
    word[count] = NULL;
    return count;
}

crd_status testing_command(crd_context *ctx, const char *text)
{
    char *line = strdup(text), *word[MOST_WORDS + 1];
    int count = split(line, word), kept = dup(STDOUT_FILENO), to = open("printed", O_WRONLY | O_CREAT | O_TRUNC, 0666);
    fflush(stdout);
    dup2(to, STDOUT_FILENO);
    close(to);
    crdi_cli cli = {.ctx = ctx, .width = 80};
    crd_status status = crdi_cli_run(&cli, count, word);
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    free(line);
    return status;
}

struct testing_bytes testing_slurp(const char *name)
{
    struct testing_bytes all = {NULL, 0};
    struct stat file;
    FILE *in = fopen(name, "rb");
    if (!in)
        return all;
    assert_int_equal(fstat(fileno(in), &file), 0);
    all = (struct testing_bytes){malloc((size_t)file.st_size + 1), (size_t)file.st_size};
    assert_int_equal(fread(all.start, 1, all.size, in), all.size);
    all.start[all.size] = 0;
    fclose(in);
    return all;
}

void testing_spit(const char *name, const void *bytes, size_t size)
{
    FILE *out = fopen(name, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
}

static char folder[128];

int testing_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s/credence-test-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

int testing_folder_remove(void **state)
{
    (void)state;
    DIR *all = opendir(folder);
    for (struct dirent *entry = readdir(all); entry; entry = readdir(all))
        unlink(entry->d_name);
    closedir(all);
    return chdir("/") == 0 ? rmdir(folder) : -1;
}
