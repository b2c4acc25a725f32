#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace bench::harness {

/// An operator of LibTorch, with its overload: add_.Tensor.
struct OperatorRow {
  std::string_view name;
  /// Bit i: it has a kernel of its own on operator_backends()[i]. The bits behind those are the other fields of
  /// OperatorKind, in their order.
  std::uint32_t flags;
};

/// The backends that the table knows, by LibTorch's names in small letters. The first is the one for which the launches
/// of the portable path are counted.
std::span<const std::string_view> operator_backends();
/// All operators, sorted by name. scripts/operator_table.py makes them from LibTorch's native_functions.yaml.
std::span<const OperatorRow> operator_rows();

/// How an operator is computed on one backend.
struct OperatorKind {
  bool known = false;       // in the table
  bool kernel = false;      // by a kernel of its own
  bool explicitly = false;  // else by other operators, with a derivative of its own (CompositeExplicitAutograd)
  bool implicitly = false;  // else by other operators, and so is its derivative (CompositeImplicitAutograd)
  bool free = false;        // launches nothing: a view, an allocation, or a question that the host answers
  bool reads = false;       // the host waits for numbers of the device
};

/// `name` has the overload, but no "aten::". Throws Error for a backend that the table doesn't know.
OperatorKind operator_kind(std::string_view name, std::string_view backend);

}  // namespace bench::harness
