#include "model/kernels/quantize.h"

#include <algorithm>
#include <cmath>
#include <cstring>

// Plain loops: done once for each weight when a model is opened, where reading the file costs more.
namespace bench::model {
namespace {

float to_float(Bf16 x) {
  const std::uint32_t bits = static_cast<std::uint32_t>(x.bits) << 16;
  float value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// The nearest bf16, ties to even; x is a number.
Bf16 to_bf16(float x) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &x, sizeof bits);
  return {static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16)};
}

int nearest(float x, int least, int most) {
  return std::clamp(static_cast<int>(x + std::copysign(0.5f, x)), least, most);
}

float squared_error(const float* x, std::int64_t n, float scale) {
  float sum = 0;
  const float inverse = 1 / scale;
  for (std::int64_t i = 0; i < n; ++i) {
    const float off = x[i] - scale * static_cast<float>(nearest(x[i] * inverse, -8, 7));
    sum += off * off;
  }
  return sum;
}

/// The scale of a group's n weights. The sign is such that the weight of largest magnitude falls on -8, of which there
/// is one more than of +7.
Bf16 int4_scale(const float* x, std::int64_t n) {
  const float extreme = *std::max_element(x, x + n, [](float a, float b) { return std::fabs(a) < std::fabs(b); });
  if (extreme == 0) return {0};
  Bf16 best{0};
  float least = INFINITY;
  for (const float divisor : {-8.8f, -8.4f, -8.0f, -7.6f, -7.2f}) {
    const Bf16 scale = to_bf16(extreme / divisor);
    const float error = to_float(scale) == 0 ? INFINITY : squared_error(x, n, to_float(scale));
    if (error < least) least = error, best = scale;
  }
  return best;
}

}  // namespace

float quantize_row_int8(const float* weight, std::int64_t columns, std::int8_t* q) {
  float most = 0;
  for (std::int64_t i = 0; i < columns; ++i) most = std::max(most, std::fabs(weight[i]));
  const float inverse = most > 0 ? 127 / most : 0;
  for (std::int64_t i = 0; i < columns; ++i) q[i] = static_cast<std::int8_t>(nearest(weight[i] * inverse, -127, 127));
  std::fill(q + columns, q + padded_columns(columns), std::int8_t{0});
  return most / 127;
}

void quantize_row_int4(const float* weight, std::int64_t columns, std::uint8_t* q, Bf16* scales) {
  const std::int64_t padded = padded_columns(columns);
  std::memset(q, 0, static_cast<std::size_t>(padded / 2));  // -8: what fills up meets zeros
  for (std::int64_t first = 0; first < padded; first += kGroupColumns) {
    const std::int64_t n = std::clamp<std::int64_t>(columns - first, 0, kGroupColumns);
    const Bf16 stored = n > 0 ? int4_scale(weight + first, n) : Bf16{0};
    scales[first / kGroupColumns] = stored;
    const float scale = to_float(stored);
    if (scale == 0) continue;
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int64_t byte = first / kBlockColumns * kGroupColumns + i;
      const int shift = first % kBlockColumns == 0 ? 0 : 4;
      q[byte] = static_cast<std::uint8_t>(q[byte] | (nearest(weight[first + i] / scale, -8, 7) + 8) << shift);
    }
  }
}

}  // namespace bench::model
