#pragma once

#include "harness/record.h"

#include <string>

namespace bench::harness {

/// One case to run: its type, its effective config, and where.
struct CaseRequest {
  std::string name, type, device = "auto";
  double budget_s = 120;
  Json config;
};

/// Runs the case in a process of its own (`bench case`), so that its peak memory is its own and a crash costs only it.
/// Never throws for what happens in there: a case that fails, crashes or doesn't end gives a record that says so.
/// `nested`: called from a case that itself runs so, and is killed together with it.
Record run_isolated(const CaseRequest& request, bool nested = false);

Json to_json(const CaseRequest& request);
CaseRequest request_from_json(const Json& json, const std::string& where);

/// Parses JSON; throws Error at `where` with the byte at fault.
Json parse_json(const std::string& text, const std::string& where);

}  // namespace bench::harness
