#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "hale/base/guarded.h"
#include "hale/config/source.h"

namespace hale::test {

/// What every config::Source does, whatever is behind it. A bench has
///   config::Source& source();
///   void Write(std::string_view text);  // at once as a whole
///   void Remove();
/// and begins with the document `first: 1`.
template <class Bench>
class SourceSuite : public testing::Test {
 protected:
  static bool Eventually(const std::function<bool()>& done) {
    for (int i = 0; i < 2000 && !done(); ++i) std::this_thread::sleep_for(5ms);
    return done();
  }
  /// Long enough for a change to be told of.
  static void BeQuiet() { std::this_thread::sleep_for(300ms); }

  Bench bench_;
};

TYPED_TEST_SUITE_P(SourceSuite);

TYPED_TEST_P(SourceSuite, HasANameForPeople) { EXPECT_FALSE(this->bench_.source().name().empty()); }

TYPED_TEST_P(SourceSuite, ReadsWhatStandsThereToTheByte) {
  for (const std::string_view text : {"a: 1", "a: 1\r\nb: 'ü'\n", "a: |\n  x\n\n\n"}) {
    this->bench_.Write(text);
    const auto read = this->bench_.source().Read();
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, text);
  }
}

TYPED_TEST_P(SourceSuite, TellsAChange) {
  std::atomic<int> told = 0;
  const auto subscription = this->bench_.source().Watch([&] { ++told; });
  this->BeQuiet();
  const int before = told;
  this->bench_.Write("a: 2");
  EXPECT_TRUE(this->Eventually([&] { return told > before; }));
}

TYPED_TEST_P(SourceSuite, TellsOfTheLastOfManyChanges) {
  Guarded<std::string> seen;
  const auto subscription = this->bench_.source().Watch([&] {
    if (auto text = this->bench_.source().Read()) *seen.Lock() = std::move(*text);
  });
  for (int i = 0; i <= 100; ++i) this->bench_.Write("a: " + std::to_string(i));
  EXPECT_TRUE(this->Eventually([&] { return *seen.Lock() == "a: 100"; }));
}

TYPED_TEST_P(SourceSuite, TellsEverySubscriber) {
  std::atomic<int> one = 0;
  std::atomic<int> other = 0;
  const auto first = this->bench_.source().Watch([&] { ++one; });
  const auto second = this->bench_.source().Watch([&] { ++other; });
  this->BeQuiet();
  const int before = std::min<int>(one, other);
  this->bench_.Write("a: 2");
  EXPECT_TRUE(this->Eventually([&] { return one > before && other > before; }));
}

TYPED_TEST_P(SourceSuite, TellsNothingOnceTheSubscriptionIsGone) {
  std::atomic<int> told = 0;
  auto subscription = this->bench_.source().Watch([&] { ++told; });
  this->bench_.Write("a: 2");
  subscription.Cancel();
  const int before = told;
  this->bench_.Write("a: 3");
  this->BeQuiet();
  EXPECT_EQ(told, before);
}

TYPED_TEST_P(SourceSuite, AnAbsentDocumentIsAnErrorAndItsReturnAChange) {
  this->bench_.Remove();
  const auto read = this->bench_.source().Read();
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::kNotFound);
  EXPECT_NE(read.error().message.find(this->bench_.source().name()), std::string::npos);
  std::atomic<bool> back = false;
  const auto subscription = this->bench_.source().Watch([&] {
    if (this->bench_.source().Read()) back = true;
  });
  this->BeQuiet();
  EXPECT_FALSE(back);
  this->bench_.Write("a: 2");
  EXPECT_TRUE(this->Eventually([&] { return back.load(); }));
}

TYPED_TEST_P(SourceSuite, TakesTheLargestDocumentAndNoLarger) {
  const std::string largest = "a: " + std::string(config::kMaxDocument - 3, 'x');
  this->bench_.Write(largest);
  EXPECT_EQ(this->bench_.source().Read().value_or(""), largest);
  this->bench_.Write(largest + "x");
  const auto read = this->bench_.source().Read();
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::kResourceExhausted);
}

TYPED_TEST_P(SourceSuite, ReadersOnManyThreadsSeeWholeDocuments) {
  const auto document = [](char c) { return "a: " + std::string(100'000, c); };
  this->bench_.Write(document('a'));
  std::atomic<bool> torn = false;
  std::atomic<bool> stop = false;
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        const auto text = this->bench_.source().Read();
        if (text && *text != document(text->back())) torn = true;
      }
    });
  }
  for (int i = 0; i < 100; ++i) this->bench_.Write(document(static_cast<char>('a' + i % 26)));
  stop = true;
  for (auto& reader : readers) reader.join();
  EXPECT_FALSE(torn);
}

REGISTER_TYPED_TEST_SUITE_P(SourceSuite, HasANameForPeople, ReadsWhatStandsThereToTheByte,
                            TellsAChange, TellsOfTheLastOfManyChanges, TellsEverySubscriber,
                            TellsNothingOnceTheSubscriptionIsGone,
                            AnAbsentDocumentIsAnErrorAndItsReturnAChange,
                            TakesTheLargestDocumentAndNoLarger,
                            ReadersOnManyThreadsSeeWholeDocuments);

}  // namespace hale::test
