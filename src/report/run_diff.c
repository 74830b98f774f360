/* run_diff.c - see run_diff.h. */
#include "report/run_diff.h"
#include "store/json.h"
#include "store/run_list.h"

#include <inttypes.h>
#include <string.h>

static const int64_t PIECE = 1 << 14; /* doubles that are read at a time, of each */

static const char *const ignored_entries[] = {
#define ENTRY(key) #key,
#define OPTION(name)
#include "report/diff_ignored.def"
#undef ENTRY
#undef OPTION
    NULL};
static const char *const ignored_options[] = {
#define ENTRY(key)
#define OPTION(name) #name,
#include "report/diff_ignored.def"
#undef ENTRY
#undef OPTION
    NULL};

const char *crdi_run_diff_ignored(bool options, int i)
{
    return options ? ignored_options[i] : ignored_entries[i];
}

/* Of entries that chains have, NAME/CHAIN, the name is asked. */
static bool is_ignored(bool options, const char *key)
{
    size_t size = strcspn(key, "/");
    for (int i = 0; crdi_run_diff_ignored(options, i); i++)
        if (strlen(crdi_run_diff_ignored(options, i)) == size &&
            memcmp(crdi_run_diff_ignored(options, i), key, size) == 0)
            return true;
    return false;
}

/* Both files and what is found; [0] is a, [1] is b. */
struct pair {
    crdi_run_diff *d;
    crd_run *run[2];
};

/* ---- differences --------------------------------------------------------------------------------------------- */

/* Adds a place; `what`, a and b are copied. */
static crd_status add(struct pair *p, crdi_run_difference place)
{
    crdi_run_diff *d = p->d;
    CRD_TRY(crdi_grow(d->ctx, &d->difference, &d->capacity, d->count, sizeof *d->difference));
    place.what = crdi_arena_strdup(d->arena, place.what);
    place.a = crdi_arena_strdup(d->arena, place.a);
    place.b = crdi_arena_strdup(d->arena, place.b);
    if (!place.what || !place.a || !place.b)
        return CRD_ENOMEM;
    d->difference[d->count++] = place;
    return CRD_OK;
}

static crd_status add_words(struct pair *p, const char *kind, const char *what, const char *a, const char *b)
{
    return add(p, (crdi_run_difference){.kind = kind, .what = what, .chain = -1, .draw = -1, .a = a, .b = b});
}

/* A number, with its bits where the digits do not tell two apart (NaNs). */
static void show(char text[64], double value, double other)
{
    char digits[32], others[32];
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (strcmp(crdi_format_double(digits, value), crdi_format_double(others, other)) == 0)
        crdi_format(text, 64, "%s (bits %016" PRIx64 ")", digits, bits);
    else
        crdi_format(text, 64, "%s", digits);
}

/* Counts what differs; the first of it, from 0, or -1. */
static int64_t first_difference(const double *a, const double *b, int64_t count, int64_t *differing)
{
    int64_t first = -1;
    if (count == 0 || memcmp(a, b, (size_t)count * sizeof *a) == 0)
        return -1;
    for (int64_t i = 0; i < count; i++)
        if (memcmp(&a[i], &b[i], sizeof *a) != 0) {
            first = first < 0 ? i : first;
            ++*differing;
        }
    return first;
}

/* ---- draws --------------------------------------------------------------------------------------------------- */

static crd_status compare_counts(struct pair *p, int chain, int64_t *common)
{
    int64_t draws[2];
    char text[2][48], what[32];
    for (int i = 0; i < 2; i++) {
        CRD_TRY(crd_run_draws(p->run[i], chain, &draws[i]));
        crdi_format(text[i], sizeof text[i], "%lld draws", (long long)draws[i]);
    }
    *common = draws[0] < draws[1] ? draws[0] : draws[1];
    crdi_format(what, sizeof what, "chain %d", chain);
    return draws[0] == draws[1] ? CRD_OK : add_words(p, "draws", what, text[0], text[1]);
}

