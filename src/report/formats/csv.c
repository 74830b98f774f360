/* csv.c - draws as one table; see run_csv.h. */
#include "report/formats.h"
#include "report/run_csv.h"

#include <unistd.h>

static crd_status write_format(const crdi_export *request)
{
    crdi_csv_place place = {
        .path = request->path, .force = request->force, .file = STDOUT_FILENO, .name = "standard output"};
    return crdi_run_csv(request->ctx, request->net->run, &place);
}

const crdi_draws_format crdi_format_csv = {.write = write_format};
