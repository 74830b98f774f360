/* dataset_describe.c - a data set in a few lines: what a command prints before it fits. */
#include "store/dataset.h"

#include <string.h>

enum { LISTED = 20 }; /* names a line at most */

static void add_name(crdi_string *out, int64_t i, const char *name)
{
    char shown[CRDI_SHOWN];
    if (i < LISTED)
        crdi_string_append(out, "%s%s", i ? ", " : "", crdi_csv_show(shown, name));
    else if (i == LISTED)
        crdi_string_append(out, ", ...");
}

/* Columns, not features: a categorical one is named once, with its number of levels. */
static void add_columns(const crd_recipe *r, crdi_string *out)
{
    int64_t columns = 0;
    for (int64_t j = 0, end; j < r->feature_count; j = end, columns++) {
        end = crdi_recipe_group(r, j);
        add_name(out, columns, r->feature[j].column);
        if (r->feature[j].level && columns < LISTED)
            crdi_string_append(out, " (%lld levels)", (long long)(end - j));
    }
}

/* A line each. */
static crd_status add_targets(const crd_recipe *r, crdi_string *out)
{
    char shown[CRDI_SHOWN];
    crdi_string_append(out, "\n");
    for (int64_t i = 0; i < r->target_count; i++) {
        crdi_string_append(out, "%s %s, a number",
                           i ? "       " : "targets:", crdi_csv_show(shown, r->targets[i].name));
        if (r->scale == CRD_SCALE_STANDARD)
            crdi_string_append(out, ", standardised (mean %g, sd %g)", r->targets[i].mean, r->targets[i].sd);
        crdi_string_append(out, "\n");
    }
    return out->status;
}

crd_status crdi_dataset_describe(const crd_dataset *d, crdi_string *out)
{
    const crd_recipe *r = d->recipe;
    char shown[CRDI_SHOWN];
    bool scaled = r->scale == CRD_SCALE_STANDARD;
    crdi_string_append(out, "rows:   %lld", (long long)d->x.shape.dim[0]);
    if (d->left_out)
        crdi_string_append(out, " (%lld with missing cells left out)", (long long)d->left_out);
    crdi_string_append(out, "\ninputs: %lld%s: ", (long long)r->feature_count, scaled ? ", standardised" : "");
    add_columns(r, out);
    for (int64_t i = 0; i < r->constant_count; i++) {
        crdi_string_append(out, "%s", i ? "" : "\n        constant, left out: ");
        add_name(out, i, r->constant[i]);
    }
    if (r->target_count > 1)
        return add_targets(r, out);
    crdi_string_append(out, "\ntarget: %s, ", crdi_csv_show(shown, r->target));
    if (r->target_kind == CRD_TARGET_CLASS)
        crdi_string_append(out, "%lld classes: ", (long long)r->class_count);
    else if (r->target_kind == CRD_TARGET_COUNT)
        crdi_string_append(out, "a count");
    else if (scaled)
        crdi_string_append(out, "a number, standardised (mean %g, sd %g)", r->target_mean, r->target_sd);
    else
        crdi_string_append(out, "a number");
    for (int64_t k = 0; k < r->class_count; k++)
        add_name(out, k, r->class_name[k]);
    crdi_string_append(out, "\n");
    return out->status;
}