/* A column as it is compared: its places in both files, two buffers, and what was found. */
struct compared {
    const crd_column *column[2];
    double *values[2];
    int64_t at_once; /* draws */
    crdi_run_difference place;
    char what[512], a[64], b[64];
};

static crd_status compare_chain(struct pair *p, struct compared *c, int chain, int64_t draws)
{
    int64_t size = c->column[0]->size;
    for (int64_t i = 0; i < draws; i += c->at_once) {
        int64_t n = c->at_once < draws - i ? c->at_once : draws - i;
        for (int k = 0; k < 2; k++)
            CRD_TRY(crdi_run_read_range(p->run[k], c->column[k], chain, i, n, c->values[k]));
        bool none_yet = c->place.differing == 0;
        int64_t first = first_difference(c->values[0], c->values[1], n * size, &c->place.differing);
        c->place.compared += n * size;
        if (first < 0 || !none_yet)
            continue;
        c->place.chain = chain;
        c->place.draw = i + first / size;
        crd_column_label(c->column[0], first % size, c->what, sizeof c->what);
        show(c->a, c->values[0][first], c->values[1][first]);
        show(c->b, c->values[1][first], c->values[0][first]);
    }
    return CRD_OK;
}

static crd_status compare_column(struct pair *p, const crd_column *a, const crd_column *b, const int64_t *draws,
                                 int chains)
{
    crd_context *ctx = p->d->ctx;
    struct compared c = {.column = {a, b}, .at_once = a->size && PIECE / a->size > 1 ? PIECE / a->size : 1};
    c.place = (crdi_run_difference){.kind = "draws", .what = c.what, .a = c.a, .b = c.b};
    int64_t most = 1;
    for (int chain = 0; chain < chains; chain++)
        most = draws[chain] > most ? draws[chain] : most;
    c.at_once = c.at_once < most ? c.at_once : most;
    for (int k = 0; k < 2; k++)
        c.values[k] = crdi_alloc_array(ctx, c.at_once * a->size, sizeof(double));
    crd_status status = c.values[0] && c.values[1] ? CRD_OK : CRD_ENOMEM;
    for (int chain = 0; status == CRD_OK && chain < chains && a->size; chain++)
        status = compare_chain(p, &c, chain, draws[chain]);
    crdi_free(ctx, c.values[0]);
    crdi_free(ctx, c.values[1]);
    p->d->numbers += c.place.compared;
    p->d->columns++;
    return status == CRD_OK && c.place.differing ? add(p, c.place) : status;
}

static const crd_column *find_column(const crd_run *run, const char *name)
{
    for (int i = 0; i < crd_run_column_count(run); i++)
        if (strcmp(crd_run_column(run, i)->name, name) == 0)
            return crd_run_column(run, i);
    return NULL;
}

static crd_status describe_column(struct pair *p, const crd_column *a, const crd_column *b)
{
    static const char *const kinds[] = {"parameter", "deterministic", "statistic"};
    const crd_column *column[2] = {a, b};
    char text[2][160] = {"", ""}, shape[96];
    for (int k = 0; k < 2; k++)
        if (column[k])
            crdi_format(text[k], sizeof text[k], "%s of shape %s", kinds[column[k]->kind],
                        crdi_shape_text(column[k]->shape, shape, sizeof shape));
    return add_words(p, "column", a ? a->name : b->name, text[0], text[1]);
}

