#include "app/demo_narrator.h"

#include <fmt/format.h>

#include <cstdio>

namespace hale::app {
namespace {

constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kNormal = "\x1b[0m";

std::string Coloured(std::string_view text, std::string_view code, bool colour) {
  return colour ? fmt::format("{}{}{}", code, text, kNormal) : std::string(text);
}

// A pipe must see each line when it happens, too.
void Print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

}  // namespace

std::string_view Word(DemoNarrator::Who who) {
  return who == DemoNarrator::Who::kYou ? "you" : "hale";
}

std::string Text(const DemoNarrator::Line& line, bool colour) {
  const bool you = line.who == DemoNarrator::Who::kYou;
  const std::string name = Coloured(you ? "you: " : "Hale:", you ? kYellow : kGreen, colour);
  return fmt::format("t={:4.1f}s  {} {}\n", Seconds(line.at), name, line.text);
}

void DemoNarrator::Title(std::string_view text) {
  EndProgress();
  if (!options_.quiet) Print("\n" + Coloured(text, kBold, options_.colour) + "\n");
}

void DemoNarrator::Plain(std::string_view text) {
  EndProgress();
  if (!options_.quiet) Print(std::string(text));
}

void DemoNarrator::Say(Who who, std::string_view text) {
  EndProgress();
  lines_.push_back({.at = Elapsed(), .who = who, .text = std::string(text)});
  if (!options_.quiet) Print(Text(lines_.back(), options_.colour));
}

void DemoNarrator::Progress(std::string_view text) {
  if (!options_.progress) return;
  std::fprintf(stderr, "\r\x1b[K%s", std::string(text).c_str());
  progress_shown_ = true;
}

void DemoNarrator::EndProgress() {
  if (!progress_shown_) return;
  std::fputs("\r\x1b[K", stderr);
  progress_shown_ = false;
}

}  // namespace hale::app
