/* test_team.c - loops shared by threads that stay: every task once, nothing before or after its loop. */
#include "base/base.h"
#include "testing.h"

#include <stdatomic.h>

enum { MOST = 500 };

struct loop {
    atomic_int done[MOST];
    int64_t sum[MOST]; /* plain memory: what a task writes the caller must see */
};

static void task(void *user, int64_t i)
{
    struct loop *loop = user;
    atomic_fetch_add(&loop->done[i], 1);
    loop->sum[i] += i;
}

static void check_loops(int threads, int loops)
{
    static struct loop loop;
    crd_context *ctx = testing_context();
    crdi_team *team;
    assert_ok(ctx, crdi_team_create(ctx, threads, &team));
    for (int k = 0; k < loops; k++) {
        int64_t count = k % 7 == 0 ? 0 : k % 5 == 0 ? MOST : 1 + k % 9;
        for (int i = 0; i < MOST; i++) {
            atomic_store(&loop.done[i], 0);
            loop.sum[i] = 7;
        }
        crdi_team_run(team, count, task, &loop);
        for (int i = 0; i < MOST; i++) {
            assert_int_equal(atomic_load(&loop.done[i]), i < count);
            assert_int_equal(loop.sum[i], i < count ? 7 + i : 7);
        }
    }
    crdi_team_destroy(&team);
    assert_null(team);
    crdi_team_destroy(&team);
    testing_context_destroy(&ctx);
}

static void every_task_is_done_once(void **state)
{
    (void)state;
    check_loops(1, 20);
    check_loops(2, 400);
    check_loops(5, 200);
}

static void members_that_sleep_are_woken(void **state)
{
    (void)state;
    static struct loop loop;
    crd_context *ctx = testing_context();
    crdi_team *team;
    assert_ok(ctx, crdi_team_create(ctx, 3, &team));
    for (int k = 0; k < 3; k++) {
        double start = crdi_seconds();
        while (crdi_seconds() - start < 0.02) /* longer than they look out for work */
            ;
        crdi_team_run(team, MOST, task, &loop);
    }
    for (int i = 0; i < MOST; i++)
        assert_int_equal(atomic_load(&loop.done[i]), 3);
    crdi_team_destroy(&team);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_task_is_done_once),
        cmocka_unit_test(members_that_sleep_are_woken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
