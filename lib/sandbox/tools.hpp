// Other programs of this machine that sandboxes are made with.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "bencher/base/result.hpp"

#include "lib/image/files.hpp"

namespace bencher::sandbox {

/// Its path, from PATH or the usual folders; empty when there is none.
std::string find_tool(const std::string& name);

/// Runs it to its end with nothing on standard input. Errors: `unavailable`, with the end of what it said; `cancelled`,
/// after it was killed.
Result<void> run_tool(const std::vector<std::string>& command, const std::function<bool()>& cancelled = {});
/// What it writes to standard output, at most 4 KiB.
Result<std::string> ask_tool(const std::vector<std::string>& command);

/// An empty ext4 filesystem in a new file, sparse.
Result<files::Fd> make_ext4(const std::filesystem::path& file, std::uint64_t size);

/// Closes all descriptors but these, in ascending order. Only system calls: for use after a fork.
void close_all_but(const int* kept, std::size_t count);

/// A thread, 0 is the caller, onto these processors; nothing for none. Only system calls: for use after a fork.
void pin(int thread, const std::vector<int>& cpus);

/// For argv and envp; valid as long as the strings are.
std::vector<char*> pointers(const std::vector<std::string>& strings);

}  // namespace bencher::sandbox
