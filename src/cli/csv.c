/* csv.c - see csv.h. */
#include "cli/csv.h"

#include <string.h>

static const crdi_option rows[] = {
#define OPT(...) CRDI_OPTION_ROW(crdi_csv_options, __VA_ARGS__)
#include "cli/csv.def"
#undef OPT
};

const crdi_option_table crdi_csv_table = CRDI_OPTION_TABLE("csv", crdi_csv_options, rows);

crd_status crdi_cli_read_table(crdi_cli *cli, const crdi_cli_call *call, const char *path, crd_table **out)
{
    const crdi_csv_options *o = crdi_cli_values(call, &crdi_csv_table);
    crd_csv_options csv = {.no_header = o->no_header};
    CRD_TRY(crd_csv_separator(cli->ctx, o->sep, &csv.separator));
    return crd_csv_read(cli->ctx, path, &csv, out);
}

crd_na crdi_cli_na(const crdi_cli_call *call)
{
    const crdi_csv_options *o = crdi_cli_values(call, &crdi_csv_table);
    return strcmp(o->na, "drop") == 0 ? CRD_NA_DROP : CRD_NA_ERROR;
}
