#include "tests/server/claim_world.hpp"

using namespace bencher;
using namespace bencher::test;

TEST_SUITE("server/claim") {
  TEST_CASE("no statement that the server runs when a runner asks for a job scans a table") {
    ClaimWorld w;
    const auto first = w.submit_job();
    const auto second = w.submit_job();
    // Somebody watches where the second job stands, so that the claim tells them.
    w.network.on_network([&] { return w.hub.log(second)->watchers = 1; });
    w.watch.log.take();

    HttpClient client(w.network.port());
    w.send_claim(client);
    const auto claimed = client.read_reply();
    REQUIRE_MESSAGE(claimed.status == 200, claimed.body);
    CHECK(claimed.body.find(first.str()) != std::string::npos);

    // The second one is held back while the first one runs: there is none to get, and the runner waits.
    w.send_claim(client);
    while (w.network.on_network([&] { return w.hub.waiting(); }) == 0) {
    }
    w.stop_waiting();
    CHECK(client.read_reply().body == "null");
    w.db.stop();

    const auto plans = plans_of(w.store.c, w.watch.log.take());
    CAPTURE(describe(plans));
    CHECK(faults(plans) == "");
    CHECK(any_has(plans, "SEARCH runner USING INDEX sqlite_autoindex_runner_2 (slug=?)"));
    CHECK(any_has(plans, "SEARCH job USING INDEX index_job_pending (status=?)"));
    CHECK(any_has(plans, "SEARCH other USING INDEX index_job_organization_in_flight (organization_id=?)"));
    CHECK(any_has(plans, "SEARCH other USING INDEX index_job_source_ip_in_flight (source_ip=?)"));
    CHECK(any_has(plans, "SEARCH job USING INTEGER PRIMARY KEY (rowid=?)"));
    CHECK(any_has(plans, "SEARCH job USING COVERING INDEX index_job_pending (status=? AND priority>?)"));
  }
}