static crd_status compare_draws(struct pair *p)
{
    int chains[2] = {crd_run_chains(p->run[0]), crd_run_chains(p->run[1])};
    int common = chains[0] < chains[1] ? chains[0] : chains[1];
    char text[2][32];
    for (int k = 0; k < 2; k++)
        crdi_format(text[k], sizeof text[k], "%d", chains[k]);
    if (chains[0] != chains[1])
        CRD_TRY(add_words(p, "chains", "number of chains", text[0], text[1]));
    int64_t *draws = crdi_arena_alloc(p->d->arena, (size_t)common * sizeof *draws);
    if (!draws)
        return CRD_ENOMEM;
    for (int chain = 0; chain < common; chain++)
        CRD_TRY(compare_counts(p, chain, &draws[chain]));
    for (int i = 0; i < crd_run_column_count(p->run[0]); i++) {
        const crd_column *a = crd_run_column(p->run[0], i), *b = find_column(p->run[1], a->name);
        if (b && a->kind == b->kind && crdi_shape_equal(a->shape, b->shape))
            CRD_TRY(compare_column(p, a, b, draws, common));
        else
            CRD_TRY(describe_column(p, a, b));
    }
    for (int i = 0; i < crd_run_column_count(p->run[1]); i++) {
        const crd_column *b = crd_run_column(p->run[1], i);
        if (!find_column(p->run[0], b->name))
            CRD_TRY(describe_column(p, NULL, b));
    }
    return CRD_OK;
}

/* ---- entries ------------------------------------------------------------------------------------------------- */

static bool equal_entries(const crdi_run_entry *a, const crdi_run_entry *b)
{
    return a->type == b->type && a->integer == b->integer && memcmp(&a->real, &b->real, sizeof a->real) == 0 &&
           a->size == b->size && (a->size == 0 || memcmp(a->bytes, b->bytes, a->size) == 0);
}

static void show_entry(char text[256], const crdi_run_entry *e)
{
    switch (e->type) {
    case CRDI_ENTRY_NAN:
        crdi_format(text, 256, "nan");
        break;
    case CRDI_ENTRY_INTEGER:
        crdi_format(text, 256, "%lld", (long long)e->integer);
        break;
    case CRDI_ENTRY_REAL:
        crdi_format_double(text, e->real);
        break;
    case CRDI_ENTRY_TEXT:
        crdi_format(text, 256, "%.200s%s", e->bytes, e->size > 200 ? "..." : "");
        break;
    default:
        crdi_format(text, 256, "%zu bytes", e->size);
    }
}

static crd_status compare_option(struct pair *p, const char *key, const crdi_json *a, const crdi_json *b)
{
    char *text[2] = {NULL, NULL};
    const crdi_json *value[2] = {a, b};
    crd_status status = CRD_OK;
    for (int k = 0; k < 2 && status == CRD_OK; k++) {
        text[k] = value[k] ? crdi_json_dump(p->d->ctx, value[k]) : crdi_strdup(p->d->ctx, "");
        status = text[k] ? CRD_OK : CRD_ENOMEM;
    }
    if (status == CRD_OK && strcmp(text[0], text[1]) != 0)
        status = add_words(p, "option", key, text[0], text[1]);
    crdi_free(p->d->ctx, text[0]);
    crdi_free(p->d->ctx, text[1]);
    return status;
}

/* Options one by one, as some say only where the output goes. */
static crd_status compare_options(struct pair *p, const char *a, const char *b)
{
    crdi_json *json[2] = {NULL, NULL};
    const char *key;
    crd_status status = crdi_json_parse(p->d->ctx, p->d->a, a, &json[0]);
    if (status == CRD_OK)
        status = crdi_json_parse(p->d->ctx, p->d->b, b, &json[1]);
    for (int64_t i = 0; status == CRD_OK && (key = crdi_json_key(json[0], i)); i++)
        if (!is_ignored(true, key))
            status = compare_option(p, key, crdi_json_get(json[0], key), crdi_json_get(json[1], key));
    for (int64_t i = 0; status == CRD_OK && (key = crdi_json_key(json[1], i)); i++)
        if (!is_ignored(true, key) && !crdi_json_get(json[0], key))
            status = compare_option(p, key, NULL, crdi_json_get(json[1], key));
    crdi_json_destroy(&json[0]);
    crdi_json_destroy(&json[1]);
    return status;
}

