// A Redis command through hiredis, which blocks; the connection is made anew after a failure.
// Usage: example_guard_redis HOST PORT

#include <hiredis/hiredis.h>

#include <iostream>
#include <memory>
#include <string>

#include "hale/hale.h"

namespace {

using namespace std::chrono_literals;

timeval ToTimeval(hale::Duration span) {
  return {.tv_sec = span / 1s, .tv_usec = (span % 1s) / 1us};
}

class Redis {
 public:
  Redis(std::string host, int port) : host_(std::move(host)), port_(port) {}

  hale::Result<std::string> Get(const char* key, hale::Duration timeout) {
    if (!context_ || context_->err != 0) {
      context_.reset(redisConnectWithTimeout(host_.c_str(), port_, ToTimeval(timeout)));
    }
    if (!context_ || context_->err != 0) {
      return hale::Fail(hale::Reason::kUpstreamConnect, hale::Executed::kNo);
    }
    redisSetTimeout(context_.get(), ToTimeval(timeout));
    const std::unique_ptr<redisReply, decltype(&freeReplyObject)> reply(
        static_cast<redisReply*>(redisCommand(context_.get(), "GET %s", key)), &freeReplyObject);
    if (!reply) return hale::Fail(hale::Reason::kUpstreamReset, hale::Executed::kMaybe);
    if (reply->type == REDIS_REPLY_ERROR) return hale::Fail(hale::Code::kInternal, reply->str);
    if (reply->type == REDIS_REPLY_NIL) return hale::Fail(hale::Code::kNotFound, "no such key");
    return std::string(reply->str, reply->len);
  }

 private:
  std::string host_;
  int port_;
  std::unique_ptr<redisContext, decltype(&redisFree)> context_{nullptr, &redisFree};
};

}  // namespace

int main(int argc, char** argv) {
  Redis redis(argc > 1 ? argv[1] : "127.0.0.1", argc > 2 ? std::stoi(argv[2]) : 6379);
  hale::Guard guard{{.name = "cache", .deadline = 500ms, .per_try = 150ms, .idempotent = true}};
  for (int i = 1; i <= 4; ++i) {
    const auto value = guard.Call(
        [&](const hale::Attempt& attempt) { return redis.Get("greeting", attempt.remaining()); });
    std::cout << "call " << i << ": "
              << (value ? *value : std::string(hale::Word(value.error().reason))) << "\n";
  }
}
