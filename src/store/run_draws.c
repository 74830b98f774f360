/* run_draws.c - draws out of a run file: how many there are, ranges and columns of them, a posterior, the full check.
 *
 * A column of a chain is one range of the index block_order; nothing else is touched to read it. */
#include "store/run_read.h"

#include <string.h>

static const int64_t MOST_DRAWS = (int64_t)1 << 48; /* keeps sums of draw numbers far from overflow */

/* ---- counting ----------------------------------------------------------------------------------------------- */

static crd_status count_column(crd_run *run, crdi_query *last, int column, int chain, int64_t *out)
{
    bool row = false;
    crdi_bind_integer(last, 1, column);
    crdi_bind_integer(last, 2, chain);
    crd_status status = crdi_query_next(last, &row);
    int64_t first = row ? crdi_value_integer(last, 0) : 0, count = row ? crdi_value_integer(last, 1) : 0;
    crdi_query_reset(last);
    if (status == CRD_OK && row && (first < 0 || first > MOST_DRAWS || count < 1 || count > CRDI_RUN_ROW_DRAWS))
        return crdi_db_damaged(run->db, "column %s, chain %d: a block of %lld draws from %lld on",
                               run->column[column].name, chain, (long long)count, (long long)first);
    if (status == CRD_OK)
        *out = run->limit && first + count > run->limit ? run->limit : first + count;
    return status;
}

void crdi_run_limit(crd_run *run, int64_t draws)
{
    run->limit = draws;
}

/* Draws of a chain. A transaction holds the same draws of every column. */
static crd_status count_chain(crd_run *run, crdi_query *last, int chain, int64_t *out)
{
    int64_t draws = 0;
    for (int column = 0; column < run->column_count; column++) {
        int64_t count = 0;
        CRD_TRY(count_column(run, last, column, chain, &count));
        if (column > 0 && count != draws)
            return crdi_db_damaged(run->db, "chain %d has %lld draws of %s but %lld of %s", chain, (long long)count,
                                   run->column[column].name, (long long)draws, run->column[0].name);
        draws = count;
    }
    int64_t shown = run->shown ? run->shown[chain] : -1;
    *out = shown >= 0 && shown < draws ? shown : draws;
    return CRD_OK;
}

/* Draws that the chains from .. to - 1 have all. */
static crd_status count_draws(crd_run *run, int from, int to, int64_t *out)
{
    crdi_query last = {0};
    int64_t least = INT64_MAX, count = 0;
    CRD_TRY(crdi_query_open(
        run->db, "SELECT first, count FROM block WHERE site = ? AND chain = ? ORDER BY first DESC LIMIT 1", &last));
    crd_status status = CRD_OK;
    for (int chain = from; status == CRD_OK && chain < to; chain++) {
        status = count_chain(run, &last, chain, &count);
        least = count < least ? count : least;
    }
    crdi_query_close(&last);
    if (status == CRD_OK)
        *out = least;
    return status;
}

void crdi_run_moment(crd_run *run)
{
    run->moment = true;
}

static crd_status hold_all(crd_run *run)
{
    crd_status status = CRD_OK;
    int64_t *draws = crdi_alloc_array(run->ctx, run->chains, sizeof *draws);
    if (!draws)
        return CRD_ENOMEM;
    for (int chain = 0; chain < run->chains && status == CRD_OK; chain++)
        status = count_draws(run, chain, chain + 1, &draws[chain]);
    for (int chain = 0; chain < run->chains && status == CRD_OK; chain++)
        status = crdi_run_hold(run, chain, draws[chain]);
    crdi_free(run->ctx, draws);
    return status;
}

/* All chains in one transaction, when one is first asked for. */
static crd_status hold_moment(crd_run *run)
{
    if (!run->moment || run->limit > 0 || run->shown)
        return CRD_OK;
    CRD_TRY(crdi_db_begin(run->db, false));
    return crdi_db_end(run->db, hold_all(run));
}

crd_status crd_run_draws(crd_run *run, int chain, int64_t *out)
{
    if (chain < -1 || chain >= run->chains)
        return crdi_raise(run->ctx, CRD_EINVAL, "%s: chain %d of %d", run->db->path, chain, run->chains);
    CRD_TRY(hold_moment(run));
    CRD_TRY(crdi_db_begin(run->db, false));
    return crdi_db_end(run->db, count_draws(run, chain < 0 ? 0 : chain, chain < 0 ? run->chains : chain + 1, out));
}

/* ---- reading ------------------------------------------------------------------------------------------------ */

