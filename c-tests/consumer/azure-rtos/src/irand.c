/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What stays of the agent. */
extern int agent_has_more;
int agent_has_more;
