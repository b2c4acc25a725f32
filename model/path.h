#pragma once

namespace bench::model {

/// Which code computes on the CPU. Other devices always take the portable path.
enum class Path {
  kNative,    // this project's kernels, where they can work; otherwise as kPortable
  kPortable,  // LibTorch's operators, as few calls of them as possible
};

/// The path of this process, kNative unless it was set.
Path path();
/// Call this before the first model is made: the matrices of quantized models lie differently on the two paths.
void set_path(Path path);

/// While an object of this class lives, path() is `path`. For tests, which go both ways.
class AssumedPath {
 public:
  explicit AssumedPath(Path path);
  ~AssumedPath();
  AssumedPath(const AssumedPath&) = delete;
  AssumedPath& operator=(const AssumedPath&) = delete;

 private:
  const Path before_;
};

}  // namespace bench::model