/* A row (first, count, draws, check_sum) of block. */
struct block {
    int64_t first, count;
    const unsigned char *bytes;
};

static crd_status block_of(crd_run *run, const crdi_query *query, int column, int chain, struct block *out)
{
    size_t size;
    const void *bytes = crdi_value_blob(query, 2, &size);
    int64_t first = crdi_value_integer(query, 0), count = crdi_value_integer(query, 1);
    const char *name = run->column[column].name;
    if (crdi_value_integer(query, 3) != (int64_t)crdi_check_block(column, chain, first, count, bytes, size))
        return crdi_db_damaged(run->db,
                               "column %s, chain %d: the block of draws from %lld on does not match its checksum", name,
                               chain, (long long)first);
    if (first < 0 || first > MOST_DRAWS || count < 1 || count > CRDI_RUN_ROW_DRAWS ||
        (uint64_t)(count * run->column[column].size) * sizeof(double) != size)
        return crdi_db_damaged(run->db, "column %s, chain %d: a block of %lld draws from %lld on in %zu bytes", name,
                               chain, (long long)count, (long long)first, size);
    *out = (struct block){first, count, bytes};
    return CRD_OK;
}

/* Draws that were there when they were counted: a run that its rule ends loses those that are too many. */
static crd_status missing(crd_run *run, int column, int chain, int64_t first)
{
    int64_t draws = 0;
    if (run->shown && run->shown[chain] > first) {
        int64_t shown = run->shown[chain];
        run->shown[chain] = -1;
        crd_status status = count_draws(run, chain, chain + 1, &draws);
        run->shown[chain] = shown;
        CRD_TRY(status);
        if (draws <= first)
            return crdi_raise(run->ctx, CRD_EIO,
                              "%s: the run was cut to %lld draws a chain while it was read; try again", run->db->path,
                              (long long)draws);
    }
    return crdi_db_damaged(run->db, "column %s, chain %d: draw %lld is missing", run->column[column].name, chain,
                           (long long)first);
}

/* Starts a query over the blocks of a column that hold draws from `first` up to `end`. */
static crd_status open_blocks(crd_run *run, int column, int chain, int64_t first, int64_t end, crdi_query *query)
{
    CRD_TRY(crdi_query_open(run->db,
                            "SELECT first, count, draws, check_sum FROM block WHERE site = ?1 AND chain = ?2 AND "
                            "first >= COALESCE((SELECT MAX(first) FROM block WHERE site = ?1 AND chain = ?2 AND "
                            "first <= ?3), 0) AND first < ?4 ORDER BY first",
                            query));
    crdi_bind_integer(query, 1, column);
    crdi_bind_integer(query, 2, chain);
    crdi_bind_integer(query, 3, first);
    crdi_bind_integer(query, 4, end);
    return CRD_OK;
}

static double *stand_in(const crd_run *run, int column, int chain)
{
    return run->instead ? run->instead[column * run->chains + chain] : NULL;
}

/* Reads draws first .. first + count - 1. */
static crd_status read_range(crd_run *run, int column, int chain, int64_t first, int64_t count, double *out)
{
    crdi_query query = {0};
    int64_t size = run->column[column].size, at = first, end = first + count;
    bool row = true;
    if (stand_in(run, column, chain)) {
        memcpy(out, stand_in(run, column, chain) + first * size, (size_t)(count * size) * sizeof *out);
        return CRD_OK;
    }
    CRD_TRY(open_blocks(run, column, chain, first, end, &query));
    crd_status status = CRD_OK;
    while (status == CRD_OK && at < end) {
        struct block block = {0};
        status = crdi_query_next(&query, &row);
        if (status == CRD_OK && row)
            status = block_of(run, &query, column, chain, &block);
        if (status == CRD_OK && (at == first ? block.first > at : block.first != at))
            row = false;
        if (status == CRD_OK && (!row || block.first + block.count <= at))
            status = missing(run, column, chain, at);
        if (status < 0)
            break;
        int64_t stop = block.first + block.count < end ? block.first + block.count : end;
        crdi_decode(out + (at - first) * size, block.bytes + (at - block.first) * size * (int64_t)sizeof(double),
                    (stop - at) * size);
        at = stop;
    }
    crdi_query_close(&query);
    return status;
}

static int column_index(const crd_run *run, const crd_column *column)
{
    CRDI_ASSERT(column >= run->column && column < run->column + run->column_count);
    return (int)(column - run->column);
}

