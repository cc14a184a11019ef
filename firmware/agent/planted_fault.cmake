# SPDX-License-Identifier: MIT OR Apache-2.0
#
# cmake -P planted_fault.cmake -- <command>...: the command must run to its end and find the fault, by exit status and by
# what it says. Any other failure, such as a crash, is a failure of the test.
set(command "")
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(index RANGE 4 ${last})
    list(APPEND command "${CMAKE_ARGV${index}}")
endforeach()
execute_process(COMMAND ${command} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
message("${output}")
if(NOT status EQUAL 1 OR NOT output MATCHES "FAILED: connections: nothing is unaccounted for")
    message(FATAL_ERROR "The planted fault was not found: exit status ${status}.")
endif()
