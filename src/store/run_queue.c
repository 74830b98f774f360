/* run_queue.c - the sink of a run file and the one thread that writes it.
 *
 * A chain copies its draws into an item, appends it to the chain's lane and goes on. The writer takes all lanes at once
 * when enough waits, or the oldest item has waited long enough, or somebody asks (flush, a full queue, the end), and
 * puts everything into one transaction. Since it takes a prefix of each lane, a state is never in the file without
 * the draws that came before it.
 *
 * A file that is to replace another is put in its place behind the first transaction that has draws; one that is late, at its end.
 *
 * Per transaction, chain and column consecutive draws are merged into rows of up to CRDI_RUN_ROW_DRAWS. To write
 * a batch allocates nothing of ours. After its first error it writes no more and lets nobody wait: the file holds what was
 * committed before, and every later call reports that error. */
#include "store/run_impl.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void crdi_run_queue_init(crdi_run *run)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&run->queue, NULL);
    pthread_cond_init(&run->work, &monotonic);
    pthread_cond_init(&run->room, NULL);
    pthread_cond_init(&run->done, NULL);
    pthread_condattr_destroy(&monotonic);
}

static void free_items(crdi_run *run, struct crdi_run_item *item)
{
    while (item) {
        struct crdi_run_item *next = item->next;
        crdi_free(run->ctx, item);
        item = next;
    }
}

void crdi_run_queue_clear(crdi_run *run)
{
    for (int chain = 0; run->lane && chain < run->lanes; chain++)
        free_items(run, run->lane[chain].head);
    crdi_free(run->ctx, run->cost);
    crdi_free(run->ctx, run->lane);
    crdi_free(run->ctx, run->batch);
    pthread_mutex_destroy(&run->queue);
    pthread_cond_destroy(&run->work);
    pthread_cond_destroy(&run->room);
    pthread_cond_destroy(&run->done);
}

static crd_status failure_locked(crdi_run *run)
{
    return run->failed < 0 ? crdi_raise(run->ctx, run->failed, "%s", run->message) : CRD_OK;
}

crd_status crdi_run_failure(crdi_run *run)
{
    pthread_mutex_lock(&run->queue);
    crd_status status = failure_locked(run);
    pthread_mutex_unlock(&run->queue);
    return status;
}

/* ---- the chains' side --------------------------------------------------------------------------------------- */

static crd_status admit(crdi_run *run, int chain, const struct crdi_run_item *item)
{
    int64_t expected = run->lane[chain].next_draw;
    if (!item->is_state && item->first != expected)
        return crdi_raise(run->ctx, CRD_EINTERNAL, "%s: chain %d gave draw %lld where draw %lld comes next", run->path,
                          chain, (long long)item->first, (long long)expected);
    while (run->failed == CRD_OK && run->held && run->held + item->size > run->tuning.queue_bytes) {
        run->held_up++;
        pthread_cond_signal(&run->work);
        pthread_cond_wait(&run->room, &run->queue);
        run->held_up--;
    }
    return failure_locked(run);
}

static void append(crdi_run *run, struct crdi_run_lane *lane, struct crdi_run_item *item)
{
    *(lane->tail ? &lane->tail->next : &lane->head) = item;
    lane->tail = item;
    if (!item->is_state)
        lane->next_draw += item->count;
    bool first = run->appended++ == run->taken;
    if (first)
        run->oldest = crdi_seconds();
    run->held += item->size;
    run->waiting += item->size;
    if (run->held > run->peak)
        run->peak = run->held;
    if (first || run->waiting >= run->tuning.batch_bytes)
        pthread_cond_signal(&run->work);
}

static crd_status enqueue(crdi_run *run, int chain, struct crdi_run_item *item)
{
    pthread_mutex_lock(&run->queue);
    crd_status status = admit(run, chain, item);
    if (status == CRD_OK)
        append(run, &run->lane[chain], item);
    pthread_mutex_unlock(&run->queue);
    if (status < 0)
        crdi_free(run->ctx, item);
    return status;
}

static struct crdi_run_item *make_item(crdi_run *run, bool is_state, int64_t first, int64_t count, size_t size)
{
    struct crdi_run_item *item = crdi_alloc(run->ctx, sizeof *item + size);
    if (item)
        *item = (struct crdi_run_item){.is_state = is_state, .first = first, .count = count, .size = size};
    return item;
}

