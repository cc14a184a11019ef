# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Shows that a panic which a firmware can reach fails its link: builds a copy of the library with one more function,
# which panics for some arguments, and links a program without and with a reference to it.
cmake_minimum_required(VERSION 3.25)

file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}/evagg" "${WORK}/build")
foreach(part CMakeLists.txt cmake integrations Cargo.toml Cargo.lock build.rs src include c-tests firmware)
    file(COPY "${SOURCE}/${part}" DESTINATION "${WORK}/evagg")
endforeach()
# What cargo has built already, Rust's core above all.
file(COPY "${BUILD}/cargo" DESTINATION "${WORK}/build")
file(APPEND "${WORK}/evagg/src/ffi/status.rs" [[

/// Panics where the index is 4 or more.
#[unsafe(no_mangle)]
pub extern "C" fn evagg_planted_panic(index: usize) -> u8 {
    [2, 3, 5, 7][index]
}
]])

function(link_program link_options result_variable output_variable)
    execute_process(
        COMMAND "${CMAKE_COMMAND}" -G "${GENERATOR}" -S "${WORK}/evagg" -B "${WORK}/build"
            "-DCMAKE_TOOLCHAIN_FILE=${TOOLCHAIN}" -DCMAKE_BUILD_TYPE=MinSizeRel "-DCMAKE_EXE_LINKER_FLAGS=${link_options}"
        OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
    execute_process(
        COMMAND "${CMAKE_COMMAND}" --build "${WORK}/build" --target size_connections
        RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
    set(${result_variable} "${result}" PARENT_SCOPE)
    set(${output_variable} "${output}" PARENT_SCOPE)
endfunction()

link_program("" result output)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "the link must succeed while nothing refers to the panic:\n${output}")
endif()
link_program("-Wl,--undefined=evagg_planted_panic" result output)
if(result EQUAL 0)
    message(FATAL_ERROR "the link succeeded although the firmware can panic")
elseif(NOT output MATCHES "undefined reference to `evagg_this_build_can_panic'")
    message(FATAL_ERROR "the link failed for another reason than the panic:\n${output}")
endif()
message(STATUS "the link failed, as it must: undefined reference to `evagg_this_build_can_panic'")