crd_status crdi_run_hold(crd_run *run, int chain, int64_t draws)
{
    CRDI_ASSERT(chain >= 0 && chain < run->chains);
    if (!run->shown) {
        if (!(run->shown = crdi_alloc_array(run->ctx, run->chains, sizeof *run->shown)))
            return CRD_ENOMEM;
        for (int c = 0; c < run->chains; c++)
            run->shown[c] = -1;
    }
    run->shown[chain] = draws;
    return CRD_OK;
}

crd_status crdi_run_stand_in(crd_run *run, const crd_column *column, int chain, double *values)
{
    int64_t count = (int64_t)run->column_count * run->chains;
    CRDI_ASSERT(chain >= 0 && chain < run->chains);
    if (!run->instead) {
        run->instead = crdi_alloc_array(run->ctx, count, sizeof *run->instead);
        if (!run->instead) {
            crdi_free(run->ctx, values);
            return CRD_ENOMEM;
        }
        memset(run->instead, 0, (size_t)count * sizeof *run->instead);
    }
    double **place = &run->instead[column_index(run, column) * run->chains + chain];
    crdi_free(run->ctx, *place);
    *place = values;
    return CRD_OK;
}

crd_status crdi_run_read_range(crd_run *run, const crd_column *column, int chain, int64_t first, int64_t count,
                               double *out)
{
    if (chain < 0 || chain >= run->chains || first < 0 || count < 0 || first > MOST_DRAWS || count > MOST_DRAWS)
        return crdi_raise(run->ctx, CRD_EINVAL, "%s: %lld draws from %lld on, chain %d of %d", run->db->path,
                          (long long)count, (long long)first, chain, run->chains);
    return read_range(run, column_index(run, column), chain, first, count, out);
}

static crd_status read_chains(crd_run *run, int column, int64_t draws, double *out)
{
    for (int chain = 0; chain < run->chains; chain++)
        CRD_TRY(read_range(run, column, chain, 0, draws, out + chain * draws * run->column[column].size));
    return CRD_OK;
}

crd_status crdi_run_read_column(crd_run *run, const crd_column *column, int64_t draws, double *out)
{
    if (draws < 0 || draws > MOST_DRAWS)
        return crdi_raise(run->ctx, CRD_EINVAL, "%s: %lld draws", run->db->path, (long long)draws);
    CRD_TRY(crdi_db_begin(run->db, false));
    return crdi_db_end(run->db, read_chains(run, column_index(run, column), draws, out));
}

/* ---- a posterior -------------------------------------------------------------------------------------------- */

/* Memory is asked for by what the file says; a file cannot hold more numbers than it has room for. */
static crd_status check_room(crd_run *run, const crd_column *columns, int count, int64_t draws)
{
    int64_t bytes = 0;
    CRD_TRY(crdi_run_file_size(run, &bytes));
    for (int c = 0; c < count; c++)
        if (columns[c].size && draws > bytes / (int64_t)sizeof(double) / columns[c].size / run->chains)
            return crdi_db_damaged(run->db, "column %s: fewer than %lld draws are in the file", columns[c].name,
                                   (long long)draws);
    return CRD_OK;
}

static crd_status read_timings(crd_run *run, crd_posterior *posterior)
{
    double warmup = 0, evaluations = 0;
    CRD_TRY(crdi_run_optional_number(run, "warmup", &warmup));
    CRD_TRY(crdi_run_optional_number(run, "warmup_seconds", &posterior->warmup_seconds));
    CRD_TRY(crdi_run_optional_number(run, "sampling_seconds", &posterior->sampling_seconds));
    CRD_TRY(crdi_run_optional_number(run, "gradient_evaluations", &evaluations));
    CRD_TRY(crdi_run_optional_number(run, "gradient_seconds", &posterior->gradient_seconds));
    if (!(warmup >= 0 && warmup < 1e15 && evaluations >= 0 && evaluations < 1e18))
        return crdi_db_damaged(run->db, "%g iterations of warm-up, %g gradients", warmup, evaluations);
    posterior->warmup = (int64_t)warmup;
    posterior->gradient_evaluations = (int64_t)evaluations;
    return CRD_OK;
}

/* Reads the columns given by their indices, all from one state of the file. *out is the caller's to destroy even
 * if this fails. */
static crd_status read_posterior(crd_run *run, const int *index, const crd_column *columns, int count,
                                 crd_posterior **out)
{
    int64_t draws = 0;
    CRD_TRY(count_draws(run, 0, run->chains, &draws));
    CRD_TRY(check_room(run, columns, count, draws));
    CRD_TRY(crd_posterior_create(out, run->ctx, run->chains, draws, columns, count));
    CRD_TRY(read_timings(run, *out));
    for (int c = 0; c < count; c++)
        CRD_TRY(read_chains(run, index[c], draws, (*out)->column[c].draws));
    return CRD_OK;
}

