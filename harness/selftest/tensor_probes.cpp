#include "harness/selftest/comparison.h"
#include "harness/selftest/probes.h"
#include "model/fused/embedding.h"

#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace bench::harness {
namespace {

constexpr torch::Dtype kDtypes[] = {torch::kFloat32, torch::kBFloat16};

/// argmax of rows whose largest element stands at known places.
void largest_elements(const Device& device, std::int64_t columns, torch::Dtype dtype, Worst& worst) {
  // Noise below 4, and 8 at the places below; in the last row at three places, any of which will do.
  const std::int64_t places[] = {0, columns / 3, columns - 1, columns / 2};
  const torch::Tensor x = normal_numbers({4, columns}, 5, dtype).clamp(-4, 3);
  for (std::int64_t row = 0; row < 4; ++row) x.select(0, row).select(0, places[row]).fill_(8);
  for (const std::int64_t place : {columns / 2 + 1, columns - 2}) x.select(0, 3).select(0, place).fill_(8);
  const torch::Tensor found = x.to(device.torch_device()).argmax(-1).cpu();
  std::int64_t wrong = 0;
  std::string text;
  for (std::int64_t row = 0; row < 4; ++row)
    if (const auto place = found.data_ptr<std::int64_t>()[row];
        place < 0 || place >= columns || x[row][place].item<double>() != 8) {
      ++wrong;
      text = fmt::format(": {} instead of {}", place, places[row]);
    }
  worst.add(static_cast<double>(wrong), 0,
            fmt::format("wrong rows of 4 with {} columns, {}{}", columns, short_name(dtype), text));
}

}  // namespace

Finding probe_strided_add(const Device& device) {
  Worst worst;
  // The base [3, 2, 40, 64] lies in this order, or as the projections give it, tokens before heads.
  for (const bool heads_first : {true, false})
    for (const torch::Dtype dtype : kDtypes) {
      const torch::Tensor base =
          heads_first ? normal_numbers({3, 2, 40, 64}, 1) : normal_numbers({3, 40, 2, 64}, 1).transpose(1, 2);
      const torch::Tensor added = normal_numbers({3, 24, 64}, 2, dtype);
      const torch::Tensor there = base.to(device.torch_device()).clone();
      // As tiled attention adds up the gradients of keys: one head of each group, and some of its positions.
      there.select(1, 1).narrow(1, 8, 24).add_(added.to(device.torch_device()));
      const torch::Tensor zero = torch::zeros({3, 1, 8, 64}, torch::kFloat64);
      const torch::Tensor head = torch::cat({zero, exact(added).unsqueeze(1), zero}, 2);
      const torch::Tensor expected = exact(base) + torch::cat({torch::zeros_like(head), head}, 1);
      worst.compare(there, expected, torch::kFloat32,
                    fmt::format("{} added to fp32, {} first", short_name(dtype), heads_first ? "heads" : "tokens"));
    }
  return worst.finding();
}

Finding probe_masked_fill_on_view(const Device& device) {
  constexpr std::int64_t kRows = 6, kTokens = 40, kFirst = 24, kCount = 16;
  Worst worst;
  for (const torch::Dtype dtype : kDtypes) {
    const torch::Tensor scores = normal_numbers({2, kRows * kCount, kTokens}, 1, dtype);
    const torch::Tensor later = torch::ones({kCount, kCount}, torch::kBool).triu(1);
    const torch::Tensor there = scores.to(device.torch_device()).clone();
    // As tiled attention hides later keys: the last keys of each block of queries.
    there.view({2, kRows, kCount, kTokens})
        .narrow(-1, kFirst, kCount)
        .masked_fill_(later.to(device.torch_device()), -INFINITY);
    const torch::Tensor all_later =
        torch::cat({torch::zeros({kCount, kFirst}, torch::kBool), later}, 1).repeat({kRows, 1});
    const torch::Tensor hidden = torch::full({}, -std::numeric_limits<double>::infinity(), torch::kFloat64);
    const torch::Tensor expected = torch::where(all_later, hidden, exact(scores));
    worst.add((exact(there) != expected).sum().item<double>(), 0,
              fmt::format("wrong elements of {} scores under a mask, {}", scores.numel(), short_name(dtype)));
  }
  return worst.finding();
}

Finding probe_argmax(const Device& device) {
  Worst worst;
  for (const torch::Dtype dtype : kDtypes)
    for (const std::int64_t columns : {100, 32000}) largest_elements(device, columns, dtype, worst);
  return worst.finding();
}

Finding probe_embedding_gradient(const Device& device) {
  constexpr std::int64_t kRows = 50, kColumns = 64, kTokens = 4096;
  const torch::Tensor ids = torch::arange(kTokens, torch::kInt64).pow(2).remainder(kRows).view({4, -1});
  const torch::Tensor g = normal_numbers({4, kTokens / 4, kColumns}, 2);
  const torch::Tensor one_hot = torch::zeros({kRows, kTokens}, torch::kFloat64);
  for (std::int64_t i = 0; i < kTokens; ++i)
    one_hot.data_ptr<double>()[ids.data_ptr<std::int64_t>()[i] * kTokens + i] = 1;
  const torch::Tensor expected = torch::mm(one_hot, exact(g).view({kTokens, kColumns}));
  Worst worst;
  for (const bool has_gradient : {false, true}) {
    torch::Tensor table = normal_numbers({kRows, kColumns}, 1).to(device.torch_device()).detach().requires_grad_();
    if (has_gradient) table.mutable_grad() = torch::zeros_like(table);
    model::fused_embedding(table, ids.to(device.torch_device()), torch::kFloat32).backward(g.to(device.torch_device()));
    worst.compare(table.grad(), expected, torch::kFloat32,
                  has_gradient ? "added to the gradient that the table has" : "a gradient of its own");
  }
  return worst.finding();
}

}  // namespace bench::harness
