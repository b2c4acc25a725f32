#include "model/device/kernels_agree.h"

#include <algorithm>
#include <array>
#include <sstream>

namespace bench::model {
namespace {

constexpr double kEps = 1e-5;

double tolerance(torch::Dtype dtype) {
  switch (dtype) {
    case torch::kFloat16:
      return 0x1p-9;  // twice what lies between neighbours with 11 bits
    case torch::kBFloat16:
      return 0x1p-6;  // with 8
    default:
      return 1e-5;
  }
}

/// Makes inputs of about 1 that no two places share, by a formula: a generator's state is none of our business.
class Inputs {
 public:
  Inputs(torch::Dtype dtype, const torch::Device& device) : dtype_(dtype), device_(device) {}
  torch::Tensor operator()(torch::IntArrayRef sizes) {
    const std::int64_t count = c10::multiply_integers(sizes);
    const torch::Tensor places = torch::arange(first_, first_ + count, torch::kFloat64);
    first_ += count;
    return (2 * torch::sin(places * places * 0.37)).view(sizes).to(dtype_).to(device_);
  }

 private:
  torch::Dtype dtype_;
  torch::Device device_;
  std::int64_t first_ = 1;
};

struct Compared {
  const char* name;
  torch::Tensor ours, theirs;
};

/// How a result differs, or "".
std::string difference(const Compared& compared, torch::Dtype dtype) {
  std::ostringstream text;
  text << compared.name;
  const auto& [name, our_result, their_result] = compared;
  if (our_result.sizes() != their_result.sizes() || our_result.scalar_type() != their_result.scalar_type()) {
    text << " is " << our_result.scalar_type() << ' ' << our_result.sizes() << ", not " << their_result.scalar_type()
         << ' ' << their_result.sizes();
    return text.str();
  }
  const auto wide = [](const torch::Tensor& x) { return x.cpu().to(torch::kFloat64).flatten(); };
  const torch::Tensor ours = wide(our_result), theirs = wide(their_result), size = theirs.abs();
  const torch::Tensor excess = (ours - theirs).abs() - tolerance(dtype) * torch::maximum(size, size.max() / 16);
  // Not `excess > 0`: a result that is no number is wrong.
  const torch::Tensor wrong = (excess <= 0).logical_not();
  if (!wrong.any().item<bool>()) return "";
  const torch::Tensor worst = excess.nan_to_num(INFINITY, INFINITY, INFINITY).argmax();
  text << ": " << ours[worst].item<double>() << " where " << theirs[worst].item<double>() << " is expected, "
       << wrong.sum().item<std::int64_t>() << " of " << wrong.numel() << " wrong";
  return text.str();
}

/// The first difference among the results of one kernel, or "".
std::string difference(const char* kernel, torch::IntArrayRef sizes, torch::Dtype dtype,
                       std::initializer_list<Compared> results) {
  for (const Compared& compared : results)
    if (const std::string text = difference(compared, dtype); !text.empty()) {
      std::ostringstream all;
      all << kernel << " in " << dtype << ' ' << sizes << ": " << text;
      return all.str();
    }
  return "";
}

std::string norms_differ(const DeviceKernels& ours, const DeviceKernels& theirs, Inputs inputs, torch::Dtype dtype,
                         torch::IntArrayRef sizes) {
  torch::Tensor x = inputs(sizes);
  const torch::Tensor branch = inputs(sizes), weight = inputs(sizes[1]);
  // The last row is so small that eps counts.
  x[-1] *= 0x1p-8;
  branch[-1] *= 0x1p-8;
  const auto [our_sum, our_norm] = ours.add_rms_norm(x, branch, weight, kEps);
  const auto [their_sum, their_norm] = theirs.add_rms_norm(x, branch, weight, kEps);
  return difference("add_rms_norm", sizes, dtype, {{"sum", our_sum, their_sum}, {"normed", our_norm, their_norm}});
}

struct Rotation {
  std::int64_t batch, tokens, heads, kv_heads, dim, position;
};

/// Caches one place longer than needed, and of one sequence more than there is: what lies around must stay.
std::string rotations_differ(const DeviceKernels& ours, const DeviceKernels& theirs, Inputs inputs, torch::Dtype dtype,
                             const Rotation& r) {
  const std::array<std::int64_t, 3> sizes{r.batch, r.tokens, (r.heads + 2 * r.kv_heads) * r.dim};
  const torch::Tensor qkv = inputs(sizes);
  const torch::Tensor angles = inputs({r.tokens, r.dim / 2}).to(torch::kFloat32);
  const RotationTables tables = rotation_tables(angles.cos(), angles.sin());
  const std::array<std::int64_t, 4> cache{r.batch + 1, r.kv_heads, r.position + r.tokens + 1, r.dim};
  const torch::Tensor keys = inputs(cache), values = inputs(cache), our_keys = keys.clone(),
                      our_values = values.clone();
  const auto rotate = [&](const DeviceKernels& kernels, const torch::Tensor& k, const torch::Tensor& v) {
    return kernels.rotate_into_cache(qkv, tables, {k.narrow(0, 1, r.batch), v.narrow(0, 1, r.batch), r.position});
  };
  const torch::Tensor our_queries = rotate(ours, our_keys, our_values), queries = rotate(theirs, keys, values);
  return difference("rotate_into_cache", sizes, dtype,
                    {{"queries", our_queries, queries}, {"keys", our_keys, keys}, {"values", our_values, values}});
}

std::string products_differ(const DeviceKernels& ours, const DeviceKernels& theirs, Inputs inputs, torch::Dtype dtype,
                            torch::IntArrayRef sizes) {
  const torch::Tensor gate_and_up = inputs(sizes);
  return difference("swiglu", sizes, dtype, {{"product", ours.swiglu(gate_and_up), theirs.swiglu(gate_and_up)}});
}

}  // namespace

std::string kernels_differ(const DeviceKernels& ours, const DeviceKernels& theirs, const torch::Device& device) {
  const torch::NoGradGuard no_grad;
  for (const auto dtype : {torch::kFloat32, torch::kFloat16, torch::kBFloat16}) {
    const Inputs inputs(dtype, device);
    std::string text;
    for (const std::array<std::int64_t, 2> sizes : {std::array<std::int64_t, 2>{1, 1024}, {5, 130}, {3, 7}})
      if (text.empty()) text = norms_differ(ours, theirs, inputs, dtype, sizes);
    for (const Rotation& r : {Rotation{1, 1, 16, 4, 64, 9}, {2, 3, 6, 2, 96, 0}, {3, 2, 3, 3, 10, 4}})
      if (text.empty()) text = rotations_differ(ours, theirs, inputs, dtype, r);
    for (const std::array<std::int64_t, 2> sizes : {std::array<std::int64_t, 2>{1, 2048}, {5, 602}, {3, 14}})
      if (text.empty()) text = products_differ(ours, theirs, inputs, dtype, sizes);
    if (!text.empty()) return text;
  }
  return "";
}

}  // namespace bench::model
