# SPDX-License-Identifier: MIT OR Apache-2.0
cmake_minimum_required(VERSION 3.25)

file(READ "${README}" text)
string(REGEX MATCH "\n```c\n([^`]*\n)```\n" fence "${text}")
if(NOT fence)
    message(FATAL_ERROR "README.md has no C example")
endif()
set(example "${CMAKE_MATCH_1}")
string(FIND "${text}" "${fence}" begin)
string(LENGTH "${fence}" length)
math(EXPR end "${begin} + ${length}")
string(SUBSTRING "${text}" 0 ${end} head)
string(SUBSTRING "${text}" ${end} -1 rest)

string(REGEX REPLACE "[^\n]" "" lines "${head}")
string(LENGTH "${lines}" lines)
if(lines GREATER 40)
    message(FATAL_ERROR "the example of README.md ends at line ${lines}, behind line 40")
endif()

string(REGEX MATCH "\n```text\n([^`]*\n)```\n" fence "${rest}")
if(NOT fence)
    message(FATAL_ERROR "README.md does not show what its example prints")
endif()
set(expected "${CMAKE_MATCH_1}")

file(REMOVE_RECURSE "${WORK}")
file(WRITE "${WORK}/example.c" "${example}")
execute_process(
    COMMAND "${COMPILER}" -std=c11 -Wall -Wextra -Wpedantic -Wconversion -Werror -I "${INCLUDE}" example.c "${LIBRARY}" -o example
    WORKING_DIRECTORY "${WORK}" COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ./example WORKING_DIRECTORY "${WORK}" OUTPUT_VARIABLE printed COMMAND_ERROR_IS_FATAL ANY)
if(NOT printed STREQUAL expected)
    message(FATAL_ERROR "The example of README.md prints\n${printed}\nwhere README.md shows\n${expected}")
endif()
