/* cmdstan_read.c - draws out of CmdStan's files, one a chain: comments, a line of names, a line a draw. Statistics end in two
 * underscores; elements are NAME.1.2. Draws of the warm-up, where they were saved, are left out. */
#include "report/formats/cmdstan.h"
#include "store/input.h"

#include <stdio.h>
#include <string.h>

bool crdi_cmdstan_is(const char *start, size_t length)
{
    static const char *const first[] = {"# stan_version", "# model", "lp__,"};
    for (int i = 0; i < CRDI_COUNT(first); i++)
        if (length >= strlen(first[i]) && memcmp(start, first[i], strlen(first[i])) == 0)
            return true;
    return false;
}

/* Where a cell goes. */
struct cell {
    int column;
    int64_t index[CRD_MAX_DIMS], place;
};

struct reader {
    crd_context *ctx;
    const char *path; /* at hand */
    char *text, *at; /* its text; where the draws begin */
    const char *head; /* the line of names, ended */
    crdi_arena *arena; /* of the first file's line of names */
    const char *first_head;
    crdi_columns columns;
    struct cell *cell; /* (cells) */
    int64_t cells, capacity;
    int64_t warmup, save_warmup, thin; /* of the file at hand */
    int64_t line;
};

static crd_status bad(struct reader *r, const char *what)
{
    return crdi_raise(r->ctx, CRD_EDATA, "%s:%lld: %s", r->path, (long long)r->line, what);
}

/* ---- lines ------------------------------------------------------------------------------------------------------ */

/* The next line, ended by a zero byte; NULL behind the last. */
static char *next_line(struct reader *r)
{
    char *line = r->at;
    if (!*line)
        return NULL;
    size_t length = strcspn(line, "\n");
    r->at = line + length + (line[length] == '\n');
    line[length] = 0;
    if (length > 0 && line[length - 1] == '\r')
        line[length - 1] = 0;
    r->line++;
    return line;
}

static void note_setting(struct reader *r, const char *line)
{
    static const struct {
        const char *name;
        size_t place;
    } settings[] = {{"num_warmup", offsetof(struct reader, warmup)},
                    {"save_warmup", offsetof(struct reader, save_warmup)},
                    {"thin", offsetof(struct reader, thin)}};
    char key[32], value[32];
    if (sscanf(line, "# %31s = %31s", key, value) != 2)
        return;
    for (int i = 0; i < CRDI_COUNT(settings); i++) {
        int64_t number = strcmp(value, "true") == 0;
        if (strcmp(settings[i].name, key) == 0 && (number || crdi_parse_int(value, &number)))
            memcpy((char *)r + settings[i].place, &number, sizeof number);
    }
}

/* So many draws of a warm-up there cannot be; a sum of two of the largest is a number still. */
static crd_status check_settings(const struct reader *r)
{
    enum { MOST = 1 << 30 };
    if (r->warmup < 0 || r->warmup > MOST)
        return crdi_raise(r->ctx, CRD_EDATA, "%s: num_warmup = %lld, which is no number of draws", r->path,
                          (long long)r->warmup);
    if (r->thin < 1 || r->thin > MOST)
        return crdi_raise(r->ctx, CRD_EDATA, "%s: thin = %lld; it must be 1 or more", r->path, (long long)r->thin);
    return CRD_OK;
}

