#include "model/fused/attention.h"

#include "model/fused/accumulate.h"
#include "model/fused/products.h"
#include "model/fused/rows.h"
#include "model/fused/transposed.h"
#include "model/fused/work_stealing.h"
#include "model/kernels/rotary.h"
#include "model/kernels/softmax.h"

#include <cmath>
#include <cstring>
#include <vector>

#include <ATen/ThreadLocalState.h>
#include <torch/autograd.h>

namespace bench::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// The number of parts into which each group's queries are divided. All groups together have two parts for each thread,
/// so that a slow thread leaves one of its parts for another thread to take.
std::int64_t parts_wanted(std::int64_t groups, std::int64_t threads) { return (2 * threads + groups - 1) / groups; }

std::int64_t block_count(std::int64_t tokens, std::int64_t block = kQueryBlock) { return (tokens + block - 1) / block; }

/// Sizes, in the letters of attention.h; R query heads share a key head, and their blocks of Q positions are worked on
/// in P parts.
struct Sizes {
  Sizes(const torch::Tensor& q, const torch::Tensor& k, std::int64_t head_dim, std::int64_t past = 0)
      : B(q.size(0)),
        T(q.size(1)),
        S(past + T),
        D(head_dim),
        H(q.size(2) / D),
        G(k.size(2) / D),
        R(H / G),
        Q(kQueryBlock),
        P(attention_parts(T, G, at::get_num_threads()).parts) {}
  /// The sizes for the forward pass. Its parts have no sums of their own, so it has as many parts as the threads need,
  /// with smaller blocks if need be.
  static Sizes forward(const torch::Tensor& q, const torch::Tensor& k, std::int64_t head_dim, std::int64_t past = 0) {
    constexpr std::int64_t kSmallestBlock = 32;
    Sizes s(q, k, head_dim, past);
    const std::int64_t wanted = parts_wanted(s.G, at::get_num_threads());
    while (s.blocks() < wanted && s.Q > kSmallestBlock) s.Q /= 2;
    if (s.P < wanted) s.P = s.blocks();
    return s;
  }
  std::int64_t B, T, S, D, H, G, R, Q, P;
  std::int64_t blocks() const { return block_count(T, Q); }
  float scale() const { return static_cast<float>(1 / std::sqrt(static_cast<double>(D))); }
};

/// Tokens first .. first + count - 1 of one sequence. The last of them sees the keys 0 .. end - 1, and each token
/// before sees one key less.
struct QueryBlock {
  std::int64_t first, count, end;
};

/// Calls f for each block of one part. Later blocks see more keys, so a part of several blocks takes them from both
/// ends: all parts then cost about the same.
template <class F>
void for_each_block(const Sizes& s, std::int64_t part, const F& f) {
  const std::int64_t blocks = s.blocks();
  for (std::int64_t n = 0; n < blocks; ++n) {
    if ((s.P == blocks ? n : std::min(n, blocks - 1 - n) % s.P) != part) continue;
    const std::int64_t first = n * s.Q, count = std::min(s.Q, s.T - first);
    f(QueryBlock{first, count, s.S - s.T + first + count});
  }
}

enum class Rotation { kNone, kForward, kBack };

/// One sequence of a call. It copies blocks of some heads between the token-major layout [B, T, heads * D] of the
/// projections and the head-major layout [heads, count, D] of the products, and turns them on the way.
class Sequence {
 public:
  Sequence(const Sizes& sizes, std::int64_t number, torch::Tensor cos, torch::Tensor sin,
           const torch::TensorOptions& options)
      : s(sizes), number_(number), cos_(std::move(cos)), sin_(std::move(sin)), options_(options) {}

  torch::Tensor take(const torch::Tensor& tokens, const QueryBlock& b, std::int64_t first_head, std::int64_t heads,
                     Rotation rotation) const {
    torch::Tensor taken = empty({heads, b.count, s.D});
    copy(tokens, b, first_head, taken, rotation, /*into_tokens=*/false);
    return taken;
  }
  /// heads_major [heads, T, D], whose rows are contiguous.
  void take_all_into(const torch::Tensor& tokens, Rotation rotation, const torch::Tensor& heads_major) const {
    copy(tokens, whole(), 0, heads_major, rotation, /*into_tokens=*/false);
  }
  torch::Tensor take_all(const torch::Tensor& tokens, Rotation rotation) const {
    return take(tokens, whole(), 0, tokens.size(2) / s.D, rotation);
  }
  void put(const torch::Tensor& heads_major, const QueryBlock& b, std::int64_t first_head, Rotation rotation,
           const torch::Tensor& tokens) const {
    copy(tokens, b, first_head, heads_major, rotation, /*into_tokens=*/true);
  }
  void put_all(const torch::Tensor& heads_major, Rotation rotation, const torch::Tensor& tokens) const {
    put(heads_major.to(tokens.scalar_type()).contiguous(), whole(), 0, rotation, tokens);
  }
  torch::Tensor empty(at::IntArrayRef sizes) const { return torch::empty(sizes, options_); }

