/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Valid as C99, C11, C17 and C++17. The Rust side asserts the same numbers. */
#include "evagg.h"
#include "evagg.h" /* the include guard works */

#include <stddef.h>
#include <stdint.h>

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define CHECK(condition)                           \
    struct JOIN(check_, __LINE__) {                \
        int condition_holds[(condition) ? 1 : -1]; \
    }
#if UINTPTR_MAX == UINT64_MAX
#define LP64_ILP32(lp64, ilp32) (lp64)
#else
#define LP64_ILP32(lp64, ilp32) (ilp32)
#endif
#define SIZE(type, lp64, ilp32) CHECK(sizeof(type) == LP64_ILP32(lp64, ilp32))
#define OFFSET(type, member, lp64, ilp32) CHECK(offsetof(type, member) == LP64_ILP32(lp64, ilp32))

SIZE(evagg_status_t, 4, 4);
SIZE(evagg_time_t, 4, 4);

SIZE(evagg_config_t, 64, 56);
OFFSET(evagg_config_t, size, 0, 0);
OFFSET(evagg_config_t, abi_version, 2, 2);
OFFSET(evagg_config_t, capacity, 4, 4);
OFFSET(evagg_config_t, hash_seed, 8, 8);
OFFSET(evagg_config_t, text_bytes, 16, 16);
OFFSET(evagg_config_t, start, 20, 20);
OFFSET(evagg_config_t, interval, 24, 24);
OFFSET(evagg_config_t, text_maximum, 28, 28);
OFFSET(evagg_config_t, overflow_policy, 30, 30);
OFFSET(evagg_config_t, lock, 31, 31);
OFFSET(evagg_config_t, warning_delivery, 32, 32);
OFFSET(evagg_config_t, reserved, 33, 33);
OFFSET(evagg_config_t, acquire, 40, 40);
OFFSET(evagg_config_t, release, 48, 44);
OFFSET(evagg_config_t, lock_context, 56, 48);

SIZE(evagg_warning_t, 40, 32);
OFFSET(evagg_warning_t, text, 0, 0);
OFFSET(evagg_warning_t, code, 8, 4);
OFFSET(evagg_warning_t, window, 12, 8);
OFFSET(evagg_warning_t, capacity, 16, 12);
OFFSET(evagg_warning_t, lost, 20, 16);
OFFSET(evagg_warning_t, recommended_capacity, 24, 20);
OFFSET(evagg_warning_t, recommended_text_bytes, 28, 24);
OFFSET(evagg_warning_t, at_least, 32, 28);

SIZE(evagg_window_t, 40, 40);
OFFSET(evagg_window_t, sequence, 0, 0);
OFFSET(evagg_window_t, start, 4, 4);
OFFSET(evagg_window_t, end, 8, 8);
OFFSET(evagg_window_t, records, 12, 12);
OFFSET(evagg_window_t, remaining, 16, 16);
OFFSET(evagg_window_t, offered, 20, 20);
OFFSET(evagg_window_t, merged, 24, 24);
OFFSET(evagg_window_t, kept, 28, 28);
OFFSET(evagg_window_t, rejected, 32, 32);
OFFSET(evagg_window_t, discarded, 36, 36);

SIZE(evagg_statistics_t, 72, 72);
OFFSET(evagg_statistics_t, offered, 0, 0);
OFFSET(evagg_statistics_t, merged, 8, 8);
OFFSET(evagg_statistics_t, counted, 16, 16);
OFFSET(evagg_statistics_t, rejected, 24, 24);
OFFSET(evagg_statistics_t, discarded, 32, 32);
OFFSET(evagg_statistics_t, malformed, 40, 40);
OFFSET(evagg_statistics_t, ignored, 44, 44);
OFFSET(evagg_statistics_t, disabled, 48, 48);
OFFSET(evagg_statistics_t, busy, 52, 52);
OFFSET(evagg_statistics_t, high_water_mark, 56, 56);
OFFSET(evagg_statistics_t, windows, 60, 60);
OFFSET(evagg_statistics_t, recoveries, 64, 64);
OFFSET(evagg_statistics_t, reserved, 68, 68);

