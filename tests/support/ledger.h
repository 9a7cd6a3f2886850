// The books of a chatd that has stopped (core/stats/counters.h), as far as they close by
// themselves.
#pragma once

#include <gtest/gtest.h>

#include "tests/support/chatd_server.h"

namespace chatd::test {

// A datagram of protocol v2 holds any number of messages; what its members get is the log's
// business.
inline void expect_closed_ledger(const Counters& counters) {
  EXPECT_EQ(counters["datagrams_received"],
            counters["heartbeats"] + counters["messages_accepted"] - counters["messages_sealed"] +
                counters["leaves"] + counters["sealed_datagrams"] + counters.sum_of("dropped_") -
                counters.sum_of("dropped_send_") - counters["dropped_pending_member"] -
                counters["dropped_queue_full"] - counters["dropped_over_limit"] -
                counters["dropped_other_protocol"])
      << counters.to_string();
  EXPECT_EQ(counters["deliveries_planned"] - counters["deliveries_logged"],
            counters["deliveries_sent"] + counters["dropped_queue_full"] +
                counters.sum_of("dropped_send_"))
      << counters.to_string();
}

}  // namespace chatd::test