static crd_status compare_entry(struct pair *p, const char *key, bool in_b)
{
    crdi_run_entry entry[2] = {{0}, {0}};
    char text[2][256] = {"", ""};
    if (is_ignored(false, key))
        return CRD_OK;
    crd_status status = CRD_OK;
    for (int k = 0; k < 1 + in_b && status == CRD_OK; k++) {
        status = crdi_run_get_entry(p->d->ctx, p->run[k], key, &entry[k]);
        if (status == CRD_OK)
            show_entry(text[k], &entry[k]);
    }
    p->d->entries++;
    if (status == CRD_OK && !(in_b && equal_entries(&entry[0], &entry[1]))) {
        bool options =
            in_b && strcmp(key, "options") == 0 && entry[0].type == CRDI_ENTRY_TEXT && entry[1].type == CRDI_ENTRY_TEXT;
        status =
            options ? compare_options(p, entry[0].bytes, entry[1].bytes) : add_words(p, "entry", key, text[0], text[1]);
    }
    crdi_run_entry_clear(p->d->ctx, &entry[0]);
    crdi_run_entry_clear(p->d->ctx, &entry[1]);
    return status;
}

/* ---- arrays -------------------------------------------------------------------------------------------------- */

static crd_status compare_values(struct pair *p, const char *name, const crd_array *a, const crd_array *b)
{
    char text[2][96], at[160];
    crdi_run_difference place = {.kind = "data", .what = at, .chain = -1, .draw = -1, .a = text[0], .b = text[1]};
    if (!crdi_shape_equal(a->shape, b->shape)) {
        return add_words(p, "data", name, crdi_shape_text(a->shape, text[0], sizeof text[0]),
                         crdi_shape_text(b->shape, text[1], sizeof text[1]));
    }
    int64_t count = crd_shape_size(a->shape), first = first_difference(a->data, b->data, count, &place.differing);
    p->d->numbers += count;
    place.compared = count;
    if (first < 0)
        return CRD_OK;
    crdi_format(at, sizeof at, "%.100s, number %lld", name, (long long)first);
    show(text[0], a->data[first], b->data[first]);
    show(text[1], b->data[first], a->data[first]);
    return add(p, place);
}

static crd_status compare_array(struct pair *p, const char *name, bool in_b)
{
    crd_array array[2] = {0};
    p->d->arrays++;
    if (!in_b)
        return add_words(p, "data", name, "there", "");
    crd_status status = crdi_run_get_array(p->run[0], name, &array[0]);
    if (status == CRD_OK)
        status = crdi_run_get_array(p->run[1], name, &array[1]);
    if (status == CRD_OK)
        status = compare_values(p, name, &array[0], &array[1]);
    crd_array_clear(&array[0]);
    crd_array_clear(&array[1]);
    return status;
}

static bool is_in(const crdi_run_names *names, const char *name)
{
    for (int64_t i = 0; i < names->count; i++)
        if (strcmp(names->name[i], name) == 0)
            return true;
    return false;
}

/* What only b has: as it looks there. */
static crd_status only_in_b(struct pair *p, const char *name, bool arrays)
{
    crdi_run_entry entry = {0};
    char text[256] = "there";
    if (arrays)
        return add_words(p, "data", name, "", text);
    if (is_ignored(false, name))
        return CRD_OK;
    CRD_TRY(crdi_run_get_entry(p->d->ctx, p->run[1], name, &entry));
    show_entry(text, &entry);
    crdi_run_entry_clear(p->d->ctx, &entry);
    return add_words(p, "entry", name, "", text);
}

/* Entries, or arrays. */
static crd_status compare_named(struct pair *p, bool arrays)
{
    crdi_run_names names[2] = {{0}, {0}};
    crd_status status = crdi_run_list(p->d->ctx, p->run[0], arrays, &names[0]);
    if (status == CRD_OK)
        status = crdi_run_list(p->d->ctx, p->run[1], arrays, &names[1]);
    for (int64_t i = 0; status == CRD_OK && i < names[0].count; i++) {
        bool in_b = is_in(&names[1], names[0].name[i]);
        status = arrays ? compare_array(p, names[0].name[i], in_b) : compare_entry(p, names[0].name[i], in_b);
    }
    for (int64_t i = 0; status == CRD_OK && i < names[1].count; i++)
        if (!is_in(&names[0], names[1].name[i]))
            status = only_in_b(p, names[1].name[i], arrays);
    crdi_run_names_clear(p->d->ctx, &names[0]);
    crdi_run_names_clear(p->d->ctx, &names[1]);
    return status;
}

