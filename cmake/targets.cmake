# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The microcontrollers that evagg is built and tested for, in one table. Each has a toolchain file and presets of its
# name. A machine of QEMU runs what is built for it; the last of several has the most RAM, for what does not fit the first.

set(evagg_targets cortex-m0plus cortex-m3 cortex-m4f cortex-m33 rv32imac)

# evagg_target(<name> <variable of the target> <value>...) is read as: evagg_<name>_<variable>.
macro(evagg_target name)
    cmake_parse_arguments("evagg_${name}" "" "COMPILER;RUST" "FLAGS;MACHINES" ${ARGN})
endmacro()

evagg_target(cortex-m0plus
    COMPILER arm-none-eabi-gcc
    FLAGS -mcpu=cortex-m0plus -mthumb -mfloat-abi=soft
    RUST thumbv6m-none-eabi
    MACHINES microbit mps2-an385)
evagg_target(cortex-m3
    COMPILER arm-none-eabi-gcc
    FLAGS -mcpu=cortex-m3 -mthumb -mfloat-abi=soft
    RUST thumbv7m-none-eabi
    MACHINES mps2-an385)
evagg_target(cortex-m4f
    COMPILER arm-none-eabi-gcc
    FLAGS -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16
    RUST thumbv7em-none-eabihf
    MACHINES mps2-an386)
evagg_target(cortex-m33
    COMPILER arm-none-eabi-gcc
    FLAGS -mcpu=cortex-m33 -mthumb -mfloat-abi=soft
    RUST thumbv8m.main-none-eabi
    MACHINES mps2-an505)
evagg_target(rv32imac
    COMPILER riscv64-unknown-elf-gcc
    FLAGS -march=rv32imac -mabi=ilp32
    RUST riscv32imac-unknown-none-elf
    MACHINES virt)

# What a toolchain file sets. picolibc is the C library because it exists for Arm and RISC-V alike.
macro(evagg_use_target name)
    set(CMAKE_SYSTEM_NAME Generic)
    set(CMAKE_SYSTEM_PROCESSOR ${name})
    set(CMAKE_C_COMPILER ${evagg_${name}_COMPILER})
    list(JOIN evagg_${name}_FLAGS " " CMAKE_C_FLAGS_INIT)
    string(APPEND CMAKE_C_FLAGS_INIT " --specs=picolibc.specs -ffunction-sections -fdata-sections")
    set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
    set(CMAKE_EXECUTABLE_SUFFIX_C .elf)
    set(EVAGG_RUST_TARGET ${evagg_${name}_RUST} CACHE STRING "Rust target triple")
endmacro()
