#include "hale/net/http1_parser.h"

#include <llhttp.h>

#include "hale/net/http1_syntax.h"

namespace hale::net {
namespace {

// What llhttp's callbacks find in the bytes that `fields` has taken over. Each span comes whole,
// since the head is given whole; a span in two parts is adjacent.
struct Split {
  Fields& fields;
  std::string_view method{};
  std::string_view target{};
  std::string_view phrase{};
  std::string_view name{};
  std::string_view value{};
  bool complete = false;
};

Split& Of(llhttp_t* parser) { return *static_cast<Split*>(parser->data); }

int Extend(std::string_view& span, const char* at, std::size_t size) {
  if (!span.empty() && span.data() + span.size() == at) {
    span = {span.data(), span.size() + size};
  } else {
    span = {at, size};
  }
  return 0;
}

int OnMethod(llhttp_t* p, const char* at, std::size_t n) { return Extend(Of(p).method, at, n); }
int OnTarget(llhttp_t* p, const char* at, std::size_t n) { return Extend(Of(p).target, at, n); }
int OnPhrase(llhttp_t* p, const char* at, std::size_t n) { return Extend(Of(p).phrase, at, n); }
int OnName(llhttp_t* p, const char* at, std::size_t n) { return Extend(Of(p).name, at, n); }
int OnValue(llhttp_t* p, const char* at, std::size_t n) { return Extend(Of(p).value, at, n); }

int OnLine(llhttp_t* p) {
  Split& split = Of(p);
  split.fields.Mark(split.name, TrimSpace(split.value));
  split.name = split.value = {};
  return 0;
}

int OnHeadersComplete(llhttp_t* p) {
  Of(p).complete = true;
  return HPE_PAUSED;  // the body is not llhttp's
}

const llhttp_settings_t& Settings() {
  static const llhttp_settings_t settings = [] {
    llhttp_settings_t s;
    llhttp_settings_init(&s);
    s.on_method = OnMethod;
    s.on_url = OnTarget;
    s.on_status = OnPhrase;
    s.on_header_field = OnName;
    s.on_header_value = OnValue;
    s.on_header_value_complete = OnLine;
    s.on_headers_complete = OnHeadersComplete;
    return s;
  }();
  return settings;
}

// HPE_OK when llhttp found a whole head. What it says of framing is ours to judge, so it is told to
// be lenient there; of anything else it refuses, its word is final.
llhttp_errno_t Run(llhttp_type_t type, Split& split) {
  llhttp_t parser;
  llhttp_init(&parser, type, &Settings());
  llhttp_set_lenient_chunked_length(&parser, 1);
  llhttp_set_lenient_transfer_encoding(&parser, 1);
  parser.data = &split;
  const std::string_view bytes = split.fields.buffer();
  const llhttp_errno_t error = llhttp_execute(&parser, bytes.data(), bytes.size());
  if (split.complete && (error == HPE_PAUSED || error == HPE_PAUSED_UPGRADE)) return HPE_OK;
  return error == HPE_OK ? HPE_INVALID_EOF_STATE : error;
}

std::string_view FirstLine(std::string_view head) { return head.substr(0, head.find("\r\n")); }

}  // namespace

Judged ParseRequestHead(std::string_view head, const HeadLimits& limits, RequestHead& into) {
  const std::string_view line = FirstLine(head);
  if (auto judged = JudgeRequestLine(line, limits); !judged) return judged;
  into.fields.AssignBuffer(head);
  Split split{.fields = into.fields};
  const llhttp_errno_t error = Run(HTTP_REQUEST, split);
  if (error == HPE_INVALID_METHOD) {
    return std::unexpected(Verdict{
        .status = 501, .reason = Reason::kUnsupported, .sentence = "the method is unknown"});
  }
  if (error != HPE_OK) {
    return std::unexpected(
        Verdict{.status = 400, .reason = Reason::kProtocol, .sentence = "the head is malformed"});
  }
  into.method = split.method;
  into.target = split.target;
  into.version = line.ends_with('1') ? Version::kHttp11 : Version::kHttp10;
  into.expects_continue = false;
  return JudgeRequest(into);
}

Judged ParseResponseHead(std::string_view head, std::string_view method, ResponseHead& into) {
  const std::string_view line = FirstLine(head);
  if (auto judged = JudgeStatusLine(line); !judged) return judged;
  into.fields.AssignBuffer(head);
  Split split{.fields = into.fields};
  if (Run(HTTP_RESPONSE, split) != HPE_OK) {
    return std::unexpected(Verdict{
        .status = 502, .reason = Reason::kUpstreamProtocol, .sentence = "the head is malformed"});
  }
  into.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  into.phrase = split.phrase;
  into.version = line[7] == '1' ? Version::kHttp11 : Version::kHttp10;
  return JudgeResponse(into, method);
}

}  // namespace hale::net
