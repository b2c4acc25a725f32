#include "harness/measuring/operator_table.h"

#include "harness/core/error.h"
#include "harness/core/names.h"

#include <algorithm>
#include <string>
#include <vector>

namespace bench::harness {
namespace {

std::size_t column_of(std::string_view backend) {
  const auto known = operator_backends();
  const auto found = std::ranges::find(known, backend);
  if (found == known.end())
    throw Error("the table of operators", "has no column for the device '" + std::string(backend) + "'",
                unknown_name_hint(backend, {known.begin(), known.end()}));
  return static_cast<std::size_t>(found - known.begin());
}

}  // namespace

OperatorKind operator_kind(std::string_view name, std::string_view backend) {
  const std::size_t column = column_of(backend), columns = operator_backends().size();
  const auto rows = operator_rows();
  const auto found = std::ranges::lower_bound(rows, name, {}, &OperatorRow::name);
  if (found == rows.end() || found->name != name) return {};
  const auto has = [&](std::size_t bit) { return (found->flags >> bit & 1) != 0; };
  return {.known = true,
          .kernel = has(column),
          .explicitly = has(columns),
          .implicitly = has(columns + 1),
          .free = has(columns + 2),
          .reads = has(columns + 3)};
}

}  // namespace bench::harness
