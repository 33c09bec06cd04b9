/* utf8.h: shared inside base by the code that shows or stores foreign text. */
#ifndef RH_BASE_UTF8_H
#define RH_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the UTF-8 sequence at s (1 to 4) and its code point; 0 when it is not valid UTF-8 (RFC 3629) or n is 0. */
size_t rh_utf8(const char *s, size_t n, uint32_t *code);

/* What one piece of foreign text becomes on a terminal. */
typedef struct rh_glyph {
    size_t used; /* bytes of the input */
    size_t n;    /* bytes of text, at most 16 */
    int columns; /* characters of text, counting a UTF-8 sequence as one */
    char text[17];
} rh_glyph;
/* The next piece of s (n >= 1): one character as it is, or \xHH for control characters, for code points that
 * are invisible or reorder text, and for each byte of invalid UTF-8. */
rh_glyph rh_glyph_next(const char *s, size_t n);

#endif
