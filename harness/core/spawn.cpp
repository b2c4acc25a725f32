#include "harness/core/spawn.h"

#include <algorithm>

extern char** environ;

namespace bench::harness {
namespace {

/// An array as posix_spawn wants it: not const, although posix_spawn doesn't write to it, and with a null at the end.
std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (const auto& text : texts) all.push_back(const_cast<char*>(text.c_str()));
  all.push_back(nullptr);
  return all;
}

std::string name_of(const std::string& entry) { return entry.substr(0, entry.find('=')); }

/// This process's environment, with the entries NAME=VALUE in place of those of the same names, and without the
/// variables of entries that are just NAME.
std::vector<char*> environment_with(const std::vector<std::string>& ours) {
  std::vector<char*> all;
  const auto replaced = [&](const std::string& entry) {
    return std::ranges::any_of(ours, [&](const std::string& one) { return name_of(one) == name_of(entry); });
  };
  for (char** entry = environ; *entry; ++entry)
    if (!replaced(*entry)) all.push_back(*entry);
  for (const auto& one : ours)
    if (one.find('=') != std::string::npos) all.push_back(const_cast<char*>(one.c_str()));
  all.push_back(nullptr);
  return all;
}

}  // namespace

int spawn(const std::vector<std::string>& command, const std::vector<std::string>& environment,
          const SpawnActions& actions, const SpawnAttributes& attributes, pid_t& child) {
  const auto arguments = pointers(command);
  return ::posix_spawnp(&child, arguments[0], actions.get(), attributes.get(), arguments.data(),
                        environment_with(environment).data());
}

}  // namespace bench::harness
