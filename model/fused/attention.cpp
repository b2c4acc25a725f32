#include "model/fused/attention.h"

#include "model/fused/products.h"
#include "model/fused/rows.h"
#include "model/kernels/rotary.h"
#include "model/kernels/softmax.h"

#include <cmath>
#include <cstring>

#include <torch/autograd.h>

namespace bench::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Sizes, in the letters of attention.h; R query heads share a key head.
struct Sizes {
  Sizes(const torch::Tensor& q, const torch::Tensor& k, std::int64_t head_dim)
      : B(q.size(0)), T(q.size(1)), D(head_dim), H(q.size(2) / D), G(k.size(2) / D), R(H / G) {}
  std::int64_t B, T, D, H, G, R;
  float scale() const { return static_cast<float>(1 / std::sqrt(static_cast<double>(D))); }
};

/// Positions first .. first + count - 1 of one sequence. They see the keys 0 .. end - 1, row by row one more.
struct Block {
  std::int64_t first, count, end;
};

template <class F>
void for_each_block(const Sizes& s, const F& f) {
  for (std::int64_t first = 0; first < s.T; first += kQueryBlock) {
    const std::int64_t count = std::min(kQueryBlock, s.T - first);
    f(Block{first, count, first + count});
  }
}

enum class Turn { kNone, kForward, kBack };

/// Copies between a block of the token-major [B, T, heads * D] and the head-major [heads, count, D], turning on the
/// way.
void copy_block(const torch::Tensor& tokens, std::int64_t sequence, const Block& b, const torch::Tensor& heads_major,
                const torch::Tensor& cos, const torch::Tensor& sin, Turn turn, bool into_tokens) {
  const std::int64_t D = heads_major.size(-1), columns = tokens.size(2), heads = columns / D, T = tokens.size(1);
  const Element element = element_of(tokens);
  const auto bytes = static_cast<std::size_t>(D) * static_cast<std::size_t>(tokens.element_size());
  in_parallel(b.count, columns, [&](std::int64_t from, std::int64_t to) {
    for (std::int64_t t = from; t < to; ++t)
      for (std::int64_t h = 0; h < heads; ++h) {
        void* in_tokens = row_of(tokens, ((sequence * T + b.first + t) * heads + h), D);
        void* in_heads = row_of(heads_major, h * b.count + t, D);
        const void* source = into_tokens ? in_heads : in_tokens;
        void* target = into_tokens ? in_tokens : in_heads;
        if (turn == Turn::kNone)
          std::memcpy(target, source, bytes);
        else
          rotary_row(element, source, cos.const_data_ptr<float>() + (b.first + t) * (D / 2),
                     sin.const_data_ptr<float>() + (b.first + t) * (D / 2), target, D / 2, turn == Turn::kBack);
      }
  });
}

/// The inputs of one call and what is reused from block to block.
class Work {
 public:
  Work(const Sizes& sizes, torch::Tensor cos, torch::Tensor sin, const torch::TensorOptions& options)
      : s(sizes), cos_(std::move(cos)), sin_(std::move(sin)), options_(options) {}

  /// [heads, count, D], turned.
  torch::Tensor take(const torch::Tensor& tokens, std::int64_t sequence, const Block& b, Turn turn) const {
    const torch::Tensor heads = torch::empty({tokens.size(2) / s.D, b.count, s.D}, options_);
    copy_block(tokens, sequence, b, heads, cos_, sin_, turn, /*into_tokens=*/false);
    return heads;
  }
  void put(const torch::Tensor& heads, std::int64_t sequence, const Block& b, Turn turn,
           const torch::Tensor& tokens) const {
    copy_block(tokens, sequence, b, heads, cos_, sin_, turn, /*into_tokens=*/true);
  }
  Block whole() const { return {0, s.T, s.T}; }

  /// A matrix [R * count, end] in memory that is used again, for scores or their gradients.
  torch::Tensor matrix(torch::Tensor& memory, const Block& b) const {
    if (!memory.defined()) memory = torch::empty({s.R * std::min(kQueryBlock, s.T) * s.T}, options_);
    return memory.narrow(0, 0, s.R * b.count * b.end).view({s.R * b.count, b.end});
  }

  const Sizes s;
  torch::Tensor scores, gradients;

 private:
  torch::Tensor cos_, sin_;
  torch::TensorOptions options_;
};

/// Rows of query heads that share key head g: [R * count, D] of [H, count, D].
torch::Tensor group_rows(const Sizes& s, const torch::Tensor& heads, std::int64_t g) {
  return heads.narrow(0, g * s.R, s.R).view({-1, s.D});
}

/// sum [D, end] += rows^T matrix, for rows [R * count, D] and a matrix [R * count, end]; products of bf16 are added up
/// in fp32. The other way round, matrix^T rows, the matrix would have to be copied transposed, which took a quarter of
/// attention's time.
void add_product(torch::Tensor sum, const torch::Tensor& rows, const torch::Tensor& matrix) {
  if (rows.scalar_type() == sum.scalar_type())
    sum.addmm_(rows.t(), matrix);
  else
    sum.add_(at::mm(rows.t().contiguous(), matrix));
}

