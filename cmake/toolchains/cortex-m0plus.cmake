# SPDX-License-Identifier: MIT OR Apache-2.0
include("${CMAKE_CURRENT_LIST_DIR}/../targets.cmake")
evagg_use_target(cortex-m0plus)
