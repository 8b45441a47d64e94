#include "hale/base/may_block.h"

namespace hale {
namespace {

thread_local int scopes = 0;

}  // namespace

bool MayBlock() { return scopes == 0; }

MustNotBlock::MustNotBlock() { ++scopes; }
MustNotBlock::~MustNotBlock() { --scopes; }

}  // namespace hale
