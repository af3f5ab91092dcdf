#include "apps/cli/exit_code.hpp"

namespace bencher::cli {

Exit exit_of(Errc code) {
  switch (code) {
    case Errc::invalid_argument: return Exit::usage;
    case Errc::unauthenticated:
    case Errc::forbidden: return Exit::credential;
    case Errc::payment_required:
    case Errc::not_found:
    case Errc::conflict:
    case Errc::too_large:
    case Errc::rate_limited: return Exit::refused;
    case Errc::unavailable:
    case Errc::timed_out: return Exit::network;
    case Errc::cancelled: return Exit::interrupted;
    case Errc::internal: break;
  }
  return Exit::internal;
}

Exit exit_of_status(int status) {
  if (status == 401 || status == 403) return Exit::credential;
  return status >= 400 && status < 500 ? Exit::refused : Exit::network;
}

}  // namespace bencher::cli
