#include "publishing/media/sniff.h"

#include <algorithm>
#include <iterator>

namespace parvis::publishing {
namespace {

using std::string_view;
using namespace std::string_view_literals;

bool StartsWith(string_view text, string_view with) { return text.substr(0, with.size()) == with; }

uint64_t BigEndian(string_view bytes) {
  uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

Status Unknown(const std::string& what) { return MakeError(Code::kInvalidArgument, "MEDIA_TYPE_UNKNOWN", what); }

constexpr string_view kVideoBrands[] = {"isom", "iso2", "iso3", "iso4", "iso5", "iso6", "iso7", "iso8",
                                        "iso9", "mp41", "mp42", "avc1", "M4V ", "M4VP", "MSNV", "dash",
                                        "mmp4", "f4v ", "3gp4", "3gp5", "3gp6", "3g2a", "cmfc", "msdh"};
constexpr string_view kStillBrands[] = {"heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1", "avif", "avis"};
constexpr string_view kSoundBrands[] = {"M4A ", "M4B ", "M4P "};

template <size_t n>
bool IsOneOf(string_view brand, const string_view (&list)[n]) {
  return std::find(std::begin(list), std::end(list), brand) != std::end(list);
}

Sniffed Boxes(const char* type) { return {MediaKind::kVideo, type, "mov", true}; }

// The brands of a file that begins with a box ftyp: the first one is what it is, the others are what else can read it.
StatusOr<Sniffed> SniffBrands(string_view head) {
  const int64_t size = BoxBytes(head);
  const string_view box = head.substr(0, size < 0 ? 0 : std::min(head.size(), static_cast<size_t>(size)));
  if (box.size() < 16 || size == 0) return Unknown("begins like an MP4 file and is none");
  const string_view major = box.substr(8, 4);
  if (major == "qt  ") return Boxes("video/quicktime");
  if (IsOneOf(major, kStillBrands))
    return Unknown("is a HEIC or AVIF picture, which is not read here: save it as JPEG");
  if (IsOneOf(major, kSoundBrands)) return Unknown("is sound without a video");
  if (IsOneOf(major, kVideoBrands)) return Boxes("video/mp4");
  for (size_t at = 16; at + 4 <= box.size(); at += 4) {
    if (IsOneOf(box.substr(at, 4), kVideoBrands)) return Boxes("video/mp4");
  }
  return Unknown("is an MP4 file of a brand that is not known");
}

// Matroska and WebM are the same but for the DocType, element 0x4282 within the header element at the beginning.
StatusOr<Sniffed> SniffMatroska(string_view head) {
  const string_view begin = head.substr(0, 128);
  const size_t doc_type = begin.find("\x42\x82"sv);
  if (doc_type != string_view::npos) {
    const string_view name = begin.substr(std::min(begin.size(), doc_type + 3));  // after the id and one byte of size
    if (StartsWith(name, "webm")) return Sniffed{MediaKind::kVideo, "video/webm", "matroska"};
    if (StartsWith(name, "matroska")) return Sniffed{MediaKind::kVideo, "video/x-matroska", "matroska"};
  }
  return Unknown("begins like a Matroska file and is none");
}

// Well known, and not taken: said by name, so that people know what to do.
std::string NameOfRefused(string_view head) {
  string_view text = StartsWith(head, "\xEF\xBB\xBF") ? head.substr(3) : head;
  text.remove_prefix(std::min(text.size(), text.find_first_not_of(" \t\r\n")));
  if (StartsWith(text, "<?xml") || StartsWith(text, "<svg") || StartsWith(text, "<!DOCTYPE svg")) {
    return "is SVG or other XML, which is not taken: save it as PNG";
  }
  if (StartsWith(text, "<!") || StartsWith(text, "<html")) return "is an HTML page, not a picture or video";
  if (StartsWith(head, "PK\x03\x04") || StartsWith(head, "PK\x05\x06"))
    return "is a ZIP archive or an office document, which is not taken: save it as PDF";
  if (StartsWith(head, "\x1F\x8B")) return "is a compressed archive";
  if (StartsWith(head, "II*\0"sv) || StartsWith(head, "MM\0*"sv))
    return "is a TIFF picture, which is not taken: save it as JPEG or PNG";
  if (StartsWith(head, "BM")) return "is a BMP picture, which is not taken: save it as PNG";
  if (StartsWith(head, "8BPS")) return "is a Photoshop file, which is not taken: save it as JPEG or PNG";
  if (StartsWith(head, "ID3") || StartsWith(head, "OggS") || StartsWith(head, "fLaC"))
    return "is sound without a video";
  if (head.empty()) return "is empty";
  return "is none of JPEG, PNG, GIF, WebP, MP4, QuickTime, WebM, Matroska, AVI, MPEG and PDF";
}

}  // namespace

int64_t BoxBytes(string_view head) {
  if (head.size() < 8) return -1;
  const uint64_t size = BigEndian(head.substr(0, 4));
  if (size == 0) return 0;
  if (size != 1) return size < 8 ? -1 : static_cast<int64_t>(size);
  if (head.size() < 16) return -1;
  const uint64_t large = BigEndian(head.substr(8, 8));
  return large < 16 || large > (uint64_t{1} << 62) ? -1 : static_cast<int64_t>(large);
}

StatusOr<Sniffed> Sniff(string_view head) {
  head = head.substr(0, kSniffBytes);
  if (StartsWith(head, "\xFF\xD8\xFF")) return Sniffed{MediaKind::kPicture, "image/jpeg", "jpegload"};
  if (StartsWith(head, "\x89PNG\r\n\x1A\n")) return Sniffed{MediaKind::kPicture, "image/png", "pngload"};
  if (StartsWith(head, "GIF87a") || StartsWith(head, "GIF89a"))
    return Sniffed{MediaKind::kPicture, "image/gif", "gifload"};
  if (StartsWith(head, "RIFF") && head.size() >= 16) {
    if (head.substr(8, 7) == "WEBPVP8") return Sniffed{MediaKind::kPicture, "image/webp", "webpload"};
    if (head.substr(8, 4) == "AVI ") return Sniffed{MediaKind::kVideo, "video/x-msvideo", "avi"};
    return Unknown("is a RIFF file that is neither WebP nor AVI");
  }
  if (head.size() >= 12) {
    const string_view box = head.substr(4, 4);
    if (box == "ftyp") return SniffBrands(head);
    // QuickTime files from before brands.
    if (box == "moov" || box == "mdat" || box == "wide") return Boxes("video/quicktime");
  }
  if (StartsWith(head, "\x1A\x45\xDF\xA3")) return SniffMatroska(head);
  if (StartsWith(head, "\0\0\x01\xBA"sv)) return Sniffed{MediaKind::kVideo, "video/mpeg", "mpeg"};
  if (StartsWith(head, "%PDF-1.") || StartsWith(head, "%PDF-2."))
    return Sniffed{MediaKind::kDocument, "application/pdf", ""};
  return Unknown(NameOfRefused(head));
}

Sniffed AsVideo(Sniffed sniffed) {
  return sniffed.type == "image/gif" ? Sniffed{MediaKind::kVideo, "image/gif", "gif"} : sniffed;
}

}  // namespace parvis::publishing
