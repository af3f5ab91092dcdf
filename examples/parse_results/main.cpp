// Reads the output of a benchmark harness with an adapter of the library, or by a mapping file, and prints the results
// as Bencher Metric Format.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "bencher/adapter/adapter.hpp"
#include "bencher/adapter/bmf.hpp"
#include "bencher/adapter/mapping.hpp"

using namespace bencher;

namespace {

constexpr int good = 0, bad = 2;

struct Arguments {
  std::string_view adapter;  ///< a wire name, or `mapping:` and a file
  ParseOptions options;
  std::string_view file = "-";
  bool help = false;
};

Error usage(std::string reason) {
  return Error(Errc::invalid_argument, std::move(reason) + " (--help shows how it is used)");
}

void print_help() {
  std::string names;
  for (const auto kind : adapter_kinds())
    names.append(names.empty() ? "" : ", ").append(name(kind));
  std::printf(
      "parse_results --adapter NAME [OPTION…] [FILE|-]\n\n"
      "Reads the output of a benchmark harness, from standard input without FILE, and prints its results as Bencher\n"
      "Metric Format. Ends with 0, or with 2 if there are none, a file cannot be read, or the arguments are wrong.\n\n"
      "  --adapter NAME           what the output is of, or mapping:FILE for one of your own\n"
      "  --average mean|median    which average is read, where the output has both\n"
      "  --all-measures           keeps what is no measure by default: memory, counters, …\n"
      "  --distinct-names         gives benchmarks whose names collide longer ones\n"
      "  --fold-repeats min|max|mean|median\n"
      "                           makes one of results of the same name; else the last one counts\n\n"
      "Adapters: %s\n",
      names.c_str());
}

/// The options that take a value.
Result<void> set(Arguments& out, std::string_view option, std::string_view value) {
  if (option == "--adapter") {
    out.adapter = value;
  } else if (option == "--average") {
    BENCHER_TRY(out.options.average, parse_average(value));
  } else {
    BENCHER_TRY(out.options.fold_repeats, parse_fold(value));
  }
  return {};
}

Result<Arguments> read_arguments(int argc, char** argv) {
  Arguments out;
  bool has_file = false, only_files = false;
  for (int i = 1; i < argc; ++i) {
    std::string_view argument = argv[i];
    if (only_files || argument == "-" || !argument.starts_with('-')) {
      if (std::exchange(has_file, true)) return usage("there is more than one file: " + std::string(argument));
      out.file = argument;
      continue;
    }
    std::optional<std::string_view> value;
    if (const auto equals = argument.find('='); equals != std::string_view::npos) {
      value = argument.substr(equals + 1);
      argument = argument.substr(0, equals);
    }
    if (argument == "--adapter" || argument == "--average" || argument == "--fold-repeats") {
      if (!value && ++i == argc) return usage(std::string(argument) + " lacks its value");
      BENCHER_DO(set(out, argument, value ? *value : argv[i]));
      continue;
    }
    if (value) return usage(std::string(argument) + " takes no value, or is no option");
    if (argument == "--all-measures")
      out.options.all_measures = true;
    else if (argument == "--distinct-names")
      out.options.distinct_names = true;
    else if (argument == "--")
      only_files = true;
    else if (argument == "--help" || argument == "-h")
      out.help = true;
    else
      return usage("there is no option " + std::string(argument));
  }
  if (out.adapter.empty() && !out.help) return usage("--adapter says what the output is of");
  return out;
}

/// The whole of a file, or of standard input.
Result<std::string> read_file(const std::string& path) {
  const auto failure = [&] { return Error(Errc::not_found, "cannot read '" + path + "': " + std::strerror(errno)); };
  const bool standard_input = path == "-";
  const int file = standard_input ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return failure();
  struct Closed {
    int file;
    ~Closed() { ::close(file); }
  } closed{file};
  struct stat about {};
  std::string text;
  // One byte more than there is, so that the end is seen with the first read of a file.
  std::size_t size = 0, room = 64 * 1024;
  if (::fstat(file, &about) == 0 && S_ISREG(about.st_mode)) room = static_cast<std::size_t>(about.st_size) + 1;
  for (;;) {
    if (size == room) room *= 2;
    text.resize(room);
    const auto got = ::read(file, text.data() + size, room - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure();
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return text;
}

Result<Parsed> read_results(const Arguments& arguments, std::string_view text) {
  constexpr std::string_view by_mapping = "mapping:";
  if (!arguments.adapter.starts_with(by_mapping)) {
    BENCHER_TRY(const auto kind, parse_adapter(arguments.adapter));
    return parse(kind, text, arguments.options);
  }
  const std::string path(arguments.adapter.substr(by_mapping.size()));
  BENCHER_TRY(const auto document, read_file(path));
  auto mapping = Mapping::parse(document);
  if (!mapping) return std::move(mapping).error().within(path);
  return mapping->read(text, arguments.options);
}

Result<void> run(const Arguments& arguments) {
  BENCHER_TRY(const auto text, read_file(std::string(arguments.file)));
  BENCHER_TRY(const auto parsed, read_results(arguments, text));
  for (const auto& warning : parsed.warnings)
    std::fprintf(stderr, "warning: %s\n", warning.c_str());
  const bool written = write_bmf(parsed.results, [](std::string_view piece) {
    return std::fwrite(piece.data(), 1, piece.size(), stdout) == piece.size();
  });
  if (!written || std::fflush(stdout) != 0)
    return Error(Errc::internal, std::string("cannot write the results: ") + std::strerror(errno));
  return {};
}

}  // namespace

int main(int argc, char** argv) try {
  const auto arguments = read_arguments(argc, argv);
  if (arguments && arguments->help) return print_help(), good;
  const auto done = arguments ? run(*arguments) : Result<void>(arguments.error());
  if (done) return good;
  std::fprintf(stderr, "error: %s\n", done.error().message().c_str());
  return bad;
} catch (const std::bad_alloc&) {
  std::fputs("error: there is not enough memory for the text and its results\n", stderr);
  return bad;
}
