# SPDX-License-Identifier: MIT OR Apache-2.0
# A project with ThreadX, NetX Duo and the micro agent: the agent's own collector is replaced by evagg's, and where that
# cannot be, the reason is said.
cmake_minimum_required(VERSION 3.25)

file(REMOVE_RECURSE "${WORK}")
# What cargo has built already.
file(MAKE_DIRECTORY "${WORK}/build/evagg")
file(COPY "${BUILD}/cargo" DESTINATION "${WORK}/build/evagg")

set(configure "${CMAKE_COMMAND}" -G "${GENERATOR}" -S "${CONSUMER}" "-DEVAGG_SOURCE=${SOURCE}" "-DCMAKE_BUILD_TYPE=${BUILD_TYPE}"
    "-DCMAKE_C_COMPILER=${COMPILER}")
execute_process(COMMAND ${configure} -B "${WORK}/build" COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${CMAKE_COMMAND}" --build "${WORK}/build" COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${WORK}/build/agent" COMMAND_ERROR_IS_FATAL ANY)

# refused(<text> <argument>...)
function(refused text)
    execute_process(COMMAND ${configure} -B "${WORK}/refused" ${ARGN} RESULT_VARIABLE failed OUTPUT_VARIABLE output ERROR_VARIABLE output)
    file(REMOVE_RECURSE "${WORK}/refused")
    # CMake breaks its messages into lines.
    string(REGEX REPLACE "[ \n]+" " " output "${output}")
    string(FIND "${output}" "${text}" at)
    if(NOT failed OR at EQUAL -1)
        message(FATAL_ERROR "${ARGN}: \"${text}\" must be said:\n${output}")
    endif()
endfunction()

foreach(part IN ITEMS threadx netxduo asc_security_core)
    refused("evagg has no target micro_agent: define azrtos::threadx, azrtos::netxduo and asc_security_core before evagg." -DWITHOUT=${part})
endforeach()
refused("iot_security_module is not compiled with collector_network_activity.c, so there is nothing to replace." -DREPLACED=ON)
