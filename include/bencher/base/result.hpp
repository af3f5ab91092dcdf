#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace bencher {

/// What kind of failure it is: what a caller may branch on, and what picks the HTTP status and the CLI exit code.
enum class Errc {
  invalid_argument,  ///< malformed input, or input that breaks a rule
  unauthenticated,   ///< no credential, or one that is not valid
  payment_required,  ///< needs a paid plan
  forbidden,         ///< a valid credential without the right
  not_found,
  conflict,   ///< the state of the world does not allow it: taken, in use, already done
  too_large,  ///< over a stated limit
  rate_limited,
  unavailable,  ///< busy or not reachable; the same call may work later
  timed_out,
  cancelled,
  internal,  ///< our mistake
};

/// An expected failure: a kind, a sentence that is safe to show to the caller, and a detail for the log only.
class [[nodiscard]] Error {
 public:
  explicit Error(Errc code, std::string message, std::string detail = {}, const char* file = __builtin_FILE(),
                 int line = __builtin_LINE())
      : code_(code), message_(std::move(message)), detail_(std::move(detail)), file_(file), line_(line) {}

  Errc code() const noexcept { return code_; }
  const std::string& message() const noexcept { return message_; }
  const std::string& detail() const noexcept { return detail_; }
  /// Where it was made, for the log.
  const char* file() const noexcept { return file_; }
  int line() const noexcept { return line_; }

  /// The same failure, told from one level up: `context: message`.
  Error within(std::string_view context) && {
    message_.insert(0, std::string(context) + ": ");
    return std::move(*this);
  }

 private:
  Errc code_;
  std::string message_;
  std::string detail_;
  const char* file_;
  int line_;
};

/// A value or an `Error`. Members carry the names of `std::expected`, which replaces it once the toolchain has C++23.
template <class T>
class [[nodiscard]] Result {
  using Stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

 public:
  using value_type = T;

  Result() requires std::is_void_v<T> : state_(std::in_place_index<0>) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}
  template <class U = Stored>
  requires(!std::is_void_v<T> && !std::is_same_v<std::remove_cvref_t<U>, Result> &&
           !std::is_same_v<std::remove_cvref_t<U>, Error> && std::is_convertible_v<U, Stored>) Result(U&& value)
      : state_(std::in_place_index<0>, std::forward<U>(value)) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  /// The value; throws std::bad_variant_access if there is none, so check first.
  Stored& value() & { return std::get<0>(state_); }
  const Stored& value() const& { return std::get<0>(state_); }
  Stored&& value() && { return std::get<0>(std::move(state_)); }
  Stored& operator*() & { return value(); }
  const Stored& operator*() const& { return value(); }
  Stored&& operator*() && { return std::move(*this).value(); }
  Stored* operator->() { return &value(); }
  const Stored* operator->() const { return &value(); }

  Error& error() & { return std::get<1>(state_); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<Stored, Error> state_;
};

}  // namespace bencher

#define BENCHER_CONCAT_(a, b) a##b
#define BENCHER_CONCAT(a, b) BENCHER_CONCAT_(a, b)
#define BENCHER_TRY_(ret, tmp, decl, ...) \
  auto tmp = (__VA_ARGS__);               \
  if (!tmp) ret std::move(tmp).error();   \
  decl = *std::move(tmp)

/// `BENCHER_TRY(auto digest, Digest::parse(text));` binds the value or returns the error.
#define BENCHER_TRY(decl, ...) BENCHER_TRY_(return, BENCHER_CONCAT(try_, __LINE__), decl, __VA_ARGS__)
/// The same within a coroutine.
#define BENCHER_CO_TRY(decl, ...) BENCHER_TRY_(co_return, BENCHER_CONCAT(try_, __LINE__), decl, __VA_ARGS__)
/// `BENCHER_DO(store.remove(slug));` for a `Result<void>`: goes on, or returns the error.
#define BENCHER_DO(...) \
  if (auto done = (__VA_ARGS__); !done) return std::move(done).error()
#define BENCHER_CO_DO(...) \
  if (auto done = (__VA_ARGS__); !done) co_return std::move(done).error()
