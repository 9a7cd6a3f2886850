// The CPU quota of a control group, as files that a kernel would show.
#include "server/os/processors.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "tests/unit/server/config/config_kit.h"

namespace chatd {
namespace {

namespace fs = std::filesystem;

class CpuQuota : public testing::Test {
 protected:
  CpuQuota() : root_(testing::TempDir() + "chatd-cgroup-XXXXXX") {
    EXPECT_NE(::mkdtemp(root_.data()), nullptr);
  }
  ~CpuQuota() override {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }

  void write(const std::string& path, const std::string& text) const {
    const fs::path file = fs::path(root_) / path;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  void mount_version_2(const std::string& mount_root, const std::string& group) const {
    write("proc/self/mountinfo",
          "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
          "30 22 0:26 " +
              mount_root + " /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
    write("proc/self/cgroup", "0::" + group + "\n");
  }
  void mount_version_1(const std::string& mount_root, const std::string& group) const {
    write("proc/self/mountinfo",
          "31 22 0:27 " + mount_root +
              " /sys/fs/cgroup/memory rw shared:5 - cgroup cgroup rw,memory\n"
              "32 22 0:28 " +
              mount_root +
              " /sys/fs/cgroup/cpu,cpuacct rw shared:6 - cgroup cgroup rw,cpu,cpuacct\n");
    write("proc/self/cgroup", "5:memory:" + group + "\n4:cpu,cpuacct:" + group + "\n");
  }
  std::optional<double> quota() const { return cpu_quota(root_); }

 private:
  std::string root_;
};

TEST_F(CpuQuota, NobodySays) {
  EXPECT_EQ(quota(), std::nullopt);
}

TEST_F(CpuQuota, OfTheSmallestGroupOnTheWayUp) {
  mount_version_2("/", "/system.slice/chatd.service");
  write("sys/fs/cgroup/system.slice/chatd.service/cpu.max", "max 100000\n");
  EXPECT_EQ(quota(), std::nullopt);
  write("sys/fs/cgroup/system.slice/cpu.max", "250000 100000\n");
  EXPECT_EQ(quota(), 2.5);
  write("sys/fs/cgroup/system.slice/chatd.service/cpu.max", "30000 20000\n");
  EXPECT_EQ(quota(), 1.5);
}

// In a namespace of its own the group is the root.
TEST_F(CpuQuota, OfAContainer) {
  mount_version_2("/", "/");
  write("sys/fs/cgroup/cpu.max", "50000 100000\n");
  EXPECT_EQ(quota(), 0.5);
}

// Without one, the group is named as outside, and mounted at the root.
TEST_F(CpuQuota, OfAContainerThatSeesItsOuterName) {
  mount_version_2("/docker/abc", "/docker/abc");
  write("sys/fs/cgroup/cpu.max", "300000 100000\n");
  EXPECT_EQ(quota(), 3.0);
}

TEST_F(CpuQuota, OfVersion1) {
  mount_version_1("/", "/docker/abc");
  write("sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us", "-1\n");
  write("sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), std::nullopt);
  write("sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_quota_us", "150000\n");
  write("sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), 1.5);
  mount_version_1("/docker/abc", "/docker/abc");
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "75000\n");
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "50000\n");
  EXPECT_EQ(quota(), 1.5);
}

TEST_F(CpuQuota, OfANestedGroupAndAllAboveIt) {
  mount_version_2("/", "/kubepods/pod/container");
  write("sys/fs/cgroup/kubepods/pod/container/cpu.max", "400000 100000\n");
  write("sys/fs/cgroup/kubepods/pod/cpu.max", "120000 100000\n");
  write("sys/fs/cgroup/kubepods/cpu.max", "700000 100000\n");
  EXPECT_EQ(quota(), 1.2);
  write("sys/fs/cgroup/kubepods/cpu.max", "110000 100000\n");
  EXPECT_EQ(quota(), 1.1);
  write("sys/fs/cgroup/kubepods/pod/container/cpu.max", "100000 100000\n");
  EXPECT_EQ(quota(), 1.0);
}

TEST_F(CpuQuota, OfVersion1ToTheTopOfTheMount) {
  const std::string mount = "sys/fs/cgroup/cpu,cpuacct/";
  const auto limit = [&](const std::string& group, const std::string& quota_us) {
    write(mount + group + "cpu.cfs_quota_us", quota_us + "\n");
    write(mount + group + "cpu.cfs_period_us", "100000\n");
  };
  mount_version_1("/", "/a/b/c");
  limit("a/b/c/", "400000");
  limit("a/b/", "120000");
  limit("a/", "-1");
  EXPECT_EQ(quota(), 1.2);
  // What another group has, and what lies below ours, is not ours.
  limit("a/other/", "1000");
  limit("a/b/c/d/", "1000");
  EXPECT_EQ(quota(), 1.2);
  limit("", "100000");
  EXPECT_EQ(quota(), 1.0);
  // The mount begins at a group above ours.
  mount_version_1("/a", "/a/b");
  limit("", "-1");
  limit("b/", "90000");
  EXPECT_EQ(quota(), 0.9);
}

// As systemd mounts them in its hybrid mode; cpuset is another controller than cpu.
TEST_F(CpuQuota, OfBothVersionsTheSmaller) {
  write("proc/self/mountinfo",
        "31 22 0:27 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
        "32 22 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
        "33 22 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  write("proc/self/cgroup", "3:cpuset:/a\n2:cpuacct:/b\n1:cpu:/c\n0::/d\n");
  write("sys/fs/cgroup/unified/d/cpu.max", "300000 100000\n");
  EXPECT_EQ(quota(), 3.0);
  write("sys/fs/cgroup/cpu/c/cpu.cfs_quota_us", "200000\n");
  write("sys/fs/cgroup/cpu/c/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), 2.0);
  write("sys/fs/cgroup/unified/d/cpu.max", "100000 100000\n");
  EXPECT_EQ(quota(), 1.0);
}

TEST_F(CpuQuota, NonsenseIsNone) {
  mount_version_2("/", "/a");
  for (const char* text : {"", "max", "100000", "x 100000", "100000 0", "-5 100000", "0 0"}) {
    write("sys/fs/cgroup/a/cpu.max", text);
    EXPECT_EQ(quota(), std::nullopt) << text;
  }
}

TEST(ThreadsFor, AreAsManyAsTheQuotaRoundedUp) {
  EXPECT_EQ(threads_for(8, std::nullopt), 8U);
  EXPECT_EQ(threads_for(8, 1.0), 1U);
  EXPECT_EQ(threads_for(8, 1.5), 2U);
  EXPECT_EQ(threads_for(8, 0.1), 1U);
  EXPECT_EQ(threads_for(8, 7.2), 8U);
  EXPECT_EQ(threads_for(2, 64.0), 2U);
}

}  // namespace
}  // namespace chatd
