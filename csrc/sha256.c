/*
 * sha256.c - SHA-256 and HMAC over it.
 */
#include "sha256.h"

#include <string.h>

#include "text.h"

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

void sha256_begin(struct sha256 *hash)
{
    /* Likewise of the square roots of the first 8 primes. */
    static const uint32_t initial[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
    memset(hash, 0, sizeof *hash);
    memcpy(hash->state, initial, sizeof initial);
}

static uint32_t rotate(uint32_t word, int bits)
{
    return word >> bits | word << (32 - bits);
}

/* FIPS 180-4, 6.2.2; the names are its own. */
static void add_block(uint32_t state[8], const unsigned char *block)
{
    uint32_t w[64] = { 0 }, v[8];
    for (int t = 0; t < 16; t++)
        w[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16 | (uint32_t)block[4 * t + 2] << 8 |
               block[4 * t + 3];
    for (int t = 16; t < 64; t++) {
        uint32_t s0 = rotate(w[t - 15], 7) ^ rotate(w[t - 15], 18) ^ w[t - 15] >> 3;
        uint32_t s1 = rotate(w[t - 2], 17) ^ rotate(w[t - 2], 19) ^ w[t - 2] >> 10;
        w[t] = s1 + w[t - 7] + s0 + w[t - 16];
    }
    memcpy(v, state, sizeof v);
    for (int t = 0; t < 64; t++) {
        uint32_t a = v[0], e = v[4];
        uint32_t S1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25), ch = (e & v[5]) ^ (~e & v[6]);
        uint32_t T1 = v[7] + S1 + ch + constants[t] + w[t];
        uint32_t S0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22), maj = (a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]);
        memmove(v + 1, v, 7 * sizeof *v);
        v[0] = T1 + S0 + maj;
        v[4] += T1;
    }
    for (int i = 0; i < 8; i++)
        state[i] += v[i];
    wipe(w, sizeof w);
    wipe(v, sizeof v);
}

void sha256_add(struct sha256 *hash, const void *bytes, size_t length)
{
    const unsigned char *from = bytes;
    size_t used = (size_t)(hash->length % SHA256_BLOCK_BYTES);
    hash->length += length;
    while (length > 0) {
        size_t room = SHA256_BLOCK_BYTES - used, part = length < room ? length : room;
        memcpy(hash->block + used, from, part);
        from += part;
        length -= part;
        used += part;
        if (used == SHA256_BLOCK_BYTES) {
            add_block(hash->state, hash->block);
            used = 0;
        }
    }
}

void sha256_end(struct sha256 *hash, unsigned char digest[SHA256_BYTES])
{
    static const unsigned char padding[SHA256_BLOCK_BYTES] = { 0x80 };
    unsigned char bits[8];
    uint64_t length = hash->length * 8;
    for (int i = 0; i < 8; i++)
        bits[i] = (unsigned char)(length >> (56 - 8 * i));
    size_t used = (size_t)(hash->length % SHA256_BLOCK_BYTES);
    sha256_add(hash, padding, (used < 56 ? 56 : 120) - used);
    sha256_add(hash, bits, sizeof bits);
    for (int i = 0; i < SHA256_BYTES; i++)
        digest[i] = (unsigned char)(hash->state[i / 4] >> (24 - 8 * (i % 4)));
    wipe(hash, sizeof *hash);
}

void sha256_hmac(const void *key, size_t key_length, const void *message, size_t length,
                 unsigned char digest[SHA256_BYTES])
{
    struct sha256 hash;
    unsigned char pad[SHA256_BLOCK_BYTES] = { 0 };
    if (key_length > sizeof pad) {
        sha256_begin(&hash);
        sha256_add(&hash, key, key_length);
        sha256_end(&hash, pad);
    } else if (key_length > 0) {
        memcpy(pad, key, key_length);
    }
    for (size_t i = 0; i < sizeof pad; i++)
        pad[i] ^= 0x36;
    sha256_begin(&hash);
    sha256_add(&hash, pad, sizeof pad);
    sha256_add(&hash, message, length);
    sha256_end(&hash, digest);
    for (size_t i = 0; i < sizeof pad; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    sha256_begin(&hash);
    sha256_add(&hash, pad, sizeof pad);
    sha256_add(&hash, digest, SHA256_BYTES);
    sha256_end(&hash, digest);
    wipe(pad, sizeof pad);
}
