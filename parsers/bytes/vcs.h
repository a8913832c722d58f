/* The header of Valkey's container for dumps that are compressed as a whole (Valkey 9.2, "rdbcompression lz4"):
 *
 *     56 43 53     VCS; an earlier draft had 56 4b 43 53, VKCS
 *     01           version
 *     01           codec: LZ4
 *     00           flags, reserved
 *     00 or 01     kind of the stream: both are seen with dumps
 *
 * One LZ4 frame follows. The last byte has not been verified against a release. Source: pull request 3531 of Valkey.
 */
#ifndef RCF_VCS_H
#define RCF_VCS_H

#include <stdbool.h>

#include "parsers/parse.h"

enum { VCS_HEADER_MOST = 8 };

struct vcs_header {
    size_t letters; /* 3 or 4 */
    size_t length;  /* of the header: 7 or 8 */
    uint8_t version, codec, flags, kind;
};

/* The header that `head` begins with. False when the letters or one of the four bytes are missing; `header` then has
 * zeros for what is. */
bool vcs_header_read(struct bytes head, struct vcs_header *header);

/* NULL when what follows the header can be read; else why not, in static memory, and which byte of the header says
 * so. */
const char *vcs_why_not(const struct vcs_header *header, size_t *at);

#endif
