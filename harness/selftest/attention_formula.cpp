#include "harness/selftest/attention_formula.h"

#include <cmath>

namespace bench::harness {
namespace {

torch::Tensor wide(const torch::Tensor& x) { return x.cpu().to(torch::kFloat64); }

}  // namespace

torch::Tensor attention_formula(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v) {
  const std::int64_t repeat = q.size(1) / k.size(1), queries = q.size(2), keys = k.size(2);
  const torch::Tensor all_k = wide(k).repeat_interleave(repeat, 1), all_v = wide(v).repeat_interleave(repeat, 1);
  const torch::Tensor scores =
      torch::matmul(wide(q), all_k.transpose(2, 3)) / std::sqrt(static_cast<double>(q.size(3)));
  const torch::Tensor later = torch::ones({queries, keys}, torch::kBool).triu(keys - queries + 1);
  return torch::matmul(torch::softmax(scores.masked_fill(later, -INFINITY), -1), all_v);
}

torch::Tensor rotation_formula(const torch::Tensor& x, const torch::Tensor& cos, const torch::Tensor& sin) {
  const auto halves = x.chunk(2, -1);
  return torch::cat({halves[0] * cos - halves[1] * sin, halves[1] * cos + halves[0] * sin}, -1);
}

}  // namespace bench::harness
