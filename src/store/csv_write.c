/* csv_write.c - tables out, as RFC 4180 with LF line ends. */
#include "store/csv.h"
#include "store/output.h"

#include <stdio.h>
#include <string.h>

struct crdi_csv_writer {
    crd_context *ctx;
    crdi_output *output;
    int64_t columns;
    int64_t cells; /* of the row being written */
};

static void begin_cell(crdi_csv_writer *w)
{
    if (w->cells++)
        crdi_output_write(w->output, ",", 1);
}

void crdi_csv_writer_number(crdi_csv_writer *w, double value)
{
    char text[32];
    begin_cell(w);
    crdi_format_double(text, value);
    crdi_output_write(w->output, text, strlen(text));
}

void crdi_csv_writer_integer(crdi_csv_writer *w, int64_t value)
{
    char text[32];
    begin_cell(w);
    int length = snprintf(text, sizeof text, "%lld", (long long)value);
    crdi_output_write(w->output, text, (size_t)length);
}

/* Text as it is, but for what a terminal would obey: a table is looked at in one, and nobody means such a name. Line ends and
 * tabs stay. */
static void write_text(crdi_csv_writer *w, const char *text, size_t length)
{
    const char *end = text + length, *from = text;
    while (text < end) {
        uint32_t c = 0;
        char escaped[16];
        int bytes = crdi_utf8_decode(text, end, &c);
        bool stays = bytes == 0 || !crdi_is_control(c) || c == '\n' || c == '\t' || (c == '\r' && text[1] == '\n');
        if (!stays) {
            crdi_output_write(w->output, from, (size_t)(text - from));
            int made = snprintf(escaped, sizeof escaped, c < 0x80 ? "\\x%02x" : "\\u%04x", (unsigned)c);
            crdi_output_write(w->output, escaped, (size_t)made);
            from = text + bytes;
        }
        text += bytes ? bytes : 1;
    }
    crdi_output_write(w->output, from, (size_t)(end - from));
}

/* A reader must see one cell and the same text: separators of any reader, quotes, line ends, outer blanks, emptiness. */
static bool needs_quotes(const char *text)
{
    size_t length = strlen(text);
    return length == 0 || strpbrk(text, ",;\t\"\r\n") || text[0] == ' ' || text[length - 1] == ' ';
}

void crdi_csv_writer_text(crdi_csv_writer *w, const char *text)
{
    begin_cell(w);
    if (!needs_quotes(text)) {
        write_text(w, text, strlen(text));
        return;
    }
    crdi_output_write(w->output, "\"", 1);
    for (const char *quote; (quote = strchr(text, '"')); text = quote + 1) {
        write_text(w, text, (size_t)(quote + 1 - text));
        crdi_output_write(w->output, "\"", 1);
    }
    write_text(w, text, strlen(text));
    crdi_output_write(w->output, "\"", 1);
}

crd_status crdi_csv_writer_end_row(crdi_csv_writer *w)
{
    CRDI_ASSERT(w->cells == w->columns);
    crdi_output_write(w->output, "\n", 1);
    w->cells = 0;
    return crdi_output_status(w->output);
}

crd_status crdi_csv_writer_row(crdi_csv_writer *w, const double *values)
{
    for (int64_t c = 0; c < w->columns; c++)
        crdi_csv_writer_number(w, values[c]);
    return crdi_csv_writer_end_row(w);
}

/* Takes the output and writes the line of names. */
static crd_status begin(crdi_csv_writer **out, crd_context *ctx, crdi_output *output, const char *const *names,
                        int64_t count)
{
    crdi_csv_writer *w = crdi_alloc(ctx, sizeof *w);
    if (!w) {
        crdi_output_abort(&output);
        return CRD_ENOMEM;
    }
    *w = (crdi_csv_writer){.ctx = ctx, .output = output, .columns = count};
    for (int64_t c = 0; c < count; c++)
        crdi_csv_writer_text(w, names[c]);
    crd_status status = crdi_csv_writer_end_row(w);
    if (status < 0)
        crdi_csv_writer_abort(&w);
    else
        *out = w;
    return status;
}

crd_status crdi_csv_writer_open(crdi_csv_writer **out, crd_context *ctx, const char *path, bool force,
                                const char *const *names, int64_t count)
{
    crdi_output *output;
    CRD_TRY(crdi_output_open(&output, ctx, path, force));
    return begin(out, ctx, output, names, count);
}

crd_status crdi_csv_writer_open_to(crdi_csv_writer **out, crd_context *ctx, int file, const char *name,
                                   const char *const *names, int64_t count)
{
    crdi_output *output;
    CRD_TRY(crdi_output_open_to(&output, ctx, file, name));
    return begin(out, ctx, output, names, count);
}

crd_status crdi_csv_writer_commit(crdi_csv_writer **writer)
{
    crdi_csv_writer *w = *writer;
    CRDI_ASSERT(w->cells == 0);
    crd_status status = crdi_output_commit(&w->output);
    crdi_free(w->ctx, w);
    *writer = NULL;
    return status;
}

void crdi_csv_writer_abort(crdi_csv_writer **writer)
{
    if (!writer || !*writer)
        return;
    crdi_output_abort(&(*writer)->output);
    crdi_free((*writer)->ctx, *writer);
    *writer = NULL;
}
