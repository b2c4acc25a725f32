#pragma once

#include <cstdint>

namespace bench::harness {

/// The factor on the loss that keeps gradients within the range of fp16 (Micikevicius et al., 2018, arXiv 1710.03740).
/// It is halved when a gradient overflowed, and doubled after 2000 steps without an overflow, as in
/// torch.amp.GradScaler. For other dtypes it stays 1.
class LossScaler {
 public:
  explicit LossScaler(bool fp16) : fp16_(fp16), scale_(fp16 ? 65536 : 1) {}

  double scale() const { return scale_; }
  /// Optimizer steps since the last overflow or doubling.
  std::int64_t good_steps() const { return good_steps_; }
  void restore(double scale, std::int64_t good_steps) {
    scale_ = scale;
    good_steps_ = good_steps;
  }
  /// Call this after each optimizer step. `finite`: whether all gradients were finite.
  void update(bool finite) {
    if (!fp16_) return;
    good_steps_ = finite ? good_steps_ + 1 : 0;
    if (!finite) scale_ /= 2;
    if (good_steps_ < kGrowAfter) return;
    good_steps_ = 0;
    scale_ *= 2;
  }

 private:
  static constexpr std::int64_t kGrowAfter = 2000;
  bool fp16_;
  double scale_;
  std::int64_t good_steps_ = 0;
};

}  // namespace bench::harness
