#include "harness/selftest/comparison.h"

#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace bench::harness {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// How many times its tolerance a difference is. A device that gives NaN or infinity spoils both numbers where what is
/// expected comes from the device itself, and neither can be tolerated.
double ratio_of(double difference, double tolerance) {
  if (!std::isfinite(difference) || !std::isfinite(tolerance)) return kInfinity;
  if (tolerance > 0) return difference / tolerance;
  return difference > 0 ? kInfinity : 0;
}

}  // namespace

double largest(const torch::Tensor& x) {
  const double value = exact(x).abs().max().item<double>();
  return std::isnan(value) ? kInfinity : value;
}

double distance(const torch::Tensor& a, const torch::Tensor& b) {
  const torch::Tensor x = exact(a), y = exact(b);
  // Infinities that are the same on both sides are no difference, though their difference is NaN.
  return largest((x - y).masked_fill(x == y, 0));
}

double tolerated_share(torch::Dtype dtype) { return dtype == torch::kFloat32 ? 1e-4 : 2e-2; }

std::string short_name(torch::Dtype dtype) { return dtype == torch::kFloat32 ? "fp32" : "bf16"; }

torch::Tensor normal_numbers(at::IntArrayRef sizes, std::uint64_t seed, torch::Dtype dtype) {
  return torch::empty(sizes, torch::kFloat32).normal_(0, 1, at::detail::createCPUGenerator(seed)).to(dtype);
}

void Worst::add(double difference, double tolerance, const std::string& what) {
  const double ratio = ratio_of(difference, tolerance);
  if (ratio <= ratio_) return;
  ratio_ = ratio;
  worst_ = {difference, tolerance, what};
}

void Worst::compare(const torch::Tensor& found, const torch::Tensor& expected, torch::Dtype dtype,
                    const std::string& what) {
  add(distance(found, expected), tolerated_share(dtype) * largest(expected), what);
}

Finding Worst::finding() const {
  Finding finding = worst_;
  if (!note_.empty()) finding.detail += "; " + note_;
  return finding;
}

}  // namespace bench::harness
