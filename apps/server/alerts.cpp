// Alerts.
#include "apps/server/api.hpp"
#include "lib/report/json.hpp"

namespace bencher::server {
namespace {

enum class AlertOrder { modified, created };
BOOST_DESCRIBE_ENUM(AlertOrder, modified, created)
/// What an alert can be set to; `silenced` is set by a new head only.
enum class NewAlertStatus { active, dismissed };
BOOST_DESCRIBE_ENUM(NewAlertStatus, active, dismissed)
struct AlertsQuery : PageQuery {
  std::optional<AlertOrder> sort;
  std::optional<bool> archived;
  std::optional<AlertStatus> status;
};
BOOST_DESCRIBE_STRUCT(AlertsQuery, (PageQuery), (sort, archived, status))
struct AlertPath {
  ResourceId project;
  AnyUuid alert;
};
BOOST_DESCRIBE_STRUCT(AlertPath, (), (project, alert))
struct UpdateAlert {
  std::optional<NewAlertStatus> status;
};
BOOST_DESCRIBE_STRUCT(UpdateAlert, (), (status))

Result<Listed<Alert>> list_alerts(Call& call, const Path<ProjectPath>& path, const Query<AlertsQuery>& query) {
  BENCHER_TRY(const auto project, viewable_project(call, path.value.project));
  const auto& q = query.value;
  const auto sort = q.sort == AlertOrder::created ? st::AlertSort::created : st::AlertSort::modified;
  auto page = st::list_alerts(call.c, project.id, q.status, q.archived.value_or(false), sort,
                              q.paging(sort == st::AlertSort::modified));
  return Listed<Alert>{std::move(page.items), page.total};
}

Result<Ok<Alert>> view_alert(Call& call, const Path<AlertPath>& path) {
  BENCHER_TRY(const auto project, viewable_project(call, path.value.project));
  auto alert = st::find_alert(call.c, project.id, path.value.alert);
  if (!alert) return not_found("alert", path.value.alert.str());
  return Ok<Alert>{*std::move(alert)};
}

Result<Ok<Alert>> update_alert(Call& call, const Path<AlertPath>& path, const Body<UpdateAlert>& body) {
  BENCHER_TRY(const auto project, editable_project(call, path.value.project));
  if (body.value.status) {
    const auto status = *body.value.status == NewAlertStatus::active ? AlertStatus::active : AlertStatus::dismissed;
    if (!st::set_alert_status(call.c, project.id, path.value.alert, status, call.now()))
      return not_found("alert", path.value.alert.str());
  }
  auto alert = st::find_alert(call.c, project.id, path.value.alert);
  if (!alert) return not_found("alert", path.value.alert.str());
  return Ok<Alert>{*std::move(alert)};
}

constexpr std::array table{
    endpoint<list_alerts>({Verb::get, "/v0/projects/{project}/alerts", Access::public_, "proj_alerts_get",
                           "List the alerts of a project"}),
    endpoint<view_alert>(
        {Verb::get, "/v0/projects/{project}/alerts/{alert}", Access::public_, "proj_alert_get", "View an alert"}),
    endpoint<update_alert>({Verb::patch, "/v0/projects/{project}/alerts/{alert}", Access::public_, "proj_alert_patch",
                            "Dismiss an alert, or make it active again"}),
};

}  // namespace

std::span<const Endpoint> alert_endpoints() {
  return table;
}

}  // namespace bencher::server
