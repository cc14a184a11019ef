# SPDX-License-Identifier: MIT OR Apache-2.0
#
# evagg::evagg, the static library that cargo builds.
#
#   EVAGG_RUST_TARGET  Rust target triple; empty for the one that fits the C compiler's flags
#   EVAGG_SANITIZER    address or thread: the Rust code is instrumented too; the C flags have to name the same one

include("${CMAKE_CURRENT_LIST_DIR}/rust-core.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/rust-target.cmake")
set(EVAGG_RUST_TARGET "" CACHE STRING "Rust target triple; empty for the one that fits the C compiler's flags")
set(EVAGG_SANITIZER "" CACHE STRING "Sanitizer of the Rust code, address or thread; the C flags have to name the same one")
evagg_choose_rust_target(evagg_rust_target)

if(CMAKE_CONFIGURATION_TYPES)
    message(FATAL_ERROR "evagg needs a generator with one configuration, such as Ninja or Unix Makefiles.")
endif()

set(evagg_environment "${evagg_path}")
set(evagg_cargo "${EVAGG_CARGO}")
set(evagg_target_arguments "")
set(evagg_optimised_profile release)
if(evagg_rust_target MATCHES "-none-")
    evagg_find_core(${evagg_rust_target} evagg_environment evagg_cargo evagg_target_arguments)
    list(APPEND evagg_target_arguments --features panic-handler)
    set(evagg_optimised_profile firmware)
elseif(evagg_rust_target)
    set(evagg_target_arguments --target ${evagg_rust_target})
endif()
if(EVAGG_SANITIZER)
    if(NOT evagg_rust_target)
        # Named, so that the flags are not those of build scripts as well.
        evagg_ask_rustc(evagg_rust_target rustc --print host-tuple)
        set(evagg_target_arguments --target ${evagg_rust_target})
    endif()
    # The checks cost less time with some optimisation, and what they say does not change.
    list(APPEND evagg_target_arguments --config profile.dev.opt-level=1)
    # Not stable; RUSTC_BOOTSTRAP admits it to a stable toolchain. The installed core and std are not instrumented: what
    # is generic or inlined is compiled here, the rest touches no memory of this library beside its arguments.
    list(APPEND evagg_environment RUSTC_BOOTSTRAP=1
        "RUSTFLAGS=-Zsanitizer=${EVAGG_SANITIZER} -Cunsafe-allow-abi-mismatch=sanitizer -Cforce-frame-pointers=yes")
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
    set(evagg_profile dev)
    set(evagg_profile_directory debug)
else()
    set(evagg_profile ${evagg_optimised_profile})
    set(evagg_profile_directory ${evagg_optimised_profile})
endif()
set(evagg_cargo_directory "${PROJECT_BINARY_DIR}/cargo")
cmake_path(APPEND evagg_cargo_directory "${evagg_rust_target}" "${evagg_profile_directory}" OUTPUT_VARIABLE evagg_output_directory)
set(evagg_library "${evagg_output_directory}/libevagg.a")

# The depfile that cargo writes names every source file; with the rlib built too, it could name that as the output. The
# touch keeps the library newer than Cargo.toml and Cargo.lock, after whose change cargo may find nothing to build.
# Make hands its job server to none but its own kind; cargo would look for it in MAKEFLAGS, and complain.
add_custom_command(
    OUTPUT "${evagg_library}"
    COMMAND "${CMAKE_COMMAND}" -E env --unset=MAKEFLAGS --unset=MFLAGS "CARGO_TARGET_DIR=${evagg_cargo_directory}" ${evagg_environment}
        "${evagg_cargo}" rustc --lib --crate-type staticlib --locked --quiet --profile ${evagg_profile} ${evagg_target_arguments}
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
if(EVAGG_SANITIZER STREQUAL "thread")
    add_library(evagg_tsan_memory STATIC "${PROJECT_SOURCE_DIR}/c-tests/sanitizers/tsan_memory.c")
    target_link_libraries(evagg_static INTERFACE evagg_tsan_memory)
endif()
if(UNIX)
    # The part of the Rust standard library behind its panic handler; C libraries before glibc 2.34 have it apart.
    set(THREADS_PREFER_PTHREAD_FLAG ON)
    find_package(Threads REQUIRED)
    target_link_libraries(evagg INTERFACE Threads::Threads ${CMAKE_DL_LIBS})
endif()
add_dependencies(evagg evagg_cargo)
