// Uses something of each installed library: reads results, names the sandboxes, and makes a client.
#include <bencher/adapter/adapter.hpp>
#include <bencher/client/http.hpp>
#include <bencher/sandbox/sandbox.hpp>
#include <bencher/storage/store.hpp>
#include <cstdio>

int main() {
  const auto parsed = bencher::parse(bencher::AdapterKind::json, R"({"b":{"latency":{"value":1.5}}})");
  if (!parsed || parsed->results[0].measures[0].metric.value != 1.5) return 1;
  const auto store = bencher::Store::open(":memory:");
  if (!store) return 2;
  bencher::client::HttpClient client;
  const auto refused = client.send({.url = "not a url"});
  if (refused) return 3;
  const auto names = bencher::sandbox::names();
  if (names.empty()) return 4;
  std::printf("installed package: ok\n");
  return 0;
}
