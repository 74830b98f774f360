/* network_looks.c - see network_looks.h. */
#include "store/network_looks.h"
#include "base/archive.h"

#include <stdio.h>

/* Everything but the sampler's bytes, of which `words` eights follow. */
static void head(crdi_archive *a, crdi_look_state *s, int64_t *words)
{
    crdi_archive_integer(a, &s->chain);
    crdi_archive_integer(a, &s->draws);
    crdi_archive_integer(a, &s->state.iteration);
    crdi_archive_real(a, &s->state.warmup_seconds);
    crdi_archive_real(a, &s->state.sampling_seconds);
    crdi_archive_real(a, &s->state.gradient_seconds);
    crdi_archive_integer(a, &s->state.gradient_evaluations);
    crdi_archive_count(a, words, sizeof(double));
}

static void write_all(crdi_archive *a, const crdi_look_state *states, int64_t count)
{
    crdi_archive_count(a, &count, sizeof(double));
    for (int64_t i = 0; i < count; i++) {
        crdi_look_state s = states[i];
        int64_t words = (int64_t)(s.state.size / sizeof(double));
        CRDI_ASSERT(s.state.size % sizeof(double) == 0); /* as archives are */
        head(a, &s, &words);
        crdi_archive_reals(a, (double *)s.state.bytes, words);
    }
}

enum { KEY = 32 };

static const char *key_of(int chain, char key[KEY])
{
    snprintf(key, KEY, "look_states/%d", chain);
    return key;
}

crd_status crdi_run_looks_write(crd_context *ctx, crdi_run *run, int chain, const crdi_look_state *states,
                                int64_t count)
{
    crdi_archive archive = {0};
    char key[KEY];
    if (count == 0)
        return crdi_run_unset(run, key_of(chain, key));
    crdi_archive_write(&archive, ctx);
    write_all(&archive, states, count);
    crd_status status = archive.status;
    if (status == CRD_OK)
        status = crdi_run_set_blob(run, key_of(chain, key), archive.bytes, archive.size);
    crdi_archive_clear(&archive);
    return status;
}

crd_status crdi_run_looks_read(crd_run *run, int chain, crdi_mcmc_saved *out)
{
    char key[KEY];
    *out = (crdi_mcmc_saved){0};
    return crdi_run_has(run, key_of(chain, key)) ? crdi_run_get_blob(run, key, &out->bytes, &out->size) : CRD_OK;
}

static crd_status read_one(crd_context *ctx, crdi_archive *a, crdi_look_state_fn take, void *user)
{
    crdi_look_state s = {0};
    int64_t words = 0;
    head(a, &s, &words);
    CRD_TRY(a->status);
    double *bytes = crdi_alloc_array(ctx, words + 1, sizeof *bytes);
    if (!bytes)
        return CRD_ENOMEM;
    crdi_archive_reals(a, bytes, words);
    s.state.bytes = bytes;
    s.state.size = sizeof *bytes * (size_t)words;
    crd_status status = a->status == CRD_OK ? take(user, &s) : a->status;
    crdi_free(ctx, bytes);
    return status;
}

crd_status crdi_run_looks_each(crd_context *ctx, const void *bytes, size_t size, crdi_look_state_fn take, void *user)
{
    crdi_archive archive;
    int64_t count = 0;
    crdi_archive_read(&archive, ctx, bytes, size);
    crdi_archive_count(&archive, &count, sizeof(double));
    for (int64_t i = 0; i < count && archive.status == CRD_OK; i++)
        CRD_TRY(read_one(ctx, &archive, take, user));
    return crdi_archive_end(&archive);
}
