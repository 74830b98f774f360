/* dataset_json.c - recipes: destroyed, and as JSON text for the run file. */
#include "store/dataset.h"
#include "store/json.h"

#include <math.h>
#include <string.h>

static const char what[] = "recipe of the data";
static const char *const scales[] = {"none", "standard"}; /* by crd_scale */
static const char *const kinds[] = {"auto", "number", "class", "count"}; /* by crd_target_kind */

void crd_recipe_destroy(crd_recipe **recipe)
{
    if (!recipe || !*recipe)
        return;
    crd_recipe *r = *recipe;
    for (int64_t j = 0; j < r->feature_count; j++) {
        crdi_free(r->ctx, r->feature[j].name);
        crdi_free(r->ctx, r->feature[j].column);
        crdi_free(r->ctx, r->feature[j].level);
    }
    crdi_free(r->ctx, r->feature);
    crdi_names_free(r->ctx, r->constant, r->constant_count);
    crdi_names_free(r->ctx, r->class_name, r->class_count);
    for (int64_t i = 0; i < r->target_count; i++)
        crdi_free(r->ctx, r->targets[i].name);
    crdi_free(r->ctx, r->targets);
    crdi_free(r->ctx, r);
    *recipe = NULL;
}

static void write_names(crdi_json_writer *w, const char *key, char *const *names, int64_t count)
{
    crdi_json_open(w, key, '[');
    for (int64_t i = 0; i < count; i++)
        crdi_json_put_text(w, NULL, names[i]);
    crdi_json_close(w, ']');
}

static void write_more_targets(crdi_json_writer *w, const crd_recipe *r)
{
    crdi_json_open(w, "more_targets", '[');
    for (int64_t i = 1; i < r->target_count; i++) {
        crdi_json_open(w, NULL, '{');
        crdi_json_put_text(w, "column", r->targets[i].name);
        crdi_json_put_number(w, "mean", r->targets[i].mean);
        crdi_json_put_number(w, "sd", r->targets[i].sd);
        crdi_json_close(w, '}');
    }
    crdi_json_close(w, ']');
}

crd_status crdi_recipe_write(const crd_recipe *r, crdi_string *out)
{
    crdi_json_writer w = {.out = out};
    crdi_json_open(&w, NULL, '{');
    crdi_json_put_text(&w, "scale", scales[r->scale]);
    crdi_json_open(&w, "features", '[');
    for (int64_t j = 0; j < r->feature_count; j++) {
        crdi_json_open(&w, NULL, '{');
        crdi_json_put_text(&w, "name", r->feature[j].name);
        crdi_json_put_text(&w, "column", r->feature[j].column);
        crdi_json_put_text(&w, "level", r->feature[j].level);
        crdi_json_put_number(&w, "mean", r->feature[j].mean);
        crdi_json_put_number(&w, "sd", r->feature[j].sd);
        crdi_json_close(&w, '}');
    }
    crdi_json_close(&w, ']');
    write_names(&w, "constant", r->constant, r->constant_count);
    crdi_json_open(&w, "target", '{');
    crdi_json_put_text(&w, "column", r->targets[0].name);
    crdi_json_put_text(&w, "kind", kinds[r->target_kind]);
    write_names(&w, "classes", r->class_name, r->class_count);
    crdi_json_put_number(&w, "mean", r->targets[0].mean);
    crdi_json_put_number(&w, "sd", r->targets[0].sd);
    crdi_json_close(&w, '}');
    if (r->target_count > 1) /* a recipe of one target is as it always was */
        write_more_targets(&w, r);
    crdi_json_close(&w, '}');
    return out->status;
}

/* ---- reading --------------------------------------------------------------------------------------------------- */

static crd_status read_choice(crd_context *ctx, const crdi_json *object, const char *key, const char *const *choices,
                              int count, int *out)
{
    const char *text = crdi_json_string(crdi_json_get(object, key));
    for (int i = 0; text && i < count; i++) {
        if (strcmp(choices[i], text) == 0) {
            *out = i;
            return CRD_OK;
        }
    }
    return crdi_raise(ctx, CRD_EDAMAGED, "%s: '%s' is missing or unknown", what, key);
}

static crd_status read_names(crd_context *ctx, const crdi_json *array, const char *key, char ***out, int64_t *out_count)
{
    int64_t count = crdi_json_count(array);
    if (count < 0)
        return crdi_raise(ctx, CRD_EDAMAGED, "%s: '%s' is missing or not a list", what, key);
    *out = crdi_alloc_array(ctx, count, sizeof **out);
    if (!*out)
        return CRD_ENOMEM;
    *out_count = count;
    for (int64_t i = 0; i < count; i++) {
        const char *text = crdi_json_string(crdi_json_at(array, i));
        if (!text)
            return crdi_raise(ctx, CRD_EDAMAGED, "%s: '%s' holds something other than text", what, key);
        (*out)[i] = crdi_strdup(ctx, text);
        if (!(*out)[i])
            return CRD_ENOMEM;
    }
    return CRD_OK;
}

