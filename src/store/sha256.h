/* sha256.h - the hash by which data are recognised (FIPS 180-4). */
#ifndef CRDI_SHA256_H
#define CRDI_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { CRDI_SHA256_HEX = 65 }; /* characters of the hash as text, with the zero byte */

typedef struct crdi_sha256 {
    uint32_t state[8];
    uint64_t length; /* bytes so far */
    unsigned char block[64];
} crdi_sha256;

void crdi_sha256_begin(crdi_sha256 *hash);
void crdi_sha256_add(crdi_sha256 *hash, const void *bytes, size_t length);
void crdi_sha256_add_double(crdi_sha256 *hash, double value); /* as 8 bytes, lowest first, on any machine */
void crdi_sha256_end(crdi_sha256 *hash, char hex[CRDI_SHA256_HEX]);

#endif
