#pragma once

#include "harness/selftest/selftest.h"
#include "model/tensor.h"

#include <string>

namespace bench::harness {

/// x in fp64 on the CPU, without its gradient. A device may have no fp64, so x is copied first.
inline torch::Tensor exact(const torch::Tensor& x) { return x.detach().cpu().to(torch::kFloat64); }

/// The largest absolute value of x; infinity if x holds NaN.
double largest(const torch::Tensor& x);
/// The largest absolute difference of two tensors of one shape, which may lie on different devices.
double distance(const torch::Tensor& a, const torch::Tensor& b);

/// The share of the largest value at hand by which results in that dtype may be off, after a few operations: some
/// hundred roundings in fp32 (GPUs have fast functions of less than full precision) and a few in bf16, whose numbers
/// have 8 bits. The faults that the probes look for are tens of percent.
double tolerated_share(torch::Dtype dtype);

/// "fp32" or "bf16".
std::string short_name(torch::Dtype dtype);

/// `count` normal numbers of these sizes from a generator of their own, made in fp32 on the CPU and rounded to `dtype`.
/// They stay on the CPU, so that the reference can be computed from the very same numbers.
torch::Tensor normal_numbers(at::IntArrayRef sizes, std::uint64_t seed, torch::Dtype dtype = torch::kFloat32);

/// Collects comparisons, and keeps the worst: the one that is the most times its tolerance.
class Worst {
 public:
  void add(double difference, double tolerance, const std::string& what);
  /// Compares a device's tensor with the expected one: at most tolerated_share(dtype) of the largest expected value.
  void compare(const torch::Tensor& found, const torch::Tensor& expected, torch::Dtype dtype, const std::string& what);
  /// Adds a remark to the finding.
  void note(const std::string& text) { note_ = text; }

  Finding finding() const;

 private:
  Finding worst_;
  double ratio_ = -1;
  std::string note_;
};

}  // namespace bench::harness
