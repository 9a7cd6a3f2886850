// Token buckets for more sources than could ever be remembered: a table of fixed size, with each
// source's bucket under a keyed hash. Nothing is allocated for a source, so that nobody can fill
// memory with invented ones; nothing is thrown out, so that nobody can make it forget. Two sources
// that share a bucket share what is in it. Without the key nobody can choose with whom.
// Thread: one at a time.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "core/base/ip_address.h"
#include "core/base/keyed_hash.h"
#include "core/ratelimit/token_bucket.h"

namespace chatd {

class HashedBuckets {
 public:
  HashedBuckets(std::size_t size, const KeyedHash::Key& hash_key)
      : hash_(hash_key), buckets_(size) {}

  TokenBucket& operator[](std::string_view source) {
    return buckets_[hash_(source) % buckets_.size()];
  }
  TokenBucket& operator[](const IpAddress& ip) { return (*this)[ip.key()]; }

 private:
  KeyedHash hash_;
  std::vector<TokenBucket> buckets_;
};

}  // namespace chatd