/* ---- states -------------------------------------------------------------------------------------------------- */

struct state {
    bool found;
    int64_t iteration;
    void *bytes;
    size_t size;
    char text[96];
};

static crd_status read_state(crd_run *run, int chain, struct state *s)
{
    if (chain < crd_run_chains(run))
        CRD_TRY(crdi_run_find_state(run, chain, &s->found, &s->iteration, &s->size));
    if (!s->found)
        return CRD_OK;
    crdi_format(s->text, sizeof s->text, "%zu bytes after %lld iterations", s->size, (long long)s->iteration);
    return crdi_run_read_state(run, chain, &s->iteration, &s->bytes, &s->size);
}

static crd_status compare_states(struct pair *p, int chain)
{
    struct state s[2] = {{0}, {0}};
    char what[48];
    crd_status status = read_state(p->run[0], chain, &s[0]);
    if (status == CRD_OK)
        status = read_state(p->run[1], chain, &s[1]);
    p->d->states += s[0].found && s[1].found;
    bool same = s[0].found == s[1].found && s[0].iteration == s[1].iteration && s[0].size == s[1].size &&
                (s[0].size == 0 || (s[0].bytes && s[1].bytes && memcmp(s[0].bytes, s[1].bytes, s[0].size) == 0));
    crdi_format(what, sizeof what, "chain %d", chain);
    if (status == CRD_OK && !same) {
        if (strcmp(s[0].text, s[1].text) == 0)
            strcat(s[1].text, ", other ones");
        status = add_words(p, "state", what, s[0].text, s[1].text);
    }
    crdi_free(p->d->ctx, s[0].bytes);
    crdi_free(p->d->ctx, s[1].bytes);
    return status;
}

/* ---- the whole ----------------------------------------------------------------------------------------------- */

static crd_status compare(struct pair *p)
{
    CRD_TRY(compare_draws(p));
    CRD_TRY(compare_named(p, false));
    CRD_TRY(compare_named(p, true));
    int chains =
        crd_run_chains(p->run[0]) > crd_run_chains(p->run[1]) ? crd_run_chains(p->run[0]) : crd_run_chains(p->run[1]);
    for (int chain = 0; chain < chains; chain++)
        CRD_TRY(compare_states(p, chain));
    return CRD_OK;
}

static crd_status make(crdi_run_diff *d, const char *a, const char *b)
{
    struct pair p = {.d = d};
    CRD_TRY(crdi_arena_create(&d->arena, d->ctx));
    d->a = crdi_arena_strdup(d->arena, a);
    d->b = crdi_arena_strdup(d->arena, b);
    if (!d->a || !d->b)
        return CRD_ENOMEM;
    crd_status status = crd_run_open(d->ctx, a, &p.run[0]);
    if (status == CRD_OK)
        status = crd_run_open(d->ctx, b, &p.run[1]);
    if (status == CRD_OK)
        status = compare(&p);
    crd_run_close(&p.run[0]);
    crd_run_close(&p.run[1]);
    return status;
}

crd_status crdi_run_diff_make(crd_context *ctx, const char *a, const char *b, crdi_run_diff **out)
{
    crdi_run_diff *d = crdi_alloc(ctx, sizeof *d);
    if (!d)
        return CRD_ENOMEM;
    d->ctx = ctx;
    crd_status status = make(d, a, b);
    if (status < 0)
        crdi_run_diff_destroy(&d);
    else
        *out = d;
    return status;
}

void crdi_run_diff_destroy(crdi_run_diff **diff)
{
    if (!diff || !*diff)
        return;
    crd_context *ctx = (*diff)->ctx;
    crdi_arena_destroy(&(*diff)->arena);
    crdi_free(ctx, (*diff)->difference);
    crdi_free(ctx, *diff);
    *diff = NULL;
}