/* Reads a file up to its line of names. */
static crd_status open_file(struct reader *r, const char *path)
{
    size_t length;
    crdi_free(r->ctx, r->text);
    r->text = NULL;
    r->path = path;
    r->line = r->warmup = r->save_warmup = 0;
    r->thin = 1;
    CRD_TRY(crdi_input_read(r->ctx, path, &r->text, &length));
    r->at = r->text;
    for (char *line = next_line(r); line; line = next_line(r)) {
        if (*line == '#')
            note_setting(r, line);
        else if (*line) {
            r->head = line;
            return check_settings(r);
        }
    }
    return crdi_raise(r->ctx, CRD_EDATA, "%s: no line of names: this is no file of CmdStan", path);
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

/* The site that one of our comments gives a variable; else the variable's own name. The comments stand before the line of
 * names, each ended by a zero byte. */
static const char *site_of(const struct reader *r, const char *name)
{
    size_t length = strlen(name), begins = strlen(CRDI_CMDSTAN_SITE);
    for (const char *line = r->text; line < r->head; line += strlen(line) + 1)
        if (strncmp(line, CRDI_CMDSTAN_SITE, begins) == 0 && strncmp(line + begins, name, length) == 0 &&
            strncmp(line + begins + length, " = ", 3) == 0)
            return line + begins + length + 3;
    return name;
}

/* "theta.2.1" -> "theta" and {2, 1}; false for what is no such name. */
static bool split(char *word, int64_t index[CRD_MAX_DIMS], int *ndim)
{
    char *dot = strchr(word, '.');
    *ndim = 0;
    while (dot) {
        char *next = strchr(dot + 1, '.');
        *dot = 0;
        if (next)
            *next = 0;
        if (*ndim == CRD_MAX_DIMS || !crdi_parse_int(dot + 1, &index[*ndim]) || index[*ndim] < 1 ||
            index[*ndim] > INT32_MAX)
            return false;
        ++*ndim;
        if (next)
            *next = '.';
        dot = next;
    }
    return *word != 0;
}

/* One name of the line: a new column, or another element of the last one. */
static crd_status add_name(struct reader *r, char *word)
{
    struct cell cell = {0};
    int ndim;
    if (!split(word, cell.index, &ndim))
        return bad(r, "a name of the first line is none that CmdStan writes");
    size_t length = strlen(word);
    bool statistic = length > 2 && strcmp(word + length - 2, "__") == 0;
    const crdi_statistic_name *row =
        statistic ? crdi_statistic_theirs(crdi_cmdstan_statistics, crdi_cmdstan_statistic_count, word) : NULL;
    if (statistic && !row)
        word[length - 2] = 0; /* as the writer makes them */
    const char *name = row ? row->ours : statistic ? word : site_of(r, word);
    crd_column *last = r->columns.count ? &r->columns.column[r->columns.count - 1] : NULL;
    if (!last || strcmp(last->name, name) != 0 || ndim == 0) {
        CRD_TRY(crdi_columns_add(&r->columns, name, statistic ? CRD_COLUMN_STATISTIC : CRD_COLUMN_LATENT,
                                 (crd_shape){.ndim = ndim}));
        last = &r->columns.column[r->columns.count - 1];
    }
    if (last->shape.ndim != ndim)
        return bad(r, "elements of one variable have different numbers of indices");
    for (int k = 0; k < ndim; k++)
        if (cell.index[k] > last->shape.dim[k])
            last->shape.dim[k] = cell.index[k];
    cell.column = (int)r->columns.count - 1;
    CRD_TRY(crdi_grow(r->ctx, &r->cell, &r->capacity, r->cells, sizeof *r->cell));
    r->cell[r->cells++] = cell;
    return CRD_OK;
}

/* Where each cell stands in its row-major array, once the shapes are known. All elements must be there. */
static crd_status place_cells(struct reader *r)
{
    for (int64_t c = 0; c < r->columns.count; c++) {
        crd_shape shape = r->columns.column[c].shape;
        int64_t there = 0, size = 1;
        for (int k = 0; k < shape.ndim && size <= r->cells; k++) /* more than there are cells: not all are there */
            size *= shape.dim[k];
        for (int64_t i = 0; i < r->cells; i++) {
            if (r->cell[i].column != c)
                continue;
            there++;
            for (int k = 0; k < shape.ndim; k++)
                r->cell[i].place = r->cell[i].place * shape.dim[k] + r->cell[i].index[k] - 1;
        }
        if (there != size)
            return crdi_raise(r->ctx, CRD_EDATA, "%s: %s has %lld elements where its indices ask for more", r->path,
                              r->columns.column[c].name, (long long)there);
        r->columns.column[c].size = size;
    }
    return CRD_OK;
}

static crd_status read_names(struct reader *r)
{
    r->first_head = crdi_arena_strdup(r->arena, r->head);
    char *words = crdi_arena_strdup(r->arena, r->head);
    if (!r->first_head || !words)
        return CRD_ENOMEM;
    while (words) {
        char *comma = strchr(words, ',');
        if (comma)
            *comma = 0;
        CRD_TRY(add_name(r, words));
        words = comma ? comma + 1 : NULL;
    }
    return place_cells(r);
}

/* ---- draws ------------------------------------------------------------------------------------------------------ */

/* The next line that holds a draw; NULL behind the last. */
static char *next_draw(struct reader *r)
{
    char *line = next_line(r);
    while (line && (*line == '#' || !*line))
        line = next_line(r);
    return line;
}

static int64_t count_draws(const char *at)
{
    int64_t count = 0;
    for (; *at; at += strcspn(at, "\n"), at += *at == '\n')
        count += *at != '#' && *at != '\n' && *at != '\r';
    return count;
}

/* Draws of the warm-up that stand before the others. */
static int64_t to_skip(const struct reader *r)
{
    return r->save_warmup ? (r->warmup + r->thin - 1) / r->thin : 0;
}

static crd_status read_draw(struct reader *r, const char *line, crd_posterior *p, int chain, int64_t draw)
{
    for (int64_t i = 0; i < r->cells; i++) {
        char *end;
        const struct cell *cell = &r->cell[i];
        double value = crdi_read_double(line, &end);
        if (end == line || (*end != ',' && *end) || (*end == ',') != (i + 1 < r->cells))
            return bad(r, "a draw that does not have a number for every name");
        crd_column *column = &p->column[cell->column];
        column->draws[(chain * p->draws + draw) * column->size + cell->place] = value;
        line = end + 1;
    }
    return CRD_OK;
}

static crd_status read_chain(struct reader *r, const char *path, int chain, int chains, crdi_imported *out)
{
    CRD_TRY(open_file(r, path));
    if (chain == 0) {
        CRD_TRY(read_names(r));
        int64_t draws = count_draws(r->at) - to_skip(r);
        if (draws < 1)
            return crdi_raise(r->ctx, CRD_EDATA, "%s: holds no draws", path);
        out->warmup = r->warmup;
        CRD_TRY(crd_posterior_create(&out->posterior, r->ctx, chains, draws, r->columns.column, (int)r->columns.count));
    }
    if (strcmp(r->head, r->first_head) != 0)
        return bad(r, "other names than in the first file");
    int64_t draws = count_draws(r->at) - to_skip(r);
    if (draws != out->posterior->draws)
        return crdi_raise(r->ctx, CRD_EDATA, "%s: %lld draws; the first file has %lld", path, (long long)draws,
                          (long long)out->posterior->draws);
    for (int64_t i = to_skip(r); i > 0; i--)
        next_draw(r);
    for (int64_t d = 0; d < draws; d++)
        CRD_TRY(read_draw(r, next_draw(r), out->posterior, chain, d));
    return CRD_OK;
}

crd_status crdi_cmdstan_read_draws(crd_context *ctx, const char *const *path, int count, crdi_imported *out)
{
    struct reader r = {.ctx = ctx, .columns = {.ctx = ctx}};
    crdi_imported in = {.warmup = -1};
    crd_status status = crdi_arena_create(&r.arena, ctx);
    for (int c = 0; c < count && status == CRD_OK; c++)
        status = read_chain(&r, path[c], c, count, &in);
    if (status == CRD_OK && !(in.method = crdi_strdup(ctx, "cmdstan")))
        status = CRD_ENOMEM;
    crdi_free(ctx, r.text);
    crdi_free(ctx, r.cell);
    crdi_columns_clear(&r.columns);
    crdi_arena_destroy(&r.arena);
    if (status == CRD_OK)
        *out = in;
    else
        crdi_imported_clear(ctx, &in);
    return status;
}
