#include "hale/mesh/request_body.h"

namespace hale::mesh {

RequestBody::RequestBody(net::ServerExchange& exchange)
    : exchange_(&exchange),
      complete_(exchange.request().framing.kind == net::Framing::Kind::kNone ||
                exchange.request().framing == net::Framing::Length(0)) {}

Task<Result<void>> RequestBody::ReadWhole() {
  if (complete_) co_return Result<void>();
  const net::Framing framing = exchange_->request().framing;
  const bool fits = framing.kind == net::Framing::Kind::kLength && framing.length <= kKept;
  while (fits && !complete_) {
    const auto piece = co_await ReadMore();
    if (!piece) {
      broken_ = piece.error();  // stopped here is stopped as a whole: its client has gone
      co_return std::unexpected(*broken_);
    }
  }
  co_return Result<void>();
}

Task<Result<std::span<const char>>> RequestBody::ReadMore() {
  auto piece = co_await exchange_->ReadBody();
  if (!piece) {
    // Whoever is stopped while it waits has not found the client wanting.
    if (piece.error().code != Code::kCancelled) broken_ = piece.error();
    co_return piece;
  }
  complete_ = piece->empty() || exchange_->body_complete();
  if (!dropped_ && kept_.size() + piece->size() > kKept) {
    dropped_ = true;
    kept_.clear();
  }
  if (!dropped_) kept_.append(piece->data(), piece->size());
  co_return piece;
}

}  // namespace hale::mesh
