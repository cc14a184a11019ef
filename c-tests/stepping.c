/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#define _GNU_SOURCE
#include "stepping.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

uint8_t *stepping_memory(size_t size) {
    void *const memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(memory != MAP_FAILED);
    return memory;
}

/* Where the process stops, and with what. */
static int stopped(pid_t process) {
    int status;
    assert_int_equal(waitpid(process, &status, 0), process);
    return status;
}

static bool is_at_mark(int status) { return WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP; }

bool stepping_is_possible(void) {
    const pid_t process = fork();
    assert_true(process >= 0);
    if (process == 0) {
        _exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 ? 0 : 1);
    }
    const int status = stopped(process);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

uint64_t step_through(const stepping_t *stepping) {
    const pid_t process = fork();
    assert_true(process >= 0);
    if (process == 0) {
        stepping->prepare(stepping->context);
        (void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        (void)raise(SIGSTOP);
        stepping->call(stepping->context);
        (void)raise(SIGSTOP);
        _exit(0);
    }
    int status = stopped(process);
    assert_true(is_at_mark(status));
    uint8_t *const seen = malloc(stepping->size);
    assert_non_null(seen);
    memcpy(seen, stepping->memory, stepping->size);
    stepping->watch(stepping->context);
    uint64_t steps = 0;
    for (;;) {
        assert_int_equal(ptrace(PTRACE_SINGLESTEP, process, NULL, NULL), 0);
        status = stopped(process);
        if (is_at_mark(status)) {
            break;
        }
        assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
        steps++;
        if (memcmp(seen, stepping->memory, stepping->size) != 0) {
            memcpy(seen, stepping->memory, stepping->size);
            stepping->watch(stepping->context);
        }
    }
    free(seen);
    assert_int_equal(ptrace(PTRACE_CONT, process, NULL, NULL), 0);
    status = stopped(process);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return steps;
}
