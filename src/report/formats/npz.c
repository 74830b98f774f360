/* npz.c - draws as NumPy's archive: a zip file that holds NAME.npy a column, (chains, draws, *shape), under the column's own
 * name. The arrays are stored as they are; their checksums follow them (zip's APPNOTE 6.3, sec. 4.3.9). */
#include "report/formats.h"
#include "store/output.h"

#include <limits.h>
#include <string.h>

enum {
    HEADER = 256,
    STORED_FLAGS = 0x0808,
    VERSION = 20,
    DOS_DATE = 0x21
}; /* sizes behind the data; names are UTF-8 */

struct member {
    char *name;
    uint32_t crc, size, offset;
};

struct archive {
    crd_context *ctx;
    crd_run *run;
    crdi_run_part part;
    crdi_output *output;
    uint32_t table[256]; /* of the checksum, a byte at a time */
    uint64_t written;
    struct member *member;
    int64_t count;
};

/* ---- bytes ------------------------------------------------------------------------------------------------------ */

/* CRC-32 of zip, reflected polynomial 0xEDB88320. */
static void make_table(uint32_t table[256])
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++)
            c = c & 1 ? 0xEDB88320U ^ c >> 1 : c >> 1;
        table[i] = c;
    }
}

static void put(struct archive *a, const void *bytes, size_t length)
{
    crdi_output_write(a->output, bytes, length);
    a->written += length;
}

/* Little-endian numbers of 2 or 4 bytes: fields of the zip format. */
static void put_numbers(struct archive *a, const char *widths, const uint32_t *value)
{
    for (; *widths; widths++, value++) {
        unsigned char byte[4];
        for (int i = 0; i < 4; i++)
            byte[i] = (unsigned char)(*value >> 8 * i);
        put(a, byte, (size_t)(*widths - '0'));
    }
}

static void put_contents(struct archive *a, struct member *m, const void *bytes, size_t length)
{
    const unsigned char *at = bytes;
    uint32_t c = m->crc ^ 0xFFFFFFFFU;
    for (size_t i = 0; i < length; i++)
        c = a->table[(c ^ at[i]) & 255] ^ c >> 8;
    m->crc = c ^ 0xFFFFFFFFU;
    put(a, bytes, length);
}

/* ---- arrays ----------------------------------------------------------------------------------------------------- */

/* The header of an array (NumPy's format, version 1.0): padded so that the numbers begin at a multiple of 64. */
static crd_status npy_header(struct archive *a, const crd_column *column, char out[HEADER])
{
    crdi_string s;
    crdi_string_init(&s, a->ctx);
    crdi_string_append(&s, "{'descr': '<f8', 'fortran_order': False, 'shape': (%d, %lld", a->part.chains,
                       (long long)a->part.draws);
    for (int i = 0; i < column->shape.ndim; i++)
        crdi_string_append(&s, ", %lld", (long long)column->shape.dim[i]);
    crdi_string_append(&s, "), }");
    crd_status status = s.status;
    if (status == CRD_OK && s.length + 11 > HEADER) /* magic, version, length, and the line's end */
        status = crdi_raise(a->ctx, CRD_EUNSUPPORTED, "npz: the shape of %s is too long to be written", column->name);
    if (status == CRD_OK) {
        memset(out, ' ', HEADER);
        memcpy(out, "\x93NUMPY\x01\x00\xf6\x00", 10); /* 246 bytes follow */
        memcpy(out + 10, crdi_string_text(&s), s.length);
        out[HEADER - 1] = '\n';
    }
    crdi_string_clear(&s);
    return status;
}

/* Doubles go out little-endian on every machine. */
static void to_little_endian(double *x, int64_t n)
{
    const uint16_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    for (int64_t i = 0; first == 0 && i < n; i++) {
        unsigned char byte[8], turned[8];
        memcpy(byte, &x[i], 8);
        for (int k = 0; k < 8; k++)
            turned[k] = byte[7 - k];
        memcpy(&x[i], turned, 8);
    }
}

