// Who may use the registry: its tokens, and the projects that its repositories are.
#pragma once

#include "apps/server/context.hpp"
#include "apps/server/registry.hpp"

namespace bencher::server {

class ProjectRegistryAccess final : public RegistryAccess {
 public:
  explicit ProjectRegistryAccess(Context& context) : context_(context) {}
  Task<Result<RegistryGrant>> authorize(const http::RequestHead& head, std::string name, bool push,
                                        bool create) override;

 private:
  Context& context_;
};

}  // namespace bencher::server
