// Not chatd, but something at the place of its admin endpoint: it answers each request with what
// the test wants it to say, over a connection each.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "server/os/unique_fd.h"

namespace chatd::test {

class AdminImpostor {
 public:
  // `body_of` gives what the n-th request is answered with; another thread calls it.
  AdminImpostor(const std::string& socket_path, std::function<std::string(int n)> body_of);
  AdminImpostor(const AdminImpostor&) = delete;
  AdminImpostor& operator=(const AdminImpostor&) = delete;
  ~AdminImpostor();

 private:
  void serve();

  std::function<std::string(int)> body_of_;
  UniqueFd listener_;
  std::thread thread_;
};

}  // namespace chatd::test