SIZE(evagg_connection_t, 38, 38);
OFFSET(evagg_connection_t, local_address, 0, 0);
OFFSET(evagg_connection_t, remote_address, 16, 16);
OFFSET(evagg_connection_t, local_port, 32, 32);
OFFSET(evagg_connection_t, remote_port, 34, 34);
OFFSET(evagg_connection_t, protocol, 36, 36);
OFFSET(evagg_connection_t, ip_version, 37, 37);

SIZE(evagg_connection_record_t, 60, 60);
OFFSET(evagg_connection_record_t, connection, 0, 0);
OFFSET(evagg_connection_record_t, flags, 38, 38);
OFFSET(evagg_connection_record_t, hit_count, 40, 40);
OFFSET(evagg_connection_record_t, bytes_in, 44, 44);
OFFSET(evagg_connection_record_t, bytes_out, 48, 48);
OFFSET(evagg_connection_record_t, first_seen, 52, 52);
OFFSET(evagg_connection_record_t, last_seen, 56, 56);

SIZE(evagg_process_t, 32, 20);
OFFSET(evagg_process_t, command_line, 0, 0);
OFFSET(evagg_process_t, command_line_length, 8, 4);
OFFSET(evagg_process_t, user_id, 16, 8);
OFFSET(evagg_process_t, process_id, 20, 12);
OFFSET(evagg_process_t, parent_process_id, 24, 16);

SIZE(evagg_process_record_t, 56, 48);
OFFSET(evagg_process_record_t, hash, 0, 0);
OFFSET(evagg_process_record_t, command_line, 8, 8);
OFFSET(evagg_process_record_t, command_line_length, 16, 12);
OFFSET(evagg_process_record_t, full_length, 20, 16);
OFFSET(evagg_process_record_t, user_id, 24, 20);
OFFSET(evagg_process_record_t, process_id, 28, 24);
OFFSET(evagg_process_record_t, parent_process_id, 32, 28);
OFFSET(evagg_process_record_t, hit_count, 36, 32);
OFFSET(evagg_process_record_t, first_seen, 40, 36);
OFFSET(evagg_process_record_t, last_seen, 44, 40);
OFFSET(evagg_process_record_t, flags, 48, 44);
OFFSET(evagg_process_record_t, reserved, 50, 46);

/* The macros are constant expressions of type size_t, usable for static storage in every dialect. */
EVAGG_ALIGNED extern uint8_t
    connections_memory[EVAGG_CONNECTIONS_STORAGE_SIZE(EVAGG_CONNECTIONS_DEFAULT_CAPACITY)];
EVAGG_ALIGNED extern uint8_t processes_memory[EVAGG_PROCESSES_STORAGE_SIZE(
    EVAGG_PROCESSES_DEFAULT_CAPACITY, EVAGG_PROCESSES_DEFAULT_TEXT_BYTES)];
EVAGG_ALIGNED uint8_t
    connections_memory[EVAGG_CONNECTIONS_STORAGE_SIZE(EVAGG_CONNECTIONS_DEFAULT_CAPACITY)];
EVAGG_ALIGNED uint8_t processes_memory[EVAGG_PROCESSES_STORAGE_SIZE(
    EVAGG_PROCESSES_DEFAULT_CAPACITY, EVAGG_PROCESSES_DEFAULT_TEXT_BYTES)];
CHECK(sizeof(EVAGG_CONNECTIONS_STORAGE_SIZE(1)) == sizeof(size_t));
CHECK(sizeof(EVAGG_PROCESSES_STORAGE_SIZE(1, 256)) == sizeof(size_t));
CHECK(EVAGG_CONNECTIONS_STORAGE_SIZE(EVAGG_MAXIMUM_CAPACITY) > EVAGG_CONNECTIONS_STORAGE_SIZE(1));

evagg_config_t default_config(void);
evagg_config_t default_config(void) {
    evagg_config_t config = EVAGG_CONFIG_INIT;
    return config;
}