static crd_status check_chain(crdi_run *run, int chain, int count)
{
    if (chain >= 0 && chain < count)
        return CRD_OK;
    return crdi_raise(run->ctx, CRD_EINTERNAL, "%s: chain %d of %d", run->path, chain, count);
}

static crd_status put_draws(void *user, int chain, int64_t first, int64_t count, const double *const *values)
{
    crdi_run *run = user;
    CRD_TRY(check_chain(run, chain, run->chains));
    if (count < 1)
        return CRD_OK;
    struct crdi_run_item *item = make_item(run, false, first, count, (size_t)(count * run->draw_size) * sizeof(double));
    if (!item)
        return CRD_ENOMEM;
    for (int c = 0; c < run->column_count; c++)
        if (run->column_size[c])
            memcpy(item->data + count * run->column_offset[c], values[c],
                   (size_t)(count * run->column_size[c]) * sizeof(double));
    return enqueue(run, chain, item);
}

static crd_status put_state(void *user, int chain, const crdi_sampler_state *state)
{
    crdi_run *run = user;
    CRD_TRY(check_chain(run, chain, run->lanes));
    struct crdi_run_item *item = make_item(run, true, state->iteration, 0, state->size);
    if (!item)
        return CRD_ENOMEM;
    item->cost = (struct crdi_run_cost){state->warmup_seconds,       state->sampling_seconds, state->gradient_seconds,
                                        state->gradient_evaluations, state->has_loss,         state->loss};
    if (state->size)
        memcpy(item->data, state->bytes, state->size);
    return enqueue(run, chain, item);
}

crdi_sink crdi_run_sink(crdi_run *run)
{
    return (crdi_sink){.user = run, .draws = put_draws, .state = put_state, .pause = run->tuning.batch_seconds};
}

crd_status crdi_run_flush(crdi_run *run)
{
    pthread_mutex_lock(&run->queue);
    int64_t wanted = run->appended;
    if (wanted > run->wanted)
        run->wanted = wanted;
    pthread_cond_signal(&run->work);
    while (run->thread_runs && run->committed < wanted && run->failed == CRD_OK)
        pthread_cond_wait(&run->done, &run->queue);
    crd_status status = failure_locked(run);
    pthread_mutex_unlock(&run->queue);
    return status;
}

size_t crdi_run_queue_peak(crdi_run *run)
{
    pthread_mutex_lock(&run->queue);
    size_t peak = run->peak;
    pthread_mutex_unlock(&run->queue);
    return peak;
}

/* ---- the writer's side -------------------------------------------------------------------------------------- */

struct row {
    int64_t first, count; /* draws that `scratch` holds */
};

static crd_status write_row(crdi_run *run, crdi_query *insert, int chain, int column, struct row *row)
{
    if (row->count == 0)
        return CRD_OK;
    size_t size = (size_t)(row->count * run->column_size[column]) * sizeof(double);
    crdi_bind_integer(insert, 1, column);
    crdi_bind_integer(insert, 2, chain);
    crdi_bind_integer(insert, 3, row->first);
    crdi_bind_integer(insert, 4, row->count);
    crdi_bind_blob(insert, 5, run->scratch, size);
    crdi_bind_integer(insert, 6, (int64_t)crdi_check_block(column, chain, row->first, row->count, run->scratch, size));
    *row = (struct row){.first = row->first + row->count};
    return crdi_query_run(insert);
}

static crd_status write_column(crdi_run *run, crdi_query *insert, int chain, int column)
{
    int64_t size = run->column_size[column], longest = crdi_run_row_draws(size);
    struct row row = {0};
    for (const struct crdi_run_item *item = run->batch[chain]; item; item = item->next) {
        const double *values = item->data + item->count * run->column_offset[column];
        for (int64_t done = 0; !item->is_state && done < item->count;) {
            int64_t count = item->count - done < longest - row.count ? item->count - done : longest - row.count;
            if (row.count == 0)
                row.first = item->first + done;
            crdi_encode((double *)run->scratch + row.count * size, values + done * size, count * size);
            done += count;
            row.count += count;
            if (row.count == longest)
                CRD_TRY(write_row(run, insert, chain, column, &row));
        }
    }
    return write_row(run, insert, chain, column, &row);
}

static crd_status remove_state(crdi_run *run, int chain)
{
    char sql[64];
    snprintf(sql, sizeof sql, "DELETE FROM state WHERE chain = %d", chain);
    return crdi_db_run(run->db, sql);
}

