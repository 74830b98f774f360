/* dataset_make.c - a table made into inputs and targets (mostly one), and the recipe of how.
 *
 * Stages: settle what each column is used for; choose rows; take levels and classes; leave constant columns out; write
 * the unscaled values and hash them; scale. The hash is of the values before scaling, so that it names the data, not
 * what was made of them. */
#include "store/dataset.h"
#include "store/sha256.h"

#include <math.h>
#include <string.h>

enum flag { FEATURE = 1, DROPPED = 2, CATEGORICAL = 4, TARGET = 8 };

struct making {
    crd_context *ctx;
    const crd_table *table;
    const crd_dataset_options *options;
    unsigned char *flags; /* by column of the table */
    crdi_use *use; /* the features, and the targets behind them */
    int64_t feature_columns;
    const char *const *target; /* (targets) names */
    int64_t targets;
    int64_t *column; /* by feature of the recipe: the table's column */
    int64_t column_capacity, feature_capacity, constant_capacity;
    crdi_rows rows;
    crd_dataset *dataset;
    crd_recipe *recipe; /* the data set's */
};

/* ---- what each column is used for ---------------------------------------------------------------------------- */

static crd_status find_column(const struct making *m, const char *name, int64_t *out)
{
    *out = crd_table_find(m->table, name);
    return *out < 0 ? crdi_table_raise_unknown(m->table, name) : CRD_OK;
}

static crd_status raise_option(const struct making *m, const char *name, const char *problem)
{
    char shown[CRDI_SHOWN];
    return crdi_raise(m->ctx, CRD_EINVAL, "%s: column '%s' %s", m->table->name, crdi_csv_show(shown, name), problem);
}

static crd_status set_flags(struct making *m, const char *const *names, int64_t count, enum flag flag)
{
    for (int64_t i = 0; i < count; i++) {
        int64_t c;
        CRD_TRY(find_column(m, names[i], &c));
        if ((flag == FEATURE || flag == TARGET) && (m->flags[c] & flag))
            return raise_option(m, names[i], flag == FEATURE ? "is given twice in --features" : "is twice a target");
        m->flags[c] |= (unsigned char)flag;
    }
    return CRD_OK;
}

static crd_status check_target(const struct making *m, int64_t target)
{
    const char *name = m->table->column[target].name;
    if (m->flags[target] & FEATURE)
        return raise_option(m, name, "is the target and in --features too");
    if (m->flags[target] & DROPPED)
        return raise_option(m, name, "is the target and in --drop too");
    if ((m->flags[target] & CATEGORICAL) &&
        (m->options->target_kind == CRD_TARGET_NUMBER || m->options->target_kind == CRD_TARGET_COUNT))
        return raise_option(m, name, "is a target to be read as a number and in --categorical too");
    if (m->targets > 1 && (m->flags[target] & CATEGORICAL))
        return raise_option(m, name, "is one of several targets, which must be numbers, and in --categorical too");
    return CRD_OK;
}

static crd_status check_flags(const struct making *m)
{
    for (int64_t c = 0; c < m->table->column_count; c++) {
        bool target = m->flags[c] & TARGET;
        if (target)
            CRD_TRY(check_target(m, c));
        if ((m->flags[c] & FEATURE) && (m->flags[c] & DROPPED))
            return raise_option(m, m->table->column[c].name, "is in --features and in --drop");
        if (!target && (m->flags[c] & CATEGORICAL) && (m->flags[c] & DROPPED))
            return raise_option(m, m->table->column[c].name, "is in --categorical and in --drop");
        if (!target && (m->flags[c] & CATEGORICAL) && m->options->features && !(m->flags[c] & FEATURE))
            return raise_option(m, m->table->column[c].name, "is in --categorical but not in --features");
    }
    return CRD_OK;
}

static void add_use(struct making *m, int64_t c)
{
    m->use[m->feature_columns++] = (crdi_use){c, m->flags[c] & CATEGORICAL, CRDI_ROLE_FEATURE};
}

static crd_target_kind target_kind(const struct making *m, int64_t c)
{
    const crd_table_column *column = &m->table->column[c];
    if (m->flags[c] & CATEGORICAL)
        return CRD_TARGET_CLASS;
    if (m->options->target_kind != CRD_TARGET_AUTO)
        return m->options->target_kind;
    if (!column->text)
        return CRD_TARGET_NUMBER;
    for (int64_t i = 0; i < m->table->row_count; i++)
        if (!isnan(column->number[i]))
            return CRD_TARGET_NUMBER; /* the text among its numbers is a mistake to be reported */
    return CRD_TARGET_CLASS;
}

