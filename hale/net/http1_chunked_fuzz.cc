// A chunked body gives the same however it arrives, and a body that was written is read back.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "hale/net/http1_body.h"
#include "hale/net/http1_chunked.h"

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

struct Decoded {
  std::string body;
  std::size_t consumed = 0;
  bool done = false;
  bool failed = false;
};

Decoded Decode(std::string_view input, std::size_t step) {
  hale::net::ChunkedDecoder decoder;
  Decoded decoded;
  while (decoded.consumed < input.size() && !decoder.done()) {
    const auto result = decoder.Decode(input.substr(decoded.consumed, step));
    if (!result) {
      decoded.failed = true;
      return decoded;
    }
    decoded.body.append(result->data);
    decoded.consumed += result->consumed;
  }
  decoded.done = decoder.done();
  return decoded;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const Decoded whole = Decode(input, std::string_view::npos);
  const Decoded bytes = Decode(input, 1);
  Require(whole.failed == bytes.failed && whole.body == bytes.body && whole.done == bytes.done);
  if (!whole.failed) Require(whole.consumed == bytes.consumed);

  hale::net::BodyWriter writer;
  writer.Begin(hale::net::Framing::Chunked(), true);
  std::string written;
  const std::size_t half = size / 2;
  auto after = writer.Add(written, input.substr(0, half), hale::net::BodyWriter::Last::kNo);
  written.append(input.substr(0, half)).append(*after);
  after = writer.Add(written, input.substr(half), hale::net::BodyWriter::Last::kYes);
  written.append(input.substr(half)).append(*after);
  const Decoded read = Decode(written, 7);
  Require(read.done && read.body == input && read.consumed == written.size());
  return 0;
}
