/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef FAKE_ITIME_H
#define FAKE_ITIME_H

#define ITIME_FAILED ((unsigned long)-1)

/* Seconds; ITIME_FAILED. */
unsigned long itime_time(unsigned long *time);

#endif
