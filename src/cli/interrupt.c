/* interrupt.c - see interrupt.h. A signal handler can reach nothing but what is global, so the flag is the one variable
 * of the program that is; it lives here and not in the library. */
#include "cli/interrupt.h"

#include <credence/status.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static atomic_int flag;
static struct sigaction old_interrupt, old_terminate;

static void on_signal(int number)
{
    /* The first signal is only noted: draws so far are then written by the usual way out. A second means that the user
     * does not want to wait for that. _exit and write are allowed in a handler, little else is. */
    if (atomic_exchange(&flag, number)) {
        static const char message[] = "\ncredence: stopped at once\n";
        ssize_t ignored = write(STDERR_FILENO, message, sizeof message - 1);
        (void)ignored;
        _exit(crd_status_exit_code(CRD_INTERRUPTED));
    }
}

void crdi_interrupt_watch(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART; /* a write of the run file must not fail because of Ctrl-C */
    sigemptyset(&action.sa_mask);
    atomic_store(&flag, 0);
    sigaction(SIGINT, &action, &old_interrupt);
    sigaction(SIGTERM, &action, &old_terminate);
}

void crdi_interrupt_unwatch(void)
{
    sigaction(SIGINT, &old_interrupt, NULL);
    sigaction(SIGTERM, &old_terminate, NULL);
}

const atomic_int *crdi_interrupt_flag(void)
{
    return &flag;
}
