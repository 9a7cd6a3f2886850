// Who lost what the ledger misses.
//
// The counters that can be read count different things: chatbench's refused sends and the server's
// full socket lose messages, and with each all its deliveries; chatbench's full sockets lose single
// deliveries, or whole trains with UDP_GRO. So each explains as much of the loss as it can, the
// surest first, and what is left is nobody's until a counter says otherwise.
#pragma once

#include <cstdint>
#include <optional>

#include "bench/chatbench/report/run_result.h"

namespace chatd::bench {

struct LossEvidence {
  std::uint64_t lost = 0;                            // deliveries
  std::uint64_t unheard = 0;                         // messages of which no delivery came
  std::uint64_t deliveries_per_message = 1;          // members of a room - 1
  std::uint64_t unsent = 0;                          // messages that our kernel refused
  std::uint64_t own_receive_drops = 0;               // datagrams or trains
  bool in_trains = false;                            // our sockets receive trains
  std::optional<std::uint64_t> server_socket_drops;  // messages, in front of the server
};

LossByCause attribute_loss(const LossEvidence& evidence);

}  // namespace chatd::bench
