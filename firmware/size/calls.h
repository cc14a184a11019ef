/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef EVAGG_FIRMWARE_SIZE_CALLS_H
#define EVAGG_FIRMWARE_SIZE_CALLS_H

/* Each makes the calls that every firmware with this kind of event makes. */
void connections_calls(void);
void processes_calls(void);

#endif