crd_status crdi_run_put_state(crdi_query *put, int chain, int64_t iteration, const void *bytes, size_t size)
{
    crdi_bind_integer(put, 1, chain);
    crdi_bind_integer(put, 2, iteration);
    crdi_bind_blob(put, 3, bytes, size);
    crdi_bind_integer(put, 4, (int64_t)crdi_check_state(chain, iteration, bytes, size));
    return crdi_query_run(put);
}

/* Of the states that wait only the last is of use; an empty one removes it. */
static crd_status write_state(crdi_run *run, crdi_query *replace, int chain, bool *costs)
{
    const struct crdi_run_item *last = NULL;
    for (const struct crdi_run_item *item = run->batch[chain]; item; item = item->next)
        if (item->is_state)
            last = item;
    if (!last)
        return CRD_OK;
    run->cost[chain] = last->cost;
    if (last->size == 0)
        return remove_state(run, chain);
    *costs = *costs || last->cost.gradient_evaluations > 0; /* a state may come without saying what it has cost */
    return crdi_run_put_state(replace, chain, last->first, last->data, last->size);
}

static crd_status put_number(crdi_run *run, const char *key, double value)
{
    unsigned char bytes[8];
    crdi_encode(bytes, &value, 1);
    return crdi_run_put_entry(run, key, CRDI_VALUE_REAL, bytes, sizeof bytes, value, 0);
}

/* The losses of all lanes, for those who look on; NaN where there is none. */
static crd_status write_losses(crdi_run *run)
{
    bool any = false;
    double *losses = run->scratch;
    for (int c = 0; c < run->lanes; c++) {
        double loss = run->cost[c].has_loss ? run->cost[c].loss : NAN;
        any = any || run->cost[c].has_loss;
        crdi_encode(&losses[c], &loss, 1);
    }
    if (!any)
        return CRD_OK;
    return crdi_run_put_entry(run, "svi_losses_now", CRDI_VALUE_BLOB, losses, (size_t)run->lanes * sizeof *losses, 0,
                              0);
}

/* Of each lane: what a chain has taken when it ends at an earlier draw is known of that chain alone. */
static crd_status write_gradients(crdi_run *run)
{
    double *gradients = run->scratch;
    for (int c = 0; c < run->lanes; c++) {
        double number = (double)run->cost[c].gradient_evaluations;
        crdi_encode(&gradients[c], &number, 1);
    }
    return crdi_run_put_entry(run, "gradients_now", CRDI_VALUE_BLOB, gradients, (size_t)run->lanes * sizeof *gradients,
                              0, 0);
}

/* What the run has taken so far, for those who look on, and for those who go on from here. */
static crd_status write_cost(crdi_run *run)
{
    struct crdi_run_cost all = {0};
    for (int c = 0; c < run->lanes; c++) {
        const struct crdi_run_cost *cost = &run->cost[c];
        all.warmup_seconds = cost->warmup_seconds > all.warmup_seconds ? cost->warmup_seconds : all.warmup_seconds;
        all.sampling_seconds =
            cost->sampling_seconds > all.sampling_seconds ? cost->sampling_seconds : all.sampling_seconds;
        all.gradient_seconds += cost->gradient_seconds;
        all.gradient_evaluations += cost->gradient_evaluations;
    }
    CRD_TRY(write_losses(run));
    CRD_TRY(write_gradients(run));
    CRD_TRY(put_number(run, "warmup_seconds", all.warmup_seconds));
    CRD_TRY(put_number(run, "sampling_seconds", all.sampling_seconds));
    CRD_TRY(put_number(run, "gradient_seconds", all.gradient_seconds));
    return put_number(run, "gradient_evaluations", (double)all.gradient_evaluations);
}

static crd_status write_chains(crdi_run *run)
{
    bool costs = false;
    crdi_query insert = {0}, replace = {0};
    crd_status status = crdi_query_open(run->db, "INSERT INTO block VALUES(?, ?, ?, ?, ?, ?)", &insert);
    if (status == CRD_OK)
        status = crdi_query_open(run->db, CRDI_STATE_PUT, &replace);
    for (int chain = 0; status == CRD_OK && chain < run->lanes; chain++) {
        for (int column = 0; status == CRD_OK && column < run->column_count; column++)
            status = write_column(run, &insert, chain, column);
        if (status == CRD_OK)
            status = write_state(run, &replace, chain, &costs);
    }
    crdi_query_close(&insert);
    crdi_query_close(&replace);
    return status == CRD_OK && costs ? write_cost(run) : status;
}