  const Sizes s;

 private:
  QueryBlock whole() const { return {0, s.T, s.S}; }

  void copy(const torch::Tensor& tokens, const QueryBlock& b, std::int64_t first_head, const torch::Tensor& heads_major,
            Rotation rotation, bool into_tokens) const {
    const std::int64_t heads = heads_major.size(0), all_heads = tokens.size(2) / s.D,
                       element_bytes = tokens.element_size();
    const Element element = element_of(tokens);
    // Computed once, not for each head of each token: the heads are small, and asking a tensor for an address would
    // take as long as copying one of them.
    auto* in_tokens = static_cast<char*>(row_of(tokens, (number_ * s.T + b.first) * all_heads + first_head, s.D));
    auto* in_heads = static_cast<char*>(heads_major.data_ptr());
    const float *cos = cos_.const_data_ptr<float>() + b.first * (s.D / 2),
                *sin = sin_.const_data_ptr<float>() + b.first * (s.D / 2);
    in_parallel(b.count, heads * s.D, [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t t = from; t < to; ++t) {
        const Heads<void*> token{in_tokens + t * all_heads * s.D * element_bytes, s.D},
            in_rows{in_heads + t * s.D * element_bytes, heads_major.stride(0)};
        const Heads<void*>&source = into_tokens ? in_rows : token, &target = into_tokens ? token : in_rows;
        if (rotation == Rotation::kNone)
          copy_heads(source, target, heads, element_bytes);
        else
          rotate_heads(element, {source.first, source.stride}, cos + t * (s.D / 2), sin + t * (s.D / 2), target, heads,
                       s.D / 2, rotation == Rotation::kBack);
      }
    });
  }

  void copy_heads(const Heads<void*>& source, const Heads<void*>& target, std::int64_t heads,
                  std::int64_t element_bytes) const {
    for (std::int64_t h = 0; h < heads; ++h)
      std::memcpy(static_cast<char*>(target.first) + h * target.stride * element_bytes,
                  static_cast<const char*>(source.first) + h * source.stride * element_bytes,
                  static_cast<std::size_t>(s.D * element_bytes));
  }

  std::int64_t number_;
  torch::Tensor cos_, sin_;
  torch::TensorOptions options_;
};

/// The query heads that share key head `group`, block by block of part `part`. One thread works on a part from its
/// first product to its last. So no thread waits for another in between, and no two threads write to the same place.
class GroupPart {
 public:
  GroupPart(const Sequence& sequence, std::int64_t number)
      : sequence_(sequence), s(sequence.s), group_(number / s.P), part_(number % s.P) {}

  /// Writes the results into `out`, and log_sums [H, T] for the backward pass if there is one.
  void forward(const torch::Tensor& q, const torch::Tensor& keys, const torch::Tensor& values, const torch::Tensor& out,
               float* log_sums) {
    std::vector<float> exponentials(static_cast<std::size_t>(s.S));
    for_each_block(s, part_, [&](const QueryBlock& b) {
      const torch::Tensor queries = take(q, b, Rotation::kForward), results = torch::empty_like(queries);
      const torch::Tensor scores = product(scores_, queries, keys, b);
      for (std::int64_t row = 0; row < scores.size(0); ++row) {
        const float log_sum = causal_softmax_row(element_of(scores), row_of(scores, row, b.end), b.end,
                                                 keys_seen(b, row), s.scale(), exponentials.data());
        if (log_sums != nullptr) log_sums[log_sum_index(b, row)] = log_sum;
      }
      torch::Tensor result_rows = rows(results);
      at::mm_out(result_rows, scores, values[group_].narrow(0, 0, b.end));
      put(results, b, Rotation::kNone, out);
    });
  }

  /// by_key, by_value [P, G, D, T] in fp32, zero before.
  void backward(const torch::Tensor& q, const torch::Tensor& keys, const torch::Tensor& values, const torch::Tensor& g,
                const float* log_sums, const torch::Tensor& q_gradient, const torch::Tensor& by_key,
                const torch::Tensor& by_value) {
    for_each_block(s, part_, [&](const QueryBlock& b) {
      const torch::Tensor queries = take(q, b, Rotation::kForward), by_result = take(g, b, Rotation::kNone);
      const torch::Tensor scores = product(scores_, queries, keys, b);
      const torch::Tensor gradients = product(gradients_, by_result, values, b);
      for (std::int64_t row = 0; row < scores.size(0); ++row)
        causal_softmax_backward_row(element_of(scores), row_of(scores, row, b.end), row_of(gradients, row, b.end),
                                    b.end, keys_seen(b, row), s.scale(), log_sums[log_sum_index(b, row)]);
      add_product(by_value, by_result, scores, b);
      add_product(by_key, queries, gradients, b);
      const torch::Tensor by_query = torch::empty_like(queries);
      torch::Tensor by_query_rows = rows(by_query);
      at::mm_out(by_query_rows, gradients, keys[group_].narrow(0, 0, b.end));
      put(by_query, b, Rotation::kBack, q_gradient);
    });
  }

