/* interrupt.c: SIGINT and SIGTERM: once to stop after the step, twice to stop now. */
#include "cli/cli.h"

#include <signal.h>
#include <unistd.h>

/* Only a handler can be told; this is the one writable global of the program, and it is not in the library. */
static volatile int interrupted;

static void on_signal(int number) {
    if (interrupted) _exit(128 + number);
    interrupted = number;
}

void rh_interrupt_catch(void) {
    static const int NUMBERS[] = { SIGINT, SIGTERM };
    for (int i = 0; i < RH_COUNT(NUMBERS); i++) {
        struct sigaction old, new = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
        sigemptyset(&new.sa_mask);
        /* Whoever started us in the background asked for not being interrupted. */
        if (sigaction(NUMBERS[i], NULL, &old) == 0 && old.sa_handler == SIG_IGN) continue;
        sigaction(NUMBERS[i], &new, NULL);
    }
}

const volatile int *rh_interrupt_flag(void) { return &interrupted; }