static bool batch_has(const crdi_run *run, bool states)
{
    for (int chain = 0; chain < run->lanes; chain++)
        for (const struct crdi_run_item *item = run->batch[chain]; item; item = item->next)
            if (item->is_state == states)
                return true;
    return false;
}

/* A file that was removed under us takes writes for a long while, and nobody will ever see them. */
static crd_status check_there(crdi_run *run, char message[CRDI_DB_MESSAGE])
{
    if (!run->placed || crdi_run_stands(run))
        return CRD_OK;
    snprintf(message, CRDI_DB_MESSAGE, "%s: the file was moved or deleted while it was being written", run->path);
    return CRD_EIO;
}

/* One transaction. The message of an error is copied while the connection is still ours. */
static crd_status write_batch(crdi_run *run, char message[CRDI_DB_MESSAGE])
{
    pthread_mutex_lock(&run->database);
    crd_status status = check_there(run, message);
    if (status < 0) {
        pthread_mutex_unlock(&run->database);
        return status;
    }
    run->db->quiet = true;
    status = crdi_db_begin(run->db, true);
    if (status == CRD_OK)
        status = crdi_db_end(run->db, write_chains(run));
    if (status < 0)
        memcpy(message, run->db->message, CRDI_DB_MESSAGE);
    run->has_state = run->has_state || (status == CRD_OK && batch_has(run, true));
    run->db->quiet = false;
    if (status == CRD_OK && !run->placed && batch_has(run, false))
        status = crdi_run_place(run, message);
    pthread_mutex_unlock(&run->database);
    return status;
}

static bool is_due(const crdi_run *run)
{
    return run->stop || run->held_up || run->wanted > run->committed || run->waiting >= run->tuning.batch_bytes ||
           crdi_seconds() >= run->oldest + run->tuning.batch_seconds;
}

/* Waits until there is something and it is due; false when there is nothing and never will be. */
static bool wait_for_work(crdi_run *run)
{
    for (;;) {
        if (run->appended == run->taken) {
            if (run->stop)
                return false;
            pthread_cond_wait(&run->work, &run->queue);
        } else if (is_due(run)) {
            return true;
        } else {
            double at = run->oldest + run->tuning.batch_seconds;
            struct timespec until = {.tv_sec = (time_t)at, .tv_nsec = (long)(1e9 * (at - (double)(time_t)at))};
            pthread_cond_timedwait(&run->work, &run->queue, &until);
        }
    }
}

static void *writer(void *argument)
{
    crdi_run *run = argument;
    char message[CRDI_DB_MESSAGE];
    pthread_mutex_lock(&run->queue);
    while (wait_for_work(run)) {
        for (int chain = 0; chain < run->lanes; chain++) {
            run->batch[chain] = run->lane[chain].head;
            run->lane[chain].head = run->lane[chain].tail = NULL;
        }
        run->taken = run->appended;
        run->waiting = 0;
        int64_t end = run->taken;
        size_t before = run->held;
        bool failed = run->failed < 0;
        pthread_mutex_unlock(&run->queue);
        crd_status status = failed ? CRD_OK : write_batch(run, message);
        for (int chain = 0; chain < run->lanes; chain++)
            free_items(run, run->batch[chain]);
        pthread_mutex_lock(&run->queue);
        run->held -= before;
        if (status < 0) {
            run->failed = status;
            memcpy(run->message, message, sizeof run->message);
        } else if (!failed) {
            run->committed = end;
        }
        pthread_cond_broadcast(&run->room);
        pthread_cond_broadcast(&run->done);
    }
    pthread_mutex_unlock(&run->queue);
    return NULL;
}

crd_status crdi_run_queue_start(crdi_run *run)
{
    if (pthread_create(&run->thread, NULL, writer, run) != 0)
        return crdi_raise(run->ctx, CRD_ENOMEM, "%s: the system gives no thread to write it", run->path);
    run->thread_runs = true;
    return CRD_OK;
}

void crdi_run_queue_stop(crdi_run *run)
{
    if (!run->thread_runs)
        return;
    pthread_mutex_lock(&run->queue);
    run->stop = true;
    pthread_cond_signal(&run->work);
    pthread_mutex_unlock(&run->queue);
    pthread_join(run->thread, NULL);
    run->thread_runs = false;
}
