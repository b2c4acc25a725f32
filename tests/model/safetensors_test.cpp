#include "model/safetensors.h"

#include "model/error.h"
#include "tests/temporary_folder.h"

#include <gtest/gtest.h>

namespace bench::model {
namespace {

using tests::TemporaryFolder;

std::string file_with(const std::string& header, const std::string& data) {
  std::string text(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) text[i] = static_cast<char>(header.size() >> (8 * i) & 0xff);
  return text + header + data;
}

/// The error that reading such a file gives: "byte N: what".
std::string error_of(const std::string& content) {
  const TemporaryFolder folder;
  const auto file = folder.write("x.safetensors", content);
  try {
    read_safetensors(file);
  } catch (const InputError& e) {
    return e.where.substr(file.string().size() + 2) + ": " + e.what_is_wrong;
  }
  return "no error";
}

TEST(Safetensors, WritesAndReadsEveryDtypeBitForBit) {
  const TemporaryFolder folder;
  NamedTensors tensors;
  for (const auto dtype : {torch::kFloat64, torch::kFloat32, torch::kFloat16, torch::kBFloat16, torch::kInt64,
                           torch::kInt32, torch::kInt8, torch::kUInt8, torch::kBool})
    tensors[toString(dtype)] = torch::randn({3, 5}).mul(10).to(dtype);
  tensors["scalar"] = torch::tensor(2.5f);
  tensors["empty"] = torch::empty({0, 4});
  tensors["transposed"] = torch::randn({4, 6}).t();
  write_safetensors(folder.path() / "a", tensors);
  const NamedTensors read = read_safetensors(folder.path() / "a");
  ASSERT_EQ(read.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    EXPECT_EQ(read.at(name).scalar_type(), tensor.scalar_type());
    EXPECT_TRUE(torch::equal(read.at(name), tensor)) << name;
  }
}

TEST(Safetensors, UnalignedTensorsAreRead) {
  const std::string header =
      R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}})";
  const TemporaryFolder folder;
  const auto tensors = read_safetensors(folder.write("x", file_with(header, std::string("\x07\x00\x00\x80\x3f", 5))));
  EXPECT_EQ(tensors.at("b").item<float>(), 1.0f);
}

TEST(Safetensors, DamageIsAnErrorWithItsByte) {
  const std::string good = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  EXPECT_EQ(error_of(file_with(good, std::string(8, 'x'))), "no error");
  EXPECT_EQ(error_of(""), "byte 0: the file ends inside its 8-byte length field");
  EXPECT_EQ(error_of("abc"), "byte 3: the file ends inside its 8-byte length field");
  EXPECT_EQ(error_of(std::string("\xff\0\0\0\0\0\0\0{}", 10)),
            "byte 0: a header of 255 bytes does not fit in a file of 10");
  EXPECT_EQ(error_of(std::string(8, '\xff') + "{}"),
            "byte 0: a header of 18446744073709551615 bytes does not fit in a file of 10");
  EXPECT_EQ(error_of(file_with("{\"a\":", "")), "byte 14: the header is not JSON");
  EXPECT_EQ(error_of(file_with("[1]", "")), "byte 8: the header is not a JSON object");
  EXPECT_EQ(error_of(file_with(good, "1234567")), "byte 69: 'a' should end at byte 70, the file has 69");
  EXPECT_EQ(error_of(file_with(good, std::string(9, 'x'))), "byte 70: the tensors end here, the file at byte 71");
  EXPECT_EQ(error_of(file_with(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", std::string(8, 'x'))),
            "byte 62: 'a' holds 8 bytes, its shape needs 12");
  EXPECT_EQ(error_of(file_with(R"({"a":{"dtype":"F8","shape":[8],"data_offsets":[0,8]}})", std::string(8, 'x'))),
            "byte 8: 'a' has the unsupported dtype F8");
  EXPECT_EQ(error_of(file_with(R"({"a":{"dtype":"U8","shape":[8]}})", std::string(8, 'x'))),
            "byte 8: the header's entry for 'a' lacks dtype, shape or data_offsets");
  EXPECT_EQ(error_of(file_with(R"({"a":{"dtype":"U8","shape":[-8],"data_offsets":[0,8]}})", std::string(8, 'x'))),
            "byte 8: 'a' has an impossible shape");
  EXPECT_EQ(error_of(file_with(R"({"a":{"dtype":"U8","shape":[4611686018427387904,4,4],"data_offsets":[0,8]}})",
                               std::string(8, 'x'))),
            "byte 8: 'a' has an impossible shape");
  const std::string overlap =
      R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})";
  EXPECT_NE(error_of(file_with(overlap, std::string(6, 'x'))).find("tensors overlap or leave a gap"),
            std::string::npos);
}

TEST(Safetensors, AnUnknownDtypeIsNoDamage) {
  for (const std::string dtype : {"F8_E4M3", "F8_E5M2", "U16", "F4"}) {
    const TemporaryFolder folder;
    const auto file = folder.write(
        "x", file_with(R"({"a":{"dtype":")" + dtype + R"(","shape":[8],"data_offsets":[0,8]}})", std::string(8, 'x')));
    try {
      read_safetensors(file);
      FAIL() << dtype;
    } catch (const InputError& e) {
      EXPECT_EQ(e.what_is_wrong, "'a' has the unsupported dtype " + dtype);
      EXPECT_EQ(e.hint, "the file is whole; save its tensors as F32, F16 or BF16");
    }
  }
}

TEST(Safetensors, ATensorSaidTwiceIsAnError) {
  const std::string one = R"("a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]})";
  EXPECT_EQ(error_of(file_with("{" + one + "," + one + "}", std::string(8, 'x'))),
            "byte 8: the header a: is said twice");
}

TEST(Safetensors, EveryTruncationIsAnErrorNeverACrash) {
  const TemporaryFolder folder;
  write_safetensors(folder.path() / "a", {{"w", torch::ones({3, 3})}, {"b", torch::ones({3})}});
  std::ifstream in(folder.path() / "a", std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_NE(error_of(whole.substr(0, length)), "no error") << length;
}

TEST(Safetensors, EveryFlippedHeaderByteIsAnErrorOrAnotherHeaderNeverACrash) {
  const TemporaryFolder folder;
  write_safetensors(folder.path() / "a", {{"w", torch::ones({3, 3})}});
  std::ifstream in(folder.path() / "a", std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  for (std::size_t i = 0; i < whole.size() - 36; ++i)
    for (const int bit : {0, 3, 7}) {
      std::string flipped = whole;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      error_of(flipped);
    }
}

TEST(Safetensors, FullDiskIsAnError) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "needs /dev/full";
  EXPECT_THROW(write_safetensors("/dev/full", {{"w", torch::ones({1000, 1000})}}), WriteError);
}

}  // namespace
}  // namespace bench::model
