/*
 * sha256.h - SHA-256 (FIPS 180-4) and HMAC over it (RFC 2104). Sees libc.
 *
 * Our own, because nothing that we link offers it: libcurl keeps its hash to itself, and the TLS library behind it is
 * OpenSSL, GnuTLS or another, which hosts bring along in versions of their own. A second OpenSSL beside the one that
 * OpenResty bundles has crashed it.
 */
#ifndef MEDIASTOP_SHA256_H
#define MEDIASTOP_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32
#define SHA256_BLOCK_BYTES 64

struct sha256 {
    uint32_t state[8];
    uint64_t length;                /* bytes so far */
    unsigned char block[SHA256_BLOCK_BYTES];    /* those that do not fill a block yet */
};

void sha256_begin(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *bytes, size_t length);

/* Writes the digest and wipes the state. */
void sha256_end(struct sha256 *hash, unsigned char digest[SHA256_BYTES]);

void sha256_hmac(const void *key, size_t key_length, const void *message, size_t length,
                 unsigned char digest[SHA256_BYTES]);

#endif
