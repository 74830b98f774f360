/* network_run_read.c - a network's run, read from its file: nothing else is needed to predict. */
#include "store/network_run.h"
#include "nn/likelihood.h"
#include "store/dataset.h"
#include "store/json.h"

#include <string.h>

static crd_status damaged(const crdi_network_run *net, const char *why)
{
    return crdi_raise(net->ctx, CRD_EDAMAGED, "%s: %s", net->path, why);
}

/* A member of the network's JSON, kept in the arena. */
static crd_status setting(crdi_network_run *net, const crdi_json *json, const char *key, const char **out)
{
    const char *text = crdi_json_string(crdi_json_get(json, key));
    if (!text)
        return crdi_raise(net->ctx, CRD_EDAMAGED, "%s: the network's '%s' is missing", net->path, key);
    *out = crdi_arena_strdup(net->arena, text);
    return *out ? CRD_OK : CRD_ENOMEM;
}

/* Factors of the classes' log likelihoods, as "1.5,0.75"; not there where they were 1. */
static crd_status read_weights(crdi_network_run *net, const crdi_json *json)
{
    const char *text = NULL;
    if (!crdi_json_get(json, "class_weights"))
        return CRD_OK;
    CRD_TRY(setting(net, json, "class_weights", &text));
    char *at = crdi_arena_strdup(net->arena, text), *next;
    double *weight = crdi_arena_alloc(net->arena, sizeof *weight * (strlen(text) + 1));
    if (!at || !weight)
        return CRD_ENOMEM;
    for (; at; at = next) {
        next = strchr(at, ',');
        if (next)
            *next++ = 0;
        if (!crdi_parse_double(at, &weight[net->weights++]))
            return damaged(net, "a class weight is no number");
    }
    net->network.class_weight = weight;
    return CRD_OK;
}

static crd_status read_settings(crdi_network_run *net, const char *text)
{
    crdi_json *json;
    crd_status status = crdi_json_parse(net->ctx, "description of the network", text, &json);
    if (status < 0)
        return crdi_error_prefix(net->ctx, status, "%s", net->path);
    status = setting(net, json, "hidden", &net->network.hidden);
    if (status == CRD_OK)
        status = setting(net, json, "activation", &net->network.activation);
    if (status == CRD_OK)
        status = setting(net, json, "prior", &net->network.prior);
    if (status == CRD_OK)
        status = setting(net, json, "noise", &net->network.noise);
    /* Not there in runs made before there was a choice, and in those of a normal likelihood. */
    if (status == CRD_OK && crdi_json_get(json, "likelihood"))
        status = setting(net, json, "likelihood", &net->network.likelihood);
    if (status == CRD_OK && crdi_json_get(json, "df"))
        status = setting(net, json, "df", &net->network.df);
    if (status == CRD_OK && crdi_json_get(json, "concentration"))
        status = setting(net, json, "concentration", &net->network.concentration);
    if (status == CRD_OK)
        status = read_weights(net, json);
    crdi_json_destroy(&json);
    return status;
}

static crd_status read_entry(crdi_network_run *net, const char *key,
                             crd_status (*read)(crdi_network_run *net, const char *text))
{
    char *text;
    CRD_TRY(crdi_run_get_text(net->run, key, &text));
    crd_status status = read(net, text);
    crdi_free(net->ctx, text);
    return status;
}

static crd_status read_recipe(crdi_network_run *net, const char *text)
{
    crd_status status = crdi_recipe_read(net->ctx, text, &net->recipe);
    return status < 0 ? crdi_error_prefix(net->ctx, status, "%s", net->path) : CRD_OK;
}

static crd_status read_data(crdi_network_run *net)
{
    CRD_TRY(crdi_run_get_array(net->run, "x", &net->x));
    CRD_TRY(crdi_run_get_array(net->run, "y", &net->y));
    if (net->x.shape.ndim != 2 || net->x.shape.dim[1] != net->recipe->feature_count || net->x.shape.dim[0] < 1 ||
        !crdi_shape_equal(net->y.shape, crdi_recipe_shape(net->recipe, net->x.shape.dim[0])))
        return damaged(net, "its data do not fit its recipe");
    net->network.x = crd_array_borrow(net->x.data, net->x.shape);
    net->network.y = &net->y;
    net->network.classes = net->recipe->class_count;
    net->network.targets = net->recipe->target_count;
    if (net->network.class_weight && net->weights != net->network.classes)
        return damaged(net, "its class weights do not fit its classes");
    return CRD_OK;
}

static int64_t weights_of(const crdi_network_run *net)
{
    enum { MOST = 32 };
    int64_t width[MOST], in = net->x.shape.dim[1], count = 0;
    int layers = crd_widths_parse(net->ctx, net->network.hidden, width, MOST);
    for (int k = 0; k <= layers; k++) {
        int64_t out = k < layers ? width[k] : crdi_network_width(&net->network);
        count += (in + 1) * out;
        in = out;
    }
    return layers < 0 ? -1 : count;
}