static crd_status settle_targets(struct making *m)
{
    const crd_dataset_options *o = m->options;
    bool one = o->target_count == 0;
    m->target = one ? &o->target : o->targets;
    m->targets = one ? o->target != NULL : o->target_count;
    if (m->targets == 0)
        return crdi_raise(m->ctx, CRD_EMISSING, "%s: no target given; --target names its column", m->table->name);
    if (m->targets > 1 && (o->target_kind == CRD_TARGET_CLASS || o->target_kind == CRD_TARGET_COUNT))
        return crdi_raise(m->ctx, CRD_EINVAL, "%s: %lld targets to be read as %s; several must be numbers",
                          m->table->name, (long long)m->targets,
                          o->target_kind == CRD_TARGET_CLASS ? "classes" : "counts");
    return CRD_OK;
}

/* Behind the features. */
static crd_status use_targets(struct making *m)
{
    /* Of several it is settled that they are numbers. */
    crdi_column_role role = m->targets > 1 ? CRDI_ROLE_NEW_TARGET : CRDI_ROLE_TARGET;
    for (int64_t i = 0; i < m->targets; i++) {
        int64_t c = crd_table_find(m->table, m->target[i]);
        m->recipe->target_kind = target_kind(m, c);
        bool levels = m->recipe->target_kind == CRD_TARGET_CLASS;
        if (levels && m->targets > 1)
            return raise_option(m, m->target[i],
                                "is one of several targets and holds text; they must be numbers, and classes are "
                                "fitted alone");
        m->use[m->feature_columns + i] = (crdi_use){c, levels, role};
    }
    return CRD_OK;
}

static crd_status settle_uses(struct making *m)
{
    const crd_dataset_options *o = m->options;
    const crd_table *t = m->table;
    CRD_TRY(settle_targets(m));
    m->flags = crdi_alloc_array(m->ctx, t->column_count, sizeof *m->flags);
    m->use = crdi_alloc_array(m->ctx, t->column_count, sizeof *m->use);
    if (!m->flags || !m->use)
        return CRD_ENOMEM;
    CRD_TRY(set_flags(m, m->target, m->targets, TARGET));
    CRD_TRY(set_flags(m, o->drop, o->drop_count, DROPPED));
    CRD_TRY(set_flags(m, o->categorical, o->categorical_count, CATEGORICAL));
    CRD_TRY(set_flags(m, o->features, o->features ? o->feature_count : 0, FEATURE));
    CRD_TRY(check_flags(m));
    for (int64_t i = 0; o->features && i < o->feature_count; i++)
        add_use(m, crd_table_find(t, o->features[i]));
    for (int64_t c = 0; !o->features && c < t->column_count; c++)
        if (!(m->flags[c] & (TARGET | DROPPED)))
            add_use(m, c);
    if (m->feature_columns == 0)
        return crdi_raise(m->ctx, CRD_EDATA, "%s: no feature is left beside the target '%s'", t->name, m->target[0]);
    return use_targets(m);
}

/* ---- the recipe ------------------------------------------------------------------------------------------------ */

static bool is_constant(const struct making *m, int64_t c)
{
    const double *number = m->table->column[c].number;
    for (int64_t i = 1; i < m->rows.count; i++)
        if (number[m->rows.row[i]] != number[m->rows.row[0]])
            return false;
    return true;
}

static crd_status leave_out(struct making *m, int64_t c)
{
    char buffer[CRDI_LEVEL], value[CRDI_SHOWN], name[CRDI_SHOWN];
    crd_recipe *r = m->recipe;
    const crd_table_column *column = &m->table->column[c];
    crdi_csv_show(value, crdi_level(column, m->rows.row[0], buffer));
    crdi_log(m->ctx, "%s: column '%s' is constant (%s) and left out", m->table->name, crdi_csv_show(name, column->name),
             value);
    CRD_TRY(crdi_grow(m->ctx, &r->constant, &m->constant_capacity, r->constant_count, sizeof *r->constant));
    r->constant[r->constant_count] = crdi_strdup(m->ctx, column->name);
    return r->constant[r->constant_count++] ? CRD_OK : CRD_ENOMEM;
}

static crd_status add_feature(struct making *m, int64_t c, const char *level)
{
    crd_recipe *r = m->recipe;
    crdi_string name;
    const char *column = m->table->column[c].name;
    CRD_TRY(crdi_grow(m->ctx, &r->feature, &m->feature_capacity, r->feature_count, sizeof *r->feature));
    CRD_TRY(crdi_grow(m->ctx, &m->column, &m->column_capacity, r->feature_count, sizeof *m->column));
    m->column[r->feature_count] = c;
    crd_feature *f = &r->feature[r->feature_count++];
    crdi_string_init(&name, m->ctx);
    crdi_string_append(&name, level ? "%s=%s" : "%s", column, level);
    f->name = name.status < 0 ? NULL : crdi_strdup(m->ctx, crdi_string_text(&name));
    crdi_string_clear(&name);
    f->column = crdi_strdup(m->ctx, column);
    f->level = level ? crdi_strdup(m->ctx, level) : NULL;
    f->sd = 1;
    return f->name && f->column && (f->level || !level) ? CRD_OK : CRD_ENOMEM;
}

