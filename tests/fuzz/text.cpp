// Text: as a corpus, in pages and on terminals, as a name among others.
#include "harness/data/text.h"

#include "harness/core/names.h"
#include "harness/reports/text.h"
#include "tests/fuzz/entry.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bench::tests;
  using namespace bench::harness;
  const std::string text = text_of(data, size), safe = escaped(text);
  claim(safe.find_first_of("<>\"'") == std::string::npos, "escaped text has no markup");
  const bool is_utf8 = find_invalid_utf8(text) == std::string_view::npos;
  claim(find_invalid_utf8(safe) == std::string_view::npos, "escaped text is UTF-8");
  if (is_utf8) claim(!has_control_characters(one_line(text)), "a line has no control characters");
  for (const std::size_t width : {4u, 10u, 80u})
    for (const auto& line : wrap(text, width)) {
      claim(columns(line) <= width, "lines are no wider than they may be");
      if (is_utf8) claim(find_invalid_utf8(line) == std::string_view::npos, "characters are not cut");
    }
  const auto parts = parts_of(data, size);
  nearest_name(parts[0], {parts.back(), "decode"});
  take_or_refuse([&] { claim(matches_glob(parts[0], parts[0] + "*"), "a name matches its own beginning"); });
  take_or_refuse([&] { matches_glob(parts[0], parts.back()); });
  const auto file = folder().write("corpus.txt", text);
  return take_or_refuse([&] {
    check_text(file);
    claim(is_utf8, "a text is UTF-8");
  });
}
