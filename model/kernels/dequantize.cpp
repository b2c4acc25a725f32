#include "model/kernels/quantize.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/kernels/dequantize.cpp"
#include <hwy/foreach_target.h>
// Highway's order: foreach_target.h first.
#include "model/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::model::HWY_NAMESPACE {

template <class T>
void int8_row(const std::int8_t* q, float scale, std::size_t columns, T* to) {
  for_each_vector(columns, [&](auto d, std::size_t i) HWY_ATTR {
    const hn::Rebind<std::int8_t, decltype(d)> d8;
    const hn::RebindToSigned<decltype(d)> d32;
    const auto whole = hn::ConvertTo(d, hn::PromoteTo(d32, hn::LoadU(d8, q + i)));
    store(hn::Mul(whole, hn::Set(d, scale)), d, to + i);
  });
}

/// One block of 128 columns.
void int4_block(const std::uint8_t* q, const Bf16* scales, float* to) {
  const hn::CappedTag<float, 1> one;
  const float scale0 = hn::GetLane(load(one, scales)), scale1 = hn::GetLane(load(one, scales + 1));
  const hn::ScalableTag<float> d;
  const hn::Rebind<std::uint8_t, decltype(d)> d8;
  const hn::RebindToSigned<decltype(d)> d32;
  const auto put = [&](auto whole, float scale, float* column) HWY_ATTR {
    store(hn::Mul(hn::ConvertTo(d, hn::Sub(whole, hn::Set(d32, 8))), hn::Set(d, scale)), d, column);
  };
  for (std::size_t j = 0; j < kGroupColumns; j += hn::Lanes(d)) {
    const auto both = hn::PromoteTo(d32, hn::LoadU(d8, q + j));
    put(hn::And(both, hn::Set(d32, 15)), scale0, to + j);
    put(hn::ShiftRight<4>(both), scale1, to + kGroupColumns + j);
  }
}

template <class T>
void int4_row(const std::uint8_t* q, const Bf16* scales, std::size_t columns, T* to) {
  float block[kBlockColumns];
  for (std::size_t first = 0; first < columns; first += kBlockColumns) {
    int4_block(q + first / 2, scales + first / kGroupColumns, block);
    for_each_vector(HWY_MIN(columns - first, static_cast<std::size_t>(kBlockColumns)),
                    [&](auto d, std::size_t i) HWY_ATTR { store(load(d, block + i), d, to + first + i); });
  }
}

void DequantizeRow(const WeightRows& weight, std::int64_t row, Element element, void* to) {
  const std::int64_t padded = padded_columns(weight.columns);
  const auto columns = static_cast<std::size_t>(weight.columns);
  with_element(element, [&](auto* type) HWY_ATTR {
    auto* out = static_cast<decltype(type)>(to);
    if (weight.format == WeightFormat::kInt8)
      int8_row(static_cast<const std::int8_t*>(weight.values) + row * padded,
               static_cast<const float*>(weight.scales)[row], columns, out);
    else
      int4_row(static_cast<const std::uint8_t*>(weight.values) + row * padded / 2,
               static_cast<const Bf16*>(weight.scales) + row * padded / kGroupColumns, columns, out);
  });
}

}  // namespace bench::model::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bench::model {
HWY_EXPORT(DequantizeRow);

void dequantize_row(const WeightRows& weight, std::int64_t row, Element element, void* to) {
  HWY_DYNAMIC_DISPATCH(DequantizeRow)(weight, row, element, to);
}
}  // namespace bench::model
#endif
