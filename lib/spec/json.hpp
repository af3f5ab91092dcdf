// The wire form of specs.
#pragma once

#include "bencher/spec/spec.hpp"

#include "lib/json/json.hpp"

namespace bencher {

BOOST_DESCRIBE_ENUM(OperatingSystem, linux_, macos, windows)
BOOST_DESCRIBE_ENUM(Architecture, x86_64, aarch64)
BOOST_DESCRIBE_ENUM(SandboxKind, firecracker)
BOOST_DESCRIBE_STRUCT(Spec, (),
                      (uuid, name, slug, os, architecture, sandbox, cpu, memory, disk, network, fallback, default_,
                       created, modified, archived))

}  // namespace bencher
