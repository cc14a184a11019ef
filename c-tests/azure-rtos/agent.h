/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The micro agent with the NetworkActivity collector of evagg, and one IP instance. */
#ifndef EVAGG_C_TESTS_AZURE_AGENT_H
#define EVAGG_C_TESTS_AZURE_AGENT_H

#include "packets.h"

#include "evagg_micro_agent.h"
#include "fake_agent.h"

/* Brings everything back to how it is shipped, loads and starts the component, on `ip`. */
void agent_open(void);
/* Empties the cache, stops the component, deletes the IP instances, and looks for faults. */
void agent_close(void);

/* A packet through `ip`. */
void agent_see(kind_t kind, uint8_t direction, uint32_t n, ULONG payload);
/* One each way, with payload of 1 byte in and 2 bytes out. */
void agent_talk(kind_t kind, uint32_t n);

/* The entry of a connection in the last message, or NULL. */
const fake_entry_t *agent_find(kind_t kind, uint32_t n);
/* The last message has it, with those bytes. */
void agent_check(kind_t kind, uint32_t n, uint32_t bytes_in, uint32_t bytes_out);
/* It has it as agent_talk leaves it. */
void agent_check_talk(kind_t kind, uint32_t n);
/* Collects: the message has that many connections. */
void agent_collect(unsigned count);
/* In and out, of all connections in the last message. */
uint64_t agent_message_bytes(void);
/* Collects. By chance the last message, with `waiting` bytes, is unsent, or this one fails. Returns the
   bytes that were sent; `waiting` becomes those of this message. */
uint64_t agent_collect_by_chance(uint64_t *random, uint64_t *waiting);
evagg_statistics_t agent_statistics(void);

#endif
