/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "failure.h"

/* The length of the UTF-8 sequence that the bytes begin with, and its character; 0 if there is
 * none. */
static size_t utf8_sequence(const char *bytes, size_t length, uint32_t *character) {
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t lead = (uint8_t)bytes[0];
    size_t sequence;
    if (lead < 0x80) {
        *character = lead;
        return 1;
    }
    if (lead >= 0xc2 && lead < 0xe0) {
        sequence = 2;
    } else if (lead >= 0xe0 && lead < 0xf0) {
        sequence = 3;
    } else if (lead >= 0xf0 && lead < 0xf5) {
        sequence = 4;
    } else {
        return 0;
    }
    if (length < sequence) {
        return 0;
    }
    uint32_t value = lead & (0x7fu >> sequence);
    for (size_t i = 1; i < sequence; i++) {
        uint8_t byte = (uint8_t)bytes[i];
        if ((byte & 0xc0) != 0x80) {
            return 0;
        }
        value = value << 6 | (byte & 0x3fu);
    }
    bool surrogate = value >= 0xd800 && value < 0xe000;
    if (value < smallest[sequence] || value > 0x10ffff || surrogate) {
        return 0;
    }
    *character = value;
    return sequence;
}

static bool steers_terminal(uint32_t character) {
    bool control = character < 0x20 || (character >= 0x7f && character < 0xa0);
    bool line_break = character == 0x2028 || character == 0x2029;
    bool text_direction = (character >= 0x202a && character < 0x202f) ||
                          (character >= 0x2066 && character < 0x206a) || character == 0x200e ||
                          character == 0x200f;
    return control || line_break || text_direction;
}

/* The number of bytes at the head that can be shown as they are: one character, or 0. */
static size_t plain_bytes(const char *bytes, size_t length, enum text_target target) {
    uint32_t character = 0;
    size_t sequence = utf8_sequence(bytes, length, &character);
    bool hidden = target == TEXT_FOR_TERMINAL && steers_terminal(character);
    /* A NUL would end the string of cJSON. */
    return character == 0 || hidden ? 0 : sequence;
}

char *text_escape(const char *bytes, size_t length, enum text_target target, bool *escaped) {
    size_t plain = 0;
    while (plain < length) {
        size_t step = plain_bytes(bytes + plain, length - plain, target);
        if (step == 0) {
            break;
        }
        plain += step;
    }
    *escaped = plain < length;

    char *text = allocate(*escaped ? length * 4 + 1 : length + 1);
    if (!*escaped) {
        if (length > 0) {
            memcpy(text, bytes, length);
        }
        text[length] = '\0';
        return text;
    }
    char *end = text;
    for (size_t i = 0; i < length;) {
        size_t step = plain_bytes(bytes + i, length - i, target);
        if (step == 0) {
            end += sprintf(end, "\\x%02x", (unsigned)(uint8_t)bytes[i]);
            i++;
            continue;
        }
        if (bytes[i] == '\\') {
            *end++ = '\\';
        }
        memcpy(end, bytes + i, step);
        end += step;
        i += step;
    }
    *end = '\0';
    return text;
}
