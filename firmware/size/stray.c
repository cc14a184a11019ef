/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What scripts/symbols.py must find in a member of the archive, whether it is evagg's or not. */
void stray_need(void);
void stray_function(void);
__attribute__((visibility("hidden"))) void stray_hidden(void);

void stray_function(void) { stray_need(); }
void stray_hidden(void) {}
