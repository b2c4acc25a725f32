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

/// The inverse of by_group.
torch::Tensor by_token(const torch::Tensor& x, std::int64_t batch) {
  const std::int64_t tokens = x.size(2), head_dim = x.size(3);
  return x.reshape({batch, -1, tokens, head_dim}).transpose(1, 2).reshape({batch, tokens, -1});
}

/// What a block of queries sees: scores are of [B * G, R * count, end].
struct QueryBlock {
  QueryBlock(std::int64_t first_position, std::int64_t tokens)
      : first(first_position), count(std::min(kQueryBlock, tokens - first)), end(first + count) {}

  torch::Tensor rows(const torch::Tensor& x) const {  // [N, R, T, D] -> [N, R * count, D]
    return x.narrow(2, first, count).reshape({x.size(0), -1, x.size(3)});
  }
  torch::Tensor seen(const torch::Tensor& x) const { return x.select(1, 0).narrow(1, 0, end); }  // [N, 1, T, D]
  /// The probabilities in fp32, for queries that are already scaled. `later` [kQueryBlock, kQueryBlock] is true above
  /// the diagonal. Keys before the block are seen by all of its queries.
  torch::Tensor probabilities(const torch::Tensor& queries, const torch::Tensor& keys,
                              const torch::Tensor& later) const {
    const torch::Tensor scores = at::bmm(queries, keys.transpose(1, 2)).to(torch::kFloat32);
    scores.view({scores.size(0), -1, count, end})
        .narrow(-1, first, count)
        .masked_fill_(later.narrow(0, 0, count).narrow(1, 0, count), -INFINITY);
    return at::softmax(scores, -1);
  }

  std::int64_t first, count, end;
};

torch::Tensor later_keys(const torch::Device& device) {
  return torch::ones({kQueryBlock, kQueryBlock}, torch::dtype(torch::kBool).device(device)).triu(1);
}

/// The factor of the scores. It is applied only once, while the queries are rotated.
double scale_of(std::int64_t head_dim) { return 1 / std::sqrt(static_cast<double>(head_dim)); }

struct TiledAttentionPlain : torch::autograd::Function<TiledAttentionPlain> {
  static torch::Tensor forward(AutogradContext* ctx, const torch::Tensor& q, const torch::Tensor& k,
                               const torch::Tensor& v, const torch::Tensor& cos, const torch::Tensor& sin,
                               std::int64_t head_dim) {
    const std::int64_t groups = k.size(2) / head_dim, tokens = q.size(1);
    const double scale = scale_of(head_dim);
    const torch::Tensor queries = rotate(by_group(q, groups, head_dim), cos * scale, sin * scale);
    const torch::Tensor keys = rotate(by_group(k, groups, head_dim), cos, sin), values = by_group(v, groups, head_dim);
    const torch::Tensor out = torch::empty_like(queries), later = later_keys(q.device());
    for (std::int64_t first = 0; first < tokens; first += kQueryBlock) {
      const QueryBlock b(first, tokens);
      const torch::Tensor p = b.probabilities(b.rows(queries), b.seen(keys), later).to(q.dtype());
      out.narrow(2, first, b.count).copy_(at::bmm(p, b.seen(values)).view({out.size(0), -1, b.count, head_dim}));
    }
    ctx->save_for_backward({q, k, v, cos, sin});
    ctx->saved_data["head_dim"] = head_dim;
    return by_token(out, q.size(0));
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const torch::Tensor &q = saved[0], &k = saved[1], &v = saved[2], &cos = saved[3], &sin = saved[4];
    const torch::NoGradGuard no_grad;
    const std::int64_t head_dim = ctx->saved_data["head_dim"].toInt(), groups = k.size(2) / head_dim;
    const std::int64_t tokens = q.size(1), batch = q.size(0);
    const double scale = scale_of(head_dim);
    const torch::Tensor queries = rotate(by_group(q, groups, head_dim), cos * scale, sin * scale);
    const torch::Tensor keys = rotate(by_group(k, groups, head_dim), cos, sin), values = by_group(v, groups, head_dim);
    const torch::Tensor g = by_group(gradients[0].contiguous(), groups, head_dim), later = later_keys(q.device());
    const auto wide = torch::kFloat32;  // sums over blocks
    const torch::Tensor by_query = torch::empty_like(queries);
    const torch::Tensor by_key = torch::zeros_like(keys, wide), by_value = torch::zeros_like(values, wide);
    for (std::int64_t first = 0; first < tokens; first += kQueryBlock) {
      const QueryBlock b(first, tokens);
      const torch::Tensor rows = b.rows(queries), result = b.rows(g);
      const torch::Tensor p = b.probabilities(rows, b.seen(keys), later);
      b.seen(by_value).add_(at::bmm(p.to(q.dtype()).transpose(1, 2), result));
      const torch::Tensor by_probability = at::bmm(result, b.seen(values).transpose(1, 2)).to(wide);
      const torch::Tensor by_score = at::_softmax_backward_data(by_probability, p, -1, wide).to(q.dtype());
      b.seen(by_key).add_(at::bmm(by_score.transpose(1, 2), rows));
      by_query.narrow(2, first, b.count)
          .copy_(at::bmm(by_score, b.seen(keys)).view({by_query.size(0), -1, b.count, head_dim}));
    }
    return {by_token(rotate(by_query, cos * scale, sin * -scale), batch),
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