/* Mean and sd; the sd is divided by. */
static crd_status read_scaling(crd_context *ctx, const crdi_json *object, double *mean, double *sd)
{
    CRD_TRY(crdi_json_need_number(ctx, what, object, "mean", mean));
    CRD_TRY(crdi_json_need_number(ctx, what, object, "sd", sd));
    if (!isfinite(*mean) || !isfinite(*sd) || *sd <= 0)
        return crdi_raise(ctx, CRD_EDAMAGED, "%s: mean %g and sd %g cannot be", what, *mean, *sd);
    return CRD_OK;
}

static crd_status read_features(crd_context *ctx, const crdi_json *array, crd_recipe *r)
{
    int64_t count = crdi_json_count(array);
    if (count < 1)
        return crdi_raise(ctx, CRD_EDAMAGED, "%s: 'features' is missing, empty or not a list", what);
    r->feature = crdi_alloc_array(ctx, count, sizeof *r->feature);
    if (!r->feature)
        return CRD_ENOMEM;
    r->feature_count = count;
    for (int64_t j = 0; j < count; j++) {
        const crdi_json *object = crdi_json_at(array, j);
        crd_feature *f = &r->feature[j];
        CRD_TRY(crdi_json_need_text(ctx, what, object, "name", false, &f->name));
        CRD_TRY(crdi_json_need_text(ctx, what, object, "column", false, &f->column));
        CRD_TRY(crdi_json_need_text(ctx, what, object, "level", true, &f->level));
        CRD_TRY(read_scaling(ctx, object, &f->mean, &f->sd));
    }
    return CRD_OK;
}

/* `more` is not there where there is one target. */
static crd_status read_targets(crd_context *ctx, const crdi_json *first, const crdi_json *more, crd_recipe *r)
{
    int64_t others = more ? crdi_json_count(more) : 0;
    if (more && (others < 1 || r->target_kind != CRD_TARGET_NUMBER))
        return crdi_raise(ctx, CRD_EDAMAGED, "%s: 'more_targets' is empty, no list or not of numbers", what);
    r->targets = crdi_alloc_array(ctx, others + 1, sizeof *r->targets);
    if (!r->targets)
        return CRD_ENOMEM;
    r->target_count = others + 1;
    for (int64_t i = 0; i <= others; i++) {
        const crdi_json *object = i == 0 ? first : crdi_json_at(more, i - 1);
        CRD_TRY(crdi_json_need_text(ctx, what, object, "column", false, &r->targets[i].name));
        CRD_TRY(read_scaling(ctx, object, &r->targets[i].mean, &r->targets[i].sd));
    }
    crdi_recipe_first_target(r);
    return CRD_OK;
}

static crd_status read_recipe(crd_context *ctx, const crdi_json *json, crd_recipe *r)
{
    const crdi_json *target = crdi_json_get(json, "target");
    int scale = 0, kind = 0;
    CRD_TRY(read_choice(ctx, json, "scale", scales, CRDI_COUNT(scales), &scale));
    CRD_TRY(read_choice(ctx, target, "kind", kinds, CRDI_COUNT(kinds), &kind));
    r->scale = (crd_scale)scale;
    r->target_kind = (crd_target_kind)kind;
    CRD_TRY(read_features(ctx, crdi_json_get(json, "features"), r));
    CRD_TRY(read_names(ctx, crdi_json_get(json, "constant"), "constant", &r->constant, &r->constant_count));
    CRD_TRY(read_names(ctx, crdi_json_get(target, "classes"), "classes", &r->class_name, &r->class_count));
    return read_targets(ctx, target, crdi_json_get(json, "more_targets"), r);
}

crd_status crdi_recipe_read(crd_context *ctx, const char *text, crd_recipe **out)
{
    crdi_json *json;
    CRD_TRY(crdi_json_parse(ctx, what, text, &json));
    crd_recipe *r = crdi_alloc(ctx, sizeof *r);
    crd_status status = CRD_ENOMEM;
    if (r) {
        r->ctx = ctx;
        status = read_recipe(ctx, json, r);
    }
    crdi_json_destroy(&json);
    if (status < 0)
        crd_recipe_destroy(&r);
    else
        *out = r;
    return status;
}
