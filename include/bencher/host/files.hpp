#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bencher/base/result.hpp"

namespace bencher::host {

/// Where a machine's settings are read and written: files of /proc and /sys.
class Files {
 public:
  virtual ~Files() = default;
  /// What the file holds, at most 64 KiB. Errors: `not_found`; `unavailable` with the system's reason.
  virtual Result<std::string> read(const std::string& path) const = 0;
  /// Writes it in one piece; the file must be there. Errors as of `read`.
  virtual Result<void> write(const std::string& path, std::string_view text) = 0;
  /// Names in a folder, sorted; none without the folder.
  virtual std::vector<std::string> list(const std::string& folder) const = 0;
  /// Writes bytes and keeps the file open: the setting ends with the object, or with this process.
  class Held {
   public:
    virtual ~Held() = default;
  };
  virtual Result<std::unique_ptr<Held>> hold(const std::string& path, std::string_view bytes) = 0;
};

/// The files below `root`: of this machine, or of a folder that looks like one.
std::unique_ptr<Files> system_files(std::string root = {});

}  // namespace bencher::host
