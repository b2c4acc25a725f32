#include "harness/core/error.h"
#include "harness/data/overlap.h"
#include "harness/data/token_files.h"
#include "model/error.h"
#include "tests/temporary_folder.h"

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

using tests::TemporaryFolder;

template <class T>
std::string raw(const std::vector<T>& ids) {
  return {reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(T)};
}

/// A .npy as NumPy writes it; `length` is the header's length in the version's own width.
std::string npy(const std::string& descr, const std::string& shape, const std::string& data, int version = 1,
                const std::string& fortran = "False") {
  std::string header = "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': (" + shape + "), }";
  header.resize(117, ' ');
  header += "\n";
  std::string file = "\x93NUMPY";
  file += {static_cast<char>(version), '\0', static_cast<char>(header.size()), '\0'};
  if (version > 1) file += std::string(2, '\0');
  return file + header + data;
}

class TokenFileTest : public testing::Test {
 protected:
  std::vector<std::int64_t> ids(const std::string& content, const std::string& dtype = "auto",
                                std::int64_t vocab = 1000) {
    const torch::Tensor read =
        token_file(folder_.write("ids", content), vocab, TokensDtype::read(dtype, "dtype", "dtype")).ids;
    EXPECT_EQ(read.scalar_type(), torch::kInt32);
    const torch::Tensor wide = read.to(torch::kInt64);
    return {wide.data_ptr<std::int64_t>(), wide.data_ptr<std::int64_t>() + wide.numel()};
  }
  std::string error(const std::string& content, const std::string& dtype = "auto", std::int64_t vocab = 1000) {
    try {
      ids(content, dtype, vocab);
    } catch (const Error& e) {
      return e.message() + " | " + e.hint();
    } catch (const model::InputError& e) {
      return e.what_is_wrong + " | " + e.hint;
    }
    return "no error";
  }
  TemporaryFolder folder_;
  const std::vector<std::int64_t> ids_{5, 513, 7, 0, 999};
  const std::string as16_ = raw<std::uint16_t>({5, 513, 7, 0, 999}), as32_ = raw<std::int32_t>({5, 513, 7, 0, 999}),
                    as64_ = raw(ids_);
};

TEST_F(TokenFileTest, RawIdsOfEachDtypeAreRead) {
  EXPECT_EQ(ids(as32_), ids_);
  EXPECT_EQ(ids(as32_, "int32"), ids_);
  EXPECT_EQ(ids(as16_, "uint16"), ids_);
  EXPECT_EQ(ids(as64_, "int64"), ids_);
}

TEST_F(TokenFileTest, OtherDtypesTakenForInt32AreRecognised) {
  EXPECT_EQ(error(as64_),
            "every second id is 0: this looks like int64, not int32 | --tokens-dtype int64, or int32 if "
            "it is as it should be");
  EXPECT_EQ(ids(as64_, "int32"), (std::vector<std::int64_t>{5, 0, 513, 0, 7, 0, 0, 0, 999, 0}));
  EXPECT_EQ(error(raw<std::uint16_t>({5, 513, 7, 999})),
            "as int32 its ids are beyond the vocabulary of 1000, as uint16 they are in it | --tokens-dtype uint16");
  EXPECT_EQ(error(as16_),
            "has 10 bytes, which is no multiple of 4 | expected raw little-endian int32 ids; are they "
            "--tokens-dtype uint16?");
  EXPECT_EQ(ids(std::string(40, '\0')).size(), 10u);  // zeros are zeros
}

TEST_F(TokenFileTest, BadIdsAndFilesAreErrors) {
  for (const std::string& content :
       {raw<std::int32_t>({5, 1000}), raw<std::int32_t>({-1, 3}), std::string(), std::string("12345")})
    EXPECT_NE(error(content), "no error");
  EXPECT_NE(error(raw<std::int64_t>({5, std::int64_t{1} << 32 | 7}), "int64"), "no error");  // no narrowing to 7
  EXPECT_EQ(error(as32_, "int8").rfind("unknown dtype 'int8'", 0), 0u);
  EXPECT_THROW(token_file(folder_.path() / "none", 1000), Error);
}

