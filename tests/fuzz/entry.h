#pragma once

#include "harness/core/error.h"
#include "model/error.h"
#include "tests/temporary_folder.h"

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

// An entry point hands bytes to one reader. It returns whether the reader took them or refused them with one of our own
// errors; anything else (another exception, a crash, an endless loop) is a finding, of libFuzzer and of the test alike.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace bench::tests {

template <class Read>
int take_or_refuse(Read&& read) {
  try {
    read();
  } catch (const harness::Error&) {
  } catch (const model::ModelError&) {
  }
  return 0;
}

/// What must hold of anything that a reader takes.
inline void claim(bool holds, const std::string& what) {
  if (!holds) throw std::logic_error("does not hold: " + what);
}

inline std::string text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// The parts between zero bytes: an input of several files or options. There is always a first.
inline std::vector<std::string> parts_of(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> parts{""};
  for (const char c : text_of(data, size))
    if (c == '\0')
      parts.emplace_back();
    else
      parts.back() += c;
  return parts;
}

/// A folder for readers of files, the same for all inputs of a process.
inline const TemporaryFolder& folder() {
  static const TemporaryFolder folder;
  return folder;
}

}  // namespace bench::tests
