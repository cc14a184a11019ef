/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the simulated device sees: raw packets, as a network driver hands them over, and programs
   that start. */
#ifndef AGENT_TRAFFIC_H
#define AGENT_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "evagg.h"

/* Distinct connections on a busy and on a quiet network, and the one that the agent itself has. */
#define TRAFFIC_BUSY_CONNECTIONS 24u
#define TRAFFIC_QUIET_CONNECTIONS 8u
#define TRAFFIC_OWN_CONNECTION TRAFFIC_BUSY_CONNECTIONS
/* Distinct programs, likewise. */
#define TRAFFIC_BUSY_PROGRAMS 12u
#define TRAFFIC_QUIET_PROGRAMS 4u
/* Numbers of distinct events are below this, for either kind. */
#define TRAFFIC_EVENTS (TRAFFIC_OWN_CONNECTION + 1u)

/* What the library has to make of an event. */
typedef struct traffic_event_t {
    uint32_t number; /* which of the distinct events it is */
    /* EVAGG_COUNTED for one that it caches, EVAGG_MALFORMED or EVAGG_IGNORED. */
    evagg_status_t outcome;
    uint32_t bytes;
    uint8_t direction;
} traffic_event_t;

typedef struct traffic_packet_t {
    traffic_event_t event;
    size_t length; /* at hand, which is less than the packet states: the first buffer of a chain */
    uint8_t bytes[72];
} traffic_packet_t;

/* The next packet. One in sixteen is malformed, and as many are of a protocol that is ignored. */
void traffic_next_packet(traffic_packet_t *packet, bool busy);
/* The next program that starts. Its command line is constant. */
void traffic_next_program(evagg_process_t *program, traffic_event_t *event, bool busy);

evagg_connection_t traffic_connection(uint32_t number);
/* The number of the event that a record is of; TRAFFIC_EVENTS if it is not exactly of one. */
uint32_t traffic_connection_number(const evagg_connection_record_t *record);
uint32_t traffic_program_number(const evagg_process_record_t *record, uint32_t text_maximum);

#endif
