#pragma once

#include <string>
#include <vector>

#include "recording_origin.h"

namespace hale::test {

/// One case of what a client sends: the bytes, the statuses of the answers in order, and what the
/// origin must and must not have received.
struct RequestRow {
  std::string name;  ///< begins with the number of the case in doc/conformance/net.md
  std::string sent;
  std::vector<int> statuses;
  std::size_t forwarded = 0;  ///< whole requests that reach the origin
  std::string origin_has;
  std::string origin_lacks;
};

/// One case of what an origin answers.
struct AnswerRow {
  std::string name;
  std::string method;
  OriginAnswer answer;
  int status = 200;
  std::string body;       ///< as the client understands it
  bool reused = true;     ///< the next request rides the same connection to the origin
  std::string reply_has;  ///< in the raw bytes that the client gets
  std::string reply_lacks;
  bool complete = true;  ///< the client sees a clean end
};

/// Ends each list of requests, so that a connection that is still good is seen to be.
inline constexpr std::string_view kEnd =
    "GET /end HTTP/1.1\r\nHost: end\r\nConnection: close\r\n\r\n";

std::vector<RequestRow> RequestRows();
std::vector<AnswerRow> AnswerRows();

}  // namespace hale::test
