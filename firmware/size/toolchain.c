/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What scripts/symbols.py must accept in a member of the toolchain: a strong symbol of a reserved name,
   a weak one of any other, and needs of its own. */
#include <stddef.h>
#include <stdlib.h>

__attribute__((visibility("hidden"))) long long __absvdi2(long long value);
__attribute__((visibility("hidden"), weak)) size_t strlen(const char *text);

long long __absvdi2(long long value) {
    if (value == -0x7fffffffffffffff - 1) {
        abort();
    }
    return value < 0 ? -value : value;
}

size_t strlen(const char *text) {
    size_t length = 0;
    while (text[length] != '\0') {
        length++;
    }
    return length;
}
