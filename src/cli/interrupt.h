/* interrupt.h - Ctrl-C: the first asks for an end in good order, the second ends at once. */
#ifndef CRDI_INTERRUPT_H
#define CRDI_INTERRUPT_H

#include <stdatomic.h>

/* Begins to watch for SIGINT and SIGTERM; the flag is 0 again. Calls do not nest. */
void crdi_interrupt_watch(void);

/* Gives the signals back their old meaning. */
void crdi_interrupt_unwatch(void);

/* 0 until a signal came, then its number. Lock-free and static: samplers on any thread poll it. */
const atomic_int *crdi_interrupt_flag(void);

#endif
