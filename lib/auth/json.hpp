// The wire form of accounts.
#pragma once

#include "bencher/auth/user.hpp"

#include "lib/json/json.hpp"

namespace bencher {

BOOST_DESCRIBE_STRUCT(User, (), (uuid, name, slug, email, admin, locked, created))
BOOST_DESCRIBE_STRUCT(Member, (), (uuid, name, slug, email, role, created, modified))
BOOST_DESCRIBE_ENUM(Permission, view, create, edit, delete_, manage, view_role, create_role, edit_role, delete_role)

}  // namespace bencher
