/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A firmware that does nothing but aggregate. `make size` weighs it against its twin, the same
   program with calls that lead nowhere, so the difference is the library and what it pulls in. */
#include "calls.h"

int main(void) {
#ifdef SIZE_CONNECTIONS
    connections_calls();
#endif
#ifdef SIZE_PROCESSES
    processes_calls();
#endif
    return 0;
}
