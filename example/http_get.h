#pragma once

#include <string>
#include <utility>

#include "hale/hale.h"
#include "hale/net/http_client.h"

/// What a guard calls: one GET. An answer of 500 or above is a failure that may pass.
class HttpGet {
 public:
  HttpGet(hale::net::ConnectionPool& pool, std::string target)
      : pool_(pool), target_(std::move(target)) {}

  hale::Task<hale::Result<std::string>> operator()(const hale::Attempt& attempt) {
    hale::net::OpenOptions open;
    open.deadline = attempt.until();
    auto exchange = co_await pool_.Open(open);
    if (!exchange) co_return std::unexpected(exchange.error());
    ++sent;
    exchange->set_deadline(attempt.until());
    hale::net::RequestHead head;
    head.target = target_;
    head.fields.Set("host", pool_.address().Text());
    exchange->SendHead(head, hale::net::Framing());
    const auto written = co_await exchange->FinishBody();
    if (!written) co_return std::unexpected(written.error());
    const auto read = co_await exchange->ReadHead();
    if (!read) co_return std::unexpected(read.error());
    std::string body;
    while (true) {
      const auto piece = co_await exchange->ReadBody();
      if (!piece) co_return std::unexpected(piece.error());
      if (piece->empty()) break;
      body.append(piece->data(), piece->size());
    }
    const int status = exchange->response().status;
    if (status < 500) co_return body;
    co_return hale::Fail(hale::Code::kUnavailable, "status " + std::to_string(status));
  }

  int sent = 0;

 private:
  hale::net::ConnectionPool& pool_;
  std::string target_;
};
