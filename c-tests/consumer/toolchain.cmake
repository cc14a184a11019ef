# SPDX-License-Identifier: MIT OR Apache-2.0
# An outside project for a microcontroller: with the toolchain file of this repository it links; with a toolchain of its
# own the Rust target is found by the compiler's flags; and what does not agree is refused with advice.
#
# NAME is a row of cmake/targets.cmake, BUILD a build directory for it with the same BUILD_TYPE.
cmake_minimum_required(VERSION 3.25)
include("${SOURCE}/cmake/targets.cmake")

file(REMOVE_RECURSE "${WORK}")
# What cargo has built already, Rust's core above all.
file(MAKE_DIRECTORY "${WORK}/linked/evagg")
file(COPY "${BUILD}/cargo" DESTINATION "${WORK}/linked/evagg")

# configure(<directory> <accepted: TRUE or FALSE> <text to find in the output> <argument>...)
function(configure directory accepted text)
    execute_process(
        COMMAND "${CMAKE_COMMAND}" -G "${GENERATOR}" -S "${CONSUMER}" -B "${WORK}/${directory}" "-DEVAGG_SOURCE=${SOURCE}"
            "-DCMAKE_BUILD_TYPE=${BUILD_TYPE}" ${ARGN}
        RESULT_VARIABLE failed OUTPUT_VARIABLE output ERROR_VARIABLE output)
    # CMake breaks its messages into lines.
    string(REGEX REPLACE "[ \n]+" " " output "${output}")
    string(FIND "${output}" "${text}" at)
    if((failed AND accepted) OR (NOT failed AND NOT accepted) OR at EQUAL -1)
        message(FATAL_ERROR "${ARGN}: accepted must be ${accepted}, and \"${text}\" must be said:\n${output}")
    endif()
endfunction()

# configure_own(<accepted> <text> <flags> <argument>...): the same with no toolchain file, in a fresh directory.
function(configure_own accepted text flags)
    file(REMOVE_RECURSE "${WORK}/own")
    list(JOIN flags " " flags)
    configure(own ${accepted} "${text}" -DCMAKE_SYSTEM_NAME=Generic -DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY
        "-DCMAKE_C_COMPILER=${evagg_${NAME}_COMPILER}" "-DCMAKE_C_FLAGS=${flags}" ${ARGN})
endfunction()

set(rust ${evagg_${NAME}_RUST})
# picolibc's linker script takes the size of the flash from the command line; its default is too small for debug builds.
configure(linked TRUE "Rust target ${rust}"
    "-DCMAKE_TOOLCHAIN_FILE=${SOURCE}/cmake/toolchains/${NAME}.cmake"
    "-DCMAKE_EXE_LINKER_FLAGS=--oslib=semihost -Wl,--defsym=__flash_size=256K")
execute_process(COMMAND "${CMAKE_COMMAND}" --build "${WORK}/linked" COMMAND_ERROR_IS_FATAL ANY)

configure_own(TRUE "Rust target ${rust}" "${evagg_${NAME}_FLAGS}")
configure_own(TRUE "Rust target ${rust}" "${evagg_${NAME}_FLAGS}" -DEVAGG_RUST_TARGET=${rust})
foreach(other IN LISTS evagg_targets)
    if(NOT other STREQUAL NAME)
        configure_own(FALSE "EVAGG_RUST_TARGET is ${evagg_${other}_RUST}, but" "${evagg_${NAME}_FLAGS}"
            -DEVAGG_RUST_TARGET=${evagg_${other}_RUST})
    endif()
endforeach()
if(NAME STREQUAL "cortex-m4f")
    set(cpu -mcpu=cortex-m4 -mthumb)
    configure_own(TRUE "Rust target thumbv7em-none-eabi " "${cpu};-mfloat-abi=soft")
    configure_own(TRUE "Rust target thumbv7em-none-eabi " "${cpu};-mfloat-abi=softfp;-mfpu=fpv4-sp-d16")
    configure_own(FALSE "are those of thumbv7em-none-eabi. Change -mcpu, -mfloat-abi," "${cpu};-mfloat-abi=soft"
        -DEVAGG_RUST_TARGET=thumbv7em-none-eabihf)
    configure_own(FALSE "are those of thumbv7em-none-eabihf. Change -mcpu, -mfloat-abi," "${evagg_${NAME}_FLAGS}"
        -DEVAGG_RUST_TARGET=thumbv7em-none-eabi)
    configure_own(FALSE "cortex-m3: thumbv7m-none-eabi," "-mcpu=cortex-a7")
    configure_own(FALSE "are those of another kind of machine" "-mcpu=cortex-a7" -DEVAGG_RUST_TARGET=${rust})
endif()