static crd_status add_levels(struct making *m, int64_t c)
{
    char **levels;
    int64_t count;
    CRD_TRY(crdi_levels(m->table, c, &m->rows, &levels, &count));
    crd_status status = count == 1 ? leave_out(m, c) : CRD_OK;
    for (int64_t i = 0; i < count && count > 1 && status == CRD_OK; i++)
        status = add_feature(m, c, levels[i]);
    crdi_names_free(m->ctx, levels, count);
    return status;
}

static crd_status add_features(struct making *m)
{
    for (int64_t u = 0; u < m->feature_columns; u++) {
        if (m->use[u].levels)
            CRD_TRY(add_levels(m, m->use[u].column));
        else if (is_constant(m, m->use[u].column))
            CRD_TRY(leave_out(m, m->use[u].column));
        else
            CRD_TRY(add_feature(m, m->use[u].column, NULL));
    }
    if (m->recipe->feature_count == 0)
        return crdi_raise(m->ctx, CRD_EDATA, "%s: no feature is left: all are constant in the rows used",
                          m->table->name);
    return CRD_OK;
}

static crd_status check_counts(const struct making *m, const crd_table_column *column)
{
    char name[CRDI_SHOWN];
    for (int64_t i = 0; i < m->rows.count; i++) {
        double value = column->number[m->rows.row[i]];
        if (!(value >= 0) || value != floor(value))
            return crdi_raise(
                m->ctx, CRD_EDATA,
                "%s: the target '%s' is %g in row %lld; counts are whole numbers from 0; a number is fitted with "
                "--likelihood normal or student_t",
                m->table->name, crdi_csv_show(name, column->name), value, (long long)m->rows.row[i]);
    }
    return CRD_OK;
}

static crd_status add_target(struct making *m, int64_t i)
{
    crd_recipe *r = m->recipe;
    int64_t c = m->use[m->feature_columns + i].column;
    const crd_table_column *column = &m->table->column[c];
    r->targets[i] = (crd_target){.name = crdi_strdup(m->ctx, column->name), .sd = 1};
    if (!r->targets[i].name)
        return CRD_ENOMEM;
    r->target_count = i + 1;
    if (r->target_kind == CRD_TARGET_CLASS)
        CRD_TRY(crdi_levels(m->table, c, &m->rows, &r->class_name, &r->class_count));
    if (r->target_kind == CRD_TARGET_COUNT)
        CRD_TRY(check_counts(m, column));
    if (r->target_kind == CRD_TARGET_CLASS ? r->class_count > 1 : !is_constant(m, c))
        return CRD_OK;
    char buffer[CRDI_LEVEL], value[CRDI_SHOWN], name[CRDI_SHOWN];
    crdi_csv_show(value, crdi_level(column, m->rows.row[0], buffer));
    return crdi_raise(m->ctx, CRD_EDATA, "%s: the target '%s' is constant (%s) in the rows used", m->table->name,
                      crdi_csv_show(name, column->name), value);
}

static crd_status add_targets(struct making *m)
{
    m->recipe->targets = crdi_alloc_array(m->ctx, m->targets, sizeof *m->recipe->targets);
    if (!m->recipe->targets)
        return CRD_ENOMEM;
    for (int64_t i = 0; i < m->targets; i++)
        CRD_TRY(add_target(m, i));
    crdi_recipe_first_target(m->recipe);
    return CRD_OK;
}

/* ---- values ---------------------------------------------------------------------------------------------------- */

static void hash_values(crd_dataset *d)
{
    const crd_recipe *r = d->recipe;
    int64_t n = d->y.shape.dim[0], k = r->feature_count, targets = r->target_count;
    crdi_sha256 hash;
    crdi_sha256_begin(&hash);
    for (int64_t j = 0; j < k; j++)
        crdi_sha256_add(&hash, r->feature[j].name, strlen(r->feature[j].name) + 1);
    for (int64_t j = 0; j < targets; j++)
        crdi_sha256_add(&hash, r->targets[j].name, strlen(r->targets[j].name) + 1);
    for (int64_t i = 0; i < r->class_count; i++)
        crdi_sha256_add(&hash, r->class_name[i], strlen(r->class_name[i]) + 1);
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < k; j++)
            crdi_sha256_add_double(&hash, d->x.data[i * k + j]);
        for (int64_t j = 0; j < targets; j++)
            crdi_sha256_add_double(&hash, d->y.data[i * targets + j]);
    }
    crdi_sha256_end(&hash, d->sha256);
}

static const double LARGEST = 1e300;

