#include "harness/reports/reports.h"

namespace bench::harness {

void write_json(const Report& report, std::ostream& out) { out << dumped(to_json(report), 1) << "\n"; }

}  // namespace bench::harness
