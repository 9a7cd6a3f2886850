// How each counter is called in Prometheus: one table, in which every counter stands once (a test
// holds that). Counters that tell the reasons of one thing are one metric with a label, so that a
// dashboard shows a new reason without being told. Thread: any.
#pragma once

#include <span>
#include <string_view>

#include "core/relay/counters.h"

namespace chatd {

struct CounterMetric {
  Counter counter;
  std::string_view metric;  // rows of one metric stand together
  std::string_view label;   // the label's name; empty: there is only one counter
  std::string_view value;
  std::string_view help;  // in the first row of a metric
};

std::span<const CounterMetric> counter_metrics();

inline constexpr std::string_view kDatagramsDropped = "chatd_datagrams_dropped_total";
inline constexpr std::string_view kDeliveriesDropped = "chatd_deliveries_dropped_total";

}  // namespace chatd
