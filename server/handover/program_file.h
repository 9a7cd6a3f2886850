// The file that this program was started from, and whether another one lies there now: an upgrade
// replaces the file under a running chatd, or a symbolic link on the way to it (`current -> v2`).
// So the path is kept as it was given to execve(2), and every look at it follows the links as they
// are then. Thread: any.
#pragma once

#include <sys/types.h>

#include <string>

namespace chatd {

class ProgramFile {
 public:
  // To be called at the start, while /proc/self/exe and the working directory are as they were.
  ProgramFile();

  // Absolute; empty when the kernel does not say.
  const std::string& path() const { return path_; }
  // Whether the path leads to another file than the one that runs.
  bool is_replaced() const;

 private:
  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace chatd
