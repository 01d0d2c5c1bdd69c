#include "accounts/storage/sealer.h"

#include <sodium.h>

#include <fstream>
#include <sstream>

namespace parvis::accounts {
namespace {

constexpr size_t kKeyBytes = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;

const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

Status KeyError(int line, std::string_view what) {
  return MakeError(Code::kFailedPrecondition, "SEAL_KEYS",
                   "the file of sealing keys: line " + std::to_string(line) + " " + std::string(what));
}

Status Unreadable(std::string_view why) {
  return MakeError(Code::kInternal, "CREDENTIALS_UNREADABLE",
                   std::string("sealed credentials do not open: ") + std::string(why));
}

}  // namespace

StatusOr<Sealer> Sealer::FromFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) {
    return MakeError(Code::kFailedPrecondition, "SECRET_FILE_UNREADABLE", "cannot read the sealing keys in " + path);
  }
  return FromText(text.str());
}

StatusOr<Sealer> Sealer::FromText(std::string_view text) {
  if (sodium_init() < 0) return MakeError(Code::kInternal, "SODIUM", "libsodium does not start");
  Sealer sealer;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || line[0] == '#') continue;
    size_t space = line.find(' ');
    if (space == 0 || space == std::string::npos || space > 40) return KeyError(number, "is not \"<key id> <base64>\"");
    std::string id = line.substr(0, space), key(kKeyBytes, '\0');
    size_t length = 0;
    const char* end = nullptr;
    int bad = sodium_base642bin(reinterpret_cast<unsigned char*>(key.data()), key.size(), line.data() + space + 1,
                                line.size() - space - 1, nullptr, &length, &end, sodium_base64_VARIANT_ORIGINAL);
    bool whole = bad == 0 && end == line.data() + line.size() && length == kKeyBytes;
    sodium_memzero(line.data(), line.size());
    if (!whole) return KeyError(number, "does not hold the base64 of 32 bytes");
    if (sealer.current_.empty()) sealer.current_ = id;
    if (!sealer.keys_.emplace(id, Secret(std::move(key))).second) return KeyError(number, "repeats a key id");
  }
  if (sealer.keys_.empty()) return MakeError(Code::kFailedPrecondition, "SEAL_KEYS", "the file holds no sealing key");
  return sealer;
}

StatusOr<Sealer::Sealed> Sealer::Seal(std::string_view associated, const Secret& plain) const {
  const Secret& key = keys_.find(current_)->second;
  std::string out(kNonceBytes + plain.size() + kTagBytes, '\0');
  auto* bytes = reinterpret_cast<unsigned char*>(out.data());
  randombytes_buf(bytes, kNonceBytes);
  unsigned long long written = 0;
  if (crypto_aead_xchacha20poly1305_ietf_encrypt(bytes + kNonceBytes, &written, Bytes(plain.Reveal()), plain.size(),
                                                 Bytes(associated), associated.size(), nullptr, bytes,
                                                 Bytes(key.Reveal())) != 0) {
    return MakeError(Code::kInternal, "SEAL_FAILED", "credentials could not be sealed");
  }
  return Sealed{current_, std::move(out)};
}

StatusOr<Secret> Sealer::Open(std::string_view associated, std::string_view key_id, std::string_view bytes) const {
  auto key = keys_.find(key_id);
  if (key == keys_.end()) return Unreadable("the key \"" + std::string(key_id) + "\" is not in the key file");
  if (bytes.size() < kNonceBytes + kTagBytes) return Unreadable("too short");
  std::string plain(bytes.size() - kNonceBytes - kTagBytes, '\0');
  unsigned long long written = 0;
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(reinterpret_cast<unsigned char*>(plain.data()), &written, nullptr,
                                                 Bytes(bytes) + kNonceBytes, bytes.size() - kNonceBytes,
                                                 Bytes(associated), associated.size(), Bytes(bytes),
                                                 Bytes(key->second.Reveal())) != 0) {
    return Unreadable("changed, or of another channel");
  }
  return Secret(std::move(plain));
}

std::string HashKeySecret(const Secret& secret) {
  std::string hash(crypto_generichash_BYTES, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(hash.data()), hash.size(), Bytes(secret.Reveal()), secret.size(),
                     nullptr, 0);
  return hash;
}

}  // namespace parvis::accounts
