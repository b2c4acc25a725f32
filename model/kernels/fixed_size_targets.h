#pragma once

// Include this before Highway's headers in a file that has arrays of vectors: such arrays need vectors whose size the
// compiler knows.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
