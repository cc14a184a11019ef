/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * evagg: event aggregation.
 *
 * An agent records every process and connection event; evagg keeps one entry per distinct event with a hit count, in
 * memory that the caller owns; once per interval the agent flushes the entries into its own buffers and sends them.
 *
 * What holds for every function:
 *
 * - A handle comes first, then inputs, then outputs. It is the address of the storage it was made in.
 * - Statuses are zero or positive for outcomes, negative for errors. An error has changed nothing in the instance
 *   (but the count of busy calls).
 * - NULL where a pointer is needed is an error. Where a count is 0, the pointer that goes with it is ignored.
 * - Outputs are written on failure too. Inputs are read during the call only.
 * - Ports and counts are in host order, addresses are bytes in network order.
 * - No function allocates, prints, or keeps state outside the storage. There may be any number of instances.
 * - "Any thread": calls for one instance may overlap, unless its configuration says EVAGG_LOCK_NONE. "Interrupts as the
 *   lock allows": with lock callbacks that mask interrupts, from an interrupt handler too; with the built-in lock on
 *   bare metal as well, where a call that meets another returns EVAGG_ERROR_BUSY.
 *
 * This file is made from the library's sources; `make header` writes it.
 */
#ifndef EVAGG_H
#define EVAGG_H

#include <stddef.h>
#include <stdint.h>

#define EVAGG_VERSION_MAJOR @MAJOR@
#define EVAGG_VERSION_MINOR @MINOR@
#define EVAGG_VERSION_PATCH @PATCH@
/** The version of this header; evagg_version() is the library's. */
#define EVAGG_VERSION "@MAJOR@.@MINOR@.@PATCH@"

#ifdef __cplusplus
extern "C" {
#endif
