#include "model/device/kernels.h"
#include "model/fused/attention.h"

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
  QueryBlock(std::int64_t first_position, std::int64_t most, std::int64_t tokens)
      : first(first_position), count(std::min(most, tokens - first)), end(first + count) {}

  torch::Tensor rows(const torch::Tensor& x) const {  // [N, R, T, D] -> [N, R * count, D]
    return x.narrow(2, first, count).reshape({x.size(0), -1, x.size(3)});
  }
  torch::Tensor seen(const torch::Tensor& x) const { return x.select(1, 0).narrow(1, 0, end); }  // [N, 1, T, D]
  /// The probabilities in fp32, for queries that are already scaled. `later` [most, most] is true above the diagonal.
  /// Keys before the block are seen by all of its queries.
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

torch::Tensor later_keys(std::int64_t most, const torch::Device& device) {
  return torch::ones({most, most}, torch::dtype(torch::kBool).device(device)).triu(1);
}

/// The factor of the scores. It is applied only once, to the rotated queries.
double scale_of(std::int64_t head_dim) { return 1 / std::sqrt(static_cast<double>(head_dim)); }

/// x [N, R, T, D], turned by the angles of its positions. In fp32.
torch::Tensor turned(const torch::Tensor& x, const RotationTables& tables) {
  return (x * tables.cos).add_(x.roll(x.size(3) / 2, -1) * tables.sin);
}

/// x turned back, which is the gradient of turned().
torch::Tensor turned_back(const torch::Tensor& x, const RotationTables& tables) {
  return (x * tables.cos).sub_(x.roll(x.size(3) / 2, -1) * tables.sin);
}

/// What both passes begin with.
struct Inputs {
  Inputs(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v, const torch::Tensor& cos,
         const torch::Tensor& sin, std::int64_t dim)
      : head_dim(dim),
        groups(k.size(2) / dim),
        tokens(q.size(1)),
        most(std::min(tokens, tiled_query_block(q.size(0), q.size(2) / dim, tokens))),
        tables(rotation_tables(cos, sin)),
        queries(turned(by_group(q, groups, dim), tables).mul_(scale_of(dim)).to(q.dtype())),
        keys(turned(by_group(k, groups, dim), tables).to(k.dtype())),
        values(by_group(v, groups, dim)),
        later(later_keys(most, q.device())) {}

  /// Calls f for one block of queries after the other.
  template <class F>
  void for_each_block(const F& f) const {
    for (std::int64_t first = 0; first < tokens; first += most) f(QueryBlock(first, most, tokens));
  }

  std::int64_t head_dim, groups, tokens, most;  // most: queries of a block
  RotationTables tables;
  torch::Tensor queries, keys, values, later;  // queries [N, R, T, D]; keys and values [N, 1, T, D]
};

struct TiledAttentionPlain : torch::autograd::Function<TiledAttentionPlain> {
  static torch::Tensor forward(AutogradContext* ctx, const torch::Tensor& q, const torch::Tensor& k,
                               const torch::Tensor& v, const torch::Tensor& cos, const torch::Tensor& sin,
                               std::int64_t head_dim) {
    const Inputs in(q, k, v, cos, sin, head_dim);
    const torch::Tensor out = torch::empty_like(in.queries);
    in.for_each_block([&](const QueryBlock& b) {
      const torch::Tensor p = b.probabilities(b.rows(in.queries), b.seen(in.keys), in.later).to(q.dtype());
      out.narrow(2, b.first, b.count).copy_(at::bmm(p, b.seen(in.values)).view({out.size(0), -1, b.count, head_dim}));
    });
    ctx->save_for_backward({q, k, v, cos, sin});
    ctx->saved_data["head_dim"] = head_dim;
    return by_token(out, q.size(0));
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const torch::Tensor& q = saved[0];
    const torch::NoGradGuard no_grad;
    const std::int64_t head_dim = ctx->saved_data["head_dim"].toInt(), batch = q.size(0);
    const Inputs in(q, saved[1], saved[2], saved[3], saved[4], head_dim);
    const torch::Tensor g = by_group(gradients[0].contiguous(), in.groups, head_dim);
    const auto wide = torch::kFloat32;  // sums over blocks
    const torch::Tensor by_query = torch::empty_like(in.queries);
    const torch::Tensor by_key = torch::zeros_like(in.keys, wide), by_value = torch::zeros_like(in.values, wide);
    in.for_each_block([&](const QueryBlock& b) {
      const torch::Tensor rows = b.rows(in.queries), result = b.rows(g);
      const torch::Tensor p = b.probabilities(rows, b.seen(in.keys), in.later);
      b.seen(by_value).add_(at::bmm(p.to(q.dtype()).transpose(1, 2), result));
      const torch::Tensor by_probability = at::bmm(result, b.seen(in.values).transpose(1, 2)).to(wide);
      const torch::Tensor by_score = at::_softmax_backward_data(by_probability, p, -1, wide).to(q.dtype());
      b.seen(by_key).add_(at::bmm(by_score.transpose(1, 2), rows));
      by_query.narrow(2, b.first, b.count)
          .copy_(at::bmm(by_score, b.seen(in.keys)).view({by_query.size(0), -1, b.count, head_dim}));
    });
    return {by_token(turned_back(by_query, in.tables).mul_(scale_of(head_dim)).to(q.dtype()), batch),
            by_token(turned_back(by_key, in.tables).to(q.dtype()), batch),
            by_token(by_value.to(q.dtype()), batch),
            {},
            {},
            {}};
  }
};

}  // namespace

std::int64_t tiled_query_block(std::int64_t batch, std::int64_t heads, std::int64_t tokens) {
  constexpr std::int64_t kMost = 512, kScores = std::int64_t{1} << 25;
  std::int64_t block = kMost;
  while (block > kQueryBlock && batch * heads * tokens * block > kScores) block /= 2;
  return block;
}

torch::Tensor tiled_attention_plain(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                                    const torch::Tensor& cos, const torch::Tensor& sin, std::int64_t head_dim) {
  return TiledAttentionPlain::apply(q.contiguous(), k.contiguous(), v.contiguous(), cos, sin, head_dim);
}

}  // namespace bench::model
