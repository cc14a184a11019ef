# SPDX-License-Identifier: MIT OR Apache-2.0
# Builds the consumer against a copy of the library, and shows when cargo runs: at the first build, not at the second,
# and again when a source of the library has changed.
cmake_minimum_required(VERSION 3.25)

file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}/evagg")
foreach(part CMakeLists.txt cmake integrations Cargo.toml Cargo.lock build.rs cbindgen.toml src include README.md tests benches)
    if(EXISTS "${SOURCE}/${part}")
        file(COPY "${SOURCE}/${part}" DESTINATION "${WORK}/evagg")
    endif()
endforeach()

execute_process(
    COMMAND "${CMAKE_COMMAND}" -G "${GENERATOR}" -S "${CONSUMER}" -B "${WORK}/build" "-DEVAGG_SOURCE=${WORK}/evagg"
        -DCMAKE_BUILD_TYPE=Release "-DCMAKE_C_COMPILER=${COMPILER}"
    COMMAND_ERROR_IS_FATAL ANY)

function(build cargo_must_run)
    execute_process(COMMAND "${CMAKE_COMMAND}" --build "${WORK}/build" OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
    message(STATUS "build:\n${output}")
    string(FIND "${output}" "Building libevagg.a with cargo" at)
    if(cargo_must_run AND at EQUAL -1)
        message(FATAL_ERROR "the library was not rebuilt")
    elseif(NOT cargo_must_run AND NOT at EQUAL -1)
        message(FATAL_ERROR "the library was rebuilt although nothing had changed")
    endif()
endfunction()

build(TRUE)
build(FALSE)
file(TOUCH "${WORK}/evagg/src/lib.rs")
build(TRUE)
build(FALSE)
file(TOUCH "${WORK}/evagg/Cargo.lock")
build(TRUE)
build(FALSE)

execute_process(COMMAND "${WORK}/build/consumer" COMMAND_ERROR_IS_FATAL ANY)
