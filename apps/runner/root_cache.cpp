#include "apps/runner/root_cache.hpp"

#include <fstream>
#include <sstream>

#include <boost/json.hpp>

namespace bencher::runner {

namespace json = boost::json;
namespace fs = std::filesystem;

namespace {

constexpr const char* config_file = "config.json";
constexpr const char* bytes_file = "bytes";

json::array texts(const std::vector<std::string>& from) {
  json::array out;
  for (const auto& text : from)
    out.emplace_back(text);
  return out;
}

/// As an image has it, so that it is read the same way.
std::string print(const ImageConfig& config) {
  json::array layers;
  for (const auto& digest : config.diff_ids)
    layers.emplace_back(digest.str());
  return json::serialize(json::object{{"os", config.os},
                                      {"architecture", config.architecture},
                                      {"config",
                                       {{"User", config.user},
                                        {"WorkingDir", config.working_dir},
                                        {"Entrypoint", texts(config.entrypoint)},
                                        {"Cmd", texts(config.cmd)},
                                        {"Env", texts(config.env)}}},
                                      {"rootfs", {{"type", "layers"}, {"diff_ids", std::move(layers)}}}});
}

Result<void> write_text(const fs::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  if (!out) return Error(Errc::unavailable, "cannot write '" + path.string() + "'");
  return {};
}

/// Bytes of all files, as an unpacking counts them.
std::uint64_t file_bytes(const fs::path& root) {
  std::uint64_t total = 0;
  std::error_code error, ignored;
  for (auto it = fs::recursive_directory_iterator(root, fs::directory_options::skip_permission_denied, error);
       !error && it != fs::recursive_directory_iterator(); it.increment(error))
    if (it->is_regular_file(ignored) && !it->is_symlink(ignored)) total += it->file_size(ignored);
  return total;
}

}  // namespace

Result<HeldImage> hold_image(sandbox::ImageCache& cache, const std::string& owner, ImageSource& source,
                             const Digest& digest, const PullOptions& options) {
  const auto build = [&](const fs::path& folder) -> Result<void> {
    std::error_code error;
    if (!fs::create_directory(folder, error))
      return Error(Errc::unavailable, "cannot make '" + folder.string() + "': " + error.message());
    BENCHER_TRY(const auto config, pull(source, digest, folder / "root", options));
    BENCHER_DO(write_text(folder / bytes_file, std::to_string(file_bytes(folder / "root"))));
    return write_text(folder / config_file, print(config));
  };
  const auto name = "image1-" + Digest::of(owner + "\n" + digest.str()).str().substr(7, 40);
  BENCHER_TRY(auto hold, cache.get_folder(name, build, options.cancelled));
  const auto folder = cache.folder() / name;
  std::ifstream in(folder / config_file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  auto config = parse_image_config(text.str());
  if (!config) return Error(Errc::unavailable, "the cache's '" + folder.string() + "' is damaged; remove it");
  std::uint64_t bytes = 0;
  std::ifstream(folder / bytes_file) >> bytes;
  if (bytes > options.limits.bytes)
    return Error(Errc::too_large, "the image's files are over the limit of " + std::to_string(options.limits.bytes) +
                                      " bytes; give the spec a larger disk");
  return HeldImage{digest, *std::move(config), folder / "root", std::move(hold)};
}

}  // namespace bencher::runner
