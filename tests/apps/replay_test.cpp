#include "tests/support/replay.hpp"

#include <doctest/doctest.h>

using namespace bencher::test;

namespace {

// The tokens and the secret that the reference's own smoke test uses.
const std::string fixed_config = R"({"security":{"secret_key":"DO_NOT_USE_THIS_IN_PRODUCTION"}})";
const std::string admin_token =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9."
    "eyJhdWQiOiJhcGlfa2V5IiwiZXhwIjo1OTkzNjQzNjA5LCJpYXQiOjE2OTg2NzYzMTQsImlzcyI6Imh0dHA6Ly9sb2NhbGhvc3Q6MzAwMC8iLCJzdW"
    "IiOiJldXN0YWNlLmJhZ2dlQG5vd2hlcmUuY29tIiwib3JnIjpudWxsfQ.xumYID-R4waqhyjhcbSlwartbiRJ2AwngVkevLUBVCA";
const std::string user_token =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9."
    "eyJhdWQiOiJhcGlfa2V5IiwiZXhwIjo1OTkzNjM2MDI0LCJpYXQiOjE2OTg2Njg3MjksImlzcyI6Imh0dHA6Ly9sb2NhbGhvc3Q6MzAwMC8iLCJzdW"
    "IiOiJtdXJpZWwuYmFnZ2VAbm93aGVyZS5jb20iLCJvcmciOm51bGx9.t3t23mlgKYZmUt7-PbRWLqXlCTt6Ydh8TRE8KiSGQi4";

}  // namespace