void forward_group(Work& w, const Block& b, const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                   torch::Tensor out, float* log_sums) {
  torch::Tensor scores = w.matrix(w.scores, b);
  at::mm_out(scores, q, k.narrow(0, 0, b.end).t());
  in_parallel(scores.size(0), b.end, [&](std::int64_t from, std::int64_t to) {
    for (std::int64_t row = from; row < to; ++row) {
      const std::int64_t t = row % b.count;
      log_sums[row / b.count * w.s.T + b.first + t] =
          causal_softmax_row(element_of(scores), row_of(scores, row, b.end), b.end, b.first + t + 1, w.s.scale());
    }
  });
  at::mm_out(out, scores, v.narrow(0, 0, b.end));
}

void backward_group(Work& w, const Block& b, const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                    const torch::Tensor& g, const float* log_sums, torch::Tensor q_gradient,
                    const torch::Tensor& k_gradient, const torch::Tensor& v_gradient) {
  const torch::Tensor keys = k.narrow(0, 0, b.end), values = v.narrow(0, 0, b.end);
  torch::Tensor scores = w.matrix(w.scores, b), gradients = w.matrix(w.gradients, b);
  at::mm_out(scores, q, keys.t());
  at::mm_out(gradients, g, values.t());
  in_parallel(scores.size(0), b.end, [&](std::int64_t from, std::int64_t to) {
    for (std::int64_t row = from; row < to; ++row) {
      const std::int64_t t = row % b.count;
      causal_softmax_backward_row(element_of(scores), row_of(scores, row, b.end), row_of(gradients, row, b.end), b.end,
                                  b.first + t + 1, w.s.scale(), log_sums[row / b.count * w.s.T + b.first + t]);
    }
  });
  add_product(v_gradient.narrow(1, 0, b.end), g, scores);
  at::mm_out(q_gradient, gradients, keys);
  add_product(k_gradient.narrow(1, 0, b.end), q, gradients);
}

struct TiledAttention : torch::autograd::Function<TiledAttention> {
  static torch::Tensor forward(AutogradContext* ctx, const torch::Tensor& q, const torch::Tensor& k,
                               const torch::Tensor& v, const torch::Tensor& cos, const torch::Tensor& sin,
                               std::int64_t head_dim) {
    const Sizes s(q, k, head_dim);
    Work w(s, cos, sin, q.options().requires_grad(false));
    const torch::Tensor out = torch::empty_like(q), log_sums = torch::empty({s.B, s.H, s.T}, torch::kFloat32);
    for (std::int64_t i = 0; i < s.B; ++i) {
      const torch::Tensor keys = w.take(k, i, w.whole(), Turn::kForward), values = w.take(v, i, w.whole(), Turn::kNone);
      for_each_block(s, [&](const Block& b) {
        const torch::Tensor queries = w.take(q, i, b, Turn::kForward), results = torch::empty_like(queries);
        for (std::int64_t g = 0; g < s.G; ++g)
          forward_group(w, b, group_rows(s, queries, g), keys[g], values[g], group_rows(s, results, g),
                        log_sums.mutable_data_ptr<float>() + (i * s.H + g * s.R) * s.T);
        w.put(results, i, b, Turn::kNone, out);
      });
    }
    ctx->save_for_backward({q, k, v, cos, sin, log_sums});
    ctx->saved_data["head_dim"] = head_dim;
    return out;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const torch::Tensor &q = saved[0], &k = saved[1], &v = saved[2], &log_sums = saved[5];
    const torch::Tensor g = gradients[0].contiguous();
    const Sizes s(q, k, ctx->saved_data["head_dim"].toInt());
    const torch::NoGradGuard no_grad;
    Work w(s, saved[3], saved[4], q.options().requires_grad(false));
    const torch::Tensor q_gradient = torch::empty_like(q), k_gradient = torch::empty_like(k),
                        v_gradient = torch::empty_like(v);
    for (std::int64_t i = 0; i < s.B; ++i) {
      const torch::Tensor keys = w.take(k, i, w.whole(), Turn::kForward), values = w.take(v, i, w.whole(), Turn::kNone);
      const torch::Tensor by_key = torch::zeros({s.G, s.D, s.T}, torch::kFloat32), by_value = torch::zeros_like(by_key);
      for_each_block(s, [&](const Block& b) {
        const torch::Tensor queries = w.take(q, i, b, Turn::kForward);
        const torch::Tensor by_result = w.take(g, i, b, Turn::kNone), by_query = torch::empty_like(queries);
        for (std::int64_t n = 0; n < s.G; ++n)
          backward_group(w, b, group_rows(s, queries, n), keys[n], values[n], group_rows(s, by_result, n),
                         log_sums.const_data_ptr<float>() + (i * s.H + n * s.R) * s.T, group_rows(s, by_query, n),
                         by_key[n], by_value[n]);
        w.put(by_query, i, b, Turn::kBack, q_gradient);
      });
      w.put(by_key.transpose(1, 2).to(q.scalar_type()).contiguous(), i, w.whole(), Turn::kBack, k_gradient);
      w.put(by_value.transpose(1, 2).to(q.scalar_type()).contiguous(), i, w.whole(), Turn::kNone, v_gradient);
    }
    return {q_gradient, k_gradient, v_gradient, {}, {}, {}};
  }
};

}  // namespace

torch::Tensor tiled_attention(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                              const torch::Tensor& cos, const torch::Tensor& sin, std::int64_t head_dim) {
  if (better_in_fp32(q)) {
    const auto wide = [](const torch::Tensor& x) { return x.to(torch::kFloat32); };
    return tiled_attention(wide(q), wide(k), wide(v), cos, sin, head_dim).to(q.scalar_type());
  }
  return TiledAttention::apply(q.contiguous(), k.contiguous(), v.contiguous(), cos, sin, head_dim);
}

}  // namespace bench::model
