#include "model/path.h"

#include <atomic>

namespace bench::model {
namespace {

std::atomic<Path> chosen{Path::kNative};

}  // namespace

Path path() { return chosen; }
void set_path(Path path) { chosen = path; }

AssumedPath::AssumedPath(Path path) : before_(chosen.exchange(path)) {}
AssumedPath::~AssumedPath() { chosen = before_; }

}  // namespace bench::model
