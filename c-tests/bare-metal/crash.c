/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* An exception that nobody expects ends the emulator with a status that says so. */
int main(void) { __builtin_trap(); }
