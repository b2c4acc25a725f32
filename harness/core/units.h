#pragma once

#include <string>

namespace bench::harness {

/// The number of bytes that "10GB", "9.5 GiB" or "800MB" mean; GB are 1e9, GiB 2^30. Throws Error at `where`, also for
/// a text without a unit, since "10" would mean 10 bytes.
double parse_bytes(const std::string& text, const std::string& where);

/// Reads "5%" or "0.05" as 0.05. Throws Error at `where`, also for a number from 1 on without a %, since "5" would mean
/// 500 %.
double parse_share(const std::string& text, const std::string& where);

/// A duration for people: "42 s", "90 min", "9.5 h", "8.3 days" or "62 days".
std::string duration_text(double seconds);

}  // namespace bench::harness
