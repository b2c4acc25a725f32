#include "model/device/kernels.h"
#include "model/fused/attention.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <torch/autograd.h>

namespace bench::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// [B, T, heads * D] -> [B, T, G, R, D] as a view, R heads to each of the G groups.
torch::Tensor by_head(const torch::Tensor& x, std::int64_t groups, std::int64_t head_dim) {
  return x.view({x.size(0), x.size(1), groups, -1, head_dim});
}

/// [B, T, G, R, D] -> [B * G, T, R * D] in `dtype`, a copy. So the heads of one token lie one behind the other, and a
/// block of tokens is a matrix without a copy.
torch::Tensor by_group(const torch::Tensor& x, torch::Dtype dtype) {
  const torch::Tensor groups_first = x.transpose(1, 2);
  return torch::empty(groups_first.sizes(), x.options().dtype(dtype))
      .copy_(groups_first)
      .view({x.size(0) * x.size(2), x.size(1), -1});
}

/// The inverse, [B, T, heads * D].
torch::Tensor by_token(const torch::Tensor& x, std::int64_t batch) {
  const std::int64_t tokens = x.size(1);
  return x.view({batch, -1, tokens, x.size(2)}).transpose(1, 2).reshape({batch, tokens, -1});
}

/// The factor of the scores. It is applied only once, to the rotated queries.
double scale_of(std::int64_t head_dim) { return 1 / std::sqrt(static_cast<double>(head_dim)); }

/// x [B, T, ..., D] in fp32, turned by the angles of its positions. `tables`: [T, 1, 1, D].
torch::Tensor turned(const torch::Tensor& x, const RotationTables& tables) {
  return (x * tables.cos).add_(x.roll(x.size(-1) / 2, -1) * tables.sin);
}

/// x turned back, which is the gradient of turned().
torch::Tensor turned_back(const torch::Tensor& x, const RotationTables& tables) {
  return (x * tables.cos).sub_(x.roll(x.size(-1) / 2, -1) * tables.sin);
}

/// What a block of queries sees: scores are of [N, count * R, end].
struct QueryBlock {
  /// The queries of a block as rows: [N, T, R * D] -> [N, count * R, D].
  torch::Tensor rows(const torch::Tensor& x) const { return x.narrow(1, first, count).view({x.size(0), -1, head_dim}); }
  torch::Tensor seen(const torch::Tensor& x) const { return x.narrow(1, 0, end); }  // [N, T, D]
  /// The results of rows as a part of [N, T, R * D].
  torch::Tensor part(const torch::Tensor& rows) const { return rows.view({rows.size(0), count, -1}); }
  /// The probabilities in fp32, for queries that are already scaled. `later` [most, most] is true above the diagonal.
  /// Keys before the block are seen by all of its queries.
  torch::Tensor probabilities(const torch::Tensor& queries, const torch::Tensor& keys,
                              const torch::Tensor& later) const {
    const torch::Tensor scores = at::bmm(queries, keys.transpose(1, 2)).to(torch::kFloat32);
    scores.view({scores.size(0), count, -1, end})
        .narrow(-1, first, count)
        .masked_fill_(later.narrow(0, 0, count).narrow(1, 0, count).unsqueeze(1), -INFINITY);
    return at::softmax(scores, -1);
  }

  std::int64_t first, count, end, head_dim;
};

/// What both passes begin with. N = B * G.
struct Inputs {
  Inputs(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v, const torch::Tensor& cos,
         const torch::Tensor& sin, std::int64_t dim)
      : head_dim(dim),
        groups(k.size(2) / dim),
        tokens(q.size(1)),
        most(std::min(tokens, tiled_query_block(q.size(0), q.size(2) / dim, tokens))),
        tables(rotation_tables(cos.view({tokens, 1, 1, -1}), sin.view({tokens, 1, 1, -1}))),
        queries(by_group(turned(by_head(q, groups, dim), tables).mul_(scale_of(dim)), q.scalar_type())),
        keys(by_group(turned(by_head(k, groups, dim), tables), k.scalar_type())),
        values(by_group(by_head(v, groups, dim), v.scalar_type())),
        later(torch::ones({most, most}, torch::dtype(torch::kBool).device(q.device())).triu(1)) {}