/* names NULL: every column. */
static crd_status find_columns(crd_run *run, const char *const *names, int count, int *index, crd_column *columns)
{
    for (int c = 0; c < count; c++) {
        const crd_column *column = &run->column[c];
        if (names)
            CRD_TRY(crd_run_find(run, names[c], &column));
        index[c] = column_index(run, column);
        columns[c] = *column;
    }
    return CRD_OK;
}

static crd_status select_posterior(crd_run *run, const char *const *names, int count, crd_posterior **out)
{
    crd_posterior *posterior = NULL;
    CRD_TRY(hold_moment(run));
    int *index = crdi_alloc_array(run->ctx, count, sizeof *index);
    crd_column *columns = crdi_alloc_array(run->ctx, count, sizeof *columns);
    crd_status status = index && columns ? find_columns(run, names, count, index, columns) : CRD_ENOMEM;
    if (status == CRD_OK)
        status = crdi_db_begin(run->db, false);
    if (status == CRD_OK)
        status = crdi_db_end(run->db, read_posterior(run, index, columns, count, &posterior));
    crdi_free(run->ctx, index);
    crdi_free(run->ctx, columns);
    if (status < 0)
        crd_posterior_destroy(&posterior);
    else
        *out = posterior;
    return status;
}

crd_status crd_run_posterior(crd_run *run, crd_posterior **out)
{
    return select_posterior(run, NULL, run->column_count, out);
}

crd_status crd_run_posterior_of(crd_run *run, const char *const *names, int count, crd_posterior **out)
{
    return select_posterior(run, names, count, out);
}

/* ---- the full check ----------------------------------------------------------------------------------------- */

static crd_status check_chain(crd_run *run, int column, int chain, int64_t *rows)
{
    crdi_query query = {0};
    bool row = true;
    int64_t at = 0;
    CRD_TRY(open_blocks(run, column, chain, 0, INT64_MAX, &query));
    crd_status status = crdi_query_next(&query, &row);
    while (status == CRD_OK && row) {
        struct block block = {0};
        status = block_of(run, &query, column, chain, &block);
        if (status == CRD_OK && block.first != at)
            status = missing(run, column, chain, at);
        at = block.first + block.count;
        ++*rows;
        if (status == CRD_OK)
            status = crdi_query_next(&query, &row);
    }
    crdi_query_close(&query);
    return status;
}

static crd_status check_data_row(crd_run *run, const crdi_query *query)
{
    crd_shape shape;
    return crdi_run_check_data(run, query, &shape);
}

crd_status crdi_run_check_rows(crd_run *run, const char *sql, crd_status (*check)(crd_run *, const crdi_query *))
{
    crdi_query query = {0};
    bool row = true;
    CRD_TRY(crdi_query_open(run->db, sql, &query));
    crd_status status = crdi_query_next(&query, &row);
    while (status == CRD_OK && row) {
        status = check(run, &query);
        if (status == CRD_OK)
            status = crdi_query_next(&query, &row);
    }
    crdi_query_close(&query);
    return status;
}

static crd_status check_everything(crd_run *run)
{
    CRD_TRY(crdi_run_check_structure(run, "PRAGMA integrity_check(1)"));
    CRD_TRY(crdi_run_check_entries(run));
    CRD_TRY(crdi_run_check_rows(run, "SELECT name, shape, numbers, check_sum FROM data", check_data_row));
    CRD_TRY(crdi_run_check_rows(run, "SELECT chain, iteration, bytes, check_sum FROM state", crdi_run_check_state));
    int64_t draws = 0, seen = 0, rows = 0;
    CRD_TRY(count_draws(run, 0, run->chains, &draws));
    for (int chain = 0; chain < run->chains; chain++)
        for (int column = 0; column < run->column_count; column++)
            CRD_TRY(check_chain(run, column, chain, &seen));
    CRD_TRY(crdi_db_integer(run->db, "SELECT COUNT(*) FROM block", &rows));
    return rows == seen ? CRD_OK : crdi_db_damaged(run->db, "there are blocks of no column or chain");
}

crd_status crd_run_check(crd_run *run)
{
    CRD_TRY(crdi_db_begin(run->db, false));
    return crdi_db_end(run->db, check_everything(run));
}
