// A service that is discovered, balanced, guarded, observed and drained: run it with -c FILE, where
// FILE has a listener and a service `ledger`.
#include "hale/host/app.h"

using namespace hale;  // NOLINT(google-build-using-namespace): an example

int main(int argc, char** argv) {
  host::App app(argc, argv);
  const host::ServiceHandle ledger = app.Use("ledger");

  // NOLINTNEXTLINE(cppcoreguidelines-avoid-capturing-lambda-coroutines): App owns it until Run ends
  app.Get("/orders/{id}", [&](host::Request in) -> Task<host::Response> {
    // The caller's deadline, trace and request id go along.
    auto entry = co_await ledger.Call(in, "GET", "/entries/" + in.path("id"));
    co_return entry ? host::Json(entry->body()) : host::Unavailable(entry.error());
  });
  return app.Run();  // SIGTERM: not ready, finish, stop
}
