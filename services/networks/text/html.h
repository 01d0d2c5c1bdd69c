// HTML as blogs give it, to plain text and back. Not a browser: linear, bounded, never fails.
#pragma once

#include <string>
#include <string_view>

namespace parvis::networks::text {

// Tags and comments are left out (scripts and styles with their content), paragraphs and line breaks become line breaks,
// character references become characters. `keep_line_breaks`: line breaks of the source are kept (what a person typed)
// instead of being white space (what a template rendered).
std::string HtmlToText(std::string_view html, bool keep_line_breaks);
// &, <, >, " and ' as character references: shows the very text in HTML.
std::string EscapeHtml(std::string_view text);
// Paragraphs (<p>) at empty lines, <br> at the others; the text is escaped.
std::string TextToHtml(std::string_view text);

}  // namespace parvis::networks::text
