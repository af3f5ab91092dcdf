#include "apps/cli/context.hpp"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "bencher/base/encoding.hpp"

#include "apps/cli/child.hpp"

namespace bencher::cli {
namespace {

namespace fs = std::filesystem;

/// The file's text without white space at its end; none if it cannot be read or is absurdly long.
std::optional<std::string> read_text(const fs::path& path, std::size_t most = 4096) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return {};
  std::string text(most + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > most) return {};
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  return text;
}

bool is_commit(std::string_view text) {
  return text.size() == 40 && text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

/// The folder that holds HEAD, for a work tree at `tree`.
std::optional<fs::path> git_folder(const fs::path& tree) {
  std::error_code ignored;
  const auto dot_git = tree / ".git";
  if (fs::is_directory(dot_git, ignored))
    return fs::exists(dot_git / "HEAD", ignored) ? std::optional(dot_git) : std::nullopt;
  if (!fs::is_regular_file(dot_git, ignored)) return {};
  const auto text = read_text(dot_git);
  constexpr std::string_view marker = "gitdir: ";
  if (!text || !text->starts_with(marker)) return {};
  const fs::path there = text->substr(marker.size());
  return there.is_absolute() ? there : tree / there;
}

/// Resolves a reference: its own file, else the packed ones; symbolic references are followed.
std::string resolve(const fs::path& git, const fs::path& common, std::string reference) {
  for (int depth = 0; depth < 8; ++depth) {
    // A reference is a path below the folder, and nothing that leads out of it.
    if (reference.empty() || reference.front() == '/' || reference.find("..") != std::string::npos) return {};
    std::optional<std::string> text = read_text(git / reference);
    if (!text) text = read_text(common / reference);
    if (!text) break;
    if (is_commit(*text)) return *text;
    constexpr std::string_view marker = "ref: ";
    if (!text->starts_with(marker)) return {};
    reference = text->substr(marker.size());
  }
  std::ifstream packed(common / "packed-refs");
  std::string line;
  while (std::getline(packed, line))
    if (line.size() == 41 + reference.size() && line[40] == ' ' &&
        line.compare(41, std::string::npos, reference) == 0 && is_commit(std::string_view(line).substr(0, 40)))
      return line.substr(0, 40);
  return {};
}

/// Asks the git program, if there is one: a walk over all history is its trade.
std::string root_commit(const fs::path& tree, const fs::path& common) {
  std::error_code ignored;
  if (fs::exists(common / "shallow", ignored)) return {};
  ChildOptions options{.argv = {"git", "-C", tree.string(), "rev-list", "--max-parents=0", "HEAD"}, .quiet = true};
  options.without_input = true;
  const auto child = run_child(options);
  if (!child || child->exit_code != 0) return {};
  auto text = child->out;
  text.erase(text.find_last_not_of('\n') + 1);
  const auto last = text.substr(text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1);
  return is_commit(last) ? last : std::string();
}

}  // namespace

std::optional<Repository> find_repository(const std::string& directory) {
  std::error_code failed;
  auto tree = fs::canonical(directory, failed);
  if (failed) return {};
  for (;; tree = tree.parent_path()) {
    const auto git = git_folder(tree);
    if (!git) {
      if (tree == tree.parent_path()) return {};
      continue;
    }
    const auto head = read_text(*git / "HEAD");
    if (!head) return {};
    auto common = *git;
    if (const auto text = read_text(*git / "commondir"); text && !text->empty()) {
      const fs::path there = *text;
      common = there.is_absolute() ? there : *git / there;
    }
    Repository out;
    out.name = tree.filename().empty() ? "root" : tree.filename().string();
    constexpr std::string_view marker = "ref: ";
    if (head->starts_with(marker)) {
      out.reference = head->substr(marker.size());
      out.commit = resolve(*git, common, out.reference);
    } else if (is_commit(*head)) {
      out.commit = *head;
    }
    if (!out.commit.empty()) out.root_commit = root_commit(tree, common);
    return out;
  }
}

std::string fingerprint_of(std::uint64_t high, std::uint64_t low) {
  auto number = high ^ (low + 0x9e3779b97f4a7c15u + (high << 12) + (high >> 4));
  std::string out;
  for (int i = 0; i < 13; ++i, number /= 36)
    out += "0123456789abcdefghijklmnopqrstuvwxyz"[number % 36];
  return out;
}

std::optional<std::string> fingerprint_of_text(std::string_view machine_id) {
  std::string digits;
  for (const char c : machine_id)
    if (c != '-' && c != '\n') digits += c;
  if (digits.empty() || digits.size() > 32) return {};
  digits.insert(0, 32 - digits.size(), '0');
  std::uint64_t high = 0, low = 0;
  const auto* const data = digits.data();
  if (std::from_chars(data, data + 16, high, 16).ptr != data + 16) return {};
  if (std::from_chars(data + 16, data + 32, low, 16).ptr != data + 32) return {};
  return fingerprint_of(high, low);
}

json::Value run_context(const std::string& directory) {
  json::Value out = json::Value::object();
  const auto put = [&](std::string_view path, const std::string& value) {
    if (!value.empty()) out.set("bencher.dev/v0" + std::string(path), to_valid_utf8(value));
  };
  if (const auto repository = find_repository(directory)) {
    put("/repo/name", repository->name);
    put("/repo/hash", repository->root_commit);
    put("/branch/ref", repository->reference);
    constexpr std::string_view heads = "refs/heads/";
    if (repository->reference.starts_with(heads)) put("/branch/ref/name", repository->reference.substr(heads.size()));
    put("/branch/hash", repository->commit);
  }
  put("/testbed/os", "Linux");
  for (const auto* file : {"/var/lib/dbus/machine-id", "/etc/machine-id"}) {
    const auto text = read_text(file);
    const auto fingerprint = text ? fingerprint_of_text(*text) : std::nullopt;
    if (!fingerprint) continue;
    put("/testbed/fingerprint", *fingerprint);
    break;
  }
  return out;
}

}  // namespace bencher::cli
