/* rows_out.c - see rows_out.h. */
#include "report/rows_out.h"
#include "report/table.h"
#include "store/csv.h"
#include "store/output.h"

#include <math.h>
#include <string.h>

struct crdi_rows_out {
    crd_context *ctx;
    crdi_rows_form form;
    crdi_csv_writer *csv; /* of CSV */
    crdi_output *output; /* of the others */
    crdi_arena *arena; /* names and cells of text */
    const char **name;
    int64_t columns, cells; /* cells written so far, of all rows */
    int64_t capacity;
    const char **cell; /* of text: (rows, columns) */
    crdi_string json;
    crdi_json_writer writer;
    crd_status status;
};

static crd_status open_output(crdi_rows_out *r, const crdi_csv_place *place, const char *const *names)
{
    if (r->form == CRDI_ROWS_CSV)
        return place->path ? crdi_csv_writer_open(&r->csv, r->ctx, place->path, place->force, names, r->columns)
                           : crdi_csv_writer_open_to(&r->csv, r->ctx, place->file, place->name, names, r->columns);
    CRD_TRY(crdi_arena_create(&r->arena, r->ctx));
    r->name = crdi_arena_alloc(r->arena, (size_t)r->columns * sizeof *r->name);
    if (!r->name)
        return CRD_ENOMEM;
    for (int64_t c = 0; c < r->columns; c++)
        if (!(r->name[c] = crdi_arena_strdup(r->arena, names[c])))
            return CRD_ENOMEM;
    crdi_string_init(&r->json, r->ctx);
    r->writer = (crdi_json_writer){.out = &r->json};
    if (r->form == CRDI_ROWS_JSON) {
        crdi_json_open(&r->writer, NULL, '{');
        crdi_json_open(&r->writer, "rows", '[');
    }
    return place->path ? crdi_output_open(&r->output, r->ctx, place->path, place->force)
                       : crdi_output_open_to(&r->output, r->ctx, place->file, place->name);
}

crd_status crdi_rows_out_open(crdi_rows_out **out, crd_context *ctx, const crdi_csv_place *place,
                              const char *const *names, int64_t count)
{
    crdi_rows_out *r = crdi_alloc(ctx, sizeof *r);
    if (!r)
        return CRD_ENOMEM;
    *r = (crdi_rows_out){.ctx = ctx, .form = place->form, .columns = count};
    crd_status status = open_output(r, place, names);
    if (status < 0)
        crdi_rows_out_abort(&r);
    else
        *out = r;
    return status;
}

static void add_cell(crdi_rows_out *r, const char *text)
{
    if (r->status < 0)
        return;
    if (r->cells == r->capacity) {
        int64_t capacity = r->capacity ? 2 * r->capacity : 256;
        const char **more = crdi_alloc_array(r->ctx, capacity, sizeof *more);
        if (!more) {
            r->status = CRD_ENOMEM;
            return;
        }
        if (r->cells)
            memcpy(more, r->cell, (size_t)r->cells * sizeof *more);
        crdi_free(r->ctx, r->cell);
        r->cell = more;
        r->capacity = capacity;
    }
    r->cell[r->cells] = crdi_arena_strdup(r->arena, text);
    if (!r->cell[r->cells])
        r->status = CRD_ENOMEM;
}

/* The name of the next cell; the first one opens the row. */
static const char *next_key(crdi_rows_out *r)
{
    if (r->cells % r->columns == 0) {
        r->writer.line = true;
        crdi_json_open(&r->writer, NULL, '{');
    }
    return r->name[r->cells % r->columns];
}

void crdi_rows_out_number(crdi_rows_out *r, double value)
{
    char text[32];
    if (r->form == CRDI_ROWS_CSV) {
        crdi_csv_writer_number(r->csv, value);
        return;
    }
    if (r->form == CRDI_ROWS_JSON) {
        const char *key = next_key(r);
        if (isfinite(value))
            crdi_json_put_number(&r->writer, key, value);
        else
            crdi_json_put_text(&r->writer, key, NULL);
    } else {
        crdi_format(text, sizeof text, "%.5g", value);
        add_cell(r, text);
    }
    r->cells++;
}

void crdi_rows_out_text(crdi_rows_out *r, const char *text)
{
    if (r->form == CRDI_ROWS_CSV) {
        crdi_csv_writer_text(r->csv, text);
        return;
    }
    if (r->form == CRDI_ROWS_JSON)
        crdi_json_put_text(&r->writer, next_key(r), text);
    else
        add_cell(r, text);
    r->cells++;
}

crd_status crdi_rows_out_end_row(crdi_rows_out *r)
{
    if (r->form == CRDI_ROWS_CSV)
        return crdi_csv_writer_end_row(r->csv);
    CRDI_ASSERT(r->cells % r->columns == 0);
    if (r->form == CRDI_ROWS_JSON)
        crdi_json_close(&r->writer, '}');
    if (r->status == CRD_OK)
        r->status = r->json.status;
    return r->status;
}

static crd_status finish(crdi_rows_out *r)
{
    if (r->form == CRDI_ROWS_CSV)
        return crdi_csv_writer_commit(&r->csv);
    CRD_TRY(r->status);
    if (r->form == CRDI_ROWS_JSON) {
        crdi_json_close(&r->writer, ']');
        crdi_json_close(&r->writer, '}');
        crdi_string_append(&r->json, "\n");
    } else {
        CRD_TRY(crdi_table_text(&r->json, &(crdi_table){.columns = (int)r->columns,
                                                        .header = r->name,
                                                        .rows = r->cells / r->columns,
                                                        .cell = r->cell,
                                                        .least_width = 8}));
    }
    CRD_TRY(r->json.status);
    crdi_output_write(r->output, crdi_string_text(&r->json), r->json.length);
    return crdi_output_commit(&r->output);
}

crd_status crdi_rows_out_commit(crdi_rows_out **rows)
{
    crd_status status = finish(*rows);
    crdi_rows_out_abort(rows);
    return status;
}

void crdi_rows_out_abort(crdi_rows_out **rows)
{
    crdi_rows_out *r = rows ? *rows : NULL;
    if (!r)
        return;
    crdi_csv_writer_abort(&r->csv);
    crdi_output_abort(&r->output);
    crdi_string_clear(&r->json);
    crdi_free(r->ctx, r->cell);
    crdi_arena_destroy(&r->arena);
    crdi_free(r->ctx, r);
    *rows = NULL;
}
