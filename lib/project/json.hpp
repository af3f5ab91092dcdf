// The wire form of a project and its dimensions.
#pragma once

#include "bencher/project/branch.hpp"
#include "bencher/project/dimension.hpp"
#include "bencher/project/organization.hpp"
#include "bencher/project/project.hpp"
#include "bencher/project/testbed.hpp"

#include "lib/json/json.hpp"
#include "lib/spec/json.hpp"

namespace bencher {

BOOST_DESCRIBE_ENUM(Visibility, public_, private_)
BOOST_DESCRIBE_STRUCT(Organization, (), (uuid, name, slug, license, created, modified, claimed))
BOOST_DESCRIBE_STRUCT(Project, (), (uuid, organization, name, slug, url, visibility, created, modified, claimed))
BOOST_DESCRIBE_STRUCT(Version, (), (number, hash))
BOOST_DESCRIBE_STRUCT(StartPoint, (), (branch, head, version))
BOOST_DESCRIBE_STRUCT(Head, (), (uuid, start_point, version, created, replaced))
BOOST_DESCRIBE_STRUCT(Branch, (), (uuid, project, name, slug, head, created, modified, archived))
BOOST_DESCRIBE_STRUCT(Testbed, (), (uuid, project, name, slug, spec, created, modified, archived))
BOOST_DESCRIBE_STRUCT(Benchmark, (), (uuid, project, name, slug, created, modified, archived))
BOOST_DESCRIBE_STRUCT(Measure, (), (uuid, project, name, slug, units, created, modified, archived))

}  // namespace bencher
