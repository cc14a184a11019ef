/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <stdio.h>

#include "fake_agent.h"

int main(void) {
    if (components_factory_NetworkActivity_load_ptr() != ASC_RESULT_OK ||
        fake_agent_ops()->init(FAKE_COLLECTOR_ID) != ASC_RESULT_OK ||
        fake_agent_ops()->start(FAKE_COLLECTOR_ID) != ASC_RESULT_OK ||
        fake_agent_collect() != ASC_RESULT_EMPTY) {
        return 1;
    }
    puts("the agent has evagg's collector");
    return 0;
}
