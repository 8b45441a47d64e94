#include "hale/net/http1_body.h"

#include <algorithm>

#include "hale/net/http1_writer.h"

namespace hale::net {

void BodyReader::Begin(Framing framing) {
  framing_ = framing;
  left_ = framing.length;
  decoder_.Reset();
  complete_ = framing.kind == Framing::Kind::kNone || framing == Framing::Length(0);
}

std::expected<BodyReader::Piece, Verdict> BodyReader::Take(std::string_view arrived) {
  Piece piece;
  if (complete_ || arrived.empty()) return piece;
  switch (framing_.kind) {
    case Framing::Kind::kLength:
      piece.consumed = std::min<std::uint64_t>(left_, arrived.size());
      piece.data = arrived.substr(0, piece.consumed);
      left_ -= piece.consumed;
      complete_ = left_ == 0;
      return piece;
    case Framing::Kind::kUntilClose:
      piece.consumed = arrived.size();
      piece.data = arrived;
      return piece;
    case Framing::Kind::kNone:
      return piece;
    case Framing::Kind::kChunked:
      break;
  }
  auto step = decoder_.Decode(arrived);
  if (!step) return std::unexpected(step.error());
  piece.data = step->data;
  piece.consumed = step->consumed;
  if (!piece.data.empty()) {
    // When the end has arrived too, it is known with the last data: the next hop's end can then go
    // out in the same call. Otherwise the attempt changes nothing.
    ChunkedDecoder ahead = decoder_;
    const auto end = ahead.Decode(arrived.substr(piece.consumed));
    if (end && end->data.empty() && ahead.done()) {
      decoder_ = ahead;
      piece.consumed += end->consumed;
    }
  }
  complete_ = decoder_.done();
  return piece;
}

bool BodyReader::OnStreamEnd() {
  if (framing_.kind == Framing::Kind::kUntilClose) complete_ = true;
  return complete_;
}

void BodyWriter::Begin(Framing framing, bool sent) {
  framing_ = framing;
  left_ = framing.length;
  sent_ = sent;
}

Result<std::string_view> BodyWriter::Add(std::string& before, std::span<const char> data,
                                         Last last) {
  if (!sent_) return std::string_view();
  switch (framing_.kind) {
    case Framing::Kind::kNone:
    case Framing::Kind::kLength:
      if (data.size() > left_) return Fail(Code::kInternal, "more body than was declared");
      left_ -= data.size();
      if (last == Last::kYes && left_ > 0) {
        return Fail(Code::kInternal, "less body than was declared");
      }
      return std::string_view();
    case Framing::Kind::kUntilClose:
      return std::string_view();
    case Framing::Kind::kChunked:
      break;
  }
  if (data.empty()) {
    if (last == Last::kYes) before.append(kLastChunk);
    return std::string_view();
  }
  AppendChunkSize(before, data.size());
  return last == Last::kYes ? kChunkEndAndLast : kChunkEnd;
}

}  // namespace hale::net
