#include "harness/running/runner.h"

#include "harness/isolation/isolated.h"

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

TEST(Runner, ACaseThatFailsKeepsWhatItHadRecorded) {
  FieldReader reader(YamlNode::parse("{checkpoint: nowhere, seq_lengths: [8], batch: 3}", "case"));
  CaseRequest request{.name = "memory", .type = "memory", .device = "cpu"};
  request.config = find_case_type("memory")->read(reader);
  const Record record = run_case_here(to_json(request), "request");
  EXPECT_EQ(record.status, Record::Status::kError);
  EXPECT_NE(record.reason.find("nowhere"), std::string::npos) << record.reason;
  EXPECT_EQ(record.fact("batch"), 3);
  EXPECT_EQ(record.notes.at("device"), "cpu");
  EXPECT_EQ(record.config, request.config);
}

}  // namespace
}  // namespace bench::harness