/* Mean and standard deviation (by n) of values that are not all equal, and the values made (value - mean) / sd. The sum is
 * compensated (Kahan 1965) and the deviations are divided by their largest before they are squared, so that neither many
 * rows nor very small or large values cost digits. False if the values are too large for it. */
static bool standardise(double *value, int64_t n, int64_t stride, double *out_mean, double *out_sd)
{
    double sum = 0, carry = 0, largest = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) {
        double term = value[i * stride] - carry, next = sum + term;
        carry = (next - sum) - term;
        sum = next;
    }
    double mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(value[i * stride] - mean));
    for (int64_t i = 0; i < n; i++) {
        double deviation = (value[i * stride] - mean) / largest;
        squares += deviation * deviation;
    }
    double sd = largest * sqrt(squares / (double)n);
    if (!(fabs(mean) < LARGEST) || !(sd < LARGEST) || sd <= 0) /* predictions go beyond the data */
        return false;
    for (int64_t i = 0; i < n; i++)
        value[i * stride] = (value[i * stride] - mean) / sd;
    *out_mean = mean;
    *out_sd = sd;
    return true;
}

static crd_status raise_scale(const struct making *m, const char *name)
{
    return crdi_raise(m->ctx, CRD_EDATA, "%s: column '%s' is too large or too small to be scaled", m->table->name,
                      name);
}

static crd_status scale_values(struct making *m)
{
    crd_recipe *r = m->recipe;
    int64_t n = m->rows.count, k = r->feature_count;
    for (int64_t j = 0; j < k; j++)
        if (!standardise(m->dataset->x.data + j, n, k, &r->feature[j].mean, &r->feature[j].sd))
            return raise_scale(m, r->feature[j].name);
    for (int64_t j = 0; j < r->target_count && r->target_kind == CRD_TARGET_NUMBER; j++)
        if (!standardise(m->dataset->y.data + j, n, r->target_count, &r->targets[j].mean, &r->targets[j].sd))
            return raise_scale(m, r->targets[j].name);
    crdi_recipe_first_target(r);
    return CRD_OK;
}

static crd_status fill(struct making *m)
{
    crd_dataset *d = m->dataset;
    CRD_TRY(settle_uses(m));
    CRD_TRY(crdi_rows_select(m->table, m->options->rows, &m->rows));
    CRD_TRY(crdi_rows_check(m->table, m->use, m->feature_columns + m->targets, m->options->na, &m->rows));
    CRD_TRY(add_targets(m));
    CRD_TRY(add_features(m));
    CRD_TRY(crd_array_init(m->ctx, &d->x, crd_shape_2(m->rows.count, m->recipe->feature_count)));
    CRD_TRY(crd_array_init(m->ctx, &d->y, crdi_recipe_shape(m->recipe, m->rows.count)));
    CRD_TRY(crdi_recipe_inputs(m->recipe, m->table, m->column, &m->rows, d->x.data));
    for (int64_t i = 0; i < m->targets; i++)
        CRD_TRY(crdi_recipe_target(m->recipe, i, m->table, m->use[m->feature_columns + i].column, &m->rows, d->y.data));
    hash_values(d);
    m->recipe->scale = m->options->scale;
    if (m->recipe->scale == CRD_SCALE_STANDARD)
        CRD_TRY(scale_values(m));
    d->row = m->rows.row;
    d->left_out = m->rows.left_out;
    m->rows.row = NULL;
    return CRD_OK;
}

crd_status crd_dataset_make(crd_context *ctx, const crd_table *table, const crd_dataset_options *options,
                            crd_dataset **out)
{
    struct making m = {.ctx = ctx, .table = table, .options = options};
    if (table->ctx != ctx)
        return crdi_raise(ctx, CRD_EINVAL, "%s: the table belongs to another context", table->name);
    m.dataset = crdi_alloc(ctx, sizeof *m.dataset);
    if (!m.dataset)
        return CRD_ENOMEM;
    m.dataset->ctx = ctx;
    m.recipe = m.dataset->recipe = crdi_alloc(ctx, sizeof *m.recipe);
    crd_status status = CRD_ENOMEM;
    if (m.recipe) {
        m.recipe->ctx = ctx;
        status = fill(&m);
    }
    crdi_free(ctx, m.flags);
    crdi_free(ctx, m.use);
    crdi_free(ctx, m.column);
    crdi_free(ctx, m.rows.row);
    if (status < 0)
        crd_dataset_destroy(&m.dataset);
    else
        *out = m.dataset;
    return status;
}

void crd_dataset_destroy(crd_dataset **dataset)
{
    if (!dataset || !*dataset)
        return;
    crd_dataset *d = *dataset;
    crd_recipe_destroy(&d->recipe);
    crd_array_clear(&d->x);
    crd_array_clear(&d->y);
    crdi_free(d->ctx, d->row);
    crdi_free(d->ctx, d);
    *dataset = NULL;
}
