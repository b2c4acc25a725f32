#pragma once

#include <string>

namespace bench::harness {

/// The bytes that "10GB", "9.5 GiB" or "800MB" mean; GB are 1e9, GiB 2^30. Throws Error at `where`, also when there is
/// no unit: "10" would be 10 bytes.
double parse_bytes(const std::string& text, const std::string& where);

/// "5%" or "0.05" as 0.05. Throws Error at `where`, also for a bare number from 1 on: "5" would be 500 %.
double parse_share(const std::string& text, const std::string& where);

}  // namespace bench::harness