  /// Calls f for one block of queries after the other.
  template <class F>
  void for_each_block(const F& f) const {
    for (std::int64_t first = 0; first < tokens; first += most) {
      const std::int64_t count = std::min(most, tokens - first);
      f(QueryBlock{first, count, first + count, head_dim});
    }
  }

  /// The gradient [B, T, heads * D] of what was turned, from that by the turned one [N, T, R * D].
  torch::Tensor unturned(const torch::Tensor& gradient, std::int64_t batch, double scale, torch::Dtype dtype) const {
    const torch::Tensor heads = gradient.view({batch, groups, tokens, -1, head_dim}).transpose(1, 2);
    torch::Tensor result = turned_back(heads, tables);
    if (scale != 1) result = result.mul_(scale);
    return torch::empty(result.sizes(), result.options().dtype(dtype)).copy_(result).view({batch, tokens, -1});
  }

  std::int64_t head_dim, groups, tokens, most;  // most: queries of a block
  RotationTables tables;
  torch::Tensor queries, keys, values, later;  // queries [N, T, R * D]; keys and values [N, T, D]
};

struct TiledAttentionPlain : torch::autograd::Function<TiledAttentionPlain> {
  static torch::Tensor forward(AutogradContext* ctx, const torch::Tensor& q, const torch::Tensor& k,
                               const torch::Tensor& v, const torch::Tensor& cos, const torch::Tensor& sin,
                               std::int64_t head_dim) {
    const Inputs in(q, k, v, cos, sin, head_dim);
    std::vector<torch::Tensor> out;
    in.for_each_block([&](const QueryBlock& b) {
      const torch::Tensor p = b.probabilities(b.rows(in.queries), b.seen(in.keys), in.later).to(q.dtype());
      out.push_back(b.part(at::bmm(p, b.seen(in.values))));
    });
    ctx->save_for_backward({q, k, v, cos, sin});
    ctx->saved_data["head_dim"] = head_dim;
    return by_token(at::cat(out, 1), q.size(0));
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const torch::Tensor& q = saved[0];
    const torch::NoGradGuard no_grad;
    const std::int64_t head_dim = ctx->saved_data["head_dim"].toInt(), batch = q.size(0);
    const torch::Dtype dtype = q.scalar_type(), wide = torch::kFloat32;  // wide: of sums over blocks
    const Inputs in(q, saved[1], saved[2], saved[3], saved[4], head_dim);
    const torch::Tensor g = by_group(by_head(gradients[0].contiguous(), in.groups, head_dim), dtype);
    const torch::Tensor by_key = torch::zeros_like(in.keys, wide), by_value = torch::zeros_like(in.values, wide);
    std::vector<torch::Tensor> by_query;
    in.for_each_block([&](const QueryBlock& b) {
      const torch::Tensor rows = b.rows(in.queries), result = b.rows(g);
      const torch::Tensor p = b.probabilities(rows, b.seen(in.keys), in.later);
      b.seen(by_value).add_(at::bmm(p.to(dtype).transpose(1, 2), result));
      const torch::Tensor by_probability = at::bmm(result, b.seen(in.values).transpose(1, 2)).to(wide);
      const torch::Tensor by_score = at::_softmax_backward_data(by_probability, p, -1, wide).to(dtype);
      b.seen(by_key).add_(at::bmm(by_score.transpose(1, 2), rows));
      by_query.push_back(b.part(at::bmm(by_score, b.seen(in.keys))));
    });
    return {in.unturned(at::cat(by_query, 1), batch, scale_of(head_dim), dtype),
            in.unturned(by_key, batch, 1, dtype),
            by_token(by_value.to(dtype), batch),
            {},
            {},
            {}};
  }
};

}  // namespace

std::int64_t tiled_query_block(std::int64_t batch, std::int64_t heads, std::int64_t tokens) {
  constexpr std::int64_t kMost = 512, kScores = std::int64_t{1} << 26;
  std::int64_t block = kMost;
  while (block > kQueryBlock && batch * heads * tokens * block > kScores) block /= 2;
  return block;
}

torch::Tensor tiled_attention_plain(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                                    const torch::Tensor& cos, const torch::Tensor& sin, std::int64_t head_dim) {
  return TiledAttentionPlain::apply(q.contiguous(), k.contiguous(), v.contiguous(), cos, sin, head_dim);
}

}  // namespace bench::model
