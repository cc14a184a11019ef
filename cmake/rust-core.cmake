# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Where Rust's core library for the target comes from: an installed target, else its sources.
#
#   EVAGG_CARGO  the cargo to use; found in ~/.cargo/bin or PATH

# rustup's first, also where a cargo of the system stands before it in PATH.
if(DEFINED ENV{CARGO_HOME})
    set(evagg_rustup_bin "$ENV{CARGO_HOME}/bin")
else()
    set(evagg_rustup_bin "$ENV{HOME}/.cargo/bin")
endif()
find_program(EVAGG_CARGO cargo HINTS "${evagg_rustup_bin}" DOC "cargo")
if(NOT EVAGG_CARGO)
    message(FATAL_ERROR "cargo not found. Install Rust (https://rustup.rs) or set EVAGG_CARGO.")
endif()
# Cargo looks for rustc in PATH: the one beside it has to come first.
cmake_path(GET EVAGG_CARGO PARENT_PATH evagg_cargo_bin)
set(evagg_path "PATH=${evagg_cargo_bin}:$ENV{PATH}")
# Debian's packages cargo-web, rustc-web and rust-web-src, which may stand beside a rustup that comes first in PATH.
find_program(EVAGG_SYSTEM_CARGO cargo PATHS /usr/bin NO_DEFAULT_PATH DOC "cargo of the system")
find_program(EVAGG_SYSTEM_RUSTC rustc PATHS /usr/bin NO_DEFAULT_PATH DOC "rustc of the system")
mark_as_advanced(EVAGG_SYSTEM_CARGO EVAGG_SYSTEM_RUSTC)

# evagg_ask_rustc(<variable> <rustc> <argument>...): empty if it fails.
function(evagg_ask_rustc result rustc)
    execute_process(COMMAND "${CMAKE_COMMAND}" -E env "${evagg_path}" "${rustc}" ${ARGN}
        WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
        OUTPUT_VARIABLE output ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
    set(${result} "${output}" PARENT_SCOPE)
endfunction()

# evagg_find_core(<target> <variable for the environment> <variable for cargo> <variable for its arguments>)
function(evagg_find_core target environment cargo arguments)
    set(${environment} "${evagg_path}" PARENT_SCOPE)
    set(${cargo} "${EVAGG_CARGO}" PARENT_SCOPE)
    set(${arguments} --target ${target} PARENT_SCOPE)
    set(rustc "$ENV{RUSTC}")
    if(NOT rustc)
        set(rustc rustc)
    endif()
    evagg_ask_rustc(library "${rustc}" --print target-libdir --target ${target})
    file(GLOB core "${library}/libcore-*.rlib")
    if(core)
        return()
    endif()

    foreach(pair IN ITEMS "${EVAGG_CARGO}|${rustc}" "${EVAGG_SYSTEM_CARGO}|${EVAGG_SYSTEM_RUSTC}")
        string(REGEX REPLACE "[|].*" "" candidate "${pair}")
        string(REGEX REPLACE ".*[|]" "" rustc "${pair}")
        evagg_ask_rustc(sysroot "${rustc}" --print sysroot)
        if(candidate AND sysroot AND EXISTS "${sysroot}/lib/rustlib/src/rust/library/core")
            message(STATUS "evagg: builds Rust's core for ${target} from the sources in ${sysroot}")
            # -Zbuild-std is not stable; RUSTC_BOOTSTRAP admits it to a stable toolchain.
            set(${environment} "${evagg_path}" RUSTC_BOOTSTRAP=1 "RUSTC=${rustc}" PARENT_SCOPE)
            set(${cargo} "${candidate}" PARENT_SCOPE)
            # The routines for what the processor cannot do, such as divide, are optimised in a debug build too, as they
            # are in an installed target. Without that, Cortex-M0+ is some twenty times as slow.
            set(builtins "")
            foreach(setting IN ITEMS opt-level=3 debug-assertions=false overflow-checks=false)
                list(APPEND builtins --config profile.dev.package.compiler_builtins.${setting})
            endforeach()
            set(${arguments} --target ${target} -Zbuild-std=core ${builtins} PARENT_SCOPE)
            return()
        endif()
    endforeach()
    message(FATAL_ERROR "Rust's core library for ${target} is missing. Install it (rustup target add ${target}) "
        "or its sources (rustup component add rust-src; on Debian: apt-get install cargo-web rustc-web rust-web-src).")
endfunction()
