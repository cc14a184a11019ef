/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#error "the agent's own collector is compiled"
