/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef FAKE_ASC_RESULT_H
#define FAKE_ASC_RESULT_H

typedef enum {
    ASC_RESULT_OK = 0,
    ASC_RESULT_EXCEPTION = 1,
    ASC_RESULT_BAD_ARGUMENT = 9,
    ASC_RESULT_EMPTY = 10
} asc_result_t;

#endif
