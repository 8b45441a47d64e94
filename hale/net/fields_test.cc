#include "hale/net/fields.h"

#include <gtest/gtest.h>

#include <string>

namespace hale::net {
namespace {

std::string Text(const Fields& fields) {
  std::string text;
  for (const auto& [name, value] : fields) {
    text.append(name).append("=").append(value).append(";");
  }
  return text;
}

Fields Some() {
  Fields fields;
  fields.Append("Host", "a");
  fields.Append("Set-Cookie", "x=1");
  fields.Append("Set-Cookie", "y=2");
  return fields;
}

TEST(FieldsTest, KeepsOrderAndRepetition) {
  EXPECT_EQ(Text(Some()), "Host=a;Set-Cookie=x=1;Set-Cookie=y=2;");
  EXPECT_EQ(Some().Count("set-cookie"), 2U);
}

TEST(FieldsTest, FindsTheFirstWithoutRegardToCase) {
  const Fields fields = Some();
  EXPECT_EQ(fields.Find("SET-COOKIE"), "x=1");
  EXPECT_FALSE(fields.Find("Set-Cookie2"));
}

TEST(FieldsTest, SetReplacesAllLinesAtThePlaceOfTheFirst) {
  Fields fields = Some();
  fields.Append("Via", "1.1 x");
  fields.Set("set-cookie", "z=3");
  EXPECT_EQ(Text(fields), "Host=a;set-cookie=z=3;Via=1.1 x;");
}

TEST(FieldsTest, RemoveSaysHowMany) {
  Fields fields = Some();
  EXPECT_EQ(fields.Remove("set-COOKIE"), 2U);
  EXPECT_EQ(fields.Remove("set-cookie"), 0U);
  EXPECT_EQ(Text(fields), "Host=a;");
}

TEST(FieldsTest, AValueCannotSplitAMessage) {
  Fields fields;
  fields.Append("X", std::string_view("a\r\nY: b\0c", 9));
  EXPECT_EQ(Text(fields), "X=a  Y: b c;");
}

TEST(FieldsTest, ANameThatIsNoTokenIsDropped) {
  Fields fields;
  for (const char* name : {"", "a b", "a:b", "a\r\nb", "é"}) fields.Append(name, "v");
  EXPECT_TRUE(fields.empty());
}

TEST(FieldsTest, MayBeGivenItsOwnViewsWhileItGrows) {
  Fields fields;
  fields.Append("a", "0123456789");
  for (int i = 0; i < 100; ++i) fields.Append(fields[0].name, fields[0].value);
  for (const auto& line : fields) ASSERT_EQ(line.value, "0123456789");
  EXPECT_EQ(fields.Count("A"), 101U);
}

TEST(FieldsTest, ACopyStandsAlone) {
  Fields fields = Some();
  const Fields copy = fields;
  fields.Set("host", "b");
  fields.Clear();
  EXPECT_EQ(copy.Find("host"), "a");
}

}  // namespace
}  // namespace hale::net
