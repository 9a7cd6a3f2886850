// The file that this program was started from, and whether another one lies there now: an upgrade
// replaces the file under a running chatd. Thread: any.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace chatd {

class ProgramFile {
 public:
  // To be called at the start, while the path is still that of this program.
  ProgramFile();

  // Empty when the kernel does not say (no /proc).
  const std::string& path() const { return path_; }
  // Whether the path leads to another file than the one that runs.
  bool is_replaced() const;

 private:
  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace chatd
