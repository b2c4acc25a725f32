#pragma once

#include <spawn.h>  // pid_t as well
#include <string>
#include <vector>

namespace bench::harness {

/// A new process's group and signals, as posix_spawn takes them.
class SpawnAttributes {
 public:
  SpawnAttributes() { ::posix_spawnattr_init(&attributes_); }
  ~SpawnAttributes() { ::posix_spawnattr_destroy(&attributes_); }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  posix_spawnattr_t* get() { return &attributes_; }
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

/// The open files and the working folder of a new process, as posix_spawn takes them.
class SpawnActions {
 public:
  SpawnActions() { ::posix_spawn_file_actions_init(&actions_); }
  ~SpawnActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  posix_spawn_file_actions_t* get() { return &actions_; }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

/// Starts a program, which is looked up as a shell does. An entry of `environment` is either NAME=VALUE, which replaces
/// this process's own value, or just NAME, and the program then doesn't get that variable. Returns 0, or the errno that
/// says why the program could not be started.
int spawn(const std::vector<std::string>& command, const std::vector<std::string>& environment,
          const SpawnActions& actions, const SpawnAttributes& attributes, pid_t& child);

}  // namespace bench::harness
