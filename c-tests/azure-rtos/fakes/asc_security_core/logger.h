/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef FAKE_LOGGER_H
#define FAKE_LOGGER_H

#define LOG_LEVEL_NOTSET 0
#define LOG_LEVEL_FATAL 1
#define LOG_LEVEL_ERROR 2
#define LOG_LEVEL_WARN 3

__attribute__((format(printf, 2, 3))) void fake_log(int level, const char *format, ...);

#if ASC_LOG_LEVEL >= LOG_LEVEL_ERROR
#define log_error(...) fake_log(LOG_LEVEL_ERROR, __VA_ARGS__)
#else
#define log_error(...)
#endif
#if ASC_LOG_LEVEL >= LOG_LEVEL_WARN
#define log_warn(...) fake_log(LOG_LEVEL_WARN, __VA_ARGS__)
#else
#define log_warn(...)
#endif

#endif
