# SPDX-License-Identifier: MIT OR Apache-2.0
# The examples in C of docs/azure-rtos.md compile without a warning; of the agent's own functions they have declarations.
cmake_minimum_required(VERSION 3.25)

file(READ "${GUIDE}" text)
# Lists of CMake end at semicolons, and those of C are to stay.
string(REPLACE ";" "<semicolon>" text "${text}")
string(REGEX MATCHALL "```c\n[^`]*```" fences "${text}")
list(LENGTH fences count)
if(NOT count EQUAL 2)
    message(FATAL_ERROR "${GUIDE} has ${count} examples, where this test knows 2")
endif()
list(TRANSFORM fences REPLACE "```c\n([^`]*)```" "\\1")

# The first one is a piece of a function.
list(GET fences 0 piece)
string(REPLACE "<semicolon>" ";" piece "${piece}")
string(REGEX REPLACE "(#include[^\n]*\n)(.*)" "\\1void look_at_losses(void);\nvoid look_at_losses(void) {\n\\2}\n" piece "${piece}")
list(GET fences 1 whole)
string(REPLACE "<semicolon>" ";" whole "${whole}")
string(PREPEND whole "#include <stdint.h>\nuint64_t board_random(void);\n#include \"nx_api.h\"\nUINT agent_start(NX_IP *ip);\n")

file(REMOVE_RECURSE "${WORK}")
file(WRITE "${WORK}/losses.c" "${piece}")
file(WRITE "${WORK}/hooks.c" "${whole}")
list(TRANSFORM INCLUDES PREPEND -I)
execute_process(
    COMMAND "${COMPILER}" -std=c99 -Wall -Wextra -Wpedantic -Wconversion -Werror -fsyntax-only ${INCLUDES} losses.c hooks.c
    WORKING_DIRECTORY "${WORK}" COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
