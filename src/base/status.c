/* status.c - names, texts and exit codes, all from CRD_STATUS_LIST. */
#include <credence/status.h>

struct row {
    crd_status status;
    const char *name;
    const char *text;
    int exit_code;
};

static const struct row rows[] = {
#define ROW(name, value, exit_code, text) {CRD_##name, #name, text, exit_code},
    CRD_STATUS_LIST(ROW)
#undef ROW
};

static const struct row *find(crd_status status)
{
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].status == status)
            return &rows[i];
    return 0;
}

const char *crd_status_name(crd_status status)
{
    const struct row *row = find(status);
    return row ? row->name : "unknown";
}

const char *crd_status_text(crd_status status)
{
    const struct row *row = find(status);
    return row ? row->text : "unknown status";
}

int crd_status_exit_code(crd_status status)
{
    const struct row *row = find(status);
    return row ? row->exit_code : 63;
}
