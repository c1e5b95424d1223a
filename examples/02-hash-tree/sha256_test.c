/* sha256_test.c: sha256.c against the vectors that NIST publishes, with the
 * message in pieces of every size up to two blocks.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sha256.h"

#include <stdio.h>
#include <string.h>

static int failures;

static void to_hex(const uint8_t digest[SHA256_DIGEST],
                   char hex[2 * SHA256_DIGEST + 1])
{
    for (size_t i = 0; i < SHA256_DIGEST; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

static void check(const char *what, const uint8_t *data, size_t length,
                  size_t times, const char *expected)
{
    uint8_t digest[SHA256_DIGEST];
    char hex[2 * SHA256_DIGEST + 1];
    for (size_t piece = 1; piece <= 2 * SHA256_BLOCK; piece++) {
        sha256 hash;
        sha256_init(&hash);
        for (size_t n = 0; n < times; n++) {
            for (size_t at = 0; at < length; at += piece) {
                size_t left = length - at;
                sha256_update(&hash, data + at, left < piece ? left : piece);
            }
        }
        sha256_final(&hash, digest);
        to_hex(digest, hex);
        if (strcmp(hex, expected) != 0) {
            printf("%s in pieces of %zu: %s, not %s\n", what, piece, hex,
                   expected);
            failures++;
            return;
        }
        if (times > 1) return; /* one size has to do for the long ones */
    }
}

static void check_text(const char *text, const char *expected)
{
    check(text, (const uint8_t *)text, strlen(text), 1, expected);
}

static void check_bytes(uint8_t byte, size_t length, const char *expected)
{
    uint8_t data[1024];
    char what[48];
    memset(data, byte, sizeof data);
    snprintf(what, sizeof what, "%zu times 0x%02x", length, byte);
    if (length <= sizeof data)
        check(what, data, length, 1, expected);
    else
        check(what, data, 1000, length / 1000, expected);
}

int main(void)
{
    /* FIPS 180-2, appendix B */
    check_text("abc", "ba7816bf8f01cfea414140de5dae2223"
                      "b00361a396177a9cb410ff61f20015ad");
    check_text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
               "248d6a61d20638b8e5c026930c3e6039"
               "a33ce45964ff2167f6ecedd419db06c1");
    check_bytes('a', 1000000,
                "cdc76e5c9914fb9281a1c7e284d73e67"
                "f1809a48a497200e046d39ccc7112cd0");
    /* Examples with intermediate values, and additional ones, of NIST */
    check_text("", "e3b0c44298fc1c149afbf4c8996fb924"
                   "27ae41e4649b934ca495991b7852b855");
    check_text("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
               "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
               "cf5b16a778af8380036ce59e7b049237"
               "0b249b11e8f07a51afac45037afee9d1");
    check_bytes(0xbd, 1,
                "68325720aabd7c82f30f554b313d0570"
                "c95accbb7dc4b5aae11204c08ffe732b");
    check_bytes(0, 55,
                "02779466cdec163811d078815c633f21"
                "901413081449002f24aa3e80f0b88ef7");
    check_bytes(0, 56,
                "d4817aa5497628e7c77e6b606107042b"
                "bba3130888c5f47a375e6179be789fbb");
    check_bytes(0, 57,
                "65a16cb7861335d5ace3c60718b5052e"
                "44660726da4cd13bb745381b235a1785");
    check_bytes(0, 64,
                "f5a5fd42d16a20302798ef6ed309979b"
                "43003d2320d9f0e8ea9831a92759fb4b");
    check_bytes(0, 1000,
                "541b3e9daa09b20bf85fa273e5cbd3e8"
                "0185aa4ec298e765db87742b70138a53");
    check_bytes('A', 1000,
                "c2e686823489ced2017f6059b8b23931"
                "8b6364f6dcd835d0a519105a1eadd6e4");
    check_bytes('U', 1005,
                "f4d62ddec0f3dd90ea1380fa16a5ff8d"
                "c4c54b21740650f24afc4120903552b0");
    check_bytes(0, 1000000,
                "d29751f2649b32ff572b5e0a9f541ea6"
                "60a50f94ff0beedfb0b692b924cc8025");
    if (failures == 0) puts("ok");
    return failures == 0 ? 0 : 1;
}
