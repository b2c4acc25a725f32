#include "harness/reports/reports.h"

namespace bench::harness {

void write_json(const Report& report, std::ostream& out) { out << to_json(report).dump(1) << "\n"; }

}  // namespace bench::harness
