// Runs each shard on a thread of its own. With several, each thread is pinned to one of the
// process's processors, so that a shard's members stay in that processor's cache and two shards do
// not share one while another is idle. A single shard is left to the scheduler: there is nothing to
// keep apart, and it may have to make way for other programs.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <tl/expected.hpp>

namespace chatd {

// `shards` are what each thread runs. `begin` is called here when each has its thread and none runs
// yet: an error ends them all. Then they run, and `attend` is called with `stop_fd`, the eventfd
// that tells them to stop; when it returns they are told. It must return when `stop_fd` becomes
// readable: then one of them has thrown, and the error is the reason. Signals must be blocked
// already: threads inherit that.
tl::expected<void, std::string> run_shards(
    std::span<const std::function<void()>> shards, int stop_fd,
    const std::function<tl::expected<void, std::string>()>& begin,
    const std::function<void(int)>& attend);

}  // namespace chatd