 private:
  torch::Tensor take(const torch::Tensor& tokens, const QueryBlock& b, Rotation rotation) const {
    return sequence_.take(tokens, b, group_ * s.R, s.R, rotation);
  }
  void put(const torch::Tensor& heads_major, const QueryBlock& b, Rotation rotation,
           const torch::Tensor& tokens) const {
    sequence_.put(heads_major, b, group_ * s.R, rotation, tokens);
  }
  /// The heads of the group as rows: row r is position r % count of its head r / count.
  torch::Tensor rows(const torch::Tensor& heads_major) const { return heads_major.view({-1, s.D}); }
  static std::int64_t keys_seen(const QueryBlock& b, std::int64_t row) { return b.end - b.count + row % b.count + 1; }
  std::int64_t log_sum_index(const QueryBlock& b, std::int64_t row) const {
    return (group_ * s.R + row / b.count) * s.T + b.first + row % b.count;
  }

  /// Returns the products [R * count, end] of the rows with each key or value that they see, in memory that is used
  /// again.
  torch::Tensor product(torch::Tensor& memory, const torch::Tensor& heads_major, const torch::Tensor& keys_or_values,
                        const QueryBlock& b) const {
    if (!memory.defined()) memory = sequence_.empty({s.R * std::min(s.Q, s.T) * s.S});
    torch::Tensor matrix = memory.narrow(0, 0, s.R * b.count * b.end).view({s.R * b.count, b.end});
    at::mm_out(matrix, rows(heads_major), keys_or_values[group_].narrow(0, 0, b.end).t());
    return matrix;
  }

  /// sums [part, group, D, end] += rows^T matrix; products of bf16 are added up in fp32. In the other order, matrix^T
  /// rows, the matrix would have to be copied transposed, which took a quarter of attention's time.
  void add_product(const torch::Tensor& sums, const torch::Tensor& heads_major, const torch::Tensor& matrix,
                   const QueryBlock& b) const {
    torch::Tensor sum = sums[part_][group_].narrow(1, 0, b.end);
    if (matrix.scalar_type() == sum.scalar_type())
      sum.addmm_(rows(heads_major).t(), matrix);
    else
      accumulate(sum, at::mm(transposed(rows(heads_major)), matrix));
  }

  const Sequence& sequence_;
  const Sizes& s;
  std::int64_t group_, part_;
  torch::Tensor scores_, gradients_;
};

/// Calls f(part) for all groups and parts of a sequence, on all threads, in the caller's grad and inference mode.
template <class F>
void for_each_part(const Sequence& sequence, const F& f) {
  const at::ThreadLocalState state;
  for_each_stealing(sequence.s.G * sequence.s.P, [&](std::int64_t number) {
    const at::ThreadLocalStateGuard guard(state);
    f(GroupPart(sequence, number));
  });
}

/// Caches are read and written by address, so all tensors must be as attention.h says.
void check_cache(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v, const torch::Tensor& cos,
                 const torch::Tensor& sin, const torch::Tensor& keys, const torch::Tensor& values) {
  const auto check = [&](bool holds, const char* what) {
    TORCH_CHECK(holds, "attention behind a cache: ", what, " (q ", q.sizes(), ", k ", k.sizes(), ", v ", v.sizes(),
                ", keys ", keys.sizes(), ", values ", values.sizes(), ", cos ", cos.sizes(), ", sin ", sin.sizes(),
                ")");
  };
  for (const torch::Tensor& x : {k, v, keys, values})
    check(x.scalar_type() == q.scalar_type() && x.device() == q.device(), "needs one dtype and device");
  check(q.dim() == 3 && keys.dim() == 4, "needs q [B, T, H * D] and keys [B, G, S, D]");
  const std::int64_t T = q.size(1), G = keys.size(1), S = keys.size(2), D = keys.size(3);
  check(keys.size(0) == q.size(0) && values.sizes() == keys.sizes() && S >= T, "the cache has no room for the tokens");
  check(q.size(2) % (G * D) == 0, "needs as many query heads for each key head");
  for (const torch::Tensor& x : {k, v})
    check(x.sizes() == at::IntArrayRef{q.size(0), T, G * D}, "new keys or values don't fit the cache");
  for (const torch::Tensor& x : {cos, sin})
    check(x.sizes() == at::IntArrayRef{T, D / 2} && x.scalar_type() == torch::kFloat32 && x.is_contiguous(),
          "needs a contiguous rotation [T, D / 2] in fp32");
  for (const torch::Tensor& x : {keys, values})
    check(x.stride(3) == 1 && x.stride(2) == D, "the positions of a head don't lie one behind the other");
}

