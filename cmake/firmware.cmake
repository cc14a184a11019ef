# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Programs for the machines of QEMU that targets.cmake lists.

set(evagg_name ${CMAKE_SYSTEM_PROCESSOR})
set(evagg_machines ${evagg_${evagg_name}_MACHINES})
if(NOT evagg_machines)
    list(JOIN evagg_targets ", " names)
    message(FATAL_ERROR "The tests of bare metal are for ${names}. Use one of cmake/toolchains, or set EVAGG_BUILD_TESTS to OFF.")
endif()
list(GET evagg_machines -1 evagg_largest_machine)
set_property(DIRECTORY PROPERTY LABELS ${evagg_name})

# An instruction takes 1 ns of the emulator's time, so that timers and results are the same in every run.
set(evagg_qemu_arguments -icount shift=0 -display none -monitor none -serial none -semihosting-config enable=on,target=native)

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^rv32")
    find_program(EVAGG_QEMU qemu-system-riscv32 REQUIRED)
    list(APPEND evagg_qemu_arguments -bios none)
else()
    find_program(EVAGG_QEMU qemu-system-arm REQUIRED)
endif()

# evagg_add_firmware(<executable> [MACHINE <machine>] <source>...): a program for the target's first machine, or for
# another of its machines. An unoptimised one is for the last, because it takes twice the stack. add_test(NAME ...
# COMMAND <executable>) runs it in the emulator.
function(evagg_add_firmware executable)
    cmake_parse_arguments(PARSE_ARGV 1 firmware "" "MACHINE" "")
    if(CMAKE_BUILD_TYPE STREQUAL "Debug")
        set(firmware_MACHINE ${evagg_largest_machine})
    elseif(NOT firmware_MACHINE)
        list(GET evagg_machines 0 firmware_MACHINE)
    endif()
    add_executable(${executable} ${firmware_UNPARSED_ARGUMENTS})
    target_link_libraries(${executable} PRIVATE evagg_board_${firmware_MACHINE} evagg::evagg evagg_warnings)
    target_link_options(${executable} PRIVATE -Wl,--gc-sections -Wl,-z,noexecstack "-Wl,-Map=$<TARGET_FILE:${executable}>.map")
    set_target_properties(${executable} PROPERTIES
        LINK_DEPENDS "${PROJECT_SOURCE_DIR}/firmware/board/${firmware_MACHINE}.ld;${PROJECT_SOURCE_DIR}/firmware/board/sections.ld"
        CROSSCOMPILING_EMULATOR "${EVAGG_QEMU};-M;${firmware_MACHINE};${evagg_qemu_arguments};-kernel")
endfunction()

# evagg_add_failing_test(<name> <executable> <exit status> <pattern>): a test that passes if the program ends with this
# status and prints this. Any other failure, such as a crash, is a failure of the test.
function(evagg_add_failing_test name executable status pattern)
    get_target_property(emulator ${executable} CROSSCOMPILING_EMULATOR)
    add_test(NAME ${name}
        COMMAND "${CMAKE_COMMAND}" -P "${PROJECT_SOURCE_DIR}/cmake/expect.cmake" ${status} ${pattern} ${emulator} "$<TARGET_FILE:${executable}>")
    set_tests_properties(${name} PROPERTIES TIMEOUT 120)
endfunction()