TEST_SUITE("apps/replay") {
  TEST_CASE("the recorded exchanges of a fresh server come out the same, one after the other") {
    ServerProcess server(fixed_config);
    auto anyone = server.client();
    Replay all(server);
    all.credential("admin", admin_token);
    all.credential("user", user_token);

    all.replay_all("server_version_get server_root_get server_config_console_get auth_signup_post");
    for (const auto& [name, email] :
         {std::pair("Muriel Bagge", "muriel.bagge@nowhere.com"), std::pair("Courage", "courage@nowhere.com")})
      REQUIRE(anyone.post("/v0/auth/signup", {{"name", name}, {"email", email}, {"i_agree", true}}).status == 202);
    const auto skip = server.process().line_count();
    all.replay("auth_login_post");
    const auto confirmed =
        all.replay("auth_confirm_post", {.credentials = {{"jwt", server.mailed_token("courage@nowhere.com", skip)}}});
    const auto courage = confirmed.str("/token");
    const Replay::Differs by_courage{.credentials = {{"key", courage}}};

    all.replay_all("user_get organizations_get organization_post organization_patch org_members_get");
    all.replay("org_allowed_get", by_courage);
    all.replay("org_project_post");
    // The suffix of a taken slug is random.
    const auto taken = all.replay("org_project_post_slug_taken", {.members = {"/slug"}});
    CHECK(taken.str("/slug").starts_with("the-computer-"));
    CHECK(taken.str("/slug").size() == std::string("the-computer-totxa2ff").size());
    all.learn("the-computer-totxa2ff", taken.str("/slug"));
    all.replay_all(
        "projects_get project_get project_patch proj_allowed_get proj_branch_post proj_testbed_post "
        "proj_measure_post proj_benchmark_post proj_threshold_post");
    const auto project_key = all.replay("proj_key_post").str("/key");
    all.replay_all("proj_keys_get user_key_post user_key_get run_post");
    all.replay("run_post_alert", {.credentials = {{"key", project_key}}});
    all.replay("run_post_anonymous");
    all.replay("org_claim_post", by_courage);
    all.replay("proj_reports_get", {.any_order = true});
    all.replay_all(
        "proj_report_get proj_branch_post_start_point proj_branches_get proj_branch_get "
        "proj_branch_patch proj_testbed_get proj_measures_get proj_benchmarks_get proj_thresholds_get "
        "proj_threshold_get proj_threshold_put proj_threshold_put_null proj_alerts_get proj_alert_patch "
        "proj_metric_get proj_perf_get proj_jobs_get specs_post proj_testbed_patch runners_post "
        "runner_specs_post runner_get runner_key_post");
    // Deleting a project has no endpoint yet.
    all.replay("options", {.headers = {"access-control-allow-methods"}});
    all.replay_all(
        "error_400_no_credential error_400_bad_json error_400_content_type error_400_per_page "
        "error_400_unknown_field error_400_model error_400_results error_401_anonymous_write "
        "error_401_run_claimed error_402_private error_404_unknown_project error_404_unknown_path "
        "error_405 error_409_duplicate_name");
    all.replay("error_400_bad_signature",
               {.credentials = {{"key", user_token.substr(0, user_token.size() - 1) + "A"}}});
    all.replay("error_401_malformed_credential", {.credentials = {{"key", "garbage"}}});
    all.replay("error_401_unknown_key", {.credentials = {{"key", "bencher_user_" + std::string(30, 'a')}}});
    all.replay_all("error_403_foreign_project error_403_not_admin error_404_foreign_organization", by_courage);
    all.replay("proj_report_delete");
    // Not replayed, since their endpoints come later: invitations, usage, single sign-on, plots, statistics, tokens,
    // and the deletion of projects and branches.
  }

  TEST_CASE("the recorded runs, reports and alerts of one project come out the same") {
    ServerProcess server(fixed_config);
    auto anyone = server.client();
    for (const auto& [name, email] : {std::pair("Eustace Bagge", "eustace.bagge@nowhere.com"),
                                      std::pair("Muriel Bagge", "muriel.bagge@nowhere.com")})
      REQUIRE(anyone.post("/v0/auth/signup", {{"name", name}, {"email", email}, {"i_agree", true}}).status == 202);
    auto muriel = server.client(user_token);
    Replay all(server);
    all.credential("admin", admin_token);
    all.credential("user", user_token);
    // These recordings keep some headers only.
    all.ignore_header("access-control-allow-headers");
    all.ignore_header("access-control-allow-methods");
    // Where the reference keeps an empty report of a run that failed, ours keeps nothing: this takes its place.
    const auto empty_run = [&] {
      json::object body{{"project", "user-fly"},
                        {"branch", "main"},
                        {"start_time", "2026-11-01T10:00:00Z"},
                        {"end_time", "2026-11-01T10:00:05Z"},
                        {"results", json::array()}};
      REQUIRE(muriel.post("/v0/run", body).status == 201);
    };

    all.replay_all(
        "run_on_the_fly_anon run_on_the_fly_anon_again run_on_the_fly_anon_minimal "
        "run_on_the_fly_anon_named run_no_project_no_context run_unknown_slug_no_context "
        "run_unknown_uuid run_on_the_fly_user run_on_the_fly_user_second run_user_claims_unclaimed "
        "run_anon_claimed_project run_anon_existing_claimed_org run_minimal");
    const auto key = World::must(muriel.post("/v0/projects/user-fly/keys", {{"name", "ci"}}), 201).str("/key");
    const Replay::Differs by_key{.credentials = {{"project key", key}}};
    all.replay_all("run_project_key run_project_key_other_project run_project_key_unknown_project", by_key);
    all.replay("run_bad_key", {.credentials = {{"project key", "bencher_run_" + std::string(30, 'z')}}});
    all.replay_all(
        "run_malformed_bearer run_admin_foreign_project run_idempotency_first run_idempotency_second "
        "run_parse_failure");
    empty_run();
    all.replay_all(
        "run_empty_results run_bad_body run_missing_results run_not_json run_wrong_content_type "
        "run_several_results run_fold_min run_fold_max");
    // Its mean divides by all strings, ours by those that have the benchmark.
    all.replay("run_fold_mean",
               {.members = {"/results/0/1/measures/0/metric/value", "/results/0/1/measures/0/metric/lower_value",
                            "/results/0/1/measures/0/metric/upper_value"}});
    all.replay_all(
        "run_fold_median run_thresholds_create run_thresholds_same_alert run_thresholds_changed report_alerts_list "
        "report_alert_get report_alert_dismiss report_alert_silence report_alerts_status run_thresholds_reset");
    all.replay("run_thresholds_reset_list", {.any_order = true});
    all.replay("run_thresholds_bad_model");
    empty_run();
    all.replay_all(
        "run_thresholds_no_boundary run_start_point_clone run_start_point_unknown run_start_point_reset "
        "run_ignored_benchmark run_new_measure");
    // All start at the same time: which of them a page holds depended on the second in which they were made.
    for (const auto* name : {"report_list", "report_list_expand"}) {
      const auto list = all.replay(name, {.members = {"/0", "/1"}});
      for (const auto& report : list.body.as_array())
        CHECK(report.as_object().contains("results") == (std::string(name) == "report_list_expand"));
    }
    all.replay_all(
        "report_get report_get_unknown report_post report_post_anon report_post_missing_branch "
        "report_post_unknown_branch_uuid report_delete_anon report_delete report_delete_again");
  }

  TEST_CASE("the recorded exchanges with the registry and its token endpoint come out the same") {
    ServerProcess server(fixed_config);
    auto anyone = server.client();
    for (const auto& [name, email] : {std::pair("Eustace Bagge", "eustace.bagge@nowhere.com"),
                                      std::pair("Muriel Bagge", "muriel.bagge@nowhere.com")})
      REQUIRE(anyone.post("/v0/auth/signup", {{"name", name}, {"email", email}, {"i_agree", true}}).status == 202);
    auto third = server.client(server.sign_up("Third", "third@nowhere.com"));
    const auto third_key = World::must(third.post("/v0/users/third/keys", {{"name", "x"}}), 201).str("/key");
    auto muriel = server.client(user_token);
    for (const auto* name : {"job", "other"})
      World::must(muriel.post("/v0/organizations/muriel-bagge/projects", {{"name", name}}), 201);
    Replay all(server);
    all.credential("admin", admin_token);
    all.credential("user", user_token);
    all.credential("user key",
                   World::must(muriel.post("/v0/users/muriel-bagge/keys", {{"name", "x"}}), 201).str("/key"));
    all.credential("project key", World::must(muriel.post("/v0/projects/job/keys", {{"name", "x"}}), 201).str("/key"));
    all.learn("localhost:6610", server.registry());
    all.oci_errors();
    // Ours come with errors, too; and every answer of the registry names its version.
    all.ignore_header("access-control-allow-origin");
    all.ignore_header("docker-distribution-api-version");
    // The peer's have a fraction and an offset.
    const Replay::Differs token{.members = {"/issued_at"}};

    all.replay_all(
        "oci_token_admin_pull oci_token_anon_claimed_pull oci_token_anon_claimed_push oci_token_anon_missing_pull "
        "oci_token_anon_missing_push oci_token_anon_missing_uuid oci_token_anon_none oci_token_bearer_jwt "
        "oci_token_post_password oci_token_project_key_push oci_token_two_component oci_token_user_key_push "
        "oci_token_user_missing_slug_push oci_token_user_no_scope oci_token_user_push oci_token_user_two_scopes "
        "oci_token_wrong_service",
        token);
    all.replay_all(
        "oci_token_bad_password oci_token_post_bad oci_token_project_key_other oci_token_project_key_pull "
        "oci_token_project_key_wrong_name oci_token_unknown_user oci_token_user_pull");
    all.replay("oci_token_foreign_user_push", {.credentials = {{"jwt", third_key}}});

    const auto with = [&](const std::string& who, const std::string& scope) {
      ApiClient::Options options;
      if (!who.empty()) options.headers = {{"Authorization", "Basic " + base64(who)}};
      const auto path = "/v0/auth/oci/token?service=localhost&scope=repository:" + scope;
      return Replay::Differs{
          .credentials = {{"jwt", World::must(anyone.send("GET", path, "", options), 200).str("/token")}}};
    };
    const auto as_muriel = "muriel.bagge@nowhere.com:" + user_token;
    const auto push = with(as_muriel, "job:pull,push");
    all.replay_all(
        "oci_base_anon oci_base_bearer_bad oci_base_with_api_token oci_base_with_basic oci_upload_anon "
        "oci_blob_get_public_anon oci_manifest_anon oci_missing_project_anon");
    all.replay_all(
        "oci_base_with_token oci_upload_start oci_upload_status oci_upload_chunk_1 oci_upload_status_after_chunk "
        "oci_upload_chunk_out_of_order oci_upload_chunk_2 oci_upload_complete oci_upload_status_gone "
        "oci_upload_monolithic oci_upload_monolithic_bad_digest oci_upload_monolithic_malformed_digest "
        "oci_upload_unknown_session oci_blob_head oci_blob_get oci_blob_head_x oci_blob_bad_digest "
        "oci_manifest_get_missing oci_manifest_put_garbage oci_manifest_delete_unknown oci_referrers_none "
        "oci_wrong_repository oci_blob_delete oci_blob_delete_again oci_blob_get_missing oci_blob_head_missing",
        push);
    all.replay("oci_push_with_pull_token", with("eustace.bagge@nowhere.com:" + admin_token, "job:pull"));
    all.replay_all("oci_anon_token_on_claimed_pull oci_anon_token_on_claimed_push", with("", "job:pull,push"));
    all.replay_all("oci_anon_token_missing_pull oci_anon_token_creates_project", with("", "anon-oci:pull,push"));
    all.replay("oci_user_token_claims_project", with(as_muriel, "anon-oci:pull,push"));
    all.replay("oci_user_token_creates_project", with(as_muriel, "user-oci:pull,push"));
    all.replay("oci_user_token_missing_uuid", with(as_muriel, "b3179ca3-72bd-4bfa-a6ef-bc6fe3c446b6:pull,push"));
    all.replay_all("oci_anon_put_monolithic oci_anon_pull_unclaimed", with("", "anon-a:pull,push"));
    // Not the same on purpose: ranges of blobs, mounting and POST with a digest are done as the specification says.
  }

  TEST_CASE("the recorded runs of images come out the same: specs, references and testbeds") {
    ServerProcess server(fixed_config);
    auto anyone = server.client();
    for (const auto& [name, email] : {std::pair("Eustace Bagge", "eustace.bagge@nowhere.com"),
                                      std::pair("Muriel Bagge", "muriel.bagge@nowhere.com")})
      REQUIRE(anyone.post("/v0/auth/signup", {{"name", name}, {"email", email}, {"i_agree", true}}).status == 202);
    auto admin = server.client(admin_token);
    auto muriel = server.client(user_token);
    World::must(muriel.post("/v0/organizations/muriel-bagge/projects", {{"name", "job"}}), 201);

    // An image without layers: none of these jobs is run.
    ApiClient::Options options;
    options.headers = {{"Authorization", "Basic " + base64("muriel.bagge@nowhere.com:" + user_token)}};
    const auto token =
        World::must(anyone.send("GET", "/v0/auth/oci/token?scope=repository:job:pull,push", "", options), 200)
            .str("/token");
    options = {.token = token, .content_type = "application/octet-stream", .headers = {}};
    const std::string config = R"({"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}})";
    const auto digest = bencher::Digest::of(config);
    World::must(anyone.send("POST", "/v2/job/blobs/uploads/?digest=" + digest.str(), config, options), 201);
    options.content_type = "application/vnd.oci.image.manifest.v1+json";
    World::must(anyone.send("PUT", "/v2/job/manifests/v1",
                            R"({"schemaVersion":2,"config":)" +
                                Layout::descriptor("application/vnd.oci.image.config.v1+json", digest, config.size()) +
                                R"(,"layers":[]})",
                            options),
                201);

    Replay all(server);
    all.credential("admin", admin_token);
    all.credential("user", user_token);
    all.learn("localhost:6610", server.registry());
    all.ignore_header("access-control-allow-headers");
    all.ignore_header("access-control-allow-methods");
    all.replay("run_job_no_spec");
    for (const auto* name : {"Small", "Other", "Arch"})
      World::must(admin.post("/v0/specs", {{"name", name},
                                           {"os", "linux"},
                                           {"architecture", "x86_64"},
                                           {"cpu", 1},
                                           {"memory", 536870912},
                                           {"disk", 1073741824}}),
                  201);
    World::must(admin.patch("/v0/specs/arch", {{"archived", true}}), 200);
    all.replay_all(
        "run_job_unknown_spec run_job_bad_digest run_job_empty_image run_job_external_registry run_job_image_null "
        "run_job_timeout_zero run_job_too_many_cmd run_job_unknown_tag run_job_archived_spec "
        "run_job_project_from_unknown_image run_job_project_from_unknown_image_context run_job_testbed_without_spec");
    all.replay_all(
        "run_job_unknown_digest run_job_docker_hub_name run_job_other_project_image run_job_two_component_image "
        "run_job_explicit_spec");
    // Runs that were not recorded.
    for (int i = 0; i < 14; ++i) {
      json::object body{{"project", "job"},
                        {"branch", "main"},
                        {"start_time", "2026-11-01T10:00:00Z"},
                        {"end_time", "2026-11-01T10:00:05Z"},
                        {"results", json::array()}};
      World::must(muriel.post("/v0/run", body), 201);
    }
    World::must(admin.patch("/v0/specs/other", {{"fallback", true}}), 200);
    all.replay_all(
        "run_job_fallback run_job_fallback_explicit_testbed run_job_testbed_spec_wins "
        "run_job_explicit_spec_changes_testbed run_job_testbed_spec_before_fallback run_job_spec_reset_with_job "
        "run_job_own_registry run_job_own_registry_no_port run_job_project_from_image run_job_library_image "
        "run_job_with_results run_job_iter_zero run_job_digest run_job_idempotency_first run_job_idempotency_second "
        "run_spec_reset_local");
  }
}
