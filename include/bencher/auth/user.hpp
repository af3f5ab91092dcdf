#pragma once

#include <optional>
#include <string>

#include "bencher/base/timestamp.hpp"
#include "bencher/base/uuid.hpp"
#include "bencher/project/organization.hpp"
#include "bencher/project/project.hpp"

namespace bencher {

struct User {
  Uuid<User> uuid;
  std::string name;
  std::string slug;
  std::string email;
  bool admin = false;
  bool locked = false;
  Timestamp created;

  bool operator==(const User&) const = default;
};

struct UserKey {
  Uuid<UserKey> uuid;
  Uuid<User> user;
  std::string name;
  Timestamp creation;
  Timestamp expiration;
  std::optional<Timestamp> revoked;
};

struct ProjectKey {
  Uuid<ProjectKey> uuid;
  Uuid<Project> project;
  std::optional<Uuid<User>> creator;
  std::string name;
  Timestamp creation;
  Timestamp expiration;
  std::optional<Timestamp> revoked;
};

struct Member {
  Uuid<User> uuid;
  std::string name;
  std::string slug;
  std::string email;
  std::string role;
  Timestamp created;
  Timestamp modified;
};

/// What can be done to an organization or a project.
enum class Permission { view, create, edit, delete_, manage, view_role, create_role, edit_role, delete_role };

}  // namespace bencher
