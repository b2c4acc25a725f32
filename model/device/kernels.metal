// The kernels of DeviceKernels for Apple's GPUs: model/device/kernels.h says what each computes, and metal_launch.cpp
// what it is given. Compiled at run time by macOS 14 or later (Metal 3.1 is the first with bfloat). The tests compile
// this file as C++, so it keeps to what the two languages share: narrow numbers are converted by name, for example.
#include <metal_stdlib>
using namespace metal;

// One threadgroup a row, of whole SIMD groups. columns = sizes[0].
template <typename T>
kernel void add_rms_norm(device const T* x [[buffer(0)]], device const T* branch [[buffer(1)]],
                         device const T* weight [[buffer(2)]], device T* sum [[buffer(3)]],
                         device T* normed [[buffer(4)]], constant ulong* sizes [[buffer(5)]],
                         constant float& eps [[buffer(6)]], uint row [[threadgroup_position_in_grid]],
                         uint thread_index [[thread_position_in_threadgroup]], uint threads [[threads_per_threadgroup]],
                         uint lane [[thread_index_in_simdgroup]], uint simd [[simdgroup_index_in_threadgroup]],
                         uint simds [[simdgroups_per_threadgroup]]) {
  threadgroup float squares_of_simds[32];
  threadgroup float scale;
  const ulong columns = sizes[0], first = row * columns;
  float squares = 0;
  for (ulong c = thread_index; c < columns; c += threads) {
    const T rounded = T(float(x[first + c]) + float(branch[first + c]));
    sum[first + c] = rounded;
    squares += float(rounded) * float(rounded);
  }
  squares = simd_sum(squares);
  if (lane == 0) squares_of_simds[simd] = squares;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  if (simd == 0) {
    const float all = simd_sum(lane < simds ? squares_of_simds[lane] : 0.0f);
    if (lane == 0) scale = metal::rsqrt(all / float(columns) + eps);
  }
  threadgroup_barrier(mem_flags::mem_threadgroup);
  for (ulong c = thread_index; c < columns; c += threads)
    normed[first + c] = T(float(sum[first + c]) * scale * float(weight[c]));
}

// at.x < D / 2 is a pair of dimensions, at.y < H + 2G a head, at.z < B * T a token.
template <typename T>
kernel void rotate_into_cache(device const T* qkv [[buffer(0)]], device const float* cosines [[buffer(1)]],
                              device const float* sines [[buffer(2)]], device T* queries [[buffer(3)]],
                              device T* keys [[buffer(4)]], device T* values [[buffer(5)]],
                              constant ulong* sizes [[buffer(6)]], uint3 at [[thread_position_in_grid]]) {
  const uint batch = uint(sizes[0]), tokens = uint(sizes[1]);
  const ulong heads = sizes[2], kv_heads = sizes[3], half_dim = sizes[4], position = sizes[5];
  constant ulong* key_strides = sizes + 6;    // of a sequence, a head, a place
  constant ulong* value_strides = sizes + 9;  // the same
  const ulong i = at.x, head = at.y, all_heads = heads + 2 * kv_heads, dim = 2 * half_dim;
  if (i >= half_dim || head >= all_heads || at.z >= batch * tokens) return;
  const ulong sequence = at.z / tokens, token = at.z % tokens, place = position + token;
  device const T* from = qkv + (at.z * all_heads + head) * dim;
  if (head >= heads + kv_heads) {
    const ulong kv_head = head - heads - kv_heads;
    device T* to = values + sequence * value_strides[0] + kv_head * value_strides[1] + place * value_strides[2];
    to[i] = from[i];
    to[i + half_dim] = from[i + half_dim];
    return;
  }
  device T* to = head < heads ? queries + ((sequence * heads + head) * tokens + token) * dim
                              : keys + sequence * key_strides[0] + (head - heads) * key_strides[1] +
                                    place * key_strides[2];
  device const float* cosine = cosines + token * dim;
  device const float* sine = sines + token * dim;
  const float a = float(from[i]), b = float(from[i + half_dim]);
  to[i] = T(a * cosine[i] + b * sine[i]);
  to[i + half_dim] = T(b * cosine[i + half_dim] + a * sine[i + half_dim]);
}

// at.x < F is a column, at.y < N a row.
template <typename T>
kernel void swiglu(device const T* gate_and_up [[buffer(0)]], device T* product [[buffer(1)]],
                   constant ulong* sizes [[buffer(2)]], uint2 at [[thread_position_in_grid]]) {
  const ulong rows = sizes[0], columns = sizes[1], row = at.y, c = at.x;
  if (row >= rows || c >= columns) return;
  const float gate = float(gate_and_up[2 * row * columns + c]);
  const float up = float(gate_and_up[(2 * row + 1) * columns + c]);
  product[row * columns + c] = T(gate / (1.0f + metal::exp(-gate)) * up);
}

#ifndef HOST_NAME  // a C++ compiler may know no attributes at this place
#define HOST_NAME(name) [[host_name(name)]] [[kernel]]
#endif
#define FOR_ELEMENT(name, T) template HOST_NAME(#name "_" #T) decltype(name<T>) name<T>;
#define FOR_ALL_ELEMENTS(name) FOR_ELEMENT(name, float) FOR_ELEMENT(name, half) FOR_ELEMENT(name, bfloat)
FOR_ALL_ELEMENTS(add_rms_norm)
FOR_ALL_ELEMENTS(rotate_into_cache)
FOR_ALL_ELEMENTS(swiglu)
