# SPDX-License-Identifier: MIT OR Apache-2.0
#
# cmake -P expect.cmake <status> <pattern> <command>...: runs the command, which has to end with this exit status and
# to print what the pattern describes.
cmake_minimum_required(VERSION 3.25)

set(command "")
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE 5 ${last})
    list(APPEND command "${CMAKE_ARGV${i}}")
endforeach()
execute_process(COMMAND ${command} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
message("${output}")
if(NOT status STREQUAL CMAKE_ARGV3)
    message(FATAL_ERROR "exit status ${status} instead of ${CMAKE_ARGV3}")
endif()
if(NOT output MATCHES "${CMAKE_ARGV4}")
    message(FATAL_ERROR "the output does not match \"${CMAKE_ARGV4}\"")
endif()
