// The recorded inputs of the fuzz targets as ordinary tests: the corpus (inputs that between them
// reach all that fuzzing has reached) and the regressions (inputs that once broke a promise). So
// they run in every build, with both compilers and under every sanitizer.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/targets.h"

namespace chatd::fuzz {
namespace {

namespace fs = std::filesystem;

struct Target {
  const char* name;
  void (*run)(std::string_view input);
};
void PrintTo(const Target& target, std::ostream* out) {
  *out << target.name;
}

constexpr Target kTargets[] = {{"address", fuzz_address},
                               {"response", fuzz_response},
                               {"config_file", fuzz_config_file},
                               {"member_session", fuzz_member_session},
                               {"datagram", fuzz_datagram},
                               {"event", fuzz_event},
                               {"frame", fuzz_frame},
                               {"frames_v2", fuzz_frames_v2},
                               {"handover", fuzz_handover},
                               {"identity", fuzz_identity},
                               {"join_request", fuzz_join_request},
                               {"log_session", fuzz_log_session},
                               {"payload", fuzz_payload},
                               {"relay", fuzz_relay},
                               {"sealed_frames", fuzz_sealed_frames},
                               {"tls", fuzz_tls}};

std::vector<fs::path> files_in(const fs::path& directory) {
  std::vector<fs::path> files;
  if (!fs::exists(directory)) return files;
  for (const auto& entry : fs::directory_iterator(directory)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

// Exactly as long as the file, so that the address sanitizer sees one byte too many.
std::vector<char> content_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  EXPECT_TRUE(in) << file;
  std::vector<char> bytes((std::istreambuf_iterator<char>(in)), {});
  bytes.shrink_to_fit();
  return bytes;
}

class Fuzz : public testing::TestWithParam<Target> {
 protected:
  static std::vector<fs::path> recorded(const char* kind) {
    return files_in(fs::path(CHATD_FUZZ_DIRECTORY) / kind / GetParam().name);
  }

  static void replay(const fs::path& file) {
    SCOPED_TRACE(file);
    // The last word, should a sanitizer end the program.
    RecordProperty("input", file.string());
    const std::vector<char> bytes = content_of(file);
    try {
      GetParam().run({bytes.data(), bytes.size()});
    } catch (const test::PromiseBroken& broken) {
      ADD_FAILURE() << "broken: " << broken.what();
    }
  }
};

TEST_P(Fuzz, CorpusKeepsItsPromises) {
  const std::vector<fs::path> files = recorded("corpus");
  EXPECT_FALSE(files.empty());
  for (const fs::path& file : files) replay(file);
}

TEST_P(Fuzz, RegressionsStayMended) {
  for (const fs::path& file : recorded("regressions")) replay(file);
}

// Of nothing, and of a long run of each byte.
TEST_P(Fuzz, PlainInputsKeepPromises) {
  GetParam().run("");
  for (int byte = 0; byte < 256; ++byte) {
    SCOPED_TRACE(byte);
    EXPECT_NO_THROW(GetParam().run(std::string(300, static_cast<char>(byte))));
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, Fuzz, testing::ValuesIn(kTargets),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace chatd::fuzz