static crd_status read_map(crdi_network_run *net)
{
    if (!crdi_run_has(net->run, "laplace_hessian"))
        return CRD_OK;
    CRD_TRY(crdi_run_get_array(net->run, "laplace_map", &net->laplace_map));
    if (crd_shape_size(net->laplace_map.shape) != weights_of(net))
        return damaged(net, "its most probable weights are not those of its network");
    net->network.linear_about = net->laplace_map.data;
    return CRD_OK;
}

crd_status crdi_network_run_linear(crdi_network_run *net, bool linear)
{
    if (linear && !net->laplace_map.data)
        return crdi_raise(
            net->ctx, CRD_EINVAL,
            "%s: only a run of --method laplace has predictions of the linear network; others have sampled ones",
            net->path);
    net->network.linear_about = linear ? net->laplace_map.data : NULL;
    return CRD_OK;
}

static crd_status read_precision(crdi_network_run *net, const char *text)
{
    net->network.precision = strcmp(text, "single") == 0 ? CRD_SINGLE : CRD_DOUBLE;
    if (net->network.precision == CRD_SINGLE || strcmp(text, "double") == 0)
        return CRD_OK;
    return damaged(net, "its precision is neither double nor single");
}

static crd_status read_all(crdi_network_run *net)
{
    CRD_TRY(crdi_arena_create(&net->arena, net->ctx));
    CRD_TRY(crd_run_open(net->ctx, net->path, &net->run));
    crdi_run_moment(net->run);
    if (crdi_run_has(net->run, "model"))
        CRD_TRY(crdi_run_get_text(net->run, "model", &net->model));
    else if (!(net->model = crdi_strdup(net->ctx, "")))
        return CRD_ENOMEM;
    net->is_network = crdi_run_has(net->run, "network");
    CRD_TRY(crdi_run_failure_of(net->run));
    if (!net->is_network)
        return CRD_OK;
    CRD_TRY(read_entry(net, "network", read_settings));
    CRD_TRY(read_entry(net, "recipe", read_recipe));
    if (crdi_run_has(net->run, "precision"))
        CRD_TRY(read_entry(net, "precision", read_precision));
    CRD_TRY(read_data(net));
    return read_map(net);
}

crd_status crdi_network_run_open(crd_context *ctx, const char *path, crdi_network_run **out)
{
    crdi_network_run *net = crdi_alloc(ctx, sizeof *net);
    if (!net)
        return CRD_ENOMEM;
    net->ctx = ctx;
    net->path = crdi_strdup(ctx, path);
    crd_status status = net->path ? read_all(net) : CRD_ENOMEM;
    if (status < 0)
        crdi_network_run_close(&net);
    else
        *out = net;
    return status;
}

void crdi_network_run_close(crdi_network_run **address)
{
    if (!address || !*address)
        return;
    crdi_network_run *net = *address;
    crd_run_close(&net->run);
    crd_array_clear(&net->x);
    crd_array_clear(&net->y);
    crd_array_clear(&net->laplace_map);
    crd_recipe_destroy(&net->recipe);
    crdi_arena_destroy(&net->arena);
    crdi_free(net->ctx, net->model);
    crdi_free(net->ctx, net->path);
    crdi_free(net->ctx, net);
    *address = NULL;
}

crd_status crdi_network_run_need(const crdi_network_run *net, const char *what)
{
    if (net->is_network)
        return CRD_OK;
    return crdi_raise(
        net->ctx, CRD_EUNSUPPORTED,
        "%s: its model '%s' is written in C and is not in the file: %s need the program that made the run", net->path,
        net->model, what);
}

/* The model's sites are the file's latent columns; else the file was tampered with or made by another version. */
static crd_status check_sites(const crdi_network_run *net, const crd_model *model)
{
    int latent = 0;
    for (int i = 0; i < crd_run_column_count(net->run); i++)
        latent += crd_run_column(net->run, i)->kind == CRD_COLUMN_LATENT;
    if (latent != crd_model_site_count(model))
        return damaged(net, "its columns are not the parameters of its network");
    for (int i = 0; i < latent; i++) {
        const crd_site *site = crd_model_site(model, i);
        const crd_column *column = NULL;
        if (crd_run_find(net->run, site->name, &column) < 0 || !crdi_shape_equal(column->shape, site->shape)) {
            crd_error_clear(net->ctx);
            return damaged(net, "its columns are not the parameters of its network");
        }
    }
    return CRD_OK;
}

crd_status crdi_network_run_model(const crdi_network_run *net, crd_model **out)
{
    crd_model *model;
    /* The model function takes its data without const, and does not write to them. */
    crd_status status = crd_model_create(&model, net->ctx, crd_network_model, (void *)(uintptr_t)&net->network);
    if (status < 0)
        return crdi_error_prefix(net->ctx, status, "%s", net->path);
    status = check_sites(net, model);
    if (status < 0)
        crd_model_destroy(&model);
    else
        *out = model;
    return status;
}
