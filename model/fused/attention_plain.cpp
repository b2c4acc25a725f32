#include "model/fused/attention.h"
#include "model/rope.h"

#include <cmath>

#include <torch/autograd.h>

namespace bench::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// [B, T, heads * D] -> [B * G, R, T, D], R heads to each of the G groups.
torch::Tensor by_group(const torch::Tensor& x, std::int64_t groups, std::int64_t head_dim) {
  const std::int64_t heads = x.size(2) / head_dim;
  return x.view({x.size(0), x.size(1), heads, head_dim})
      .transpose(1, 2)
      .reshape({x.size(0) * groups, heads / groups, x.size(1), head_dim});
}

/// The way back.
torch::Tensor by_token(const torch::Tensor& x, std::int64_t batch) {
  const std::int64_t tokens = x.size(2), head_dim = x.size(3);
  return x.reshape({batch, -1, tokens, head_dim}).transpose(1, 2).reshape({batch, tokens, -1});
}

/// What a block of queries sees: scores are of [B * G, R * count, end].
struct Block {
  Block(std::int64_t first_position, std::int64_t tokens)
      : first(first_position), count(std::min(kQueryBlock, tokens - first)), end(first + count) {}

  torch::Tensor rows(const torch::Tensor& x) const {  // [N, R, T, D] -> [N, R * count, D]
    return x.narrow(2, first, count).reshape({x.size(0), -1, x.size(3)});
  }
  torch::Tensor seen(const torch::Tensor& x) const { return x.select(1, 0).narrow(1, 0, end); }  // [N, 1, T, D]
  /// -inf where a query's row must not see a key, [count, end] for each of the R.
  torch::Tensor scores(const torch::Tensor& queries, const torch::Tensor& keys) const {
    const auto scale = 1 / std::sqrt(static_cast<double>(queries.size(-1)));
    torch::Tensor s = at::bmm(queries, keys.transpose(1, 2)).to(torch::kFloat32).mul_(scale);
    const torch::Tensor later =
        torch::ones({count, end}, torch::dtype(torch::kBool).device(s.device())).triu(first + 1);
    return s.view({s.size(0), -1, count, end}).masked_fill_(later, -INFINITY).view(s.sizes());
  }

  std::int64_t first, count, end;
};

struct TiledAttentionPlain : torch::autograd::Function<TiledAttentionPlain> {
  static torch::Tensor forward(AutogradContext* ctx, const torch::Tensor& q, const torch::Tensor& k,
                               const torch::Tensor& v, const torch::Tensor& cos, const torch::Tensor& sin,
                               std::int64_t head_dim) {
    const std::int64_t groups = k.size(2) / head_dim, tokens = q.size(1);
    const torch::Tensor queries = rotate(by_group(q, groups, head_dim), cos, sin);
    const torch::Tensor keys = rotate(by_group(k, groups, head_dim), cos, sin), values = by_group(v, groups, head_dim);
    const torch::Tensor out = torch::empty_like(queries);
    std::vector<torch::Tensor> log_sums;  // of each block, [B * G, R * count, 1]
    for (std::int64_t first = 0; first < tokens; first += kQueryBlock) {
      const Block b(first, tokens);
      const torch::Tensor s = b.scores(b.rows(queries), b.seen(keys));
      log_sums.push_back(s.logsumexp(-1, /*keepdim=*/true));
      const torch::Tensor probability = (s - log_sums.back()).exp_().to(q.dtype());
      out.narrow(2, first, b.count)
          .copy_(at::bmm(probability, b.seen(values)).view({out.size(0), -1, b.count, head_dim}));
    }
    const torch::Tensor y = by_token(out, q.size(0));
    variable_list kept{q, k, v, cos, sin};
    kept.insert(kept.end(), log_sums.begin(), log_sums.end());
    ctx->save_for_backward(kept);
    ctx->saved_data["head_dim"] = head_dim;
    return y;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const torch::Tensor &q = saved[0], &k = saved[1], &v = saved[2], &cos = saved[3], &sin = saved[4];
    const torch::NoGradGuard no_grad;
    const std::int64_t head_dim = ctx->saved_data["head_dim"].toInt(), groups = k.size(2) / head_dim;
    const std::int64_t tokens = q.size(1), batch = q.size(0);
    const torch::Tensor queries = rotate(by_group(q, groups, head_dim), cos, sin);
    const torch::Tensor keys = rotate(by_group(k, groups, head_dim), cos, sin), values = by_group(v, groups, head_dim);
    const torch::Tensor g = by_group(gradients[0].contiguous(), groups, head_dim);
    const auto wide = torch::kFloat32;  // sums over blocks
    const torch::Tensor by_query = torch::empty_like(queries);
    const torch::Tensor by_key = torch::zeros_like(keys, wide), by_value = torch::zeros_like(values, wide);
    const auto scale = 1 / std::sqrt(static_cast<double>(head_dim));
    for (std::int64_t first = 0; first < tokens; first += kQueryBlock) {
      const Block b(first, tokens);
      const torch::Tensor rows = b.rows(queries), result = b.rows(g);
      const torch::Tensor p =
          (b.scores(rows, b.seen(keys)) - saved[5 + static_cast<std::size_t>(first / kQueryBlock)]).exp_();
      const torch::Tensor by_probability = at::bmm(result, b.seen(values).transpose(1, 2)).to(wide);
      const torch::Tensor delta = (p * by_probability).sum(-1, /*keepdim=*/true);
      const torch::Tensor by_score = (p * (by_probability - delta) * scale).to(q.dtype());
      b.seen(by_value).add_(at::bmm(p.to(q.dtype()).transpose(1, 2), result));
      b.seen(by_key).add_(at::bmm(by_score.transpose(1, 2), rows));
      by_query.narrow(2, first, b.count)
          .copy_(at::bmm(by_score, b.seen(keys)).view({by_query.size(0), -1, b.count, head_dim}));
    }
    return {by_token(rotate(by_query, cos, -sin), batch),
            by_token(rotate(by_key, cos, -sin).to(q.dtype()), batch),
            by_token(by_value.to(q.dtype()), batch),
            {},
            {},
            {}};
  }
};

}  // namespace

torch::Tensor tiled_attention_plain(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                                    const torch::Tensor& cos, const torch::Tensor& sin, std::int64_t head_dim) {
  return TiledAttentionPlain::apply(q.contiguous(), k.contiguous(), v.contiguous(), cos, sin, head_dim);
}

}  // namespace bench::model
