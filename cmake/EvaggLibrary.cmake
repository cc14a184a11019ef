# SPDX-License-Identifier: MIT OR Apache-2.0
#
# evagg::evagg, the static library that cargo builds.
#
#   EVAGG_CARGO        the cargo to use; found in PATH or ~/.cargo/bin
#   EVAGG_RUST_TARGET  Rust target triple; empty for the machine that builds

find_program(EVAGG_CARGO cargo HINTS "$ENV{CARGO_HOME}/bin" "$ENV{HOME}/.cargo/bin" DOC "cargo")
if(NOT EVAGG_CARGO)
    message(FATAL_ERROR "cargo not found. Install Rust (https://rustup.rs) or set EVAGG_CARGO.")
endif()
set(EVAGG_RUST_TARGET "" CACHE STRING "Rust target triple; empty for the machine that builds")
if(CMAKE_CROSSCOMPILING AND NOT EVAGG_RUST_TARGET)
    message(FATAL_ERROR "Cross-compiling: set EVAGG_RUST_TARGET to the Rust target that fits ${CMAKE_SYSTEM_PROCESSOR}.")
endif()
if(CMAKE_CONFIGURATION_TYPES)
    message(FATAL_ERROR "evagg needs a generator with one configuration, such as Ninja or Unix Makefiles.")
endif()

if(CMAKE_BUILD_TYPE STREQUAL "Debug")
    set(evagg_profile dev)
    set(evagg_profile_directory debug)
else()
    set(evagg_profile release)
    set(evagg_profile_directory release)
endif()
set(evagg_cargo_directory "${PROJECT_BINARY_DIR}/cargo")
set(evagg_output_directory "${evagg_cargo_directory}/${evagg_profile_directory}")
set(evagg_target_arguments "")
if(EVAGG_RUST_TARGET)
    set(evagg_output_directory "${evagg_cargo_directory}/${EVAGG_RUST_TARGET}/${evagg_profile_directory}")
    set(evagg_target_arguments --target "${EVAGG_RUST_TARGET}")
endif()
set(evagg_library "${evagg_output_directory}/libevagg.a")

# The depfile that cargo writes names every source file; with the rlib built too, it could name that as the output. The
# touch keeps the library newer than Cargo.toml and Cargo.lock, after whose change cargo may find nothing to build.
# ~/.cargo/bin stands behind PATH, because cargo started by its full path still looks for rustc in PATH.
cmake_path(GET EVAGG_CARGO PARENT_PATH evagg_cargo_bin)
add_custom_command(
    OUTPUT "${evagg_library}"
    COMMAND "${CMAKE_COMMAND}" -E env "CARGO_TARGET_DIR=${evagg_cargo_directory}" "PATH=$ENV{PATH}:${evagg_cargo_bin}"
        "${EVAGG_CARGO}" rustc --lib --crate-type staticlib --locked --quiet --profile ${evagg_profile} ${evagg_target_arguments}
    COMMAND "${CMAKE_COMMAND}" -E touch "${evagg_library}"
    DEPENDS "${PROJECT_SOURCE_DIR}/Cargo.toml" "${PROJECT_SOURCE_DIR}/Cargo.lock" "${PROJECT_SOURCE_DIR}/build.rs"
    DEPFILE "${evagg_output_directory}/libevagg.d"
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
    COMMENT "Building libevagg.a with cargo, profile ${evagg_profile}"
    VERBATIM)
add_custom_target(evagg_cargo DEPENDS "${evagg_library}")
if(PROJECT_IS_TOP_LEVEL)
    set_target_properties(evagg_cargo PROPERTIES EXCLUDE_FROM_ALL FALSE)
endif()

add_library(evagg_static STATIC IMPORTED GLOBAL)
set_target_properties(evagg_static PROPERTIES IMPORTED_LOCATION "${evagg_library}")
add_dependencies(evagg_static evagg_cargo)

add_library(evagg INTERFACE)
add_library(evagg::evagg ALIAS evagg)
target_include_directories(evagg INTERFACE "${PROJECT_SOURCE_DIR}/include")
target_link_libraries(evagg INTERFACE evagg_static)
if(UNIX)
    # The part of the Rust standard library behind its panic handler; C libraries before glibc 2.34 have it apart.
    set(THREADS_PREFER_PTHREAD_FLAG ON)
    find_package(Threads REQUIRED)
    target_link_libraries(evagg INTERFACE Threads::Threads ${CMAKE_DL_LIBS})
endif()
add_dependencies(evagg evagg_cargo)