static crd_status put_draws(struct archive *a, const crd_column *column, struct member *m)
{
    int64_t together = (1 << 20) / (column->size > 0 ? column->size : 1);
    together = together < 1 ? 1 : together < a->part.draws ? together : a->part.draws;
    double *piece = crdi_alloc_array(a->ctx, together * column->size, sizeof *piece);
    crd_status status = piece ? CRD_OK : CRD_ENOMEM;
    for (int c = 0; c < a->part.chains; c++)
        for (int64_t first = 0; first < a->part.draws && status == CRD_OK; first += together) {
            int64_t n = a->part.draws - first < together ? a->part.draws - first : together;
            status = crdi_run_read_range(a->run, column, a->part.chain[c], first, n, piece);
            if (status < 0)
                break;
            to_little_endian(piece, n * column->size);
            put_contents(a, m, piece, (size_t)(n * column->size) * sizeof *piece);
        }
    crdi_free(a->ctx, piece);
    return status;
}

static crd_status add_member(struct archive *a, const crd_column *column)
{
    char header[HEADER];
    struct member *m = &a->member[a->count];
    uint64_t size = HEADER + (uint64_t)a->part.chains * (uint64_t)a->part.draws * (uint64_t)column->size * 8;
    crdi_string name;
    crdi_string_init(&name, a->ctx);
    crdi_string_append(&name, "%s.npy", column->name);
    m->name = name.status == CRD_OK ? crdi_strdup(a->ctx, crdi_string_text(&name)) : NULL;
    crdi_string_clear(&name);
    if (!m->name)
        return CRD_ENOMEM;
    a->count++;
    if (a->written + size > UINT32_MAX - (1 << 20))
        return crdi_raise(a->ctx, CRD_EUNSUPPORTED, "npz: more than 4 GiB of draws; --to netcdf has no such limit");
    CRD_TRY(npy_header(a, column, header));
    m->offset = (uint32_t)a->written;
    m->size = (uint32_t)size;
    uint32_t length = (uint32_t)strlen(m->name);
    put_numbers(a, "42222244422",
                (const uint32_t[]){0x04034b50, VERSION, STORED_FLAGS, 0, 0, DOS_DATE, 0, 0, 0, length, 0});
    put(a, m->name, length);
    put_contents(a, m, header, sizeof header);
    CRD_TRY(put_draws(a, column, m));
    put_numbers(a, "4444", (const uint32_t[]){0x08074b50, m->crc, m->size, m->size});
    return crdi_output_status(a->output);
}

static void put_directory(struct archive *a)
{
    uint32_t start = (uint32_t)a->written, count = (uint32_t)a->count;
    for (int64_t i = 0; i < a->count; i++) {
        const struct member *m = &a->member[i];
        uint32_t length = (uint32_t)strlen(m->name);
        put_numbers(a, "42222224442222244",
                    (const uint32_t[]){0x02014b50, VERSION, VERSION, STORED_FLAGS, 0, 0, DOS_DATE, m->crc, m->size,
                                       m->size, length, 0, 0, 0, 0, 0, m->offset});
        put(a, m->name, length);
    }
    put_numbers(a, "42222442",
                (const uint32_t[]){0x06054b50, 0, 0, count, count, (uint32_t)a->written - start, start, 0});
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

static crd_status write_all(struct archive *a)
{
    CRD_TRY(crdi_run_part_find(a->ctx, a->run, &a->part));
    int columns = crd_run_column_count(a->run);
    if (columns > UINT16_MAX)
        return crdi_raise(a->ctx, CRD_EUNSUPPORTED, "npz: %d sites; an archive holds 65535", columns);
    a->member = crdi_alloc_array(a->ctx, columns, sizeof *a->member);
    if (!a->member)
        return CRD_ENOMEM;
    make_table(a->table);
    for (int c = 0; c < columns; c++)
        CRD_TRY(add_member(a, crd_run_column(a->run, c)));
    put_directory(a);
    return CRD_OK;
}

static crd_status write_format(const crdi_export *request)
{
    struct archive a = {.ctx = request->ctx, .run = request->net->run};
    CRD_TRY(crdi_export_need_path(request, "npz"));
    CRD_TRY(crdi_output_open(&a.output, request->ctx, request->path, request->force));
    crd_status status = write_all(&a);
    for (int64_t i = 0; i < a.count; i++)
        crdi_free(a.ctx, a.member[i].name);
    crdi_free(a.ctx, a.member);
    crdi_run_part_clear(a.ctx, &a.part);
    if (status == CRD_OK)
        return crdi_output_commit(&a.output);
    crdi_output_abort(&a.output);
    return status;
}

const crdi_draws_format crdi_format_npz = {.write = write_format};