torch::Tensor sum_of_parts(const torch::Tensor& x) { return x.size(0) == 1 ? x[0] : x.sum(0); }

struct TiledAttention : torch::autograd::Function<TiledAttention> {
  static torch::Tensor forward(AutogradContext* ctx, const torch::Tensor& q, const torch::Tensor& k,
                               const torch::Tensor& v, const torch::Tensor& cos, const torch::Tensor& sin,
                               std::int64_t head_dim) {
    const Sizes s = Sizes::forward(q, k, head_dim);
    const torch::Tensor out = torch::empty_like(q), log_sums = torch::empty({s.B, s.H, s.T}, torch::kFloat32);
    for (std::int64_t i = 0; i < s.B; ++i) {
      const Sequence sequence(s, i, cos, sin, q.options().requires_grad(false));
      const torch::Tensor keys = sequence.take_all(k, Rotation::kForward),
                          values = sequence.take_all(v, Rotation::kNone);
      float* sums = log_sums.mutable_data_ptr<float>() + i * s.H * s.T;
      for_each_part(sequence, [&](GroupPart part) { part.forward(q, keys, values, out, sums); });
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
    const torch::Tensor q_gradient = torch::empty_like(q), k_gradient = torch::empty_like(k),
                        v_gradient = torch::empty_like(v);
    for (std::int64_t i = 0; i < s.B; ++i) {
      const Sequence sequence(s, i, saved[3], saved[4], q.options().requires_grad(false));
      const torch::Tensor keys = sequence.take_all(k, Rotation::kForward),
                          values = sequence.take_all(v, Rotation::kNone);
      const torch::Tensor by_key = torch::zeros({s.P, s.G, s.D, s.T}, torch::kFloat32),
                          by_value = torch::zeros_like(by_key);
      const float* sums = log_sums.const_data_ptr<float>() + i * s.H * s.T;
      for_each_part(sequence,
                    [&](GroupPart part) { part.backward(q, keys, values, g, sums, q_gradient, by_key, by_value); });
      sequence.put_all(sum_of_parts(by_key).transpose(1, 2), Rotation::kBack, k_gradient);
      sequence.put_all(sum_of_parts(by_value).transpose(1, 2), Rotation::kNone, v_gradient);
    }
    return {q_gradient, k_gradient, v_gradient, {}, {}, {}};
  }
};

}  // namespace

AttentionParts attention_parts(std::int64_t tokens, std::int64_t groups, std::int64_t threads) {
  const std::int64_t most = std::max<std::int64_t>(1, (block_count(tokens) + 1) / 2);
  const std::int64_t parts = std::min(parts_wanted(groups, threads), most);
  return {parts, std::min(threads, groups * parts)};
}

torch::Tensor tiled_attention(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                              const torch::Tensor& cos, const torch::Tensor& sin, std::int64_t head_dim) {
  if (better_in_fp32(q)) {
    const auto wide = [](const torch::Tensor& x) { return x.to(torch::kFloat32); };
    return tiled_attention(wide(q), wide(k), wide(v), cos, sin, head_dim).to(q.scalar_type());
  }
  return TiledAttention::apply(q.contiguous(), k.contiguous(), v.contiguous(), cos, sin, head_dim);
}

torch::Tensor tiled_attention_with_cache(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                                         const torch::Tensor& cos, const torch::Tensor& sin, const torch::Tensor& keys,
                                         const torch::Tensor& values) {
  check_cache(q, k, v, cos, sin, keys, values);
  const torch::NoGradGuard no_grad;
  const std::int64_t past = keys.size(2) - q.size(1);
  const Sizes s = Sizes::forward(q, k, keys.size(3), past);
  const auto in_compute = [](const torch::Tensor& x) { return lacks_products(x) ? x.to(torch::kFloat32) : x; };
  const torch::Tensor queries = in_compute(q.contiguous()), new_keys = k.contiguous(), new_values = v.contiguous();
  const torch::Tensor out = torch::empty_like(queries);
  for (std::int64_t i = 0; i < s.B; ++i) {
    const Sequence sequence(s, i, cos, sin, queries.options());
    sequence.take_all_into(new_keys, Rotation::kForward, keys[i].narrow(1, past, s.T));
    sequence.take_all_into(new_values, Rotation::kNone, values[i].narrow(1, past, s.T));
    const torch::Tensor all_keys = in_compute(keys[i]), all_values = in_compute(values[i]);
    for_each_part(sequence, [&](GroupPart part) { part.forward(queries, all_keys, all_values, out, nullptr); });
  }
  return out.to(q.scalar_type());
}

}  // namespace bench::model