TEST_F(TokenFileTest, AGitLfsPointerIsNoIdsOfAnyDtype) {
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:01\nsize 100\n";
  for (const std::string& text : {pointer, pointer + "\n"})  // of an odd and an even number of bytes
    for (const char* dtype : {"auto", "uint16", "int32", "int64"})
      EXPECT_EQ(error(text, dtype, 100'000),
                "is a Git LFS pointer, not the file itself | fetch it: git lfs pull, or download it again");
}

TEST_F(TokenFileTest, NpySaysItself) {
  for (const int version : {1, 2, 3}) {
    EXPECT_EQ(ids(npy("<u2", "5,", as16_, version)), ids_);
    EXPECT_EQ(ids(npy("<i4", "5,", as32_, version)), ids_);
    EXPECT_EQ(ids(npy("<u4", "5,", as32_, version)), ids_);
    EXPECT_EQ(ids(npy("<i8", "5,", as64_, version)), ids_);
  }
  EXPECT_EQ(ids(npy("<i8", "5,", as64_), "int64"), ids_);
  EXPECT_EQ(ids(npy("<i4", "4,", raw<std::int32_t>({5, 0, 7, 0}))), (std::vector<std::int64_t>{5, 0, 7, 0}));
}

TEST_F(TokenFileTest, WhatNpyCannotBeReadIsSaid) {
  const auto says = [&](const std::string& content, const std::string& part, const std::string& dtype = "auto") {
    const std::string message = error(content, dtype);
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  says(npy(">i4", "5,", as32_), "holds numbers of type '>i4'");
  says(npy("<f4", "5,", as32_), "holds numbers of type '<f4'");
  says(npy("|O", "5,", as32_), "holds numbers of type '|O'");
  says(npy("<i4", "5, 1", as32_), "has the shape (5, 1): a stream of tokens has one dimension");
  says(npy("<i4", "", as32_.substr(0, 4)), "has the shape ()");
  says(npy("<i4", "5,", as32_, 1, "True"), "is in Fortran order");
  says(npy("<i4", "6,", as32_), "holds 20 bytes of numbers, its header promises 24");
  says(npy("<i4", "4,", as32_), "holds 20 bytes of numbers, its header promises 16");
  says(npy("<i4", "0,", ""), "holds no tokens");
  says(npy("<i4", "5,", as32_, 4), "is a .npy file of version 4.0");
  says(npy("<i4", "5,", as32_).substr(0, 60), "ends inside its .npy header");
  says("\x93NUMPY\x01", "is a .npy file of version");
  says(npy("<i4", "5,", as32_), "holds int32 by its header, not int64", "int64");
  const std::string good = npy("<i4", "5,", as32_);
  for (std::size_t length = 0; length < good.size(); ++length) EXPECT_NE(error(good.substr(0, length)), "no error");
}

TEST(TextOverlap, SameTextIsFoundWhateverItsPathAndLineEnds) {
  const TemporaryFolder folder;
  const auto train = folder.write("train.txt", "a\nb\n\nc\n");
  EXPECT_TRUE(text_overlap(train, folder.write("valid.txt", "a\r\nb\r\nc")).same);
  EXPECT_FALSE(text_overlap(train, folder.write("valid.txt", "a\nc\nb\n")).same);
}

TEST(TextOverlap, CountsTheValidationParagraphsThatAreTrainedOn) {
  const TemporaryFolder folder;
  const auto train = folder.write("train.txt", "a\nb\nb\nc\n"), valid = folder.write("valid.txt", "b\nx\nb\ny\n\nz\n");
  const TextOverlap overlap = text_overlap(train, valid);
  EXPECT_FALSE(overlap.same);
  EXPECT_EQ(overlap.both, 2);
  EXPECT_EQ(overlap.paragraphs, 5);
  EXPECT_NE(overlap.warning("train.txt", "valid.txt").find("2 of 5 paragraphs of valid.txt (40 %) stand in train.txt"),
            std::string::npos);
  EXPECT_EQ(text_overlap(train, folder.write("valid.txt", "x\n")).warning("t", "v"), "");
}

}  // namespace
}  // namespace bench::harness
