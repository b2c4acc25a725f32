#pragma once

namespace bench::harness {

/// How this program was built. The build writes this.
struct BuildInfo {
  const char* version;
  const char* commit;  // "" outside a git repository
  bool dirty;          // the tree had changes that no commit holds
  const char* compiler;
  const char* flags;
  const char* build_type;
};
const BuildInfo& build_info();

}  // namespace bench::harness
