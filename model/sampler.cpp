#include "model/sampler.h"

#include "model/error.h"

#include <cmath>
#include <limits>

namespace bench::model {
namespace {

constexpr double kRemoved = -std::numeric_limits<double>::infinity();

/// The token at which the cumulated probability passes u, with u uniform in [0, 1).
std::int64_t draw(const torch::Tensor& logits, std::mt19937_64& random) {
  const torch::Tensor cumulated = torch::softmax(logits.to(torch::kFloat64), -1).cumsum(-1);
  const double total = cumulated[-1].item<double>();
  if (!std::isfinite(total))
    throw InputError("temperature", "is so small that the logits overflow", "without do_sample tokens are greedy");
  const double u = static_cast<double>(random() >> 11) * 0x1.0p-53 * total;
  return torch::searchsorted(cumulated, torch::tensor({u}, torch::kFloat64), false, /*right=*/true)
      .item<std::int64_t>();
}

}  // namespace

torch::Tensor penalise_repetition(const torch::Tensor& logits, const std::vector<std::int64_t>& history,
                                  double penalty) {
  if (penalty == 1 || history.empty()) return logits;
  const torch::Tensor ids = torch::tensor(history);
  const torch::Tensor seen = logits.index_select(0, ids);
  return logits.index_copy(0, ids, torch::where(seen < 0, seen * penalty, seen / penalty));
}

torch::Tensor keep_top_k(const torch::Tensor& logits, std::int64_t k) {
  if (k <= 0 || k >= logits.size(0)) return logits;
  const torch::Tensor smallest_kept = std::get<0>(logits.topk(k))[-1];
  return logits.masked_fill(logits < smallest_kept, kRemoved);
}

torch::Tensor keep_top_p(const torch::Tensor& logits, double p) {
  if (p >= 1) return logits;
  const auto [sorted, order] = logits.sort(/*dim=*/-1, /*descending=*/false);
  torch::Tensor removed = torch::softmax(sorted, -1).cumsum(-1) <= 1 - p;  // the improbable tail
  removed[-1] = false;
  return logits.masked_fill(torch::zeros_like(removed).scatter(0, order, removed), kRemoved);
}

std::int64_t Sampler::next(const torch::Tensor& logits, const std::vector<std::int64_t>& history) {
  torch::Tensor row = logits.to(torch::kCPU, torch::kFloat32);
  if (!row.isfinite().all().item<bool>())
    throw InputError("logits", "are not finite", "the model has diverged, or its weights are damaged or overflow");
  row = penalise_repetition(row, history, config_.repetition_penalty);
  if (!config_.do_sample) return row.argmax().item<std::int64_t>();
  row = keep_top_p(keep_top_k(row / config_.temperature, config_.top_k), config_.top_p);
  return draw(row, random_);
}

}  // namespace bench::model
