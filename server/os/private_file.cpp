#include "server/os/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <system_error>

#include "server/os/system_error.h"
#include "server/os/unique_fd.h"

namespace chatd {
namespace {

using Fault = tl::unexpected<std::string>;

tl::expected<void, std::string> write_all(int fd, std::string_view bytes) {
  for (std::size_t written = 0; written < bytes.size();) {
    const ssize_t count =
        ::pwrite(fd, bytes.data() + written, bytes.size() - written, static_cast<off_t>(written));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Fault(system_error("pwrite"));
    written += static_cast<std::size_t>(count);
  }
  if (::fsync(fd) != 0) return Fault(system_error("fsync"));
  return {};
}

}  // namespace

tl::expected<void, std::string> write_private_file(const std::string& path,
                                                   std::string_view bytes) {
  // One that another chatd, or an earlier one, has left half written is nobody's.
  const std::string beside = path + "." + std::to_string(::getpid());
  std::error_code error;
  std::filesystem::remove(beside, error);
  UniqueFd fd(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!fd) return Fault(system_error("cannot write " + beside));
  auto written = write_all(fd.get(), bytes);
  if (written) {
    std::filesystem::rename(beside, path, error);
    if (error) written = Fault("cannot rename " + beside + ": " + error.message());
  }
  if (!written) std::filesystem::remove(beside, error);
  return written;
}

}  // namespace chatd
